/* Signs a request: selects the key, the label, and the covered components. */
#include "signing.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_time.h>
#include <openssl/rand.h>

#include "advice.h"
#include "interauth/encoding.h"
#include "interauth/name.h"
#include "request_head.h"
#include "say.h"

#define NONCE_BYTES 16

static int is_printable(const char *text)
{
    for (; text && *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            return 0;
    return 1;
}

/* A key of a structured field's dictionary (RFC 9651 section 3.1.2). */
static int is_label(const char *text)
{
    return ((*text >= 'a' && *text <= 'z') || *text == '*') &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.*") == strlen(text);
}

static int options_check(const signing_options *options)
{
    if (!options->key_file == !options->secret_file)
        return say_usage(
            "use either a private key (--key; for call, --sign) or a shared secret (--secret-file; for call, "
            "--sign-secret)");
    if (options->uid && !ia_name_is_id(options->uid, strlen(options->uid)))
        return say_usage("--uid: not a participant id");
    if (!is_printable(options->keyid) || !is_printable(options->tag))
        return say_usage("--keyid and --tag must be printable ASCII");
    if (options->label && !is_label(options->label))
        return say_usage("--label takes a name of a-z, 0-9, _, -, . and *, such as " SIGNING_LABEL);
    if (options->cover && options->cover->nelts > IA_HTTPSIG_COMPONENTS_MAX)
        return say_usage("--cover: at most %d components", IA_HTTPSIG_COMPONENTS_MAX);
    return CL_OK;
}

int signing_open(signing *out, apr_pool_t *p, const signing_options *options)
{
    int rc = options_check(options);

    memset(out, 0, sizeof *out);
    out->options = *options;
    if (rc != CL_OK)
        return rc;
    return signature_key_private(&out->key, p, options->key_file, options->secret_file, options->algorithm);
}

/* The default is "participant#key" if both have names, else the thumbprint of the key. */
static int keyid_make(const char **out, apr_pool_t *p, const signing *s)
{
    const signing_options *options = &s->options;

    *out = options->keyid;
    if (options->keyid)
        return CL_OK;
    if (!s->key.key) {
        *out = options->uid;
        return options->uid ? CL_OK : say_usage("a shared secret requires --uid or --keyid");
    }
    *out = options->uid && s->key.kid ? apr_pstrcat(p, options->uid, "#", s->key.kid, NULL) : s->key.thumbprint;
    return is_printable(*out) ? CL_OK : say_usage("the kid of the key is not printable; use --keyid");
}

static int nonce_make(const char **out, apr_pool_t *p)
{
    unsigned char bytes[NONCE_BYTES];
    char *text = apr_palloc(p, IA_BASE64URL_SIZE(NONCE_BYTES));

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return say_fault("no random numbers are available");
    ia_base64url_encode(text, bytes, sizeof bytes);
    *out = text;
    return CL_OK;
}

apr_array_header_t *signing_default_cover(apr_pool_t *p, const ia_httpsig_message *message, int has_body)
{
    static const char *const always[] = {"@method", "@authority", "@path", "@query"};
    apr_array_header_t *cover = apr_array_make(p, 8, sizeof(const char *));

    for (unsigned i = 0; i < sizeof always / sizeof always[0]; i++)
        APR_ARRAY_PUSH(cover, const char *) = always[i];
    if (head_value(message, "Authorization"))
        APR_ARRAY_PUSH(cover, const char *) = "authorization";
    if (has_body)
        APR_ARRAY_PUSH(cover, const char *) = "content-digest";
    if (has_body && head_value(message, "Content-Type"))
        APR_ARRAY_PUSH(cover, const char *) = "content-type";
    if (has_body && head_value(message, "Content-Encoding"))
        APR_ARRAY_PUSH(cover, const char *) = "content-encoding";
    return cover;
}

/* By its name, or by an identifier with parameters. */
static int is_covered(const signing_options *options, const char *name)
{
    apr_size_t len = strlen(name);

    for (int i = 0; options->cover && i < options->cover->nelts; i++) {
        const char *component = APR_ARRAY_IDX(options->cover, i, const char *);

        if (strcmp(component, name) == 0 ||
            (component[0] == '"' && strncmp(component + 1, name, len) == 0 && component[1 + len] == '"'))
            return 1;
    }
    return 0;
}

void signing_complete(ia_httpsig_message *message, apr_pool_t *p, const signing_options *options, const http_body *body)
{
    if (is_covered(options, "host") && !head_value(message, "Host"))
        head_append(message, p, "Host", message->authority);
    if (body && is_covered(options, "content-length") && !head_value(message, "Content-Length"))
        head_append(message, p, "Content-Length", apr_psprintf(p, "%" APR_INT64_T_FMT, body->len));
}

/* Finds the component at fault by signing each one alone. */
static int mint_refuse(apr_pool_t *p, const ia_httpsig_message *message, const ia_httpsig_plan *plan,
                       const ia_httpsig_key *key, ia_result rc)
{
    const char *tag = ia_outcome_of(rc)->tag;
    ia_httpsig_minted minted;
    ia_httpsig_plan one = *plan;

    if (rc < 0)
        return say_fault("the signature could not be created: %s", tag);
    one.component_count = 1;
    for (unsigned i = 0; i < plan->component_count; i++) {
        one.components = plan->components + i;
        if (ia_httpsig_mint(&minted, p, message, &one, key) == rc)
            return say_usage("--cover: %s cannot be covered: %s (%s)", plan->components[i], advice_meaning(rc), tag);
    }
    return say_usage("the request cannot be signed: %s (%s)", advice_meaning(rc), tag);
}

/* Reads the signature as a verifier will, together with those that the request already had. */
static int result_check(signing_result *out, apr_pool_t *p, const ia_httpsig_message *message, const char *label)
{
    ia_httpsig_message signed_message = *message;
    const ia_httpsig_policy policy = {.label = label};
    ia_httpsig_set set;
    ia_httpsig *signature;
    ia_sfv_text base;
    ia_result rc;

    head_append(&signed_message, p, "Signature-Input", out->fields.input);
    head_append(&signed_message, p, "Signature", out->fields.signature);
    rc = ia_httpsig_read(&set, p, &signed_message);
    if (rc == IA_OK)
        rc = ia_httpsig_choose(&signature, &set, &policy);
    if (rc == IA_OK)
        rc = ia_httpsig_base(&base, p, &signed_message, signature->input);
    if (rc != IA_OK)
        return say_usage("a verifier could not read these signatures: %s (%s)", advice_meaning(rc),
                         ia_outcome_of(rc)->tag);
    out->signature = signature;
    out->base = base.data;
    return CL_OK;
}

int signing_mint(signing_result *out, apr_pool_t *p, const signing *s, const ia_httpsig_message *message, int has_body)
{
    const signing_options *options = &s->options;
    const apr_array_header_t *cover = options->cover ? options->cover : signing_default_cover(p, message, has_body);
    ia_httpsig_plan plan = {.label = options->label ? options->label : SIGNING_LABEL,
                            .components = (const char *const *)cover->elts,
                            .component_count = (unsigned)cover->nelts,
                            .created = apr_time_sec(apr_time_now()),
                            .tag = options->tag};
    const ia_httpsig_key key = signature_key_use(&s->key);
    ia_result result;
    int rc;

    memset(out, 0, sizeof *out);
    if (options->expires)
        plan.expires = plan.created + options->expires;
    if ((rc = keyid_make(&plan.keyid, p, s)) != CL_OK ||
        (!options->no_nonce && (rc = nonce_make(&plan.nonce, p)) != CL_OK))
        return rc;
    if ((result = ia_httpsig_mint(&out->fields, p, message, &plan, &key)) != IA_OK)
        return mint_refuse(p, message, &plan, &key, result);
    return result_check(out, p, message, plan.label);
}

void signing_close(signing *s)
{
    signature_key_close(&s->key);
}
