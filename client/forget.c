/** `interauth forget`: removes grants from the state. */
#include <string.h>

#include <apr_strings.h>

#include "interauth/json.h"
#include "say.h"
#include "state.h"
#include "verbs.h"

typedef struct forget_options {
    const char *state;
    int all, json;
} forget_options;

#define AT(field) offsetof(forget_options, field)

static const option_row rows[] = {
    OPTION(FLAG, 0, "all", NULL, all, "forget all grants and logins"),
    OPTION(TEXT, 0, "state", "FILE", state, "state file that holds the grants"),
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

static int print_json(apr_pool_t *p, const apr_array_header_t *gone)
{
    ia_json_writer *w = ia_json_writer_create(p);

    ia_json_write_object(w);
    ia_json_write_name(w, "forgotten");
    ia_json_write_array(w);
    for (int i = 0; i < gone->nelts; i++) {
        const grant_record *record = APR_ARRAY_IDX(gone, i, const grant_record *);

        ia_json_write_object(w);
        ia_json_write_member(w, "grant", record->name);
        ia_json_write_member(w, "endpoint", record->endpoint);
        ia_json_write_member(w, "uid", record->uid);
        ia_json_write_end(w);
    }
    ia_json_write_end(w);
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

/* Removes all if `name` is NULL. */
static int grants_forget(state *s, apr_pool_t *p, const char *name, int json)
{
    apr_array_header_t *kept = apr_array_make(p, 4, sizeof(grant_record *));
    apr_array_header_t *gone = apr_array_make(p, 4, sizeof(grant_record *));
    int rc;

    for (int i = 0; i < s->grants->nelts; i++) {
        grant_record *record = APR_ARRAY_IDX(s->grants, i, grant_record *);

        APR_ARRAY_PUSH(!name || strcmp(record->name, name) == 0 ? gone : kept, grant_record *) = record;
    }
    if (gone->nelts == 0 && name)
        return say_refused("there is no grant named %s; see: interauth grants", name);
    if (gone->nelts == 0) {
        say_note("there are no grants");
        return json ? print_json(p, gone) : CL_OK;
    }
    s->grants = kept;
    if ((rc = state_save(s)) != CL_OK)
        return rc;
    if (json)
        return print_json(p, gone);
    for (int i = 0; i < gone->nelts; i++) {
        const grant_record *record = APR_ARRAY_IDX(gone, i, const grant_record *);

        say_out(apr_psprintf(p, "forgot grant %s at %s for %s", record->name, record->endpoint, record->uid));
    }
    return CL_OK;
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const forget_options *o = options;
    state *s;
    int rc;

    if ((operand_count == 1) == o->all)
        return say_usage("name the grant to forget, or use --all; see: interauth grants");
    if ((rc = state_open(&s, p, o->state)) != CL_OK)
        return rc;
    rc = grants_forget(s, p, o->all ? NULL : operands[0], o->json);
    state_close(s);
    return rc;
}

const cl_verb verb_forget = {
    "forget", "Forget a grant or a login.", "NAME | --all", 0, 1, ROWS(rows), sizeof(forget_options), run, NULL};
