/**
 * What the tests of published vectors share: the directory that INTERAUTH_VECTORS names, its JSON, bytes, a
 * tally.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "interauth/encoding.h"
#include "interauth/json.h"

#define SKIPPED 77

static inline _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* The directory, or the end of the test. */
static inline const char *vectors_directory(void)
{
    const char *directory = getenv("INTERAUTH_VECTORS");

    if (directory == NULL || *directory == '\0') {
        printf("SKIPPED: INTERAUTH_VECTORS does not name the directory of the published vectors\n");
        exit(SKIPPED);
    }
    return directory;
}

static inline const ia_json *load(apr_pool_t *p, const char *name)
{
    const char *path = apr_pstrcat(p, vectors_directory(), "/", name, NULL);
    const ia_json *document;
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t len;
    char *text;

    if (apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, p) != APR_SUCCESS ||
        apr_file_info_get(&info, APR_FINFO_SIZE, file) != APR_SUCCESS) {
        die(name, "cannot be read");
    }
    text = apr_palloc(p, (apr_size_t)info.size);
    if (apr_file_read_full(file, text, (apr_size_t)info.size, &len) != APR_SUCCESS) {
        die(name, "cannot be read");
    }
    apr_file_close(file);
    if (ia_json_parse(&document, p, text, len, 1000000, NULL) != IA_OK) {
        die(name, "cannot be understood");
    }
    return document;
}

static inline const char *member_string(const ia_json *object, const char *name)
{
    const char *string = ia_json_member_string(object, name);

    if (string == NULL) {
        die(name, "is missing");
    }
    return string;
}

/* Bytes of a hex member, in a heap block of exactly their size; the client frees it. */
static inline unsigned char *member_hex(const ia_json *object, const char *name, apr_size_t *len)
{
    const char *text = member_string(object, name);
    apr_size_t size = strlen(text) / 2;
    unsigned char *bytes = malloc(size > 0 ? size : 1);

    if (bytes == NULL || ia_hex_decode(bytes, size, len, text, strlen(text)) != IA_OK) {
        die(name, "is not hex");
    }
    return bytes;
}

#endif
