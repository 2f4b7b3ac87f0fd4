/**
 * Presentations: the ways in which a request identifies its client. A dialect has rows of these; see sauth_dialect.h.
 */
#ifndef SAUTH_PRESENTATION_H
#define SAUTH_PRESENTATION_H

#include <httpd.h>
#include "environment.h"
#include "interauth/result.h"
#include "sauth_config.h"

struct sauth_state;

typedef struct sauth_presentation {
    const char *word; /**< of SAuthAccept */
    const char *name; /**< the protocol's term; SAUTH_SCHEME for the application */
    /** One bit, for good: grants are kept with it, in memory and in the state file. 1 to 8 are taken; 2 is for Bearer. */
    apr_uint32_t bit;
    /** The auth-scheme (RFC 9110 section 11.1) of the Authorization field that it reads; NULL: it does not read the field. */
    const char *scheme;
    /** Whether the client holds a grant of this server, or of nothing but its entitlement. */
    int has_grant;
    /**
     * Whether the request has credentials of this kind. Asked where `scheme` is NULL and the request has no
     * Authorization field, or where `scheme` is the field's. NULL: the scheme alone decides.
     */
    int (*is_shown)(request_rec *r, const sauth_dir *conf);
    /** Verifies the credentials and fills the state. It neither logs nor responds. */
    ia_result (*check)(request_rec *r, const sauth_dir *conf, struct sauth_state *state);
    /** Of a verified client, at each location that its request leads to: other settings may hold there. May be NULL. */
    ia_result (*check_location)(request_rec *r, const sauth_dir *conf, const struct sauth_state *state);
    /**
     * Responds to a request that is for the presentation itself, such as a login. May be NULL.
     * @return an HTTP status or DONE; DECLINED if the request is for the application
     */
    int (*handle)(request_rec *r, const sauth_dir *conf, struct sauth_state *state);
    /** Why a request without any credentials is refused, where this is the only way. NULL: IA_CREDENTIALS_MISSING. */
    ia_result (*missing)(request_rec *r, const sauth_dir *conf, struct sauth_state *state);
    /** Its challenge (RFC 9110 section 11.6.1), for WWW-Authenticate. `realm` is escaped. @return NULL for none */
    const char *(*challenge)(request_rec *r, const char *realm, ia_result rc);
    /** How a client gets a capability that its participant has and its grant lacks, in a sentence. May be NULL. */
    const char *(*obtain)(apr_pool_t *p, const char *capability);
    /** Attributes of its own, for notes and the environment; ends with a NULL note. May be NULL, as the next. */
    const environment_row *attributes;
    void (*describe)(struct sauth_state *state);
    /** Before a response to a verified client leaves: fields that must be in it. May be NULL. */
    void (*complete)(request_rec *r, struct sauth_state *state);
} sauth_presentation;

/** By SAuthAccept's word, or NULL. */
const sauth_presentation *sauth_presentation_named(const char *word);

/** The words, for a message: "a, b or c". */
const char *sauth_presentation_words(apr_pool_t *p);

/** All of them, in the order of the dialects; ends with NULL. Filled when the module is loaded. */
extern const sauth_presentation *sauth_presentations[];

/** The one whose credentials the request has, of those that are accepted here, or NULL. */
const sauth_presentation *sauth_presentation_shown(request_rec *r, const sauth_dir *conf);

/** Whether an Authorization value is of a scheme that some presentation reads. `value` may be NULL. */
int sauth_presentation_reads(const char *value);

#endif
