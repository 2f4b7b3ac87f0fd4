/* Loads Secret of the challenge protocol from a record, and derives it from a password. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#include "challenge_internal.h"
#include "interauth/encoding.h"
#include "interauth/name.h"

#define SCRYPT_MEMORY_MAX (64 * 1024 * 1024) /* bytes; twice what N and r need */

/*
 * A MAC over the profile's name with the secret as key: reveals nothing about the secret, and differs between profiles.
 */
static ia_result fingerprint(ia_challenge_secret *secret, ia_challenge_profile profile, apr_size_t len)
{
    static const char label[] = "interauth challenge secret generation";
    const char *name = ia_challenge_profile_name(profile);
    ia_bytes parts[] = {{label, sizeof label}, {name, strlen(name)}};
    unsigned char mac[IA_MAC_MAX];
    ia_mac_key key;
    ia_result rc = ia_mac_key_load(&key, secret->text, len);

    if (rc)
        return rc;
    ia_mac_compute(mac, IA_HASH_SHA256, &key, parts, 2);
    memcpy(&secret->fingerprint, mac, sizeof secret->fingerprint);
    secret->fingerprint |= !secret->fingerprint;
    ia_wipe(mac, sizeof mac);
    ia_wipe(&key, sizeof key);
    return IA_OK;
}

ia_result ia_challenge_secret_load(ia_challenge_secret *out, ia_challenge_profile profile, const char *text,
                                   apr_size_t len)
{
    memset(out, 0, sizeof *out);
    if (!len || len != iai_challenge_text_len(profile) || !iai_challenge_is_hex(text, len))
        return IA_MALFORMED;
    memcpy(out->text, text, len);
    return fingerprint(out, profile, len);
}

/* K(username, K(password), domain) */
static ia_result derive_md5(char out[IA_CHALLENGE_TEXT_SIZE], const char *separator, const ia_bytes *username,
                            const ia_bytes *password, const ia_bytes *domain)
{
    char hashed[IA_CHALLENGE_TEXT_SIZE];
    ia_bytes between = {separator, strlen(separator)};
    ia_bytes parts[] = {*username, between, {hashed, IA_CHALLENGE_MD5_LEN}, between, *domain};
    ia_result rc = iai_challenge_md5(hashed, password, 1);

    if (!rc)
        rc = iai_challenge_md5(out, parts, 5);
    ia_wipe(hashed, sizeof hashed);
    return rc;
}

static ia_result stretch(unsigned char out[IA_SHA256_LEN], const ia_bytes *username, const ia_bytes *password,
                         const ia_bytes *domain)
{
    ia_bytes parts[] = {*username, {"|", 1}, *domain};
    unsigned char salt[IA_SHA256_LEN];
    unsigned long error;

    ia_sha256(salt, parts, 3);
    if (EVP_PBE_scrypt(password->data, password->len, salt, sizeof salt, IA_CHALLENGE_SCRYPT_N, IA_CHALLENGE_SCRYPT_R,
                       IA_CHALLENGE_SCRYPT_P, SCRYPT_MEMORY_MAX, out, IA_SHA256_LEN) == 1)
        return IA_OK;
    error = ERR_peek_last_error();
    ERR_clear_error();
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? IA_FAULT_MEMORY : IA_FAULT_CRYPTO;
}

static ia_result derive_hmac(char out[IA_CHALLENGE_TEXT_SIZE], const ia_bytes *username, const ia_bytes *password,
                             const ia_bytes *domain)
{
    ia_bytes parts[] = {*username, {"", 1}, *domain};
    unsigned char stretched[IA_SHA256_LEN];
    char hex[IA_HEX_SIZE(IA_SHA256_LEN)];
    ia_mac_key key;
    ia_result rc = stretch(stretched, username, password, domain);

    if (!rc)
        rc = ia_mac_key_load(&key, hex, ia_hex_encode(hex, stretched, sizeof stretched));
    if (!rc)
        iai_challenge_hmac(out, &key, parts, 3);
    ia_wipe(stretched, sizeof stretched);
    ia_wipe(hex, sizeof hex);
    ia_wipe(&key, sizeof key);
    return rc;
}

static int is_within(const ia_bytes *bytes, apr_size_t max)
{
    return bytes->len >= 1 && bytes->len <= max;
}

ia_result ia_challenge_secret_derive(ia_challenge_secret *out, ia_challenge_profile profile, const char *separator,
                                     const char *username, const void *password, apr_size_t password_len,
                                     const char *domain)
{
    ia_bytes user = {username, strlen(username)}, pass = {password, password_len}, where = {domain, strlen(domain)};
    char text[IA_CHALLENGE_TEXT_SIZE] = "";
    ia_result rc;

    memset(out, 0, sizeof *out);
    if (!is_within(&user, IA_NAME_MAX) || !is_within(&pass, IA_CHALLENGE_PASSWORD_MAX) ||
        !is_within(&where, IA_CHALLENGE_DOMAIN_MAX) || strlen(separator) > IA_CHALLENGE_SEPARATOR_MAX)
        return IA_MALFORMED;
    if (profile == IA_CHALLENGE_PROFILE_MD5)
        rc = derive_md5(text, separator, &user, &pass, &where);
    else if (profile == IA_CHALLENGE_PROFILE_HMAC)
        rc = derive_hmac(text, &user, &pass, &where);
    else
        rc = IA_MALFORMED;
    if (!rc)
        rc = ia_challenge_secret_load(out, profile, text, strlen(text));
    ia_wipe(text, sizeof text);
    return rc;
}
