/** `interauth refresh`: extends the lifetime of a grant. */
#include "address.h"
#include "credentials.h"
#include "exchange.h"
#include "files.h"
#include "grant_text.h"
#include "interauth/participant.h"
#include "say.h"
#include "trace.h"
#include "verbs.h"

typedef struct refresh_options {
    const char *name, *url, *uid, *secret_file, *state;
    apr_int64_t lifespan;
    int json, verbose;
} refresh_options;

#define AT(field) offsetof(refresh_options, field)

static const option_row rows[] = {
    OPTION(TEXT, 0, "grant", "NAME", name, "grant to refresh; required if there are several"),
    OPTION(TEXT, 0, "url", "BASE", url, "refresh the grant from these endpoints"),
    OPTION(TEXT, 0, "uid", "ID", uid, "refresh the grant for this participant id"),
    OPTION(TEXT, 0, "secret-file", "FILE", secret_file, "shared secret; default: the file used for the grant"),
    OPTION_RANGE("lifespan", "SEC", lifespan, 1, IA_LIFESPAN_MAX, "new lifetime; default: as first requested"),
    OPTION(TEXT, 0, "state", "FILE", state, "state file that holds the grants"),
    TRACE_ROW,
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

static int grant_refresh(state *s, apr_pool_t *p, const refresh_options *o, const char *endpoint)
{
    grant_record *record;
    ia_mac_key key;
    int rc = state_select(&record, s, RECORD_GRANT, o->name, endpoint, o->uid, NULL);

    if (rc != CL_OK)
        return rc;
    if (!record->token)
        return say_refused("grant %s has no token; request one with: interauth grant", record->name);
    if (!record->can_refresh)
        return say_refused("grant %s cannot be refreshed; request a new one with: interauth grant", record->name);
    if ((rc = secret_key_load(&key, p, o->secret_file ? o->secret_file : record->secret_file)) != CL_OK)
        return rc;
    rc = exchange_refresh(record, p, &key, o->lifespan ? o->lifespan : record->lifespan);
    ia_wipe(&key, sizeof key);
    if (rc == CL_OK && o->secret_file)
        record->secret_file = file_absolute(p, o->secret_file);
    if (rc != CL_OK || (rc = state_save(s)) != CL_OK)
        return rc;
    return grant_print(p, record, o->json);
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const refresh_options *o = options;
    address at = {0};
    state *s;
    int rc;

    (void)operands;
    (void)operand_count;
    trace_begin(o->verbose);
    if (o->name && (o->url || o->uid))
        return say_usage("--grant cannot be combined with --url or --uid");
    if (o->url && (rc = address_parse_endpoint(&at, p, o->url, "--url")) != CL_OK)
        return rc;
    if ((rc = state_open(&s, p, o->state)) != CL_OK)
        return rc;
    rc = grant_refresh(s, p, o, at.url);
    state_close(s);
    return rc;
}

const cl_verb verb_refresh = {"refresh",  "Extend the lifetime of a grant.", "",  0,   0,
                              ROWS(rows), sizeof(refresh_options),           run, NULL};
