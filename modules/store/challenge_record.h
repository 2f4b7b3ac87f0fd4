/**
 * The secrets of the challenge protocol in a participant's record. They are stored as bytes instead of hexadecimal
 * text, because every request copies the record.
 */
#ifndef INTERAUTH_ST_CHALLENGE_RECORD_H
#define INTERAUTH_ST_CHALLENGE_RECORD_H

#include "interauth/challenge.h"
#include "interauth/participant.h"

/** Plain data. Fingerprint 0: there is no secret for this profile. */
typedef struct st_challenge_secrets {
    apr_uint64_t md5_fingerprint;
    apr_uint64_t hmac_fingerprint;
    unsigned char md5[IA_CHALLENGE_MD5_LEN / 2];
    unsigned char hmac[IA_CHALLENGE_HMAC_LEN / 2];
} st_challenge_secrets;

void st_challenge_pack(st_challenge_secrets *out, const ia_participant *from);

/** Zeroes `out` if there is no secret for this profile. The caller wipes it. */
void st_challenge_unpack(ia_challenge_secret *out, const st_challenge_secrets *from, ia_challenge_profile profile);

#endif
