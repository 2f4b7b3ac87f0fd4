/** `interauth grants`: lists the stored grants and logins. */
#include "grant_text.h"
#include "say.h"
#include "verbs.h"

typedef struct grants_options {
    const char *state;
    int json;
} grants_options;

#define AT(field) offsetof(grants_options, field)

static const option_row rows[] = {
    OPTION(TEXT, 0, "state", "FILE", state, "state file that holds the grants"),
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const grants_options *o = options;
    state *s;
    int rc = state_open(&s, p, o->state);

    (void)operands;
    (void)operand_count;
    if (rc != CL_OK)
        return rc;
    state_close(s);
    return grants_print(p, s->grants, o->json);
}

const cl_verb verb_grants = {
    "grants", "List the stored grants and logins.", "", 0, 0, ROWS(rows), sizeof(grants_options), run, NULL};
