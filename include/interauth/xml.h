/**
 * A strict XML 1.0 parser with limits, whose tree is that of JSON, and escaping.
 *
 * An element that contains elements is an OBJECT, any other a STRING of its text. The name of the tree's top is that of the
 * root element. White space between elements is ignored. Refused are document types, entities other than the five
 * predefined ones, processing instructions, encodings other than UTF-8, NUL, and more depth (of OBJECTs, as in JSON) or
 * elements than allowed; outside of the element that `opaque` names also attributes, namespaces, comments, and text beside
 * elements. Elements may repeat; users of the tree must check that.
 */
#ifndef INTERAUTH_XML_H
#define INTERAUTH_XML_H

#include "interauth/json.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The bytes between an element's tags, as received. */
typedef struct ia_xml_slice {
    const char *text; /**< into the document; NULL if there is no such element */
    apr_size_t len;
} ia_xml_slice;

/**
 * Parses one document of `len` bytes into `p`.
 * @param opaque the name of a child of the root whose content is for the application, or NULL: elements in it may have
 *        attributes, prefixes, comments and text between elements. If it has any of these, it is an empty STRING in the tree
 * @param slice set to the content of that element, of the first one if it repeats; may be NULL
 * @param max_nodes the largest number of elements and attributes
 * @return IA_OK, IA_XML_MALFORMED, IA_XML_FORBIDDEN (document type, instruction, encoding) or IA_XML_LIMIT
 */
ia_result ia_xml_parse(const ia_json **out, apr_pool_t *p, const char *text, apr_size_t len, unsigned max_nodes,
                       const char *opaque, ia_xml_slice *slice, ia_json_error *error);

/** Escapes & < > " ' and line ends, in `p`. @return NULL if the text has characters that XML 1.0 cannot represent */
const char *ia_xml_escape(apr_pool_t *p, const char *text);

#ifdef __cplusplus
}
#endif
#endif
