/** `interauth sign`: signs a request for another program to send. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "interauth/digest.h"
#include "interauth/json.h"
#include "request_body.h"
#include "request_head.h"
#include "saved_message.h"
#include "say.h"
#include "signature_text.h"
#include "signing.h"
#include "verbs.h"

typedef struct sign_options {
    signing_options options;
    const char *method, *data, *save;
    apr_array_header_t *headers;
    int digest, json;
} sign_options;

#define AT(field) offsetof(sign_options, field)

static const option_row rows[] = {
    OPTION(TEXT, 0, "key", "FILE", options.key_file, "sign with this private key, a JWK or PEM"),
    OPTION(TEXT, 0, "secret-file", "FILE", options.secret_file, "sign with this shared secret (hmac-sha256)"),
    OPTION(TEXT, 'X', "method", "METHOD", method, "request method; default: GET, POST with -d"),
    OPTION(LIST, 'H', "header", "LINE", headers, "add a header field, \"Name: value\""),
    OPTION(TEXT, 'd', "data", "TEXT|@FILE", data, "request body; @- is standard input"),
    OPTION(CHOICE, 0, "digest", "sha-256|sha-512", digest, "Content-Digest algorithm for the body"),
    OPTION(TEXT, 0, "uid", "ID", options.uid, "your participant id"),
    OPTION(TEXT, 0, "keyid", "ID", options.keyid, "default: ID#KID or the thumbprint; for a secret, ID"),
    OPTION(LIST, 0, "cover", "COMPONENT", options.cover, "cover this component instead of the default set"),
    OPTION(TEXT, 0, "label", "NAME", options.label, "label of the signature; default: sig1"),
    OPTION(TEXT, 0, "tag", "TEXT", options.tag, "tag of the signature: the application it is for"),
    OPTION_RANGE("expires", "SEC", options.expires, 1, 31536000, "lifetime of the signature; default: no expiry"),
    OPTION(FLAG, 0, "no-nonce", NULL, options.no_nonce, "omit the random nonce"),
    OPTION(CHOICE, 0, "algorithm", SIGNATURE_ALGORITHMS, options.algorithm,
           "algorithm of an RSA key; default: as in the key"),
    OPTION(TEXT, 0, "save", "FILE", save, "write the whole request to a new file"),
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

typedef struct sign_run {
    apr_pool_t *p;
    const sign_options *o;
    ia_httpsig_message message;
    unsigned given; /* fields that the user gave */
    http_body body;
} sign_run;

static int body_fields(sign_run *c)
{
    const char *digest;
    int rc;

    if (!c->o->data)
        return CL_OK;
    if (!head_value(&c->message, "Content-Type"))
        head_append(&c->message, c->p, "Content-Type", REQUEST_BODY_TYPE);
    if (head_value(&c->message, "Content-Digest"))
        return CL_OK;
    rc = request_body_digest(&digest, c->p, &c->body, c->o->digest ? IA_DIGEST_SHA512 : IA_DIGEST_SHA256);
    if (rc == CL_OK)
        head_append(&c->message, c->p, "Content-Digest", digest);
    return rc;
}

static int request_make(sign_run *c, const char *url)
{
    static const char *const reserved[] = {"Content-Length", "Transfer-Encoding", NULL};
    const char *method = c->o->method ? c->o->method : c->o->data ? "POST" : "GET";
    apr_array_header_t *lines;
    address at;
    int rc = address_parse(&at, c->p, url, "URL");

    if (rc != CL_OK)
        return rc;
    if (!head_is_token(method, strlen(method)))
        return say_usage("--method takes a method, such as PATCH");
    if ((rc = head_read(&lines, c->p, c->o->headers, reserved)) != CL_OK)
        return rc;
    head_message(&c->message, c->p, method, &at, lines);
    c->given = c->message.field_count;
    return c->o->data ? request_body_open(&c->body, c->p, c->o->data, NULL) : CL_OK;
}

static int print_json(const sign_run *c, const signing *s, const signing_result *made)
{
    ia_json_writer *w = ia_json_writer_create(c->p);

    ia_json_write_object(w);
    ia_json_write_name(w, "fields");
    ia_json_write_object(w);
    for (unsigned i = c->given; i < c->message.field_count; i++)
        ia_json_write_member(w, c->message.fields[i].name, c->message.fields[i].value);
    ia_json_write_end(w);
    ia_json_write_member(w, "algorithm", signature_key_algorithm(&s->key));
    signature_write(w, c->p, made->signature);
    ia_json_write_member(w, "base", made->base);
    if (c->o->save)
        ia_json_write_member(w, "file", c->o->save);
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

static int sign_print(const sign_run *c, const signing *s, const signing_result *made)
{
    if (c->o->json)
        return print_json(c, s, made);
    for (unsigned i = c->given; !c->o->save && i < c->message.field_count; i++)
        printf("%s: %s\n", c->message.fields[i].name, c->message.fields[i].value);
    return CL_OK;
}

static int sign_carry_out(sign_run *c, const signing *s)
{
    signing_result made;
    int rc = body_fields(c);

    signing_complete(&c->message, c->p, &c->o->options, c->o->data ? &c->body : NULL);
    if (rc == CL_OK)
        rc = signing_mint(&made, c->p, s, &c->message, !!c->o->data);
    if (rc != CL_OK)
        return rc;
    head_append(&c->message, c->p, "Signature-Input", made.fields.input);
    head_append(&c->message, c->p, "Signature", made.fields.signature);
    if (c->o->save)
        rc = saved_request_write(c->p, c->o->save, &c->message, c->o->data ? &c->body : NULL);
    return rc == CL_OK ? sign_print(c, s, &made) : rc;
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const sign_options *o = options;
    sign_run c = {.p = p, .o = o, .body = {.fd = -1}};
    signing s = {0};
    int rc;

    (void)operand_count;
    if ((rc = request_make(&c, operands[0])) == CL_OK && (rc = signing_open(&s, p, &o->options)) == CL_OK)
        rc = sign_carry_out(&c, &s);
    signing_close(&s);
    request_body_close(&c.body);
    return rc;
}

const cl_verb verb_sign = {
    "sign", "Sign a request; print the fields to add.", "URL", 1, 1, ROWS(rows), sizeof(sign_options), run, NULL};
