/** `interauth check`: finds errors and weaknesses in files and in the setup of a server. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include <apr_strings.h>
#include <apr_time.h>
#include <curl/curl.h>

#include "address.h"
#include "check_participants.h"
#include "credentials.h"
#include "files.h"
#include "http.h"
#include "interauth/json.h"
#include "interauth/secret_quality.h"
#include "say.h"
#include "state.h"
#include "state_format.h"
#include "trace.h"
#include "verbs.h"

#define SECRET_GOOD      32 /* bytes; fewer are allowed but weaker than the HMAC */
#define OFFSET_TOLERATED 30 /* seconds: the default of SAuthClockSkew */
#define OFFSET_NOTED     5

typedef struct check_options {
    apr_array_header_t *files, *secret_files;
    const char *state, *url, *ca_file;
    int json, verbose;
} check_options;

#define AT(field) offsetof(check_options, field)

static const option_row rows[] = {
    OPTION(LIST, 0, "file", "FILE", files, "check a participants file"),
    OPTION(LIST, 0, "secret-file", "FILE", secret_files, "check the file of a shared secret"),
    OPTION(TEXT, 0, "state", "FILE", state, "check a state file"),
    OPTION(TEXT, 0, "url", "URL", url, "check a server: clock, TRACE, TLS"),
    OPTION(TEXT, 0, "cacert", "FILE", ca_file, "trust the certificate authorities in FILE"),
    TRACE_ROW,
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

static const char *const weight_names[] = {"warning", "error", "fault"};

void finding_add(findings *all, finding_weight weight, const char *code, const char *where, const char *format, ...)
{
    finding *f = apr_array_push(all->list);
    va_list args;

    va_start(args, format);
    f->weight = weight;
    f->code = code;
    f->where = where;
    f->text = apr_pvsprintf(all->p, format, args);
    va_end(args);
}

static unsigned weight_count(const findings *all, finding_weight weight)
{
    unsigned count = 0;

    for (int i = 0; i < all->list->nelts; i++)
        count += APR_ARRAY_IDX(all->list, i, finding).weight == weight;
    return count;
}

/* The first finding of the highest weight, or NULL if there are only warnings. */
static const finding *worst_finding(const findings *all)
{
    const finding *worst = NULL;

    for (int i = 0; i < all->list->nelts; i++) {
        const finding *f = &APR_ARRAY_IDX(all->list, i, finding);

        if (f->weight > (worst ? worst->weight : FINDING_WARNING))
            worst = f;
    }
    return worst;
}

static int print_json(const findings *all, int has_offset, long offset)
{
    const finding *worst;
    ia_json_writer *w = ia_json_writer_create(all->p);

    ia_json_write_object(w);
    ia_json_write_name(w, "findings");
    ia_json_write_array(w);
    for (int i = 0; i < all->list->nelts; i++) {
        const finding *f = &APR_ARRAY_IDX(all->list, i, finding);

        ia_json_write_object(w);
        ia_json_write_member(w, "weight", weight_names[f->weight]);
        ia_json_write_member(w, "code", f->code);
        ia_json_write_member(w, "where", f->where);
        ia_json_write_member(w, "text", f->text);
        ia_json_write_end(w);
    }
    ia_json_write_end(w);
    ia_json_write_name(w, "errors");
    ia_json_write_integer(w, weight_count(all, FINDING_ERROR));
    ia_json_write_name(w, "warnings");
    ia_json_write_integer(w, weight_count(all, FINDING_WARNING));
    if (has_offset) {
        ia_json_write_name(w, "clock_offset");
        ia_json_write_integer(w, offset);
    }
    if ((worst = worst_finding(all)))
        error_write(w, worst->code, apr_psprintf(all->p, "%s: %s", worst->where, worst->text));
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

static int print_text(const findings *all, int has_offset, long offset)
{
    unsigned errors = weight_count(all, FINDING_ERROR), warnings = weight_count(all, FINDING_WARNING);

    for (int i = 0; i < all->list->nelts; i++) {
        const finding *f = &APR_ARRAY_IDX(all->list, i, finding);

        printf("%s: %s: %s [%s]\n", weight_names[f->weight], f->where, f->text, f->code);
    }
    if (has_offset && offset == 0)
        puts("clock: the server agrees with this machine");
    else if (has_offset)
        printf("clock: the server is %ld s %s this machine\n", offset < 0 ? -offset : offset,
               offset < 0 ? "behind" : "ahead of");
    printf("%u error%s, %u warning%s\n", errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    return CL_OK;
}

/* --- the client's own files --- */

void check_weaknesses(findings *all, finding_weight weight, const char *path, const char *whose, unsigned weaknesses)
{
    if (weaknesses)
        finding_add(all, weaknesses == IA_SECRET_TEXT ? FINDING_WARNING : weight, "weak_secret", path,
                    "%s %s; make a new one with: interauth secret", whose, ia_secret_weakness_text(weaknesses));
}

static void check_secret_text(findings *all, const char *path, const char *text, apr_size_t text_len)
{
    unsigned char bytes[IA_SECRET_MAX];
    apr_size_t len = 0;
    unsigned weaknesses;
    ia_result rc = secret_decode(bytes, &len, text, text_len);

    if (rc == IA_SECRET_MISSING)
        finding_add(all, FINDING_ERROR, "short_secret", path, "shorter than %d bytes", IA_SECRET_MIN);
    else if (rc != IA_OK)
        finding_add(all, FINDING_ERROR, "syntax", path, "at most %d bytes in base64url without padding expected",
                    IA_SECRET_MAX);
    else if ((weaknesses = ia_secret_weaknesses(bytes, len)) != 0)
        check_weaknesses(all, FINDING_ERROR, path, "this secret", weaknesses);
    else if (len < SECRET_GOOD)
        finding_add(all, FINDING_WARNING, "short_secret", path, "shorter than %d bytes, the strength of the HMAC",
                    SECRET_GOOD);
    ia_wipe(bytes, sizeof bytes);
}

/* False if the file cannot be read. */
static int check_exposure(findings *all, const char *path, const char *what)
{
    struct stat st;
    const char *exposure;

    if (stat(path, &st) != 0 || S_ISDIR(st.st_mode)) {
        finding_add(all, FINDING_FAULT, "unreadable", path, "cannot be read");
        return 0;
    }
    exposure = S_ISREG(st.st_mode) ? file_exposure(st.st_mode) : NULL;
    if (exposure)
        finding_add(all, st.st_mode & (S_IROTH | S_IWOTH) ? FINDING_ERROR : FINDING_WARNING, "permissions", path,
                    "%s %s; make it private: chmod 600", exposure, what);
    return 1;
}

static void check_secret_file(findings *all, const char *path)
{
    apr_size_t len;
    char *text;

    if (!check_exposure(all, path, "this secret"))
        return;
    if (file_read(&text, &len, all->p, path, SECRET_FILE_MAX, FILE_PLAIN) == CL_OK)
        check_secret_text(all, path, text, len);
    else
        finding_add(all, FINDING_FAULT, "unreadable", path, "cannot be read");
    if (text)
        ia_wipe(text, len);
}

static void check_grants(findings *all, const char *path, const apr_array_header_t *grants)
{
    for (int i = 0; i < grants->nelts; i++) {
        const grant_record *record = APR_ARRAY_IDX(grants, i, const grant_record *);

        if (record_kind_of(record) == RECORD_LOGIN)
            continue; /* a login renews itself */
        if (record->token && record->expires <= apr_time_now())
            finding_add(all, FINDING_WARNING, "expired", path, "grant %s (%s) has expired", record->name, record->uid);
        if (record->hash == IA_HASH_SHA1)
            finding_add(all, FINDING_WARNING, "weak_hash", path, "grant %s (%s) uses HMAC-SHA-1", record->name,
                        record->uid);
    }
}

static void check_state_file(findings *all, const char *path)
{
    apr_array_header_t *grants = apr_array_make(all->p, 4, sizeof(grant_record *));
    apr_size_t len;
    char *text;

    if (!check_exposure(all, path, "these tokens"))
        return;
    if (file_read(&text, &len, all->p, path, STATE_FILE_MAX, FILE_PLAIN) != CL_OK)
        finding_add(all, FINDING_FAULT, "unreadable", path, "cannot be read");
    else if (state_parse(grants, all->p, text, len) != 0)
        finding_add(all, FINDING_ERROR, "syntax", path, "not a state file of this version");
    else
        check_grants(all, path, grants);
}

/* --- a server --- */

/* Date has whole seconds; it is compared with the middle of the exchange. */
static int offset_measure(const http_call *call, apr_pool_t *p, long *offset, long *status)
{
    http_response response;
    apr_time_t before = apr_time_now(), after;
    const char *date;
    time_t server_time;

    if (http_send(&response, p, call) != CL_OK)
        return -1;
    after = apr_time_now();
    *status = response.status;
    date = http_field(&response, "Date", 0);
    server_time = date ? curl_getdate(date, NULL) : -1;
    if (server_time == -1)
        return 0;
    *offset = (long)(server_time - (time_t)apr_time_sec(before + (after - before) / 2));
    return 1;
}

static http_choice drop(void *context, const http_response *response, const void *data, apr_size_t len)
{
    (void)context;
    (void)response;
    (void)data;
    (void)len;
    return HTTP_CONSUMED;
}

static void check_trace(findings *all, http_call *call, const char *where)
{
    http_response response;

    call->method = "TRACE";
    if (http_send(&response, all->p, call) != CL_OK)
        return;
    if (response.status == 200)
        finding_add(all, FINDING_WARNING, "trace", where, "allows TRACE without credentials; set TraceEnable off");
}

static void check_server(findings *all, const char *url, const char *ca_file, int *has_offset, long *offset)
{
    http_call call = {.method = "HEAD", .ca_file = ca_file, .timeout = HTTP_TIMEOUT, .sink = drop};
    address at;
    long status = 0;
    int has_date;

    if (address_parse(&at, all->p, url, "--url") != CL_OK) {
        finding_add(all, FINDING_FAULT, "url", url, "not the URL of a server");
        return;
    }
    call.url = apr_pstrcat(all->p, at.origin, "/", NULL); /* an endpoint would log the method as unknown */
    if (at.is_cleartext)
        finding_add(all, FINDING_WARNING, "cleartext", url,
                    "without TLS, anyone on the network path can read and change the traffic");
    if ((has_date = offset_measure(&call, all->p, offset, &status)) < 0) {
        finding_add(all, FINDING_FAULT, "unreachable", url, "does not respond");
        return;
    }
    if (status == 400 && strncasecmp(url, "http:", 5) == 0) {
        finding_add(all, FINDING_ERROR, "bad_request", url,
                    "responds with 400 to HTTP without TLS; does this port require https://?");
        return;
    }
    *has_offset = has_date;
    if (!has_date)
        finding_add(all, FINDING_WARNING, "no_date", url, "sends no Date, so its clock is unknown");
    else if (labs(*offset) > OFFSET_TOLERATED)
        finding_add(all, FINDING_ERROR, "clock", url,
                    "its clock differs from this machine's by %ld s; access requests will fail", labs(*offset));
    else if (labs(*offset) > OFFSET_NOTED)
        finding_add(all, FINDING_WARNING, "clock", url, "its clock differs from this machine's by %ld s",
                    labs(*offset));
    check_trace(all, &call, url);
}

/* --- the verb --- */

static void check_list(findings *all, const apr_array_header_t *paths, void (*check)(findings *, const char *))
{
    for (int i = 0; paths && i < paths->nelts; i++)
        check(all, APR_ARRAY_IDX(paths, i, const char *));
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const check_options *o = options;
    findings all = {p, apr_array_make(p, 8, sizeof(finding))};
    int rc, has_offset = 0;
    long offset = 0;

    (void)operands;
    (void)operand_count;
    trace_begin(o->verbose);
    if (!o->files && !o->secret_files && !o->state && !o->url)
        return say_usage("nothing to check: use --file, --secret-file, --state or --url");
    check_list(&all, o->files, check_participants_file);
    check_list(&all, o->secret_files, check_secret_file);
    if (o->state)
        check_state_file(&all, o->state);
    if (o->url)
        check_server(&all, o->url, o->ca_file, &has_offset, &offset);
    rc = o->json ? print_json(&all, has_offset, offset) : print_text(&all, has_offset, offset);
    if (rc != CL_OK || weight_count(&all, FINDING_FAULT) > 0)
        return CL_FAULT;
    return weight_count(&all, FINDING_ERROR) > 0 ? CL_REFUSED : CL_OK;
}

const cl_verb verb_check = {
    "check", "Check files and a server for errors and weaknesses.", "", 0, 0, ROWS(rows), sizeof(check_options), run,
    NULL};
