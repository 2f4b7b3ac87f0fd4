/** HTTP message signatures (RFC 9421), the scheme that is verified before authentication: shared by its files. */
#ifndef ISIGN_HTTPSIG_H
#define ISIGN_HTTPSIG_H

#include <httpd.h>
#include "interauth/httpsig.h"
#include "interauth_registry.h"
#include "isign_config.h"
#include "isign_proof.h"

extern const isign_scheme isign_httpsig;

/* --- the message and its policies (isign_message.c) ---------------------------------------------------------------- */

/** The external request as received; scheme and authority are those of ISignExternal or of the connection. */
void isign_message_fill(ia_httpsig_message *out, request_rec *top, const isign_dir *conf);

/** Whether Host is a name of this virtual host, with a port on which this server listens. */
int isign_message_is_ours(request_rec *top);

/** Names of the components that a signature must cover here, apart from content-digest. */
apr_array_header_t *isign_message_required(request_rec *r, const isign_dir *conf, int has_body);

/** The policy of every location: which signature counts, and how old it may be anywhere. */
void isign_policy_fill_common(ia_httpsig_policy *out, const isign_dir *conf);

/** The policy of the location where `r` is now. */
void isign_policy_fill(ia_httpsig_policy *out, request_rec *r, const isign_dir *conf);

/** Writes Accept-Signature (isign_accept.c). */
void isign_httpsig_write_accept(request_rec *r, const isign_dir *conf);

/* --- the key (isign_lookup.c) ------------------------------------------------------------------------------------- */

/** One key look-up. Initialize `p` and `now`, zero the rest, and call isign_lookup_end. */
typedef struct isign_lookup {
    apr_pool_t *p;
    apr_time_t now;
    ia_registry_entry entry; /**< the participant that the keyid names; its `id` is "" if there is none */
    int is_mac;              /**< the keyid names shared secrets */
    unsigned secret;         /**< which of several valid secrets is used */
    ia_key *key;             /**< referenced until the next call */
} isign_lookup;

/** ia_httpsig_ports.find_key. An unknown keyid gets a dummy key. @return IA_OK, IA_SIG_KEY_UNKNOWN or a fault */
ia_result isign_lookup_find(void *lookup, ia_httpsig_key *out, const ia_httpsig *signature);

/** After a mismatch: whether there is another shared secret to try, which isign_lookup_find returns next. */
int isign_lookup_next(isign_lookup *lookup);

/**
 * After a refusal: verifies with a dummy key of the kind that was not used, if the keyid could name either. So the response
 * time does not reveal what the keyid names.
 */
void isign_lookup_equalize(isign_lookup *lookup, const ia_httpsig *signature);

/** Releases the key and wipes the secrets. */
void isign_lookup_end(isign_lookup *lookup);

#endif
