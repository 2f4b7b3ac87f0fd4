/**
 * Dialects: the protocols that mod_sauth implements. A dialect is a folder and a row in sauth_dialects.c. The row contains
 * everything that is specific to the protocol; no generic file refers to a dialect.
 *
 * A dialect translates its wire format into an ia_grant_request, calls ia_grant_decide, stores the grant through
 * sauth_grant.h, and writes the response. It has no policy, storage or clock of its own. HACKING.md lists the steps.
 */
#ifndef SAUTH_DIALECT_H
#define SAUTH_DIALECT_H

#include <httpd.h>
#include <http_config.h>
#include "problem.h"
#include "sauth_config.h"
#include "sauth_presentation.h"

/** How the path of a request is compared with the name of an endpoint. */
typedef enum sauth_endpoint_path {
    SAUTH_PATH_LAST, /**< the path ends with "/" and the name */
    SAUTH_PATH_TAIL, /**< the path ends with "/", the name, "/" and one more segment, the tail, which is not empty */
    SAUTH_PATH_ROOT  /**< the path begins with "/" and the name; the tail is the rest, which may be "" */
} sauth_endpoint_path;

/** A resource below a section with `SetHandler sauth`. */
typedef struct sauth_endpoint {
    const char *name; /**< one or more segments, without a slash at either end */
    sauth_endpoint_path path;
    apr_int64_t methods; /**< the allowed methods: SAUTH_METHOD values, combined with |; M_GET includes HEAD */
    /**
     * Handles a request; the method has been checked.
     * @param tail see sauth_endpoint_path; NULL for SAUTH_PATH_LAST
     * @return OK or DONE after it has written the response; otherwise what sauth_refuse_state returned
     */
    int (*handle)(request_rec *r, const char *tail);
} sauth_endpoint;

/** By the number that httpd has for a method: at most 63. */
#define SAUTH_METHOD(number) (AP_METHOD_BIT << (number))

/** The settings of a location or of the server: a struct of the dialect, which its directives fill. */
typedef struct sauth_settings {
    apr_size_t size;           /**< of the struct, in bytes; 0: there are no settings */
    void (*init)(void *unset); /**< sets each field to "not set". The memory is zeroed. NULL: zero means "not set" */
    /** Only for locations: `add` is the inner section. `out` is separate memory, to be filled completely. */
    void (*merge)(void *out, const void *base, const void *add);
} sauth_settings;

typedef struct sauth_dialect {
    const char *name;                               /**< only for readers of the code */
    const sauth_endpoint *endpoints;                /**< ends with a NULL name; may be NULL */
    const sauth_presentation *const *presentations; /**< ends with NULL; may be NULL */
    const sauth_presentation *endpoint_challenge;   /**< its challenge is added to a 401 of an endpoint; NULL: none */
    problem_formatter respond_error;                /**< formats refusals of its endpoints; NULL: problem+json */
    const command_rec *directives;                  /**< ends with a NULL name; may be NULL */
    sauth_settings location;                        /**< see sauth_dialect_location */
    sauth_settings server;                          /**< see sauth_dialect_server */
    void (*reset)(void); /**< in pre_config, before directives are read. This and the following functions may be NULL */
    const char *(*check_config)(apr_pool_t *,
                                server_rec *);      /**< @return NULL, or an error with which httpd does not start */
    void (*lint)(apr_pool_t *ptemp, server_rec *s); /**< in check_config: logs warnings about the configuration */
    int (*post_config)(apr_pool_t *pconf, apr_pool_t *ptemp,
                       server_rec *s); /**< @return OK, or a status with which httpd does not start */
    void (*register_hooks)(apr_pool_t *p);
} sauth_dialect;

/**
 * The rows, ended by NULL. Their order matters: the first presentation is accepted where there is no SAuthAccept, and those
 * without an auth-scheme are considered in this order.
 */
extern const sauth_dialect *const sauth_dialects[];

/** All directives of the module and its dialects. Initialized when the module is loaded. */
extern command_rec sauth_directives[];

/** check_config: checks the rows that were built in. @return NULL, or an error with which httpd does not start */
const char *sauth_dialects_check(apr_pool_t *p);

/** The default settings of a server, one for each row. */
void **sauth_dialect_servers(apr_pool_t *p);

/** Merges the settings of two sections; `add` overrides `base`. Either may be NULL, which means that nothing is set. */
void *const *sauth_dialect_locations_merge(apr_pool_t *p, void *const *base, void *const *add);

/** A dialect's settings for this location, without defaults; NULL if none are set. */
const void *sauth_dialect_location(const sauth_dir *conf, const sauth_dialect *dialect);

/** The same for a function that handles a directive: creates the settings if there are none. */
void *sauth_dialect_location_set(cmd_parms *cmd, sauth_dir *conf, const sauth_dialect *dialect);

/** A dialect's settings for this server; never NULL. */
void *sauth_dialect_server(server_rec *s, const sauth_dialect *dialect);

/** Finds the endpoint of a path. @param tail set to the tail, or to NULL @return NULL if there is none */
const sauth_endpoint *sauth_endpoint_find(const char *path, const sauth_dialect **dialect, const char **tail);

#endif
