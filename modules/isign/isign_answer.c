/* What leaves: log lines, refusals with what they ask for, the app's environment. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>
#include "mod_isign.h"
#include "environment.h"
#include "hygiene.h"
#include "interauth_notes.h"
#include "problem.h"
#include "request.h"

APLOG_USE_MODULE(isign);

static const environment_row rows[] = {{IA_NOTE_ISIGN_RESULT, "ISIGN_RESULT", "ISign-Result"},
                                       {IA_NOTE_ISIGN_DIGEST, "ISIGN_DIGEST", "ISign-Digest"},
                                       {IA_NOTE_ISIGN_PARTICIPANT, "ISIGN_PARTICIPANT", "ISign-Participant"},
                                       {IA_NOTE_ISIGN_KEYID, "ISIGN_KEYID", "ISign-Keyid"},
                                       {IA_NOTE_ISIGN_COVERED, "ISIGN_COVERED", "ISign-Covered"},
                                       {IA_NOTE_ISIGN_ALG, "ISIGN_ALG", "ISign-Alg"},
                                       {NULL, NULL, NULL}};

void isign_log(request_rec *r, const char *what, ia_result rc)
{
    const ia_outcome *outcome = ia_outcome_of(rc);
    const char *participant = request_note(r, IA_NOTE_SAUTH_PARTICIPANT);

    if (!participant)
        participant = request_note(r, IA_NOTE_ISIGN_PARTICIPANT);
    ap_log_rerror(APLOG_MARK, problem_log_level(outcome), 0, r, "isign: %s reason=%s%s%s%s location=\"%s\"", what,
                  outcome->tag, participant ? " participant=\"" : "", participant ? participant : "",
                  participant ? "\"" : "", r->uri);
}

/* The signature that would do: RFC 9421 section 5.1. */
static void write_accept_signature(request_rec *r)
{
    static const char *const components[] = {"@method", "@authority", "@path", "@query", "content-digest"};
    isign_dir conf = isign_dir_effective(r);
    ia_httpsig_plan plan = {"sig1", components, isign_has_body(r) ? 5 : 4, 1, 0, NULL, NULL, conf.tag, 0};
    char *value;

    if (conf.cover) {
        plan.components = (const char *const *)conf.cover->elts;
        plan.component_count = (unsigned)conf.cover->nelts;
    }
    if (ia_httpsig_format_accept(&value, r->pool, &plan, IA_ALGORITHM_NONE) == IA_OK)
        apr_table_setn(r->err_headers_out, "Accept-Signature", value);
}

static int asks_for_digest(ia_result rc)
{
    return rc == IA_DIGEST_MISSING || rc == IA_DIGEST_UNSUPPORTED || rc == IA_DIGEST_DEPRECATED;
}

int isign_refuse(request_rec *r, ia_result rc, int status)
{
    isign_log(r, "refused", rc);
    if (asks_for_digest(rc))
        apr_table_setn(r->err_headers_out, "Want-Content-Digest", IA_WANT_CONTENT_DIGEST);
    if (rc == IA_BODY_BROKEN && status && status != HTTP_BAD_REQUEST)
        return status;
    status = problem_set(r, rc, NULL, 0);
    if (status == HTTP_UNAUTHORIZED || rc == IA_SIGNATURE_WANTED || rc == IA_SIGNATURE_NARROW)
        write_accept_signature(r);
    if (status != HTTP_UNAUTHORIZED)
        return status;
    if (ap_auth_type(r))
        ap_note_auth_failure(r);
    else
        apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Signature");
    return status;
}

int isign_is_private(request_rec *r)
{
    return isign_state_of(r)->signature != NULL;
}

int isign_export(request_rec *r)
{
    hygiene_strip_environment(r, "ISIGN_");
    environment_export(r, rows, ENVIRONMENT_VARIABLES);
    return OK;
}
