/* Content-Digest: a valid claim is the same after it was written and read again, and matches only itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_pools.h>
#include "interauth/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check_claim(apr_pool_t *p, const ia_digest_claim *claim)
{
    ia_digest_claim again, other = *claim;
    const char *text = ia_digest_format(p, claim);

    require(claim->algorithms != 0 && (claim->algorithms & ~(IA_DIGEST_SHA256 | IA_DIGEST_SHA512)) == 0);
    require(text != NULL && ia_digest_parse(&again, p, text, strlen(text)) == IA_OK);
    require(memcmp(claim, &again, sizeof again) == 0);
    require(ia_digest_compare(claim, &again) == IA_OK);
    other.sha256[claim->sha256[0] % IA_SHA256_LEN] ^= 1;
    other.sha512[claim->sha512[0] % IA_SHA512_LEN] ^= 1;
    require(ia_digest_compare(claim, &other) == IA_DIGEST_MISMATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ia_digest_claim none;
    static apr_pool_t *root;
    ia_digest_claim claim;
    apr_pool_t *p;
    char *text;

    if (root == NULL) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    apr_pool_create(&p, root);
    text = malloc(size > 0 ? size : 1);
    if (text == NULL)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    if (ia_digest_parse(&claim, p, text, size) == IA_OK)
        check_claim(p, &claim);
    else
        require(memcmp(&claim, &none, sizeof none) == 0);
    free(text);
    apr_pool_destroy(p);
    return 0;
}
