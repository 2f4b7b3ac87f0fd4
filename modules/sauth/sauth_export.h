/** What the application gets to know about its client. */
#ifndef SAUTH_EXPORT_H
#define SAUTH_EXPORT_H

#include <httpd.h>
#include "environment.h"
#include "sauth_state.h"

/** Adds an attribute; for `describe` of a presentation. `value` must live as long as the state. */
void sauth_attribute_add(sauth_state *state, const environment_row *row, const char *value);

/** Writes the notes about an authenticated client. */
void sauth_notes_write(request_rec *r, sauth_state *state);
void sauth_notes_clear(request_rec *r);

/** Fixups hook: sets the environment of the application, and removes what it must not see. */
int sauth_fixups(request_rec *r);

/** Whether the response is for one client only. Calls `complete` of the presentation if it is. */
int sauth_is_private(request_rec *r);

/** The names of a set, separated by spaces. */
const char *sauth_capability_names(apr_pool_t *p, const ia_capset *set);

#endif
