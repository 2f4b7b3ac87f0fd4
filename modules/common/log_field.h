/**
 * Values in log lines. A line of ours is words and `name=value` fields; a value has no space, quote or backslash, so that
 * no value can look like another field, and the line needs no escaping in logfmt, JSON or a regular expression.
 */
#ifndef INTERAUTH_COMMON_LOG_FIELD_H
#define INTERAUTH_COMMON_LOG_FIELD_H

#include <apr_pools.h>

/** The value as it is written: space, quotes, backslash, '%', and bytes that are not printable ASCII become %XX; "-" if empty. */
const char *log_value(apr_pool_t *p, const char *text);

/** Words of the administrator, such as a directive: '"' becomes an apostrophe, a backslash and what is not ASCII %XX. */
const char *log_words(apr_pool_t *p, const char *text);

/** " name=value", or "" if the text is NULL. */
const char *log_field(apr_pool_t *p, const char *name, const char *text);

/** " (text)", at the end of a line: words for people, with their spaces, else encoded as a value; "" if it is NULL. */
const char *log_sentence(apr_pool_t *p, const char *text);

/** " name=value" of at most `max` bytes of a text that a client wrote; what is cut ends in "..". */
const char *log_field_cut(apr_pool_t *p, const char *name, const char *text, apr_size_t len, apr_size_t max);

#endif
