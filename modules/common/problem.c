/* Writes refusals as problem+json (RFC 9457). */
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>
#include <string.h>
#include <util_filter.h>
#include "interauth/json.h"
#include "problem.h"

#define KEY "interauth.problem"

typedef struct problem {
    const ia_outcome *outcome; /* NULL once cleared or sent */
    const char *detail;
    problem_formatter formatter; /* NULL: problem+json */
    problem_response response;
} problem;

static ap_filter_rec_t *filter_rec;

static problem *find(request_rec *r)
{
    void *data = NULL;

    apr_pool_userdata_get(&data, KEY, r->pool);
    return data;
}

static problem *make(request_rec *r)
{
    problem *p = find(r);

    if (!p) {
        p = apr_pcalloc(r->pool, sizeof *p);
        apr_pool_userdata_setn(p, KEY, NULL, r->pool);
    }
    return p;
}

void problem_set_formatter(request_rec *r, problem_formatter formatter)
{
    make(r)->formatter = formatter;
}

int problem_set(request_rec *r, ia_result rc, const char *detail, int retry_after)
{
    problem *p = make(r);

    p->outcome = ia_outcome_of(rc);
    p->detail = detail;
    if (p->outcome->auth_hint == IA_AUTH_HINT_RETRY)
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, retry_after > 0 ? retry_after : 1));
    return p->outcome->status;
}

int problem_is_set(request_rec *r)
{
    const problem *p = find(r);

    return p && p->outcome;
}

int problem_log_level(const ia_outcome *outcome)
{
    switch (outcome->severity) {
    case IA_SEVERITY_ROUTINE:
        return APLOG_INFO;
    case IA_SEVERITY_NOTABLE:
        return APLOG_WARNING;
    case IA_SEVERITY_FAULT:
        break;
    }
    return APLOG_ERR;
}

void problem_clear(request_rec *r)
{
    problem *p = find(r);

    if (p)
        p->outcome = NULL;
}

static void to_json(request_rec *r, const problem *p, problem_response *out)
{
    ia_json_writer *w = ia_json_writer_create(r->pool);

    ia_json_write_object(w);
    ia_json_write_member(w, "title", p->outcome->title);
    ia_json_write_name(w, "status");
    ia_json_write_integer(w, p->outcome->status);
    ia_json_write_member(w, "code", p->outcome->code);
    if (p->detail)
        ia_json_write_member(w, "detail", p->detail);
    ia_json_write_end(w);
    out->status = p->outcome->status;
    out->type = "application/problem+json";
    out->body = ia_json_writer_text(w, &out->len);
}

static void format(request_rec *r, problem *p)
{
    problem_response *out = &p->response;

    memset(out, 0, sizeof *out);
    out->status = p->outcome->status;
    if (!p->formatter || !p->formatter(r, p->outcome, p->detail, out))
        to_json(r, p, out);
}

/* Replaces httpd's own error page: the first brigade becomes the problem, what follows is dropped. */
static apr_status_t send_problem(ap_filter_t *f, apr_bucket_brigade *in)
{
    request_rec *r = f->r;
    problem *p = f->ctx;
    const problem_response *what = &p->response;
    apr_bucket_brigade *out;

    apr_brigade_cleanup(in);
    if (!p->outcome)
        return APR_SUCCESS;
    p->outcome = NULL;
    ap_set_content_type(r, what->type);
    apr_table_unset(r->headers_out, "Content-Encoding");
    ap_set_content_length(r, what->body ? (apr_off_t)what->len : 0);
    out = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    if (what->body)
        APR_BRIGADE_INSERT_TAIL(out,
                                apr_bucket_pool_create(what->body, what->len, r->pool, r->connection->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(out, apr_bucket_eos_create(r->connection->bucket_alloc));
    return ap_pass_brigade(f->next, out);
}

static void insert_problem(request_rec *r)
{
    problem *p = find(r);
    ap_filter_t *f;

    if (!p || !p->outcome || p->outcome->status != r->status)
        return;
    if (ap_response_code_string(r, ap_index_of_response(r->status)))
        return;
    for (f = r->output_filters; f; f = f->next)
        if (f->ctx == p)
            return;
    format(r, p);
    if (p->response.status != r->status) {
        r->status = p->response.status;
        r->status_line = NULL;
    }
    ap_add_output_filter_handle(filter_rec, p, r, r->connection);
}

void problem_register(apr_pool_t *p, const char *filter_name)
{
    (void)p;
    filter_rec = ap_register_output_filter(filter_name, send_problem, NULL, AP_FTYPE_RESOURCE);
    ap_hook_insert_error_filter(insert_problem, NULL, NULL, APR_HOOK_MIDDLE);
}
