/**
 * mod_registry: the participants. It reads them from a file, keeps them in shared memory, and lets the other modules look
 * them up through the provider of interauth_registry.h.
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

/** The configuration of the server; all directives are global. */
typedef struct registry_config {
    const char *file;
    apr_int64_t capacity;
    apr_int64_t key_capacity;
} registry_config;

/** Reset each time that the configuration is read. */
registry_config *registry_config_of(server_rec *s);
void *registry_config_create(apr_pool_t *p, server_rec *s);

/** The state of the module. Children get a copy at fork. */
typedef struct registry_state {
    st_participants *table; /**< NULL until the segment is open */
    st_keys *keys;
    st_texts *texts;
    apr_uint32_t capacity;
    const char *stale; /**< why the current file is not in force, or NULL */
} registry_state;

extern registry_state registry;

/**
 * check_config: reads and checks the file, for registry_file_publish. @return OK or an HTTP status that ends a start
 */
int registry_file_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** post_config: publishes what was checked. The previous participants stay if the file is wrong. */
int registry_file_publish(apr_pool_t *ptemp, server_rec *s);

/** Writes the section of the mod_status page. */
int registry_status_report(request_rec *r, int flags);

#endif
