/** How a client proves itself, request by request: nothing, Basic, Digest, Bearer, SAuth. */
#ifndef BENCH_SCHEMES_H
#define BENCH_SCHEMES_H

#include <apr_pools.h>
#include "interauth/mac.h"

#define REALM      "bench"
#define NONCE_SIZE 256

typedef enum scheme { SCHEME_NONE, SCHEME_BASIC, SCHEME_DIGEST, SCHEME_BEARER, SCHEME_SAUTH } scheme;

/** What all connections of a run share. */
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

/** What one connection keeps from answer to request. */
typedef struct chain {
    const char *token;
    char nonce[NONCE_SIZE];
    char opaque[NONCE_SIZE];
    unsigned nc;
} chain;

/** The scheme's number, or -1. */
int scheme_named(const char *name);

/** Tokens from a file, one a line. 0 where it cannot be opened. */
int scheme_read_tokens(credentials *c, apr_pool_t *p, const char *path);

/** Digest: what no request changes. */
void scheme_prepare(credentials *c);

/** The Authorization field with its line end; "" as long as a nonce is needed and none is known. From `p` or static. */
const char *scheme_field(credentials *c, chain *at, apr_pool_t *p);

/** Keeps what a response's header says about the next request. */
void scheme_learn(const credentials *c, chain *at, const char *head);

#endif
