/** Signs a request. */
#ifndef CLIENT_SIGNING_H
#define CLIENT_SIGNING_H

#include <apr_tables.h>
#include "http.h"
#include "signature_key.h"

#define SIGNING_LABEL "sig1"

/** The options of the user. NULL or 0 if not given. */
typedef struct signing_options {
    const char *key_file, *secret_file;
    const char *uid; /**< participant id of the signer */
    const char *keyid, *label, *tag;
    apr_array_header_t *cover; /**< of const char * */
    apr_int64_t expires;       /**< seconds from now */
    int algorithm;             /**< of SIGNATURE_ALGORITHMS */
    int no_nonce;
} signing_options;

typedef struct signing {
    signing_options options;
    signature_key key; /**< wiped by signing_close */
} signing;

/** Checks the options and loads the key. @return an exit status */
int signing_open(signing *out, apr_pool_t *p, const signing_options *options);

/** A signature with its base. */
typedef struct signing_result {
    ia_httpsig_minted fields;
    const ia_httpsig *signature; /**< as a verifier reads it */
    const char *base;
} signing_result;

/**
 * Adds the fields that are otherwise added on sending, if the signature covers them: Host and Content-Length.
 * @param body NULL if there is none
 */
void signing_complete(ia_httpsig_message *message, apr_pool_t *p, const signing_options *options,
                      const http_body *body);

/**
 * Signs the message with the current time and a new nonce.
 */
int signing_mint(signing_result *out, apr_pool_t *p, const signing *s, const ia_httpsig_message *message, int has_body);

/** The components that are covered, or required, by default: of const char *. */
apr_array_header_t *signing_default_cover(apr_pool_t *p, const ia_httpsig_message *message, int has_body);

void signing_close(signing *s);

#endif
