/** `interauth check`: looks for what is wrong or weak before it hurts. */
#include <stdarg.h>
#include <stdio.h>

#include <apr_strings.h>

#include "findings.h"
#include "interauth/json.h"
#include "say.h"
#include "trace.h"
#include "verbs.h"

typedef struct check_options {
    apr_array_header_t *files, *secret_files;
    const char *state, *url, *ca_file;
    int json, verbose;
} check_options;

#define AT(field) offsetof(check_options, field)

static const option_row rows[] = {
    OPTION(LIST, 0, "file", "FILE", files, "a participants file"),
    OPTION(LIST, 0, "secret-file", "FILE", secret_files, "a shared secret"),
    OPTION(TEXT, 0, "state", "FILE", state, "a file in which grants are kept"),
    OPTION(TEXT, 0, "url", "URL", url, "a server: clock, TRACE, TLS"),
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

/* The first one of the weight that decides about the exit status; NULL where there are warnings only. */
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
    if ((worst = worst_finding(all)) != NULL)
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
        puts("clock: the server's agrees with ours");
    else if (has_offset)
        printf("clock: the server is %ld s %s us\n", offset < 0 ? -offset : offset, offset < 0 ? "behind" : "ahead of");
    printf("%u error%s, %u warning%s\n", errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    return CL_OK;
}

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
        return say_usage("nothing to check: name it with --file, --secret-file, --state or --url");
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
    "check", "Look for what is wrong or weak.", "", 0, 0, ROWS(rows), sizeof(check_options), run, NULL};
