/** The settings of mod_isign: per location, and of the server. */
#ifndef ISIGN_CONFIG_H
#define ISIGN_CONFIG_H

#include <httpd.h>
#include <http_config.h>

extern const command_rec isign_directives[];

/** What a request must have. Each level includes the previous one. */
typedef enum isign_level {
    ISIGN_UNSET,
    ISIGN_OFF,      /**< nothing is checked */
    ISIGN_OPTIONAL, /**< a signature or digest that is present must be valid */
    ISIGN_DIGEST,   /**< a body needs a Content-Digest */
    ISIGN_REQUIRE   /**< every request needs a signature */
} isign_level;

typedef enum isign_mode { ISIGN_MODE_UNSET, ISIGN_MODE_ENFORCE, ISIGN_MODE_OBSERVE } isign_mode;

typedef enum isign_body { ISIGN_BODY_UNSET, ISIGN_BODY_SPOOL, ISIGN_BODY_STREAM } isign_body;

typedef enum isign_nonce { ISIGN_NONCE_UNSET, ISIGN_NONCE_REQUIRED, ISIGN_NONCE_OPTIONAL } isign_nonce;

#define ISIGN_ALGORITHMS_ALL (~0u) /* written by the administrator; 0 is unset */

/** Per location. */
typedef struct isign_dir {
    isign_level level;
    isign_mode mode;
    isign_body body;
    apr_int64_t spool_memory;  /**< bytes of a body kept in memory; -1 unset */
    apr_int64_t spool_max;     /**< bytes of a body at most; -1 unset */
    apr_array_header_t *cover; /**< of const char *: components a signature must cover; NULL unset */
    apr_int64_t max_age;       /**< seconds since `created`; -1 unset */
    unsigned algorithms;       /**< bits 1u << ia_algorithm; 0 unset */
    const char *tag;           /**< of the signature to verify; "": any, NULL unset */
    const char *label;         /**< likewise */
    isign_nonce nonce;
    apr_int64_t skew;      /**< seconds by which clocks may differ; -1 unset */
    const char *scheme;    /**< as clients see it; "": of the connection, NULL unset */
    const char *authority; /**< likewise; "": Host, if it names this virtual host */
} isign_dir;

/** Of the server. */
typedef struct isign_server {
    apr_int64_t spool_total;     /**< bytes that all stored bodies may take */
    const char *spool_directory; /**< for files of bodies; NULL: the system's temporary directory */
    apr_int64_t replay_capacity; /**< number of used nonces that are remembered */
    apr_int64_t longest_age;     /**< seconds: the largest ISignMaxAge of this virtual host */
    const char *state_file;      /**< NULL: used nonces are forgotten at a stop */
} isign_server;

void *isign_dir_create(apr_pool_t *p, char *path);
void *isign_dir_merge(apr_pool_t *p, void *base, void *add);
isign_dir isign_dir_effective(request_rec *r);
void *isign_server_create(apr_pool_t *p, server_rec *s);
isign_server *isign_server_of(server_rec *s);

/** pre_config: resets what an earlier reading of the configuration set. */
void isign_config_reset(void);

/** The largest ISignClockSkew of all locations, in microseconds. */
apr_time_t isign_widest_skew(void);

#endif
