/**
 * The challenge protocol in mod_sauth: declarations shared by its endpoint, its presentation and its signed responses.
 * interauth/challenge.h computes the signatures; interauth/envelope.h reads and writes the messages.
 */
#ifndef SAUTH_CHALLENGE_H
#define SAUTH_CHALLENGE_H

#include "interauth/challenge_verify.h"
#include "interauth/envelope.h"
#include "interauth_isign.h"
#include "interauth_registry.h"
#include "sauth_dialect.h"
#include "sauth_state.h"

extern const sauth_dialect challenge_dialect;
extern const sauth_presentation challenge_presentation;

/** Settings of the server. They are global because a participant has only one secret for each profile. */
typedef struct challenge_settings {
    unsigned profiles; /**< bits 1u << ia_challenge_profile; 0: unset, until post_config */
    const char *domain;
    const char *separator; /**< profile md5 */
    apr_int64_t lifetime;  /**< seconds */
} challenge_settings;

/** Returns the current settings, including defaults. Valid after post_config. */
const challenge_settings *challenge_settings_of_server(void);

/** Reads the body of a call. NULL if mod_isign is not loaded. */
extern APR_OPTIONAL_FN_TYPE(isign_read_body) * challenge_read_body;

/** Maximum size of the body of auth.request, auth.token and auth.refresh, in bytes. */
#define CHALLENGE_LOGIN_MAX 65536

/** Detail for clients: the accepted media types of calls. */
#define CHALLENGE_TYPES "JSON or XML expected, in UTF-8, without Content-Encoding"

/** One use of a token: what the client sent, and the result of its verification. */
typedef struct challenge_use {
    const char *token;
    const char *signature;
    ia_challenge_message message;
    apr_time_t timestamp;         /**< of the message; only with profile hmac-sha256 */
    ia_challenge_profile profile; /**< derived from the length of the token; NONE: not a token */
    ia_challenge_secret secret;   /**< wiped with the pool */
    ia_challenge_match match;
} challenge_use;

/** A request that may contain a call. */
typedef struct challenge_call {
    ia_result rc;      /**< result of reading and parsing the body */
    int was_read;      /**< the complete body was read */
    apr_size_t length; /**< of the body, after it was read */
    int is_login;      /**< the method is auth.request, auth.token or auth.refresh */
    const char *error; /**< the syntax error, or NULL */
    ia_envelope_format format;
    ia_envelope envelope;
    challenge_use *use;
} challenge_call;

/** Data of this dialect in the state of an external request; see challenge_request_of. */
typedef struct challenge_request {
    challenge_call *call;      /**< NULL if no call was parsed */
    ia_envelope_format format; /**< of error responses */
    int speaks;                /**< error responses use the protocol's format */
    const char *method;        /**< the method that a verified client calls, or NULL */
} challenge_request;

/** Returns the data of this dialect, and creates it if necessary. */
challenge_request *challenge_request_of(sauth_state *state);

/** Returns the data of this dialect, or NULL if it was not created. `state` may be NULL. */
challenge_request *challenge_request_find(const sauth_state *state);

/** Creates a use. Its secret is wiped when the pool is destroyed. */
challenge_use *challenge_use_create(apr_pool_t *p);

/** Returns the profile of a token or signature, by its length and characters. */
ia_challenge_profile challenge_profile_of(const char *text);

/** Returns the registry's credential kind for the secrets of a profile. */
ia_credential_kind challenge_credential_kind(ia_challenge_profile profile);

/**
 * Gets the secret of a participant for a profile. If there is none, the fingerprint in `out` is 0. The caller wipes
 * `out`.
 * @return as the registry's `credential`
 */
ia_result challenge_secret_of(ia_challenge_secret *out, const ia_registry_entry *who, ia_challenge_profile profile);

/** Checks that this request may use the profile. @return IA_OK, IA_PROFILE_NOT_ENABLED, IA_CLEARTEXT_REFUSED */
ia_result challenge_profile_check(request_rec *r, ia_challenge_profile profile);

/** Computes the windows that a client may use now. */
void challenge_windows(apr_int64_t out[IA_CHALLENGE_WINDOWS], const sauth_dir *conf, apr_time_t now);

/** Returns the latest time at which a token of this window can expire. */
apr_time_t challenge_token_expires(const sauth_dir *conf, apr_int64_t window, apr_time_t now);

/** Looks up the token, verifies its signature, and sets the fields of `state`. */
ia_result challenge_prove(request_rec *r, const sauth_dir *conf, challenge_use *use, sauth_state *state,
                          apr_time_t now);

/**
 * Refuses a call that was received before, after it was verified. Does nothing for profile md5, which has no nonces.
 * Sets state->retry_after.
 */
ia_result challenge_use_once(const sauth_dir *conf, const challenge_use *use, sauth_state *state, apr_time_t now);

/** Makes error responses to this request use the protocol's format. */
void challenge_speak(request_rec *r, sauth_state *state, ia_envelope_format format);

/** respond_error of the dialect. */
int challenge_respond_error(request_rec *r, const ia_outcome *outcome, const char *detail, problem_response *out);

/** Properties of a refused call, for the log. */
typedef struct challenge_circumstances {
    const char *method;           /**< or NULL */
    ia_challenge_profile profile; /**< or NONE */
    const challenge_use *use;     /**< or NULL */
    apr_time_t now;
} challenge_circumstances;

/**
 * Returns what the log line of a refusal contains in addition to its reason, or "". Of the body, only the method and
 * the profile are logged; the participant's id comes from the registry.
 */
const char *challenge_log_detail(apr_pool_t *p, ia_result rc, const sauth_state *state,
                                 const challenge_circumstances *about);

/** Whether the method is auth.request, auth.token or auth.refresh. */
int challenge_is_login_method(const char *method);

/** Handler of the endpoint. */
int challenge_endpoint_handle(request_rec *r, const char *tail);

/** Responds to a login that was already read, with the settings of this location. */
int challenge_login_handle(request_rec *r, const challenge_call *call);

/**
 * For auth.request, auth.token and auth.refresh at a location that accepts calls: `handle` of the presentation, and
 * the content handler.
 */
int challenge_location_handle(request_rec *r, const sauth_dir *conf, sauth_state *state);
int challenge_location_handler(request_rec *r);

/** Registers the filter that signs responses, and its hooks. */
void challenge_sign_register(apr_pool_t *p);

#endif
