/**
 * A parser and a serializer of structured field values (RFC 9651, which obsoletes RFC 8941).
 *
 * A parsed value is a tree of nodes in the pool. Texts are slices and NOT NUL-terminated. They point into the parsed
 * bytes, which must exist as long as the tree, or into the pool if something had to be decoded (byte sequences, strings
 * with escapes). Threads may share a tree that none of them changes. Nesting is limited to list, inner list and parameter
 * by the grammar.
 *
 * The caller joins several lines of a field with ", " (RFC 9651 section 4.2).
 *
 * To serialize, fill the same structs (zero them first; `source` is ignored) and link them with `next`.
 */
#ifndef INTERAUTH_SFV_H
#define INTERAUTH_SFV_H

#include <apr_pools.h>
#include "interauth/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The default limits: the minimum that RFC 9651 section 3 requires parsers to support. */
#define IA_SFV_BYTES_MAX      65536
#define IA_SFV_MEMBERS_MAX    1024
#define IA_SFV_PARAMETERS_MAX 256

/**
 * Refuse repeated keys of dictionaries and parameters. Without it the last value is used, at the position of the first.
 */
#define IA_SFV_UNIQUE 1u
/** Base64 must be exactly what a serializer writes: complete padding, pad bits zero (section 4.2.7). */
#define IA_SFV_EXACT 2u
/** For signatures and digests. */
#define IA_SFV_STRICT (IA_SFV_UNIQUE | IA_SFV_EXACT)

typedef struct ia_sfv_limits {
    apr_size_t bytes;    /**< of the field value */
    unsigned members;    /**< of the list or dictionary, and of each inner list; repeated keys count */
    unsigned parameters; /**< of each item or inner list; repeated keys count */
} ia_sfv_limits;

typedef enum ia_sfv_kind { IA_SFV_ITEM, IA_SFV_LIST, IA_SFV_DICTIONARY } ia_sfv_kind;

typedef enum ia_sfv_type {
    IA_SFV_INTEGER,
    IA_SFV_DECIMAL,
    IA_SFV_STRING,
    IA_SFV_TOKEN,
    IA_SFV_BYTES,
    IA_SFV_BOOLEAN,
    IA_SFV_DATE,
    IA_SFV_DISPLAY,   /**< display string */
    IA_SFV_INNER_LIST /**< only of members of a list or dictionary */
} ia_sfv_type;

/** Some bytes. */
typedef struct ia_sfv_text {
    const char *data;
    apr_size_t len;
} ia_sfv_text;

/** A bare item (section 3.3). */
typedef struct ia_sfv_value {
    ia_sfv_type type;
    apr_int64_t number; /**< INTEGER; DECIMAL in thousandths; DATE in seconds since 1970; BOOLEAN as 0 or 1;
                           0 for the other types */
    ia_sfv_text text;   /**< STRING, TOKEN, BYTES and DISPLAY (UTF-8), decoded; BYTES and DISPLAY may contain NUL;
                           {NULL, 0} for the other types */
} ia_sfv_value;

typedef struct ia_sfv_param ia_sfv_param;
struct ia_sfv_param {
    ia_sfv_text key;
    ia_sfv_value value; /**< BOOLEAN 1 if none is written */
    ia_sfv_param *next;
};

/** An item or inner list, with its parameters. */
typedef struct ia_sfv_member ia_sfv_member;
struct ia_sfv_member {
    ia_sfv_text key;      /**< in a dictionary */
    ia_sfv_value value;   /**< BOOLEAN 1 if none is written */
    ia_sfv_member *items; /**< the items of an INNER_LIST, in order */
    unsigned item_count;
    ia_sfv_param *params; /**< in order */
    unsigned param_count;
    ia_sfv_text source; /**< the bytes parsed: value and parameters, without key and '=' */
    ia_sfv_member *next;
};

/** A whole field value. */
typedef struct ia_sfv_field {
    ia_sfv_kind kind;
    ia_sfv_member *first; /**< the item, or the members in order */
    unsigned count;
} ia_sfv_field;

/**
 * Parses a field value of this kind (section 4.2). An empty List or Dictionary is IA_OK with no members.
 * @param flags IA_SFV_UNIQUE, IA_SFV_EXACT, IA_SFV_STRICT or 0
 * @param limits NULL for IA_SFV_.._MAX
 * @return IA_OK, IA_SFV_MALFORMED, IA_SFV_DUPLICATE or IA_SFV_LIMIT; `*out` has no members on refusal
 */
ia_result ia_sfv_parse(ia_sfv_field *out, apr_pool_t *p, ia_sfv_kind kind, const char *text, apr_size_t len,
                       unsigned flags, const ia_sfv_limits *limits);

/** The member of a dictionary with this key, or NULL. */
const ia_sfv_member *ia_sfv_get(const ia_sfv_field *field, const char *key);

/** The value of the parameter with this key, or NULL. `member` may be NULL. */
const ia_sfv_value *ia_sfv_param_get(const ia_sfv_member *member, const char *key);

/** Whether the text equals this NUL-terminated string. */
int ia_sfv_text_is(const ia_sfv_text *text, const char *string);

/**
 * Serializes a field (section 4.1). Everything is checked, nothing is repaired. `*out` is NUL-terminated ASCII in `p`, `*len`
 * its length (`len` may be NULL). The text of an empty List or Dictionary is "": do not send the field then.
 * @return IA_OK, IA_SFV_MALFORMED for values that cannot be serialized, or IA_SFV_DUPLICATE for a repeated key; `*out` is
 *         NULL on refusal
 */
ia_result ia_sfv_format(char **out, apr_size_t *len, apr_pool_t *p, const ia_sfv_field *field);

/** Serializes the value and the parameters of a member, without its key. Results as above. */
ia_result ia_sfv_format_member(char **out, apr_size_t *len, apr_pool_t *p, const ia_sfv_member *member);

/**
 * Converts a number to a decimal, rounding half to even (section 4.1.5).
 * @return IA_OK, or IA_SFV_MALFORMED with 0 for more than 12 digits before the point, infinity or NaN
 */
ia_result ia_sfv_decimal(apr_int64_t *thousandths, double number);

#ifdef __cplusplus
}
#endif
#endif
