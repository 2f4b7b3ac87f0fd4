/*
 * What the log says of a refused signature beside the reason: whose it is or claims to be, by which key, and what it
 * lacks. Never a signature or a secret; what a client wrote is escaped and cut.
 */
#include <httpd.h>
#include <apr_strings.h>
#include <string.h>
#include "clock.h"
#include "log_field.h"
#include "mod_isign.h"
#include "request.h"
#include "snapshot.h"

#define SHOWN_MAX 300 /* bytes of a client's text */

static const char *quote(apr_pool_t *p, const char *name, const char *text, apr_size_t len)
{
    return log_field_cut(p, name, text, len, SHOWN_MAX);
}

static const char *name_missing(apr_pool_t *p, const ia_httpsig *signature, const char *const *names, unsigned count)
{
    apr_array_header_t *missing = apr_array_make(p, 4, sizeof(const char *));
    const char *list;
    unsigned i;

    for (i = 0; i < count; i++)
        if (!ia_httpsig_covers(signature, names[i]))
            APR_ARRAY_PUSH(missing, const char *) = names[i];
    list = apr_array_pstrcat(p, missing, ',');
    return quote(p, "missing", list, strlen(list));
}

/* Who the keyid names; where it names nobody, what stands where the name of a participant would. */
static const char *name_claimed(apr_pool_t *p, const ia_httpsig *signature, const char *participant)
{
    const ia_sfv_text *keyid = &signature->keyid;
    const char *hash = memchr(keyid->data, '#', keyid->len), *next;

    if (*participant)
        return quote(p, "claimed", participant, strlen(participant));
    while (hash && (next = memchr(hash + 1, '#', keyid->len - (apr_size_t)(hash + 1 - keyid->data))))
        hash = next;
    return quote(p, "claimed", keyid->data, hash ? (apr_size_t)(hash - keyid->data) : keyid->len);
}

static const char *name_lack(request_rec *r, apr_pool_t *p, ia_result rc, const ia_httpsig *signature,
                             const ia_httpsig_policy *policy)
{
    const char *authority;

    switch (rc) {
    case IA_SIG_COMPONENT_MISSING:
        return name_missing(p, signature, policy->required, policy->required_count);
    case IA_SIG_AUTHORITY_FOREIGN:
        authority = snapshot_of(r)->authority;
        return quote(p, "authority", authority, strlen(authority));
    case IA_SIG_CREATED_OLD:
    case IA_SIG_CREATED_FUTURE:
        return apr_psprintf(p, " offset=%+" APR_INT64_T_FMT,
                            signature->created - (apr_int64_t)apr_time_sec(clock_now()));
    case IA_SIG_EXPIRED:
        return apr_psprintf(p, " offset=%+" APR_INT64_T_FMT,
                            signature->expires - (apr_int64_t)apr_time_sec(clock_now()));
    default:
        return "";
    }
}

void isign_log_detail(request_rec *r, ia_result rc, const ia_httpsig *signature, const ia_httpsig_policy *policy,
                      const char *participant)
{
    apr_pool_t *p = request_outermost(r)->pool;
    isign_state *state = isign_state_of(r);
    const char *whose = "";

    state->has_log_detail = rc;
    state->log_detail = "";
    state->proven = NULL;
    if (!rc || !signature)
        return;
    if (signature->algorithm != IA_ALGORITHM_NONE)
        state->proven = apr_pstrdup(p, participant);
    else if (signature->keyid.data)
        whose = name_claimed(p, signature, participant);
    if (signature->keyid.data)
        whose = apr_pstrcat(p, whose, quote(p, "keyid", signature->keyid.data, signature->keyid.len), NULL);
    state->log_detail = apr_pstrcat(p, whose, name_lack(r, p, rc, signature, policy), NULL);
}

void isign_log_detail_coverage(request_rec *r, const char *const *components, unsigned count)
{
    isign_state *state = isign_state_of(r);

    state->has_log_detail = IA_INSUFFICIENT_COVERAGE;
    state->log_detail = name_missing(request_outermost(r)->pool, state->signature, components, count);
    state->proven = NULL;
}
