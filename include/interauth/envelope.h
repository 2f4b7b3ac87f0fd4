/**
 * The envelope of calls and responses in the challenge protocol, in JSON and in XML, which are equivalent:
 *
 *   {"method":"photo.get","token":"..","signature":"..","nonce":"..","timestamp":1700000001,"request":{..}}
 *   <xml><method>photo.get</method><token>..</token>..<request>..</request></xml>
 *
 *   {"status":"valid","response":{..}}      {"status":"error","error":{"code":"..","message":".."}}
 *
 * The parser is strict: unknown, repeated and empty members are refused, method and request are required. `timestamp` is a
 * number or a string of its digits.
 *
 * In XML the request is an OBJECT of its elements, a STRING if it has only text, and an empty OBJECT if it is empty, as
 * `{}` in JSON. If it has attributes, comments, or text between elements, it is an empty STRING here, and the application
 * parses it from `request_text`, which always has the exact bytes. The tag <request> itself cannot have attributes.
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
#define IA_ENVELOPE_MEMBERS    8             /**< of the `response` of a response */
#define IA_ENVELOPE_TAIL       64            /**< bytes at the end of a response that signing needs */

typedef enum ia_envelope_format { IA_ENVELOPE_JSON, IA_ENVELOPE_XML } ia_envelope_format;

/** "application/json", "text/xml". */
const char *ia_envelope_media_type(ia_envelope_format format);

/**
 * Finds the format of a Content-Type: application/json, text/xml or application/xml, without charset or with UTF-8.
 * @param content_type may be NULL
 * @return IA_OK or IA_MEDIA_TYPE
 */
ia_result ia_envelope_format_of(ia_envelope_format *out, const char *content_type);

/** A parsed call. Strings are in the pool, except request_text, which points into the text. */
typedef struct ia_envelope {
    ia_envelope_format format;
    const char *method;
    const char *token; /**< NULL if absent, as the next three */
    const char *signature;
    const char *nonce;
    const char *timestamp_text; /**< as signed: the digits */
    apr_time_t timestamp;       /**< microseconds; 0 if absent */
    const ia_json *request;     /**< any value in JSON; for XML see above */
    const char *request_text;   /**< its bytes as sent: a JSON value, or the content of the XML element */
    apr_size_t request_len;
} ia_envelope;

/**
 * @param error may be NULL; set on refusal
 * @return IA_OK, IA_TOO_LONG, IA_JSON_*, IA_XML_*, IA_ENVELOPE_MALFORMED, IA_TIMESTAMP_MALFORMED
 */
ia_result ia_envelope_parse(ia_envelope *out, apr_pool_t *p, ia_envelope_format format, const char *text,
                            apr_size_t len, ia_json_error *error);

/** The string in the request with this name. NULL if it is absent, repeated (XML), empty or not a string. */
const char *ia_envelope_request_string(const ia_envelope *envelope, const char *name);

/**
 * Whether the request is an object whose members are strings with names of this NULL-terminated list, each at most
 * once.
 */
int ia_envelope_request_is(const ia_envelope *envelope, const char *const *names);

/** Whether a name is valid for a method: 1 to IA_ENVELOPE_METHOD_MAX of the characters above. */
int ia_envelope_is_method(const char *name, apr_size_t len);

/** A member of a response: a text, or a number if `text` is NULL. */
typedef struct ia_envelope_member {
    const char *name;
    const char *text;
    apr_int64_t number;
} ia_envelope_member;

/** {"status":"valid","response":{..}} in one line, in `p`. @return NULL if the format cannot represent a text */
const char *ia_envelope_response(apr_pool_t *p, ia_envelope_format format, const ia_envelope_member *members,
                                 unsigned count, apr_size_t *len);

/** {"status":"error","error":{"code","message"}}. Result as above. */
const char *ia_envelope_error(apr_pool_t *p, ia_envelope_format format, const char *code, const char *message,
                              apr_size_t *len);

/**
 * Signs a response that is streamed: the signature becomes its last member, before the final `}` or `</xml>`. It covers the
 * response without it. While streaming, hold back the last IA_ENVELOPE_TAIL bytes (all of a shorter response). At the end
 * pass them as `tail`, send their first `*kept` bytes (perhaps none), and then the text returned, which includes the rest.
 * @param signature letters and digits
 * @return text in `p`; NULL if the bytes do not end like a response of this format, which cannot be signed
 */
const char *ia_envelope_signed_end(apr_pool_t *p, ia_envelope_format format, const char *tail, apr_size_t tail_len,
                                   const char *signature, apr_size_t *kept);

/** A signed response. The signature covers its first `head_len` bytes and then `tail`. */
typedef struct ia_envelope_signed {
    apr_size_t head_len;
    const char *signature; /**< in the pool */
    const char *tail;      /**< into the response */
    apr_size_t tail_len;
} ia_envelope_signed;

/** Splits a response that ia_envelope_signed_end signed. @return IA_OK or IA_ENVELOPE_MALFORMED */
ia_result ia_envelope_unsign(ia_envelope_signed *out, apr_pool_t *p, ia_envelope_format format, const char *text,
                             apr_size_t len);

#ifdef __cplusplus
}
#endif
#endif
