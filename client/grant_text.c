/* Formats grants for people, for scripts, and as the command that requests one. */
#include "grant_text.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "capabilities.h"
#include "interauth/json.h"
#include "interauth/timestamp.h"
#include "say.h"

static void grant_write(ia_json_writer *w, const grant_record *record)
{
    char expires[IA_RFC3339_SIZE];

    ia_json_write_object(w);
    ia_json_write_member(w, "grant", record->name);
    ia_json_write_member(w, "endpoint", record->endpoint);
    ia_json_write_member(w, "uid", record->uid);
    if (record->login.profile)
        ia_json_write_member(w, "profile", record->login.profile);
    ia_json_write_name(w, "access_to");
    ia_json_write_array(w);
    for (int i = 0; i < record->access_to->nelts; i++)
        ia_json_write_string(w, APR_ARRAY_IDX(record->access_to, i, const char *));
    ia_json_write_end(w);
    if (record->token) {
        ia_timestamp_format(expires, record->expires);
        ia_json_write_member(w, "expires", expires);
    }
    ia_json_write_name(w, "can_refresh");
    ia_json_write_bool(w, record->can_refresh);
    ia_json_write_name(w, "nonces");
    ia_json_write_integer(w, record->nonces->nelts);
    ia_json_write_end(w);
}

static const char *login_line(apr_pool_t *p, const grant_record *record)
{
    char until[IA_RFC3339_SIZE];

    ia_timestamp_format(until, record->expires);
    return apr_psprintf(p, "login %s: %s at %s for %s\n%s%s, %s", record->name, record->login.profile, record->endpoint,
                        record->uid,
                        !record->token                      ? "no token"
                        : record->expires >= apr_time_now() ? "token expires no later than "
                                                            : "token window ended at ",
                        record->token ? until : "",
                        record->can_refresh ? "can be refreshed if the server allows it"
                                            : "cannot be refreshed: the next call logs in");
}

static const char *grant_line(apr_pool_t *p, const grant_record *record)
{
    char expires[IA_RFC3339_SIZE];

    if (record_kind_of(record) == RECORD_LOGIN)
        return login_line(p, record);
    if (!record->token)
        return apr_psprintf(p, "grant %s: at %s for %s\nno token", record->name, record->endpoint, record->uid);
    ia_timestamp_format(expires, record->expires);
    return apr_psprintf(p, "grant %s: %s at %s for %s\n%s %s, %s, nonces: %d", record->name,
                        capabilities_text(p, record->access_to), record->endpoint, record->uid,
                        record->expires > apr_time_now() ? "expires" : "expired", expires,
                        record->can_refresh ? "can be refreshed" : "cannot be refreshed", record->nonces->nelts);
}

int grant_print(apr_pool_t *p, const grant_record *record, int json)
{
    ia_json_writer *w;

    if (!json)
        return say_out(grant_line(p, record));
    w = ia_json_writer_create(p);
    grant_write(w, record);
    return say_out(ia_json_writer_text(w, NULL));
}

int grants_print(apr_pool_t *p, const apr_array_header_t *grants, int json)
{
    ia_json_writer *w = ia_json_writer_create(p);

    ia_json_write_object(w);
    ia_json_write_name(w, "grants");
    ia_json_write_array(w);
    for (int i = 0; i < grants->nelts; i++) {
        const grant_record *record = APR_ARRAY_IDX(grants, i, const grant_record *);

        if (json)
            grant_write(w, record);
        else
            say_out(grant_line(p, record));
    }
    ia_json_write_end(w);
    ia_json_write_end(w);
    if (json)
        return say_out(ia_json_writer_text(w, NULL));
    if (grants->nelts == 0)
        say_note("there are no grants");
    return CL_OK;
}

/* Quotes a word for a shell. */
static const char *word_quote(apr_pool_t *p, const char *word)
{
    const char *at = word;
    char *out, *put;

    while (apr_isalnum(*at) || (*at && strchr("_@%+=:,./-", *at)))
        at++;
    if (at > word && !*at)
        return word;
    out = put = apr_palloc(p, 4 * strlen(word) + 3);
    *put++ = '\'';
    for (at = word; *at; at++) {
        if (*at == '\'') {
            memcpy(put, "'\\'", 3);
            put += 3;
        }
        *put++ = *at;
    }
    *put++ = '\'';
    *put = '\0';
    return out;
}

const char *grant_command(apr_pool_t *p, const grant_record *record)
{
    const char *command =
        apr_pstrcat(p, "interauth grant --url ", word_quote(p, record->endpoint), " --uid ", word_quote(p, record->uid),
                    " --secret-file ", record->secret_file ? word_quote(p, record->secret_file) : "FILE", NULL);

    if (record->access_for->nelts == 0)
        return apr_pstrcat(p, command, " --capability NAME", NULL);
    return apr_pstrcat(p, command, " --capability ", word_quote(p, capabilities_text(p, record->access_for)), NULL);
}
