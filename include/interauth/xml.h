/**
 * XML 1.0, read strictly and within bounds into the same tree as JSON, and written.
 *
 * An element with elements in it is an OBJECT, any other a STRING of its text; the root's name is the tree's own. White
 * space between elements counts for nothing. Refused: a document type, entities beside the five that XML predefines,
 * processing instructions, encodings other than UTF-8, and outside of what `opaque` names attributes, namespaces, comments
 * and text beside elements; NUL, and more depth (of OBJECTs, as in JSON) or elements than allowed. Elements may repeat: who
 * reads the tree decides.
 */
#ifndef INTERAUTH_XML_H
#define INTERAUTH_XML_H

#include "interauth/json.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The bytes between an element's tags, as they were sent. */
typedef struct ia_xml_slice {
    const char *text; /**< into the document; NULL where the element did not occur */
    apr_size_t len;
} ia_xml_slice;

/**
 * Parses one document of `len` bytes into `p`.
 * @param opaque a child of the root whose content is the app's: elements in it may have attributes, prefixes, comments and
 *        text beside elements. With any of these it is an empty STRING in the tree, otherwise as any other. NULL for none
 * @param slice where that content lies, of the first one where it repeats; may be NULL
 * @param max_nodes bound on elements and attributes
 * @return IA_OK, IA_XML_MALFORMED, IA_XML_FORBIDDEN (document type, instruction, encoding) or IA_XML_LIMIT
 */
ia_result ia_xml_parse(const ia_json **out, apr_pool_t *p, const char *text, apr_size_t len, unsigned max_nodes,
                       const char *opaque, ia_xml_slice *slice, ia_json_error *error);

/** The text with & < > " ' and line ends written so that it is read back as it is; NULL for what XML 1.0 cannot say. */
const char *ia_xml_escape(apr_pool_t *p, const char *text);

#ifdef __cplusplus
}
#endif
#endif
