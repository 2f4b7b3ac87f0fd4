/** Shared by the files that read participants. */
#ifndef INTERAUTH_LIB_PARTICIPANT_INTERNAL_H
#define INTERAUTH_LIB_PARTICIPANT_INTERNAL_H

#include "interauth/participant.h"

/** Sets the error's text; its value is IA_MALFORMED. */
#define IAI_FAIL(error, p, ...) ((error)->text = apr_psprintf((p), __VA_ARGS__), IA_MALFORMED)

/** The member `keys`: a list of JWK, or of {"kid", "file"}. */
ia_result iai_participant_keys(ia_participant *out, apr_pool_t *p, const ia_json *list, ia_participant_error *error);

/** The member `challenge_secret`: one Secret for each profile. Its text is wiped. */
ia_result iai_participant_challenge(ia_participant *out, apr_pool_t *p, const ia_json *object,
                                    ia_participant_error *error);

/** The member `endpoints`: a list of {"url", "api_version", "valid_from", "valid_until"}. */
ia_result iai_participant_endpoints(ia_participant *out, apr_pool_t *p, const ia_json *list,
                                    ia_participant_error *error);

/** A member that is a time of RFC 3339. */
ia_result iai_participant_time(apr_time_t *out, apr_pool_t *p, const ia_json *value, const char *what,
                               ia_participant_error *error);

#endif
