/*
 * The format of the state file:
 *
 * head:    magic, flags, saved, birth, tolerance, last stamp, salt, masked nonce key (only in a clean file)
 * names:   count, then the names of capabilities; the sets of grants refer to them by number
 * records: 'G' and a grant, or 'R' and a used access request; 'E' ends the list
 *
 * Numbers are little-endian. A name is a length byte and its bytes. Participants are stored by id.
 */
#include <string.h>
#include "state_record.h"

#define MAGIC      "interauth state 3"
#define MAGIC_LEN  (sizeof MAGIC)
#define CLEAN      1u
#define KIND_SHIFT 8 /* position in the flags */

/* XOR with the keystream HMAC-SHA256(file key, label, salt, counter); the same function encrypts and decrypts. */
static void apply_mask(ia_mac_key *nonce_key, const unsigned char *key, const unsigned char salt[ST_STATE_SALT_LEN])
{
    static const char label[] =
        "interauth epoch mask"; /* not the beginning of a file, because the key authenticates files too */
    unsigned char stream[IA_SHA256_LEN], *bytes = (unsigned char *)nonce_key, counter = 0;
    ia_bytes parts[] = {{label, sizeof label}, {salt, ST_STATE_SALT_LEN}, {&counter, 1}};
    ia_mac_key mac;
    apr_size_t at;

    ia_mac_key_load(&mac, key, ST_STATE_KEY_LEN);
    for (at = 0; at < sizeof *nonce_key; at++) {
        if (at % IA_SHA256_LEN == 0) {
            counter = (unsigned char)(at / IA_SHA256_LEN);
            ia_mac_compute(stream, IA_HASH_SHA256, &mac, parts, 3);
        }
        bytes[at] ^= stream[at % IA_SHA256_LEN];
    }
    ia_wipe(stream, sizeof stream);
    ia_wipe(&mac, sizeof mac);
}

typedef struct writer {
    st_state_put put;
    void *sink;
} writer;

static void put_number(const writer *w, apr_uint64_t value, unsigned bytes)
{
    unsigned char out[8];
    unsigned i;

    for (i = 0; i < bytes; i++)
        out[i] = (unsigned char)(value >> 8 * i);
    w->put(w->sink, out, bytes);
}

static void put_name(const writer *w, const char *name)
{
    apr_size_t len = strlen(name);

    put_number(w, len, 1);
    w->put(w->sink, name, len);
}

static void put_words(const writer *w, const apr_uint64_t *words, unsigned count)
{
    unsigned i;

    for (i = 0; i < count; i++)
        put_number(w, words[i], 8);
}

static void write_head(const writer *w, const st_state_mask *mask, const st_state *state, apr_uint32_t flags,
                       apr_time_t now)
{
    ia_mac_key nonce_key = {{0}, {0}, {0}, {0}};

    if (flags & CLEAN && state->grants) {
        nonce_key = *st_grants_nonce_key(state->grants);
        apply_mask(&nonce_key, mask->key, mask->salt);
    }
    w->put(w->sink, MAGIC, MAGIC_LEN);
    put_number(w, flags, 4);
    put_number(w, (apr_uint64_t)now, 8);
    put_number(w, (apr_uint64_t)st_replays_birth(state->replays), 8);
    put_number(w, (apr_uint64_t)st_replays_tolerance(state->replays), 8);
    put_number(w, state->grants ? st_grants_clock(state->grants, 0) : 0, 8);
    w->put(w->sink, mask->salt, ST_STATE_SALT_LEN);
    w->put(w->sink, &nonce_key, sizeof nonce_key);
    ia_wipe(&nonce_key, sizeof nonce_key);
}

static void write_names(const writer *w, const st_state_names *names)
{
    char name[IA_NAME_MAX + 1];
    unsigned i, count = 0;

    while (count < IA_CAPABILITIES_MAX && names->capability_name(names->context, (int)count, name))
        count++;
    put_number(w, count, 2);
    for (i = 0; i < count; i++) {
        if (!names->capability_name(names->context, (int)i, name))
            name[0] = '\0';
        put_name(w, name);
    }
}

static void write_nonces(const writer *w, const st_nonces *nonces)
{
    put_number(w, nonces->issued, 8);
    put_number(w, nonces->top, 8);
    put_words(w, nonces->window, ST_NONCE_WINDOW / 64);
    put_number(w, nonces->floor, 8);
    put_words(w, nonces->stamps, ST_NONCE_STAMPS);
}

static void write_grant(const writer *w, const st_grant *grant, const char *id, apr_time_t forget)
{
    w->put(w->sink, "G", 1);
    w->put(w->sink, grant->digest, IA_SHA256_LEN);
    put_name(w, id);
    put_number(w, grant->presentation, 4);
    put_number(w, grant->secret_fingerprint, 8);
    put_number(w, grant->scope, 8);
    put_number(w, (apr_uint64_t)grant->created, 8);
    put_number(w, (apr_uint64_t)grant->expires, 8);
    put_number(w, (apr_uint64_t)forget, 8);
    put_number(w, grant->can_refresh, 1);
    put_words(w, grant->capabilities.bits, IA_CAPABILITIES_MAX / 64);
    put_number(w, grant->part, 1);
    if (grant->part == ST_GRANT_WITH_NONCES)
        write_nonces(w, &grant->nonces.state);
    else if (grant->part == ST_GRANT_WITH_BOUND)
        w->put(w->sink, grant->bound, ST_GRANT_BOUND);
}

void st_state_write(st_state_put put, void *sink, const st_state_mask *mask, const st_state *state,
                    const st_state_names *names, int clean, apr_time_t now)
{
    writer w = {put, sink};
    char id[IA_NAME_MAX + 1];
    apr_uint32_t i;

    write_head(&w, mask, state, names->kind << KIND_SHIFT | (clean ? CLEAN : 0), now);
    write_names(&w, names);
    for (i = 0; state->grants && i < st_grants_high_water(state->grants); i++) {
        st_grant grant;
        apr_time_t forget;

        if (st_grant_at(state->grants, i, &grant, &forget) == ST_OK && forget > now &&
            names->participant_id(names->context, grant.participant_index, grant.participant_generation, id))
            write_grant(&w, &grant, id, forget);
    }
    for (i = 0; clean && i < st_replays_high_water(state->replays); i++) {
        unsigned char mac[IA_MAC_MAX];
        apr_uint32_t participant;
        apr_time_t forget;

        if (st_replay_at(state->replays, i, mac, &participant, &forget) && forget > now) {
            if (!names->participant_id(names->context, participant, 0, id))
                id[0] = '\0';
            put(sink, "R", 1);
            put(sink, mac, IA_MAC_MAX);
            put_name(&w, id);
            put_number(&w, (apr_uint64_t)forget, 8);
        }
    }
    put(sink, "E", 1);
}

/* --- reading --------------------------------------------------------------------------------------------------- */

/* Input. After a read beyond its end, `too_short` is set, and all reads return zeros. */
typedef struct reader {
    const unsigned char *at;
    apr_size_t left;
    int too_short;
} reader;

static void get(reader *r, void *out, apr_size_t len)
{
    if (r->too_short || len > r->left) {
        r->too_short = 1;
        memset(out, 0, len);
        return;
    }
    memcpy(out, r->at, len);
    r->at += len;
    r->left -= len;
}

static apr_uint64_t get_number(reader *r, unsigned bytes)
{
    unsigned char in[8] = {0};
    apr_uint64_t value = 0;
    unsigned i;

    get(r, in, bytes);
    for (i = bytes; i > 0; i--)
        value = value << 8 | in[i - 1];
    return value;
}

static void get_name(reader *r, char name[IA_NAME_MAX + 1])
{
    apr_size_t len = (apr_size_t)get_number(r, 1);

    get(r, name, len);
    name[r->too_short ? 0 : len] = '\0';
}

static void get_words(reader *r, apr_uint64_t *words, unsigned count)
{
    unsigned i;

    for (i = 0; i < count; i++)
        words[i] = get_number(r, 8);
}

typedef struct loading {
    reader r;
    const st_state *state;
    const st_state_names *names;
    apr_time_t now;
    int clean;
    int numbers[IA_CAPABILITIES_MAX]; /* current numbers of the names in the file */
    unsigned name_count;
    st_state_report *report;
} loading;

static int read_head(loading *l, const unsigned char *key)
{
    char magic[MAGIC_LEN];
    unsigned char salt[ST_STATE_SALT_LEN];
    apr_time_t birth, tolerance;
    apr_uint64_t stamp;
    apr_uint32_t flags;
    ia_mac_key nonce_key;

    get(&l->r, magic, sizeof magic);
    if (l->r.too_short || !ia_mac_equal(magic, MAGIC, MAGIC_LEN))
        return 0;
    flags = (apr_uint32_t)get_number(&l->r, 4);
    if (flags >> KIND_SHIFT != l->names->kind)
        return 0;
    l->clean = flags & CLEAN;
    get_number(&l->r, 8);
    birth = (apr_time_t)get_number(&l->r, 8);
    tolerance = (apr_time_t)get_number(&l->r, 8);
    stamp = get_number(&l->r, 8);
    get(&l->r, salt, sizeof salt);
    get(&l->r, &nonce_key, sizeof nonce_key);
    if (l->r.too_short)
        return 0;
    apply_mask(&nonce_key, key, salt);
    if (l->state->grants)
        st_grants_resume(l->state->grants, stamp, l->clean ? &nonce_key : NULL);
    if (l->clean)
        st_replays_resume(l->state->replays, birth, tolerance);
    ia_wipe(&nonce_key, sizeof nonce_key);
    return 1;
}

static void read_names(loading *l)
{
    char name[IA_NAME_MAX + 1];
    unsigned i;

    l->name_count = (unsigned)get_number(&l->r, 2);
    for (i = 0; i < l->name_count && i < IA_CAPABILITIES_MAX; i++) {
        get_name(&l->r, name);
        l->numbers[i] = l->names->capability_number(l->names->context, name);
    }
}

static void translate(const loading *l, const ia_capset *from, ia_capset *to)
{
    int number = -1;

    ia_capset_clear(to);
    while ((number = ia_capset_next(from, number)) >= 0 && (unsigned)number < l->name_count)
        ia_capset_add(to, l->numbers[number]);
}

static void read_nonces(reader *r, st_nonces *nonces)
{
    nonces->issued = get_number(r, 8);
    nonces->top = get_number(r, 8);
    get_words(r, nonces->window, ST_NONCE_WINDOW / 64);
    nonces->floor = get_number(r, 8);
    get_words(r, nonces->stamps, ST_NONCE_STAMPS);
}

static void read_grant(loading *l)
{
    char id[IA_NAME_MAX + 1];
    ia_capset capabilities;
    apr_time_t forget;
    st_grant grant;

    memset(&grant, 0, sizeof grant);
    get(&l->r, grant.digest, IA_SHA256_LEN);
    get_name(&l->r, id);
    grant.presentation = (apr_uint32_t)get_number(&l->r, 4);
    grant.secret_fingerprint = get_number(&l->r, 8);
    grant.scope = get_number(&l->r, 8);
    grant.created = (apr_time_t)get_number(&l->r, 8);
    grant.expires = (apr_time_t)get_number(&l->r, 8);
    forget = (apr_time_t)get_number(&l->r, 8);
    grant.can_refresh = (apr_uint16_t)get_number(&l->r, 1);
    get_words(&l->r, capabilities.bits, IA_CAPABILITIES_MAX / 64);
    grant.part = (apr_uint16_t)get_number(&l->r, 1);
    if (grant.part == ST_GRANT_WITH_NONCES)
        read_nonces(&l->r, &grant.nonces.state);
    else if (grant.part == ST_GRANT_WITH_BOUND)
        get(&l->r, grant.bound, ST_GRANT_BOUND);
    else if (grant.part != ST_GRANT_PLAIN)
        l->r.too_short = 1; /* of a later version: where this record ends is not known */
    translate(l, &capabilities, &grant.capabilities);
    if (!l->r.too_short && forget > l->now && l->state->grants &&
        l->names->participant_find(l->names->context, id, &grant.participant_index, &grant.participant_generation) &&
        st_grant_create(l->state->grants, &grant, APR_UINT32_MAX, forget, l->now) == ST_OK)
        l->report->grants++;
    else
        l->report->dropped++;
}

static void read_replay(loading *l)
{
    unsigned char mac[IA_MAC_MAX];
    char id[IA_NAME_MAX + 1];
    apr_uint64_t generation;
    apr_uint32_t index = 0;
    apr_time_t forget;

    get(&l->r, mac, IA_MAC_MAX);
    get_name(&l->r, id);
    forget = (apr_time_t)get_number(&l->r, 8);
    if (l->r.too_short || forget <= l->now)
        return;
    if (!l->names->participant_find(l->names->context, id, &index, &generation))
        index = ST_NOBODY;
    if (st_replay_record(l->state->replays, mac, index, APR_UINT32_MAX, forget, l->now) == ST_OK)
        l->report->replays++;
    else /* as not all used proofs are known, none before this start are accepted */
        st_replays_resume(l->state->replays, l->now, st_replays_tolerance(l->state->replays));
}

apr_status_t st_state_read(st_state_report *report, const unsigned char *key, const unsigned char *data, apr_size_t len,
                           const st_state *state, const st_state_names *names, apr_time_t now)
{
    loading l = {{data, len, 0}, state, names, now, 0, {0}, 0, report};
    char tag = 0;

    if (!read_head(&l, key))
        return APR_EGENERAL;
    report->clean = l.clean;
    read_names(&l);
    for (;;) {
        get(&l.r, &tag, 1);
        if (tag == 'G')
            read_grant(&l);
        else if (tag == 'R')
            read_replay(&l);
        else
            break;
    }
    if (tag != 'E') /* the used requests that were not read could be sent again: only those from now on are known */
        st_replays_resume(state->replays, now, st_replays_tolerance(state->replays));
    return APR_SUCCESS;
}
