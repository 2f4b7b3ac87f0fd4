/**
 * The envelope of the challenge protocol, in JSON and in XML, which say the same:
 *
 *   {"method":"photo.get","token":"..","signature":"..","nonce":"..","timestamp":1700000001,"request":{..}}
 *   <xml><method>photo.get</method><token>..</token>..<request>..</request></xml>
 *
 *   {"status":"valid","response":{..}}      {"status":"error","error":{"code":"..","message":".."}}
 *
 * Read strictly: no unknown, repeated or empty member, method and request present. `timestamp` is a number or its digits.
 *
 * In XML the request is an OBJECT of its elements, a STRING where it has text only, and an empty OBJECT where nothing
 * stands between its tags, as `{}` in JSON. One with attributes, comments, or text beside elements is the app's to
 * read: it is an empty STRING here. `request_text` is exact in each case. The tag <request> itself has no attributes.
 */
#ifndef INTERAUTH_ENVELOPE_H
#define INTERAUTH_ENVELOPE_H

#include "interauth/json.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_ENVELOPE_MAX        (1024 * 1024) /**< bytes of a call */
#define IA_ENVELOPE_METHOD_MAX 255           /**< characters of a method: letters, digits and . _ - : / */
#define IA_ENVELOPE_NODES      32768         /**< values, or elements and attributes, of a call */
#define IA_ENVELOPE_MEMBERS    8             /**< of a response's response */
#define IA_ENVELOPE_TAIL       64            /**< bytes of a response that its signing looks at */

typedef enum ia_envelope_format { IA_ENVELOPE_JSON, IA_ENVELOPE_XML } ia_envelope_format;

/** "application/json", "text/xml". */
const char *ia_envelope_media_type(ia_envelope_format format);

/**
 * By a Content-Type: application/json, text/xml, application/xml, each with no charset or UTF-8.
 * @return IA_OK or IA_MEDIA_TYPE (NULL included)
 */
ia_result ia_envelope_format_of(ia_envelope_format *out, const char *content_type);

/** A call as parsed; strings live in the pool of the parse. */
typedef struct ia_envelope {
    ia_envelope_format format;
    const char *method;
    const char *token; /**< NULL where absent, as the next three */
    const char *signature;
    const char *nonce;
    const char *timestamp_text; /**< as signed: the digits */
    apr_time_t timestamp;       /**< microseconds; 0 where absent */
    const ia_json *request;     /**< any value in JSON; in XML see below */
    const char *request_text;   /**< its bytes as sent: a JSON value, or what stands between the XML tags */
    apr_size_t request_len;
} ia_envelope;

/**
 * @param error may be NULL; set on refusal
 * @return IA_OK, IA_TOO_LONG, IA_JSON_*, IA_XML_*, IA_ENVELOPE_MALFORMED, IA_TIMESTAMP_MALFORMED
 */
ia_result ia_envelope_parse(ia_envelope *out, apr_pool_t *p, ia_envelope_format format, const char *text,
                            apr_size_t len, ia_json_error *error);

/** A string member of the request by name; NULL where absent, repeated (XML), empty or no string. */
const char *ia_envelope_request_string(const ia_envelope *envelope, const char *name);

/** Whether the request is an object with no members but of these names (NULL-terminated), each at most once and a string. */
int ia_envelope_request_is(const ia_envelope *envelope, const char *const *names);

/** Whether a name can be a method's: 1 to IA_ENVELOPE_METHOD_MAX of the characters above. */
int ia_envelope_is_method(const char *name, apr_size_t len);

/** One member of a response: a text, or where `text` is NULL a number. */
typedef struct ia_envelope_member {
    const char *name;
    const char *text;
    apr_int64_t number;
} ia_envelope_member;

/** {"status":"valid","response":{..}} in one line. @return NULL for text that the format cannot hold */
const char *ia_envelope_response(apr_pool_t *p, ia_envelope_format format, const ia_envelope_member *members,
                                 unsigned count, apr_size_t *len);

/** {"status":"error","error":{"code","message"}}. */
const char *ia_envelope_error(apr_pool_t *p, ia_envelope_format format, const char *code, const char *message,
                              apr_size_t *len);

/**
 * How a response is signed in the stream: the signature goes before the response's end, `}` or `</xml>`, as its last
 * member. What is signed is the response as it was before. Who streams holds back the last IA_ENVELOPE_TAIL bytes (the
 * whole of a shorter response) and hands them over once the response has ended; then sends their first `*kept` bytes,
 * which may be 0, and after them the text returned, which ends with the rest of the bytes handed over.
 * @param signature letters and digits
 * @return NULL where the bytes do not end as a response of this format does: it cannot be signed
 */
const char *ia_envelope_signed_end(apr_pool_t *p, ia_envelope_format format, const char *tail, apr_size_t tail_len,
                                   const char *signature, apr_size_t *kept);

/** A signed response: what was signed is its first `head_len` bytes, then `tail`. */
typedef struct ia_envelope_signed {
    apr_size_t head_len;
    const char *signature; /**< in the pool */
    const char *tail;      /**< into the response */
    apr_size_t tail_len;
} ia_envelope_signed;

/** Takes a response apart that ia_envelope_signed_end made. @return IA_OK, IA_ENVELOPE_MALFORMED */
ia_result ia_envelope_unsign(ia_envelope_signed *out, apr_pool_t *p, ia_envelope_format format, const char *text,
                             apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
