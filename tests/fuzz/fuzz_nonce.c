/*
 * Nonces. The first 16 bytes are used as a nonce, and as the value of a valid nonce of which one bit is then changed.
 * The rest is a sequence of issues and uses, whose results are compared with those of a complete model.
 */
#include "fuzz.h"
#include "interauth/nonce.h"
#include "nonce_window.h"

#define STEPS_MAX 512
#define LIFETIME  APR_UINT64_C(300)
#define START     APR_UINT64_C(100000)

static const unsigned char grant[IA_GRANT_ID_LEN] = "fuzzed grant id";

static void check_bytes(const uint8_t *data, const ia_mac_key *nonce_key)
{
    unsigned char nonce[IA_NONCE_LEN];
    apr_uint64_t value = 0;
    ia_nonce_claim claim;

    CHECK(ia_nonce_verify(&claim, data, nonce_key, grant) == IA_NONCE_FOREIGN);
    for (unsigned i = 0; i < 6; i++) {
        value = value << 8 | data[i];
    }
    if (data[6] & 1) {
        ia_nonce_mint_next(nonce, nonce_key, grant, value);
    } else {
        ia_nonce_mint_fresh(nonce, nonce_key, value);
    }
    CHECK(ia_nonce_verify(&claim, nonce, nonce_key, grant) == IA_OK);
    CHECK(claim.value == value && claim.kind == (data[6] & 1 ? IA_NONCE_NEXT : IA_NONCE_FRESH));
    nonce[data[7] % IA_NONCE_LEN] ^= (unsigned char)(1u << (data[7] >> 4) % 8);
    CHECK(ia_nonce_verify(&claim, nonce, nonce_key, grant) == IA_NONCE_FOREIGN);
}

typedef struct model {
    st_nonces state;
    apr_uint64_t now;
    ia_nonce_claim used[STEPS_MAX];
    unsigned count;
} model;

static int was_used(const model *m, const ia_nonce_claim *claim)
{
    for (unsigned i = 0; i < m->count; i++) {
        if (m->used[i].kind == claim->kind && m->used[i].value == claim->value) {
            return 1;
        }
    }
    return 0;
}

static void check_use(model *m, ia_nonce_kind kind, apr_uint64_t value)
{
    ia_nonce_claim claim = {kind, value};
    st_nonces before = m->state;
    int used = was_used(m, &claim), fine;
    st_result rc = st_nonces_use(&m->state, &claim, m->now, LIFETIME);

    CHECK(rc == ST_OK || memcmp(&before, &m->state, sizeof before) == 0);
    CHECK(!(used && rc == ST_OK));
    CHECK(m->state.issued == before.issued && m->state.top <= m->state.issued);
    if (kind == IA_NONCE_NEXT) {
        fine = value >= 1 && value <= before.issued && value + ST_NONCE_WINDOW > before.top && !used;
        CHECK(fine == (rc == ST_OK));
    } else {
        fine = value <= m->now && m->now - value <= LIFETIME && value > before.floor && !used;
        CHECK(fine == (rc == ST_OK));
        CHECK(m->state.floor >= before.floor);
    }
    if (rc == ST_OK) {
        m->used[m->count++] = claim;
    }
}

static void check_unused(const model *m)
{
    apr_uint64_t out[8];
    unsigned count = st_nonces_unused(&m->state, out, 8);

    for (unsigned i = 0; i < count; i++) {
        ia_nonce_claim claim = {IA_NONCE_NEXT, out[i]};
        st_nonces copy = m->state;

        CHECK(i == 0 || out[i] < out[i - 1]);
        CHECK(st_nonces_use(&copy, &claim, m->now, LIFETIME) == ST_OK);
    }
}

static void run(const uint8_t *program, size_t size)
{
    static model m;

    memset(&m, 0, sizeof m);
    m.now = START;
    for (size_t i = 0; i + 1 < size && i < 2 * STEPS_MAX; i += 2) {
        apr_uint64_t operand = program[i + 1];

        switch (program[i] % 6) {
        case 0:
            for (apr_uint64_t n = 0; n <= operand; n++) {
                CHECK(st_nonces_issue(&m.state) <= m.state.issued);
                CHECK(m.state.issued - m.state.top <= ST_NONCE_WINDOW);
            }
            break;
        case 1:
            check_use(&m, IA_NONCE_NEXT, m.state.issued + 4 - operand);
            break;
        case 2:
            check_use(&m, IA_NONCE_NEXT, m.state.top + 2 - operand);
            break;
        case 3:
            check_use(&m, IA_NONCE_FRESH, m.now + 2 - operand);
            break;
        case 4:
            m.now += operand;
            check_use(&m, IA_NONCE_FRESH, m.now - operand * 3);
            break;
        default:
            check_unused(&m);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ia_mac_key nonce_key;

    if (size < IA_NONCE_LEN) {
        return 0;
    }
    CHECK(ia_mac_key_load(&nonce_key, "the nonce key of the fuzzer", 23) == IA_OK);
    check_bytes(data, &nonce_key);
    run(data + IA_NONCE_LEN, size - IA_NONCE_LEN);
    return 0;
}
