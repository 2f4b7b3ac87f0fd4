/* Counts the bytes of bodies in shared memory: in total, of clients without a name, and of each participant. */
#include <httpd.h>
#include <string.h>
#include <unistd.h>
#include "mod_isign.h"
#include "isign_budget.h"

#define RECORDS      16384       /* bodies at a time */
#define UNIDENTIFIED 0xffffffffu /* the sender is not known yet */
#define ANONYMOUS    0xfffffffeu /* authorized, but not a participant */

/*
 * Each body has a record with its sender and its bytes. If its process is killed, its bytes are given back by the next child
 * that starts, or by a body that finds no space. A count is raised after its record and lowered before it: a process killed
 * in between leaves the count too low, never too high, and it is right again when the bodies of that process are gone.
 */
typedef struct record {
    apr_uint64_t owner; /* process, or 0: free */
    apr_uint64_t held;
    apr_uint64_t sender; /* index of a participant, UNIDENTIFIED or ANONYMOUS */
} record;

typedef struct account {
    apr_uint64_t total;
    apr_uint64_t unidentified;
    apr_uint64_t anonymous;
    record records[RECORDS];
    apr_uint64_t counts[]; /* by participant */
} account;

struct isign_budget {
    record *part;
    apr_uint32_t sender;
};

static struct {
    account *shared; /* NULL until post_config */
    apr_uint32_t participants;
    apr_uint64_t total;
    apr_uint32_t next; /* where the search for a free record starts */
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

static apr_uint64_t *count_of(apr_uint64_t sender)
{
    if (sender < budget.participants)
        return &budget.shared->counts[sender];
    return sender == ANONYMOUS ? &budget.shared->anonymous : &budget.shared->unidentified;
}

static void subtract(apr_uint64_t *count, apr_uint64_t bytes)
{
    apr_uint64_t seen = LOADED(*count);

    while (!__atomic_compare_exchange_n(count, &seen, seen > bytes ? seen - bytes : 0, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
        ;
}

static void uncount(apr_uint64_t sender, apr_uint64_t bytes)
{
    subtract(count_of(sender), bytes);
    subtract(&budget.shared->total, bytes);
}

/* Only the process that exchanged the owner frees the record. */
static int reclaim_one(record *part)
{
    apr_uint64_t owner = LOADED(part->owner), held;

    if (!owner || !st_owner_is_dead(owner) ||
        !__atomic_compare_exchange_n(&part->owner, &owner, st_owner_self(), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return 0;
    held = LOADED(part->held);
    uncount(LOADED(part->sender), held);
    __atomic_store_n(&part->held, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&part->owner, 0, __ATOMIC_RELEASE);
    return 1;
}

/* Frees the records of dead processes. @return whether there were any */
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
    budget.next = (apr_uint32_t)getpid() * 64; /* each child starts elsewhere */
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
    uncount(b->sender, LOADED(part->held));
    __atomic_store_n(&part->held, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&part->owner, 0, __ATOMIC_RELEASE);
    return APR_SUCCESS;
}

static apr_uint32_t index_of(const char *participant)
{
    ia_registry_entry entry;
    apr_uint32_t index = ANONYMOUS;

    if (!participant || !isign.registry)
        return ANONYMOUS;
    if (isign.registry->find(&entry, participant) == IA_OK && entry.index < budget.participants)
        index = entry.index;
    ia_wipe(entry.secrets, sizeof entry.secrets);
    return index;
}

isign_budget *isign_budget_open(apr_pool_t *p, const char *participant, int is_unidentified)
{
    isign_budget *b = apr_pcalloc(p, sizeof *b);

    b->sender = is_unidentified ? UNIDENTIFIED : index_of(participant);
    apr_pool_cleanup_register(p, b, give_back, apr_pool_cleanup_null);
    return b;
}

/*
 * In eighths of the total: each participant may take two, all other clients together five, and those that are not identified
 * yet three of these. So neither one participant nor all other clients together can take everything.
 */
static ia_result judge(const isign_budget *b)
{
    apr_uint64_t held = LOADED(b->part->held), own = LOADED(*count_of(b->sender)), eighth = budget.total / 8;
    apr_uint64_t others = LOADED(budget.shared->unidentified) + LOADED(budget.shared->anonymous);

    if (b->sender != UNIDENTIFIED && b->sender != ANONYMOUS) {
        if (own > 2 * eighth)
            return held > 2 * eighth ? IA_BODY_TOO_LARGE : IA_SPOOL_QUOTA;
        return LOADED(budget.shared->total) > budget.total ? IA_SPOOL_FULL : IA_OK;
    }
    if (held > (b->sender == UNIDENTIFIED ? 3 : 5) * eighth)
        return IA_BODY_TOO_LARGE;
    if (others > 5 * eighth || (b->sender == UNIDENTIFIED && own > 3 * eighth))
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
    __atomic_store_n(&b->part->sender, b->sender, __ATOMIC_RELEASE);
    __atomic_add_fetch(&b->part->held, bytes, __ATOMIC_ACQ_REL);
    __atomic_add_fetch(count_of(b->sender), bytes, __ATOMIC_ACQ_REL);
    __atomic_add_fetch(&budget.shared->total, bytes, __ATOMIC_ACQ_REL);
    if ((rc = judge(b)) && rc != IA_BODY_TOO_LARGE && reclaim())
        rc = judge(b);
    if (!rc)
        return IA_OK;
    uncount(b->sender, bytes);
    __atomic_sub_fetch(&b->part->held, bytes, __ATOMIC_ACQ_REL);
    return rc;
}
