/*
 * The signature of a request, verified before a byte of its body is asked for. The message is what came in, before any
 * other module touched it; scheme and authority are the configured ones, never what a header claims.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_vhost.h>
#include <string.h>
#include "clock.h"
#include "external.h"
#include "sanitize.h"
#include "log_field.h"
#include "mod_isign.h"
#include "interauth/encoding.h"
#include "interauth_notes.h"
#include "intake.h"
#include "request.h"
#include "snapshot.h"

APLOG_USE_MODULE(isign);

#define FIELDS_KEY "interauth.isign.fields"

/* What the ports of one verification know. */
typedef struct lookup {
    request_rec *r;
    apr_time_t now;
    ia_registry_entry entry; /* who the keyid names */
    int is_mac;
    unsigned secret; /* of an HMAC, which of the overlapping secrets is tried */
    ia_key *key;     /* dropped after the verification */
    isign_limit limit;
} lookup;

static int is_signed(request_rec *r)
{
    return apr_table_get(r->headers_in, "Signature-Input") || apr_table_get(r->headers_in, "Signature");
}

void isign_keep_fields(request_rec *r)
{
    if (is_signed(r))
        apr_pool_userdata_setn(apr_table_copy(r->pool, r->headers_in), FIELDS_KEY, NULL, r->pool);
}

const apr_table_t *isign_fields_of(request_rec *r)
{
    void *data = NULL;

    apr_pool_userdata_get(&data, FIELDS_KEY, request_outermost(r)->pool);
    return data ? data : r->headers_in;
}

static const ia_httpsig_field *to_fields(apr_pool_t *p, const apr_table_t *table, unsigned *count)
{
    const apr_array_header_t *array = apr_table_elts(table);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;
    ia_httpsig_field *fields = apr_palloc(p, ((apr_size_t)array->nelts + 1) * sizeof *fields);
    int i;

    for (i = 0; i < array->nelts; i++) {
        fields[i].name = entries[i].key;
        fields[i].value = entries[i].val;
    }
    *count = (unsigned)array->nelts;
    return fields;
}

static void fill_message(ia_httpsig_message *m, request_rec *r, const isign_dir *conf)
{
    const snapshot *s = snapshot_of(r);

    memset(m, 0, sizeof *m);
    m->method = s->method;
    m->scheme = *conf->scheme ? conf->scheme : s->scheme;
    m->authority = *conf->authority ? conf->authority : s->authority;
    m->target = s->target;
    m->fields = to_fields(r->pool, isign_fields_of(r), &m->field_count);
    m->merged = 1;
}

apr_array_header_t *isign_required(request_rec *r, const isign_dir *conf, int has_body)
{
    static const char *const always[] = {"@method", "@authority", "@path", "@query"};
    apr_array_header_t *names;
    unsigned i;

    if (conf->cover)
        return apr_array_copy(r->pool, conf->cover);
    names = apr_array_make(r->pool, 8, sizeof(const char *));
    for (i = 0; i < 4; i++)
        APR_ARRAY_PUSH(names, const char *) = always[i];
    if (apr_table_get(isign_fields_of(r), "Authorization"))
        APR_ARRAY_PUSH(names, const char *) = "authorization";
    if (has_body && apr_table_get(isign_fields_of(r), "Content-Type"))
        APR_ARRAY_PUSH(names, const char *) = "content-type";
    if (has_body && apr_table_get(isign_fields_of(r), "Content-Encoding"))
        APR_ARRAY_PUSH(names, const char *) = "content-encoding";
    return names;
}

static void fill_policy(ia_httpsig_policy *policy, request_rec *r, const isign_dir *conf)
{
    int has_body = intake_must_have_content(r);
    const apr_array_header_t *required = isign_required(r, conf, has_body);

    memset(policy, 0, sizeof *policy);
    policy->tag = *conf->tag ? conf->tag : NULL;
    policy->label = *conf->label ? conf->label : NULL;
    policy->algorithms = conf->algorithms;
    policy->max_age = apr_time_from_sec(conf->max_age);
    policy->skew = apr_time_from_sec(conf->skew);
    policy->needs_nonce = conf->nonce == ISIGN_NONCE_REQUIRED;
    policy->has_body = has_body;
    policy->required = (const char *const *)required->elts;
    policy->required_count = (unsigned)required->nelts;
}

/* A secret that is still good; the one after the `skip` first ones. */
static const ia_secret *usable_secret(const ia_registry_entry *entry, unsigned skip, apr_time_t now)
{
    unsigned i;

    for (i = 0; i < entry->secret_count; i++)
        if ((!entry->secrets[i].not_after || entry->secrets[i].not_after > now) && !skip--)
            return &entry->secrets[i];
    return NULL;
}

static ia_result use_key(lookup *l, ia_httpsig_key *out, const ia_registry_key *key)
{
    ia_result rc = isign_key_get(&l->key, key);

    out->key = l->key;
    out->not_before = key->not_before;
    out->not_after = key->not_after;
    return rc;
}

/* <participant-id>#<kid> */
static ia_result find_by_kid(lookup *l, ia_httpsig_key *out, const char *id, const char *hash)
{
    ia_registry_key key;
    ia_result rc = isign.registry->find(&l->entry, apr_pstrmemdup(l->r->pool, id, (apr_size_t)(hash - id)));

    if (!rc)
        rc = isign.registry->key(&key, l->entry.index, l->entry.generation, hash + 1, strlen(hash + 1));
    if (rc)
        return rc < 0 ? rc : IA_SIG_KEY_UNKNOWN;
    return use_key(l, out, &key);
}

static ia_result find_by_thumbprint(lookup *l, ia_httpsig_key *out, const char *text)
{
    unsigned char thumbprint[IA_SHA256_LEN];
    ia_registry_key key;
    apr_size_t len;
    ia_result rc;

    if (ia_base64url_decode(thumbprint, sizeof thumbprint, &len, text, strlen(text)) || len != sizeof thumbprint)
        return IA_SIG_KEY_UNKNOWN;
    rc = isign.registry->key_by_thumbprint(&key, thumbprint);
    if (!rc)
        rc = isign.registry->get(&l->entry, key.owner_index, key.owner_generation);
    if (rc)
        return rc < 0 ? rc : IA_SIG_KEY_UNKNOWN;
    return use_key(l, out, &key);
}

/* A participant id alone: hmac-sha256 with its shared secret. Public keys are another name space. */
static ia_result find_by_secret(lookup *l, ia_httpsig_key *out, const char *id)
{
    const ia_secret *secret;
    ia_result rc = isign.registry->find(&l->entry, id);

    if (rc)
        return rc < 0 ? rc : IA_SIG_KEY_UNKNOWN;
    if (!(secret = usable_secret(&l->entry, l->secret, l->now)))
        return IA_SIG_KEY_UNKNOWN;
    l->is_mac = 1;
    out->secret = &secret->mac;
    return IA_OK;
}

static ia_result look_up(lookup *l, ia_httpsig_key *out, const ia_httpsig *signature)
{
    const char *keyid, *hash;
    ia_result rc;

    keyid = apr_pstrmemdup(l->r->pool, signature->keyid.data, signature->keyid.len);
    if (strlen(keyid) != signature->keyid.len || signature->keyid.len > 2 * IA_NAME_MAX)
        return IA_SIG_KEY_UNKNOWN;
    hash = strrchr(keyid, '#');
    if (hash && (rc = find_by_kid(l, out, keyid, hash)) != IA_SIG_KEY_UNKNOWN)
        return rc;
    rc = find_by_secret(l, out, keyid);
    return rc == IA_SIG_KEY_UNKNOWN ? find_by_thumbprint(l, out, keyid) : rc;
}

/* Of a key or of a secret: a participant's id may look like either. A shorter name is that of a secret. */
static int is_ambiguous(const ia_sfv_text *keyid)
{
    return memchr(keyid->data, '#', keyid->len) || keyid->len == IA_BASE64URL_SIZE(IA_SHA256_LEN) - 1;
}

/*
 * What a key that is not there would have been. It is the key of some participant, chosen by the keyid, so that the time
 * of the response tells nothing: neither its type, nor how soon a signature that is none of that type is given up.
 */
static void take_stand_in(lookup *l, ia_httpsig_key *out, const ia_sfv_text *keyid)
{
    ia_registry_key key;

    if (!is_ambiguous(keyid)) {
        out->secret = isign_secret_of_nobody();
        return;
    }
    if (!isign.registry->any_key(&key, isign_number_of(keyid)) && !isign_key_get(&l->key, &key))
        out->key = l->key;
    else
        out->key = isign_key_of_nobody();
}

/* Where it is not clear what a keyid names, a refusal costs both kinds of verification, whichever of them counted. */
static void verify_the_other_way(lookup *l, const ia_httpsig *signature)
{
    const ia_sfv_text *text = &signature->input->source; /* any will do that is no longer than what was signed */
    ia_httpsig_key key = {NULL, NULL, 0, 0};

    if (!is_ambiguous(&signature->keyid))
        return;
    if (!l->is_mac) {
        ia_signature_verify_mac(isign_secret_of_nobody(), text->data, text->len, signature->signature.data,
                                signature->signature.len);
        return;
    }
    take_stand_in(l, &key, &signature->keyid);
    if (key.key)
        ia_signature_verify(key.key, text->data, text->len, signature->signature.data, signature->signature.len);
    ia_key_unref(l->key);
    l->key = NULL;
}

static ia_result find_key(void *context, ia_httpsig_key *out, const ia_httpsig *signature)
{
    lookup *l = context;
    ia_result rc;

    memset(out, 0, sizeof *out);
    ia_key_unref(l->key); /* of another form of the same message */
    l->key = NULL;
    if ((rc = look_up(l, out, signature)) == IA_SIG_KEY_UNKNOWN)
        take_stand_in(l, out, &signature->keyid);
    return rc;
}

static ia_result use_nonce(void *context, const ia_httpsig *signature, apr_time_t until)
{
    lookup *l = context;

    return isign_nonce_use(&l->entry, signature, until, l->now);
}

/* Methods that change nothing (RFC 9110 section 9.2.1): without a nonce, such a request may be repeated. */
static int is_safe(const char *method)
{
    return !strcmp(method, "GET") || !strcmp(method, "HEAD") || !strcmp(method, "OPTIONS");
}

static apr_port_t port_of(const char *authority, const char *scheme)
{
    const char *colon = strrchr(authority, ':'), *bracket = strrchr(authority, ']');

    if (!colon || !colon[1] || (bracket && bracket > colon))
        return apr_uri_port_of_scheme(scheme);
    return (apr_port_t)apr_strtoi64(colon + 1, NULL, 10);
}

/* Host names this virtual host, and a port at which this server is: another server on this machine is another authority. */
static int is_own_authority(request_rec *r)
{
    const snapshot *s = snapshot_of(r);

    if (!external_port_is_ours(r, port_of(s->authority, s->scheme)))
        return 0;
    return ap_matches_request_vhost(r, r->hostname ? r->hostname : "", r->server->port);
}

/*
 * Which signature counts, and what holds for it at every location: its nonce is used up even if this location refuses it
 * for what only this location demands. The age has a bound, or old captures would fill the memory of used nonces.
 */
static void fill_common_policy(ia_httpsig_policy *policy, const isign_dir *conf)
{
    memset(policy, 0, sizeof *policy);
    policy->tag = *conf->tag ? conf->tag : NULL;
    policy->label = *conf->label ? conf->label : NULL;
    policy->max_age = isign.longest_age;
    policy->skew = isign.widest_skew;
}

/* Whose the message is; then whether its sender may still speak, and to us. */
static ia_result check_chosen(lookup *l, const isign_dir *conf, const ia_httpsig_message *message,
                              ia_httpsig *signature)
{
    ia_httpsig_ports ports = {l, find_key, use_nonce};
    ia_httpsig_policy policy;
    request_rec *r = l->r;
    ia_result rc;

    fill_common_policy(&policy, conf);
    l->now = clock_now(); /* after the wait for a place: signatures age meanwhile */
    do {
        rc = ia_httpsig_verify_chosen(signature, r->pool, message, &policy, &ports, l->now);
        ia_key_unref(l->key);
        l->key = NULL;
    } while (rc == IA_SIG_MISMATCH && l->is_mac && usable_secret(&l->entry, ++l->secret, l->now));
    if (rc)
        verify_the_other_way(l, signature);
    isign_limit_leave(&l->limit, rc, clock_now());
    if (!rc && !signature->nonce.data && !is_safe(snapshot_of(r)->method))
        rc = isign_nonce_use(&l->entry, signature, 0, l->now);
    if (!rc)
        rc = ia_entitlement_check(&l->entry.entitlement, l->now);
    if (!rc && !*conf->authority && !is_own_authority(r))
        rc = IA_SIG_AUTHORITY_FOREIGN;
    return rc;
}

static ia_result decide(lookup *l, const isign_dir *conf, const ia_httpsig **out)
{
    ia_httpsig_policy policy;
    ia_httpsig_message message;
    ia_httpsig *signature = NULL;
    ia_httpsig_set set;
    ia_result rc;

    fill_message(&message, l->r, conf);
    fill_common_policy(&policy, conf);
    rc = ia_httpsig_read(&set, l->r->pool, &message);
    if (!rc)
        rc = ia_httpsig_choose(&signature, &set, &policy);
    if (!rc)
        rc = isign_limit_enter(&l->limit, l->r->useragent_ip, &signature->keyid, clock_now());
    if (!rc)
        rc = check_chosen(l, conf, &message, signature);
    isign_log_detail(l->r, rc, signature, &policy, l->entry.id);
    *out = signature;
    return rc;
}

/* Once for an external request; each location then judges what was found. */
static void verify_once(request_rec *r, const isign_dir *conf, isign_state *state)
{
    request_rec *top = request_outermost(r);
    const ia_httpsig *signature = NULL;
    lookup l;

    if (state->headers_checked || !is_signed(top))
        return;
    state->headers_checked = 1;
    if (!isign.registry || !isign.replays) {
        state->headers_rc = IA_FAULT_REGISTRY;
        return;
    }
    memset(&l, 0, sizeof l);
    l.r = top;
    if (!(state->headers_rc = decide(&l, conf, &signature))) {
        state->signature = signature;
        state->participant = apr_pstrdup(top->pool, l.entry.id);
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "isign: verified%s%s",
                      log_field(r->pool, "participant", state->participant), log_field(r->pool, "location", r->uri));
    }
    ia_wipe(l.entry.secrets, sizeof l.entry.secrets);
}

/* --- each location ------------------------------------------------------------------------------------------------ */

static int requires(const ia_httpsig_policy *policy, const char *name)
{
    unsigned i;

    for (i = 0; i < policy->required_count; i++)
        if (!strcmp(policy->required[i], name))
            return 1;
    return 0;
}

/* mod_proxy takes away what Connection names: a backend would not see what the signer said. */
static ia_result check_connection(request_rec *r, const ia_httpsig *signature, const ia_httpsig_policy *policy)
{
    const char *list = apr_table_get(isign_fields_of(r), "Connection");
    char *copy = list ? apr_pstrdup(r->pool, list) : NULL;
    apr_array_header_t *names;
    int i;

    if (!copy)
        return IA_OK;
    ap_str_tolower(copy);
    names = sanitize_connection_names(r->pool, copy);
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (ia_httpsig_mentions(signature, name) || requires(policy, name))
            return IA_SIG_COMPONENT_DROPPED;
    }
    return IA_OK;
}

ia_result isign_judge(request_rec *r, const isign_dir *conf, const isign_state *state)
{
    ia_httpsig_policy policy;
    ia_result rc;

    if (state->headers_rc)
        return state->headers_rc;
    if (!state->signature)
        return conf->demand == ISIGN_REQUIRE ? IA_SIG_ABSENT : IA_OK;
    fill_policy(&policy, r, conf);
    if (!(rc = ia_httpsig_judge(state->signature, &policy, clock_now())))
        rc = check_connection(r, state->signature, &policy);
    if (rc)
        isign_log_detail(r, rc, state->signature, &policy, state->participant);
    return rc;
}

/* Names of the covered components, as the signer wrote them. */
static const char *covered(apr_pool_t *p, const ia_httpsig *signature)
{
    return apr_pstrmemdup(p, signature->input->source.data, signature->input->source.len);
}

/* On every pass: a sub-request and what it was made for have notes of their own. */
static void write_notes(request_rec *r, const isign_state *state, ia_result rc)
{
    const ia_httpsig *signature = state->signature;

    apr_table_unset(r->notes, IA_NOTE_ISIGN_PARTICIPANT);
    apr_table_unset(r->notes, IA_NOTE_ISIGN_KEYID);
    apr_table_unset(r->notes, IA_NOTE_ISIGN_COVERED);
    apr_table_unset(r->notes, IA_NOTE_ISIGN_ALG);
    apr_table_unset(r->notes, IA_NOTE_ISIGN_NONCE);
    if (!signature || rc) /* what this location would refuse is no proof of who calls */
        return;
    apr_table_setn(r->notes, IA_NOTE_ISIGN_PARTICIPANT, state->participant);
    apr_table_setn(r->notes, IA_NOTE_ISIGN_KEYID, apr_pstrmemdup(r->pool, signature->keyid.data, signature->keyid.len));
    apr_table_setn(r->notes, IA_NOTE_ISIGN_COVERED, covered(r->pool, signature));
    apr_table_setn(r->notes, IA_NOTE_ISIGN_ALG, ia_algorithm_name(signature->algorithm));
    if (!signature->nonce.data)
        apr_table_setn(r->notes, IA_NOTE_ISIGN_NONCE, "none");
}

int isign_check_headers(request_rec *r)
{
    isign_dir conf = isign_dir_effective(r);
    isign_state *state;
    ia_result rc;

    if (conf.demand == ISIGN_OFF || (intake_of(r)->dropped && !r->main)) /* after a refusal: the error page */
        return DECLINED;
    state = isign_state_of(r);
    verify_once(r, &conf, state);
    rc = isign_judge(r, &conf, state);
    write_notes(r, state, rc);
    if (!rc)
        return DECLINED;
    if (conf.mode == ISIGN_MODE_OBSERVE && rc > 0) {
        isign_log(r, "would refuse", rc);
        return DECLINED;
    }
    return isign_refuse(r, rc, 0);
}
