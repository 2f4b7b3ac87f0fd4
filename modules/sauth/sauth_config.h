/** Settings of mod_sauth: per location, and per server. `dialects` refers to those of the dialects. */
#ifndef SAUTH_CONFIG_H
#define SAUTH_CONFIG_H

#include <httpd.h>
#include <http_config.h>

/** The directives that do not belong to a dialect. */
extern const command_rec sauth_generic_directives[];

#define SAUTH_ANYWHERE (RSRC_CONF | ACCESS_CONF)

typedef enum sauth_mode { SAUTH_MODE_UNSET, SAUTH_MODE_ENFORCE, SAUTH_MODE_OBSERVE } sauth_mode;
typedef enum sauth_pass { SAUTH_PASS_UNSET, SAUTH_PASS_ENV, SAUTH_PASS_HEADERS } sauth_pass;

/** AuthMerging: whether the rules of a section replace those of its parent. */
typedef enum sauth_merging { SAUTH_MERGING_OFF, SAUTH_MERGING_AND, SAUTH_MERGING_OR } sauth_merging;

/** AuthType of a section. */
typedef enum sauth_type { SAUTH_TYPE_UNSET, SAUTH_TYPE_OURS, SAUTH_TYPE_OTHER } sauth_type;

/** Settings of a location. Each field has a value for "unset"; see sauth_dir_effective. */
typedef struct sauth_dir {
    unsigned accept;    /**< bits of presentations; 0 unset */
    apr_uint64_t scope; /**< sauth_scope_number of its name; 0 unset: the default scope */
    sauth_mode mode;
    sauth_pass pass;
    int pass_authorization; /**< -1 unset */
    int partial_grants;     /**< -1 unset */
    apr_time_t clock_skew;  /**< microseconds; -1 unset */
    apr_time_t refresh_window;
    apr_time_t grant_max_age;
    void *const *dialects; /**< settings by row of sauth_dialects, without defaults; NULL: none are set */
    /*
     * How this section, or several merged ones, changes the rules of earlier sections. httpd merges sections in any
     * grouping. Sets of methods are bits AP_METHOD_BIT << number: a Require in <Limit> applies only to those methods.
     */
    sauth_merging merging; /**< AuthMerging of one section */
    int overrides;         /**< of merged sections: earlier rules do not apply */
    sauth_type type;       /**< the last AuthType */
    apr_int64_t required;  /**< methods with a Require after the last AuthType */
    apr_int64_t ours;      /**< methods to which a Require of this module applies */
} sauth_dir;

/** Global settings. */
typedef struct sauth_server {
    apr_int64_t grant_capacity;
    apr_int64_t replay_capacity; /**< 0: same as grant_capacity */
    apr_int64_t grant_quota;     /**< 0: an eighth of the current capacity */
    apr_int64_t replay_quota;
    const char *state_file; /**< NULL: grants are lost when the server stops */
    void **dialects;        /**< by row of sauth_dialects */
} sauth_server;

void *sauth_dir_create(apr_pool_t *p, char *path);
void *sauth_dir_merge(apr_pool_t *p, void *base, void *add);
void *sauth_server_create(apr_pool_t *p, server_rec *s);
sauth_server *sauth_server_of(server_rec *s);

/** Returns a hash of the name of a scope, to be stored in grants. Never 0. */
apr_uint64_t sauth_scope_number(const char *name);

/** Returns file and line of the first SAuthAccept with the presentation of this bit, or NULL. */
const char *sauth_accepted_at(apr_uint32_t bit);

/** Parses an argument in seconds; `out` is in microseconds. @return NULL, or the error */
const char *sauth_set_seconds(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_time_t *out);

/** Returns the settings for a request, including defaults. */
sauth_dir sauth_dir_effective(request_rec *r);

/** Returns the methods for which the last AuthType is SAuth, without a Require after it or one of this module. */
apr_int64_t sauth_dir_unruled(const sauth_dir *conf);

/** Returns the largest SAuthClockSkew of this configuration. */
apr_time_t sauth_widest_skew(void);
void sauth_config_reset(void);

#endif
