/**
 * A module's state file: read at a start, marked as one of a running server before anything is served, and written clean
 * when the server stops. Only the parent writes. Nothing is registered on the process pool: a DSO is unmapped before the
 * cleanups of that run.
 */
#ifndef INTERAUTH_COMMON_PERSIST_H
#define INTERAUTH_COMMON_PERSIST_H

#include <httpd.h>
#include "interauth_registry.h"
#include "state_file.h"

typedef struct persist {
    const char *directive;  /**< its name */
    const char *log_prefix; /**< of the module, such as "sauth" */
    const char *at_risk;    /**< what it means that nothing could be saved */
    const char *gone;       /**< what it means that a file is set aside */
    apr_uint32_t kind;      /**< of st_state_names */
    int module_index;       /**< under which lines are logged */

    st_state state;              /**< set before persist_open */
    const ia_registry *registry; /**< likewise; NULL: nobody is known */

    const char *path;     /**< NULL: nothing is kept */
    const char *unusable; /**< why, where a reload found the file unusable */
    server_rec *s;
    pid_t parent;
    apr_time_t saved;
    int restored; /**< `report` holds */
    st_state_report report;
    unsigned char key[ST_STATE_KEY_LEN];
} persist;

/**
 * check_config: whether a file can be kept there; `path` may be NULL.
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
