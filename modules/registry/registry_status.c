/* mod_registry's section of the mod_status page. */
#include <httpd.h>
#include <http_protocol.h>
#include <mod_status.h>
#include "interauth/timestamp.h"
#include "mod_registry.h"

int registry_status_report(request_rec *r, int flags)
{
    char loaded[IA_RFC3339_SIZE];

    if (!registry.table)
        return OK;
    ia_timestamp_format(loaded, st_participants_loaded(registry.table));
    if (flags & AP_STATUS_SHORT) {
        ap_rprintf(r, "RegistryParticipants: %u\nRegistryCapacity: %u\nRegistryStale: %d\n",
                   st_participants_count(registry.table), registry.capacity, registry.stale ? 1 : 0);
        return OK;
    }
    ap_rprintf(r, "<hr>\n<h2>Participants</h2>\n<p>%u of %u, read %s%s%s</p>\n", st_participants_count(registry.table),
               registry.capacity, loaded, registry.stale ? "; stale: " : "",
               registry.stale ? ap_escape_html(r->pool, registry.stale) : "");
    return OK;
}
