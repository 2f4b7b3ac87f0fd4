/* The section of mod_sauth in the mod_status page. */
#include <httpd.h>
#include <http_protocol.h>
#include <mod_status.h>
#include "mod_sauth.h"

int sauth_status_report(request_rec *r, int flags)
{
    st_grant_count count;

    if (!sauth.grants)
        return OK;
    count = st_store_count(sauth.grants);
    if (flags & AP_STATUS_SHORT) {
        ap_rprintf(r, "SAuthGrants: %u\nSAuthGrantCapacity: %u\nSAuthReplays: %u\nSAuthReplayCapacity: %u\n",
                   count.live, count.capacity, st_replays_live(sauth.replays), sauth.replays->capacity);
        return OK;
    }
    ap_rprintf(r, "<hr>\n<h2>Grants</h2>\n<p>%u of %u grants; %u of %u used access requests remembered</p>\n",
               count.live, count.capacity, st_replays_live(sauth.replays), sauth.replays->capacity);
    return OK;
}
