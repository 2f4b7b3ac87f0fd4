/* Whose key a keyid names. */
#include <string.h>

#include <apr_strings.h>

#include "interauth/encoding.h"
#include "signature_text.h"
#include "verification.h"

static const ia_participant *participant_find(const ia_participants *all, const char *id, apr_size_t len)
{
    for (unsigned i = 0; i < all->count; i++)
        if (strncmp(all->list[i].id, id, len) == 0 && !all->list[i].id[len])
            return &all->list[i];
    return NULL;
}

static apr_status_t key_drop(void *key)
{
    ia_key_unref(key);
    return APR_SUCCESS;
}

static ia_result key_take(verification *v, ia_httpsig_key *out, const ia_participant *owner,
                          const ia_participant_key *one)
{
    ia_key *key;
    ia_result rc = ia_key_create(&key, &one->raw);

    if (rc != IA_OK)
        return rc;
    apr_pool_cleanup_register(v->p, key, key_drop, apr_pool_cleanup_null);
    v->owner = owner;
    out->key = key;
    out->not_before = one->not_before;
    out->not_after = one->not_after;
    return IA_OK;
}

static ia_result named_find(verification *v, ia_httpsig_key *out, const char *keyid, const char *mark)
{
    const ia_participant *owner = participant_find(&v->participants, keyid, (apr_size_t)(mark - keyid));

    if (!owner) {
        v->detail = apr_psprintf(v->p, "no participant has the id of keyid %s", keyid);
        return IA_SIG_KEY_UNKNOWN;
    }
    for (unsigned i = 0; i < owner->public_key_count; i++)
        if (strcmp(owner->public_keys[i].kid, mark + 1) == 0)
            return key_take(v, out, owner, &owner->public_keys[i]);
    v->detail = apr_psprintf(v->p, "%s has no key %s", owner->id, mark + 1);
    return IA_SIG_KEY_UNKNOWN;
}

static ia_result secret_take(verification *v, ia_httpsig_key *out, const ia_participant *owner)
{
    const ia_secret *secret = &owner->secrets[v->attempt];

    if (v->attempt >= owner->secret_count) {
        v->detail = apr_psprintf(v->p, "%s has no shared secret", owner->id);
        return IA_SIG_KEY_UNKNOWN;
    }
    v->owner = owner;
    out->secret = &secret->mac;
    out->not_after = secret->not_after;
    return IA_OK;
}

static ia_result thumbprint_find(verification *v, ia_httpsig_key *out, const char *keyid)
{
    unsigned char wanted[IA_SHA256_LEN], digest[IA_SHA256_LEN];
    apr_size_t len;

    v->detail = apr_psprintf(v->p, "keyid %s", keyid);
    if (ia_base64url_decode(wanted, sizeof wanted, &len, keyid, strlen(keyid)) != IA_OK || len != sizeof wanted)
        return IA_SIG_KEY_UNKNOWN;
    for (unsigned i = 0; i < v->participants.count; i++) {
        const ia_participant *one = &v->participants.list[i];

        for (unsigned k = 0; k < one->public_key_count; k++)
            if (ia_key_thumbprint(digest, &one->public_keys[k].raw) == IA_OK &&
                memcmp(digest, wanted, sizeof digest) == 0)
                return key_take(v, out, one, &one->public_keys[k]);
    }
    return IA_SIG_KEY_UNKNOWN;
}

/* ID#KID names a public key (a kid holds no '#'), an id a participant's secrets, anything else a thumbprint.
 */
ia_result verification_find_key(void *context, ia_httpsig_key *out, const ia_httpsig *signature)
{
    verification *v = context;
    const char *keyid = signature_string(v->p, &signature->keyid), *mark = strrchr(keyid, '#');
    const ia_participant *owner;
    ia_result rc;

    if (strlen(keyid) != signature->keyid.len)
        return IA_SIG_KEY_UNKNOWN;
    if (!v->options->participants_file) {
        *out = signature_key_use(&v->key);
        rc = IA_OK;
    } else if (mark) {
        rc = named_find(v, out, keyid, mark);
    } else if ((owner = participant_find(&v->participants, keyid, strlen(keyid))) != NULL) {
        rc = secret_take(v, out, owner);
    } else {
        rc = thumbprint_find(v, out, keyid);
    }
    if (rc == IA_OK && *keyid)
        v->detail = apr_psprintf(v->p, "keyid %s", keyid);
    v->found = *out;
    return rc;
}
