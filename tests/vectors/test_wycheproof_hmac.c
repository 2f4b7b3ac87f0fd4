/*
 * HMAC-SHA-256 against the vectors of Project Wycheproof: wycheproof/hmac_sha256_test.json below the
 * directory that the environment variable INTERAUTH_VECTORS names. Tags shorter than the hash are its first
 * bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "interauth/encoding.h"
#include "interauth/json.h"
#include "interauth/mac.h"

#define FILE_NAME   "wycheproof/hmac_sha256_test.json"
#define CASES_LEAST 150
#define SKIPPED     77

typedef struct tally {
    unsigned valid, invalid, short_keys, failures;
} tally;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", FILE_NAME, what);
    exit(1);
}

static const char *load(apr_pool_t *p, const char *path, apr_size_t *len)
{
    apr_file_t *file;
    apr_finfo_t info;
    char *text;

    if (apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, 0, p) != APR_SUCCESS ||
        apr_file_info_get(&info, APR_FINFO_SIZE, file) != APR_SUCCESS) {
        die("cannot be read");
    }
    text = apr_palloc(p, (apr_size_t)info.size);
    if (apr_file_read_full(file, text, (apr_size_t)info.size, len) != APR_SUCCESS) {
        die("cannot be read");
    }
    apr_file_close(file);
    return text;
}

/* The bytes of a hex member, in a heap block of exactly their size. */
static unsigned char *member_bytes(const ia_json *test, const char *name, apr_size_t *len)
{
    const char *text = ia_json_member_string(test, name);
    apr_size_t size;
    unsigned char *bytes;

    if (text == NULL) {
        die("a test lacks a member");
    }
    size = strlen(text) / 2;
    bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL || ia_hex_decode(bytes, size, len, text, strlen(text)) != IA_OK) {
        die("a member is not hex");
    }
    return bytes;
}

static void run_test(tally *t, const ia_json *test)
{
    apr_size_t key_len, message_len, tag_len;
    unsigned char *secret = member_bytes(test, "key", &key_len), *message = member_bytes(test, "msg", &message_len);
    unsigned char *tag = member_bytes(test, "tag", &tag_len), mac[IA_MAC_MAX];
    const char *result = ia_json_member_string(test, "result");
    int valid = result != NULL && strcmp(result, "valid") == 0, right;
    ia_bytes part = {message, message_len};
    ia_mac_key key;
    ia_result rc = ia_mac_key_load(&key, secret, key_len);

    if (key_len < IA_SECRET_MIN) {
        right = rc == IA_SECRET_MISSING;
        t->short_keys++;
    } else {
        if (tag_len > IA_SHA256_LEN) {
            die("a tag is longer than the hash");
        }
        ia_mac_compute(mac, IA_HASH_SHA256, &key, &part, 1);
        right = rc == IA_OK && ia_mac_equal(mac, tag, tag_len) == valid;
        t->valid += valid != 0;
        t->invalid += valid == 0;
    }
    if (!right) {
        fprintf(stderr, "tcId %d: wrong\n", (int)ia_json_member(test, "tcId")->integer);
        t->failures++;
    }
    free(secret);
    free(message);
    free(tag);
}

int main(void)
{
    const char *directory = getenv("INTERAUTH_VECTORS"), *text;
    const ia_json *document, *groups, *group, *tests, *test;
    tally t = {0, 0, 0, 0};
    apr_size_t len;
    apr_pool_t *p;

    if (directory == NULL || *directory == '\0') {
        printf("SKIPPED: INTERAUTH_VECTORS does not name the directory with %s\n", FILE_NAME);
        return SKIPPED;
    }
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS) {
        die("no memory");
    }
    text = load(p, apr_pstrcat(p, directory, "/", FILE_NAME, NULL), &len);
    if (ia_json_parse(&document, p, text, len, 100000, NULL) != IA_OK ||
        (groups = ia_json_member(document, "testGroups")) == NULL) {
        die("cannot be understood");
    }
    for (group = groups->first; group != NULL; group = group->next) {
        tests = ia_json_member(group, "tests");
        for (test = tests != NULL ? tests->first : NULL; test != NULL; test = test->next) {
            run_test(&t, test);
        }
    }
    printf("%u valid, %u invalid, %u with short keys refused; %u wrong\n", t.valid, t.invalid, t.short_keys,
           t.failures);
    apr_terminate();
    if (t.valid + t.invalid < CASES_LEAST || t.valid == 0 || t.invalid == 0) {
        fprintf(stderr, "too few cases ran\n");
        return 1;
    }
    return t.failures > 0;
}
