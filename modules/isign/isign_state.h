/** What is kept per external request: a request as it came over the wire, with its sub-requests and internal redirects. */
#ifndef ISIGN_STATE_H
#define ISIGN_STATE_H

#include <httpd.h>
#include "interauth/result.h"
#include "isign_proof.h"

typedef struct isign_state {
    const apr_table_t *fields; /**< header fields of a signed request as received; NULL if it is not signed */

    /* the signer */
    const isign_scheme *scheme; /**< of the signature, as found by the first check; NULL: none */
    int signature_checked;      /**< the two below are final */
    ia_result signature_rc;     /**< why a signed request has no proof */
    const isign_proof *proof;   /**< of the signer; NULL: the signer is unknown */

    /* the body; `spool` and `stream` are NULL if there is none, and at most one is set */
    struct isign_spool *spool;
    struct isign_stream *stream;
    ia_result read_rc; /**< of isign_read_body */
    int read_status;   /**< httpd's own for a broken body, else 0 */
    int body_checked;  /**< what follows is final */
    ia_result body_rc;
    int body_status;     /**< as read_status */
    int has_content;     /**< the body has at least one byte */
    unsigned algorithms; /**< IA_DIGEST_* bits of the verified digests; 0: none, or the body is streamed */

    /* the log; request_recs are only compared */
    ia_result observed;             /**< what observe mode logged last for the body */
    const request_rec *observed_in; /**< for which request */
    ia_result denied;               /**< by Require signed; IA_OK once another rule granted access */
    const request_rec *denied_in;
    const char *denied_at;        /**< its URI */
    ia_result log_detail_rc;      /**< the refusal that the next two describe */
    const char *log_detail;       /**< " name=value".., without secrets; NULL: none */
    const char *log_participant;  /**< the proven signer of a refused signature, or NULL */
    const request_rec *accept_in; /**< whose err_headers_out have an Accept-Signature */
} isign_state;

/** The state of the external request that `r` belongs to. Never NULL. */
isign_state *isign_state_of(request_rec *r);

/** post_read_request: keeps the header fields of a signed request as received. */
void isign_keep_fields(request_rec *r);
/** These fields; of an unsigned request, its fields as they are now. */
const apr_table_t *isign_fields_of(request_rec *r);

#endif
