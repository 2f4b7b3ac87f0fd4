/**
 * The body of an external request, as it arrives. From the creation of the request an input filter is directly above
 * HTTP_IN, below the filters of all other modules. It stays there across sub-requests and internal redirects.
 */
#ifndef INTERAUTH_COMMON_INTAKE_H
#define INTERAUTH_COMMON_INTAKE_H

#include <httpd.h>
#include <util_filter.h>

/** Returns the body to its readers, instead of the connection. */
typedef apr_status_t (*intake_reader)(ap_filter_t *f, void *context, apr_bucket_brigade *bb, ap_input_mode_t mode,
                                      apr_read_type_e block, apr_off_t bytes);

/** The body of one external request. */
typedef struct intake {
    ap_filter_t *filter;      /**< in the chain; NULL if the request was not created by httpd */
    apr_bucket_brigade *held; /**< read ahead by intake_has_content, or NULL */
    apr_off_t announced;      /**< Content-Length as it was received, or -1 */
    apr_off_t length;         /**< bytes received so far */
    int ended;                /**< the end of the body has been received */
    int taken;                /**< another module read some of it before intake_divert, or below this filter */
    int keeps_fields;         /**< trailers do not become headers */
    int dropped;              /**< discarded: every read finds an empty body */
    int armed;                /**< the headers have been read */
    int inside;               /**< HTTP_IN reads trailers through this filter too */
    intake_reader reader;     /**< NULL: reads pass through */
    void *context;            /**< of the reader */
} intake;

/** The body of the external request that `r` belongs to. Never NULL. */
intake *intake_of(request_rec *r);

/** Reads from the connection: for readers, and for code that reads the body before the handler. */
apr_status_t intake_fetch(intake *in, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                          apr_off_t bytes);

/** From now on `reader` returns the body. */
void intake_divert(intake *in, intake_reader reader, void *context);

/**
 * Whether the request has a body of at least one byte. If the headers do not say (a transfer coding, HTTP/2 without a
 * length), waits for the first byte or the end; a body without a byte gets a Content-Length of 0.
 * @param status httpd's own status where the body is broken, else 0
 * @return 1, 0, or -1 for a broken body
 */
int intake_has_content(request_rec *r, int *status);

/** The same without reading: 1 if there is or may be content. */
int intake_may_have_content(request_rec *r);

/** The same without doubt: 1 if content is announced or has been received. */
int intake_must_have_content(request_rec *r);

/** After a refusal: neither the rest of the body nor what modules kept of it can be read by what runs next. */
void intake_drop(request_rec *r);

/** From now on trailers do not change the headers of this request, even with MergeTrailers On. */
void intake_keep_fields(request_rec *r);

void intake_register(apr_pool_t *p, const char *filter_name, const char *cover_name);

#endif
