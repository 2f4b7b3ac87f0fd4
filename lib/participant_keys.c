/* The public keys in a participant's record. */
#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>
#include "participant_internal.h"
#include "interauth/timestamp.h"

static ia_result take_seconds(apr_time_t *out, apr_pool_t *p, const ia_json *jwk, const char *name,
                              ia_participant_error *error)
{
    const ia_json *member = ia_json_member(jwk, name);

    *out = 0;
    if (!member)
        return IA_OK;
    if (member->type != IA_JSON_INTEGER || member->integer < 0 || member->integer > APR_INT64_C(253402300799))
        return IAI_FAIL(error, p, "keys: %s: seconds since 1970 expected", name);
    *out = apr_time_from_sec(member->integer);
    return IA_OK;
}

/* {"kid", "file"}: the key is in a PEM file or certificate, which the library's caller reads. */
static ia_result take_file(ia_participant_key *key, apr_pool_t *p, const ia_json *object, ia_participant_error *error)
{
    static const char *const known[] = {"kid", "file", "alg", "nbf", "exp"};
    const char *alg = ia_json_member_string(object, "alg");
    const ia_json *member;
    unsigned k;

    for (member = object->first; member; member = member->next) {
        for (k = 0; k < 5 && strcmp(member->name, known[k]); k++)
            ;
        if (k == 5)
            return IAI_FAIL(error, p, "keys: with file, only kid, alg, nbf and exp are allowed");
    }
    if (!(key->file = ia_json_member_string(object, "file")) || !*key->file)
        return IAI_FAIL(error, p, "keys: file: a path expected");
    if (alg && (key->algorithm = ia_algorithm_find(alg, strlen(alg))) == IA_ALGORITHM_NONE)
        return IAI_FAIL(error, p, "keys: alg: an algorithm of RFC 9421 such as rsa-v1_5-sha256 expected");
    return IA_OK;
}

static ia_result take_key(ia_participant_key *key, apr_pool_t *p, const ia_json *jwk, ia_participant_error *error)
{
    ia_result rc;

    if (jwk->type != IA_JSON_OBJECT || !(key->kid = ia_json_member_string(jwk, "kid")) ||
        !ia_name_is_id(key->kid, strlen(key->kid)) || strchr(key->kid, '#'))
        return IAI_FAIL(error, p, "keys: objects with a kid (a name without #) expected");
    if ((rc = take_seconds(&key->not_before, p, jwk, "nbf", error)) ||
        (rc = take_seconds(&key->not_after, p, jwk, "exp", error)))
        return rc;
    if (ia_json_member(jwk, "file"))
        return take_file(key, p, jwk, error);
    if ((rc = ia_key_from_jwk(&key->raw, jwk)))
        return IAI_FAIL(error, p, "keys: %s: %s", key->kid, ia_outcome_of(rc)->tag);
    return IA_OK;
}

ia_result iai_participant_keys(ia_participant *out, apr_pool_t *p, const ia_json *list, ia_participant_error *error)
{
    const ia_json *item;

    if (list->type != IA_JSON_ARRAY || list->count > IA_PARTICIPANT_KEYS)
        return IAI_FAIL(error, p, "keys: a list of at most %d keys expected", IA_PARTICIPANT_KEYS);
    out->keys = list;
    out->public_keys = apr_pcalloc(p, (list->count + 1) * sizeof *out->public_keys);
    for (item = list->first; item; item = item->next) {
        ia_result rc = take_key(&out->public_keys[out->public_key_count], p, item, error);
        unsigned i;

        if (rc)
            return rc;
        for (i = 0; i < out->public_key_count; i++)
            if (!strcmp(out->public_keys[i].kid, out->public_keys[out->public_key_count].kid))
                return IAI_FAIL(error, p, "keys: a kid is repeated");
        out->public_key_count++;
    }
    return IA_OK;
}

static ia_result check_owner(const ia_participant *one, apr_hash_t *seen, apr_pool_t *p, ia_participant_error *error)
{
    unsigned i;

    for (i = 0; i < one->public_key_count; i++) {
        const ia_key_raw *raw = &one->public_keys[i].raw;
        const ia_participant *other;

        if (raw->type == IA_KEY_NONE)
            continue;
        if ((other = apr_hash_get(seen, raw->bytes, raw->len)))
            return IAI_FAIL(error, p, "participant %u (%s): keys: %s is also a key of %s; a key has one owner",
                            one->line, one->id, one->public_keys[i].kid, other->id);
        apr_hash_set(seen, raw->bytes, raw->len, one);
    }
    return IA_OK;
}

ia_result ia_participants_check_keys(const ia_participants *list, apr_pool_t *p, ia_participant_error *error)
{
    apr_hash_t *seen = apr_hash_make(p);
    unsigned i;

    for (i = 0; i < list->count; i++) {
        ia_result rc = check_owner(&list->list[i], seen, p, error);

        if (rc)
            return rc;
    }
    return IA_OK;
}
