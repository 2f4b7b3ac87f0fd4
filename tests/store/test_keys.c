/* Public keys in shared memory: tests every function and every result in one process. */
#include <openssl/evp.h>
#include "unit/support.h"
#include "store.h"
#include "key_table.h"

typedef struct fixture {
    st_participants owners;
    st_keys keys;
    apr_pool_t *p;
} fixture;

static fixture *open_keys(apr_pool_t *p, apr_uint32_t capacity)
{
    fixture *f = apr_pcalloc(p, sizeof *f);
    unsigned char random[32] = "a key that is good for this test";
    ia_mac_key hash_key;

    f->p = p;
    participants_open(&f->owners, 100);
    assert_result(ia_mac_key_load(&hash_key, random, sizeof random), IA_OK);
    st_keys_attach(&f->keys, shared_memory(st_keys_size(capacity)), capacity, &hash_key);
    return f;
}

/* The n-th of some valid keys: invalid points are refused. */
static const unsigned char *point(unsigned n)
{
    static unsigned char points[64][32];
    size_t len = 32;
    EVP_PKEY *key;

    assert_true(n < COUNT_OF(points));
    if (!points[n][0] && !points[n][31]) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        assert_int_equal(EVP_PKEY_get_raw_public_key(key, points[n], &len), 1);
        EVP_PKEY_free(key);
    }
    return points[n];
}

static ia_participant_key make_key(const char *kid, unsigned n)
{
    ia_participant_key key;

    memset(&key, 0, sizeof key);
    key.kid = kid;
    key.raw.type = IA_KEY_ED25519;
    key.raw.algorithm = IA_ALGORITHM_ED25519;
    key.raw.len = 32;
    memcpy(key.raw.bytes, point(n), 32);
    return key;
}

/* `count` participants p0, p1, ..; the n-th has the key "k" of the value first + n. */
static st_result load(fixture *f, unsigned count, unsigned first)
{
    ia_participants list;
    st_load_report report;
    unsigned i;

    participants_make(&list, f->p, 0, count, 1);
    for (i = 0; i < count; i++) {
        list.list[i].public_keys = apr_palloc(f->p, sizeof(ia_participant_key));
        list.list[i].public_keys[0] = make_key("k", first + i);
        list.list[i].public_key_count = 1;
    }
    assert_int_equal(st_participants_load(&f->owners, ST_SOURCE_FILE, &list, NOW, f->p, &report), ST_OK);
    return st_keys_load(&f->keys, &f->owners, &list, NOW, f->p);
}

static st_result find(fixture *f, const char *id, const char *kid, st_key *key)
{
    st_participant owner;
    st_owner of = {0};

    assert_int_equal(st_participant_find(&f->owners, id, strlen(id), &owner, &of.index), ST_OK);
    of.generation = owner.generation;
    return st_key_find(&f->keys, &of, kid, strlen(kid), key);
}

static void test_find(void **state)
{
    fixture *f = open_keys(*state, 10);
    st_key key, same;

    assert_int_equal(load(f, 3, 10), ST_OK);
    assert_int_equal(st_keys_count(&f->keys), 3);
    assert_int_equal(find(f, "p1", "k", &key), ST_OK);
    assert_memory_equal(key.raw.bytes, point(11), 32);
    assert_int_equal(find(f, "p1", "K", &key), ST_NOT_FOUND);
    assert_int_equal(find(f, "p1", "", &key), ST_NOT_FOUND);
    assert_int_equal(find(f, "p2", "k", &key), ST_OK);
    assert_int_equal(st_key_find_thumbprint(&f->keys, key.thumbprint, &same), ST_OK);
    assert_memory_equal(&key, &same, sizeof key);
    key.thumbprint[0] ^= 1;
    assert_int_equal(st_key_find_thumbprint(&f->keys, key.thumbprint, &same), ST_NOT_FOUND);
}

/* A kid is found only for its owner, in the same generation. */
static void test_owner(void **state)
{
    fixture *f = open_keys(*state, 10);
    st_owner other;
    st_key key;

    assert_int_equal(load(f, 2, 10), ST_OK);
    assert_int_equal(find(f, "p0", "k", &key), ST_OK);
    other = key.owner;
    other.index++;
    assert_int_equal(st_key_find(&f->keys, &other, "k", 1, &key), ST_NOT_FOUND);
    other.index--;
    other.generation += 100;
    assert_int_equal(st_key_find(&f->keys, &other, "k", 1, &key), ST_NOT_FOUND);
}

static void test_rotation(void **state)
{
    fixture *f = open_keys(*state, 10);
    st_key old, key;

    assert_int_equal(load(f, 3, 10), ST_OK);
    assert_int_equal(find(f, "p0", "k", &old), ST_OK);
    assert_int_equal(load(f, 3, 50), ST_OK);
    assert_int_equal(find(f, "p0", "k", &key), ST_OK);
    assert_memory_equal(key.raw.bytes, point(50), 32);
    assert_int_equal(st_key_find_thumbprint(&f->keys, old.thumbprint, &key), ST_NOT_FOUND);
    assert_int_equal(load(f, 1, 50), ST_OK);
    assert_int_equal(st_keys_count(&f->keys), 1);
    assert_int_equal(load(f, 0, 0), ST_OK);
    assert_int_equal(st_keys_count(&f->keys), 0);
}

/* A key that moves to another participant is that one's at once. */
static void test_moves(void **state)
{
    fixture *f = open_keys(*state, 3);
    st_key key;

    assert_int_equal(load(f, 3, 10), ST_OK); /* 10 11 12 */
    assert_int_equal(load(f, 3, 11), ST_OK); /* 11 12 13: two of them change owners, in a full table */
    assert_int_equal(find(f, "p0", "k", &key), ST_OK);
    assert_memory_equal(key.raw.bytes, point(11), 32);
    assert_int_equal(find(f, "p2", "k", &key), ST_OK);
    assert_memory_equal(key.raw.bytes, point(13), 32);
    assert_int_equal(st_keys_count(&f->keys), 3);
}

static void test_full(void **state)
{
    fixture *f = open_keys(*state, 2);
    st_key key;

    assert_int_equal(load(f, 2, 10), ST_OK);
    assert_int_equal(load(f, 3, 10), ST_FULL);
    assert_int_equal(find(f, "p1", "k", &key), ST_OK); /* nothing changed */
    assert_int_equal(find(f, "p2", "k", &key), ST_NOT_FOUND);
}

/* One owner at a time: keys are added, changed and removed; those of others stay. */
static void test_put_owner(void **state)
{
    fixture *f = open_keys(*state, 10);
    ia_participant owner;
    ia_participants list;
    ia_participant_key keys[2] = {make_key("k", 30), make_key("l", 31)};
    st_key old, key;

    assert_int_equal(load(f, 2, 10), ST_OK);
    assert_int_equal(find(f, "p0", "k", &old), ST_OK);
    participants_make(&list, f->p, 0, 1, 1);
    owner = list.list[0];
    owner.public_keys = keys;
    owner.public_key_count = 2;
    assert_int_equal(st_keys_put_owner(&f->keys, &f->owners, &owner, NOW, f->p), ST_OK);
    assert_int_equal(st_keys_count(&f->keys), 3);
    assert_int_equal(find(f, "p0", "k", &key), ST_OK);
    assert_memory_equal(key.raw.bytes, point(30), 32);
    assert_int_equal(find(f, "p0", "l", &key), ST_OK);
    assert_int_equal(find(f, "p1", "k", &key), ST_OK);
    assert_memory_equal(key.raw.bytes, point(11), 32);
    assert_int_equal(st_key_find_thumbprint(&f->keys, old.thumbprint, &key), ST_NOT_FOUND);
    /* The same key with another end: found by its kid and by its thumbprint. */
    keys[0].not_after = NOW;
    assert_int_equal(st_keys_put_owner(&f->keys, &f->owners, &owner, NOW, f->p), ST_OK);
    assert_int_equal(st_keys_count(&f->keys), 3);
    assert_int_equal(find(f, "p0", "k", &key), ST_OK);
    assert_true(key.not_after == NOW);
    assert_int_equal(st_key_find_thumbprint(&f->keys, key.thumbprint, &old), ST_OK);
    assert_memory_equal(&old, &key, sizeof key);
    owner.public_key_count = 0;
    assert_int_equal(st_keys_put_owner(&f->keys, &f->owners, &owner, NOW, f->p), ST_OK);
    assert_int_equal(st_keys_count(&f->keys), 1);
    assert_int_equal(st_key_find_thumbprint(&f->keys, key.thumbprint, &old), ST_NOT_FOUND);
    owner.id = "nobody";
    assert_int_equal(st_keys_put_owner(&f->keys, &f->owners, &owner, NOW, f->p), ST_NOT_FOUND);
}

/* In a full table an old key is replaced by the new one; further keys are refused. */
static void test_put_owner_into_a_full_table(void **state)
{
    fixture *f = open_keys(*state, 3);
    ia_participant_key keys[2] = {make_key("k", 30), make_key("l", 31)};
    ia_participants list;
    st_key key;

    assert_int_equal(load(f, 3, 10), ST_OK);
    participants_make(&list, f->p, 0, 1, 1);
    list.list[0].public_keys = keys;
    list.list[0].public_key_count = 1;
    assert_int_equal(st_keys_put_owner(&f->keys, &f->owners, &list.list[0], NOW, f->p), ST_OK);
    assert_int_equal(find(f, "p0", "k", &key), ST_OK);
    assert_memory_equal(key.raw.bytes, point(30), 32);
    list.list[0].public_key_count = 2;
    assert_int_equal(st_keys_put_owner(&f->keys, &f->owners, &list.list[0], NOW, f->p), ST_FULL);
    assert_int_equal(find(f, "p0", "k", &key), ST_OK);
    assert_int_equal(find(f, "p2", "k", &key), ST_OK);
}

/* A load keeps the keys of participants of other sources, and removes those of removed participants. */
static void test_sources(void **state)
{
    fixture *f = open_keys(*state, 10);
    ia_participant_key one = make_key("k", 30);
    ia_participants list;
    st_load_report report;
    st_key key;

    participants_make(&list, f->p, 7, 1, 1);
    list.list[0].public_keys = &one;
    list.list[0].public_key_count = 1;
    assert_int_equal(st_participant_put(&f->owners, ST_SOURCE_DATABASE, &list.list[0], NOW, f->p, &report), ST_OK);
    assert_int_equal(st_keys_put_owner(&f->keys, &f->owners, &list.list[0], NOW, f->p), ST_OK);
    assert_int_equal(load(f, 2, 10), ST_OK);
    assert_int_equal(st_keys_count(&f->keys), 3);
    assert_int_equal(find(f, "p7", "k", &key), ST_OK);
    assert_int_equal(st_participant_drop(&f->owners, ST_SOURCE_DATABASE, "p7"), ST_OK);
    assert_int_equal(load(f, 2, 10), ST_OK);
    assert_int_equal(st_keys_count(&f->keys), 2);
    assert_int_equal(st_key_find_thumbprint(&f->keys, key.thumbprint, &key), ST_NOT_FOUND);
}

/* Every key is returned for some number; a number without a key gives the next one. */
static void test_any(void **state)
{
    fixture *f = open_keys(*state, 40);
    unsigned seen = 0, n;
    st_key key;

    assert_int_equal(st_key_any(&f->keys, 7, &key), ST_NOT_FOUND);
    assert_int_equal(load(f, 4, 10), ST_OK);
    for (n = 0; n < 4; n++) {
        assert_int_equal(st_key_any(&f->keys, n + 4 * APR_UINT64_C(0x4000000000000000) / 4, &key), ST_OK);
        seen |= 1u << key.owner.index;
    }
    assert_int_equal(seen, 15);
    assert_int_equal(load(f, 1, 10), ST_OK);
    for (n = 0; n < 4; n++) {
        assert_int_equal(st_key_any(&f->keys, n, &key), ST_OK);
        assert_memory_equal(key.raw.bytes, point(10), 32);
    }
    assert_int_equal(load(f, 0, 0), ST_OK);
    assert_int_equal(st_key_any(&f->keys, 1, &key), ST_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_find),
        pool_test(test_owner),
        pool_test(test_rotation),
        pool_test(test_moves),
        pool_test(test_full),
        pool_test(test_put_owner),
        pool_test(test_put_owner_into_a_full_table),
        pool_test(test_sources),
        pool_test(test_any),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
