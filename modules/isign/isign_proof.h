/**
 * The proof of a request's signer: what a verified signature says, whatever its scheme. It is filled once per external
 * request. Everything but a scheme's own files reads only the proof.
 */
#ifndef ISIGN_PROOF_H
#define ISIGN_PROOF_H

#include <httpd.h>
#include "interauth/result.h"
#include "isign_config.h"

typedef struct isign_proof {
    const char *participant; /**< id of the signer */
    const char *keyid;       /**< as the signer wrote it; NULL: absent */
    const char *alg;         /**< as the specification of the scheme calls the algorithm; NULL: not verified */
    const char *covered;     /**< what the signature covers, as the signer wrote it */
    int has_nonce;           /**< if not, a request without side effects can be repeated */
    const struct isign_scheme *how;
    const void *signature; /**< for the functions of `how` only */
} isign_proof;

/** When a scheme is able to verify. */
typedef enum isign_phase {
    ISIGN_BEFORE_AUTHENTICATION, /**< in check_access: the signature names the owner of its key */
    ISIGN_AFTER_AUTHENTICATION   /**< the access token names it: in check_authz; in check_access without an AuthType */
} isign_phase;

/** A way to sign requests. A new scheme is a file with such a row, which isign_scheme.c lists. */
typedef struct isign_scheme {
    isign_phase phase;
    /** Whether the request, as received, has a signature of this scheme. */
    int (*is_present)(request_rec *top);
    /**
     * Verifies the signature, apart from what only some locations require. Called once per external request.
     * @param r where the external request is now
     * @param out zeroed; filled if IA_OK, from the pool of the outermost request
     */
    ia_result (*verify)(request_rec *r, const isign_dir *conf, isign_proof *out);
    /** Applies the requirements of the location where `r` is now, in the light of what is known of the body. */
    ia_result (*judge)(request_rec *r, const isign_dir *conf, const isign_proof *proof);
    /** Whether the whole of a component, such as "content-type" or "@path", is covered. */
    int (*covers)(const isign_proof *proof, const char *component);
    /** Writes a response header that describes an acceptable signature. NULL: the scheme has none. */
    void (*write_accept)(request_rec *r, const isign_dir *conf);
} isign_scheme;

/** All schemes; the list ends with NULL. */
extern const isign_scheme *const isign_schemes[];

/** The scheme of the signature that the external request has now, or NULL. */
const isign_scheme *isign_scheme_find(request_rec *r);

/** Whether the signature covers a component as a whole. */
int isign_proof_covers(const isign_proof *proof, const char *component);

/** Writes the notes about the signer for this request_rec. @param proof NULL: removes them */
void isign_proof_write_notes(request_rec *r, const isign_proof *proof);

/** Writes response headers that describe acceptable signatures. */
void isign_write_accept(request_rec *r, const isign_dir *conf);

#endif
