#include "advice.h"

#include <stddef.h>

typedef struct advice {
    ia_result result;
    const char *means, *todo;
} advice;

/* In the words of docs/guides/troubleshooting.md; a test compares them. */
/* clang-format off */
static const advice table[] = {
    {IA_PARTICIPANT_INACTIVE, "the status of the participant is not approved", "approve it, or leave it"},
    {IA_PARTICIPANT_EXPIRED, "expires of the participant is over", "prolong it, or leave it"},
    {IA_DIGEST_MISSING, "ISign digest or require, and a body without Content-Digest", "the caller adds one (interauth call does)"},
    {IA_DIGEST_MALFORMED, "Content-Digest is no dictionary of byte sequences, or a digest has the wrong length", "correct the caller: sha-256=:BASE64=:"},
    {IA_DIGEST_UNSUPPORTED, "Content-Digest names neither sha-256 nor sha-512", "the caller adds one of them"},
    {IA_DIGEST_MISMATCH, "the body is not what was digested", "something on the way changed it: a proxy that decompresses or rewrites, or an attacker"},
    {IA_DIGEST_DEPRECATED, "Content-Digest names only broken algorithms, such as md5", "the caller adds sha-256"},
    {IA_KEY_MALFORMED, "the key is not valid JWK, PEM or certificate", "make it again with interauth keygen"},
    {IA_KEY_TYPE_UNKNOWN, "the key is of a type that is not supported", "use Ed25519, P-256, P-384 or RSA"},
    {IA_KEY_CURVE_UNKNOWN, "the key is on a curve that is not supported", "use Ed25519, P-256 or P-384"},
    {IA_KEY_POINT_INVALID, "the public key is no point of its curve", "the key was damaged, or made to do harm; ask its owner"},
    {IA_KEY_SMALL_ORDER, "the public key is one of the few under which forged signatures verify", "it was made to do harm; refuse its owner"},
    {IA_KEY_SIZE, "an RSA key outside 2048 to 4096 bits, or a key of the wrong length", "make another"},
    {IA_KEY_EXPONENT, "an RSA exponent that is even, 1, or above 32 bits", "make another"},
    {IA_KEY_WEAK, "the key comes from a generator that is known to be broken", "make another, on another machine"},
    {IA_KEY_USE, "use of the key is not sig", "make a key for signatures"},
    {IA_KEY_OPERATIONS, "key_ops of the key do not allow what is wanted", "correct key_ops"},
    {IA_KEY_ALGORITHM, "alg does not fit the key", "correct alg"},
    {IA_KEY_PRIVATE, "a private key stands where a public one belongs", "replace it, and regard the private key as lost"},
    {IA_KEY_PUBLIC, "a public key stands where a private one belongs", "name the private key"},
    {IA_KEY_PAIR, "private and public part do not belong together", "make it again"},
    {IA_KEY_SECRET_PUBLIC, "a shared secret is the text of a public key", "make a secret with interauth secret"},
    {IA_SIG_MALFORMED, "Signature or Signature-Input is no dictionary", "correct the caller"},
    {IA_SIG_LABEL_UNPAIRED, "a label is in one of the two only", "correct the caller, or a proxy that drops one"},
    {IA_SIG_LABEL_REPEATED, "a label or parameter is there twice", "correct the caller"},
    {IA_SIG_NOT_BYTES, "a signature is no byte sequence", "correct the caller"},
    {IA_SIG_NOT_LIST, "a signature input is no inner list", "correct the caller"},
    {IA_SIG_LIMIT, "there are too many signatures or components, or they are too long", "correct the caller"},
    {IA_SIG_CHARACTERS, "a covered value holds characters that cannot be signed", "correct the caller"},
    {IA_SIG_PARAMETER_MALFORMED, "a parameter has the wrong type", "correct the caller"},
    {IA_SIG_TIME_MALFORMED, "created or expires is no time in seconds", "correct the caller"},
    {IA_SIG_EXPIRES_EARLY, "expires is before created", "correct the caller"},
    {IA_SIG_NONCE_LONG, "the signature's nonce is empty or too long", "correct the caller"},
    {IA_SIG_AMBIGUOUS, "several signatures qualify", "the caller sends one, or names it with a tag"},
    {IA_SIG_COMPONENT_TYPE, "a component identifier is no string", "correct the caller"},
    {IA_SIG_COMPONENT_REPEATED, "a component is covered twice", "correct the caller"},
    {IA_SIG_COMPONENT_CASE, "a component name has upper-case letters", "correct the caller: field names are in lower case"},
    {IA_SIG_COMPONENT_NAME, "a component name is no field name", "correct the caller"},
    {IA_SIG_COMPONENT_SELF, "@signature-params is covered as a component", "correct the caller"},
    {IA_SIG_COMPONENT_UNKNOWN, "a component that begins with @ is not known", "correct the caller"},
    {IA_SIG_COMPONENT_PARAMETER, "a component has a parameter that it cannot have", "correct the caller"},
    {IA_SIG_COMPONENT_FLAG, "a component's parameter has the wrong type", "correct the caller"},
    {IA_SIG_COMPONENT_CONFLICT, "a component's parameters exclude each other", "correct the caller"},
    {IA_SIG_REQ_MISUSED, ";req where there is no request to take from", "correct the caller: req is for responses"},
    {IA_SIG_STATUS_MISUSED, "@status in a request", "correct the caller"},
    {IA_SIG_REQUEST_ONLY, "a response covers what only requests have", "add ;req"},
    {IA_SIG_TRAILER, "a trailer field is covered", "leave it out"},
    {IA_SIG_TYPE_UNKNOWN, ";sf on a field whose structure is not known", "leave sf out"},
    {IA_SIG_VALUE_MALFORMED, "a covered value cannot be read as the component wants", "correct the caller"},
    {IA_SIG_DICTIONARY_KEY_MISSING, "a covered dictionary member is not there", "correct the caller, or a proxy that removes it"},
    {IA_SIG_QUERY_PARAM_MISSING, "a covered query parameter is not there", "correct the caller"},
    {IA_SIG_QUERY_PARAM_REPEATED, "a covered query parameter is there twice", "cover @query instead"},
    {IA_SIG_FIELD_MISSING, "a covered field is not there", "look for a proxy that removes it"},
    {IA_SIG_FIELD_LINES, ";bs on a field that may have come in several lines", "leave bs out"},
    {IA_SIG_MISSING, "no signature, and one is wanted", "the caller signs"},
    {IA_SIG_LABEL_ABSENT, "no signature of the wanted label", "correct the caller"},
    {IA_SIG_COMPONENT_DROPPED, "the field Connection names a field that is signed, or that ISignCover demands", "find out who on the way adds it to Connection: the backend of a proxy would not see the field"},
    {IA_SIG_ABSENT, "ISign require, and a request without a signature", "the client signs: interauth call --sign KEY; or write ISign digest if a signature is not needed"},
    {IA_SIG_TAG_ABSENT, "no signature of the wanted tag", "correct the caller"},
    {IA_SIG_KEYID_MISSING, "the signature names no key", "correct the caller: keyid"},
    {IA_SIG_KEY_UNKNOWN, "no participant has this key", "add it to the record"},
    {IA_SIG_KEY_REVOKED, "the key was revoked", "the caller uses another"},
    {IA_SIG_KEY_EXPIRED, "the key's time is over", "the caller uses another"},
    {IA_SIG_KEY_EARLY, "the key's time has not come", "look at nbf and the clock"},
    {IA_SIG_KEY_FOREIGN, "the key belongs to another participant than the caller", "look at who uses this key"},
    {IA_SIG_ALG_MISMATCH, "alg does not fit the key", "correct the caller"},
    {IA_SIG_ALG_NOT_ALLOWED, "the algorithm is not accepted here", "correct the caller"},
    {IA_SIG_LENGTH, "the signature has the wrong length for its algorithm", "correct the caller"},
    {IA_SIG_SCALAR, "the signature holds a number out of range", "correct the caller"},
    {IA_SIG_MISMATCH, "the signature is not of these bytes under this key", "compare the signature base of both sides; a proxy may have changed a covered field"},
    {IA_SIG_CREATED_MISSING, "the signature does not say when it was made", "correct the caller: created"},
    {IA_SIG_CREATED_FUTURE, "it was made in the future", "set the clocks"},
    {IA_SIG_CREATED_OLD, "it is too old", "set the clocks; sign each request anew"},
    {IA_SIG_EXPIRED, "its expires is over", "sign each request anew"},
    {IA_SIG_NONCE_MISSING, "it has no nonce", "correct the caller: nonce"},
    {IA_SIG_NONCE_REPLAYED, "it was used before", "a replay"},
    {IA_SIG_COMPONENT_MISSING, "it does not cover what is wanted", "the caller covers more"},
    {IA_SIG_DIGEST_UNCOVERED, "it does not cover the digest of the body", "the caller covers content-digest"},
    {IA_SIG_AUTHORITY_FOREIGN, "Host is no name of this virtual host, or has a port that is not ours", "ServerName with the port, ServerAlias, or behind a proxy ISignExternal"},
    {IA_XML_MALFORMED, "the XML of a call is not well-formed, or has text beside elements", "correct the caller"},
    {IA_XML_FORBIDDEN, "it has a document type, an instruction, an entity of its own, or another encoding than UTF-8", "correct the caller; it may be an attack"},
    {IA_XML_LIMIT, "it is too deep or has too many elements", "correct the caller"},
    {IA_ENVELOPE_MALFORMED, "a call with unknown, repeated or missing members, or token without signature", "correct the caller; message in the answer says more"},
    {IA_CALL_UNKNOWN, "the endpoint challenge knows no such method", "auth.request, auth.token, auth.refresh; calls of the application go to its own location"},
    {IA_PROFILE_NOT_ENABLED, "the profile is not enabled, or there is no such one", "SAuthChallenge, or the caller asks for another"},
    {IA_CLEARTEXT_REFUSED, "profile md5 over HTTP from another machine", "use TLS; ServerName https://.. where something in front ends it"},
    {IA_CHALLENGE_UNKNOWN, "nobody here made this challenge, or before an unclean stop", "the caller begins with auth.request"},
    {IA_CHALLENGE_EXPIRED, "the challenge is older than SAuthChallengeLifetime", "the caller begins with auth.request"},
    {IA_CHALLENGE_SUPERSEDED, "this challenge, or a newer one of the same user, was used before", "the caller begins with auth.request; workers that log in together do so now and then"},
    {IA_CALL_UNSTAMPED, "profile hmac-sha256, and a call without nonce or timestamp", "correct the caller"},
    {IA_CALL_REPLAYED, "this call was used before", "a replay, or a client that sends one call twice"},
    {IA_CALL_NOT_LISTED, "Require call does not name this method", "the caller calls another, or add it"},
    {IA_FAULT_INTERNAL, "a mistake in interauth", "report it"},
    {IA_FAULT_MEMORY, "no memory", "look at the machine"},
    {IA_FAULT_CRYPTO, "OpenSSL refused an operation", "look at OpenSSL's configuration (FIPS without the provider, for example)"},
};
/* clang-format on */

static const advice *advice_find(ia_result result)
{
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].result == result)
            return &table[i];
    return NULL;
}

const char *advice_meaning(ia_result result)
{
    const advice *found = advice_find(result);

    return found ? found->means : ia_outcome_of(result)->title;
}

const char *advice_todo(ia_result result)
{
    const advice *found = advice_find(result);

    return found ? found->todo : "see the page of outcomes";
}
