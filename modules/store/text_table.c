/* Names and endpoints of participants. */
#include <string.h>
#include "text_table.h"
#include "shm_word.h"

#define MAX (1 + IA_PARTICIPANT_ENDPOINTS)

static void take(char *out, apr_size_t size, const char *text)
{
    apr_size_t len = strnlen(text, size - 1);

    memcpy(out, text, len);
}

static st_result make(void *records, unsigned *count, const ia_participant *owner)
{
    st_text *record = records;
    unsigned i;

    *count = 0;
    if (owner->name && *owner->name) {
        record->kind = ST_TEXT_NAME;
        take(record->text, sizeof record->text, owner->name);
        ++*count;
        record++;
    }
    for (i = 0; i < owner->endpoint_count && i < IA_PARTICIPANT_ENDPOINTS; i++, record++, ++*count) {
        record->kind = ST_TEXT_ENDPOINT;
        record->valid_from = owner->endpoints[i].valid_from;
        record->valid_until = owner->endpoints[i].valid_until;
        take(record->api_version, sizeof record->api_version, owner->endpoints[i].api_version);
        take(record->text, sizeof record->text, owner->endpoints[i].url);
    }
    return ST_OK;
}

static const st_owned_kind kind = {sizeof(st_text), MAX, make, NULL, NULL, NULL};

apr_size_t st_texts_size(apr_uint32_t capacity)
{
    return st_owned_size(capacity, sizeof(st_text));
}

void st_texts_attach(st_texts *t, void *memory, apr_uint32_t capacity, const ia_mac_key *hash_key)
{
    st_owned_attach(&t->texts, memory, capacity, hash_key, &kind, NULL);
}

static st_result find(st_texts *t, const st_owner *owner, st_match match, const void *key, st_text *copy)
{
    apr_status_t rv = st_owned_find(&t->texts, owner, match, key, copy);

    if (rv) {
        memset(copy, 0, sizeof *copy);
        return rv == APR_NOTFOUND ? ST_NOT_FOUND : ST_FAULT;
    }
    copy->text[sizeof copy->text - 1] = '\0';
    copy->api_version[sizeof copy->api_version - 1] = '\0';
    return ST_OK;
}

static int match_name(const void *payload, const void *unused)
{
    (void)unused;
    return ((const st_text *)payload)->kind == ST_TEXT_NAME;
}

st_result st_text_name(st_texts *t, const st_owner *owner, st_text *copy)
{
    return find(t, owner, match_name, NULL, copy);
}

typedef struct endpoint_key {
    const char *api_version;
    apr_time_t now;
} endpoint_key;

static int match_endpoint(const void *payload, const void *key)
{
    const st_text *record = payload;
    const endpoint_key *wanted = key;

    return record->kind == ST_TEXT_ENDPOINT && record->valid_from <= wanted->now &&
           (!record->valid_until || record->valid_until > wanted->now) &&
           (!wanted->api_version || !strncmp(record->api_version, wanted->api_version, sizeof record->api_version));
}

st_result st_text_endpoint(st_texts *t, const st_owner *owner, const char *api_version, apr_time_t now, st_text *copy)
{
    endpoint_key key = {api_version, now};

    return find(t, owner, match_endpoint, &key, copy);
}

st_result st_texts_load(st_texts *t, st_participants *owners, const ia_participants *list, apr_time_t now,
                        apr_pool_t *ptemp)
{
    return st_owned_load(&t->texts, owners, list, now, ptemp);
}

st_result st_texts_put_owner(st_texts *t, st_participants *owners, const ia_participant *owner, apr_time_t now,
                             apr_pool_t *ptemp)
{
    return st_owned_put(&t->texts, owners, owner, now, ptemp);
}

apr_uint32_t st_texts_count(const st_texts *t)
{
    return st_table_live(&t->texts.table);
}
