/**
 * The challenge protocol within mod_sauth: what its endpoint, its presentation and its signed responses share. The
 * arithmetic is interauth/challenge.h, the wire interauth/envelope.h.
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

/** Of the server: a participant's record holds one secret in a profile. */
typedef struct challenge_settings {
    unsigned profiles; /**< bits 1u << ia_challenge_profile; 0 unset until the start */
    const char *domain;
    const char *separator; /**< profile md5 */
    apr_int64_t lifetime;  /**< seconds */
} challenge_settings;

/** The settings in force, with every default filled in. After post_config. */
const challenge_settings *challenge_settings_of_server(void);

/** Reads the body of a call; NULL without mod_isign. */
extern APR_OPTIONAL_FN_TYPE(isign_read_body) * challenge_read_body;

/** The largest body of auth.request, auth.token and auth.refresh. */
#define CHALLENGE_LOGIN_MAX 65536

/** What bodies can be calls, in a sentence for clients. */
#define CHALLENGE_TYPES "JSON or XML expected, in UTF-8, without Content-Encoding"

/** A token that is used: what is said about it, and what was found. */
typedef struct challenge_use {
    const char *token;
    const char *signature;
    ia_challenge_message message;
    apr_time_t timestamp;         /**< of the message; profile hmac-sha256 only */
    ia_challenge_profile profile; /**< by the token's length; NONE: it can be no token */
    ia_challenge_secret secret;   /**< wiped with the pool */
    ia_challenge_match match;
} challenge_use;

/** A request that may be a call. */
typedef struct challenge_call {
    ia_result rc;      /**< of reading it */
    int was_read;      /**< its body was, and is whole */
    apr_size_t length; /**< of the body, once read */
    int is_login;      /**< a method of the protocol itself: auth.request, auth.token, auth.refresh */
    const char *wrong; /**< what its grammar lacks, or NULL */
    ia_envelope_format format;
    ia_envelope envelope;
    challenge_use *use;
} challenge_call;

/** What is kept with the state of an external request; see challenge_request_of. */
typedef struct challenge_request {
    challenge_call *call;      /**< NULL where none was looked for */
    ia_envelope_format format; /**< of refusals */
    int speaks;                /**< refusals are worded by the protocol, in this format */
    const char *method;        /**< that a verified client calls, or NULL */
} challenge_request;

/** Made when there is none. */
challenge_request *challenge_request_of(sauth_state *state);

/** The same, or NULL where nothing was made yet. `state` may be NULL. */
challenge_request *challenge_request_find(const sauth_state *state);

/** A new use, whose secret is wiped with the request. */
challenge_use *challenge_use_create(apr_pool_t *p);

/** Which profile has tokens and signatures like this text. */
ia_challenge_profile challenge_profile_of(const char *text);

/** Under which kind the registry has the secrets of a profile. */
ia_credential_kind challenge_credential_kind(ia_challenge_profile profile);

/**
 * The secret of this participant in a profile; `out` has fingerprint 0 where it has none. The caller wipes it.
 * @return as the registry's `credential`
 */
ia_result challenge_secret_of(ia_challenge_secret *out, const ia_registry_entry *who, ia_challenge_profile profile);

/** @return IA_OK, IA_PROFILE_NOT_ENABLED, IA_CLEARTEXT_REFUSED */
ia_result challenge_profile_check(request_rec *r, ia_challenge_profile profile);

/** The windows that a client may mean now. */
void challenge_windows(apr_int64_t out[IA_CHALLENGE_WINDOWS], const sauth_dir *conf, apr_time_t now);

/** Until when a token of this window is good, whatever else is decided. */
apr_time_t challenge_token_expires(const sauth_dir *conf, apr_int64_t window, apr_time_t now);

/** Looks the token up and verifies its signature; fills the state. */
ia_result challenge_prove(request_rec *r, const sauth_dir *conf, challenge_use *use, sauth_state *state,
                          apr_time_t now);

/** Once proven: is it new? Nothing that profile md5 could tell. Sets the state's retry_after. */
ia_result challenge_use_once(const sauth_dir *conf, const challenge_use *use, sauth_state *state, apr_time_t now);

/** Refusals of this request from now on are worded by the protocol. */
void challenge_speak(request_rec *r, sauth_state *state, ia_envelope_format format);

/** The dialect's respond_error. */
int challenge_respond_error(request_rec *r, const ia_outcome *outcome, const char *detail, problem_response *out);

/** What is known of a call that was refused. */
typedef struct challenge_circumstances {
    const char *method;           /**< or NULL */
    ia_challenge_profile profile; /**< or NONE */
    const challenge_use *use;     /**< or NULL */
    apr_time_t now;
} challenge_circumstances;

/**
 * What the log says about a refusal beside its reason; "" where there is nothing. Never anything of a body but the
 * method and the profile: whom a token or a challenge is of is the registry's word.
 */
const char *challenge_log_detail(apr_pool_t *p, ia_result rc, const sauth_state *state,
                                 const challenge_circumstances *about);

/** The call that this request is, read once; NULL where it cannot be one: another method, media type or coding. */
challenge_call *challenge_call_of(request_rec *r);

/** Whether a call of this method is a login: auth.request, auth.token, auth.refresh. */
int challenge_is_login_method(const char *method);

/** The endpoint. */
int challenge_endpoint_handle(request_rec *r, const char *tail);

/** Responds to a login that was read already, with the settings of this location. */
int challenge_login_handle(request_rec *r, const challenge_call *call);

/** auth.request, auth.token, auth.refresh at a location where calls go: `handle` of the presentation, and its handler. */
int challenge_location_handle(request_rec *r, const sauth_dir *conf, sauth_state *state);
int challenge_location_handler(request_rec *r);

/** Hooks and the filter that signs responses. */
void challenge_sign_register(apr_pool_t *p);

#endif
