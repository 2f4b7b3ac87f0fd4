/**
 * The body of an external request, seen where it enters. One input filter stands directly above HTTP_IN from the creation
 * of the request on, below every filter of other modules, and stays there across sub-requests and internal redirects.
 */
#ifndef INTERAUTH_COMMON_INTAKE_H
#define INTERAUTH_COMMON_INTAKE_H

#include <httpd.h>
#include <util_filter.h>

/** Answers everybody who reads the body, instead of the connection. */
typedef apr_status_t (*intake_reader)(ap_filter_t *f, void *context, apr_bucket_brigade *bb, ap_input_mode_t mode,
                                      apr_read_type_e block, apr_off_t bytes);

/** The body of one external request. */
typedef struct intake {
    ap_filter_t *filter;      /**< in the chain; NULL if the request was not created by httpd */
    apr_bucket_brigade *held; /**< read ahead by intake_has_content, or NULL */
    apr_off_t announced;      /**< Content-Length as it was received, or -1 */
    apr_off_t length;         /**< bytes that came over the wire so far */
    int ended;                /**< the end of the body has come */
    int taken;                /**< another module read some of it before intake_divert, or below this filter */
    int keeps_fields;         /**< trailers do not become headers */
    int dropped;              /**< nobody reads any of it */
    int armed;                /**< the headers have been read */
    int inside;               /**< HTTP_IN reads trailers through this filter too */
    intake_reader reader;     /**< or NULL: whoever reads gets what comes */
    void *context;            /**< of the reader */
} intake;

/** The body of the external request that `r` belongs to. Never NULL. */
intake *intake_of(request_rec *r);

/** Reads what comes over the wire: for readers, and for whoever reads the body before its handler. */
apr_status_t intake_fetch(intake *in, apr_bucket_brigade *bb, ap_input_mode_t mode, apr_read_type_e block,
                          apr_off_t bytes);

/** From now on `reader` answers. */
void intake_divert(intake *in, intake_reader reader, void *context);

/**
 * Whether the request has a body of at least a byte. Where the headers leave it open (a transfer coding, HTTP/2 without a
 * length), waits for the first byte or the end; a body without a byte gets a Content-Length of 0.
 * @param status httpd's own status where the body is broken, else 0
 * @return 1, 0, or -1 for a broken body
 */
int intake_has_content(request_rec *r, int *status);

/** The same as far as it is known without reading: 1 if there is or may be content. */
int intake_may_have_content(request_rec *r);

/** The same for certain: 1 if content is announced or has been seen. */
int intake_must_have_content(request_rec *r);

/** After a refusal: what is left of the body, or kept of it by any module, is not readable for whatever runs next. */
void intake_drop(request_rec *r);

/** Trailers do not change the headers of this request from now on, whatever MergeTrailers says. */
void intake_keep_fields(request_rec *r);

void intake_register(apr_pool_t *p, const char *filter_name, const char *cover_name);

#endif
