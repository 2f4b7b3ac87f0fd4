/* Makes and verifies SAuth nonces. */
#include <string.h>
#include "interauth/nonce.h"

#define BODY_LEN  8 /* kind and value; the rest is the MAC */
#define STAMP_MAX ((APR_UINT64_C(1) << 56) - 1)

static void put_value(unsigned char out[BODY_LEN], ia_nonce_kind kind, apr_uint64_t value)
{
    int i;

    for (i = BODY_LEN - 1; i > 0; i--, value >>= 8)
        out[i] = (unsigned char)value;
    out[0] = (unsigned char)kind;
}

static apr_uint64_t get_value(const unsigned char in[BODY_LEN])
{
    apr_uint64_t value = 0;
    int i;

    for (i = 1; i < BODY_LEN; i++)
        value = value << 8 | in[i];
    return value;
}

static void compute_mac(unsigned char out[IA_SHA256_LEN], const unsigned char body[BODY_LEN],
                        const ia_mac_key *nonce_key, const unsigned char *grant_id)
{
    ia_bytes parts[] = {{body, BODY_LEN}, {grant_id, IA_GRANT_ID_LEN}};

    ia_mac_compute(out, IA_HASH_SHA256, nonce_key, parts, grant_id ? 2 : 1);
}

static void mint(unsigned char out[IA_NONCE_LEN], ia_nonce_kind kind, apr_uint64_t value, const ia_mac_key *nonce_key,
                 const unsigned char *grant_id)
{
    unsigned char mac[IA_SHA256_LEN];

    put_value(out, kind, value);
    compute_mac(mac, out, nonce_key, grant_id);
    memcpy(out + BODY_LEN, mac, IA_NONCE_LEN - BODY_LEN);
}

void ia_nonce_mint_fresh(unsigned char out[IA_NONCE_LEN], const ia_mac_key *nonce_key, apr_uint64_t stamp)
{
    mint(out, IA_NONCE_FRESH, stamp & STAMP_MAX, nonce_key, NULL);
}

void ia_nonce_mint_next(unsigned char out[IA_NONCE_LEN], const ia_mac_key *nonce_key,
                        const unsigned char grant_id[IA_GRANT_ID_LEN], apr_uint64_t seq)
{
    mint(out, IA_NONCE_NEXT, seq & IA_NONCE_SEQ_MAX, nonce_key, grant_id);
}

ia_result ia_nonce_verify(ia_nonce_claim *out, const unsigned char nonce[IA_NONCE_LEN], const ia_mac_key *nonce_key,
                          const unsigned char grant_id[IA_GRANT_ID_LEN])
{
    unsigned char mac[IA_SHA256_LEN];
    int next = nonce[0] == IA_NONCE_NEXT;

    out->kind = IA_NONCE_FRESH;
    out->value = 0;
    if (nonce[0] != IA_NONCE_FRESH && !next)
        return IA_NONCE_FOREIGN;
    if (next && (!grant_id || nonce[1]))
        return IA_NONCE_FOREIGN;
    compute_mac(mac, nonce, nonce_key, next ? grant_id : NULL);
    if (!ia_mac_equal(mac, nonce + BODY_LEN, IA_NONCE_LEN - BODY_LEN))
        return IA_NONCE_FOREIGN;
    out->kind = next ? IA_NONCE_NEXT : IA_NONCE_FRESH;
    out->value = get_value(nonce);
    return IA_OK;
}
