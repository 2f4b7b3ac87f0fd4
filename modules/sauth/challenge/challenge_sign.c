/*
 * Responses to verified calls of profile hmac-sha256 are signed in the stream: hashed as they pass, the last bytes held
 * back until the end, where the signature goes in. It stands before what compresses and behind what makes the body.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>
#include <util_filter.h>
#include "challenge.h"
#include "mod_sauth.h"
#include "interauth/digest.h"
#include "log_field.h"
#include "log_ratelimit.h"

APLOG_USE_MODULE(sauth);

#define FILTER_TYPE ((ap_filter_type)(AP_FTYPE_CONTENT_SET - 1))
#define PASS_ON     65536                 /* bytes that are let go at once */
#define PAUSE       apr_time_from_sec(10) /* between two lines of a kind, of a process */

/* Why a response is not signed. */
typedef enum flaw { FLAW_NONE, FLAW_BODY, FLAW_CODING, FLAW_TYPE, FLAW_DIGEST, FLAW_END, FLAWS } flaw;

typedef struct signing {
    const challenge_use *use;
    int began;
    ia_envelope_format format;
    ia_digest *digest;
    char tail[IA_ENVELOPE_TAIL];
    apr_size_t tail_len;
    apr_bucket_brigade *out;
    apr_size_t out_len;
} signing;

static ap_filter_rec_t *filter_rec;

/* Length, validators and digests that the app gave are those of another response then. */
static void drop_headers(request_rec *r)
{
    static const char *const names[] = {"Content-Length", "ETag",           "Accept-Ranges", "Content-MD5",
                                        "Digest",         "Content-Digest", "Repr-Digest",   NULL};
    int i;

    for (i = 0; names[i]; i++) {
        apr_table_unset(r->headers_out, names[i]);
        apr_table_unset(r->err_headers_out, names[i]);
    }
    apr_table_unset(r->headers_in, "Range");
    apr_table_unset(r->headers_in, "Request-Range");
}

static flaw begin(request_rec *r, signing *s)
{
    const char *coding = apr_table_get(r->headers_out, "Content-Encoding");

    s->began = 1;
    if (r->header_only || r->status == HTTP_NO_CONTENT || r->status == HTTP_NOT_MODIFIED ||
        r->status == HTTP_PARTIAL_CONTENT)
        return FLAW_BODY;
    if (coding || r->content_encoding || apr_table_get(r->err_headers_out, "Content-Encoding"))
        return FLAW_CODING;
    if (ia_envelope_format_of(&s->format, r->content_type))
        return FLAW_TYPE;
    if (ia_digest_create(&s->digest, r->pool, IA_DIGEST_SHA256))
        return FLAW_DIGEST;
    s->out = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    drop_headers(r);
    return FLAW_NONE;
}

/* An application that gets it wrong gets it wrong each time. */
static void leave_unsigned(request_rec *r, flaw why)
{
    static const char *const sentences[FLAWS] = {"",
                                                 "it has no whole body",
                                                 "it is encoded",
                                                 "its media type is neither JSON nor XML",
                                                 "neither digest nor signature can be made",
                                                 "it does not end in } or </xml>"};
    static apr_int64_t said[FLAWS];
    int level = log_ratelimit_due(&said[why], PAUSE) ? APLOG_WARNING : APLOG_DEBUG;

    ap_log_rerror(APLOG_MARK, level, 0, r, "sauth: the response is not signed: %s%s", sentences[why],
                  log_field(r->pool, "location", r->uri));
}

static void put(signing *s, const char *data, apr_size_t len)
{
    apr_brigade_write(s->out, NULL, NULL, data, len);
    s->out_len += len;
}

/* Behind a bucket that came from elsewhere nothing may be written: its buffer can be that of another one too. */
static void put_bucket(signing *s, apr_bucket *b)
{
    APR_BUCKET_REMOVE(b);
    APR_BRIGADE_INSERT_TAIL(s->out, b);
    APR_BRIGADE_INSERT_TAIL(s->out, apr_bucket_immortal_create("", 0, s->out->bucket_alloc));
}

/* Lets go of all but the last bytes seen. `b` holds them and is used up. */
static apr_status_t hold_back(signing *s, apr_bucket *b, const char *data, apr_size_t len)
{
    apr_size_t all = s->tail_len + len, freed = all > sizeof s->tail ? all - sizeof s->tail : 0;
    apr_size_t of_tail = freed < s->tail_len ? freed : s->tail_len, of_bucket = freed - of_tail;
    apr_status_t rv;

    put(s, s->tail, of_tail);
    s->tail_len -= of_tail;
    memmove(s->tail, s->tail + of_tail, s->tail_len);
    memcpy(s->tail + s->tail_len, data + of_bucket, len - of_bucket);
    s->tail_len += len - of_bucket;
    if (!of_bucket) {
        apr_bucket_delete(b);
        return APR_SUCCESS;
    }
    if ((rv = apr_bucket_split(b, of_bucket)))
        return rv;
    apr_bucket_delete(APR_BUCKET_NEXT(b));
    put_bucket(s, b);
    s->out_len += of_bucket;
    return APR_SUCCESS;
}

static const char *make_signature(request_rec *r, signing *s)
{
    ia_challenge_terms terms = {s->use->profile, "", s->use->secret.text};
    char *text = apr_palloc(r->pool, IA_CHALLENGE_TEXT_SIZE);
    ia_digest_claim computed;

    if (ia_digest_finish(&computed, s->digest) ||
        ia_challenge_sign_response(text, &terms, s->use->token, s->use->match.nonce, s->use->message.nonce,
                                   computed.sha256))
        return NULL;
    return text;
}

static void finish(request_rec *r, signing *s)
{
    const char *signature = make_signature(r, s), *end = NULL;
    apr_size_t kept = 0;

    if (signature)
        end = ia_envelope_signed_end(r->pool, s->format, s->tail, s->tail_len, signature, &kept);
    if (!signature) {
        leave_unsigned(r, FLAW_DIGEST);
        put(s, s->tail, s->tail_len);
        return;
    }
    if (!end) {
        leave_unsigned(r, FLAW_END);
        put(s, s->tail, s->tail_len);
        return;
    }
    put(s, s->tail, kept);
    put(s, end, strlen(end));
}

static apr_status_t pass_on(ap_filter_t *f, signing *s)
{
    apr_status_t rv = APR_SUCCESS;

    if (!APR_BRIGADE_EMPTY(s->out))
        rv = ap_pass_brigade(f->next, s->out);
    apr_brigade_cleanup(s->out);
    s->out_len = 0;
    return rv;
}

/* Moves one bucket on: data through the digest, the end behind the signature, anything else as it is. */
static apr_status_t take(ap_filter_t *f, signing *s, apr_bucket *b)
{
    const char *data;
    apr_size_t len;
    apr_status_t rv;

    if (APR_BUCKET_IS_METADATA(b)) {
        if (APR_BUCKET_IS_EOS(b))
            finish(f->r, s);
        APR_BUCKET_REMOVE(b);
        APR_BRIGADE_INSERT_TAIL(s->out, b);
        return APR_SUCCESS;
    }
    rv = apr_bucket_read(b, &data, &len, APR_NONBLOCK_READ);
    if (APR_STATUS_IS_EAGAIN(rv)) { /* the app is not done: what it wrote need not wait for the rest */
        APR_BRIGADE_INSERT_TAIL(s->out, apr_bucket_flush_create(s->out->bucket_alloc));
        if ((rv = pass_on(f, s)))
            return rv;
        rv = apr_bucket_read(b, &data, &len, APR_BLOCK_READ);
    }
    if (rv)
        return rv;
    if (ia_digest_update(s->digest, data, len))
        return APR_EGENERAL;
    return hold_back(s, b, data, len);
}

static apr_status_t sign_response(ap_filter_t *f, apr_bucket_brigade *in)
{
    signing *s = f->ctx;
    flaw why;
    apr_status_t rv = APR_SUCCESS;
    int ended = 0;

    if (!s->began && (why = begin(f->r, s))) {
        leave_unsigned(f->r, why);
        ap_remove_output_filter(f);
        return ap_pass_brigade(f->next, in);
    }
    while (!APR_BRIGADE_EMPTY(in) && !rv && !ended) {
        apr_bucket *b = APR_BRIGADE_FIRST(in);

        ended = APR_BUCKET_IS_EOS(b);
        rv = take(f, s, b);
        if (!rv && s->out_len >= PASS_ON)
            rv = pass_on(f, s);
    }
    if (ended)
        APR_BRIGADE_CONCAT(s->out, in);
    apr_brigade_cleanup(in);
    if (!rv)
        rv = pass_on(f, s);
    if (ended)
        ap_remove_output_filter(f);
    return rv;
}

/*
 * The client takes what is signed for the response to its call. So nothing that another scope says is signed, nor that the
 * call was used before: somebody on the way could show that in the place of the response, and the call be made twice.
 */
static int is_response(request_rec *r, const sauth_state *state)
{
    const challenge_request *request = challenge_request_find(state);
    const challenge_use *use = request && request->call ? request->call->use : NULL;

    if (!use || !use->match.nonce || use->profile != IA_CHALLENGE_PROFILE_HMAC || state->rc == IA_CALL_REPLAYED)
        return 0;
    for (; r; r = r->prev)
        if (sauth_dir_effective(r).scope != state->grant.scope)
            return 0;
    return 1;
}

static void insert(request_rec *r)
{
    const sauth_state *state = sauth_state_find(r);
    signing *s;

    if (r->main || !is_response(r, state))
        return;
    s = apr_pcalloc(r->pool, sizeof *s);
    s->use = challenge_request_find(state)->call->use;
    ap_add_output_filter_handle(filter_rec, s, r, r->connection);
}

void challenge_sign_register(apr_pool_t *p)
{
    (void)p;
    filter_rec = ap_register_output_filter("SAUTH_CHALLENGE_SIGN", sign_response, NULL, FILTER_TYPE);
    ap_hook_insert_filter(insert, NULL, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(insert, NULL, NULL, APR_HOOK_LAST);
}
