/* The hash table: tests every function and every result in one process. */
#include "unit/support.h"
#include "store.h"

typedef struct item {
    apr_uint64_t key;
    apr_uint64_t value;
    apr_uint64_t counted;
} item;

typedef struct fixture {
    st_table table;
    void *memory;
    apr_size_t size;
    int admitted, freed; /* by the callbacks */
    apr_uint32_t limit;
} fixture;

static int match_item(const void *payload, const void *key)
{
    return ((const item *)payload)->key == *(const apr_uint64_t *)key;
}

static int admit(void *context, void *payload, apr_uint32_t limit)
{
    fixture *f = context;

    f->limit = limit;
    if (f->admitted - f->freed >= (int)limit)
        return 0;
    ((item *)payload)->counted = 1;
    f->admitted++;
    return 1;
}

static void on_free(void *context, void *payload)
{
    fixture *f = context;

    f->freed += ((item *)payload)->counted == 1;
    ((item *)payload)->counted = 0;
}

static fixture *open_table(apr_uint32_t capacity)
{
    fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->size = st_table_size(capacity, sizeof(item));
    f->memory = shared_memory(f->size);
    st_table_attach(&f->table, f->memory, capacity, sizeof(item), admit, on_free, f);
    return f;
}

static void close_table(fixture *f)
{
    shared_memory_free(f->memory, f->size);
    free(f);
}

/* A hash with few values, so that keys share buckets. */
static apr_uint64_t hash_of(apr_uint64_t key)
{
    return key % 5 || key > 100 ? key * 77 : 1000;
}

static apr_status_t insert_until(fixture *f, apr_uint64_t key, apr_time_t expires, apr_time_t now, st_ref *ref)
{
    item payload = {key, key * 3, 0};
    st_insertion what = {hash_of(key), match_item, &key, &payload, expires, 1000000};

    return st_table_insert(&f->table, &what, now, ref);
}

static apr_status_t insert(fixture *f, apr_uint64_t key)
{
    return insert_until(f, key, ST_NEVER, NOW, NULL);
}

static apr_status_t find(fixture *f, apr_uint64_t key, item *copy, st_ref *ref)
{
    return st_table_read(&f->table, hash_of(key), match_item, &key, copy, ref);
}

static int has(fixture *f, apr_uint64_t key)
{
    item copy = {0, 0, 0};
    apr_status_t rv = find(f, key, &copy, NULL);

    assert_true(rv == APR_SUCCESS || rv == APR_NOTFOUND);
    assert_true(rv || (copy.key == key && copy.value == key * 3));
    return !rv;
}

static apr_status_t remove_key(fixture *f, apr_uint64_t key)
{
    st_held held;
    apr_status_t rv = st_table_hold_key(&f->table, hash_of(key), match_item, &key, &held);

    if (!rv)
        st_table_remove(&f->table, &held);
    return rv;
}

static void test_sizes(void **state)
{
    apr_uint64_t most = APR_UINT32_MAX;

    (void)state;
    assert_true(st_table_size(1, 8) >= sizeof(struct st_table_shared) + 256 * 4 + 40);
    assert_true(st_table_size(1000, 400) > st_table_size(999, 400) - 1);
    /* Sizes do not overflow: the largest table has the size of its records and buckets, or is too large for the machine. */
    if (sizeof(apr_size_t) == 8)
        assert_true(st_table_size((apr_uint32_t)most, 1008) >= most * 1040 + most / 2 * 4);
    else
        assert_true(st_table_size((apr_uint32_t)most, 1008) >= APR_SIZE_MAX / 2);
    assert_true(st_size_sum(1, 2) == 3);
    assert_true(st_size_sum(APR_SIZE_MAX, 1) == APR_SIZE_MAX / 2);
    assert_true(st_size_sum(APR_SIZE_MAX / 2, APR_SIZE_MAX / 2) == APR_SIZE_MAX / 2);
    assert_true(st_size_sum(st_size_sum(APR_UINT64_MAX, APR_UINT64_MAX), 64) >= APR_SIZE_MAX / 2);
}

static void test_insert_find_remove(void **state)
{
    static const apr_uint32_t capacities[] = {1, 2, 7, 100, 256, 1000};

    (void)state;
    for (unsigned c = 0; c < COUNT_OF(capacities); c++) {
        apr_uint32_t capacity = capacities[c];
        fixture *f = open_table(capacity);

        assert_int_equal(st_table_live(&f->table), 0);
        for (apr_uint32_t round = 0; round < 3; round++) {
            for (apr_uint64_t i = 1; i <= capacity; i++) {
                assert_int_equal(has(f, i), 0);
                assert_int_equal(insert(f, i), APR_SUCCESS);
                assert_int_equal(insert(f, i), i < capacity ? APR_EEXIST : APR_ENOSPC);
                assert_int_equal(st_table_live(&f->table), i);
            }
            assert_int_equal(st_table_high_water(&f->table), capacity);
            for (apr_uint64_t i = 1; i <= capacity; i++)
                assert_int_equal(has(f, i), 1);
            for (apr_uint64_t i = 1; i <= capacity; i += 2)
                assert_int_equal(remove_key(f, i), APR_SUCCESS);
            for (apr_uint64_t i = 1; i <= capacity; i++)
                assert_int_equal(has(f, i), i % 2 == 0);
            for (apr_uint64_t i = 2; i <= capacity; i += 2)
                assert_int_equal(remove_key(f, i), APR_SUCCESS);
            assert_int_equal(remove_key(f, 1), APR_NOTFOUND);
            assert_int_equal(st_table_live(&f->table), 0);
            assert_int_equal(f->admitted, f->freed);
        }
        close_table(f);
    }
}

static void test_no_capacity(void **state)
{
    fixture *f = open_table(0);

    (void)state;
    assert_int_equal(insert(f, 1), APR_ENOSPC);
    assert_int_equal(has(f, 1), 0);
    st_table_sweep(&f->table, NOW);
    close_table(f);
}

static void test_admission(void **state)
{
    fixture *f = open_table(8);
    item payload = {1, 3, 0};
    st_insertion what = {hash_of(1), match_item, &payload.key, &payload, ST_NEVER, 1};

    (void)state;
    assert_int_equal(st_table_insert(&f->table, &what, NOW, NULL), APR_SUCCESS);
    assert_int_equal(f->limit, 1);
    /* An existing key is reported as such, even if the quota or the table is full, and is not counted. */
    assert_int_equal(st_table_insert(&f->table, &what, NOW, NULL), APR_EEXIST);
    assert_int_equal(f->admitted - f->freed, 1);
    payload.key = 2;
    what.hash = hash_of(2);
    for (int i = 0; i < 100; i++)
        assert_int_equal(st_table_insert(&f->table, &what, NOW, NULL), APR_EACCES);
    assert_int_equal(f->admitted - f->freed, 1);
    assert_int_equal(st_table_live(&f->table), 1);
    assert_int_equal(has(f, 2), 0);
    what.limit = 2;
    assert_int_equal(st_table_insert(&f->table, &what, NOW, NULL), APR_SUCCESS);
    close_table(f);
}

static void test_full_never_evicts(void **state)
{
    fixture *f = open_table(10);

    (void)state;
    for (apr_uint64_t i = 1; i <= 10; i++)
        assert_int_equal(insert_until(f, i, NOW + 100 * SEC + (apr_time_t)i, NOW, NULL), APR_SUCCESS);
    for (apr_uint64_t i = 11; i <= 100; i++)
        assert_int_equal(insert_until(f, i, NOW + 1000 * SEC, NOW + 99 * SEC, NULL), APR_ENOSPC);
    for (apr_uint64_t i = 1; i <= 10; i++)
        assert_int_equal(has(f, i), 1);
    /* One expires: exactly one more fits. An expired record stays until its place is needed. */
    assert_int_equal(insert_until(f, 11, NOW + 1000 * SEC, NOW + 101 * SEC + 1, NULL), APR_SUCCESS);
    for (apr_uint64_t i = 1, there = 0; i <= 10; i++) {
        there += (apr_uint64_t)has(f, i);
        if (i == 10)
            assert_int_equal(there, 9);
    }
    assert_int_equal(has(f, 11), 1);
    close_table(f);
}

static void test_full_recovers(void **state)
{
    fixture *f = open_table(4);
    apr_time_t now;

    (void)state;
    for (apr_uint64_t i = 1; i <= 4; i++)
        assert_int_equal(insert_until(f, i, NOW + 10 * SEC, NOW, NULL), APR_SUCCESS);
    assert_int_equal(insert_until(f, 5, NOW + 20 * SEC, NOW + 9 * SEC, NULL), APR_ENOSPC);
    /* Insertions do not delay the removal of other expired records. */
    for (now = NOW + 9 * SEC; now < NOW + 12 * SEC; now += SEC / 10)
        if (insert_until(f, 5, NOW + 20 * SEC, now, NULL) == APR_SUCCESS)
            break;
    assert_true(now >= NOW + 10 * SEC && now <= NOW + 11 * SEC);
    close_table(f);
}

static void test_room_is_used_at_once(void **state)
{
    fixture *f = open_table(4);

    (void)state;
    for (apr_uint64_t i = 1; i <= 4; i++)
        assert_int_equal(insert(f, i), APR_SUCCESS);
    assert_int_equal(insert(f, 5), APR_ENOSPC);
    assert_int_equal(remove_key(f, 2), APR_SUCCESS);
    assert_int_equal(insert(f, 5), APR_SUCCESS);
    assert_int_equal(insert(f, 6), APR_ENOSPC);
    /* Records freed by a sweep are usable at once, too. */
    assert_int_equal(remove_key(f, 5), APR_SUCCESS);
    assert_int_equal(insert_until(f, 7, NOW + SEC, NOW, NULL), APR_SUCCESS);
    assert_int_equal(insert_until(f, 8, ST_NEVER, NOW + SEC - 1, NULL), APR_ENOSPC);
    st_table_sweep(&f->table, NOW + SEC);
    assert_int_equal(insert_until(f, 8, ST_NEVER, NOW + SEC, NULL), APR_SUCCESS);
    close_table(f);
}

/* Times of different processes differ a little, and the clock may be set back. */
static void test_clock(void **state)
{
    fixture *f = open_table(4);
    struct st_table_shared *shared = f->table.shared;
    apr_uint64_t hand;

    (void)state;
    for (apr_uint64_t i = 1; i <= 4; i++)
        assert_int_equal(insert_until(f, i, NOW + 10 * SEC, NOW, NULL), APR_SUCCESS);
    assert_int_equal(insert_until(f, 5, NOW + 20 * SEC, NOW + 5 * SEC, NULL), APR_ENOSPC);
    hand = shared->hand;
    for (int i = 0; i < 100; i++)
        assert_int_equal(insert_until(f, 5, NOW + 20 * SEC, NOW + 5 * SEC - i * 1000, NULL), APR_ENOSPC);
    assert_true(shared->hand == hand); /* no second sweep */
    assert_int_equal(insert_until(f, 5, NOW + 20 * SEC, NOW - 3600 * SEC, NULL), APR_ENOSPC);
    assert_true(shared->hand != hand); /* an earlier time in the future is ignored */
    for (apr_uint64_t i = 1; i <= 4; i++)
        assert_int_equal(has(f, i), 1);

    st_table_sweep(&f->table, NOW + 9 * SEC);
    st_table_sweep(&f->table, NOW + 9 * SEC + SEC / 2);
    assert_true(shared->swept_at == NOW + 9 * SEC);
    st_table_sweep(&f->table, NOW + 9 * SEC - 1000);
    assert_true(shared->swept_at == NOW + 9 * SEC);
    st_table_sweep(&f->table, NOW - 3600 * SEC);
    assert_true(shared->swept_at == NOW - 3600 * SEC);
    assert_int_equal(st_table_live(&f->table), 4);
    st_table_sweep(&f->table, NOW + 10 * SEC);
    assert_int_equal(st_table_live(&f->table), 0);
    assert_int_equal(f->admitted, f->freed);
    close_table(f);
}

static void test_counters_wrap(void **state)
{
    static const apr_uint64_t hands[] = {APR_UINT64_C(0xfffffffd), APR_UINT64_C(0xfffffffffffffffd)};

    (void)state;
    for (unsigned h = 0; h < COUNT_OF(hands); h++) {
        fixture *f = open_table(7);
        struct st_table_shared *shared = f->table.shared;
        int refused = 0;

        shared->hand = hands[h];
        shared->frees = APR_UINT32_MAX - 1;
        for (int i = 0; i < ST_STRIPES; i++)
            shared->stripes[i].unlinks = APR_UINT32_MAX;
        for (apr_uint32_t i = 0; i < 7; i++)
            record_at(&f->table, i)->version = APR_UINT32_MAX - 1;
        for (apr_uint64_t i = 1; i <= 7; i++)
            refused += insert(f, i) != APR_SUCCESS;
        assert_true(h || !refused); /* a 32-bit hand would skip records when it wraps around */
        for (apr_uint64_t i = 1; i <= 7; i++) {
            st_ref ref;
            st_held held;
            item copy;

            if (find(f, i, &copy, &ref))
                continue;
            assert_int_equal(st_table_hold(&f->table, ref, &held), APR_SUCCESS);
            st_table_remove(&f->table, &held);
            assert_int_equal(st_table_hold(&f->table, ref, &held), APR_NOTFOUND);
            assert_int_equal(has(f, i), 0);
        }
        assert_int_equal(st_table_live(&f->table), 0);
        close_table(f);
    }
}

/* The last free record is found wherever the search begins, also when a hand of 32 bits wraps. */
static void test_hand_wraps(void **state)
{
    fixture *f = open_table(7);
    apr_uint32_t index, before;

    (void)state;
    for (apr_uint64_t i = 1; i <= 7; i++)
        assert_int_equal(insert(f, i), APR_SUCCESS);
    for (index = 0; index < 7; index++) {
        for (before = 0; before < 9; before++) {
            apr_uint64_t key = ((item *)payload_of(record_at(&f->table, index)))->key;

            assert_int_equal(remove_key(f, key), APR_SUCCESS);
            f->table.shared->hand = APR_UINT64_C(0x100000000) - before;
            assert_int_equal(insert(f, key), APR_SUCCESS);
        }
    }
    close_table(f);
}

static void test_refs(void **state)
{
    fixture *f = open_table(3);
    item copy, *in_place;
    st_ref ref, other, wild = {3, 0}, wilder = {APR_UINT32_MAX, 2};
    st_held held;

    (void)state;
    assert_int_equal(insert_until(f, 1, NOW + 10 * SEC, NOW, &ref), APR_SUCCESS);
    assert_int_equal(find(f, 1, &copy, &other), APR_SUCCESS);
    assert_memory_equal(&ref, &other, sizeof ref);
    assert_int_equal(st_table_read_at(&f->table, ref.index, &copy, &other), APR_SUCCESS);
    assert_memory_equal(&ref, &other, sizeof ref);
    assert_true(copy.key == 1);

    assert_int_equal(st_table_hold(&f->table, ref, &held), APR_SUCCESS);
    in_place = held.payload;
    in_place->value = 33;
    st_table_set_expires(&f->table, &held, NOW + 20 * SEC);
    st_table_release(&f->table, &held);
    assert_true(st_table_expires(&f->table, ref) == NOW + 20 * SEC);
    assert_int_equal(find(f, 1, &copy, NULL), APR_SUCCESS);
    assert_true(copy.value == 33);

    assert_int_equal(st_table_hold(&f->table, wild, &held), APR_NOTFOUND);
    assert_int_equal(st_table_hold(&f->table, wilder, &held), APR_NOTFOUND);
    assert_int_equal(st_table_read_at(&f->table, 3, &copy, NULL), APR_NOTFOUND);
    assert_int_equal(st_table_read_at(&f->table, APR_UINT32_MAX, &copy, NULL), APR_NOTFOUND);
    assert_int_equal(st_table_read_at(&f->table, 2, &copy, NULL), APR_NOTFOUND);
    assert_true(st_table_expires(&f->table, wild) == 0);
    assert_int_equal(st_table_ref_at(&f->table, 3, &other), 0);
    assert_int_equal(st_table_ref_at(&f->table, 2, &other), 0);
    assert_int_equal(st_table_ref_at(&f->table, ref.index, &other), 1);
    assert_int_equal(st_table_overwrite(&f->table, 3, &copy), APR_NOTFOUND);
    assert_int_equal(st_table_overwrite(&f->table, 2, &copy), APR_NOTFOUND);

    copy.value = 44;
    assert_int_equal(st_table_overwrite(&f->table, ref.index, &copy), APR_SUCCESS);
    assert_int_equal(find(f, 1, &copy, &other), APR_SUCCESS);
    assert_true(copy.value == 44 && other.version != ref.version);
    assert_int_equal(st_table_hold(&f->table, ref, &held), APR_NOTFOUND);
    assert_int_equal(st_table_hold(&f->table, other, &held), APR_SUCCESS);
    st_table_remove(&f->table, &held);
    assert_int_equal(st_table_hold(&f->table, other, &held), APR_NOTFOUND);
    assert_int_equal(st_table_read_at(&f->table, ref.index, &copy, NULL), APR_NOTFOUND);
    close_table(f);
}

/* A removed record is wiped, and a record that is being built cannot be read. */
static void test_removed_is_not_found(void **state)
{
    fixture *f = open_table(1);
    st_record *r = record_at(&f->table, 0);
    const unsigned char *bytes = payload_of(r);
    item copy;
    st_ref ref;
    st_held held;

    (void)state;
    assert_int_equal(insert_until(f, 1, ST_NEVER, NOW, &ref), APR_SUCCESS);
    assert_int_equal(remove_key(f, 1), APR_SUCCESS);
    for (unsigned i = 0; i < sizeof(item); i++)
        assert_int_equal(bytes[i], 0);
    /* Claimed, but not begun. */
    r->claim = st_owner_self();
    assert_int_equal(st_table_read_at(&f->table, 0, &copy, NULL), APR_NOTFOUND);
    ref.version = r->version;
    assert_int_equal(st_table_hold(&f->table, ref, &held), APR_NOTFOUND);
    /* Built, but not linked: its builder may still find that the key exists. */
    r->expires = ST_NEVER;
    assert_int_equal(st_table_read_at(&f->table, 0, &copy, NULL), APR_NOTFOUND);
    assert_int_equal(st_table_hold(&f->table, ref, &held), APR_NOTFOUND);
    r->expires = 0;
    r->claim = CLAIM_FREE;
    /* Expired, and being removed: no reader finds it, although it is still linked. */
    assert_int_equal(insert_until(f, 2, ST_NEVER, NOW, &ref), APR_SUCCESS);
    r->expires = 0;
    assert_int_equal(has(f, 2), 0);
    assert_int_equal(st_table_read_at(&f->table, 0, &copy, NULL), APR_NOTFOUND);
    assert_int_equal(st_table_hold(&f->table, ref, &held), APR_NOTFOUND);
    assert_int_equal(insert(f, 2), APR_SUCCESS);
    close_table(f);
}

static void test_sweep_rests_longer_for_more_records(void **state)
{
    fixture *f = open_table(400000);
    struct st_table_shared *shared = f->table.shared;

    (void)state;
    st_table_sweep(&f->table, NOW);
    st_table_sweep(&f->table, NOW + 2 * SEC);
    assert_true(shared->swept_at == NOW + 2 * SEC);
    shared->high_water = 400000;
    st_table_sweep(&f->table, NOW + 3 * SEC + SEC / 2);
    assert_true(shared->swept_at == NOW + 2 * SEC);
    st_table_sweep(&f->table, NOW + 5 * SEC);
    assert_true(shared->swept_at == NOW + 5 * SEC);
    close_table(f);
}

static void test_counts_are_corrected(void **state)
{
    fixture *f = open_table(10);

    (void)state;
    for (apr_uint64_t i = 1; i <= 5; i++)
        assert_int_equal(insert(f, i), APR_SUCCESS);
    f->table.shared->live = 2;
    st_table_sweep(&f->table, NOW);
    assert_int_equal(st_table_live(&f->table), 5);
    f->table.shared->live = 0;
    assert_int_equal(remove_key(f, 1), APR_SUCCESS); /* a count does not go below 0 */
    assert_int_equal(st_table_live(&f->table), 0);
    st_table_recount(&f->table);
    assert_int_equal(st_table_live(&f->table), 4);
    f->table.shared->live = 4000;
    f->table.shared->high_water = 4000;
    assert_int_equal(st_table_live(&f->table), 10);
    assert_int_equal(st_table_high_water(&f->table), 10);
    close_table(f);
}

/* Many keys in one chain: up to the longest valid chain, then a fault, never a second copy. */
static void test_long_chain(void **state)
{
    fixture *f = open_table(400);
    apr_status_t rv = APR_SUCCESS;
    apr_uint64_t key;
    item copy;

    (void)state;
    for (key = 1; key < 300 && !rv; key++) {
        item payload = {key, key * 3, 0};
        st_insertion what = {42, match_item, &key, &payload, ST_NEVER, 1000};

        rv = st_table_insert(&f->table, &what, NOW, NULL);
    }
    assert_int_equal(rv, APR_EGENERAL);
    for (apr_uint64_t i = 1; i < key - 1; i++)
        assert_int_equal(st_table_read(&f->table, 42, match_item, &i, &copy, NULL), APR_SUCCESS);
    assert_int_equal(st_table_live(&f->table), key - 2);
    close_table(f);
}

static void test_against_a_model(void **state)
{
    enum { CAPACITY = 50, KEYS = 120 };
    fixture *f = open_table(CAPACITY);
    apr_time_t until[KEYS] = {0}, now = NOW;
    uint64_t seed = 77;
    unsigned full = 0, exists = 0, reused = 0;

    (void)state;
    for (unsigned step = 0; step < 200000; step++) {
        unsigned k = (unsigned)(next_random(&seed) % KEYS), live = 0, held = 0;
        int there = has(f, k + 1);

        now += (apr_time_t)(next_random(&seed) % (SEC / 4));
        assert_true(there || until[k] <= now); /* never removed before it expires */
        for (unsigned i = 0; i < KEYS; i++)
            live += until[i] > now;
        if (next_random(&seed) % 3) {
            apr_time_t expires = now + (apr_time_t)(next_random(&seed) % (40 * SEC)) + 1;
            apr_status_t rv = insert_until(f, k + 1, expires, now, NULL);

            if (rv == APR_SUCCESS) {
                assert_true(until[k] <= now && live < CAPACITY);
                reused += until[k] != 0;
                until[k] = expires;
            } else if (rv == APR_EEXIST) {
                assert_int_equal(there, 1);
                exists++;
            } else {
                assert_int_equal(rv, APR_ENOSPC);
                full++;
            }
        } else if (next_random(&seed) % 2) {
            assert_int_equal(remove_key(f, k + 1), there ? APR_SUCCESS : APR_NOTFOUND);
            until[k] = 0;
        } else if (step % 50 == 0) {
            st_table_sweep(&f->table, now);
        }
        if (step % 1000 == 0) {
            for (unsigned i = 0; i < KEYS; i++)
                held += (unsigned)has(f, i + 1);
            assert_int_equal(held, st_table_live(&f->table));
            assert_int_equal(held, f->admitted - f->freed);
        }
    }
    assert_true(full > 100 && exists > 100 && reused > 1000);
    close_table(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_insert_find_remove),
        cmocka_unit_test(test_no_capacity),
        cmocka_unit_test(test_admission),
        cmocka_unit_test(test_full_never_evicts),
        cmocka_unit_test(test_full_recovers),
        cmocka_unit_test(test_room_is_used_at_once),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_counters_wrap),
        cmocka_unit_test(test_hand_wraps),
        cmocka_unit_test(test_refs),
        cmocka_unit_test(test_removed_is_not_found),
        cmocka_unit_test(test_sweep_rests_longer_for_more_records),
        cmocka_unit_test(test_counts_are_corrected),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_against_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
