/** The verbs of the interauth command, each in a file of its own. */
#ifndef CLIENT_VERBS_H
#define CLIENT_VERBS_H

#include "options.h"

extern const cl_verb verb_keygen;
extern const cl_verb verb_secret;
extern const cl_verb verb_grant;
extern const cl_verb verb_grants;
extern const cl_verb verb_forget;
extern const cl_verb verb_call;
extern const cl_verb verb_invoke;
extern const cl_verb verb_refresh;
extern const cl_verb verb_sign;
extern const cl_verb verb_verify;
extern const cl_verb verb_explain;
extern const cl_verb verb_participant;
extern const cl_verb verb_check;

#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])

#endif
