/** Authorization headers for each scheme: none, Basic, Digest, Bearer, SAuth. */
#ifndef BENCH_SCHEMES_H
#define BENCH_SCHEMES_H

#include <apr_pools.h>
#include "interauth/mac.h"

#define REALM      "bench"
#define NONCE_SIZE 256

typedef enum scheme { SCHEME_NONE, SCHEME_BASIC, SCHEME_DIGEST, SCHEME_BEARER, SCHEME_SAUTH } scheme;

/** Credentials that all connections of a run share. */
typedef struct credentials {
    scheme scheme;
    const char *user; /**< Basic, Digest */
    const char *password;
    const char *path;
    const char **tokens; /**< Bearer: used in turn; SAuth: one for each connection */
    unsigned token_count;
    unsigned token_turn;
    ia_mac_key key;        /**< SAuth */
    char ha1[33], ha2[33]; /**< Digest */
} credentials;

/** State of a connection between response and next request. */
typedef struct chain {
    const char *token;
    char nonce[NONCE_SIZE];
    char opaque[NONCE_SIZE];
    unsigned nc;
} chain;

/** Returns the number of a scheme, or -1. */
int scheme_named(const char *name);

/** Reads tokens from a file with one token per line. Returns 0 if it cannot be opened. */
int scheme_read_tokens(credentials *c, apr_pool_t *p, const char *path);

/** Digest: computes the values that are the same for all requests. */
void scheme_prepare(credentials *c);

/** Returns the Authorization header with line end; "" if a nonce is needed but not known. From `p` or static. */
const char *scheme_field(credentials *c, chain *at, apr_pool_t *p);

/** Stores values of a response header that the next request needs. */
void scheme_learn(const credentials *c, chain *at, const char *head);

#endif
