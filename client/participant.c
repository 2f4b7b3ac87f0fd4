/** `interauth participant`: lists and shows records of a participants file, and makes a record from a password. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "interauth/timestamp.h"
#include "participant_make.h"
#include "participants.h"
#include "say.h"
#include "verbs.h"

typedef struct verb_options {
    const char *file;
    participant_options make;
    int json;
} verb_options;

#define AT(field) offsetof(verb_options, field)

static const option_row rows[] = {
    OPTION(TEXT, 0, "file", "FILE", file, "list, show: the participants file"),
    OPTION(TEXT, 0, "password-file", "FILE", make.password_file, "make: the password; a final newline is ignored"),
    OPTION(TEXT, 0, "domain", "NAME", make.domain, "make: the server's SAuthChallengeDomain"),
    OPTION(LIST, 0, "profile", "hmac-sha256|md5", make.profiles, "make: profile to support; default: hmac-sha256"),
    OPTION(TEXT, 0, "separator", "TEXT", make.separator, "make: the server's SAuthChallengeSeparator, for md5"),
    OPTION(LIST, 0, "capability", "NAMES", make.capabilities, "make: capabilities of the participant"),
    OPTION(FLAG, 0, "allow-refresh", NULL, make.allow_refresh, "make: allow the participant to refresh its tokens"),
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

static void time_write(ia_json_writer *w, const char *name, apr_time_t time)
{
    char text[IA_RFC3339_SIZE];

    if (!time)
        return;
    ia_timestamp_format(text, time);
    ia_json_write_member(w, name, text);
}

static void names_write(ia_json_writer *w, const char *name, const char *const *names, unsigned count)
{
    ia_json_write_name(w, name);
    ia_json_write_array(w);
    for (unsigned i = 0; i < count; i++)
        ia_json_write_string(w, names[i]);
    ia_json_write_end(w);
}

static void summary_write(ia_json_writer *w, const ia_participant *one)
{
    ia_json_write_member(w, "id", one->id);
    if (one->name)
        ia_json_write_member(w, "name", one->name);
    ia_json_write_member(w, "status", ia_participant_status_name(one->status));
    names_write(w, "roles", one->roles, one->role_count);
    names_write(w, "capabilities", one->capabilities, one->capability_count);
    time_write(w, "expires", one->expires);
}

static void secrets_write(ia_json_writer *w, const ia_participant *one)
{
    char fingerprint[17];

    ia_json_write_name(w, "secrets");
    ia_json_write_array(w);
    for (unsigned i = 0; i < one->secret_count; i++) {
        apr_snprintf(fingerprint, sizeof fingerprint, "%016" APR_UINT64_T_HEX_FMT, one->secrets[i].fingerprint);
        ia_json_write_object(w);
        ia_json_write_member(w, "fingerprint", fingerprint);
        time_write(w, "not_after", one->secrets[i].not_after);
        ia_json_write_end(w);
    }
    ia_json_write_end(w);
}

static void challenge_secret_write(ia_json_writer *w, ia_challenge_profile profile, const ia_challenge_secret *secret)
{
    char fingerprint[17];

    if (!secret->fingerprint)
        return;
    apr_snprintf(fingerprint, sizeof fingerprint, "%016" APR_UINT64_T_HEX_FMT, secret->fingerprint);
    ia_json_write_object(w);
    ia_json_write_member(w, "profile", ia_challenge_profile_name(profile));
    ia_json_write_member(w, "fingerprint", fingerprint);
    ia_json_write_end(w);
}

static void challenge_secrets_write(ia_json_writer *w, const ia_participant *one)
{
    ia_json_write_name(w, "challenge_secrets");
    ia_json_write_array(w);
    challenge_secret_write(w, IA_CHALLENGE_PROFILE_HMAC, &one->challenge_hmac);
    challenge_secret_write(w, IA_CHALLENGE_PROFILE_MD5, &one->challenge_md5);
    ia_json_write_end(w);
}

static void endpoints_write(ia_json_writer *w, const ia_participant *one)
{
    ia_json_write_name(w, "endpoints");
    ia_json_write_array(w);
    for (unsigned i = 0; i < one->endpoint_count; i++) {
        ia_json_write_object(w);
        ia_json_write_member(w, "url", one->endpoints[i].url);
        if (*one->endpoints[i].api_version)
            ia_json_write_member(w, "api_version", one->endpoints[i].api_version);
        time_write(w, "valid_from", one->endpoints[i].valid_from);
        time_write(w, "valid_until", one->endpoints[i].valid_until);
        ia_json_write_end(w);
    }
    ia_json_write_end(w);
}

static void details_write(ia_json_writer *w, const ia_participant *one)
{
    ia_json_write_name(w, "allow_refresh");
    ia_json_write_bool(w, one->allow_refresh);
    ia_json_write_name(w, "token_max_lifespan");
    ia_json_write_integer(w, one->token_max_lifespan);
    secrets_write(w, one);
    if (one->challenge_hmac.fingerprint || one->challenge_md5.fingerprint)
        challenge_secrets_write(w, one);
    if (one->keys) {
        ia_json_write_name(w, "keys");
        ia_json_write_value(w, one->keys);
    }
    if (one->endpoints)
        endpoints_write(w, one);
}

static int list_json(apr_pool_t *p, const ia_participants *all)
{
    ia_json_writer *w = ia_json_writer_create(p);

    ia_json_write_object(w);
    ia_json_write_name(w, "participants");
    ia_json_write_array(w);
    for (unsigned i = 0; i < all->count; i++) {
        ia_json_write_object(w);
        summary_write(w, &all->list[i]);
        ia_json_write_end(w);
    }
    ia_json_write_end(w);
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

static int list_text(const ia_participants *all)
{
    char expires[IA_RFC3339_SIZE];

    for (unsigned i = 0; i < all->count; i++) {
        const ia_participant *one = &all->list[i];

        if (one->expires)
            ia_timestamp_format(expires, one->expires);
        printf("%s\t%s\t%s", one->id, ia_participant_status_name(one->status), one->expires ? expires : "never");
        for (unsigned k = 0; k < one->capability_count; k++)
            printf("%s%s", k == 0 ? "\t" : ",", one->capabilities[k]);
        putchar('\n');
    }
    return CL_OK;
}

/* yajl spreads an empty list over three lines, and appends a line end. */
static const char *text_tidy(apr_pool_t *p, const char *text)
{
    char *out, *put;
    int in_string = 0;

    if (!text)
        return NULL;
    out = put = apr_palloc(p, strlen(text) + 1);
    for (const char *at = text; *at; at++) {
        *put++ = *at;
        if (*at == '"')
            in_string = !in_string;
        else if (in_string && *at == '\\')
            *put++ = *++at;
        else if (!in_string && (*at == '[' || *at == '{') && strchr("]}", at[1 + strspn(at + 1, " \n")]))
            at += strspn(at + 1, " \n");
    }
    while (put > out && put[-1] == '\n')
        put--;
    *put = '\0';
    return out;
}

static int show(apr_pool_t *p, const ia_participant *one, int json)
{
    ia_json_writer *w = json ? ia_json_writer_create(p) : ia_json_writer_create_pretty(p);

    ia_json_write_object(w);
    summary_write(w, one);
    details_write(w, one);
    ia_json_write_end(w);
    return say_out(text_tidy(p, ia_json_writer_text(w, NULL)));
}

static int make(apr_pool_t *p, const char *id, const verb_options *o)
{
    const char *text;
    int rc = participant_make(&text, p, id, &o->make, o->json);

    return rc == CL_OK ? say_out(text_tidy(p, text)) : rc;
}

static int read_file(apr_pool_t *p, const char *id, const verb_options *o)
{
    ia_participants all;
    const char *wrong;
    int rc = participants_load(&all, p, o->file, &wrong);

    if (rc == CL_REFUSED)
        return say_refused("%s: %s", o->file, wrong);
    if (rc != CL_OK)
        return rc;
    if (!id)
        return o->json ? list_json(p, &all) : list_text(&all);
    for (unsigned i = 0; i < all.count; i++)
        if (strcmp(all.list[i].id, id) == 0)
            return show(p, &all.list[i], o->json);
    return say_refused("%s: no participant %s", o->file, id);
}

/* The first given option that belongs to make, or NULL. */
static const char *option_of_make(const participant_options *m)
{
    if (m->password_file)
        return "--password-file";
    if (m->domain)
        return "--domain";
    if (m->profiles)
        return "--profile";
    if (m->separator)
        return "--separator";
    if (m->capabilities)
        return "--capability";
    return m->allow_refresh ? "--allow-refresh" : NULL;
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    static const char *const actions[] = {"list", "show", "make"};
    const verb_options *o = options;
    const participant_options *m = &o->make;
    const char *action = operands[0], *nearest, *extra;
    int makes = strcmp(action, "make") == 0, shows = strcmp(action, "show") == 0;

    if (!makes && !shows && strcmp(action, "list") != 0) {
        nearest = options_suggest(action, actions, 3);
        return say_usage("unknown action %s; did you mean %s?", action, nearest ? nearest : "list");
    }
    if (operand_count != (makes || shows ? 2 : 1))
        return say_usage(
            makes || shows ? "%s requires the ID of one participant" : "%s takes no ID; did you mean show?", action);
    if (makes && o->file)
        return say_usage("--file cannot be combined with make, which prints a record for you to add to the file");
    if (makes)
        return make(p, operands[1], o);
    if ((extra = option_of_make(m)))
        return say_usage("%s does not take %s, only --file and --json; did you mean make?", action, extra);
    return o->file ? read_file(p, shows ? operands[1] : NULL, o) : say_usage("--file FILE is required");
}

const cl_verb verb_participant = {"participant",
                                  "List participants, show one, or make a record from a password.",
                                  "list | show ID | make ID",
                                  1,
                                  2,
                                  ROWS(rows),
                                  sizeof(verb_options),
                                  run,
                                  NULL};
