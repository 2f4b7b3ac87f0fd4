/** Making a message signature for a request: which key, under which name, over what. */
#ifndef CLIENT_SIGNING_H
#define CLIENT_SIGNING_H

#include <apr_tables.h>
#include "http.h"
#include "signature_key.h"

#define SIGNING_LABEL "sig1"

/** What was asked for. NULL and 0 are "not told". */
typedef struct signing_options {
    const char *key_file, *secret_file;
    const char *uid; /**< our participant id */
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

/** What a signature says, for those who are told about it. */
typedef struct signing_result {
    ia_httpsig_minted fields;
    const ia_httpsig *signature; /**< as a verifier reads it */
    const char *base;
} signing_result;

/**
 * Completes a message with the fields that whoever sends it would add later, where they are to be covered: Host, and
 * Content-Length. @param body NULL where there is none
 */
void signing_complete(ia_httpsig_message *message, apr_pool_t *p, const signing_options *options,
                      const http_body *body);

/**
 * Signs the message at this moment, and with a nonce of its own. The names of what is covered by default
 * follow from the message.
 */
int signing_mint(signing_result *out, apr_pool_t *p, const signing *s, const ia_httpsig_message *message, int has_body);

/** The components that are covered, or demanded, where nobody says otherwise: of const char *. */
apr_array_header_t *signing_default_cover(apr_pool_t *p, const ia_httpsig_message *message, int has_body);

void signing_close(signing *s);

#endif
