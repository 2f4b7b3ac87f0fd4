/**
 * Dialects: the protocols that mod_sauth speaks. A dialect is a folder, and a row in sauth_dialects.c; the row owns all
 * that is particular to the protocol, and no generic file names one.
 *
 * A dialect translates its wire format into an ia_grant_request, lets ia_grant_decide decide, keeps the grant through
 * sauth_grant.h, and writes the response. It has no policy, storage or clock of its own.
 */
#ifndef SAUTH_DIALECT_H
#define SAUTH_DIALECT_H

#include <httpd.h>
#include <http_config.h>
#include "problem.h"
#include "sauth_config.h"
#include "sauth_presentation.h"

/** What the path of an endpoint looks like. */
typedef enum sauth_endpoint_path {
    SAUTH_PATH_LAST, /**< ends in "/" and the name */
    SAUTH_PATH_TAIL, /**< ends in "/", the name, "/" and one more segment that is not empty: the tail */
    SAUTH_PATH_ROOT  /**< begins with "/" and the name; the tail is what follows, perhaps "" */
} sauth_endpoint_path;

/** A resource below a section with `SetHandler sauth`. */
typedef struct sauth_endpoint {
    const char *name; /**< one segment or several, without slashes at its ends */
    sauth_endpoint_path path;
    apr_int64_t methods; /**< SAUTH_METHOD bits; M_GET includes HEAD */
    /**
     * Writes the response and returns OK or DONE, or returns what sauth_refuse returned.
     * @param tail NULL for SAUTH_PATH_LAST
     */
    int (*handle)(request_rec *r, const char *tail);
} sauth_endpoint;

/** By the number that httpd has for a method: at most 63. */
#define SAUTH_METHOD(number) (AP_METHOD_BIT << (number))

/** Settings of one kind: of a location, or of the server. All functions get memory of `size` bytes. */
typedef struct sauth_settings {
    apr_size_t size;           /**< 0: there are none */
    void (*init)(void *unset); /**< every field says "not set"; the memory is zeroed. May be NULL */
    /** Of a location only. `out` is neither `base` nor `add`. */
    void (*merge)(void *out, const void *base, const void *add);
} sauth_settings;

typedef struct sauth_dialect {
    const char *name;
    const sauth_endpoint *endpoints;                /**< ends with a NULL name; may be NULL */
    const sauth_presentation *const *presentations; /**< ends with NULL; may be NULL */
    const sauth_presentation *endpoint_challenge;   /**< whose challenge a 401 of an endpoint carries; NULL: none */
    problem_formatter respond_error;                /**< of its endpoints; NULL: problem+json */
    const command_rec *directives;                  /**< ends with a NULL name; may be NULL */
    sauth_settings location;                        /**< see sauth_dialect_location */
    sauth_settings server;                          /**< see sauth_dialect_server */
    void (*reset)(void); /**< pre_config: before directives are read. May be NULL, as the next */
    const char *(*check_config)(apr_pool_t *, server_rec *); /**< @return NULL, or what ends a start */
    void (*lint)(apr_pool_t *ptemp, server_rec *s);          /**< check_config: warns of what is set up incompletely */
    int (*post_config)(apr_pool_t *pconf, apr_pool_t *ptemp,
                       server_rec *s); /**< @return OK, or a status that ends a start */
    void (*register_hooks)(apr_pool_t *p);
} sauth_dialect;

/**
 * The rows, ended by NULL. Their order matters: the first presentation is accepted where there is no SAuthAccept, and those
 * without an auth-scheme are considered in this order.
 */
extern const sauth_dialect *const sauth_dialects[];

/** The module's directives: the generic ones, and those of each dialect. Filled when the module is loaded. */
extern command_rec sauth_directives[];

/** Settings of a server, one for each row. */
void **sauth_dialect_servers(apr_pool_t *p);

/** Settings of merged locations: those of `add` over `base`. Either may be NULL: none are set. */
void *const *sauth_dialect_locations_merge(apr_pool_t *p, void *const *base, void *const *add);

/** A dialect's settings of this location, not merged with any defaults; NULL where none are set. */
const void *sauth_dialect_location(const sauth_dir *conf, const sauth_dialect *dialect);

/** The same, for a directive to set: made where there are none. */
void *sauth_dialect_location_set(cmd_parms *cmd, sauth_dir *conf, const sauth_dialect *dialect);

/** A dialect's settings of this server, never NULL. */
void *sauth_dialect_server(server_rec *s, const sauth_dialect *dialect);

/** The endpoint of a path. @param tail set to its tail, or NULL @return NULL for none */
const sauth_endpoint *sauth_endpoint_find(const char *path, const sauth_dialect **dialect, const char **tail);

#endif
