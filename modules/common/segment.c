/* Shared memory that survives restarts. */
#include <apr_shm.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <string.h>
#include "segment.h"

segment *segment_find(const char *key, apr_uint64_t layout)
{
    segment *kept = ap_retained_data_get(key);

    return kept && kept->base && kept->layout == layout ? kept : NULL;
}

segment *segment_create(server_rec *s, const char *key, apr_size_t size, apr_uint64_t layout, apr_status_t *rv)
{
    segment *kept = ap_retained_data_get(key);
    apr_shm_t *shm;

    *rv = apr_shm_create(&shm, size, NULL, s->process->pool);
    if (*rv)
        return NULL;
    if (!kept)
        kept = ap_retained_data_create(key, sizeof *kept);
    memset(kept, 0, sizeof *kept);
    kept->base = apr_shm_baseaddr_get(shm);
    kept->size = size;
    kept->layout = layout;
    return kept;
}
