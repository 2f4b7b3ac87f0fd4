/**
 * mod_isign: is this message whole? Bodies are held against their Content-Digest before the handler runs, so that a
 * changed one never reaches the app.
 */
#ifndef MOD_ISIGN_H
#define MOD_ISIGN_H

#include <httpd.h>
#include <http_config.h>
#include <util_filter.h>
#include "interauth/digest.h"

extern module AP_MODULE_DECLARE_DATA isign_module __attribute__((visibility("default"))); /* httpd looks it up by name */
extern const command_rec isign_directives[];

typedef enum isign_mode { ISIGN_UNSET, ISIGN_OFF, ISIGN_OBSERVE, ISIGN_REQUIRE } isign_mode;

/** Per location. */
typedef struct isign_dir {
    isign_mode mode;
    apr_int64_t spool_memory; /**< bytes of a body kept in memory; -1 unset */
    apr_int64_t spool_max;    /**< bytes of a body at most; -1 unset */
} isign_dir;

void *isign_dir_create(apr_pool_t *p, char *path);
void *isign_dir_merge(apr_pool_t *p, void *base, void *add);
isign_dir isign_dir_effective(request_rec *r);

/** fixups, after authorization: reads, checks and keeps the body. */
int isign_check_body(request_rec *r);

/** fixups, last: the app's environment. */
int isign_export(request_rec *r);

/* --- the spool: a body that was read before its handler ------------------------------------------------------- */

/** A body read whole: in memory, or behind that in an unlinked temporary file. Lives as long as its request. */
typedef struct isign_spool isign_spool;

/** Sees each piece of the body as it is read. */
typedef ia_result (*isign_on_data)(void *context, const void *data, apr_size_t len);

/**
 * Reads the request's body to its end.
 * @param status httpd's own status for a broken body, else 0
 * @return IA_OK, IA_BODY_TOO_LARGE, IA_BODY_BROKEN, IA_FAULT_SPOOL, or what `on_data` said
 */
ia_result isign_spool_read(isign_spool **out, request_rec *r, apr_off_t memory, apr_off_t max, isign_on_data on_data,
                           void *context, int *status);

apr_off_t isign_spool_length(const isign_spool *spool);

/** Gives the body to whoever reads the request next, with a Content-Length. Again after an internal redirect. */
void isign_spool_replay(isign_spool *spool, request_rec *r);

void isign_spool_register(apr_pool_t *p);

#endif
