/**
 * Points in time as the protocols write them. In memory a time is an apr_time_t: microseconds since 1970, UTC.
 * Nothing here reads a clock.
 */
#ifndef INTERAUTH_TIMESTAMP_H
#define INTERAUTH_TIMESTAMP_H

#include <apr_time.h>
#include "interauth/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The size of a buffer for "2026-11-22T16:57:37Z" and its NUL. */
#define IA_RFC3339_SIZE 21

/** Formats in whole seconds, UTC (RFC 3339 section 5.6). Times outside the years 1970 to 9999 are clamped. */
void ia_timestamp_format(char out[IA_RFC3339_SIZE], apr_time_t time);

/**
 * Parses "YYYY-MM-DDTHH:MM:SS" with an optional fraction and "Z" or a numeric offset. Leap seconds (":60") are
 * refused, as is a date that does not exist. @return IA_OK or IA_TIMESTAMP_MALFORMED (`*time` is 0 then).
 */
ia_result ia_timestamp_parse(apr_time_t *time, const char *text, apr_size_t len);

/**
 * Parses Unix seconds: 1 to 11 decimal digits, no sign, no leading zero but "0" itself (SAuth `timestamp`).
 * @return IA_OK or IA_TIMESTAMP_MALFORMED.
 */
ia_result ia_timestamp_parse_unix(apr_time_t *time, const char *text, apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
