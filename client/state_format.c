/* Converts the state file to and from JSON. */
#include "state_format.h"

#include <string.h>

#include "address.h"
#include "credentials.h"
#include "interauth/challenge.h"
#include "interauth/grant.h"
#include "interauth/json.h"
#include "interauth/name.h"
#include "interauth/timestamp.h"
#include "response.h"
#include "state.h"

#define VERSION   1
#define NODES_MAX 200000

/* Reads an array of strings. A missing member is an empty list. */
static int list_read(apr_array_header_t **out, apr_pool_t *p, const ia_json *object, const char *name)
{
    const ia_json *list = ia_json_member(object, name);

    *out = apr_array_make(p, list ? (int)list->count + 1 : 1, sizeof(const char *));
    if (!list)
        return 0;
    if (list->type != IA_JSON_ARRAY)
        return -1;
    for (const ia_json *item = list->first; item; item = item->next) {
        if (item->type != IA_JSON_STRING)
            return -1;
        APR_ARRAY_PUSH(*out, const char *) = item->string;
    }
    return 0;
}

static apr_int64_t integer_read(const ia_json *object, const char *name)
{
    const ia_json *value = ia_json_member(object, name);

    return value && (value->type == IA_JSON_INTEGER || value->type == IA_JSON_BOOL) ? value->integer : 0;
}

static int token_read(grant_record *record, apr_pool_t *p, const ia_json *object)
{
    const char *expires = ia_json_member_string(object, "expires");

    if (list_read(&record->access_to, p, object, "access_to") != 0 ||
        list_read(&record->nonces, p, object, "nonces") != 0)
        return -1;
    for (int i = 0; i < record->nonces->nelts; i++)
        if (!nonce_is_valid(APR_ARRAY_IDX(record->nonces, i, const char *)))
            return -1;
    record->token = ia_json_member_string(object, "token");
    record->can_refresh = integer_read(object, "can_refresh") != 0;
    if (!record->token)
        return 0;
    if (!expires || strlen(record->token) > IA_TOKEN_TEXT_MAX)
        return -1;
    return ia_timestamp_parse(&record->expires, expires, strlen(expires)) == IA_OK ? 0 : -1;
}

static int login_read(login_terms *out, const ia_json *object)
{
    const ia_json *login = ia_json_member(object, "challenge");

    if (!login)
        return 0;
    out->profile = ia_json_member_string(login, "profile");
    out->separator = ia_json_member_string(login, "separator");
    out->domain = ia_json_member_string(login, "domain");
    out->lifetime = integer_read(login, "lifetime");
    return ia_challenge_profile_named(out->profile) == IA_CHALLENGE_PROFILE_NONE ? -1 : 0;
}

static int record_read(grant_record *record, apr_pool_t *p, const ia_json *object)
{
    const char *hash = ia_json_member_string(object, "hash");

    record->name = ia_json_member_string(object, "name");
    record->endpoint = ia_json_member_string(object, "endpoint");
    record->uid = ia_json_member_string(object, "uid");
    record->secret_file = ia_json_member_string(object, "secret_file");
    record->ca_file = ia_json_member_string(object, "ca_file");
    record->audience = ia_json_member_string(object, "aud");
    record->lifespan = integer_read(object, "lifespan");
    record->nonces_wanted = integer_read(object, "nonces_wanted");
    record->with_id = integer_read(object, "id") != 0;
    if (login_read(&record->login, object) != 0)
        return -1;
    if (!record->name || !record->endpoint || !record->uid || !ia_name_is_id(record->uid, strlen(record->uid)))
        return -1;
    if (!hash || (strcmp(hash, "sha256") != 0 && strcmp(hash, "sha1") != 0))
        return -1;
    record->hash = strcmp(hash, "sha1") == 0 ? IA_HASH_SHA1 : IA_HASH_SHA256;
    return list_read(&record->access_for, p, object, "access_for");
}

int state_parse(apr_array_header_t *grants, apr_pool_t *p, const char *text, apr_size_t len)
{
    const ia_json *json, *list;

    if (ia_json_parse(&json, p, text, len, NODES_MAX, NULL) != IA_OK || integer_read(json, "version") != VERSION)
        return -1;
    list = ia_json_member(json, "grants");
    if (!list || list->type != IA_JSON_ARRAY)
        return -1;
    for (const ia_json *item = list->first; item; item = item->next) {
        grant_record *record = apr_pcalloc(p, sizeof *record);

        if (record_read(record, p, item) != 0 || token_read(record, p, item) != 0)
            return -1;
        APR_ARRAY_PUSH(grants, grant_record *) = record;
    }
    return 0;
}

static void list_write(ia_json_writer *w, const char *name, const apr_array_header_t *list)
{
    ia_json_write_name(w, name);
    ia_json_write_array(w);
    for (int i = 0; i < list->nelts; i++)
        ia_json_write_string(w, APR_ARRAY_IDX(list, i, const char *));
    ia_json_write_end(w);
}

static void integer_write(ia_json_writer *w, const char *name, apr_int64_t value)
{
    ia_json_write_name(w, name);
    ia_json_write_integer(w, value);
}

static void text_write(ia_json_writer *w, const char *name, const char *value)
{
    if (value)
        ia_json_write_member(w, name, value);
}

static void login_write(ia_json_writer *w, const login_terms *login)
{
    if (!login->profile)
        return;
    ia_json_write_name(w, "challenge");
    ia_json_write_object(w);
    text_write(w, "profile", login->profile);
    text_write(w, "separator", login->separator);
    text_write(w, "domain", login->domain);
    integer_write(w, "lifetime", login->lifetime);
    ia_json_write_end(w);
}

static void record_write(ia_json_writer *w, const grant_record *record)
{
    char expires[IA_RFC3339_SIZE];

    ia_json_write_object(w);
    text_write(w, "name", record->name);
    text_write(w, "endpoint", record->endpoint);
    text_write(w, "uid", record->uid);
    text_write(w, "hash", record->hash == IA_HASH_SHA1 ? "sha1" : "sha256");
    if (record->secret_file && strcmp(record->secret_file, PASSWORD_STDIN) != 0)
        text_write(w, "secret_file", record->secret_file);
    text_write(w, "ca_file", record->ca_file);
    text_write(w, "aud", record->audience);
    list_write(w, "access_for", record->access_for);
    integer_write(w, "lifespan", record->lifespan);
    integer_write(w, "nonces_wanted", record->nonces_wanted);
    integer_write(w, "id", record->with_id);
    login_write(w, &record->login);
    if (record->token) {
        ia_timestamp_format(expires, record->expires);
        text_write(w, "token", record->token);
        text_write(w, "expires", expires);
        integer_write(w, "can_refresh", record->can_refresh);
        list_write(w, "access_to", record->access_to);
        list_write(w, "nonces", record->nonces);
    }
    ia_json_write_end(w);
}

const char *state_format(const apr_array_header_t *grants, apr_pool_t *p, apr_size_t *len)
{
    ia_json_writer *w = ia_json_writer_create_pretty(p);

    ia_json_write_object(w);
    integer_write(w, "version", VERSION);
    ia_json_write_name(w, "grants");
    ia_json_write_array(w);
    for (int i = 0; i < grants->nelts; i++)
        record_write(w, APR_ARRAY_IDX(grants, i, const grant_record *));
    ia_json_write_end(w);
    ia_json_write_end(w);
    return ia_json_writer_text(w, len);
}
