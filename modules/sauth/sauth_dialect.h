/**
 * Dialects: the protocols that mod_sauth supports. A dialect has a folder and a row in sauth_dialects.c, which contains
 * everything specific to the protocol; other files do not depend on dialects.
 *
 * A dialect converts its wire format into an ia_grant_request, calls ia_grant_decide, stores the grant with
 * sauth_grant.h, and writes the response. It has no policy, storage or clock of its own.
 */
#ifndef SAUTH_DIALECT_H
#define SAUTH_DIALECT_H

#include <httpd.h>
#include <http_config.h>
#include "problem.h"
#include "sauth_config.h"
#include "sauth_presentation.h"

/** Form of the path of an endpoint. */
typedef enum sauth_endpoint_path {
    SAUTH_PATH_LAST, /**< ends in "/" and the name */
    SAUTH_PATH_TAIL, /**< ends in "/", the name, "/" and one non-empty segment, the tail */
    SAUTH_PATH_ROOT  /**< begins with "/" and the name; the rest is the tail and may be "" */
} sauth_endpoint_path;

/** A resource below a section with `SetHandler sauth`. */
typedef struct sauth_endpoint {
    const char *name; /**< one or more segments, without leading or trailing slash */
    sauth_endpoint_path path;
    apr_int64_t methods; /**< SAUTH_METHOD bits; M_GET includes HEAD */
    /**
     * Writes the response and returns OK or DONE, or returns the result of sauth_refuse.
     * @param tail NULL for SAUTH_PATH_LAST
     */
    int (*handle)(request_rec *r, const char *tail);
} sauth_endpoint;

/** By the number that httpd has for a method: at most 63. */
#define SAUTH_METHOD(number) (AP_METHOD_BIT << (number))

/** Settings of a dialect, per location or per server. All functions get memory of `size` bytes. */
typedef struct sauth_settings {
    apr_size_t size;           /**< 0: no settings */
    void (*init)(void *unset); /**< sets all fields to "unset"; the memory is zeroed. May be NULL */
    /** Only for settings per location. `out` is neither `base` nor `add`. */
    void (*merge)(void *out, const void *base, const void *add);
} sauth_settings;

typedef struct sauth_dialect {
    const char *name;
    const sauth_endpoint *endpoints;                /**< ends with a NULL name; may be NULL */
    const sauth_presentation *const *presentations; /**< ends with NULL; may be NULL */
    const sauth_presentation *endpoint_challenge;   /**< whose challenge is in a 401 of an endpoint; NULL: none */
    problem_formatter respond_error;                /**< of its endpoints; NULL: problem+json */
    const command_rec *directives;                  /**< ends with a NULL name; may be NULL */
    sauth_settings location;                        /**< see sauth_dialect_location */
    sauth_settings server;                          /**< see sauth_dialect_server */
    void (*reset)(void); /**< pre_config: called before directives are read. This and the following may be NULL */
    const char *(*check_config)(apr_pool_t *, server_rec *); /**< @return NULL, or an error that prevents the start */
    void (*lint)(apr_pool_t *ptemp, server_rec *s); /**< check_config: warns about an incomplete configuration */
    int (*post_config)(apr_pool_t *pconf, apr_pool_t *ptemp,
                       server_rec *s); /**< @return OK, or a status that prevents the start */
    void (*register_hooks)(apr_pool_t *p);
} sauth_dialect;

/**
 * The rows, ended by NULL. Their order matters: the first presentation is accepted where there is no SAuthAccept, and those
 * without an auth-scheme are considered in this order.
 */
extern const sauth_dialect *const sauth_dialects[];

/** All directives of the module and its dialects. Initialized when the module is loaded. */
extern command_rec sauth_directives[];

/** Creates the settings per server, one for each row. */
void **sauth_dialect_servers(apr_pool_t *p);

/** Merges settings of locations; `add` takes precedence. Both may be NULL: none are set. */
void *const *sauth_dialect_locations_merge(apr_pool_t *p, void *const *base, void *const *add);

/** Returns a dialect's settings of this location, without defaults, or NULL if none are set. */
const void *sauth_dialect_location(const sauth_dir *conf, const sauth_dialect *dialect);

/** Returns a dialect's settings for a directive to change, and creates them if necessary. */
void *sauth_dialect_location_set(cmd_parms *cmd, sauth_dir *conf, const sauth_dialect *dialect);

/** Returns a dialect's settings of this server, never NULL. */
void *sauth_dialect_server(server_rec *s, const sauth_dialect *dialect);

/** Finds the endpoint of a path. @param tail set to its tail, or NULL @return NULL if there is none */
const sauth_endpoint *sauth_endpoint_find(const char *path, const sauth_dialect **dialect, const char **tail);

#endif
