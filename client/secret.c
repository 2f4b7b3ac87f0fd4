/** `interauth secret`: generates a random shared secret. */
#include <stdio.h>

#include <apr_strings.h>
#include <openssl/rand.h>

#include "files.h"
#include "interauth/encoding.h"
#include "interauth/json.h"
#include "interauth/mac.h"
#include "say.h"
#include "verbs.h"

#define BYTES_DEFAULT 32
#define BYTES_MAX     256

typedef struct secret_options {
    apr_int64_t bytes;
    int show, json;
} secret_options;

#define AT(field) offsetof(secret_options, field)

static const option_row rows[] = {
    OPTION_RANGE("bytes", "N", bytes, IA_SECRET_MIN, BYTES_MAX, "length in bytes, 16 to 256; default: 32"),
    OPTION(FLAG, 0, "show", NULL, show, "print the secret (a terminal or log may keep it)"),
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

static int secret_print(apr_pool_t *p, const secret_options *o, apr_size_t bytes, const char *path, const char *text)
{
    ia_json_writer *w;

    if (!o->json)
        return o->show ? say_out(text) : CL_OK;
    w = ia_json_writer_create(p);
    ia_json_write_object(w);
    ia_json_write_name(w, "bytes");
    ia_json_write_integer(w, (apr_int64_t)bytes);
    if (path)
        ia_json_write_member(w, "file", path);
    if (o->show)
        ia_json_write_member(w, "secret", text);
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const secret_options *o = options;
    const char *path = operand_count > 0 ? operands[0] : NULL;
    apr_size_t bytes = o->bytes ? (apr_size_t)o->bytes : BYTES_DEFAULT, len;
    unsigned char secret[BYTES_MAX];
    char text[IA_BASE64URL_SIZE(BYTES_MAX) + 1];
    int rc = CL_OK;

    if (!path && !o->show)
        return say_usage("name a FILE for the secret, or use --show to print it");
    if (RAND_bytes(secret, (int)bytes) != 1)
        return say_fault("no random numbers are available");
    len = ia_base64url_encode(text, secret, bytes);
    ia_wipe(secret, sizeof secret);
    if (path) {
        text[len] = '\n';
        rc = file_create(p, path, text, len + 1);
        text[len] = '\0';
    }
    if (rc == CL_OK)
        rc = secret_print(p, o, bytes, path, text);
    ia_wipe(text, sizeof text);
    return rc;
}

const cl_verb verb_secret = {
    "secret", "Generate a random shared secret.", "[FILE]", 0, 1, ROWS(rows), sizeof(secret_options), run, NULL};
