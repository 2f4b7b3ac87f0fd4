/*
 * Output filter that signs responses to verified calls of profile hmac-sha256. It hashes the body as it is sent, and
 * holds back the last bytes, before which it inserts the signature. It runs after filters that generate content and
 * before those that compress it.
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

#define FILTER_TYPE  ((ap_filter_type)(AP_FTYPE_CONTENT_SET - 1))
#define FLUSH_SIZE   65536                 /* bytes that are passed on at once */
#define LOG_INTERVAL apr_time_from_sec(10) /* between two warnings of one kind, in each process */

/* Reasons why a response is not signed. */
typedef enum flaw { FLAW_NONE, FLAW_BODY, FLAW_CODING, FLAW_TYPE, FLAW_DIGEST, FLAW_END, FLAWS } flaw;

typedef struct signing {
    const challenge_use *use;
    int started;
    ia_envelope_format format;
    ia_digest *digest;
    char tail[IA_ENVELOPE_TAIL];
    apr_size_t tail_len;
    apr_bucket_brigade *out;
    apr_size_t out_len;
} signing;

static ap_filter_rec_t *filter_rec;

/* Removes lengths, validators and digests of the application, because they do not match the signed response. */
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

    s->started = 1;
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

/* An application whose responses cannot be signed would fill the log, so the rate of warnings is limited. */
static void log_unsigned(request_rec *r, flaw reason)
{
    static const char *const reasons[FLAWS] = {"",
                                               "the body is missing or incomplete",
                                               "it has a content coding",
                                               "its media type is neither JSON nor XML",
                                               "its digest or signature cannot be computed",
                                               "it does not end in } or </xml>"};
    static apr_int64_t last_logged[FLAWS];
    int level = log_ratelimit_due(&last_logged[reason], LOG_INTERVAL) ? APLOG_WARNING : APLOG_DEBUG;

    ap_log_rerror(APLOG_MARK, level, 0, r, "sauth: the response is not signed: %s%s", reasons[reason],
                  log_field(r->pool, "location", r->uri));
}

static void write_bytes(signing *s, const char *data, apr_size_t len)
{
    apr_brigade_write(s->out, NULL, NULL, data, len);
    s->out_len += len;
}

/* The empty bucket keeps apr_brigade_write() from appending to a foreign bucket, whose buffer may be shared. */
static void append_bucket(signing *s, apr_bucket *b)
{
    APR_BUCKET_REMOVE(b);
    APR_BRIGADE_INSERT_TAIL(s->out, b);
    APR_BRIGADE_INSERT_TAIL(s->out, apr_bucket_immortal_create("", 0, s->out->bucket_alloc));
}

/* Passes on all but the last bytes. `b` contains `data` and is consumed. */
static apr_status_t hold_back(signing *s, apr_bucket *b, const char *data, apr_size_t len)
{
    apr_size_t all = s->tail_len + len, released = all > sizeof s->tail ? all - sizeof s->tail : 0;
    apr_size_t from_tail = released < s->tail_len ? released : s->tail_len, from_bucket = released - from_tail;
    apr_status_t rv;

    write_bytes(s, s->tail, from_tail);
    s->tail_len -= from_tail;
    memmove(s->tail, s->tail + from_tail, s->tail_len);
    memcpy(s->tail + s->tail_len, data + from_bucket, len - from_bucket);
    s->tail_len += len - from_bucket;
    if (!from_bucket) {
        apr_bucket_delete(b);
        return APR_SUCCESS;
    }
    if ((rv = apr_bucket_split(b, from_bucket)))
        return rv;
    apr_bucket_delete(APR_BUCKET_NEXT(b));
    append_bucket(s, b);
    s->out_len += from_bucket;
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
        log_unsigned(r, FLAW_DIGEST);
        write_bytes(s, s->tail, s->tail_len);
        return;
    }
    if (!end) {
        log_unsigned(r, FLAW_END);
        write_bytes(s, s->tail, s->tail_len);
        return;
    }
    write_bytes(s, s->tail, kept);
    write_bytes(s, end, strlen(end));
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

/* Processes one bucket: hashes data, inserts the signature before EOS, and passes on other metadata unchanged. */
static apr_status_t process_bucket(ap_filter_t *f, signing *s, apr_bucket *b)
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
    if (APR_STATUS_IS_EAGAIN(rv)) { /* send what the application has written so far */
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
    flaw reason;
    apr_status_t rv = APR_SUCCESS;
    int ended = 0;

    if (!s->started && (reason = begin(f->r, s))) {
        log_unsigned(f->r, reason);
        ap_remove_output_filter(f);
        return ap_pass_brigade(f->next, in);
    }
    while (!APR_BRIGADE_EMPTY(in) && !rv && !ended) {
        apr_bucket *b = APR_BRIGADE_FIRST(in);

        ended = APR_BUCKET_IS_EOS(b);
        rv = process_bucket(f, s, b);
        if (!rv && s->out_len >= FLUSH_SIZE)
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
 * The client accepts any message that is signed for its call. Responses of another scope are therefore not
 * signed, and neither is the refusal of a replay: an attacker could substitute it for the real response, and the
 * client would repeat the call.
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
