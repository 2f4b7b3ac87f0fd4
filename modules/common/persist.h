/**
 * A module's state file. It is read at a start and marked as that of a running server before requests are served; a clean
 * stop writes it as complete. Only the parent writes. There are no cleanups in the process pool, because modules are
 * unloaded before these run.
 */
#ifndef INTERAUTH_COMMON_PERSIST_H
#define INTERAUTH_COMMON_PERSIST_H

#include <httpd.h>
#include "interauth_registry.h"
#include "state_file.h"

typedef struct persist {
    const char *directive;  /**< its name */
    const char *log_prefix; /**< of the module, such as "sauth" */
    const char *at_risk;    /**< what is lost if nothing can be saved; part of a log line */
    const char *gone;       /**< what is lost if a file is set aside; part of a log line */
    apr_uint32_t kind;      /**< for st_state_names */
    int module_index;       /**< of the module that logs */

    st_state state;              /**< set before persist_open */
    const ia_registry *registry; /**< likewise; NULL: there are no participants */

    const char *path;     /**< NULL: no file */
    const char *unusable; /**< why a reload found the file unusable, or NULL */
    server_rec *s;
    pid_t parent;
    apr_time_t saved;
    int restored; /**< `report` is valid */
    st_state_report report;
    unsigned char key[ST_STATE_KEY_LEN];
} persist;

/**
 * check_config: whether the file can be used; `path` may be NULL.
 * @return NULL, or what is wrong, without the directive's name
 */
const char *persist_check(const persist *f, const char *path, apr_pool_t *ptemp, server_rec *s);

/**
 * post_config: reads the file of `path` into tables that are `fresh`, and marks it as one of a running server.
 * @return OK or a status that ends a start
 */
int persist_open(persist *f, const char *path, apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, int fresh);

/** monitor hook of the parent: saves every half minute. */
void persist_monitor(persist *f);

#endif
