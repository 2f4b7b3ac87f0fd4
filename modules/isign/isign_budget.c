/* How many bytes bodies take, in shared memory: in all, of strangers, and of each participant. */
#include <httpd.h>
#include <string.h>
#include <unistd.h>
#include "mod_isign.h"
#include "isign_budget.h"

#define RECORDS  16384       /* bodies at a time */
#define STRANGER 0xffffffffu /* nobody knows yet who sends it */
#define GUEST    0xfffffffeu /* let in, but no participant */

/*
 * A body says in a record whose it is and what it holds: when its process is killed, a child that starts, or a body that
 * finds no room, gives that back. A count is raised after its record and lowered before it: a process killed in between
 * makes it too low, never too high, and it is right again once its bodies are gone.
 */
typedef struct record {
    apr_uint64_t owner; /* process, or 0: free */
    apr_uint64_t held;
    apr_uint64_t whose; /* index of a participant, STRANGER or GUEST */
} record;

typedef struct account {
    apr_uint64_t total;
    apr_uint64_t strangers;
    apr_uint64_t guests;
    record records[RECORDS];
    apr_uint64_t counts[]; /* by participant */
} account;

struct isign_budget {
    record *part;
    apr_uint32_t whose;
};

static struct {
    account *shared; /* NULL until post_config */
    apr_uint32_t participants;
    apr_uint64_t total;
    apr_uint32_t next; /* where a free record is looked for */
} budget;

#define LOADED(where) __atomic_load_n(&(where), __ATOMIC_ACQUIRE)

apr_size_t isign_budget_size(apr_uint32_t participants)
{
    return APR_ALIGN(sizeof(account) + participants * sizeof(apr_uint64_t), 64);
}

void isign_budget_attach(void *base, apr_uint32_t participants, apr_uint64_t total)
{
    budget.shared = base;
    budget.participants = participants;
    budget.total = total;
}

static apr_uint64_t *count_of(apr_uint64_t whose)
{
    if (whose < budget.participants)
        return &budget.shared->counts[whose];
    return whose == GUEST ? &budget.shared->guests : &budget.shared->strangers;
}

static void subtract(apr_uint64_t *count, apr_uint64_t bytes)
{
    apr_uint64_t seen = LOADED(*count);

    while (!__atomic_compare_exchange_n(count, &seen, seen > bytes ? seen - bytes : 0, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
        ;
}

static void uncount(apr_uint64_t whose, apr_uint64_t bytes)
{
    subtract(count_of(whose), bytes);
    subtract(&budget.shared->total, bytes);
}

/* Whoever exchanges the owner frees it: no two processes do. */
static int reclaim_one(record *part)
{
    apr_uint64_t owner = LOADED(part->owner), held;

    if (!owner || !st_owner_is_dead(owner) ||
        !__atomic_compare_exchange_n(&part->owner, &owner, st_owner_self(), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return 0;
    held = LOADED(part->held);
    uncount(LOADED(part->whose), held);
    __atomic_store_n(&part->held, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&part->owner, 0, __ATOMIC_RELEASE);
    return 1;
}

/* Gives back what the processes held that are no more. @return whether there was any */
static int reclaim(void)
{
    int found = 0;
    unsigned i;

    for (i = 0; i < RECORDS; i++)
        found |= reclaim_one(&budget.shared->records[i]);
    return found;
}

void isign_budget_child_init(void)
{
    budget.next = (apr_uint32_t)getpid() * 64; /* children begin at places of their own */
    if (budget.shared)
        reclaim();
}

static record *find_free(void)
{
    apr_uint32_t start = __atomic_fetch_add(&budget.next, 1, __ATOMIC_RELAXED), i;

    for (i = 0; i < RECORDS; i++) {
        record *part = &budget.shared->records[(start + i) % RECORDS];
        apr_uint64_t nobody = 0;

        if (!LOADED(part->owner) &&
            __atomic_compare_exchange_n(&part->owner, &nobody, st_owner_self(), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return part;
    }
    return NULL;
}

static apr_status_t give_back(void *data)
{
    isign_budget *b = data;
    record *part = b->part;

    if (!part)
        return APR_SUCCESS;
    b->part = NULL;
    uncount(b->whose, LOADED(part->held));
    __atomic_store_n(&part->held, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&part->owner, 0, __ATOMIC_RELEASE);
    return APR_SUCCESS;
}

static apr_uint32_t index_of(const char *participant)
{
    ia_registry_entry entry;
    apr_uint32_t index = GUEST;

    if (!participant || !isign.registry)
        return GUEST;
    if (isign.registry->find(&entry, participant) == IA_OK && entry.index < budget.participants)
        index = entry.index;
    ia_wipe(entry.secrets, sizeof entry.secrets);
    return index;
}

isign_budget *isign_budget_open(apr_pool_t *p, const char *participant, int is_stranger)
{
    isign_budget *b = apr_pcalloc(p, sizeof *b);

    b->whose = is_stranger ? STRANGER : index_of(participant);
    apr_pool_cleanup_register(p, b, give_back, apr_pool_cleanup_null);
    return b;
}

/*
 * Eighths of the whole: two for each participant, five for everybody else together, of which strangers get three. So
 * neither one participant nor all the others together can leave nothing for the rest.
 */
static ia_result judge(const isign_budget *b)
{
    apr_uint64_t held = LOADED(b->part->held), own = LOADED(*count_of(b->whose)), eighth = budget.total / 8;
    apr_uint64_t others = LOADED(budget.shared->strangers) + LOADED(budget.shared->guests);

    if (b->whose != STRANGER && b->whose != GUEST) {
        if (own > 2 * eighth)
            return held > 2 * eighth ? IA_BODY_TOO_LARGE : IA_SPOOL_QUOTA;
        return LOADED(budget.shared->total) > budget.total ? IA_SPOOL_FULL : IA_OK;
    }
    if (held > (b->whose == STRANGER ? 3 : 5) * eighth)
        return IA_BODY_TOO_LARGE;
    if (others > 5 * eighth || (b->whose == STRANGER && own > 3 * eighth))
        return IA_SPOOL_FULL;
    return LOADED(budget.shared->total) > budget.total ? IA_SPOOL_FULL : IA_OK;
}

ia_result isign_budget_take(isign_budget *b, apr_size_t bytes)
{
    ia_result rc;

    if (!budget.shared)
        return IA_SPOOL_FULL;
    if (!b->part && !(b->part = find_free()) && (!reclaim() || !(b->part = find_free())))
        return IA_SPOOL_FULL;
    __atomic_store_n(&b->part->whose, b->whose, __ATOMIC_RELEASE);
    __atomic_add_fetch(&b->part->held, bytes, __ATOMIC_ACQ_REL);
    __atomic_add_fetch(count_of(b->whose), bytes, __ATOMIC_ACQ_REL);
    __atomic_add_fetch(&budget.shared->total, bytes, __ATOMIC_ACQ_REL);
    if ((rc = judge(b)) && rc != IA_BODY_TOO_LARGE && reclaim())
        rc = judge(b);
    if (!rc)
        return IA_OK;
    uncount(b->whose, bytes);
    __atomic_sub_fetch(&b->part->held, bytes, __ATOMIC_ACQ_REL);
    return rc;
}
