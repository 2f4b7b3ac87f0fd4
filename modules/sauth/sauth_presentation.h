/** Presentations: the ways in which a request carries credentials. Each belongs to a dialect; see sauth_dialect.h. */
#ifndef SAUTH_PRESENTATION_H
#define SAUTH_PRESENTATION_H

#include <httpd.h>
#include "environment.h"
#include "interauth/result.h"
#include "sauth_config.h"

struct sauth_state;

typedef struct sauth_presentation {
    const char *word; /**< argument of SAuthAccept */
    const char *name; /**< the protocol's term; SAUTH_SCHEME for the application */
    /**
     * One bit. It must not change, because grants are stored with it in memory and in the state file. Bits 1, 4 and 8 are
     * taken; 2 is reserved for Bearer.
     */
    apr_uint32_t bit;
    /**
     * The auth-scheme (RFC 9110 section 11.1) of the Authorization header that it uses; NULL: it does not use the
     * header.
     */
    const char *scheme;
    /** Whether the client has a grant of this server. Otherwise it has the capabilities of the participant. */
    int has_grant;
    /**
     * Whether the request has credentials of this kind. Called if `scheme` is NULL and the request has no Authorization
     * header, or if `scheme` is that of the header. NULL: it has if `scheme` matches.
     */
    int (*is_shown)(request_rec *r, const sauth_dir *conf);
    /** Verifies the credentials and sets the fields of the state. Does not log or respond. */
    ia_result (*check)(request_rec *r, const sauth_dir *conf, struct sauth_state *state);
    /**
     * Checks a verified client at each location to which its request is redirected; settings may differ. May be NULL.
     */
    ia_result (*check_location)(request_rec *r, const sauth_dir *conf, const struct sauth_state *state);
    /**
     * Responds to a request that is for the presentation itself, such as a login. May be NULL.
     * @return an HTTP status or DONE; DECLINED if the request is for the application
     */
    int (*handle)(request_rec *r, const sauth_dir *conf, struct sauth_state *state);
    /**
     * Returns why a request without credentials is refused if no other presentation is accepted. NULL:
     * IA_CREDENTIALS_MISSING.
     */
    ia_result (*missing)(request_rec *r, const sauth_dir *conf, struct sauth_state *state);
    /** Returns the challenge (RFC 9110 section 11.6.1) for WWW-Authenticate, or NULL. `realm` is escaped. */
    const char *(*challenge)(request_rec *r, const char *realm, ia_result rc);
    /** Returns a sentence: how to get a capability that the participant has, but the grant lacks. May be NULL. */
    const char *(*obtain)(apr_pool_t *p, const char *capability);
    /** Additional attributes for notes and the environment; ends with a NULL note. Both may be NULL. */
    const environment_row *attributes;
    void (*describe)(struct sauth_state *state);
    /** Adds header fields to a response to a verified client before it is sent. May be NULL. */
    void (*complete)(request_rec *r, struct sauth_state *state);
} sauth_presentation;

/** Finds a presentation by the argument of SAuthAccept. @return NULL if there is none */
const sauth_presentation *sauth_presentation_named(const char *word);

/** Returns the arguments of SAuthAccept for a message: "a, b or c". */
const char *sauth_presentation_words(apr_pool_t *p);

/** All presentations, in the order of the dialects; ends with NULL. Initialized when the module is loaded. */
extern const sauth_presentation *sauth_presentations[];

/** Returns the accepted presentation whose credentials the request has, or NULL. */
const sauth_presentation *sauth_presentation_shown(request_rec *r, const sauth_dir *conf);

/** Whether a value of Authorization has the scheme of any presentation. `value` may be NULL. */
int sauth_presentation_reads(const char *value);

#endif
