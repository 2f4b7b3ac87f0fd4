/* Participants and names in shared memory: tests every function and every result in one process. */
#include "unit/support.h"
#include "store.h"

typedef struct fixture {
    st_participants t;
    void *memory;
    apr_pool_t *p;
} fixture;

static fixture *open_participants(apr_pool_t *p, apr_uint32_t capacity)
{
    fixture *f = apr_pcalloc(p, sizeof *f);

    f->p = p;
    f->memory = participants_open(&f->t, capacity);
    return f;
}

static st_result load(fixture *f, unsigned from, unsigned count, apr_uint64_t version, st_load_report *report)
{
    ia_participants list;

    participants_make(&list, f->p, from, count, version);
    return st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, f->p, report);
}

static st_result find(fixture *f, const char *id, st_participant *copy, apr_uint32_t *index)
{
    return st_participant_find(&f->t, id, strlen(id), copy, index);
}

#define assert_report(report, a, c, r, k)                                                                              \
    do {                                                                                                               \
        assert_int_equal((report).added, a);                                                                           \
        assert_int_equal((report).changed, c);                                                                         \
        assert_int_equal((report).removed, r);                                                                         \
        assert_int_equal((report).kept, k);                                                                            \
    } while (0)

static void test_load_and_find(void **state)
{
    fixture *f = open_participants(*state, 10);
    st_load_report report;
    st_participant copy, again;
    apr_uint32_t index = 99;

    assert_int_equal(find(f, "p1", &copy, &index), ST_NOT_FOUND);
    assert_int_equal(index, 0);
    assert_true(st_participants_loaded(&f->t) == 0);
    assert_int_equal(load(f, 0, 5, 7, &report), ST_OK);
    assert_report(report, 5, 0, 0, 0);
    assert_int_equal(st_participants_count(&f->t), 5);
    assert_true(st_participants_loaded(&f->t) == NOW);
    assert_int_equal(find(f, "p3", &copy, &index), ST_OK);
    assert_string_equal(copy.id, "p3");
    assert_true(participant_is_whole(&copy) && copy.entitlement.expires == 7);
    assert_int_equal(st_participant_get(&f->t, index, copy.generation, &again), ST_OK);
    assert_memory_equal(&copy, &again, sizeof copy);
    assert_int_equal(st_participant_get(&f->t, index, 0, &again), ST_OK); /* in any generation */
    assert_int_equal(st_participant_get(&f->t, index, copy.generation + 1, &again), ST_GONE);
    assert_int_equal(st_participant_get(&f->t, 9, 0, &again), ST_GONE);
    assert_int_equal(st_participant_get(&f->t, 10, 1, &again), ST_GONE);
    assert_int_equal(st_participant_get(&f->t, APR_UINT32_MAX, 1, &again), ST_GONE);
}

/* If a look-up fails, the copy contains no secrets. */
static void test_failures_clear_the_copy(void **state)
{
    static const st_participant none;
    fixture *f = open_participants(*state, 4);
    st_load_report report;
    st_participant copy;
    char *id = apr_pcalloc(*state, 400);

    assert_int_equal(load(f, 0, 2, 7, &report), ST_OK);
    memset(&copy, 1, sizeof copy);
    assert_int_equal(find(f, "p9", &copy, NULL), ST_NOT_FOUND);
    assert_memory_equal(&copy, &none, sizeof copy);
    memset(&copy, 1, sizeof copy);
    assert_int_equal(st_participant_get(&f->t, 0, 77, &copy), ST_GONE);
    assert_memory_equal(&copy, &none, sizeof copy);
    /* A record with an id length above the maximum: nothing beyond the id is read. */
    memset(id, 'p', 399);
    assert_int_equal(st_participant_find(&f->t, id, 399, &copy, NULL), ST_NOT_FOUND);
    assert_int_equal(st_participant_find(&f->t, id, IA_NAME_MAX + 1, &copy, NULL), ST_NOT_FOUND);
    assert_int_equal(st_participant_find(&f->t, "", 0, &copy, NULL), ST_NOT_FOUND);
}

static void test_reload(void **state)
{
    fixture *f = open_participants(*state, 10);
    st_load_report report;
    st_participant before, after;
    apr_uint32_t index, now_at;
    apr_uint64_t revision;

    assert_int_equal(load(f, 0, 8, 1, &report), ST_OK);
    assert_int_equal(find(f, "p5", &before, &index), ST_OK);
    revision = st_participants_revision(&f->t);
    assert_int_equal(load(f, 0, 8, 1, &report), ST_OK);
    assert_report(report, 0, 0, 0, 8);
    assert_true(st_participants_revision(&f->t) != revision);
    assert_int_equal(load(f, 0, 8, 2, &report), ST_OK);
    assert_report(report, 0, 8, 0, 0);
    /* It is still the same participant, with the same index. */
    assert_int_equal(find(f, "p5", &after, &now_at), ST_OK);
    assert_true(after.generation == before.generation && now_at == index && after.entitlement.expires == 2);
    /* Half of them are replaced: a table of 10 can hold the new 8 only after the removal of old ones. */
    assert_int_equal(load(f, 4, 10, 2, &report), ST_OK);
    assert_report(report, 6, 0, 4, 4);
    assert_int_equal(st_participants_count(&f->t), 10);
    assert_int_equal(find(f, "p3", &after, NULL), ST_NOT_FOUND);
    assert_int_equal(st_participant_get(&f->t, index, before.generation, &after), ST_OK);
    /* A participant that is added again has another generation. */
    assert_int_equal(load(f, 0, 3, 2, &report), ST_OK);
    assert_report(report, 3, 0, 10, 0);
    assert_int_equal(st_participant_get(&f->t, index, before.generation, &after), ST_GONE);
    assert_int_equal(load(f, 5, 1, 2, &report), ST_OK);
    assert_int_equal(find(f, "p5", &after, NULL), ST_OK);
    assert_true(after.generation != before.generation);
    assert_int_equal(load(f, 0, 0, 2, &report), ST_OK);
    assert_report(report, 0, 0, 1, 0);
    assert_int_equal(st_participants_count(&f->t), 0);
}

/* The record has bytes; a look-up returns text. */
static void test_challenge_secrets(void **state)
{
    static const char md5[] = "b1c57edb47f7c218829f64253eec41c1";
    static const char hmac[] = "c4f93c87e54630eba5e95a8c4ef1447b9b5ef8b4dc03599a1f308261e9a93d02";
    static const char other[] = "d4f93c87e54630eba5e95a8c4ef1447b9b5ef8b4dc03599a1f308261e9a93d02";
    static const ia_challenge_secret none;
    fixture *f = open_participants(*state, 4);
    ia_participants list;
    st_load_report report;
    st_participant copy;
    ia_challenge_secret out;
    apr_uint64_t fingerprint;

    participants_make(&list, f->p, 0, 1, 7);
    assert_result(ia_challenge_secret_load(&list.list[0].challenge_md5, IA_CHALLENGE_PROFILE_MD5, LIT(md5)), IA_OK);
    assert_result(ia_challenge_secret_load(&list.list[0].challenge_hmac, IA_CHALLENGE_PROFILE_HMAC, LIT(hmac)), IA_OK);
    assert_int_equal(st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, f->p, &report), ST_OK);
    assert_int_equal(find(f, "p0", &copy, NULL), ST_OK);
    st_challenge_unpack(&out, &copy.challenge, IA_CHALLENGE_PROFILE_MD5);
    assert_memory_equal(&out, &list.list[0].challenge_md5, sizeof out);
    st_challenge_unpack(&out, &copy.challenge, IA_CHALLENGE_PROFILE_HMAC);
    assert_memory_equal(&out, &list.list[0].challenge_hmac, sizeof out);
    fingerprint = out.fingerprint;
    st_challenge_unpack(&out, &copy.challenge, IA_CHALLENGE_PROFILE_NONE);
    assert_memory_equal(&out, &none, sizeof none);
    /* Another secret has another fingerprint; a removed one has none. */
    list.list[0].challenge_md5 = none;
    assert_result(ia_challenge_secret_load(&list.list[0].challenge_hmac, IA_CHALLENGE_PROFILE_HMAC, LIT(other)), IA_OK);
    assert_int_equal(st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, f->p, &report), ST_OK);
    assert_report(report, 0, 1, 0, 0);
    assert_int_equal(find(f, "p0", &copy, NULL), ST_OK);
    assert_true(copy.challenge.hmac_fingerprint && copy.challenge.hmac_fingerprint != fingerprint);
    memset(&out, 1, sizeof out);
    st_challenge_unpack(&out, &copy.challenge, IA_CHALLENGE_PROFILE_MD5);
    assert_memory_equal(&out, &none, sizeof none);
    /* An incomplete secret is not used. */
    memcpy(list.list[0].challenge_hmac.text, "xy", 2);
    assert_int_equal(st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, f->p, &report), ST_OK);
    assert_int_equal(find(f, "p0", &copy, NULL), ST_OK);
    assert_true(copy.challenge.hmac_fingerprint == 0);
}

static void test_too_many(void **state)
{
    fixture *f = open_participants(*state, 5);
    st_load_report report;
    st_participant copy;

    assert_int_equal(load(f, 0, 5, 1, &report), ST_OK);
    assert_int_equal(load(f, 10, 6, 2, &report), ST_FULL);
    assert_report(report, 0, 0, 0, 0);
    assert_int_equal(st_participants_count(&f->t), 5);
    assert_int_equal(find(f, "p4", &copy, NULL), ST_OK);
    assert_int_equal(load(f, 10, 5, 2, &report), ST_OK); /* all are replaced */
    assert_report(report, 5, 0, 5, 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(load(f, 20 * (unsigned)i, 5, 2, &report), ST_OK);
}

static void name_one(ia_participants *list, apr_pool_t *p, const char *kind, unsigned from, unsigned count)
{
    list->list[0].capabilities = apr_pcalloc(p, (count + 1) * sizeof(char *));
    list->list[0].roles = list->list[0].capabilities;
    for (unsigned i = 0; i < count; i++)
        list->list[0].capabilities[i] = apr_psprintf(p, "%s%u", kind, from + i);
    list->list[0].capability_count = *kind == 'c' ? count : 0;
    list->list[0].role_count = *kind == 'r' ? count : 0;
}

/* A load that is refused because of its names adds none. */
static void test_names_full(void **state)
{
    fixture *f = open_participants(*state, 5);
    ia_participants list;
    st_load_report report;
    st_participant copy;
    int number;

    participants_make(&list, *state, 0, 2, 1);
    name_one(&list, *state, "c", 0, IA_CAPABILITIES_MAX + 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, *state, &report), ST_NAMES_FULL);
    assert_int_equal(st_participants_count(&f->t), 0);
    assert_int_equal(st_names_count(&f->t.capabilities), 0);
    name_one(&list, *state, "r", 0, ST_ROLES_MAX + 1);
    assert_int_equal(st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, *state, &report), ST_NAMES_FULL);
    assert_int_equal(st_names_count(&f->t.roles), 0);
    name_one(&list, *state, "c", 500, IA_CAPABILITIES_MAX);
    assert_int_equal(st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, *state, &report), ST_OK);
    name_one(&list, *state, "c", 499, 1);
    assert_int_equal(st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, *state, &report), ST_NAMES_FULL);
    name_one(&list, *state, "c", 700, 3);
    assert_int_equal(st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, *state, &report), ST_OK);
    number = st_names_find(&f->t.capabilities, "c701");
    assert_string_equal(st_names_get(&f->t.capabilities, number), "c701");
    assert_int_equal(find(f, "p0", &copy, NULL), ST_OK);
    assert_true(ia_capset_has(&copy.entitlement.capabilities, number));
    assert_true(!ia_capset_has(&copy.entitlement.capabilities, st_names_find(&f->t.capabilities, "c703")));
    name_one(&list, *state, "r", 0, 32);
    assert_int_equal(st_participants_load(&f->t, ST_SOURCE_FILE, &list, NOW, *state, &report), ST_OK);
    assert_int_equal(find(f, "p0", &copy, NULL), ST_OK);
    assert_true(copy.roles == 0xffffffff && ia_capset_is_empty(&copy.entitlement.capabilities));
}

static void test_name_table(void **state)
{
    st_names names;
    void *memory = shared_memory(st_names_size(3));
    char *longest = apr_pcalloc(*state, IA_NAME_MAX + 2), *longer = apr_pcalloc(*state, IA_NAME_MAX + 2);

    st_names_attach(&names, memory, 3);
    memset(longest, 'n', IA_NAME_MAX);
    memset(longer, 'n', IA_NAME_MAX + 1);
    assert_int_equal(st_names_find(&names, "a"), -1);
    assert_null(st_names_get(&names, 0));
    assert_int_equal(st_names_intern(&names, "a"), 0);
    assert_int_equal(st_names_intern(&names, "a"), 0);
    assert_int_equal(st_names_intern(&names, longer), -1);
    assert_int_equal(st_names_intern(&names, longest), 1);
    assert_int_equal(st_names_find(&names, longest), 1);
    assert_int_equal(st_names_find(&names, longer), -1);
    assert_string_equal(st_names_get(&names, 1), longest);
    assert_int_equal(st_names_intern(&names, "b"), 2);
    assert_int_equal(st_names_intern(&names, "c"), -1);
    assert_int_equal(st_names_find(&names, "b"), 2);
    assert_null(st_names_get(&names, -1));
    assert_null(st_names_get(&names, 3));
    /* As a hostile child may have written it. */
    *names.count = APR_UINT32_MAX;
    assert_int_equal(st_names_count(&names), 3);
    assert_null(st_names_get(&names, 3));
    memset(names.names[2], 'x', IA_NAME_MAX + 1);
    assert_null(st_names_get(&names, 2));
    assert_int_equal(st_names_find(&names, "b"), -1);
    assert_int_equal(st_names_intern(&names, "d"), -1);
}

static void test_size(void **state)
{
    (void)state;
    assert_true(st_participants_size(1000) > 1000 * sizeof(st_participant));
    if (sizeof(apr_size_t) == 8)
        assert_true(st_participants_size(APR_UINT32_MAX) > (apr_uint64_t)APR_UINT32_MAX * sizeof(st_participant));
}

static st_result load_from(fixture *f, st_source source, unsigned from, unsigned count, st_load_report *report)
{
    ia_participants list;

    participants_make(&list, f->p, from, count, 1);
    return st_participants_load(&f->t, source, &list, NOW, f->p, report);
}

/* A load replaces the records of its own source; those of the file override those of the database. */
static void test_sources(void **state)
{
    fixture *f = open_participants(*state, 6);
    st_load_report report;
    st_participant copy;

    assert_int_equal(load_from(f, ST_SOURCE_FILE, 0, 3, &report), ST_OK);
    assert_int_equal(load_from(f, ST_SOURCE_DATABASE, 2, 3, &report), ST_OK); /* p2 is in the file */
    assert_report(report, 2, 0, 0, 0);
    assert_int_equal(report.shadowed, 1);
    assert_int_equal(find(f, "p2", &copy, NULL), ST_OK);
    assert_true(copy.source == ST_SOURCE_FILE);
    assert_int_equal(load_from(f, ST_SOURCE_FILE, 0, 1, &report), ST_OK);
    assert_report(report, 0, 0, 2, 1);
    assert_int_equal(st_participants_count(&f->t), 3); /* p0; p3 and p4 */
    assert_int_equal(load_from(f, ST_SOURCE_DATABASE, 2, 3, &report), ST_OK);
    assert_report(report, 1, 0, 0, 2);
    assert_int_equal(load_from(f, ST_SOURCE_FILE, 3, 1, &report), ST_OK); /* replaces p3 */
    assert_report(report, 0, 1, 1, 0);
    assert_int_equal(find(f, "p3", &copy, NULL), ST_OK);
    assert_true(copy.source == ST_SOURCE_FILE);
}

/* A load that does not fit beside the other source is refused before anything changes. */
static void test_sources_full(void **state)
{
    fixture *f = open_participants(*state, 5);
    st_load_report report;

    assert_int_equal(load_from(f, ST_SOURCE_DATABASE, 0, 3, &report), ST_OK);
    assert_int_equal(load_from(f, ST_SOURCE_FILE, 10, 3, &report), ST_FULL);
    assert_int_equal(st_participants_count(&f->t), 3);
    assert_int_equal(load_from(f, ST_SOURCE_FILE, 2, 3, &report), ST_OK); /* one of them exists */
    assert_report(report, 2, 1, 0, 0);
    assert_int_equal(st_participants_count(&f->t), 5);
}

static void test_put_and_drop(void **state)
{
    fixture *f = open_participants(*state, 3);
    apr_uint64_t revision = st_participants_revision(&f->t);
    ia_participants list;
    st_load_report report;
    st_participant before, after;

    participants_make(&list, f->p, 0, 3, 7);
    assert_int_equal(st_participant_put(&f->t, ST_SOURCE_DATABASE, &list.list[0], NOW, f->p, &report), ST_OK);
    assert_report(report, 1, 0, 0, 0);
    assert_true(st_participants_revision(&f->t) != revision);
    assert_int_equal(find(f, "p0", &before, NULL), ST_OK);
    assert_true(participant_is_whole(&before) && before.source == ST_SOURCE_DATABASE);
    participants_make(&list, f->p, 0, 1, 8);
    assert_int_equal(st_participant_put(&f->t, ST_SOURCE_DATABASE, &list.list[0], NOW, f->p, &report), ST_OK);
    assert_report(report, 0, 1, 0, 0);
    assert_int_equal(st_participant_put(&f->t, ST_SOURCE_DATABASE, &list.list[0], NOW, f->p, &report), ST_OK);
    assert_report(report, 0, 0, 0, 1);
    assert_int_equal(find(f, "p0", &after, NULL), ST_OK);
    assert_true(participant_is_whole(&after) && after.generation == before.generation);

    assert_int_equal(st_participant_drop(&f->t, ST_SOURCE_FILE, "p0"), ST_NOT_FOUND);
    assert_int_equal(st_participant_drop(&f->t, ST_SOURCE_DATABASE, "p1"), ST_NOT_FOUND);
    revision = st_participants_revision(&f->t);
    assert_int_equal(st_participant_drop(&f->t, ST_SOURCE_DATABASE, "p0"), ST_OK);
    assert_true(st_participants_revision(&f->t) != revision);
    assert_int_equal(find(f, "p0", &after, NULL), ST_NOT_FOUND);
    assert_int_equal(st_participant_put(&f->t, ST_SOURCE_DATABASE, &list.list[0], NOW, f->p, &report), ST_OK);
    assert_int_equal(find(f, "p0", &after, NULL), ST_OK);
    assert_true(after.generation != before.generation);

    assert_int_equal(load(f, 1, 2, 7, &report), ST_OK);
    participants_make(&list, f->p, 9, 1, 7);
    assert_int_equal(st_participant_put(&f->t, ST_SOURCE_DATABASE, &list.list[0], NOW, f->p, &report), ST_FULL);
    participants_make(&list, f->p, 1, 1, 7);
    assert_int_equal(st_participant_put(&f->t, ST_SOURCE_DATABASE, &list.list[0], NOW, f->p, &report), ST_OK);
    assert_int_equal(report.shadowed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        pool_test(test_load_and_find), pool_test(test_failures_clear_the_copy),
        pool_test(test_reload),        pool_test(test_too_many),
        pool_test(test_names_full),    pool_test(test_name_table),
        pool_test(test_size),          pool_test(test_challenge_secrets),
        pool_test(test_sources),       pool_test(test_sources_full),
        pool_test(test_put_and_drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
