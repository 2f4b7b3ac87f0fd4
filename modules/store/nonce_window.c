/*
 * Issued and used nonces of a grant. The state is in shared memory, and the writer may be killed between any two
 * stores. The stores are therefore ordered such that an incomplete change can only lead to refusals: a bound is raised
 * before the values that it replaces are removed, and bits of the window are cleared after `top` was raised above
 * them.
 */
#include "nonce_window.h"
#include "shm_word.h"

#define WORDS (ST_NONCE_WINDOW / 64)

static int is_used(const st_nonces *state, apr_uint64_t seq)
{
    return (int)(state->window[seq / 64 % WORDS] >> (seq % 64) & 1);
}

static void mark_used(st_nonces *state, apr_uint64_t seq)
{
    STORE(state->window[seq / 64 % WORDS], state->window[seq / 64 % WORDS] | APR_UINT64_C(1) << (seq % 64));
}

/* Moves the window up to `seq`. After a kill, old bits may remain, and some unused nonces are refused. */
static void raise_top(st_nonces *state, apr_uint64_t seq)
{
    apr_uint64_t from = state->top + 1, s;

    if (seq - from >= ST_NONCE_WINDOW)
        from = seq - ST_NONCE_WINDOW + 1;
    STORE(state->top, seq);
    for (s = from; s <= seq; s++)
        STORE(state->window[s / 64 % WORDS], state->window[s / 64 % WORDS] & ~(APR_UINT64_C(1) << (s % 64)));
}

static st_result use_next(st_nonces *state, apr_uint64_t seq)
{
    if (seq < 1 || seq > state->issued)
        return ST_UNISSUED;
    if (seq + ST_NONCE_WINDOW <= state->top)
        return ST_STALE;
    if (seq > state->top)
        raise_top(state, seq);
    else if (is_used(state, seq))
        return ST_EXISTS;
    mark_used(state, seq);
    return ST_OK;
}

static st_result use_fresh(st_nonces *state, apr_uint64_t stamp, apr_uint64_t now, apr_uint64_t lifetime)
{
    unsigned i, slot = 0;

    if (stamp > now)
        return ST_FUTURE;
    if (now - stamp > lifetime)
        return ST_STALE;
    for (i = 0; i < ST_NONCE_STAMPS; i++) {
        if (state->stamps[i] == stamp)
            return ST_EXISTS;
        if (state->stamps[i] < state->stamps[slot])
            slot = i;
    }
    if (stamp <= state->floor)
        return ST_STALE;
    /* `slot` is free (0) or has the smallest stamp. The floor is raised to the smaller of that and the new stamp. */
    if (state->stamps[slot] > stamp) {
        STORE(state->floor, stamp);
        return ST_OK;
    }
    if (state->stamps[slot] > state->floor)
        STORE(state->floor, state->stamps[slot]);
    STORE(state->stamps[slot], stamp);
    return ST_OK;
}

st_result st_nonces_use(st_nonces *state, const ia_nonce_claim *claim, apr_uint64_t now, apr_uint64_t lifetime)
{
    if (claim->kind == IA_NONCE_NEXT)
        return use_next(state, claim->value);
    return use_fresh(state, claim->value, now, lifetime);
}

unsigned st_nonces_unused(const st_nonces *state, apr_uint64_t *out, unsigned max)
{
    apr_uint64_t seq = state->issued;
    unsigned count = 0;

    for (; count < max && seq >= 1 && seq + ST_NONCE_WINDOW > state->top; seq--)
        if (seq > state->top || !is_used(state, seq))
            out[count++] = seq;
    return count;
}

apr_uint64_t st_nonces_issue(st_nonces *state)
{
    apr_uint64_t seq;

    if (state->issued - state->top >= ST_NONCE_WINDOW && st_nonces_unused(state, &seq, 1))
        return seq;
    STORE(state->issued, state->issued + 1);
    return state->issued;
}
