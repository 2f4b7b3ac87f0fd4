/** `interauth explain`: explains a log tag, a saved message, or why a signed request is refused. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "advice.h"
#include "explain_message.h"
#include "say.h"
#include "signature_text.h"
#include "verbs.h"
#include "verification.h"

typedef struct explain_options {
    verification_options options;
    const char *base;
    int json;
} explain_options;

#define AT(field) offsetof(explain_options, field)

static const option_row rows[] = {
    VERIFICATION_ROWS,
    OPTION(TEXT, 0, "base", "FILE", base, "the signature base that the other side built"),
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

/* The result of the comparison with the other side's base. */
typedef enum finding_kind {
    FINDING_NONE,     /* no comparison */
    FINDING_SAME,     /* the bases are equal; the key fits or is unknown */
    FINDING_KEY,      /* the bases are equal, but the signature is not valid */
    FINDING_REQUEST,  /* they differ, and the signature is valid for theirs */
    FINDING_UNSIGNED, /* they differ, and the signature is valid for neither */
    FINDING_OURS      /* they differ, and the signature is valid for ours */
} finding_kind;

static const char *const finding_names[] = {NULL, "same", "key", "request", "unsigned", "ours"};
static const char *const finding_texts[] = {
    NULL,
    "both sides have the same base",
    "both sides have the same base, so the signature was made with another key: compare thumbprints",
    "the signature is valid for the base of the other side: the request was changed in transit, or one side builds "
    "the base incorrectly",
    "the signature is not valid for the base of the other side either: it was made with another key, or over a third "
    "base",
    "the signature is valid for the base of this side: the other side builds the base incorrectly",
};

typedef struct explanation {
    verification v;
    ia_sfv_text claimed;
    base_difference difference;
    finding_kind finding;
} explanation;

static int is_valid_for(const verification *v, const ia_sfv_text *base)
{
    const ia_sfv_text *signature = &v->signature->signature;

    if (v->found.key)
        return ia_signature_verify(v->found.key, base->data, base->len, signature->data, signature->len) == IA_OK;
    return ia_signature_verify_mac(v->found.secret, base->data, base->len, signature->data, signature->len) == IA_OK;
}

static finding_kind finding_make(const explanation *e)
{
    int has_key = e->v.found.key || e->v.found.secret;

    if (!e->claimed.data || !e->v.base.data)
        return FINDING_NONE;
    if (!e->difference.exists)
        return has_key && !is_valid_for(&e->v, &e->v.base) ? FINDING_KEY : FINDING_SAME;
    if (!has_key)
        return FINDING_NONE;
    if (is_valid_for(&e->v, &e->v.base))
        return FINDING_OURS;
    return is_valid_for(&e->v, &e->claimed) ? FINDING_REQUEST : FINDING_UNSIGNED;
}

static void print_difference(const base_difference *d)
{
    printf("first difference: line %u, byte %u\n", d->line, d->byte);
    printf("  here:  %s\n  there: %s\n", d->here ? d->here : "(end of the base)",
           d->there ? d->there : "(end of the base)");
    printf("         %*s^\n", (int)d->mark, "");
    if (d->hint)
        printf("  likely cause: %s\n", d->hint);
}

static void print_base(const explanation *e)
{
    const char *at = e->v.base.data, *end;

    if (!at)
        return;
    end = at + e->v.base.len;
    printf("signature base of this side, %lu bytes:\n", (unsigned long)e->v.base.len);
    for (unsigned line = 1; at <= end; line++) {
        const char *stop = memchr(at, '\n', (apr_size_t)(end - at));

        if (!stop)
            stop = end;
        printf("%4u  %s\n", line, signature_escape(e->v.p, at, (apr_size_t)(stop - at)));
        at = stop + 1;
    }
}

static void print_text(const explanation *e)
{
    const verification *v = &e->v;

    print_base(e);
    if (e->difference.exists)
        print_difference(&e->difference);
    if (finding_texts[e->finding])
        printf("comparison: %s\n", finding_texts[e->finding]);
    printf("outcome: %s\n", ia_outcome_of(v->result)->tag);
    if (v->result == IA_OK)
        return;
    printf("meaning: %s%s%s%s\n", advice_meaning(v->result), v->detail ? " (" : "", v->detail ? v->detail : "",
           v->detail ? ")" : "");
    printf("to do: %s\n", advice_todo(v->result));
}

static void difference_write(ia_json_writer *w, const base_difference *d)
{
    ia_json_write_name(w, "difference");
    ia_json_write_object(w);
    ia_json_write_name(w, "line");
    ia_json_write_integer(w, d->line);
    ia_json_write_name(w, "byte");
    ia_json_write_integer(w, d->byte);
    if (d->here)
        ia_json_write_member(w, "here", d->here);
    if (d->there)
        ia_json_write_member(w, "there", d->there);
    if (d->hint)
        ia_json_write_member(w, "hint", d->hint);
    ia_json_write_end(w);
}

static int print_json(const explanation *e)
{
    const verification *v = &e->v;
    ia_json_writer *w = ia_json_writer_create(v->p);

    ia_json_write_object(w);
    verification_write(w, v);
    if (v->signature)
        signature_write(w, v->p, v->signature);
    if (v->base.data)
        ia_json_write_member(w, "base", v->base.data);
    if (e->difference.exists)
        difference_write(w, &e->difference);
    if (finding_names[e->finding])
        ia_json_write_member(w, "compared", finding_names[e->finding]);
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

static int explain(explanation *e, int json)
{
    if (e->claimed.data && e->v.base.data)
        base_compare(&e->difference, e->v.p, &e->v.base, &e->claimed);
    e->finding = finding_make(e);
    if (json && print_json(e) != CL_OK)
        return CL_FAULT;
    if (!json)
        print_text(e);
    if (e->v.result == IA_OK)
        return CL_OK;
    return e->v.result < 0 ? CL_FAULT : CL_REFUSED;
}

static const ia_outcome *outcome_find(const char *tag)
{
    unsigned count;
    const ia_outcome *all = ia_outcomes(&count);

    for (unsigned i = 0; i < count; i++)
        if (strcmp(all[i].tag, tag) == 0)
            return &all[i];
    return NULL;
}

static int outcome_print(apr_pool_t *p, const ia_outcome *outcome, int json)
{
    ia_json_writer *w;

    if (!json) {
        printf("outcome: %s\nresponse: %d %s (%s)\n", outcome->tag, outcome->status, outcome->code, outcome->title);
        printf("meaning: %s\nto do: %s\n", advice_meaning(outcome->result), advice_todo(outcome->result));
        return CL_OK;
    }
    w = ia_json_writer_create(p);
    ia_json_write_object(w);
    ia_json_write_member(w, "tag", outcome->tag);
    ia_json_write_name(w, "status");
    ia_json_write_integer(w, outcome->status);
    ia_json_write_member(w, "code", outcome->code);
    ia_json_write_member(w, "title", outcome->title);
    ia_json_write_member(w, "meaning", advice_meaning(outcome->result));
    ia_json_write_member(w, "todo", advice_todo(outcome->result));
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

static int tag_unknown(apr_pool_t *p, const char *tag)
{
    unsigned count;
    const ia_outcome *all = ia_outcomes(&count);
    const char **tags = apr_palloc(p, count * sizeof *tags), *nearest;

    for (unsigned i = 0; i < count; i++)
        tags[i] = all[i].tag;
    nearest = options_suggest(tag, tags, count);
    return say_refused("%s: neither a file nor a log tag%s%s%s", tag, nearest ? "; did you mean " : "",
                       nearest ? nearest : "", nearest ? "?" : "");
}

static int tag_explain(apr_pool_t *p, const char *tag, int json)
{
    const ia_outcome *outcome = outcome_find(tag);

    return outcome ? outcome_print(p, outcome, json) : tag_unknown(p, tag);
}

static int names_key(const explain_options *o)
{
    return o->options.key_file || o->options.participants_file || o->options.secret_file;
}

/* The tag in a log line, or the operand itself. */
static const char *tag_of(apr_pool_t *p, const char *operand)
{
    const char *reason = strstr(operand, "reason=");

    if (!reason)
        return operand;
    reason += strlen("reason=");
    return apr_pstrmemdup(p, reason, strcspn(reason, " \t\""));
}

static int keyless_explain(apr_pool_t *p, const explain_options *o, const char *operand)
{
    if (o->base)
        return say_usage("--base requires --key, --participants or --secret-file");
    if (outcome_find(operand) || access(operand, F_OK) != 0)
        return tag_explain(p, tag_of(p, operand), o->json);
    return explain_message(p, operand, o->json);
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const explain_options *o = options;
    explanation e = {.claimed = {NULL, 0}};
    int rc;

    (void)operand_count;
    if (!names_key(o))
        return keyless_explain(p, o, operands[0]);
    rc = verification_run(&e.v, p, &o->options, operands[0]);
    if (rc == CL_OK && o->base)
        rc = base_load(&e.claimed, p, o->base);
    if (rc == CL_OK)
        rc = explain(&e, o->json);
    verification_close(&e.v);
    return rc;
}

const cl_verb verb_explain = {"explain",
                              "Explain a log tag or a saved message, or why a request is refused.",
                              "TAG | FILE",
                              1,
                              1,
                              ROWS(rows),
                              sizeof(explain_options),
                              run,
                              NULL};
