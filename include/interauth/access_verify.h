/**
 * Verifies SAuth access requests: the server's part, which knows participants and a clock.
 */
#ifndef INTERAUTH_ACCESS_VERIFY_H
#define INTERAUTH_ACCESS_VERIFY_H

#include "interauth/access.h"
#include "interauth/participant.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Finds the secret that made the form's MAC. Always computes IA_PARTICIPANT_SECRETS MACs, so that the time tells neither
 * whether the uid is known nor how many secrets it has. A secret past its `not_after` never matches.
 * @param index set to the matching secret
 * @param mac_out the MAC as computed here: the key of the replay cache
 * @param secrets `count` of them; may be NULL where `count` is 0
 * @param now microseconds
 * @return IA_OK, IA_SECRET_MISSING (none is usable) or IA_MAC_MISMATCH
 */
ia_result ia_access_verify(unsigned *index, unsigned char mac_out[IA_MAC_MAX], const ia_access_form *form,
                           const ia_secret *secrets, unsigned count, apr_time_t now);

/**
 * Is a timestamp within `skew` of `now`? All in microseconds, compared in whole seconds.
 * @return IA_OK, IA_TIMESTAMP_STALE or IA_TIMESTAMP_FUTURE
 */
ia_result ia_access_check_time(apr_time_t timestamp, apr_time_t now, apr_time_t skew);

#ifdef __cplusplus
}
#endif
#endif
