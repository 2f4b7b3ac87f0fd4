/**
 * Public keys of participants in shared memory: raw points and moduli, found by (owner, kid) or by thumbprint. There
 * is one writer at a time, which loads them after the participants. See owned_table.h.
 */
#ifndef INTERAUTH_ST_KEY_TABLE_H
#define INTERAUTH_ST_KEY_TABLE_H

#include "interauth/key.h"
#include "interauth/participant.h"
#include "owned_table.h"
#include "st_result.h"

/** A key in memory: plain data. */
typedef struct st_key {
    st_owner owner;
    apr_uint64_t kid_len;
    apr_time_t not_before, not_after; /**< microseconds; 0: unlimited */
    unsigned char thumbprint[IA_SHA256_LEN];
    ia_key_raw raw;
    char kid[IA_NAME_MAX + 1];
} st_key;

typedef struct st_keys {
    st_owned keys;
    st_table thumbprints;
} st_keys;

apr_size_t st_keys_size(apr_uint32_t capacity);

/** @param hash_key random, because clients choose kids; stored if the memory is new. `t` must not be moved. */
void st_keys_attach(st_keys *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key);

/** @return ST_OK, ST_NOT_FOUND, ST_FAULT */
st_result st_key_find(st_keys *t, const st_owner *owner, const char *kid, apr_size_t kid_len, st_key *copy);
st_result st_key_find_thumbprint(st_keys *t, const unsigned char thumbprint[IA_SHA256_LEN], st_key *copy);

/**
 * Returns any existing key: for the same number the same one, unless keys are added or removed. The frequency of each
 * kind of key corresponds to the number of such keys. If most keys were removed, none may be found.
 * @return ST_OK, ST_NOT_FOUND if none was found, ST_FAULT
 */
st_result st_key_any(st_keys *t, apr_uint64_t number, st_key *copy);

/**
 * Replaces the keys of these participants, which must be in `owners` already, and removes the keys of removed
 * participants. Keys of participants of other sources are kept.
 * @return ST_OK; ST_FULL, before anything was changed unless keys of other sources use the room; ST_FAULT;
 *         IA_FAULT_CRYPTO
 */
st_result st_keys_load(st_keys *t, st_participants *owners, const ia_participants *list, apr_time_t now,
                       apr_pool_t *ptemp);

/**
 * Replaces all keys of one owner, which must be in `owners` already.
 * @return ST_OK; ST_NOT_FOUND; ST_FULL: some keys of the owner are missing; ST_FAULT;
 *         IA_FAULT_CRYPTO
 */
st_result st_keys_put_owner(st_keys *t, st_participants *owners, const ia_participant *owner, apr_time_t now,
                            apr_pool_t *ptemp);

apr_uint32_t st_keys_count(const st_keys *t);

#endif
