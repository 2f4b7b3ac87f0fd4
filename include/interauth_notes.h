/**
 * Names of request notes. docs/notes.md says who writes and reads each, in which hook, its format, and what its absence
 * means. Each note is written by one module, only after verification, and never contains a secret.
 */
#ifndef INTERAUTH_NOTES_H
#define INTERAUTH_NOTES_H

#define IA_NOTE_SAUTH_DECIDED      "sauth-decided"      /* valid for this request_rec only */
#define IA_NOTE_ENDPOINT           "interauth-endpoint" /* likewise */
#define IA_NOTE_SAUTH_PARTICIPANT  "sauth-participant"
#define IA_NOTE_SAUTH_CAPABILITIES "sauth-capabilities"
#define IA_NOTE_SAUTH_SCHEME       "sauth-scheme"
#define IA_NOTE_SAUTH_GRANT        "sauth-grant"
#define IA_NOTE_SAUTH_EXPIRES      "sauth-expires"
#define IA_NOTE_SAUTH_CALL         "sauth-call"
#define IA_NOTE_ISIGN_RESULT       "isign-result"
#define IA_NOTE_ISIGN_DIGEST       "isign-digest"
#define IA_NOTE_ISIGN_PARTICIPANT  "isign-participant"
#define IA_NOTE_ISIGN_KEYID        "isign-keyid"
#define IA_NOTE_ISIGN_COVERED      "isign-covered"
#define IA_NOTE_ISIGN_NONCE        "isign-nonce"
#define IA_NOTE_ISIGN_ALG          "isign-alg"

#endif
