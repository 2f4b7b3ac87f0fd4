/* Declarations shared by the files of HTTP message signatures. */
#ifndef IAI_HTTPSIG_INTERNAL_H
#define IAI_HTTPSIG_INTERNAL_H

#include "interauth/httpsig.h"
#include "sfv_internal.h"

typedef enum iai_derived {
    IAI_FIELD, /* not a derived component */
    IAI_METHOD,
    IAI_TARGET_URI,
    IAI_AUTHORITY,
    IAI_SCHEME,
    IAI_REQUEST_TARGET,
    IAI_PATH,
    IAI_QUERY,
    IAI_QUERY_PARAM,
    IAI_STATUS
} iai_derived;

#define IAI_SF  1u
#define IAI_BS  2u
#define IAI_REQ 4u
#define IAI_KEY 8u /* `text` is the key of a dictionary member */

/* A parsed component identifier: equal identifiers are equal here, in whatever order their parameters are. */
typedef struct iai_component {
    ia_sfv_text name;
    iai_derived derived;
    unsigned flags;
    ia_sfv_text text; /* `key` of a field, `name` of @query-param */
} iai_component;

static inline char iai_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline ia_sfv_text iai_text(const char *string)
{
    const ia_sfv_text text = {string, strlen(string)};

    return text;
}

/* Parses an identifier, without regard to a message. */
ia_result iai_component_read(iai_component *out, const ia_sfv_member *item);

/* The value of a component in a message, or with `req` in the related request. */
ia_result iai_component_value(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                              const iai_component *component);

ia_result iai_derived_value(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                            const iai_component *component);
ia_result iai_query_param(ia_sfv_text *out, apr_pool_t *p, const ia_sfv_text *query, const ia_sfv_text *name);

ia_result iai_field_value(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message,
                          const iai_component *component);

/* All lines of a field, trimmed and joined with ", "; IA_SIG_FIELD_MISSING if there is none. */
ia_result iai_field_lines(ia_sfv_text *out, apr_pool_t *p, const ia_httpsig_message *message, const ia_sfv_text *name);

/* Whether it consists of printable ASCII and tabs. */
int iai_is_signable(const ia_sfv_text *text);

/* Rules of a policy that a verification applies before ia_httpsig_judge applies all of them. */
ia_result iai_judge_algorithm(ia_algorithm algorithm, const ia_httpsig_policy *policy);
ia_result iai_judge_time(const ia_httpsig *signature, const ia_httpsig_policy *policy, apr_time_t now);
ia_result iai_judge_nonce(const ia_httpsig *signature, const ia_httpsig_policy *policy);

#endif
