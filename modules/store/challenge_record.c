/* The secrets of the challenge protocol in a participant's record. */
#include <string.h>
#include "challenge_record.h"
#include "interauth/encoding.h"

static apr_uint64_t pack(unsigned char *out, apr_size_t size, const ia_challenge_secret *from)
{
    apr_size_t len = 0;

    memset(out, 0, size);
    if (!from->fingerprint || ia_hex_decode(out, size, &len, from->text, strlen(from->text)) || len != size)
        return 0;
    return from->fingerprint;
}

void st_challenge_pack(st_challenge_secrets *out, const ia_participant *from)
{
    out->md5_fingerprint = pack(out->md5, sizeof out->md5, &from->challenge_md5);
    out->hmac_fingerprint = pack(out->hmac, sizeof out->hmac, &from->challenge_hmac);
}

static void unpack(ia_challenge_secret *out, const unsigned char *bytes, apr_size_t size, apr_uint64_t fingerprint)
{
    out->fingerprint = fingerprint;
    if (fingerprint)
        ia_hex_encode(out->text, bytes, size);
}

void st_challenge_unpack(ia_challenge_secret *out, const st_challenge_secrets *from, ia_challenge_profile profile)
{
    memset(out, 0, sizeof *out);
    if (profile == IA_CHALLENGE_PROFILE_MD5)
        unpack(out, from->md5, sizeof from->md5, from->md5_fingerprint);
    else if (profile == IA_CHALLENGE_PROFILE_HMAC)
        unpack(out, from->hmac, sizeof from->hmac, from->hmac_fingerprint);
}
