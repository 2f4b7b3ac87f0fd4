/** Rules: `Require NAME word..`. One of the words must match; an expression can return them, as in `Require expr`. */
#ifndef SAUTH_REQUIRE_H
#define SAUTH_REQUIRE_H

#include <mod_auth.h>
#include "sauth_state.h"

typedef struct sauth_rule {
    const char *name; /**< after Require */
    int (*is_word)(const char *word, apr_size_t len);
    int (*has)(const sauth_state *state, const char *word); /**< whether the client has this capability, role etc. */
    ia_result missing;
    /** Returns a sentence that tells a client without any of the words what to do, or NULL. May be NULL. */
    const char *(*advise)(apr_pool_t *p, const sauth_state *state, const char *const *words, int count);
} sauth_rule;

/** Functions for providers. httpd does not pass the name of the provider to its parser, so each has its own parser. */
const char *sauth_rule_parse(cmd_parms *cmd, const char *line, const void **parsed, const sauth_rule *rule);
authz_status sauth_rule_check(request_rec *r, const char *line, const void *parsed);

void sauth_rule_register(apr_pool_t *p, const sauth_rule *rule, const authz_provider *provider);

/** The generic rules: capability, participant, participant-role. */
void sauth_require_register(apr_pool_t *p);

#endif
