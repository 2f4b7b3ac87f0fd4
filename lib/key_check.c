/* Refuses public keys whose numbers are invalid or weak. */
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <string.h>
#include "key_internal.h"

#define FIELD_BYTES 32

/* 2^255 - 19 and the curve's d, big-endian. */
static const unsigned char prime_bytes[FIELD_BYTES] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xed};
static const unsigned char d_bytes[FIELD_BYTES] = {0x52, 0x03, 0x6c, 0xee, 0x2b, 0x6f, 0xfe, 0x73, 0x8c, 0xc7, 0x40,
                                                   0x79, 0x77, 0x79, 0xe8, 0x98, 0x00, 0x70, 0x0a, 0x4d, 0x41, 0x41,
                                                   0xd8, 0xab, 0x75, 0xeb, 0x4d, 0xca, 0x13, 0x59, 0x78, 0xa3};

typedef struct field {
    BN_CTX *ctx;
    BIGNUM *p, *d, *x, *y, *yy, *u, *v, *t;
} field;

/* One doubling of (x, y): x' = 2xy / (1 + dxxyy), y' = (xx + yy) / (1 - dxxyy). */
static int double_point(field *f)
{
    return BN_mod_mul(f->t, f->x, f->y, f->p, f->ctx) && BN_mod_sqr(f->u, f->x, f->p, f->ctx) &&
           BN_mod_sqr(f->yy, f->y, f->p, f->ctx) && BN_mod_add(f->y, f->u, f->yy, f->p, f->ctx) &&
           BN_mod_mul(f->u, f->u, f->yy, f->p, f->ctx) && BN_mod_mul(f->u, f->u, f->d, f->p, f->ctx) &&
           BN_copy(f->v, f->u) && BN_add_word(f->v, 1) && BN_mod_inverse(f->v, f->v, f->p, f->ctx) &&
           BN_mod_lshift1(f->t, f->t, f->p, f->ctx) && BN_mod_mul(f->x, f->t, f->v, f->p, f->ctx) &&
           BN_sub(f->v, BN_value_one(), f->u) && BN_nnmod(f->v, f->v, f->p, f->ctx) &&
           BN_mod_inverse(f->v, f->v, f->p, f->ctx) && BN_mod_mul(f->y, f->y, f->v, f->p, f->ctx);
}

/* x from y: xx = (yy - 1) / (dyy + 1). The divisor is never 0, because -1/d is not a square. */
static ia_result recover_x(field *f, int odd)
{
    if (!BN_mod_sqr(f->yy, f->y, f->p, f->ctx) || !BN_sub(f->u, f->yy, BN_value_one()) ||
        !BN_nnmod(f->u, f->u, f->p, f->ctx) || !BN_mod_mul(f->v, f->d, f->yy, f->p, f->ctx) || !BN_add_word(f->v, 1) ||
        !BN_mod_inverse(f->v, f->v, f->p, f->ctx) || !BN_mod_mul(f->u, f->u, f->v, f->p, f->ctx))
        return IA_FAULT_CRYPTO;
    if (BN_is_zero(f->u)) {
        BN_zero(f->x);
        return odd ? IA_KEY_POINT_INVALID : IA_OK;
    }
    if (!BN_mod_sqrt(f->x, f->u, f->p, f->ctx) || !BN_mod_sqr(f->t, f->x, f->p, f->ctx) || BN_cmp(f->t, f->u) != 0)
        return IA_KEY_POINT_INVALID;
    if (BN_is_odd(f->x) != odd && !BN_sub(f->x, f->p, f->x))
        return IA_FAULT_CRYPTO;
    return IA_OK;
}

static ia_result check_point(field *f, const unsigned char point[FIELD_BYTES])
{
    unsigned char big[FIELD_BYTES];
    ia_result rc;
    int i;

    for (i = 0; i < FIELD_BYTES; i++)
        big[i] = point[FIELD_BYTES - 1 - i];
    big[0] &= 0x7f;
    if (!BN_bin2bn(big, sizeof big, f->y))
        return IA_FAULT_CRYPTO;
    if (BN_cmp(f->y, f->p) >= 0)
        return IA_KEY_POINT_INVALID;
    rc = recover_x(f, point[FIELD_BYTES - 1] >> 7);
    for (i = 0; rc == IA_OK && i < 3; i++) {
        if (!double_point(f))
            rc = IA_FAULT_CRYPTO;
    }
    if (rc == IA_OK && BN_is_zero(f->x) && BN_is_one(f->y))
        rc = IA_KEY_SMALL_ORDER;
    return rc;
}

ia_result iai_ed25519_check(const unsigned char point[FIELD_BYTES])
{
    field f = {0};
    ia_result rc = IA_FAULT_CRYPTO;

    f.ctx = BN_CTX_new();
    if (!f.ctx)
        return IA_FAULT_MEMORY;
    ERR_set_mark();
    BN_CTX_start(f.ctx);
    f.p = BN_CTX_get(f.ctx);
    f.d = BN_CTX_get(f.ctx);
    f.x = BN_CTX_get(f.ctx);
    f.y = BN_CTX_get(f.ctx);
    f.yy = BN_CTX_get(f.ctx);
    f.u = BN_CTX_get(f.ctx);
    f.v = BN_CTX_get(f.ctx);
    f.t = BN_CTX_get(f.ctx);
    if (f.t && BN_bin2bn(prime_bytes, FIELD_BYTES, f.p) && BN_bin2bn(d_bytes, FIELD_BYTES, f.d))
        rc = check_point(&f, point);
    ERR_pop_to_mark();
    BN_CTX_end(f.ctx);
    BN_CTX_free(f.ctx);
    return rc;
}

ia_result iai_ec_check(apr_uint32_t type, const unsigned char *bytes, apr_size_t len)
{
    unsigned char encoded[IAI_EC_POINT_MAX] = {4};
    EC_GROUP *group;
    EC_POINT *point;
    ia_result rc;

    if (len != 2 * iai_key_part_len(type))
        return IA_KEY_MALFORMED;
    memcpy(encoded + 1, bytes, len);
    group = EC_GROUP_new_by_curve_name(type == IA_KEY_P384 ? NID_secp384r1 : NID_X9_62_prime256v1);
    point = group ? EC_POINT_new(group) : NULL;
    ERR_set_mark();
    if (!point)
        rc = IA_FAULT_CRYPTO;
    else /* coordinates below the prime, and the curve's equation */
        rc = EC_POINT_oct2point(group, point, encoded, 1 + len, NULL) == 1 ? IA_OK : IA_KEY_POINT_INVALID;
    ERR_pop_to_mark();
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return rc;
}

/* The modulus modulo a small number. */
static unsigned remainder_of(const ia_key_raw *raw, unsigned divisor)
{
    unsigned rest = 0;
    apr_size_t i;

    for (i = 0; i < raw->len; i++)
        rest = (rest << 8 | raw->bytes[i]) % divisor;
    return rest;
}

/*
 * ROCA (CVE-2017-15361): the primes of that generator are powers of 65537 modulo many small primes at once, and so is
 * the modulus. The probability of this for other moduli and these seventeen primes is about 2^-28.
 */
static int has_roca_fingerprint(const ia_key_raw *raw)
{
    static const unsigned char primes[] = {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157};
    unsigned i, rest, power;

    for (i = 0; i < sizeof primes; i++) {
        rest = remainder_of(raw, primes[i]);
        for (power = 65537 % primes[i]; power != rest && power != 1; power = power * (65537 % primes[i]) % primes[i])
            continue;
        if (power != rest)
            return 0;
    }
    return 1;
}

ia_result iai_rsa_check(const ia_key_raw *raw)
{
    unsigned bits = raw->len * 8, top;

    if (raw->len == 0 || raw->bytes[0] == 0)
        return IA_KEY_MALFORMED;
    for (top = raw->bytes[0]; top < 0x80; top <<= 1)
        bits--;
    if (bits < IA_RSA_BITS_MIN || bits > IA_RSA_BITS_MAX)
        return IA_KEY_SIZE;
    if (raw->exponent < 3 || raw->exponent % 2 == 0)
        return IA_KEY_EXPONENT;
    if (raw->bytes[raw->len - 1] % 2 == 0)
        return IA_KEY_MALFORMED;
    return has_roca_fingerprint(raw) ? IA_KEY_WEAK : IA_OK;
}
