/** Verifies a saved request offline, as a server does. */
#ifndef CLIENT_VERIFICATION_H
#define CLIENT_VERIFICATION_H

#include "interauth/json.h"
#include "interauth/participant.h"
#include "saved_message.h"
#include "signature_key.h"

#define VERIFICATION_MAX_AGE 300 /**< default, in seconds */
#define VERIFICATION_SKEW    30

/** The options of the user. NULL or 0 if not given. */
typedef struct verification_options {
    const char *key_file, *participants_file, *secret_file; /**< exactly one */
    const char *label, *tag, *now;
    apr_array_header_t *require; /**< of const char * */
    apr_int64_t max_age, skew;   /**< seconds */
    int algorithm, scheme, no_nonce;
} verification_options;

/* The rows of these options for the tables of verify and explain; `options` is the field in the verb's struct. */
#define VERIFICATION_ROWS                                                                                              \
    OPTION(TEXT, 0, "key", "FILE", options.key_file, "verify with this public key: a JWK, PEM or certificate"),        \
        OPTION(TEXT, 0, "participants", "FILE", options.participants_file,                                             \
               "verify with the keys in a participants file"),                                                         \
        OPTION(TEXT, 0, "secret-file", "FILE", options.secret_file, "verify with this shared secret (hmac-sha256)"),   \
        OPTION(LIST, 0, "require", "COMPONENT", options.require, "require this component instead of the default set"), \
        OPTION(TEXT, 0, "label", "NAME", options.label, "verify the signature with this label"),                       \
        OPTION(TEXT, 0, "tag", "TEXT", options.tag, "require this tag"),                                               \
        OPTION_RANGE("max-age", "SEC", options.max_age, 1, 315360000, "maximum age of the signature; default: 300"),   \
        OPTION_RANGE("skew", "SEC", options.skew, 1, 3600, "tolerated difference of clocks; default: 30"),             \
        OPTION(TEXT, 0, "now", "TIME", options.now, "verify as of this time, such as 2026-01-31T12:00:00Z"),           \
        OPTION(FLAG, 0, "no-nonce", NULL, options.no_nonce, "accept a signature without a nonce"),                     \
        OPTION(CHOICE, 0, "scheme", "https|http", options.scheme, "scheme of the connection; default: https"),         \
        OPTION(CHOICE, 0, "algorithm", SIGNATURE_ALGORITHMS, options.algorithm,                                        \
               "algorithm of an RSA key; default: as in the key")

typedef struct verification {
    apr_pool_t *p;
    const verification_options *options;
    const char *path;
    saved_message request;
    ia_result result;            /**< IA_OK if the request is valid */
    const char *detail;          /**< details of an error, or NULL */
    const ia_httpsig *signature; /**< NULL if none was selected; to be trusted only if `result` is IA_OK */
    ia_sfv_text base;            /**< {NULL, 0} if it cannot be built */
    ia_httpsig_key found;        /**< the key that its keyid names; both NULL if there is none */
    signature_key key;           /**< of --key or --secret-file */
    ia_participants participants;
    const ia_participant *owner; /**< of the key, with --participants */
    unsigned attempt;            /**< index of the participant's secret that is tried */
} verification;

/**
 * Reads request and keys, and verifies. Reports what cannot be read.
 * @return CL_OK if there is a `result`, else an exit status. Needs verification_close in any case
 */
int verification_run(verification *out, apr_pool_t *p, const verification_options *options, const char *path);

/** Reports the result on standard error unless it is IA_OK. @return the exit status for it */
int verification_report(const verification *v);

/** Writes verified, participant and algorithm into the open object, or verified, error, todo and detail. */
void verification_write(ia_json_writer *w, const verification *v);

void verification_close(verification *v);

#endif
