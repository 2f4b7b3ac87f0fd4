/**
 * A strict JSON (RFC 8259) parser with limits, and a writer.
 *
 * The parser refuses what other parsers treat differently: repeated member names, NUL in strings (also if escaped),
 * invalid UTF-8, trailing text, lone surrogates. It also refuses more depth or nodes than allowed. Values live in the pool given
 * to the parser; strings are NUL-terminated there and hold no other NUL.
 */
#ifndef INTERAUTH_JSON_H
#define INTERAUTH_JSON_H

#include <apr_pools.h>
#include "interauth/result.h"

#ifdef __cplusplus
extern "C" {
#endif

#define IA_JSON_DEPTH 32 /**< the deepest nesting that any protocol here accepts */

typedef enum ia_json_type {
    IA_JSON_NULL,
    IA_JSON_BOOL,
    IA_JSON_INTEGER, /**< fits into 64 bits, written without fraction or exponent */
    IA_JSON_NUMBER,  /**< any other number, kept as its text */
    IA_JSON_STRING,
    IA_JSON_ARRAY,
    IA_JSON_OBJECT
} ia_json_type;

typedef struct ia_json ia_json;
struct ia_json {
    ia_json_type type;
    const char *name;   /**< the member name where the parent is an object, else NULL */
    const char *string; /**< STRING and NUMBER */
    apr_size_t string_len;
    apr_int64_t integer; /**< INTEGER; BOOL as 0 or 1 */
    ia_json *first;      /**< first child of ARRAY or OBJECT, in document order */
    ia_json *next;       /**< next sibling */
    unsigned count;      /**< children */
};

/** Where and why a text was refused, for log messages. */
typedef struct ia_json_error {
    apr_size_t offset;  /**< bytes consumed */
    const char *reason; /**< static or in the pool; contains no value from the input */
} ia_json_error;

/**
 * Parses one JSON text of `len` bytes into `p`.
 * @param max_nodes the largest number of values, including those of members
 * @param error may be NULL; set on refusal
 * @return IA_OK, IA_JSON_MALFORMED, IA_JSON_DUPLICATE or IA_JSON_LIMIT; `*out` is NULL on refusal
 */
ia_result ia_json_parse(const ia_json **out, apr_pool_t *p, const char *text, apr_size_t len, unsigned max_nodes,
                        ia_json_error *error);

/** The member `name` of an object, or NULL if there is none or `object` is not an object. `object` may be NULL. */
const ia_json *ia_json_member(const ia_json *object, const char *name);

/** The string of a member, or NULL if it is absent or not a string. */
const char *ia_json_member_string(const ia_json *object, const char *name);

/**
 * The bytes of a member's value as they are in the text, without the white space around them.
 * @param object the tree that ia_json_parse made of this text
 * @return a pointer into `text`; NULL if the text is not an object or has no such member
 */
const char *ia_json_member_text(const char *text, apr_size_t len, const ia_json *object, const char *name,
                                apr_size_t *out_len);

/**
 * Writes compact JSON, with members in the order of the calls. Freed with its pool. After a misuse (a value in place of a
 * name) or invalid UTF-8, ia_json_writer_text returns NULL.
 */
typedef struct ia_json_writer ia_json_writer;

ia_json_writer *ia_json_writer_create(apr_pool_t *p);
/** As above, with line breaks and indentation. */
ia_json_writer *ia_json_writer_create_pretty(apr_pool_t *p);
void ia_json_write_object(ia_json_writer *w);
void ia_json_write_array(ia_json_writer *w);
void ia_json_write_end(ia_json_writer *w); /**< closes the innermost object or array */
void ia_json_write_name(ia_json_writer *w, const char *name);
void ia_json_write_string(ia_json_writer *w, const char *value);
void ia_json_write_integer(ia_json_writer *w, apr_int64_t value);
void ia_json_write_bool(ia_json_writer *w, int value);
void ia_json_write_null(ia_json_writer *w);
/** Writes a parsed value, and all that it contains. */
void ia_json_write_value(ia_json_writer *w, const ia_json *value);
/** Writes a member with a string value. */
void ia_json_write_member(ia_json_writer *w, const char *name, const char *value);
/** The finished text, in the writer's pool, or NULL after a misuse. `len` may be NULL. */
const char *ia_json_writer_text(ia_json_writer *w, apr_size_t *len);

#ifdef __cplusplus
}
#endif
#endif
