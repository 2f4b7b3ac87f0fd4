/**
 * The request as it came in, before anything rewrote it. After an ErrorDocument, a per-directory rewrite or a CGI's
 * Location, httpd's own fields describe another request; decisions about what the client sent ask here.
 */
#ifndef INTERAUTH_COMMON_SNAPSHOT_H
#define INTERAUTH_COMMON_SNAPSHOT_H

#include <httpd.h>

typedef struct snapshot {
    const char *method;
    const char *target;    /**< as on the request line */
    const char *authority; /**< Host, or "" */
    const char *scheme;
    const char *authorization; /**< or NULL: a location may take it away from its app before a sub-request needs it */
} snapshot;

/** post_read_request, first of all: takes the snapshot of an outermost request. Safe to call by several modules. */
void snapshot_take(request_rec *r);

/** The snapshot of the outermost request; taken now where no hook ran. Never NULL. */
const snapshot *snapshot_of(request_rec *r);

#endif
