/** Directive settings: per location, and for the server as a whole. Those of dialects are behind `dialects`. */
#ifndef SAUTH_CONFIG_H
#define SAUTH_CONFIG_H

#include <httpd.h>
#include <http_config.h>

/** The directives that no dialect has. */
extern const command_rec sauth_generic_directives[];

#define SAUTH_ANYWHERE (RSRC_CONF | ACCESS_CONF)

typedef enum sauth_mode { SAUTH_MODE_UNSET, SAUTH_MODE_ENFORCE, SAUTH_MODE_OBSERVE } sauth_mode;
typedef enum sauth_pass { SAUTH_PASS_UNSET, SAUTH_PASS_ENV, SAUTH_PASS_HEADERS } sauth_pass;

/** AuthMerging: whether the Require lines of a section take the place of those above it. */
typedef enum sauth_merging { SAUTH_MERGING_OFF, SAUTH_MERGING_AND, SAUTH_MERGING_OR } sauth_merging;

/** What AuthType a section declares. */
typedef enum sauth_type { SAUTH_TYPE_UNSET, SAUTH_TYPE_OURS, SAUTH_TYPE_OTHER } sauth_type;

/** Per location. Every field has a value that means "this section does not say"; see sauth_dir_effective. */
typedef struct sauth_dir {
    unsigned accept;    /**< bits of presentations; 0 unset */
    apr_uint64_t scope; /**< sauth_scope_number of its name; 0 unset, which is a scope of its own */
    sauth_mode mode;
    sauth_pass pass;
    int pass_authorization; /**< -1 unset */
    int partial_grants;     /**< -1 unset */
    apr_time_t clock_skew;  /**< microseconds; -1 unset */
    apr_time_t refresh_window;
    apr_time_t grant_max_age;
    void *const
        *dialects; /**< settings of this location by row of sauth_dialects, without defaults; NULL: none are set */
    /*
     * What a section, or several that were merged, does to the rules before it. httpd merges sections in any grouping.
     * Sets of methods are AP_METHOD_BIT << number: a Require inside <Limit> is for those methods alone.
     */
    sauth_merging merging; /**< AuthMerging of one section */
    int overrides;         /**< rules before it do not hold: of merged sections */
    sauth_type type;       /**< the AuthType that was said last */
    apr_int64_t required;  /**< methods with a Require since then */
    apr_int64_t ours;      /**< methods with a Require of ours that holds */
} sauth_dir;

/** Of the server as a whole. */
typedef struct sauth_server {
    apr_int64_t grant_capacity;
    apr_int64_t replay_capacity; /**< 0: as many as grants */
    apr_int64_t grant_quota;     /**< 0: an eighth of the capacity in force */
    apr_int64_t replay_quota;
    const char *state_file; /**< NULL: grants end with the server */
    void **dialects;        /**< by row of sauth_dialects */
} sauth_server;

void *sauth_dir_create(apr_pool_t *p, char *path);
void *sauth_dir_merge(apr_pool_t *p, void *base, void *add);
void *sauth_server_create(apr_pool_t *p, server_rec *s);
sauth_server *sauth_server_of(server_rec *s);

/** File and line of the first SAuthAccept that names a presentation of this bit, or NULL. */
const char *sauth_accepted_at(apr_uint32_t bit);

/** A directive in seconds, into microseconds. @return NULL, or what is wrong */
const char *sauth_set_seconds(cmd_parms *cmd, const char *arg, apr_int64_t min, apr_int64_t max, apr_time_t *out);

/** The request's settings with every default filled in. */
sauth_dir sauth_dir_effective(request_rec *r);

/** Methods for which AuthType SAuth was said last, with neither a Require since then nor one of ours that holds. */
apr_int64_t sauth_dir_unruled(const sauth_dir *conf);

/** The widest SAuthClockSkew of this configuration: how far any location trusts a timestamp. */
apr_time_t sauth_widest_skew(void);
void sauth_config_reset(void);

#endif
