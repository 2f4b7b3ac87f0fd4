/** What the processes of the server share, and the keys of a child. */
#ifndef ISIGN_STORE_H
#define ISIGN_STORE_H

#include <httpd.h>
#include "interauth/key.h"
#include "interauth/sfv.h"
#include "interauth_registry.h"
#include "replay_cache.h"

/** This process's view; zeroed until post_config. */
typedef struct isign_shared {
    st_replay_cache *replays; /**< used nonces; NULL until post_config */
    apr_uint32_t replay_quota;
    apr_time_t longest_age;      /**< the largest ISignMaxAge: nonces are remembered at least as long */
    apr_time_t widest_skew;      /**< the largest ISignClockSkew */
    const ia_registry *registry; /**< NULL if no registry module is loaded: no signature can be verified then */
} isign_shared;

extern isign_shared isign;

/** post_config. @return OK or a status that ends a start */
int isign_store_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s);
void isign_store_child_init(apr_pool_t *p);

/** check_config: whether ISignStateFile can be kept. @return OK or a status that ends a start */
int isign_persist_check(apr_pool_t *ptemp, server_rec *s);

/** post_config: reads ISignStateFile into a `fresh` segment. @return OK or a status that ends a start */
int isign_persist_open(apr_pool_t *pconf, apr_pool_t *ptemp, server_rec *s, int fresh);

/* --- used nonces (isign_nonce.c) ----------------------------------------------------------------------------------- */

/** What is used only once. Values of different kinds are never equal. */
typedef enum isign_nonce_kind {
    ISIGN_NONCE_OF_SIGNATURE, /**< the nonce that the signer chose */
    ISIGN_SIGNATURE_BASE      /**< the signed bytes, if there is no nonce */
} isign_nonce_kind;

typedef struct isign_nonce_value {
    isign_nonce_kind kind;
    ia_sfv_text text;
    apr_time_t created; /**< when the signature was made */
} isign_nonce_value;

/** post_config, in this order; between the last two, ISignStateFile is read. */
void isign_nonce_attach(apr_pool_t *pconf, void *base, apr_uint32_t capacity, apr_uint32_t participants,
                        apr_time_t now);
void isign_nonce_configure(server_rec *s);
void isign_nonce_remember(apr_time_t now);

/**
 * Records a nonce of a participant as used until that time, or longer if some location accepts older signatures.
 * @return IA_OK, IA_SIG_NONCE_REPLAYED, IA_REPLAY_CACHE_WARMING, IA_REPLAYS_FULL, IA_REPLAY_QUOTA or IA_FAULT_STORE
 */
ia_result isign_nonce_use(const ia_registry_entry *who, const isign_nonce_value *nonce, apr_time_t until,
                          apr_time_t now);

/** Seconds from now until a signature made then is accepted after a start. */
int isign_nonce_retry_after(void);

/* --- keys (isign_key_cache.c) --------------------------------------------------------------------------------------- */

/** post_config. @return 0 if the secret for dummies cannot be made */
int isign_dummy_open(server_rec *s);
void isign_key_cache_child_init(apr_pool_t *p);

/** A public key, ready to verify, from a bounded cache of this child. The caller unreferences it. */
ia_result isign_key_get(ia_key **out, const ia_registry_key *key);

/** A public key and a secret of no participant, so that an unknown keyid costs a verification too. */
const ia_key *isign_dummy_key(void); /**< NULL before child_init */
const ia_mac_key *isign_dummy_secret(void);

/** A number for an unknown keyid that clients cannot predict: the same as long as the server runs. */
apr_uint64_t isign_dummy_number(const ia_sfv_text *keyid);

#endif
