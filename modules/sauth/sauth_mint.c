/* Minting: what every dialect does once the one decision was made. The wire is not here. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_log.h>
#include <openssl/rand.h>
#include <string.h>
#include "mod_sauth.h"
#include "sauth_mint.h"
#include "interauth/encoding.h"
#include "log_field.h"
#include "interauth/timestamp.h"

APLOG_USE_MODULE(sauth);

ia_grant_policy sauth_mint_policy(const sauth_dir *conf)
{
    ia_grant_policy policy = {conf->partial_grants, conf->refresh_window, conf->grant_max_age};

    return policy;
}

apr_time_t sauth_mint_forget(const sauth_dir *conf, const ia_grant_terms *terms)
{
    return terms->can_refresh ? terms->expires + conf->refresh_window : terms->expires;
}

void sauth_mint_digest(unsigned char digest[IA_SHA256_LEN], const char *token)
{
    ia_bytes part = {token, strlen(token)};

    ia_sha256(digest, &part, 1);
}

ia_result sauth_mint_token(apr_pool_t *p, const char **token)
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

void sauth_mint_log(request_rec *r, const ia_registry_entry *entry, const ia_grant_terms *terms)
{
    char until[IA_RFC3339_SIZE], *names, *at;

    ia_timestamp_format(until, terms->expires);
    names = apr_pstrdup(r->pool, sauth_capability_names(r->pool, &terms->capabilities));
    for (at = names; (at = strchr(at, ' ')); at++)
        *at = ',';
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "sauth: granted%s%s until=%s",
                  log_field(r->pool, "participant", entry->id), log_field(r->pool, "capabilities", names), until);
}

ia_result sauth_mint(unsigned char grant_id[IA_GRANT_ID_LEN], const sauth_minting *m, const char *token,
                     const ia_grant_terms *terms)
{
    st_grant record;

    memset(&record, 0, sizeof record);
    sauth_mint_digest(record.digest, token);
    ia_grant_id(grant_id, record.digest);
    record.participant_index = m->entry->index;
    record.participant_generation = m->entry->generation;
    record.presentation = (apr_uint32_t)m->presentation;
    record.secret_fingerprint = m->secret_fingerprint;
    record.scope = m->conf->scope;
    record.created = terms->created;
    record.expires = terms->expires;
    record.can_refresh = (apr_uint32_t)terms->can_refresh;
    record.capabilities = terms->capabilities;
    record.nonces.issued = m->nonces;
    return st_grant_create(sauth.grants, &record, sauth.grant_quota, sauth_mint_forget(m->conf, terms), m->now);
}
