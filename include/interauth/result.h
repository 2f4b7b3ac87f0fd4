/**
 * The outcomes of all decisions.
 *
 * Every decision in interauth results in one `ia_result`. A single table, IA_OUTCOMES below, defines what each
 * result means in the log, to the client and in HTTP. The enum, the names and the statuses are generated from it,
 * so that they always agree.
 *
 * Zero is success, positive values are refusals (errors of the client), negative values are faults (errors of the
 * server). Faults fail closed: the response is 503 with Retry-After, and the request is never let through.
 */
#ifndef INTERAUTH_RESULT_H
#define INTERAUTH_RESULT_H

#ifdef __cplusplus
extern "C" {
#endif

/** What a response contains in addition to its status. */
typedef enum ia_auth_hint {
    IA_AUTH_HINT_NONE,  /**< no WWW-Authenticate */
    IA_AUTH_HINT_FRESH, /**< WWW-Authenticate with a fresh nonce */
    IA_AUTH_HINT_STALE, /**< the same with stale=true: only the nonce was invalid */
    IA_AUTH_HINT_RETRY  /**< Retry-After: the same request may succeed later */
} ia_auth_hint;

/** The level at which an outcome is logged. */
typedef enum ia_severity {
    IA_SEVERITY_ROUTINE, /**< part of an ordinary exchange, such as a first request without credentials */
    IA_SEVERITY_NOTABLE, /**< a refusal that an administrator should see */
    IA_SEVERITY_FAULT    /**< something in the server is broken or full */
} ia_severity;

/*
 * X(symbol, value, log tag, public code, HTTP status, auth_hint, severity, title)
 *
 * The log tag is exact. The public code is the one in problem+json: until a MAC has been verified, all outcomes that
 * depend on the client's identity share `invalid_credentials`, so that the response is not an oracle. Syntax errors
 * have codes of their own even then: the client can see them in its own request, so they reveal nothing.
 */
/* clang-format off */
#define IA_OUTCOMES(X)                                                                                               \
    X(IA_OK,                          0, "ok", "ok", 200, NONE, ROUTINE, "OK")                                        \
    /* the request itself */                                                                                          \
    X(IA_METHOD_NOT_ALLOWED,          1, "method_not_allowed", "method_not_allowed", 405, NONE, NOTABLE, "Method not allowed") \
    X(IA_ENDPOINT_UNKNOWN,            2, "endpoint_unknown", "not_found", 404, NONE, NOTABLE, "No such endpoint")     \
    X(IA_MEDIA_TYPE,                  3, "media_type", "unsupported_media_type", 415, NONE, NOTABLE, "Unsupported media type") \
    X(IA_BODY_TOO_LARGE,              4, "body_too_large", "body_too_large", 413, NONE, NOTABLE, "The body is too large") \
    X(IA_BODY_BROKEN,                 5, "body_broken", "body_broken", 400, NONE, NOTABLE, "The body ended early")    \
    X(IA_MALFORMED,                   6, "malformed", "malformed_request", 400, NONE, NOTABLE, "Malformed value")     \
    X(IA_TOO_LONG,                    7, "too_long", "malformed_request", 400, NONE, NOTABLE, "A value is too long")  \
    X(IA_FORM_MALFORMED,              8, "form_malformed", "malformed_request", 400, NONE, NOTABLE, "Malformed form") \
    X(IA_FIELD_MISSING,               9, "field_missing", "malformed_request", 400, NONE, NOTABLE, "A form field is missing") \
    X(IA_FIELD_REPEATED,             10, "field_repeated", "malformed_request", 400, NONE, NOTABLE, "A form field is repeated") \
    X(IA_FIELD_UNKNOWN,              11, "field_unknown", "malformed_request", 400, NONE, NOTABLE, "Unknown form field") \
    X(IA_TIMESTAMP_MALFORMED,        12, "timestamp_malformed", "malformed_request", 400, NONE, NOTABLE, "Malformed timestamp") \
    X(IA_HMAC_MALFORMED,             13, "hmac_malformed", "malformed_request", 400, NONE, NOTABLE, "Malformed hmac") \
    X(IA_HASH_NOT_ALLOWED,           14, "hash_not_allowed", "malformed_request", 400, NONE, NOTABLE, "This hash is not accepted here") \
    X(IA_JSON_MALFORMED,             15, "json_malformed", "malformed_request", 400, NONE, NOTABLE, "Malformed JSON") \
    X(IA_JSON_DUPLICATE,             16, "json_duplicate", "malformed_request", 400, NONE, NOTABLE, "A JSON member is repeated") \
    X(IA_JSON_LIMIT,                 17, "json_limit", "malformed_request", 400, NONE, NOTABLE, "The JSON is nested too deeply or too large") \
    X(IA_ACCESS_MALFORMED,           18, "access_malformed", "malformed_request", 400, NONE, NOTABLE, "Malformed access request") \
    X(IA_UID_MISMATCH,               19, "uid_mismatch", "malformed_request", 400, NONE, NOTABLE, "uid differs between form and body") \
    X(IA_ACCESS_ID_MISSING,          20, "access_id_missing", "malformed_request", 400, NONE, NOTABLE, "The access request must contain an id") \
    X(IA_ACCESS_AUDIENCE_MISSING,    21, "access_audience_missing", "malformed_request", 400, NONE, NOTABLE, "The access request must contain an aud") \
    /* before a MAC was verified: one code, one body */                                                               \
    X(IA_CREDENTIALS_MISSING,        30, "credentials_missing", "credentials_required", 401, FRESH, ROUTINE, "Credentials required") \
    X(IA_AUTHORIZATION_MALFORMED,    31, "authorization_malformed", "invalid_credentials", 401, FRESH, NOTABLE, "Invalid credentials") \
    X(IA_AUTHORIZATION_REPEATED,     32, "authorization_repeated", "invalid_credentials", 401, FRESH, NOTABLE, "Invalid credentials") \
    X(IA_SCHEME_NOT_ACCEPTED,        33, "scheme_not_accepted", "invalid_credentials", 401, FRESH, NOTABLE, "Invalid credentials") \
    X(IA_PARTICIPANT_UNKNOWN,        34, "participant_unknown", "invalid_credentials", 401, FRESH, NOTABLE, "Invalid credentials") \
    X(IA_SECRET_MISSING,             35, "secret_missing", "invalid_credentials", 401, FRESH, NOTABLE, "Invalid credentials") \
    X(IA_TOKEN_UNKNOWN,              36, "token_unknown", "invalid_credentials", 401, FRESH, NOTABLE, "Invalid credentials") \
    X(IA_MAC_MISMATCH,               37, "mac_mismatch", "invalid_credentials", 401, FRESH, NOTABLE, "Invalid credentials") \
    X(IA_BARE_UNMATCHED,             38, "bare_unmatched", "invalid_credentials", 401, FRESH, ROUTINE, "Invalid credentials") \
    /* nonces, after the token and its HMAC verified */                                                               \
    X(IA_NONCE_FOREIGN,              50, "nonce_foreign", "stale_nonce", 401, STALE, ROUTINE, "Stale nonce")          \
    X(IA_NONCE_STALE,                51, "nonce_stale", "stale_nonce", 401, STALE, ROUTINE, "Stale nonce")            \
    X(IA_NONCE_FUTURE,               52, "nonce_future", "stale_nonce", 401, STALE, NOTABLE, "Stale nonce")           \
    X(IA_NONCE_UNISSUED,             53, "nonce_unissued", "stale_nonce", 401, STALE, NOTABLE, "Stale nonce")         \
    X(IA_NONCE_REPLAYED,             54, "nonce_replayed", "replayed_nonce", 401, STALE, NOTABLE, "The nonce has already been used") \
    /* access requests, after the HMAC verified */                                                                    \
    X(IA_TIMESTAMP_STALE,            60, "timestamp_stale", "stale_timestamp", 401, FRESH, NOTABLE, "The timestamp is too old") \
    X(IA_TIMESTAMP_FUTURE,           61, "timestamp_future", "stale_timestamp", 401, FRESH, NOTABLE, "The timestamp is in the future") \
    X(IA_ACCESS_REPLAYED,            62, "access_replayed", "replayed_request", 401, FRESH, NOTABLE, "The access request has already been used") \
    X(IA_AUDIENCE_MISMATCH,          63, "audience_mismatch", "wrong_audience", 403, NONE, NOTABLE, "The access request is for another endpoint") \
    X(IA_REPLAY_CACHE_WARMING,        64, "replay_cache_warming", "starting", 503, RETRY, ROUTINE, "The server has just started: send a newer request") \
    /* the participant */                                                                                             \
    X(IA_PARTICIPANT_INACTIVE,       70, "participant_inactive", "participant_inactive", 403, NONE, NOTABLE, "The participant is not active") \
    X(IA_PARTICIPANT_EXPIRED,        71, "participant_expired", "participant_expired", 403, NONE, NOTABLE, "The participant's access has expired") \
    /* the grant */                                                                                                   \
    X(IA_GRANT_EXPIRED,              80, "grant_expired", "token_expired", 401, FRESH, ROUTINE, "The token has expired") \
    X(IA_GRANT_ENDED,                81, "grant_ended", "token_revoked", 401, FRESH, NOTABLE, "The token has been revoked") \
    X(IA_SECRET_ROTATED,             82, "secret_rotated", "token_revoked", 401, FRESH, NOTABLE, "The token has been revoked") \
    X(IA_PRESENTATION_MISMATCH,      83, "presentation_mismatch", "wrong_presentation", 401, FRESH, NOTABLE, "The token was issued for another scheme") \
    X(IA_SCOPE_MISMATCH,             84, "scope_mismatch", "wrong_scope", 403, NONE, NOTABLE, "The token is for another scope") \
    X(IA_GRANT_UNKNOWN,              85, "grant_unknown", "token_unknown", 403, NONE, NOTABLE, "No such token") \
    X(IA_GRANT_NOT_OWNED,            86, "grant_not_owned", "token_unknown", 403, NONE, NOTABLE, "No such token") \
    X(IA_REFRESH_NOT_ALLOWED,        87, "refresh_not_allowed", "refresh_not_allowed", 403, NONE, ROUTINE, "This token cannot be refreshed") \
    X(IA_REFRESH_TOO_LATE,           88, "refresh_too_late", "refresh_too_late", 403, NONE, NOTABLE, "The token expired too long ago to be refreshed") \
    X(IA_GRANT_TOO_OLD,              89, "grant_too_old", "grant_too_old", 403, NONE, NOTABLE, "The grant has reached its maximum age") \
    /* policy */                                                                                                      \
    X(IA_CAPABILITY_NOT_HELD,        90, "capability_not_held", "capability_not_held", 403, NONE, NOTABLE, "The participant does not hold this capability") \
    X(IA_RULE_NOT_MET,               215, "rule_not_met", "forbidden", 403, NONE, NOTABLE, "A rule of this location is not satisfied") \
    X(IA_CAPABILITY_MISSING,         91, "capability_missing", "insufficient_capability", 403, NONE, NOTABLE, "The grant does not contain the required capability") \
    X(IA_PARTICIPANT_NOT_LISTED,     92, "participant_not_listed", "participant_not_allowed", 403, NONE, NOTABLE, "The participant is not allowed to do this") \
    X(IA_ROLE_MISSING,               93, "role_missing", "insufficient_role", 403, NONE, NOTABLE, "The participant does not have the required role") \
    X(IA_TUNNEL_REFUSED,             94, "tunnel_refused", "method_not_allowed", 405, NONE, NOTABLE, "CONNECT is not allowed") \
    X(IA_LOCATION_UNGUARDED,         95, "location_unguarded", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable") \
    X(IA_SIGNER_MISMATCH,            96, "signer_mismatch", "wrong_signer", 403, NONE, NOTABLE, "The grant and the signature belong to different participants") \
    X(IA_SIGNATURE_REQUIRED,           97, "signature_required", "signature_required", 403, NONE, NOTABLE, "A signature is required") \
    X(IA_INSUFFICIENT_COVERAGE,           98, "insufficient_coverage", "signature_component_missing", 403, NONE, NOTABLE, "The signature does not cover all required components") \
    /* capacity */                                                                                                    \
    X(IA_GRANTS_FULL,               100, "grants_full", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable")  \
    X(IA_GRANT_QUOTA,               101, "grant_quota", "too_many_grants", 429, RETRY, NOTABLE, "Too many live grants") \
    X(IA_REPLAYS_FULL,              102, "replays_full", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable") \
    X(IA_REPLAY_QUOTA,              103, "replay_quota", "too_many_requests", 429, RETRY, NOTABLE, "Too many access requests") \
    X(IA_PARTICIPANTS_FULL,         104, "participants_full", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable") \
    X(IA_NAMES_FULL,                105, "names_full", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable")   \
    X(IA_KEYS_FULL,                 106, "keys_full", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable")    \
    X(IA_VERIFICATIONS_FULL,        107, "verifications_full", "too_many_requests", 429, RETRY, NOTABLE, "Too many invalid signatures") \
    X(IA_SPOOL_FULL,                108, "spool_full", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable")  \
    X(IA_SPOOL_QUOTA,               109, "spool_quota", "too_many_bodies", 429, RETRY, NOTABLE, "Too much body data at once") \
    /* body digests (RFC 9530) */                                                                                     \
    X(IA_DIGEST_MISSING,            110, "digest_missing", "digest_missing", 400, NONE, NOTABLE, "Content-Digest is required") \
    X(IA_DIGEST_MALFORMED,          111, "digest_malformed", "digest_malformed", 400, NONE, NOTABLE, "Malformed Content-Digest") \
    X(IA_DIGEST_UNSUPPORTED,        112, "digest_unsupported", "digest_unsupported", 400, NONE, NOTABLE, "Content-Digest names no active algorithm") \
    X(IA_DIGEST_MISMATCH,           113, "digest_mismatch", "digest_mismatch", 400, NONE, NOTABLE, "The body does not match its Content-Digest") \
    X(IA_DIGEST_DEPRECATED,         114, "digest_deprecated", "digest_unsupported", 400, NONE, NOTABLE, "Content-Digest names only deprecated algorithms") \
    /* structured fields (RFC 9651) */                                                                                \
    X(IA_SFV_MALFORMED,             120, "sfv_malformed", "malformed_request", 400, NONE, NOTABLE, "Malformed structured field") \
    X(IA_SFV_DUPLICATE,             121, "sfv_duplicate", "malformed_request", 400, NONE, NOTABLE, "A structured field key is repeated") \
    X(IA_SFV_LIMIT,                 122, "sfv_limit", "malformed_request", 400, NONE, NOTABLE, "The structured field is too large") \
    /* keys, when they are loaded */                                                                                 \
    X(IA_KEY_MALFORMED,                130, "key_malformed", "invalid_key", 400, NONE, NOTABLE, "The key cannot be parsed") \
    X(IA_KEY_TYPE_UNKNOWN,             131, "key_type_unknown", "invalid_key", 400, NONE, NOTABLE, "The type of the key is not supported") \
    X(IA_KEY_CURVE_UNKNOWN,            132, "key_curve_unknown", "invalid_key", 400, NONE, NOTABLE, "The curve of the key is not supported") \
    X(IA_KEY_POINT_INVALID,            133, "key_point_invalid", "invalid_key", 400, NONE, NOTABLE, "The key is not a point on its curve") \
    X(IA_KEY_SMALL_ORDER,              134, "key_small_order", "invalid_key", 400, NONE, NOTABLE, "The key is a point of small order") \
    X(IA_KEY_SIZE,                     135, "key_size", "invalid_key", 400, NONE, NOTABLE, "The key is too small or too large") \
    X(IA_KEY_EXPONENT,                 136, "key_exponent", "invalid_key", 400, NONE, NOTABLE, "The exponent of the key is not accepted") \
    X(IA_KEY_WEAK,                     137, "key_weak", "invalid_key", 400, NONE, NOTABLE, "The key comes from a broken generator") \
    X(IA_KEY_USE,                      138, "key_use", "invalid_key", 400, NONE, NOTABLE, "The key is not for signatures") \
    X(IA_KEY_OPERATIONS,               139, "key_operations", "invalid_key", 400, NONE, NOTABLE, "The key_ops of the key do not allow this operation") \
    X(IA_KEY_ALGORITHM,                140, "key_algorithm", "invalid_key", 400, NONE, NOTABLE, "The algorithm does not match the key") \
    X(IA_KEY_PRIVATE,                  141, "key_private", "invalid_key", 400, NONE, NOTABLE, "A public key is expected, but this key is private") \
    X(IA_KEY_PUBLIC,                   142, "key_public", "invalid_key", 400, NONE, NOTABLE, "A private key is expected, but this key is public") \
    X(IA_KEY_PAIR,                     143, "key_pair", "invalid_key", 400, NONE, NOTABLE, "The private and the public key do not belong together") \
    X(IA_KEY_SECRET_PUBLIC,            144, "key_secret_public", "invalid_key", 400, NONE, NOTABLE, "The secret is a public key") \
    /* message signatures (RFC 9421): syntax errors, which clients see in their own request */                       \
    X(IA_SIG_MALFORMED,                145, "sig_malformed", "malformed_signature", 400, NONE, NOTABLE, "Malformed Signature or Signature-Input") \
    X(IA_SIG_LABEL_UNPAIRED,           146, "sig_label_unpaired", "malformed_signature", 400, NONE, NOTABLE, "A label is in only one of Signature and Signature-Input") \
    X(IA_SIG_LABEL_REPEATED,           147, "sig_label_repeated", "malformed_signature", 400, NONE, NOTABLE, "A signature label or parameter is repeated") \
    X(IA_SIG_NOT_BYTES,                148, "sig_not_bytes", "malformed_signature", 400, NONE, NOTABLE, "A signature is not a byte sequence") \
    X(IA_SIG_NOT_LIST,                 149, "sig_not_list", "malformed_signature", 400, NONE, NOTABLE, "A signature input is not an inner list") \
    X(IA_SIG_LIMIT,                    150, "sig_limit", "malformed_signature", 400, NONE, NOTABLE, "There are too many signatures, or they are too long") \
    X(IA_SIG_CHARACTERS,               151, "sig_characters", "malformed_signature", 400, NONE, NOTABLE, "A covered value contains characters that cannot be signed") \
    X(IA_SIG_PARAMETER_MALFORMED,      152, "sig_parameter_malformed", "malformed_signature", 400, NONE, NOTABLE, "A signature parameter has the wrong type") \
    X(IA_SIG_TIME_MALFORMED,           153, "sig_time_malformed", "malformed_signature", 400, NONE, NOTABLE, "created or expires is not a valid time") \
    X(IA_SIG_EXPIRES_EARLY,            154, "sig_expires_early", "malformed_signature", 400, NONE, NOTABLE, "The signature expires before its creation time") \
    X(IA_SIG_NONCE_LONG,               155, "sig_nonce_long", "malformed_signature", 400, NONE, NOTABLE, "The nonce of the signature is empty or too long") \
    X(IA_SIG_AMBIGUOUS,                156, "sig_ambiguous", "malformed_signature", 400, NONE, NOTABLE, "Several signatures match") \
    X(IA_SIG_COMPONENT_TYPE,           157, "sig_component_type", "malformed_signature", 400, NONE, NOTABLE, "A component is not a string") \
    X(IA_SIG_COMPONENT_REPEATED,       158, "sig_component_repeated", "malformed_signature", 400, NONE, NOTABLE, "A component is repeated") \
    X(IA_SIG_COMPONENT_CASE,           159, "sig_component_case", "malformed_signature", 400, NONE, NOTABLE, "A component name contains upper-case letters") \
    X(IA_SIG_COMPONENT_NAME,           160, "sig_component_name", "malformed_signature", 400, NONE, NOTABLE, "A component name is not a valid field name") \
    X(IA_SIG_COMPONENT_SELF,           161, "sig_component_self", "malformed_signature", 400, NONE, NOTABLE, "The signature parameters are covered as a component") \
    X(IA_SIG_COMPONENT_UNKNOWN,        162, "sig_component_unknown", "malformed_signature", 400, NONE, NOTABLE, "Unknown derived component") \
    X(IA_SIG_COMPONENT_PARAMETER,      163, "sig_component_parameter", "malformed_signature", 400, NONE, NOTABLE, "A component has a parameter that is not allowed for it") \
    X(IA_SIG_COMPONENT_FLAG,           164, "sig_component_flag", "malformed_signature", 400, NONE, NOTABLE, "A component has a parameter of the wrong type") \
    X(IA_SIG_COMPONENT_CONFLICT,       165, "sig_component_conflict", "malformed_signature", 400, NONE, NOTABLE, "A component has parameters that exclude each other") \
    X(IA_SIG_REQ_MISUSED,              166, "sig_req_misused", "malformed_signature", 400, NONE, NOTABLE, "A component is taken from a request that does not exist") \
    X(IA_SIG_STATUS_MISUSED,           167, "sig_status_misused", "malformed_signature", 400, NONE, NOTABLE, "A request has no status to cover") \
    X(IA_SIG_REQUEST_ONLY,             168, "sig_request_only", "malformed_signature", 400, NONE, NOTABLE, "Responses do not have this component") \
    X(IA_SIG_TRAILER,                  169, "sig_trailer", "malformed_signature", 400, NONE, NOTABLE, "Trailer fields cannot be covered") \
    X(IA_SIG_TYPE_UNKNOWN,             170, "sig_type_unknown", "malformed_signature", 400, NONE, NOTABLE, "The structure of a covered field is not known") \
    X(IA_SIG_VALUE_MALFORMED,          171, "sig_value_malformed", "malformed_signature", 400, NONE, NOTABLE, "A covered value cannot be parsed") \
    X(IA_SIG_DICTIONARY_KEY_MISSING,   172, "sig_dictionary_key_missing", "malformed_signature", 400, NONE, NOTABLE, "A covered dictionary member is missing") \
    X(IA_SIG_QUERY_PARAM_MISSING,      173, "sig_query_param_missing", "malformed_signature", 400, NONE, NOTABLE, "A covered query parameter is missing") \
    X(IA_SIG_QUERY_PARAM_REPEATED,     174, "sig_query_param_repeated", "malformed_signature", 400, NONE, NOTABLE, "A covered query parameter is repeated") \
    X(IA_SIG_FIELD_MISSING,            175, "sig_field_missing", "malformed_signature", 400, NONE, NOTABLE, "A covered field is missing") \
    X(IA_SIG_FIELD_LINES,              176, "sig_field_lines", "malformed_signature", 400, NONE, NOTABLE, "A field that may have several lines is covered as bytes") \
    /* before the signature verified: one code, one title */                                                         \
    X(IA_SIG_MISSING,                  177, "sig_missing", "signature_required", 401, FRESH, ROUTINE, "A signature is required") \
    X(IA_SIG_LABEL_ABSENT,             178, "sig_label_absent", "signature_required", 401, FRESH, NOTABLE, "A signature is required") \
    X(IA_SIG_TAG_ABSENT,               179, "sig_tag_absent", "signature_required", 401, FRESH, NOTABLE, "A signature is required") \
    X(IA_SIG_KEYID_MISSING,            180, "sig_keyid_missing", "invalid_signature", 401, FRESH, NOTABLE, "Invalid signature") \
    X(IA_SIG_KEY_UNKNOWN,              181, "sig_key_unknown", "invalid_signature", 401, FRESH, NOTABLE, "Invalid signature") \
    X(IA_SIG_KEY_EXPIRED,              183, "sig_key_expired", "invalid_signature", 401, FRESH, NOTABLE, "Invalid signature") \
    X(IA_SIG_KEY_EARLY,                184, "sig_key_early", "invalid_signature", 401, FRESH, NOTABLE, "Invalid signature") \
    X(IA_SIG_ALG_MISMATCH,             186, "sig_alg_mismatch", "invalid_signature", 401, FRESH, NOTABLE, "Invalid signature") \
    X(IA_SIG_ALG_NOT_ALLOWED,          187, "sig_alg_not_allowed", "invalid_signature", 401, FRESH, NOTABLE, "Invalid signature") \
    X(IA_SIG_LENGTH,                   188, "sig_length", "invalid_signature", 401, FRESH, NOTABLE, "Invalid signature") \
    X(IA_SIG_SCALAR,                   189, "sig_scalar", "invalid_signature", 401, FRESH, NOTABLE, "Invalid signature") \
    X(IA_SIG_MISMATCH,                 190, "sig_mismatch", "invalid_signature", 401, FRESH, NOTABLE, "Invalid signature") \
    /* after the signature verified */                                                                               \
    X(IA_SIG_CREATED_MISSING,          191, "sig_created_missing", "signature_time_missing", 401, FRESH, NOTABLE, "The signature has no creation time") \
    X(IA_SIG_CREATED_FUTURE,           192, "sig_created_future", "signature_early", 401, FRESH, NOTABLE, "The signature was created in the future") \
    X(IA_SIG_CREATED_OLD,              193, "sig_created_old", "signature_expired", 401, FRESH, NOTABLE, "The signature is too old") \
    X(IA_SIG_EXPIRED,                  194, "sig_expired", "signature_expired", 401, FRESH, NOTABLE, "The signature has expired") \
    X(IA_SIG_NONCE_MISSING,            195, "sig_nonce_missing", "signature_nonce_missing", 401, FRESH, NOTABLE, "The signature has no nonce") \
    X(IA_SIG_NONCE_REPLAYED,           196, "sig_nonce_replayed", "signature_replayed", 401, FRESH, NOTABLE, "The signature has already been used") \
    X(IA_SIG_COMPONENT_MISSING,        197, "sig_component_missing", "signature_component_missing", 401, FRESH, NOTABLE, "The signature does not cover all required components") \
    X(IA_SIG_DIGEST_UNCOVERED,         198, "sig_digest_uncovered", "signature_component_missing", 401, FRESH, NOTABLE, "The signature does not cover the digest of the body") \
    X(IA_SIG_AUTHORITY_FOREIGN,        199, "sig_authority_foreign", "wrong_authority", 403, NONE, NOTABLE, "The request was signed for another host") \
    X(IA_SIG_COMPONENT_DROPPED,        214, "sig_component_dropped", "malformed_signature", 400, NONE, NOTABLE, "Connection names a field that is signed or must be signed") \
    X(IA_SIG_ABSENT,                   213, "sig_absent", "signature_required", 401, FRESH, ROUTINE, "A signature is required") \
    /* the challenge/token/signature protocol */                                                                      \
    X(IA_XML_MALFORMED,               200, "xml_malformed", "malformed_request", 400, NONE, NOTABLE, "Malformed XML") \
    X(IA_XML_FORBIDDEN,               201, "xml_forbidden", "malformed_request", 400, NONE, NOTABLE, "XML with a document type, a processing instruction or an unsupported encoding") \
    X(IA_XML_LIMIT,                   202, "xml_limit", "malformed_request", 400, NONE, NOTABLE, "The XML is nested too deeply or too large") \
    X(IA_ENVELOPE_MALFORMED,          203, "envelope_malformed", "malformed_request", 400, NONE, NOTABLE, "Malformed call") \
    X(IA_CALL_UNKNOWN,                204, "call_unknown", "method_unknown", 400, NONE, NOTABLE, "No such method") \
    X(IA_PROFILE_NOT_ENABLED,         205, "profile_not_enabled", "profile_not_enabled", 400, NONE, NOTABLE, "This profile is not enabled here") \
    X(IA_CLEARTEXT_REFUSED,           206, "cleartext_refused", "tls_required", 403, NONE, NOTABLE, "This profile needs TLS") \
    X(IA_CHALLENGE_UNKNOWN,           207, "challenge_unknown", "invalid_credentials", 401, FRESH, NOTABLE, "Invalid credentials") \
    X(IA_CHALLENGE_EXPIRED,           208, "challenge_expired", "stale_challenge", 401, FRESH, ROUTINE, "The challenge has expired") \
    X(IA_CHALLENGE_SUPERSEDED,        209, "challenge_superseded", "replayed_challenge", 401, FRESH, NOTABLE, "This challenge or a newer one has already been used") \
    X(IA_CALL_UNSTAMPED,              210, "call_unstamped", "invalid_credentials", 401, FRESH, NOTABLE, "Invalid credentials") \
    X(IA_CALL_REPLAYED,               211, "call_replayed", "replayed_request", 401, FRESH, NOTABLE, "The call has already been used") \
    X(IA_CALL_NOT_LISTED,             212, "call_not_listed", "method_not_allowed_here", 403, NONE, NOTABLE, "This method is not allowed here") \
    /* faults */                                                                                                      \
    X(IA_FAULT_INTERNAL,             -1, "fault_internal", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable") \
    X(IA_FAULT_MEMORY,               -2, "fault_memory", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable") \
    X(IA_FAULT_RANDOM,               -3, "fault_random", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable") \
    X(IA_FAULT_STORE,                -4, "fault_store", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable")  \
    X(IA_FAULT_REGISTRY,             -5, "fault_registry", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable") \
    X(IA_FAULT_CRYPTO,               -6, "fault_crypto", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable") \
    X(IA_FAULT_SPOOL,                -7, "fault_spool", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable") \
    X(IA_FAULT_BODY_TAKEN,           -8, "fault_body_taken", "unavailable", 503, RETRY, FAULT, "Temporarily unavailable")
/* clang-format on */

typedef enum ia_result {
#define IA_OUTCOME_ENUM(symbol, value, tag, code, status, auth_hint, severity, title) symbol = value,
    IA_OUTCOMES(IA_OUTCOME_ENUM)
#undef IA_OUTCOME_ENUM
} ia_result;

/** One row of the outcome table. All strings are static. */
typedef struct ia_outcome {
    ia_result result;
    const char *tag;  /**< exact and safe to log */
    const char *code; /**< stable, for clients: the `code` member of problem+json */
    int status;       /**< HTTP status */
    ia_auth_hint auth_hint;
    ia_severity severity;
    const char *title; /**< a sentence for humans */
} ia_outcome;

/** The row of a result, never NULL. A value that is not in the table has the row of IA_FAULT_INTERNAL. */
const ia_outcome *ia_outcome_of(ia_result result);

/** All rows in the table's order; `*count` is set to their number. */
const ia_outcome *ia_outcomes(unsigned *count);

#ifdef __cplusplus
}
#endif
#endif
