/**
 * Participants' public keys in shared memory: raw points and moduli, found by (owner, kid) or by thumbprint. One writer
 * at a time, who loads them after the participants. See owned_table.h for how keys are replaced.
 */
#ifndef INTERAUTH_ST_KEY_TABLE_H
#define INTERAUTH_ST_KEY_TABLE_H

#include "interauth/key.h"
#include "interauth/participant.h"
#include "owned_table.h"
#include "st_result.h"

/** A key as it lies in memory: plain data. */
typedef struct st_key {
    st_owner owner;
    apr_uint64_t kid_len;
    apr_time_t not_before, not_after; /**< microseconds; 0 is open */
    unsigned char thumbprint[IA_SHA256_LEN];
    ia_key_raw raw;
    char kid[IA_NAME_MAX + 1];
} st_key;

typedef struct st_keys {
    st_owned keys;
    st_table thumbprints;
} st_keys;

apr_size_t st_keys_size(apr_uint32_t capacity);

/** @param hash_key kept when the memory is new (kids are chosen by clients). `t` stays where it is. */
void st_keys_attach(st_keys *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key);

/** @return ST_OK, ST_NOT_FOUND, ST_FAULT */
st_result st_key_find(st_keys *t, const st_owner *owner, const char *kid, apr_size_t kid_len, st_key *copy);
st_result st_key_find_thumbprint(st_keys *t, const unsigned char thumbprint[IA_SHA256_LEN], st_key *copy);

/**
 * Some key that is there: for one number the same one while no key comes or goes. All kinds of keys come up as often as
 * there are keys of them. After most keys were removed, none may be met.
 * @return ST_OK, ST_NOT_FOUND where none was met, ST_FAULT
 */
st_result st_key_any(st_keys *t, apr_uint64_t number, st_key *copy);

/**
 * Makes the keys of these participants, which `owners` holds already, exactly what the list says, and removes the keys
 * of owners that are gone. Keys of participants of other sources stay.
 * @return ST_OK; ST_FULL, before anything changed unless keys of other sources take up the room; ST_FAULT;
 *         IA_FAULT_CRYPTO
 */
st_result st_keys_load(st_keys *t, st_participants *owners, const ia_participants *list, apr_time_t now,
                       apr_pool_t *ptemp);

/**
 * Replaces all keys of one owner, which `owners` holds already.
 * @return ST_OK; ST_NOT_FOUND; ST_FULL, where the owner has fewer keys than it should; ST_FAULT;
 *         IA_FAULT_CRYPTO
 */
st_result st_keys_put_owner(st_keys *t, st_participants *owners, const ia_participant *owner, apr_time_t now,
                            apr_pool_t *ptemp);

apr_uint32_t st_keys_count(const st_keys *t);

#endif
