/**
 * Values in log lines. Our lines consist of words and `name=value` fields. A value has no space, quote or backslash: it
 * cannot imitate another field, and the line needs no escaping in logfmt, JSON or regular expressions.
 */
#ifndef INTERAUTH_COMMON_LOG_FIELD_H
#define INTERAUTH_COMMON_LOG_FIELD_H

#include <apr_pools.h>

/** Encodes a value: space, quotes, backslash, '%', and bytes that are not printable ASCII become %XX; "-" if empty. */
const char *log_value(apr_pool_t *p, const char *text);

/**
 * Encodes text from the configuration: '"' becomes an apostrophe; a backslash and bytes that are not ASCII become %XX.
 */
const char *log_words(apr_pool_t *p, const char *text);

/** " name=value", or "" if the text is NULL. */
const char *log_field(apr_pool_t *p, const char *name, const char *text);

/** " (text)", for the end of a line. Encoded like a value, but with spaces; "" if it is NULL. */
const char *log_sentence(apr_pool_t *p, const char *text);

/** " name=value" with at most `max` bytes of a text that a client sent; ".." follows if it is cut. */
const char *log_field_cut(apr_pool_t *p, const char *name, const char *text, apr_size_t len, apr_size_t max);

#endif
