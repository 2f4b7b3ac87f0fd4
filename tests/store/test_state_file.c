/* The state file: refused directories and modes, keys, locks, round trips, and changes of every byte. */
#include "unit/support.h"
#include "store.h"
#include <fcntl.h>
#include <sys/stat.h>
#include "state_file.h"

static const st_grants_config CONFIG = {40, 4};

typedef struct tables {
    st_grants grants;
    st_replay_cache replays;
    st_state state;
} tables;

typedef struct fixture {
    apr_pool_t *p;
    const char *dir;
    const char *path;
    unsigned char key[ST_STATE_KEY_LEN];
    const char *error;
} fixture;

static int open_fixture(void **state)
{
    char name[] = "/tmp/interauth-state-XXXXXX";
    fixture *f;

    if (pool_open(state))
        return -1;
    f = apr_pcalloc(*state, sizeof *f);
    f->p = *state;
    if (!mkdtemp(name))
        return -1;
    f->dir = apr_pstrdup(f->p, name);
    f->path = apr_pstrcat(f->p, name, "/grants", NULL);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture *f = *state;
    const char *const suffixes[] = {"", ".key", ".lock", ".new", ".next", ".tmp"};
    apr_pool_t *p = f->p;
    apr_size_t i;
    int rc;

    for (i = 0; i < COUNT_OF(suffixes); i++)
        unlink(apr_pstrcat(p, f->path, suffixes[i], NULL));
    chmod(f->dir, 0700);
    rc = rmdir(f->dir); /* fails if there are unexpected files */
    apr_pool_destroy(p);
    return rc;
}

#define file_test(function) cmocka_unit_test_setup_teardown(function, open_fixture, close_fixture)

/* Participants 1 and 2 have the ids p1 and p2, and no capabilities. */
static int participant_id(void *context, apr_uint32_t index, apr_uint64_t generation, char *id)
{
    (void)context;
    if ((index != 1 && index != 2) || (generation && generation != index + 1))
        return 0;
    strcpy(id, index == 1 ? "p1" : "p2");
    return 1;
}

static int participant_find(void *context, const char *id, apr_uint32_t *index, apr_uint64_t *generation)
{
    (void)context;
    *index = !strcmp(id, "p1") ? 1 : !strcmp(id, "p2") ? 2 : 0;
    *generation = *index + 1;
    return *index != 0;
}

static int capability_name(void *context, int number, char *name)
{
    (void)context;
    (void)number;
    (void)name;
    return 0;
}

static int capability_number(void *context, const char *name)
{
    (void)context;
    (void)name;
    return -1;
}

static const st_state_names NAMES = {
    NULL, participant_id, participant_find, capability_name, capability_number, ST_STATE_GRANTS};

static void open_tables(tables *t)
{
    grants_open(&t->grants, &CONFIG);
    replays_open(&t->replays, 20, 4);
    t->state.grants = &t->grants;
    t->state.replays = &t->replays;
}

static void fill(tables *t)
{
    unsigned char mac[32];
    st_grant grant;

    open_tables(t);
    grant_make(&grant, 7, 1, 4);
    assert_int_equal(st_grant_create(&t->grants, &grant, 10, NOW + 7200 * SEC, NOW), ST_OK);
    grant_make(&grant, 8, 2, 0);
    grant.part = ST_GRANT_WITH_BOUND;
    memset(grant.bound, 0xa5, sizeof grant.bound);
    assert_int_equal(st_grant_create(&t->grants, &grant, 10, NOW + 7200 * SEC, NOW), ST_OK);
    digest_of(mac, 9);
    assert_int_equal(st_replay_record(&t->replays, mac, 1, 10, NOW + 60 * SEC, NOW), ST_OK);
}

static int held(tables *t, uint64_t number, st_grant *copy)
{
    unsigned char digest[32];
    st_ref ref;

    digest_of(digest, number);
    return st_grant_find(&t->grants, digest, copy, &ref) == ST_OK;
}

static int is_held(tables *t, uint64_t number)
{
    st_grant copy;

    return held(t, number, &copy);
}

static apr_status_t save(fixture *f, tables *t, int clean)
{
    return st_state_save(f->path, f->key, &t->state, &NAMES, clean, NOW, f->p, &f->error);
}

static apr_status_t load(fixture *f, tables *t, st_state_report *report)
{
    open_tables(t);
    return st_state_load(report, f->path, f->key, &t->state, &NAMES, NOW + SEC, f->p, &f->error);
}

static void test_round_trip(void **state)
{
    fixture *f = *state;
    st_state_report report;
    unsigned char mac[32];
    st_grant before, after;
    tables g, back;
    struct stat st;

    assert_int_equal(st_state_key(f->key, f->path, f->p, &f->error), APR_SUCCESS);
    fill(&g);
    assert_int_equal(save(f, &g, 1), APR_SUCCESS);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(load(f, &back, &report), APR_SUCCESS);
    assert_true(report.clean && report.grants == 2 && report.replays == 1 && !report.dropped);
    assert_true(is_held(&back, 7) && is_held(&back, 8));
    assert_true(held(&g, 8, &before) && held(&back, 8, &after) && after.part == ST_GRANT_WITH_BOUND);
    assert_memory_equal(after.bound, before.bound, sizeof after.bound);
    assert_true(held(&g, 7, &before) && held(&back, 7, &after) && after.part == ST_GRANT_WITH_NONCES);
    assert_memory_equal(&after.nonces.state, &before.nonces.state, sizeof after.nonces.state);
    digest_of(mac, 9);
    assert_int_equal(st_replay_record(&back.replays, mac, 1, 10, NOW + 60 * SEC, NOW), ST_EXISTS);
}

/* Where a record of a later version ends is not known: what follows is not read, and counts as forgotten. */
static void test_unknown_part(void **state)
{
    fixture *f = *state;
    st_state_report report;
    st_grant grant;
    tables g, back;

    assert_int_equal(st_state_key(f->key, f->path, f->p, &f->error), APR_SUCCESS);
    fill(&g);
    grant_make(&grant, 5, 1, 4);
    grant.part = ST_GRANT_WITH_BOUND + 1;
    assert_int_equal(st_grant_create(&g.grants, &grant, 10, NOW + 7200 * SEC, NOW), ST_OK);
    assert_int_equal(save(f, &g, 1), APR_SUCCESS);
    assert_int_equal(load(f, &back, &report), APR_SUCCESS);
    assert_true(is_held(&back, 7) && !is_held(&back, 5));
    assert_true(report.dropped == 1 && !report.replays);
    assert_int_equal(st_replays_birth(&back.replays), NOW + SEC);
}

static void test_dirty_keeps_only_grants(void **state)
{
    fixture *f = *state;
    st_state_report report;
    tables g, back;

    assert_int_equal(st_state_key(f->key, f->path, f->p, &f->error), APR_SUCCESS);
    fill(&g);
    assert_int_equal(save(f, &g, 0), APR_SUCCESS);
    assert_int_equal(load(f, &back, &report), APR_SUCCESS);
    assert_true(!report.clean && report.grants == 2 && !report.replays);
    assert_true(memcmp(st_grants_nonce_key(&back.grants), st_grants_nonce_key(&g.grants), sizeof(ia_mac_key)) == 0);
}

static void test_no_file(void **state)
{
    fixture *f = *state;
    st_state_report report;
    tables back;

    assert_int_equal(load(f, &back, &report), APR_ENOENT);
    assert_int_equal(st_state_examine(f->path, f->p, &f->error), APR_ENOENT);
    assert_int_equal(st_state_check(f->path, f->p, &f->error), APR_SUCCESS);
}

static unsigned char *read_whole(fixture *f, size_t *len)
{
    FILE *file = fopen(f->path, "rb");
    unsigned char *data = apr_palloc(f->p, 65536);

    assert_non_null(file);
    *len = fread(data, 1, 65536, file);
    fclose(file);
    return data;
}

static void write_whole(fixture *f, const unsigned char *data, size_t len)
{
    FILE *file = fopen(f->path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* If a single bit of the file is changed, nothing is loaded. */
static void test_changed_and_cut(void **state)
{
    fixture *f = *state;
    st_state_report report;
    tables g, back;
    unsigned char *data;
    size_t len, i;

    assert_int_equal(st_state_key(f->key, f->path, f->p, &f->error), APR_SUCCESS);
    fill(&g);
    assert_int_equal(save(f, &g, 1), APR_SUCCESS);
    data = read_whole(f, &len);
    for (i = 0; i < len; i += 7) {
        data[i] ^= 1;
        write_whole(f, data, len);
        assert_int_equal(load(f, &back, &report), APR_EGENERAL);
        assert_int_equal(st_grants_live(&back.grants), 0);
        data[i] ^= 1;
        write_whole(f, data, i);
        assert_int_equal(load(f, &back, &report), APR_EGENERAL);
    }
    write_whole(f, data, len);
    assert_int_equal(load(f, &back, &report), APR_SUCCESS);
    f->key[0] ^= 1;
    assert_int_equal(load(f, &back, &report), APR_EGENERAL);
    assert_non_null(strstr(f->error, "another key"));
}

static void test_unsafe_directory_and_files(void **state)
{
    fixture *f = *state;
    st_state_report report;
    tables g, back;

    assert_int_equal(st_state_key(f->key, f->path, f->p, &f->error), APR_SUCCESS);
    fill(&g);
    assert_int_equal(save(f, &g, 1), APR_SUCCESS);
    assert_int_equal(chmod(f->path, 0640), 0);
    assert_int_equal(load(f, &back, &report), APR_EACCES);
    assert_int_equal(st_state_examine(f->path, f->p, &f->error), APR_EACCES);
    assert_int_equal(chmod(f->path, 0600), 0);
    assert_int_equal(st_state_examine(f->path, f->p, &f->error), APR_SUCCESS);
    assert_int_equal(chmod(f->dir, 0750), 0);
    assert_int_equal(st_state_check(f->path, f->p, &f->error), APR_EACCES);
    assert_int_equal(load(f, &back, &report), APR_EACCES);
    assert_int_equal(chmod(f->dir, 0700), 0);
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(symlink("/dev/null", f->path), 0);
    assert_int_not_equal(load(f, &back, &report), APR_SUCCESS);
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(mkfifo(f->path, 0600), 0); /* open must not wait for a writer */
    assert_int_equal(load(f, &back, &report), APR_EACCES);
}

static void test_key(void **state)
{
    fixture *f = *state;
    const char *file = apr_pstrcat(f->p, f->path, ".key", NULL);
    unsigned char again[ST_STATE_KEY_LEN];
    struct stat st;

    assert_int_equal(st_state_key(f->key, f->path, f->p, &f->error), APR_SUCCESS);
    assert_int_equal(stat(file, &st), 0);
    assert_true((st.st_mode & 07777) == 0600 && st.st_size == ST_STATE_KEY_LEN);
    assert_int_equal(st_state_key(again, f->path, f->p, &f->error), APR_SUCCESS);
    assert_memory_equal(again, f->key, sizeof again);
    assert_int_equal(truncate(file, ST_STATE_KEY_LEN - 1), 0);
    assert_int_not_equal(st_state_key(again, f->path, f->p, &f->error), APR_SUCCESS);
    assert_int_not_equal(st_state_check(f->path, f->p, &f->error), APR_SUCCESS);
    assert_non_null(strstr(f->error, "is not a key"));
}

static void lock_times_out(void *state)
{
    fixture *f = state;
    int fd;

    CHECK(st_state_lock(&fd, f->path, f->p, &f->error) != APR_SUCCESS && fd == -1);
}

static void test_lock(void **state)
{
    fixture *f = *state;
    int fd;

    assert_int_equal(st_state_lock(&fd, f->path, f->p, &f->error), APR_SUCCESS);
    reap_well(spawn(lock_times_out, f, 10));
    close(fd);
    assert_int_equal(st_state_lock(&fd, f->path, f->p, &f->error), APR_SUCCESS);
    close(fd);
}

/* If saving fails, the old file is unchanged. */
static void test_failed_save(void **state)
{
    fixture *f = *state;
    unsigned char *before, *after;
    size_t len, now;
    tables g;

    assert_int_equal(st_state_key(f->key, f->path, f->p, &f->error), APR_SUCCESS);
    fill(&g);
    assert_int_equal(save(f, &g, 1), APR_SUCCESS);
    before = read_whole(f, &len);
    assert_int_not_equal(st_state_save(apr_pstrcat(f->p, f->dir, "/none/grants", NULL), f->key, &g.state, &NAMES, 1,
                                       NOW, f->p, &f->error),
                         APR_SUCCESS);
    assert_non_null(strstr(f->error, "/none"));
    after = read_whole(f, &now);
    assert_true(now == len && !memcmp(before, after, len));
}

static void test_other_kind(void **state)
{
    fixture *f = *state;
    st_state_names other = NAMES;
    st_state_report report;
    tables g, back;

    assert_int_equal(st_state_key(f->key, f->path, f->p, &f->error), APR_SUCCESS);
    fill(&g);
    assert_int_equal(save(f, &g, 1), APR_SUCCESS);
    other.kind = ST_STATE_SIGNATURES;
    open_tables(&back);
    assert_int_equal(st_state_load(&report, f->path, f->key, &back.state, &other, NOW, f->p, &f->error), APR_EGENERAL);
    assert_int_equal(st_grants_live(&back.grants), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(test_round_trip),
        file_test(test_unknown_part),
        file_test(test_dirty_keeps_only_grants),
        file_test(test_no_file),
        file_test(test_changed_and_cut),
        file_test(test_unsafe_directory_and_files),
        file_test(test_key),
        file_test(test_lock),
        file_test(test_failed_save),
        file_test(test_other_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
