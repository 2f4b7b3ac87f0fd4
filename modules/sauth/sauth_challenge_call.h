/**
 * The challenge protocol within mod_sauth: what its endpoint, its presentation and its signed responses share. The
 * arithmetic is interauth/challenge.h, the wire interauth/envelope.h.
 */
#ifndef SAUTH_CHALLENGE_CALL_H
#define SAUTH_CHALLENGE_CALL_H

#include "interauth/challenge.h"
#include "interauth/envelope.h"
#include "mod_sauth.h"

/** The largest body of auth.request, auth.token and auth.refresh. */
#define SAUTH_LOGIN_MAX 65536

/** What bodies can be calls, in a sentence for clients. */
#define SAUTH_CALL_TYPES "JSON or XML expected, in UTF-8, without Content-Encoding"

/** A token that is used: what is said about it, and what was found. */
typedef struct sauth_token_use {
    const char *token;
    const char *signature;
    ia_challenge_message message;
    apr_time_t timestamp;         /**< of the message; profile hmac-sha256 only */
    ia_challenge_profile profile; /**< by the token's length; NONE: it can be no token */
    ia_challenge_secret secret;   /**< wiped with the pool */
    ia_challenge_match match;
} sauth_token_use;

/** A request that may be a call. */
typedef struct sauth_call {
    ia_result rc;      /**< of reading it */
    int was_read;      /**< its body was, and is whole */
    apr_size_t length; /**< of the body, once read */
    int is_login;      /**< a method of the protocol itself: auth.request, auth.token, auth.refresh */
    const char *wrong; /**< what its grammar lacks, or NULL */
    ia_envelope_format format;
    int speaks; /**< refusals are in its words */
    ia_envelope envelope;
    sauth_token_use *use;
} sauth_call;

/** A new use, whose secret is wiped with the request. */
sauth_token_use *sauth_token_use_create(apr_pool_t *p);

/** Which profile has tokens and signatures like this text. */
ia_challenge_profile sauth_profile_of(const char *text);

/** Under which kind the registry has the secrets of a profile. */
ia_credential_kind sauth_profile_credential(ia_challenge_profile profile);

/**
 * The secret of this participant in a profile; `out` has fingerprint 0 where it has none. The caller wipes it.
 * @return as the registry's `credential`
 */
ia_result sauth_profile_secret(ia_challenge_secret *out, const ia_registry_entry *who, ia_challenge_profile profile);

/** @return IA_OK, IA_PROFILE_NOT_ENABLED, IA_CLEARTEXT_REFUSED */
ia_result sauth_profile_check(request_rec *r, ia_challenge_profile profile);

/** The windows that a client may mean now. */
void sauth_windows(apr_int64_t out[IA_CHALLENGE_WINDOWS], const sauth_dir *conf, apr_time_t now);

/** Until when a token of this window is good, whatever else is decided. */
apr_time_t sauth_token_expires(const sauth_dir *conf, apr_int64_t window, apr_time_t now);

/** Looks the token up and verifies its signature; fills the state. */
ia_result sauth_token_prove(request_rec *r, const sauth_dir *conf, sauth_token_use *use, sauth_state *state,
                            apr_time_t now);

/** Once proven: is it new? Nothing that profile md5 could tell. Sets the state's retry_after. */
ia_result sauth_token_use_once(const sauth_dir *conf, const sauth_token_use *use, sauth_state *state, apr_time_t now);

/** From now on, refusals of this request speak the protocol. */
void sauth_speak(request_rec *r, ia_envelope_format format);

/** The same for this request_rec where the call of its external request decided so. */
void sauth_call_speak(request_rec *r, const sauth_state *state);

/** What is known of a call that was refused. */
typedef struct sauth_call_circumstances {
    const char *method;           /**< or NULL */
    ia_challenge_profile profile; /**< or NONE */
    const sauth_token_use *use;   /**< or NULL */
    apr_time_t now;
} sauth_call_circumstances;

/**
 * What the log says about a refusal beside its reason; "" where there is nothing. Never anything of a body but the
 * method and the profile: whom a token or a challenge is of is the registry's word.
 */
const char *sauth_call_log_detail(apr_pool_t *p, ia_result rc, const sauth_state *state,
                                  const sauth_call_circumstances *about);

/** The call that this request is, read once; NULL where it cannot be one: another method, media type or coding. */
sauth_call *sauth_call_of(request_rec *r);

/** Whether a call of this method is a login: auth.request, auth.token, auth.refresh. */
int sauth_login_is_method(const char *method);

/** Answers a login that has been read already, with the settings of this location. */
int sauth_login_response(request_rec *r, const sauth_call *call);

/** Handler: the same, for a request that sauth_challenge_login sends to it. */
int sauth_login_handler(request_rec *r);

/** Hooks and the filter that signs answers. */
void sauth_challenge_sign_register(apr_pool_t *p);

#endif
