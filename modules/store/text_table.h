/**
 * Names and endpoints of participants. They are separate from the record, which every request copies, because few
 * requests need them. There is one writer at a time, which changes the participants first. See owned_table.h.
 */
#ifndef INTERAUTH_ST_TEXT_TABLE_H
#define INTERAUTH_ST_TEXT_TABLE_H

#include "owned_table.h"
#include "st_result.h"

/** Kind of a text. */
typedef enum st_text_kind { ST_TEXT_NAME = 1, ST_TEXT_ENDPOINT = 2 } st_text_kind;

/** A text in memory: plain data. Both strings are NUL-terminated. */
typedef struct st_text {
    st_owner owner;
    apr_uint64_t kind;                        /**< st_text_kind */
    apr_time_t valid_from, valid_until;       /**< of an endpoint, microseconds; 0: unlimited */
    char api_version[IA_API_VERSION_MAX + 1]; /**< of an endpoint; "" if the record has none */
    char text[(IA_URL_MAX + 8) / 8 * 8];
} st_text;

typedef struct st_texts {
    st_owned texts;
} st_texts;

apr_size_t st_texts_size(apr_uint32_t capacity);

/** @param hash_key random; stored if the memory is new */
void st_texts_attach(st_texts *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key);

/** @return ST_OK; ST_NOT_FOUND if the participant was removed or has no name; ST_FAULT */
st_result st_text_name(st_texts *t, const st_owner *owner, st_text *copy);

/**
 * Finds an endpoint of this version, or of any version if it is NULL, that is valid now.
 * @return ST_OK; ST_NOT_FOUND if the participant was removed or has none; ST_FAULT
 */
st_result st_text_endpoint(st_texts *t, const st_owner *owner, const char *api_version, apr_time_t now, st_text *copy);

/** As st_keys_load. @return ST_OK, ST_FULL, ST_FAULT */
st_result st_texts_load(st_texts *t, st_participants *owners, const ia_participants *list, apr_time_t now,
                        apr_pool_t *ptemp);

/** As st_keys_put_owner. @return ST_OK, ST_NOT_FOUND, ST_FULL, ST_FAULT */
st_result st_texts_put_owner(st_texts *t, st_participants *owners, const ia_participant *owner, apr_time_t now,
                             apr_pool_t *ptemp);

apr_uint32_t st_texts_count(const st_texts *t);

#endif
