/** Warnings at startup about directives that need others, or that others make void. */
#ifndef SAUTH_CONFIG_LINT_H
#define SAUTH_CONFIG_LINT_H

#include <httpd.h>
#include <http_config.h>

/** check_config: what concerns every dialect. Those of a dialect are in its row. */
void sauth_config_lint(apr_pool_t *ptemp, server_rec *s);

/** One warning about a directive, with its file and line. */
void sauth_lint_warn(apr_pool_t *p, server_rec *s, const ap_directive_t *d, const char *text);

/** A section_test: whether endpoints are set up here. */
int sauth_lint_is_endpoint(apr_pool_t *p, const ap_directive_t *d);

#endif
