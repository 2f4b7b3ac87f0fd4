/*
 * Measures look-ups with 1,000, 100,000 and 1,000,000 participants and 100,000 grants, and the time of a load.
 *
 *   lookup [PARTICIPANTS..]
 *
 * `find` searches by id, including the keyed hash. `get` uses index and generation, as requests with a token do. `same`
 * always uses the same record, without cache misses.
 */
#include <stdio.h>
#include "store/store.h"

#define LOOKUPS 1000000 /* in five parts, of which the fastest is reported */
#define PART    (LOOKUPS / 5)
#define GRANTS  100000

static double ns_each(apr_int64_t since, unsigned count)
{
    return (double)(clock_micros() - since) * 1000 / count;
}

typedef struct where {
    apr_uint32_t index;
    apr_uint64_t generation;
    char id[16];
} where;

/* Creates a list of participants with one secret each. */
static void load(st_participants *t, unsigned count, apr_uint64_t version)
{
    ia_participants list;
    st_load_report report;
    apr_pool_t *p;
    apr_int64_t since;
    unsigned i;

    CHECK_EQ(apr_pool_create(&p, NULL), APR_SUCCESS);
    participants_make(&list, p, 0, count, version);
    for (i = 0; i < count; i++)
        list.list[i].secret_count = 1;
    since = clock_micros();
    CHECK_EQ(st_participants_load(t, ST_SOURCE_FILE, &list, NOW, p, &report), ST_OK);
    printf("  load: %u added, %u changed, %u kept in %.2f s\n", report.added, report.changed, report.kept,
           (double)(clock_micros() - since) / 1e6);
    apr_pool_destroy(p);
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static void measure(st_participants *t, const where *order, unsigned count, const char *what)
{
    st_participant copy;
    apr_uint32_t index;
    double find = 1e9, get = 1e9;
    unsigned i, part;

    for (part = 0; part < LOOKUPS; part += PART) {
        apr_int64_t since = clock_micros();

        for (i = part; i < part + PART; i++)
            CHECK_EQ(st_participant_find(t, order[i % count].id, strlen(order[i % count].id), &copy, &index), ST_OK);
        find = smaller(find, ns_each(since, PART));
        since = clock_micros();
        for (i = part; i < part + PART; i++)
            CHECK_EQ(st_participant_get(t, order[i % count].index, order[i % count].generation, &copy), ST_OK);
        get = smaller(get, ns_each(since, PART));
    }
    printf("  %s: find %.0f ns, get %.0f ns\n", what, find, get);
}

static void participants(unsigned count)
{
    unsigned samples = count < 200000 ? count : 200000, i;
    where *order = calloc(samples, sizeof *order);
    uint64_t seed = 5;
    st_participants t;
    st_participant copy;
    void *memory = participants_open(&t, count);

    printf("%u participants, %.0f MiB, record of %u bytes\n", count, (double)st_participants_size(count) / (1 << 20),
           (unsigned)t.table.record_size);
    load(&t, count, 1);
    load(&t, count, 1);
    for (i = 0; i < samples; i++) {
        snprintf(order[i].id, sizeof order[i].id, "p%u", (unsigned)(next_random(&seed) % count));
        CHECK_EQ(st_participant_find(&t, order[i].id, strlen(order[i].id), &copy, &order[i].index), ST_OK);
        order[i].generation = copy.generation;
    }
    measure(&t, order, samples, "random");
    measure(&t, order, 1, "same");
    shared_memory_free(memory, st_participants_size(count));
    free(order);
}

static void grants(void)
{
    static const st_grants_config config = {GRANTS, 1000};
    unsigned char(*digests)[32] = malloc(GRANTS * sizeof *digests);
    uint64_t seed = 6;
    apr_int64_t since;
    st_grants g;
    st_grant grant;
    st_ref *refs = malloc(GRANTS * sizeof *refs);
    unsigned i;

    grants_open(&g, &config);
    printf("%u grants, %.0f bytes each\n", GRANTS, (double)st_table_size(GRANTS, sizeof(st_grant)) / GRANTS);
    since = clock_micros();
    for (i = 0; i < GRANTS; i++) {
        grant_make(&grant, i, i % 1000, 4);
        CHECK_EQ(st_grant_create(&g, &grant, 1000, NOW + SEC, NOW), ST_OK);
    }
    printf("  create %.0f ns\n", ns_each(since, GRANTS));
    for (i = 0; i < GRANTS; i++)
        digest_of(digests[i], next_random(&seed) % GRANTS);
    since = clock_micros();
    for (i = 0; i < LOOKUPS; i++)
        CHECK_EQ(st_grant_find(&g, digests[i % GRANTS], &grant, &refs[i % GRANTS]), ST_OK);
    printf("  find, random %.0f ns\n", ns_each(since, LOOKUPS));
    since = clock_micros();
    for (i = 0; i < LOOKUPS; i++)
        CHECK_EQ(st_grant_find(&g, digests[0], &grant, &refs[0]), ST_OK);
    printf("  find, same %.0f ns\n", ns_each(since, LOOKUPS));
    since = clock_micros();
    for (i = 0; i < LOOKUPS; i++) {
        ia_nonce_claim claim = {IA_NONCE_FRESH, (apr_uint64_t)NOW + i};
        apr_uint64_t next;

        CHECK_EQ(st_grant_use(&g, refs[i % GRANTS], &claim, NOW + LOOKUPS, 10 * LOOKUPS, &next), ST_OK);
    }
    printf("  use, random %.0f ns\n", ns_each(since, LOOKUPS));
    since = clock_micros();
    st_table_sweep(&g.grants, NOW + SEC);
    printf("  sweep of %u expired %.1f ms\n", GRANTS, (double)(clock_micros() - since) / 1000);
    free(digests);
    free(refs);
}

int main(int argc, char **argv)
{
    static const unsigned counts[] = {1000, 100000, 1000000};
    int i;

    CHECK_EQ(apr_initialize(), APR_SUCCESS);
    st_owner_init();
    for (i = 1; i < argc; i++)
        participants((unsigned)strtoul(argv[i], NULL, 10));
    for (i = 0; argc == 1 && i < 3; i++)
        participants(counts[i]);
    grants();
    return 0;
}
