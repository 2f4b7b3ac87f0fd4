/**
 * Validates UTF-8.
 */
#ifndef IAI_UTF8_H
#define IAI_UTF8_H

#include <apr.h>

/** Whether the bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
int iai_utf8_is_valid(const char *data, apr_size_t len);

#endif
