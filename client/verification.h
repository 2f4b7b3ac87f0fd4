/** Verifying a saved request as a server would, offline. */
#ifndef CLIENT_VERIFICATION_H
#define CLIENT_VERIFICATION_H

#include "interauth/json.h"
#include "interauth/participant.h"
#include "saved_message.h"
#include "signature_key.h"

#define VERIFICATION_MAX_AGE 300 /**< seconds, where nobody says otherwise */
#define VERIFICATION_SKEW    30

/** What was asked for. NULL and 0 are "not told". */
typedef struct verification_options {
    const char *key_file, *participants_file, *secret_file; /**< exactly one */
    const char *label, *tag, *now;
    apr_array_header_t *require; /**< of const char * */
    apr_int64_t max_age, skew;   /**< seconds */
    int algorithm, scheme, no_nonce;
} verification_options;

/* The rows of these options, for the tables of verify and explain; `options` is the field of the verb's struct.
 */
#define VERIFICATION_ROWS                                                                                              \
    OPTION(TEXT, 0, "key", "FILE", options.key_file, "public key: a JWK, PEM or certificate"),                         \
        OPTION(TEXT, 0, "participants", "FILE", options.participants_file, "or the keys of a participants file"),      \
        OPTION(TEXT, 0, "secret-file", "FILE", options.secret_file, "or a shared secret, for hmac-sha256"),            \
        OPTION(LIST, 0, "require", "COMPONENT", options.require, "demand this instead of the default"),                \
        OPTION(TEXT, 0, "label", "NAME", options.label, "which of several signatures"),                                \
        OPTION(TEXT, 0, "tag", "TEXT", options.tag, "demand this tag"),                                                \
        OPTION_RANGE("max-age", "SEC", options.max_age, 1, 315360000, "since it was made; default: 300"),              \
        OPTION_RANGE("skew", "SEC", options.skew, 1, 3600, "how far clocks may differ; default: 30"),                  \
        OPTION(TEXT, 0, "now", "TIME", options.now, "judge as of then, such as 2026-01-31T12:00:00Z"),                 \
        OPTION(FLAG, 0, "no-nonce", NULL, options.no_nonce, "accept a signature without a nonce"),                     \
        OPTION(CHOICE, 0, "scheme", "https|http", options.scheme, "of the connection; default: https"),                \
        OPTION(CHOICE, 0, "algorithm", SIGNATURE_ALGORITHMS, options.algorithm, "of an RSA key; default: key")

typedef struct verification {
    apr_pool_t *p;
    const verification_options *options;
    const char *path;
    saved_message request;
    ia_result result;            /**< IA_OK where everything is as it must be */
    const char *detail;          /**< what in particular is wrong, or NULL */
    const ia_httpsig *signature; /**< NULL where none was chosen; true only where `result` is IA_OK */
    ia_sfv_text base;            /**< {NULL, 0} where it cannot be built */
    ia_httpsig_key found;        /**< the key that its keyid names; both NULL where there is none */
    signature_key key;           /**< of --key or --secret-file */
    ia_participants participants;
    const ia_participant *owner; /**< of the key, with --participants */
    unsigned attempt;            /**< which of a participant's secrets */
} verification;

/**
 * Reads request and keys, and judges. What cannot be read is said.
 * @return CL_OK where there is a `result`, else an exit status; verification_close in any case
 */
int verification_run(verification *out, apr_pool_t *p, const verification_options *options, const char *path);

/** Tells the result on standard error unless it is IA_OK. @return the exit status that belongs to it */
int verification_tell(const verification *v);

/** Members verified, participant and algorithm of the open object, or verified and error. */
void verification_write(ia_json_writer *w, const verification *v);

void verification_close(verification *v);

#endif
