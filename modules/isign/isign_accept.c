/* Accept-Signature: describes the message signature that this location would accept (RFC 9421 section 5.1). */
#include <httpd.h>
#include <openssl/rand.h>
#include <string.h>
#include "isign_httpsig.h"
#include "intake.h"
#include "interauth/encoding.h"

/* The server does not record it: it accepts any nonce that was not used. */
static const char *make_nonce(apr_pool_t *p)
{
    unsigned char random[16];
    char *text = apr_palloc(p, IA_BASE64URL_SIZE(sizeof random));

    if (RAND_bytes(random, sizeof random) != 1)
        return NULL;
    ia_base64url_encode(text, random, sizeof random);
    return text;
}

static int has_name(const apr_array_header_t *names, const char *name)
{
    int i;

    for (i = 0; i < names->nelts; i++)
        if (!strcmp(APR_ARRAY_IDX(names, i, const char *), name))
            return 1;
    return 0;
}

void isign_httpsig_write_accept(request_rec *r, const isign_dir *conf)
{
    int has_body = intake_may_have_content(r); /* covering too much does no harm */
    apr_array_header_t *components = isign_message_required(r, conf, has_body);
    ia_httpsig_plan plan = {*conf->label ? conf->label : "sig1", NULL, 0, 1, 0, NULL, NULL,
                            *conf->tag ? conf->tag : NULL,       0};
    char *value;

    if (has_body && !has_name(components, "content-digest"))
        APR_ARRAY_PUSH(components, const char *) = "content-digest";
    plan.components = (const char *const *)components->elts;
    plan.component_count = (unsigned)components->nelts;
    if (conf->nonce == ISIGN_NONCE_REQUIRED)
        plan.nonce = make_nonce(r->pool);
    if (ia_httpsig_format_accept(&value, r->pool, &plan, IA_ALGORITHM_NONE) == IA_OK)
        apr_table_setn(r->err_headers_out, "Accept-Signature", value);
}
