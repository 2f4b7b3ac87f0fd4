/** What the application learns about its client. */
#ifndef SAUTH_EXPORT_H
#define SAUTH_EXPORT_H

#include <httpd.h>
#include "environment.h"
#include "sauth_state.h"

/** Adds an attribute; for a presentation's `describe`. `value` lives as long as the state. */
void sauth_attribute_add(sauth_state *state, const environment_row *row, const char *value);

/** The notes about a client that was let in. */
void sauth_notes_write(request_rec *r, sauth_state *state);
void sauth_notes_clear(request_rec *r);

/** Hook: the environment of the application, and what it must not see. */
int sauth_fixups(request_rec *r);

/** Whether the response is for one client only; also completes it with what the presentation adds. */
int sauth_is_private(request_rec *r);

/** Space-separated names of a set. */
const char *sauth_capability_names(apr_pool_t *p, const ia_capset *set);

#endif
