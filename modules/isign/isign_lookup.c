/*
 * Finds the key of a keyid: PARTICIPANT#KID and a thumbprint name public keys, a participant id names shared secrets. An
 * unknown keyid costs as much time as a known one.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "isign_httpsig.h"
#include "isign_store.h"
#include "interauth/encoding.h"

static void release_key(isign_lookup *l)
{
    ia_key_unref(l->key);
    l->key = NULL;
}

/* A secret that has not expired, after the first `skip` of them. */
static const ia_secret *usable_secret(const ia_registry_entry *entry, unsigned skip, apr_time_t now)
{
    unsigned i;

    for (i = 0; i < entry->secret_count; i++)
        if ((!entry->secrets[i].not_after || entry->secrets[i].not_after > now) && !skip--)
            return &entry->secrets[i];
    return NULL;
}

static ia_result use_key(isign_lookup *l, ia_httpsig_key *out, const ia_registry_key *key)
{
    ia_result rc = isign_key_get(&l->key, key);

    out->key = l->key;
    out->not_before = key->not_before;
    out->not_after = key->not_after;
    return rc;
}

/* `hash` points to the '#' before the kid. */
static ia_result find_by_kid(isign_lookup *l, ia_httpsig_key *out, const char *id, const char *hash)
{
    ia_registry_key key;
    ia_result rc = isign.registry->find(&l->entry, apr_pstrmemdup(l->p, id, (apr_size_t)(hash - id)));

    if (!rc)
        rc = isign.registry->key(&key, l->entry.index, l->entry.generation, hash + 1, strlen(hash + 1));
    if (rc)
        return rc < 0 ? rc : IA_SIG_KEY_UNKNOWN;
    return use_key(l, out, &key);
}

static ia_result find_by_thumbprint(isign_lookup *l, ia_httpsig_key *out, const char *text)
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

/* A participant id names secrets for hmac-sha256. Public keys are another name space. */
static ia_result find_by_secret(isign_lookup *l, ia_httpsig_key *out, const char *id)
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

static ia_result find(isign_lookup *l, ia_httpsig_key *out, const ia_httpsig *signature)
{
    const char *keyid, *hash;
    ia_result rc;

    keyid = apr_pstrmemdup(l->p, signature->keyid.data, signature->keyid.len);
    if (strlen(keyid) != signature->keyid.len)
        return IA_SIG_KEY_UNKNOWN;
    hash = strrchr(keyid, '#');
    if (hash && (rc = find_by_kid(l, out, keyid, hash)) != IA_SIG_KEY_UNKNOWN)
        return rc;
    rc = find_by_secret(l, out, keyid);
    return rc == IA_SIG_KEY_UNKNOWN ? find_by_thumbprint(l, out, keyid) : rc;
}

/* Whether a keyid could name a public key or a secret: participant ids may look like either. Others name secrets. */
static int is_ambiguous(const ia_sfv_text *keyid)
{
    return memchr(keyid->data, '#', keyid->len) || keyid->len == IA_BASE64URL_SIZE(IA_SHA256_LEN) - 1;
}

/*
 * Where a public key is possible, the dummy is the key of some participant, always the same for one keyid. So the response
 * time reveals neither that the key is a dummy, nor its type by how soon a signature of another type is refused.
 */
static void use_dummy(isign_lookup *l, ia_httpsig_key *out, const ia_sfv_text *keyid)
{
    ia_registry_key key;

    if (!is_ambiguous(keyid)) {
        out->secret = isign_dummy_secret();
        return;
    }
    if (!isign.registry->any_key(&key, isign_dummy_number(keyid)) && !isign_key_get(&l->key, &key))
        out->key = l->key;
    else
        out->key = isign_dummy_key();
}

ia_result isign_lookup_find(void *lookup, ia_httpsig_key *out, const ia_httpsig *signature)
{
    isign_lookup *l = lookup;
    ia_result rc;

    memset(out, 0, sizeof *out);
    release_key(l); /* from the other form of the same message */
    if ((rc = find(l, out, signature)) == IA_SIG_KEY_UNKNOWN)
        use_dummy(l, out, &signature->keyid);
    return rc;
}

int isign_lookup_next(isign_lookup *l)
{
    return l->is_mac && usable_secret(&l->entry, ++l->secret, l->now);
}

void isign_lookup_equalize(isign_lookup *l, const ia_httpsig *signature)
{
    const ia_sfv_text *text = &signature->input->source; /* any text that is not longer than the signature base */
    ia_httpsig_key key = {NULL, NULL, 0, 0};

    if (!is_ambiguous(&signature->keyid))
        return;
    if (!l->is_mac) {
        ia_signature_verify_mac(isign_dummy_secret(), text->data, text->len, signature->signature.data,
                                signature->signature.len);
        return;
    }
    release_key(l);
    use_dummy(l, &key, &signature->keyid);
    if (key.key)
        ia_signature_verify(key.key, text->data, text->len, signature->signature.data, signature->signature.len);
}

void isign_lookup_end(isign_lookup *l)
{
    release_key(l);
    ia_wipe(l->entry.secrets, sizeof l->entry.secrets);
}
