/* Parses a participant's record. */
#include <apr_escape.h>
#include <apr_strings.h>
#include <string.h>
#include "participant_internal.h"
#include "interauth/encoding.h"
#include "interauth/timestamp.h"

static const char *const status_names[] = {"approved", "applied",   "under_review",
                                           "rejected", "suspended", "offboarded"};
#define STATUS_COUNT (sizeof status_names / sizeof status_names[0])

const char *ia_participant_status_name(ia_participant_status status)
{
    return (unsigned)status < STATUS_COUNT ? status_names[status] : "unknown";
}

ia_result ia_secret_load(ia_secret *out, const void *secret, apr_size_t len, apr_time_t not_after)
{
    static const char label[] = "interauth secret generation";
    unsigned char mac[IA_MAC_MAX];
    ia_bytes part = {label, sizeof label};
    ia_result rc;

    memset(out, 0, sizeof *out);
    if ((rc = ia_mac_key_load(&out->mac, secret, len)))
        return rc;
    ia_mac_compute(mac, IA_HASH_SHA256, &out->mac, &part, 1);
    memcpy(&out->fingerprint, mac, sizeof out->fingerprint);
    out->fingerprint |= !out->fingerprint;
    out->not_after = not_after;
    return IA_OK;
}

void ia_participant_wipe(ia_participant *one)
{
    ia_wipe(one->secrets, sizeof one->secrets);
    one->secret_count = 0;
    one->secret_weaknesses = 0;
    ia_wipe(&one->challenge_md5, sizeof one->challenge_md5);
    ia_wipe(&one->challenge_hmac, sizeof one->challenge_hmac);
}

static ia_result take_names(const char ***names, unsigned *count, apr_pool_t *p, const ia_json *list, unsigned max,
                            int (*is_valid)(const char *, apr_size_t), const char *member, ia_participant_error *error)
{
    const ia_json *item;

    if (list->type != IA_JSON_ARRAY || list->count > max)
        return IAI_FAIL(error, p, "%s: a list of at most %u names expected", member, max);
    *names = apr_pcalloc(p, (list->count + 1) * sizeof **names);
    for (item = list->first; item; item = item->next) {
        unsigned i;

        if (item->type != IA_JSON_STRING || !is_valid(item->string, item->string_len))
            return IAI_FAIL(error, p,
                            "%s: names of 1 to 255 printable ASCII characters without space, quote or "
                            "backslash expected",
                            member);
        for (i = 0; i < *count; i++)
            if (!strcmp((*names)[i], item->string))
                return IAI_FAIL(error, p, "%s: a name is repeated", member);
        (*names)[(*count)++] = item->string;
    }
    return IA_OK;
}

ia_result iai_participant_time(apr_time_t *out, apr_pool_t *p, const ia_json *value, const char *member,
                               ia_participant_error *error)
{
    if (value->type != IA_JSON_STRING || ia_timestamp_parse(out, value->string, value->string_len) || *out <= 0)
        return IAI_FAIL(error, p, "%s: a time such as 2035-12-20T00:00:00Z expected", member);
    return IA_OK;
}

/* The decoded secret is on the stack; its text is overwritten, because the pool exists longer than this parser. */
static ia_result take_secret(ia_participant *out, apr_pool_t *p, const ia_json *value, apr_time_t not_after,
                             ia_participant_error *error)
{
    unsigned char secret[IA_SECRET_MAX];
    apr_size_t len = 0;
    ia_secret *slot;
    ia_result rc, loaded;
    unsigned i;

    if (value->type != IA_JSON_STRING)
        return IAI_FAIL(error, p, "shared secret: a string expected");
    if (out->secret_count == IA_PARTICIPANT_SECRETS) /* shared_secret beside a full shared_secrets */
        return IAI_FAIL(error, p, "shared_secrets: at most %d secrets expected", IA_PARTICIPANT_SECRETS);
    slot = &out->secrets[out->secret_count];
    rc = ia_base64url_decode(secret, sizeof secret, &len, value->string, value->string_len);
    ia_wipe((void *)(apr_uintptr_t)value->string, value->string_len);
    loaded = ia_secret_load(slot, secret, len, not_after);
    if (!rc && !loaded)
        out->secret_weaknesses |= ia_secret_weaknesses(secret, len);
    ia_wipe(secret, sizeof secret);
    if (rc)
        return IAI_FAIL(error, p, "shared secret: base64url without padding expected");
    if (loaded)
        return IAI_FAIL(error, p, "shared secret: %d to %d bytes expected, this one has %" APR_SIZE_T_FMT,
                        IA_SECRET_MIN, IA_SECRET_MAX, len);
    for (i = 0; i < out->secret_count; i++)
        if (out->secrets[i].fingerprint == slot->fingerprint)
            return IAI_FAIL(error, p, "shared_secrets: a secret is repeated");
    out->secret_count++;
    return IA_OK;
}

static ia_result take_secrets(ia_participant *out, apr_pool_t *p, const ia_json *list, ia_participant_error *error)
{
    const ia_json *item, *member;

    if (list->type != IA_JSON_ARRAY || list->count < 1 || list->count > IA_PARTICIPANT_SECRETS)
        return IAI_FAIL(error, p, "shared_secrets: a list of 1 to %d objects expected", IA_PARTICIPANT_SECRETS);
    for (item = list->first; item; item = item->next) {
        const ia_json *value = NULL;
        apr_time_t not_after = 0;
        ia_result rc;

        if (item->type != IA_JSON_OBJECT)
            return IAI_FAIL(error, p, "shared_secrets: objects with value and not_after expected");
        for (member = item->first; member; member = member->next) {
            if (!strcmp(member->name, "value"))
                value = member;
            else if (strcmp(member->name, "not_after"))
                return IAI_FAIL(error, p, "shared_secrets: unknown member");
            else if ((rc = iai_participant_time(&not_after, p, member, "shared_secrets: not_after", error)))
                return rc;
        }
        if (!value)
            return IAI_FAIL(error, p, "shared_secrets: value is missing");
        if ((rc = take_secret(out, p, value, not_after, error)))
            return rc;
    }
    return IA_OK;
}

static ia_result take_status(ia_participant *out, apr_pool_t *p, const ia_json *value, ia_participant_error *error)
{
    unsigned i;

    for (i = 0; value->type == IA_JSON_STRING && i < STATUS_COUNT; i++) {
        if (!strcmp(value->string, status_names[i])) {
            out->status = (ia_participant_status)i;
            return IA_OK;
        }
    }
    return IAI_FAIL(error, p, "status: approved, applied, under_review, rejected, suspended or offboarded expected");
}

static ia_result take_id(ia_participant *out, apr_pool_t *p, const ia_json *value, ia_participant_error *error)
{
    if (value->type != IA_JSON_STRING || !ia_name_is_id(value->string, value->string_len))
        return IAI_FAIL(error, p, "id: 1 to 255 printable ASCII characters without space, quote or backslash expected");
    out->id = value->string;
    return IA_OK;
}

static ia_result take_lifespan(ia_participant *out, apr_pool_t *p, const ia_json *value, ia_participant_error *error)
{
    if (value->type != IA_JSON_INTEGER || value->integer < 1 || value->integer > IA_LIFESPAN_MAX)
        return IAI_FAIL(error, p, "token_max_lifespan: seconds from 1 to %d expected", IA_LIFESPAN_MAX);
    out->token_max_lifespan = value->integer;
    return IA_OK;
}

static ia_result take_name(ia_participant *out, apr_pool_t *p, const ia_json *value, ia_participant_error *error)
{
    if (value->type != IA_JSON_STRING || value->string_len > IA_NAME_MAX)
        return IAI_FAIL(error, p, "name: a string of at most 255 bytes expected");
    out->name = value->string;
    return IA_OK;
}

static ia_result take_member(ia_participant *out, apr_pool_t *p, const ia_json *m, ia_participant_error *error)
{
    if (!strcmp(m->name, "id"))
        return take_id(out, p, m, error);
    if (!strcmp(m->name, "name"))
        return take_name(out, p, m, error);
    if (!strcmp(m->name, "status"))
        return take_status(out, p, m, error);
    if (!strcmp(m->name, "roles"))
        return take_names(&out->roles, &out->role_count, p, m, IA_PARTICIPANT_ROLES, ia_name_is_id, "roles", error);
    if (!strcmp(m->name, "capabilities"))
        return take_names(&out->capabilities, &out->capability_count, p, m, 1024, ia_name_is_capability, "capabilities",
                          error);
    if (!strcmp(m->name, "allow_refresh")) {
        out->allow_refresh = m->type == IA_JSON_BOOL && m->integer;
        return m->type == IA_JSON_BOOL ? IA_OK : IAI_FAIL(error, p, "allow_refresh: true or false expected");
    }
    if (!strcmp(m->name, "expires"))
        return iai_participant_time(&out->expires, p, m, "expires", error);
    if (!strcmp(m->name, "token_max_lifespan"))
        return take_lifespan(out, p, m, error);
    if (!strcmp(m->name, "shared_secret"))
        return take_secret(out, p, m, 0, error);
    if (!strcmp(m->name, "shared_secrets"))
        return take_secrets(out, p, m, error);
    if (!strcmp(m->name, "challenge_secret"))
        return iai_participant_challenge(out, p, m, error);
    if (!strcmp(m->name, "keys"))
        return iai_participant_keys(out, p, m, error);
    if (!strcmp(m->name, "endpoints"))
        return iai_participant_endpoints(out, p, m, error);
    return IAI_FAIL(error, p, "unknown member \"%s\"", apr_pescape_echo(p, m->name, 1));
}

ia_result ia_participant_parse(ia_participant *out, apr_pool_t *p, const ia_json *object, unsigned position,
                               ia_participant_error *error)
{
    const ia_json *member;
    ia_result rc = IA_OK;

    memset(out, 0, sizeof *out);
    out->line = position;
    out->token_max_lifespan = IA_LIFESPAN_DEFAULT;
    if (!object || object->type != IA_JSON_OBJECT)
        return IAI_FAIL(error, p, "participant %u: an object expected", position);
    for (member = object->first; member && !rc; member = member->next)
        rc = take_member(out, p, member, error);
    if (!rc && !out->id)
        rc = IAI_FAIL(error, p, "id is missing");
    if (!rc && ia_json_member(object, "shared_secret") && ia_json_member(object, "shared_secrets"))
        rc = IAI_FAIL(error, p, "shared_secret and shared_secrets are both present: use one of them");
    if (rc) {
        error->text = apr_psprintf(p, "participant %u%s%s%s: %s", position, out->id ? " (" : "", out->id ? out->id : "",
                                   out->id ? ")" : "", error->text);
        ia_participant_wipe(out);
    }
    return rc;
}
