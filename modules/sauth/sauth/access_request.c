/*
 * Endpoints request_access and refresh_access of the dialect SAuth. They convert the wire format into an
 * ia_grant_request, call the common decision function, and write the response.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <string.h>
#include "access.h"
#include "body.h"
#include "clock.h"
#include "external.h"
#include "interauth/access_verify.h"
#include "interauth/json.h"
#include "interauth/timestamp.h"
#include "log_field.h"
#include "mod_sauth.h"
#include "request.h"
#include "sauth_grant.h"
#include "sauth_refuse.h"
#include "snapshot.h"

#define FORM_TYPE     "application/x-www-form-urlencoded"
#define REFRESH_GRACE apr_time_from_sec(30)

/* One access request while it is processed. */
typedef struct access_request {
    request_rec *r;
    sauth_dir conf;
    access_settings settings;
    apr_time_t now;
    ia_access_form form;
    ia_access_body body;
    ia_registry_entry entry;       /* its secrets are wiped after the MAC was verified */
    apr_uint64_t fingerprint;      /* of the secret with which the MAC was made */
    unsigned char mac[IA_MAC_MAX]; /* computed by the server; key of the replay cache */
    int proven;
    const char *detail;
    int retry_after;
} access_request;

/* The grant that the response describes. */
typedef struct granted {
    const char *token;
    unsigned char grant_id[IA_GRANT_ID_LEN];
    ia_grant_terms terms;
    apr_uint64_t sequences[IA_ACCESS_NONCES_MAX];
    unsigned nonces;
} granted;

static int is_form(request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t len = sizeof FORM_TYPE - 1;

    return type && !strncasecmp(type, FORM_TYPE, len) && (!type[len] || strchr("; \t", type[len]));
}

static ia_result read_form(access_request *a, ia_access_kind kind, int *status)
{
    const char *text;
    apr_size_t len;
    ia_result rc;

    *status = 0;
    if (!is_form(a->r)) {
        a->detail = FORM_TYPE " expected";
        return IA_MEDIA_TYPE;
    }
    if ((rc = (ia_result)request_read_body(a->r, IA_ACCESS_BODY_MAX, &text, &len, status)))
        return rc;
    if ((rc = ia_access_form_parse(&a->form, a->r->pool, text, len, &a->detail)))
        return rc;
    if (!(a->settings.hashes & access_hash_bit(a->form.hash))) {
        a->detail = a->form.hash == IA_HASH_SHA1 ? "HMAC-SHA-256 expected" : "HMAC-SHA-1 expected";
        return IA_HASH_NOT_ALLOWED;
    }
    return ia_access_body_parse(&a->body, a->r->pool, &a->form, kind, &a->detail);
}

/* Errors found before this point are visible in the request; further details are only for authenticated clients. */
static ia_result prove(access_request *a)
{
    unsigned index;
    ia_result found = sauth.registry->find(&a->entry, a->form.uid), rc;

    if (found < 0)
        return found;
    rc = ia_access_verify(&index, a->mac, &a->form, a->entry.secrets, a->entry.secret_count, a->now);
    if (!rc)
        a->fingerprint = a->entry.secrets[index].fingerprint;
    ia_wipe(a->entry.secrets, sizeof a->entry.secrets);
    return found ? found : rc;
}

/* Compares with the external URL of this endpoint. Only configured names are used, because the client chooses Host. */
static int is_audience(request_rec *r, const char *audience)
{
    const char *scheme = external_scheme(r), *host = r->server->server_hostname;
    apr_port_t port = external_port(r);

    if (port == apr_uri_port_of_scheme(scheme) &&
        !strcmp(audience, apr_pstrcat(r->pool, scheme, "://", host, r->uri, NULL)))
        return 1;
    return !strcmp(audience, apr_psprintf(r->pool, "%s://%s:%u%s", scheme, host, (unsigned)port, r->uri));
}

static ia_result check_members(access_request *a)
{
    if ((a->settings.needs & ACCESS_NEED_ID) && !a->body.id)
        return IA_ACCESS_ID_MISSING;
    return (a->settings.needs & ACCESS_NEED_AUD) && !a->body.audience ? IA_ACCESS_AUDIENCE_MISSING : IA_OK;
}

static ia_result examine(access_request *a, ia_access_kind kind, int *status)
{
    ia_result rc;

    rc = read_form(a, kind, status);
    a->now = clock_now(); /* again, because the client may have sent the body slowly */
    if (rc || (rc = check_members(a)) || (rc = prove(a)))
        return rc;
    a->proven = 1;
    if ((rc = ia_access_check_time(a->form.timestamp, a->now, a->conf.clock_skew)) ||
        (rc = sauth_proof_check_cache(a->form.timestamp, a->now, &a->retry_after)))
        return rc;
    if (a->body.audience && !is_audience(a->r, a->body.audience))
        return IA_AUDIENCE_MISMATCH;
    return sauth_proof_use(a->mac, a->entry.index, a->form.timestamp, a->now, &a->retry_after);
}

static const char *requested_names(const access_request *a)
{
    apr_array_header_t *names = apr_array_make(a->r->pool, (int)a->body.access_for_count, sizeof(const char *));
    unsigned i;

    for (i = 0; i < a->body.access_for_count; i++)
        APR_ARRAY_PUSH(names, const char *) = a->body.access_for[i];
    return apr_array_pstrcat(a->r->pool, names, ',');
}

/* Details for the administrator that an unauthenticated client must not learn. */
static const char *log_detail_of(const access_request *a, ia_result rc)
{
    switch (rc) {
    case IA_PARTICIPANT_UNKNOWN:
    case IA_SECRET_MISSING:
    case IA_MAC_MISMATCH:
        return log_field(a->r->pool, "claimed", a->form.uid);
    case IA_TIMESTAMP_STALE:
    case IA_TIMESTAMP_FUTURE:
        return apr_psprintf(a->r->pool, " offset=%+" APR_TIME_T_FMT,
                            apr_time_sec(a->form.timestamp) - apr_time_sec(a->now));
    case IA_CAPABILITY_NOT_HELD:
        return log_field(a->r->pool, "wanted", requested_names(a));
    default:
        return log_sentence(a->r->pool, a->detail);
    }
}

static int refuse(const access_request *a, ia_result rc, int status)
{
    sauth_state *state = sauth_state_of(a->r);

    state->log_detail = log_detail_of(a, rc);
    state->proven = a->proven;
    state->entry = a->entry;
    state->detail = a->detail;
    state->retry_after = a->retry_after;
    state->status = status;
    return sauth_refuse_state(a->r, state, rc);
}

/*
 * Published clients accept only five members, so nonces are included only if the client requested a number of
 * them.
 */
static void write_nonces(ia_json_writer *w, apr_pool_t *p, const granted *g)
{
    unsigned i;

    ia_json_write_member(w, "nonce", access_next_nonce(p, g->grant_id, g->sequences[0]));
    ia_json_write_name(w, "nonces");
    ia_json_write_array(w);
    for (i = 0; i < g->nonces; i++)
        ia_json_write_string(w, access_next_nonce(p, g->grant_id, g->sequences[i]));
    ia_json_write_end(w);
}

static int write_grant(const access_request *a, const granted *g)
{
    request_rec *r = a->r;
    ia_json_writer *w = ia_json_writer_create(r->pool);
    char timeout[IA_RFC3339_SIZE];
    const char *text;
    apr_size_t len;
    int number = -1;

    ia_timestamp_format(timeout, g->terms.expires);
    ia_json_write_object(w);
    ia_json_write_name(w, "access_to");
    ia_json_write_array(w);
    while ((number = ia_capset_next(&g->terms.capabilities, number)) >= 0) {
        const char *name = sauth.registry->capability_name(number);

        if (name)
            ia_json_write_string(w, name);
    }
    ia_json_write_end(w);
    ia_json_write_name(w, "can_refresh");
    ia_json_write_bool(w, g->terms.can_refresh);
    ia_json_write_member(w, "timeout", timeout);
    ia_json_write_member(w, "token", g->token);
    ia_json_write_member(w, "uid", a->entry.id);
    if (a->body.nonces)
        write_nonces(w, r->pool, g);
    ia_json_write_end(w);
    if (!(text = ia_json_writer_text(w, &len)))
        return refuse(a, IA_FAULT_INTERNAL, 0);
    sauth_grant_log(r, &a->entry, &g->terms);
    memcpy(sauth_state_of(r)->grant_id, g->grant_id, sizeof g->grant_id);
    access_nextnonce_write(r, sauth_state_of(r), g->sequences[0]);
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)len);
    ap_rwrite(text, (int)len, r);
    return OK;
}

static ia_result store_grant(access_request *a, granted *g)
{
    sauth_grant_request request = {&a->conf, &a->entry, &access_presentation, a->fingerprint, g->nonces, NULL,
                                   0,        a->now};
    ia_result rc = sauth_grant_token(a->r->pool, &g->token);
    unsigned i;

    for (i = 0; i < g->nonces; i++)
        g->sequences[i] = i + 1;
    a->retry_after = 60;
    return rc ? rc : sauth_grant_create(g->grant_id, &request, g->token, &g->terms);
}

static void begin(access_request *a, request_rec *r)
{
    memset(a, 0, sizeof *a);
    a->r = r;
    a->conf = sauth_dir_effective(r);
    a->settings = access_settings_of(&a->conf);
    a->now = clock_now();
}

int access_request_handle(request_rec *r, const char *tail)
{
    access_request a;
    granted g;
    ia_grant_request request;
    ia_grant_policy policy;
    ia_result rc;
    unsigned i;
    int status;

    (void)tail;
    begin(&a, r);
    if ((rc = examine(&a, IA_ACCESS_REQUEST, &status)))
        return refuse(&a, rc, status);
    memset(&request, 0, sizeof request);
    request.lifespan = a.body.lifespan;
    for (i = 0; i < a.body.access_for_count; i++) {
        int number = sauth.registry->capability_number(a.body.access_for[i]);

        request.names_unknown |= number < 0;
        ia_capset_add(&request.capabilities, number);
    }
    policy = sauth_grant_policy(&a.conf);
    g.nonces = a.body.nonces ? a.body.nonces : 1;
    if ((rc = ia_grant_decide(&g.terms, &a.entry.entitlement, &request, &policy, a.now)) || (rc = store_grant(&a, &g)))
        return refuse(&a, rc, 0);
    return write_grant(&a, &g);
}

static ia_result refresh_grant(const access_request *a, const st_grant_ref *ref, granted *g)
{
    st_refresh refresh = {g->terms.expires, sauth_grant_forget(&a->conf, &g->terms), a->fingerprint, a->mac, a->now};

    return sauth_grant_outcome(st_store_refresh(sauth.grants, ref, &refresh, g->sequences, g->nonces));
}

/* Finds the grant of the token in the body, and checks that it belongs to this client and location. */
static ia_result find_own_grant(const access_request *a, st_grant *grant, st_grant_ref *ref)
{
    ia_result rc = sauth_grant_look_up(grant, ref, a->body.token, strlen(a->body.token));

    if (rc)
        return rc == IA_TOKEN_UNKNOWN ? IA_GRANT_UNKNOWN : rc;
    if (grant->participant_index != a->entry.index || grant->participant_generation != a->entry.generation)
        return IA_GRANT_NOT_OWNED;
    if (grant->presentation != access_presentation.bit)
        return IA_PRESENTATION_MISMATCH;
    return grant->scope == a->conf.scope ? IA_OK : IA_SCOPE_MISMATCH;
}

/*
 * If the response to a refresh was lost, the client may repeat the same request, and gets the same expiry and nonces
 * again. This works for a short time, and only for the newest refresh of the grant.
 */
static ia_result repeat_response(access_request *a, granted *g)
{
    st_grant grant;
    st_grant_ref ref;
    unsigned i;

    if (find_own_grant(a, &grant, &ref) || !grant.nonces.refresh_count ||
        grant.nonces.refresh_count > IA_ACCESS_NONCES_MAX ||
        !ia_mac_equal(grant.nonces.refresh_mac, a->mac, sizeof grant.nonces.refresh_mac) ||
        a->now - grant.nonces.refreshed > REFRESH_GRACE || ia_entitlement_check(&a->entry.entitlement, a->now))
        return IA_ACCESS_REPLAYED;
    g->token = a->body.token;
    ia_grant_id(g->grant_id, grant.digest);
    ia_capset_intersect(&g->terms.capabilities, &grant.capabilities, &a->entry.entitlement.capabilities);
    g->terms.expires = grant.expires;
    g->terms.can_refresh = 1;
    g->nonces = (unsigned)grant.nonces.refresh_count;
    for (i = 0; i < g->nonces; i++)
        g->sequences[i] = grant.nonces.refresh_first + i;
    return IA_OK;
}

int access_refresh_handle(request_rec *r, const char *tail)
{
    access_request a;
    granted g;
    st_grant grant;
    st_grant_ref ref;
    ia_grant_terms held;
    ia_grant_policy policy;
    ia_result rc;
    int status;

    (void)tail;
    begin(&a, r);
    rc = examine(&a, IA_ACCESS_REFRESH, &status);
    if (rc == IA_ACCESS_REPLAYED && !(rc = repeat_response(&a, &g)))
        return write_grant(&a, &g);
    if (rc || (rc = find_own_grant(&a, &grant, &ref)))
        return refuse(&a, rc, status);
    held.capabilities = grant.capabilities;
    held.created = grant.created;
    held.expires = grant.expires;
    held.can_refresh = (int)grant.can_refresh;
    policy = sauth_grant_policy(&a.conf);
    g.token = a.body.token;
    g.nonces = a.body.nonces ? a.body.nonces : 1;
    ia_grant_id(g.grant_id, grant.digest);
    if ((rc = ia_grant_refresh(&g.terms, &held, &a.entry.entitlement, a.body.lifespan, &policy, a.now)) ||
        (rc = refresh_grant(&a, &ref, &g)))
        return refuse(&a, rc, 0);
    return write_grant(&a, &g);
}
