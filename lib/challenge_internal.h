/** Shared by the files of the challenge protocol. */
#ifndef INTERAUTH_LIB_CHALLENGE_INTERNAL_H
#define INTERAUTH_LIB_CHALLENGE_INTERNAL_H

#include "interauth/challenge.h"

/** Characters of Secret, Token and Signature; 0 where there is no such profile. */
apr_size_t iai_challenge_text_len(ia_challenge_profile profile);

/** Lower-case hex MD5 of the parts in their order, with its NUL. @return IA_OK or IA_FAULT_CRYPTO (`out` empty then) */
ia_result iai_challenge_md5(char out[IA_CHALLENGE_TEXT_SIZE], const ia_bytes *parts, unsigned count);

/** Lower-case hex HMAC-SHA-256 of the parts in their order, with its NUL. */
void iai_challenge_hmac(char out[IA_CHALLENGE_TEXT_SIZE], const ia_mac_key *key, const ia_bytes *parts, unsigned count);

/** Are these `len` characters all lower-case hex digits? In time that depends on the length only. */
int iai_challenge_is_hex(const char *text, apr_size_t len);

#endif
