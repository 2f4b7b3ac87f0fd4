/**
 * The request as it was received, before anything rewrote it. After an ErrorDocument, a per-directory rewrite or a
 * Location of a CGI, httpd's own fields describe another request. Decisions about what the client sent use this one.
 */
#ifndef INTERAUTH_COMMON_SNAPSHOT_H
#define INTERAUTH_COMMON_SNAPSHOT_H

#include <httpd.h>

typedef struct snapshot {
    const char *method;
    const char *target;    /**< as on the request line */
    const char *authority; /**< Host, or "" */
    const char *scheme;
    const char *
        authorization; /**< or NULL; kept because a location may remove it for its application before a sub-request needs it */
} snapshot;

/**
 * post_read_request, before all other hooks: takes the snapshot of an external request. Several modules may call it.
 */
void snapshot_take(request_rec *r);

/** The snapshot of the external request; taken now if no hook has run. Never NULL. */
const snapshot *snapshot_of(request_rec *r);

#endif
