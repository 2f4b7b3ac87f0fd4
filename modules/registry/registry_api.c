/* The provider: copies records of the tables into the structures of interauth_registry.h. */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "mod_registry.h"
#include "registry_outcome.h"

static ia_result copy_out(ia_registry_entry *out, st_participant *from, apr_uint32_t index, ia_result rc)
{
    if (rc) {
        memset(out, 0, sizeof *out);
        return rc;
    }
    out->index = index;
    out->generation = from->generation;
    out->entitlement = from->entitlement;
    out->roles = from->roles;
    out->secret_count = from->secret_count <= IA_PARTICIPANT_SECRETS ? from->secret_count : 0;
    memcpy(out->secrets, from->secrets, sizeof out->secrets);
    out->credentials[IA_CREDENTIAL_CHALLENGE_MD5] = from->challenge.md5_fingerprint;
    out->credentials[IA_CREDENTIAL_CHALLENGE_HMAC] = from->challenge.hmac_fingerprint;
    memcpy(out->id, from->id, sizeof out->id);
    out->id[IA_NAME_MAX] = '\0';
    ia_wipe(from->secrets, sizeof from->secrets);
    ia_wipe(&from->challenge, sizeof from->challenge);
    return IA_OK;
}

static ia_result find(ia_registry_entry *out, const char *id)
{
    st_participant copy;
    apr_uint32_t index = 0;
    ia_result rc = IA_FAULT_REGISTRY;

    if (registry.table)
        rc = registry_outcome(st_participant_find(registry.table, id, strlen(id), &copy, &index),
                              IA_PARTICIPANT_UNKNOWN);
    return copy_out(out, &copy, index, rc);
}

static ia_result get(ia_registry_entry *out, apr_uint32_t index, apr_uint64_t generation)
{
    st_participant copy;
    ia_result rc = IA_FAULT_REGISTRY;

    if (registry.table)
        rc = registry_outcome(st_participant_get(registry.table, index, generation, &copy), IA_PARTICIPANT_UNKNOWN);
    return copy_out(out, &copy, index, rc);
}

static ia_result credential(ia_credential *out, apr_uint32_t index, apr_uint64_t generation, ia_credential_kind kind)
{
    ia_challenge_secret secret;
    st_participant copy;
    ia_result rc = IA_FAULT_REGISTRY;

    memset(out, 0, sizeof *out);
    if (registry.table)
        rc = registry_outcome(st_participant_get(registry.table, index, generation, &copy), IA_PARTICIPANT_UNKNOWN);
    if (rc)
        return rc;
    st_challenge_unpack(&secret, &copy.challenge,
                        kind == IA_CREDENTIAL_CHALLENGE_MD5 ? IA_CHALLENGE_PROFILE_MD5 : IA_CHALLENGE_PROFILE_HMAC);
    out->fingerprint = secret.fingerprint;
    memcpy(out->text, secret.text, sizeof secret.text);
    ia_wipe(&secret, sizeof secret);
    ia_wipe(&copy, sizeof copy);
    return IA_OK;
}

static int capability_number(const char *name)
{
    return registry.table ? st_names_find(&registry.table->capabilities, name) : -1;
}

static int role_number(const char *name)
{
    return registry.table ? st_names_find(&registry.table->roles, name) : -1;
}

static const char *capability_name(int number)
{
    return registry.table ? st_names_get(&registry.table->capabilities, number) : NULL;
}

static ia_result copy_key(ia_registry_key *out, const st_key *from, ia_result rc)
{
    memset(out, 0, sizeof *out);
    if (rc)
        return rc;
    out->owner_index = from->owner.index;
    out->owner_generation = from->owner.generation;
    out->not_before = from->not_before;
    out->not_after = from->not_after;
    memcpy(out->thumbprint, from->thumbprint, sizeof out->thumbprint);
    out->raw = from->raw;
    return IA_OK;
}

static ia_result key(ia_registry_key *out, apr_uint32_t owner_index, apr_uint64_t owner_generation, const char *kid,
                     apr_size_t kid_len)
{
    st_owner owner = {owner_generation, owner_index, 0};
    st_key copy;
    ia_result rc = IA_FAULT_REGISTRY;

    if (registry.keys)
        rc = registry_outcome(st_key_find(registry.keys, &owner, kid, kid_len, &copy), IA_SIG_KEY_UNKNOWN);
    return copy_key(out, &copy, rc);
}

static ia_result key_by_thumbprint(ia_registry_key *out, const unsigned char thumbprint[IA_SHA256_LEN])
{
    st_key copy;
    ia_result rc = IA_FAULT_REGISTRY;

    if (registry.keys)
        rc = registry_outcome(st_key_find_thumbprint(registry.keys, thumbprint, &copy), IA_SIG_KEY_UNKNOWN);
    return copy_key(out, &copy, rc);
}

static ia_result any_key(ia_registry_key *out, apr_uint64_t number)
{
    st_key copy;
    ia_result rc = IA_FAULT_REGISTRY;

    if (registry.keys)
        rc = registry_outcome(st_key_any(registry.keys, number, &copy), IA_SIG_KEY_UNKNOWN);
    return copy_key(out, &copy, rc);
}

static apr_uint32_t capacity(void)
{
    return registry.capacity;
}

static apr_uint64_t revision(void)
{
    return registry.table ? st_participants_revision(registry.table) : 0;
}

static ia_result name(const char **out, apr_pool_t *p, apr_uint32_t index, apr_uint64_t generation)
{
    st_owner owner = {generation, index, 0};
    st_text copy;
    ia_result rc = IA_FAULT_REGISTRY;

    if (registry.texts)
        rc = registry_outcome(st_text_name(registry.texts, &owner, &copy), IA_PARTICIPANT_UNKNOWN);
    *out = rc ? NULL : apr_pstrdup(p, copy.text);
    return rc;
}

static ia_result endpoint(const char **out, apr_pool_t *p, apr_uint32_t index, apr_uint64_t generation,
                          const char *api_version, apr_time_t now)
{
    st_owner owner = {generation, index, 0};
    st_text copy;
    ia_result rc = IA_FAULT_REGISTRY;

    if (registry.texts)
        rc =
            registry_outcome(st_text_endpoint(registry.texts, &owner, api_version, now, &copy), IA_PARTICIPANT_UNKNOWN);
    *out = rc ? NULL : apr_pstrdup(p, copy.text);
    return rc;
}

const ia_registry registry_provider = {
    find,     get,        capability_number, role_number, capability_name, key, key_by_thumbprint, any_key,
    capacity, credential, revision,          name,        endpoint};
