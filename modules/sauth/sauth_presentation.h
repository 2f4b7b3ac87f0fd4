/**
 * Presentations: the ways in which a request carries credentials. A dialect lists its presentations; see sauth_dialect.h.
 */
#ifndef SAUTH_PRESENTATION_H
#define SAUTH_PRESENTATION_H

#include <httpd.h>
#include "environment.h"
#include "interauth/result.h"
#include "sauth_config.h"

struct sauth_state;

typedef struct sauth_presentation {
    const char *word; /**< its name in SAuthAccept */
    const char *name; /**< the protocol's own term, which the application gets as SAUTH_SCHEME */
    /**
     * One bit that no other presentation has. Grants are stored with it, in memory and in the state file, so it must not
     * change. In use are 1 (SAuth), 4 (challenge) and 8 (signature); 2 is reserved for Bearer.
     */
    apr_uint32_t bit;
    /** The auth-scheme (RFC 9110 section 11.1) that it uses in Authorization; NULL: it does not use this field. */
    const char *scheme;
    /** Whether the credentials refer to a grant. If not, the client may do what its record allows. */
    int has_grant;
    /**
     * Whether the request has credentials of this kind. Called if `scheme` is NULL and the request has no Authorization
     * field, or if `scheme` is that of the field. May be NULL if `scheme` is set: the scheme then decides alone.
     */
    int (*is_shown)(request_rec *r, const sauth_dir *conf);
    /**
     * Verifies the credentials. Fills `entry`, `grant` and `capabilities` of the state, usually with sauth_grant_find,
     * sauth_grant_check and sauth_grant_open, and sets `proven` as soon as the client's identity is verified. Takes the
     * Authorization field from snapshot_of(r)->authorization, because other modules may have changed the header. Does not
     * log or respond.
     * @return IA_OK, or the reason of the refusal
     */
    ia_result (*check)(request_rec *r, const sauth_dir *conf, struct sauth_state *state);
    /** Checks the settings of each location that the request of a verified client passes. May be NULL. */
    ia_result (*check_location)(request_rec *r, const sauth_dir *conf, const struct sauth_state *state);
    /**
     * Responds to a request that is meant for the presentation itself, such as a login. May be NULL.
     * @return an HTTP status or DONE; DECLINED if the request is for the application
     */
    int (*handle)(request_rec *r, const sauth_dir *conf, struct sauth_state *state);
    /** The reason to refuse a request without credentials if only this presentation is accepted. NULL: IA_CREDENTIALS_MISSING. */
    ia_result (*missing)(request_rec *r, const sauth_dir *conf, struct sauth_state *state);
    /** Makes its challenge (RFC 9110 section 11.6.1) for WWW-Authenticate. `realm` is already escaped. @return NULL: none */
    const char *(*challenge)(request_rec *r, const char *realm, ia_result rc);
    /** One sentence for the client: how to get a capability that the participant has but the grant lacks. May be NULL. */
    const char *(*obtain)(apr_pool_t *p, const char *capability);
    /** Additional notes and variables for the application; ends with a NULL note. May be NULL. */
    const environment_row *attributes;
    /** Sets these attributes with sauth_attribute_add. May be NULL. */
    void (*describe)(struct sauth_state *state);
    /** Adds fields to the response to a verified client, before it is sent. May be NULL. */
    void (*complete)(request_rec *r, struct sauth_state *state);
} sauth_presentation;

/** Finds a presentation by its name in SAuthAccept. @return NULL if there is none */
const sauth_presentation *sauth_presentation_named(const char *word);

/** All names, for a message: "a, b or c". */
const char *sauth_presentation_words(apr_pool_t *p);

/** All presentations, in the order of the dialects; ends with NULL. Filled when the module is loaded. */
extern const sauth_presentation *sauth_presentations[];

/** Of the presentations that this location accepts, the one whose credentials the request has, or NULL. */
const sauth_presentation *sauth_presentation_shown(request_rec *r, const sauth_dir *conf);

/** Whether the scheme of an Authorization value is that of a presentation. `value` may be NULL. */
int sauth_presentation_reads(const char *value);

#endif
