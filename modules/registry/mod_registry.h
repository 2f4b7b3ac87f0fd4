/**
 * mod_registry: who the participants are. Reads them from a file (later: a database), keeps them in shared memory, and
 * serves look-ups to the other modules through the provider of interauth_registry.h.
 */
#ifndef MOD_REGISTRY_H
#define MOD_REGISTRY_H

#include <httpd.h>
#include <http_config.h>
#include "interauth_registry.h"
#include "key_table.h"
#include "participant_table.h"
#include "text_table.h"

extern module AP_MODULE_DECLARE_DATA registry_module
    __attribute__((visibility("default"))); /* httpd looks it up by name */
extern const command_rec registry_directives[];
extern const ia_registry registry_provider;

#define REGISTRY_CAPACITY_DEFAULT 10000
#define REGISTRY_CAPACITY_MAX     16777216
#define REGISTRY_KEYS_DEFAULT     10000

/** The one configuration of the server (all directives are global). */
typedef struct registry_config {
    const char *file;
    apr_int64_t capacity;
    apr_int64_t key_capacity;
} registry_config;

/** Made anew for each reading of the configuration. */
registry_config *registry_config_of(server_rec *s);
void *registry_config_create(apr_pool_t *p, server_rec *s);

/** What a status page and a log want to know. Copied to the children at fork. */
typedef struct registry_state {
    st_participants *table; /**< NULL until the segment is open */
    st_keys *keys;
    st_texts *texts;
    apr_uint32_t capacity;
    const char *stale; /**< why the newest file is not in force, or NULL */
} registry_state;

extern registry_state registry;

/** check_config: reads and checks the file, for registry_file_publish. @return OK or an HTTP status that ends a start */
int registry_file_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** post_config: makes the table hold what was checked; the last good content stays where nothing good was read. */
int registry_file_publish(apr_pool_t *ptemp, server_rec *s);

/** A section in mod_status's page. */
int registry_status_report(request_rec *r, int flags);

#endif
