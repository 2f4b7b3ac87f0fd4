/* Creates, finds and checks grants, and consumes proofs; for all dialects. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_log.h>
#include <openssl/rand.h>
#include <string.h>
#include "mod_sauth.h"
#include "interauth/encoding.h"
#include "interauth/timestamp.h"
#include "log_field.h"
#include "sauth_export.h"
#include "sauth_grant.h"

APLOG_USE_MODULE(sauth);

ia_grant_policy sauth_grant_policy(const sauth_dir *conf)
{
    ia_grant_policy policy = {conf->partial_grants, conf->refresh_window, conf->grant_max_age};

    return policy;
}

apr_time_t sauth_grant_forget(const sauth_dir *conf, const ia_grant_terms *terms)
{
    return terms->can_refresh ? terms->expires + conf->refresh_window : terms->expires;
}

static void digest_of(unsigned char digest[IA_SHA256_LEN], const char *token, apr_size_t len)
{
    ia_bytes part = {token, len};

    ia_sha256(digest, &part, 1);
}

ia_result sauth_grant_token(apr_pool_t *p, const char **token)
{
    unsigned char random[IA_TOKEN_BYTES];
    char *text = apr_palloc(p, IA_BASE64URL_SIZE(IA_TOKEN_BYTES));

    *token = NULL;
    if (RAND_bytes(random, sizeof random) != 1)
        return IA_FAULT_RANDOM;
    ia_base64url_encode(text, random, sizeof random);
    ia_wipe(random, sizeof random);
    *token = text;
    return IA_OK;
}

void sauth_grant_log(request_rec *r, const ia_registry_entry *entry, const ia_grant_terms *terms)
{
    char until[IA_RFC3339_SIZE], *names, *at;

    ia_timestamp_format(until, terms->expires);
    names = apr_pstrdup(r->pool, sauth_capability_names(r->pool, &terms->capabilities));
    for (at = names; (at = strchr(at, ' ')); at++)
        *at = ',';
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "sauth: granted%s%s until=%s",
                  log_field(r->pool, "participant", entry->id), log_field(r->pool, "capabilities", names), until);
}

ia_result sauth_grant_create(unsigned char grant_id[IA_GRANT_ID_LEN], const sauth_grant_request *request,
                             const char *token, const ia_grant_terms *terms)
{
    st_grant record;

    if (request->bound && request->bound_len > ST_GRANT_BOUND)
        return IA_FAULT_INTERNAL;
    memset(&record, 0, sizeof record);
    digest_of(record.digest, token, strlen(token));
    ia_grant_id(grant_id, record.digest);
    record.participant_index = request->entry->index;
    record.participant_generation = request->entry->generation;
    record.presentation = request->presentation->bit;
    record.secret_fingerprint = request->secret_fingerprint;
    record.scope = request->conf->scope;
    record.created = terms->created;
    record.expires = terms->expires;
    record.can_refresh = (apr_uint32_t)terms->can_refresh;
    record.capabilities = terms->capabilities;
    if (request->nonces) {
        record.part = ST_GRANT_WITH_NONCES;
        record.nonces.state.issued = request->nonces;
    } else if (request->bound) {
        record.part = ST_GRANT_WITH_BOUND;
        memcpy(record.bound, request->bound, request->bound_len);
    }
    return sauth_grant_outcome(st_store_create(sauth.grants, &record, sauth.grant_quota,
                                               sauth_grant_forget(request->conf, terms), request->now));
}

ia_result sauth_grant_look_up(st_grant *grant, st_grant_ref *ref, const char *token, apr_size_t len)
{
    unsigned char digest[IA_SHA256_LEN];

    digest_of(digest, token, len);
    return sauth_grant_outcome(st_store_find(sauth.grants, digest, grant, ref));
}

ia_result sauth_grant_find(sauth_state *state, const char *token, apr_size_t len)
{
    ia_result rc = sauth_grant_look_up(&state->grant, &state->ref, token, len);

    if (!rc)
        rc = sauth.registry->get(&state->entry, state->grant.participant_index, state->grant.participant_generation);
    if (!rc)
        memcpy(state->grant_id, state->grant.id, IA_GRANT_ID_LEN);
    return rc;
}

ia_result sauth_grant_check(const sauth_state *state, const sauth_presentation *presentation, int still_has_secret,
                            apr_time_t now)
{
    if (state->grant.presentation != presentation->bit)
        return IA_PRESENTATION_MISMATCH;
    if (state->grant.expires <= now)
        return IA_GRANT_EXPIRED;
    return still_has_secret ? IA_OK : IA_SECRET_ROTATED;
}

ia_result sauth_grant_open(sauth_state *state, apr_time_t now)
{
    ia_result rc = ia_entitlement_check(&state->entry.entitlement, now);

    if (!rc)
        ia_capset_intersect(&state->capabilities, &state->grant.capabilities, &state->entry.entitlement.capabilities);
    return rc;
}

ia_result sauth_proof_check_cache(apr_time_t timestamp, apr_time_t now, int *retry_after)
{
    apr_time_t from = st_replays_birth(sauth.replays) + sauth_widest_skew();

    if (timestamp > from)
        return IA_OK;
    *retry_after = (int)apr_time_sec(from - now) + 2;
    return IA_REPLAY_CACHE_WARMING;
}

ia_result sauth_proof_use(const unsigned char mac[IA_MAC_MAX], apr_uint32_t participant_index, apr_time_t timestamp,
                          apr_time_t now, int *retry_after)
{
    *retry_after = 1;
    switch (st_replay_record(sauth.replays, mac, participant_index, sauth.replay_quota,
                             timestamp + sauth_widest_skew() + apr_time_from_sec(1), now)) {
    case ST_OK:
        return IA_OK;
    case ST_EXISTS:
        return IA_ACCESS_REPLAYED;
    case ST_FULL:
        return IA_REPLAYS_FULL;
    case ST_QUOTA:
        *retry_after = (int)apr_time_sec(2 * sauth_widest_skew()) + 1;
        return IA_REPLAY_QUOTA;
    default:
        return IA_FAULT_STORE;
    }
}
