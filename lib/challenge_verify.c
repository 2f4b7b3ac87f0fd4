/* Verifies the signatures of the challenge protocol. */
#include <string.h>
#include "challenge_internal.h"
#include "interauth/challenge_verify.h"

/* Used for an unknown user, so that the response takes as long. As long as a Secret; never matches. */
static const char dummy_secret[] = "0000000000000000000000000000000000000000000000000000000000000000";

/* Copies a received text to a buffer of fixed size. Returns 0, with an empty buffer, if its length is wrong. */
static int take_text(char buffer[IA_CHALLENGE_TEXT_SIZE], const char *text, apr_size_t len)
{
    memset(buffer, 0, IA_CHALLENGE_TEXT_SIZE);
    if (!text || strlen(text) != len)
        return 0;
    memcpy(buffer, text, len);
    return 1;
}

/* What a client that uses this window would send. */
static ia_result expect(ia_challenge_match *out, const iai_challenge_signer *m, const ia_challenge_claim *claim,
                        const char *given, apr_int64_t nonce)
{
    ia_result rc = IA_OK;

    memset(out, 0, sizeof *out);
    out->nonce = nonce;
    if (claim->challenge)
        rc = iai_challenge_compute(out->token, m, given, nonce, NULL, 0);
    else
        memcpy(out->token, given, sizeof out->token);
    return rc ? rc : iai_challenge_sign(out->signature, m, out->token, nonce, claim->message);
}

ia_result ia_challenge_verify(ia_challenge_match *out, ia_challenge_profile profile, const char *separator,
                              const ia_challenge_secret *secret, const ia_challenge_claim *claim,
                              const apr_int64_t windows[IA_CHALLENGE_WINDOWS])
{
    const apr_size_t len = iai_challenge_text_len(profile);
    char given[IA_CHALLENGE_TEXT_SIZE], signature[IA_CHALLENGE_TEXT_SIZE];
    int known = secret && secret->fingerprint && strlen(secret->text) == len, found = 0, whole;
    const char *text = known ? secret->text : dummy_secret + IA_CHALLENGE_HMAC_LEN - len;
    ia_challenge_match match;
    ia_result rc;
    iai_challenge_signer m;
    unsigned i;

    memset(out, 0, sizeof *out);
    /*
     * A challenge must not be taken for a token: its "signature" would be the token, which was sent before. Their
     * lengths differ.
     */
    whole =
        claim->challenge ? take_text(given, claim->challenge, IA_CHALLENGE_LEN) : take_text(given, claim->token, len);
    whole &= take_text(signature, claim->signature, len);
    rc = iai_challenge_signer_init(&m, profile, separator, text);
    for (i = 0; i < IA_CHALLENGE_WINDOWS && !rc; i++) {
        int good;

        rc = expect(&match, &m, claim, given, windows[i]);
        good = known & whole & (rc == IA_OK) & ia_mac_equal(match.signature, signature, sizeof signature);
        if (good && !found) {
            *out = match;
            found = 1;
        }
    }
    ia_wipe(&m, sizeof m);
    ia_wipe(&match, sizeof match);
    ia_wipe(given, sizeof given);
    ia_wipe(signature, sizeof signature);
    if (rc)
        ia_wipe(out, sizeof *out);
    else if (!found)
        rc = IA_MAC_MISMATCH;
    return rc;
}
