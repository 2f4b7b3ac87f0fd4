/** `interauth grant`: requests a grant from a service and stores it. */
#include <string.h>

#include "address.h"
#include "capabilities.h"
#include "credentials.h"
#include "exchange.h"
#include "files.h"
#include "grant_text.h"
#include "interauth/access.h"
#include "interauth/name.h"
#include "interauth/participant.h"
#include "say.h"
#include "trace.h"
#include "verbs.h"

typedef struct grant_options {
    const char *url, *uid, *secret_file, *audience, *name, *state, *ca_file;
    apr_array_header_t *capabilities;
    apr_int64_t lifespan, nonces;
    int hash, with_id, json, verbose;
} grant_options;

#define AT(field) offsetof(grant_options, field)

static const option_row rows[] = {
    OPTION_NEEDED(TEXT, 0, "url", "BASE", url, "base URL of the grant endpoints, such as https://host/sauth"),
    OPTION_NEEDED(TEXT, 0, "uid", "ID", uid, "your participant id at the service"),
    OPTION(TEXT, 0, "secret-file", "FILE", secret_file, "shared secret; default: $INTERAUTH_SECRET"),
    OPTION_NEEDED(LIST, 0, "capability", "NAMES", capabilities, "capabilities to request"),
    OPTION_RANGE("lifespan", "SEC", lifespan, 1, IA_LIFESPAN_MAX, "lifetime; default: the longest that is allowed"),
    OPTION_RANGE("nonces", "N", nonces, 1, IA_ACCESS_NONCES_MAX, "number of one-time nonces to get, up to 32"),
    OPTION(CHOICE, 0, "hash", "sha256|sha1", hash, "HMAC hash; sha1 only for services without sha256"),
    OPTION(FLAG, 0, "id", NULL, with_id, "make each access request unique with a random id"),
    OPTION(TEXT, 0, "aud", "URL", audience, "bind the access request to this endpoint URL"),
    OPTION(TEXT, 0, "grant", "NAME", name, "name of the grant; default: a generated short name"),
    OPTION(TEXT, 0, "state", "FILE", state, "state file that holds the grants"),
    OPTION(TEXT, 0, "cacert", "FILE", ca_file, "trust the certificate authorities in FILE"),
    TRACE_ROW,
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

static int names_check(const grant_options *o)
{
    if (!ia_name_is_id(o->uid, strlen(o->uid)))
        return say_usage("--uid: 1 to %d printable ASCII characters without space, quote or backslash", IA_NAME_MAX);
    if (o->name && !ia_name_is_id(o->name, strlen(o->name)))
        return say_usage("--grant: 1 to %d printable ASCII characters without space, quote or backslash", IA_NAME_MAX);
    return CL_OK;
}

static void record_fill(grant_record *record, apr_pool_t *p, const grant_options *o)
{
    record->secret_file = o->secret_file ? file_absolute(p, o->secret_file) : NULL;
    record->ca_file = o->ca_file ? file_absolute(p, o->ca_file) : NULL;
    record->hash = (ia_hash)o->hash;
    record->lifespan = o->lifespan;
    record->nonces_wanted = o->nonces;
    record->with_id = o->with_id;
    record->audience = o->audience;
}

/* Checks that the state can store the grant, before the service is asked for one. */
static int state_probe(apr_pool_t *p, const grant_options *o, const char *endpoint)
{
    state *s;
    int rc = state_open(&s, p, o->state);

    if (rc == CL_OK)
        rc = state_name(s, state_add(s, endpoint, o->uid), o->name);
    state_close(s);
    return rc;
}

static int is_same_set(const apr_array_header_t *a, const apr_array_header_t *b)
{
    for (int i = 0; i < a->nelts; i++)
        if (!capabilities_has(b, APR_ARRAY_IDX(a, i, const char *)))
            return 0;
    return a->nelts == b->nelts;
}

/* There is one grant per endpoint and id. Calls that rely on other capabilities of the old one will be refused. */
static void replacement_report(apr_pool_t *p, const grant_record *old, const grant_record *got)
{
    apr_array_header_t *all = apr_array_copy(p, got->access_to);

    if (!old->token || is_same_set(old->access_to, got->access_to))
        return;
    for (int i = 0; i < old->access_to->nelts; i++)
        if (!capabilities_has(all, APR_ARRAY_IDX(old->access_to, i, const char *)))
            APR_ARRAY_PUSH(all, const char *) = APR_ARRAY_IDX(old->access_to, i, const char *);
    say_note("this replaces grant %s for %s; to get all of them, use --capability %s", old->name,
             capabilities_text(p, old->access_to), capabilities_text(p, all));
}

static int record_store(apr_pool_t *p, const grant_options *o, const grant_record *got, grant_record **stored)
{
    state *s;
    grant_record *record;
    const char *name;
    int rc = state_open(&s, p, o->state);

    if (rc != CL_OK)
        return rc;
    record = state_add(s, got->endpoint, got->uid);
    replacement_report(p, record, got);
    name = record->name;
    *record = *got;
    record->name = name;
    if ((rc = state_name(s, record, o->name)) == CL_OK)
        rc = state_save(s);
    state_close(s);
    *stored = record;
    return rc;
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const grant_options *o = options;
    grant_record requested = {.uid = o->uid}, *stored;
    address at;
    ia_mac_key key;
    int rc;

    (void)operands;
    (void)operand_count;
    trace_begin(o->verbose);
    if ((rc = names_check(o)) != CL_OK ||
        (rc = capabilities_read(&requested.access_for, p, o->capabilities, IA_ACCESS_NAMES_MAX)) != CL_OK ||
        (rc = address_parse_endpoint(&at, p, o->url, "--url")) != CL_OK || (rc = state_probe(p, o, at.url)) != CL_OK ||
        (rc = secret_key_load(&key, p, o->secret_file)) != CL_OK)
        return rc;
    if (at.is_cleartext)
        say_warning("%s: without TLS, anyone on the network path can read requests and responses", at.url);
    requested.endpoint = at.url;
    record_fill(&requested, p, o);
    rc = exchange_grant(&requested, p, &key);
    ia_wipe(&key, sizeof key);
    if (rc != CL_OK || (rc = record_store(p, o, &requested, &stored)) != CL_OK)
        return rc;
    return grant_print(p, stored, o->json);
}

const cl_verb verb_grant = {
    "grant", "Request a grant from a service.", "", 0, 0, ROWS(rows), sizeof(grant_options), run, NULL};
