/*
 * Parses XML with expat's callbacks, the whole document at once, so that positions are exact. A document type is
 * refused at its start, so that no entity is ever declared or expanded. expat's namespace processing is off, and its
 * check of UTF-8 is not relied on.
 */
#include "config.h"
#include <apr_strings.h>
#include <expat.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include "interauth/xml.h"
#include "utf8.h"

typedef struct frame {
    ia_json *node;
    ia_json **tail;
} frame;

typedef struct reader {
    apr_pool_t *p;
    XML_Parser parser;
    const char *document;
    frame stack[IA_JSON_DEPTH + 1]; /* the deepest element is a STRING, which JSON does not count */
    unsigned depth;
    unsigned nodes_left;
    char *text; /* since the last tag; never longer than the document that it comes from */
    apr_size_t text_len;
    apr_size_t text_max;
    const char *opaque;
    ia_xml_slice *slice;
    apr_size_t opened; /* where the content of the opaque element starts */
    int is_inside;     /* the opaque element */
    int is_plain;      /* it has nothing that the tree cannot represent */
    ia_json *root;
    ia_result rc;
    const char *reason;
    apr_int64_t refused_at;
} reader;

/*
 * The position of the current event, or -1. Newer releases of expat deprecate the only functions that older ones have.
 */
static apr_int64_t position(XML_Parser parser)
{
#if HAVE_DECL_XML_GETCURRENTBYTEINDEX64
    return XML_GetCurrentByteIndex64(parser);
#else
    return XML_GetCurrentByteIndex(parser);
#endif
}

static apr_size_t event_size(XML_Parser parser)
{
#if HAVE_DECL_XML_GETCURRENTBYTECOUNT64
    return (apr_size_t)XML_GetCurrentByteCount64(parser);
#else
    return (apr_size_t)XML_GetCurrentByteCount(parser);
#endif
}

static void refuse(reader *r, ia_result rc, const char *reason)
{
    if (r->rc)
        return;
    r->rc = rc;
    r->reason = reason;
    r->refused_at = position(r->parser);
    XML_StopParser(r->parser, XML_FALSE);
}

/* Content that is allowed only in the opaque element. */
static void meet_unplain(reader *r, const char *reason)
{
    if (r->is_inside)
        r->is_plain = 0;
    else
        refuse(r, IA_XML_MALFORMED, reason);
}

/* Text beside elements must be white space. */
static void drop_text(reader *r)
{
    apr_size_t i;

    for (i = 0; i < r->text_len; i++) {
        if (!strchr(" \t\r\n", r->text[i])) {
            meet_unplain(r, "text between elements");
            break;
        }
    }
    r->text_len = 0;
}

static int take_node(reader *r)
{
    if (!r->nodes_left) {
        refuse(r, IA_XML_LIMIT, "too many elements and attributes");
        return 0;
    }
    r->nodes_left--;
    return 1;
}

static void add_node(reader *r, const char *name)
{
    frame *f = r->depth ? &r->stack[r->depth - 1] : NULL;
    ia_json *node;

    if (!take_node(r))
        return;
    if (r->depth > IA_JSON_DEPTH) {
        refuse(r, IA_XML_LIMIT, "nested too deeply");
        return;
    }
    node = apr_pcalloc(r->p, sizeof *node);
    node->type = IA_JSON_STRING;
    node->name = apr_pstrdup(r->p, name);
    if (f) {
        f->node->type = IA_JSON_OBJECT;
        f->node->count++;
        *f->tail = node;
        f->tail = &node->next;
    } else {
        r->root = node;
    }
    f = &r->stack[r->depth++];
    f->node = node;
    f->tail = &node->first;
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    reader *r = ctx;

    for (; !r->rc && *attributes; attributes += 2) {
        meet_unplain(r, "an attribute");
        take_node(r);
    }
    if (strchr(name, ':'))
        meet_unplain(r, "a prefix");
    drop_text(r);
    if (r->rc)
        return;
    add_node(r, name);
    if (!r->rc && r->depth == 2 && r->opaque && !strcmp(name, r->opaque)) {
        r->is_inside = r->is_plain = 1;
        r->opened = (apr_size_t)position(r->parser) + event_size(r->parser);
    }
}

/* expat reports the end of an empty-element tag at the position behind it. */
static void leave_opaque(reader *r, ia_json *node)
{
    r->is_inside = 0;
    if (r->slice && !r->slice->text) {
        r->slice->text = r->document + r->opened;
        r->slice->len = (apr_size_t)position(r->parser) - r->opened;
    }
    if (!r->is_plain) {
        node->type = IA_JSON_STRING;
        node->string = "";
        node->string_len = 0;
        node->first = NULL;
        node->count = 0;
    }
}

static void on_end(void *ctx, const XML_Char *name)
{
    reader *r = ctx;
    ia_json *node;

    (void)name;
    if (r->rc)
        return;
    node = r->stack[r->depth - 1].node;
    if (node->type == IA_JSON_OBJECT) {
        drop_text(r);
        if (r->rc)
            return;
    } else {
        node->string = apr_pstrmemdup(r->p, r->text, r->text_len);
        node->string_len = r->text_len;
        r->text_len = 0;
    }
    if (r->is_inside && r->depth == 2)
        leave_opaque(r, node);
    r->depth--;
}

static void on_text(void *ctx, const XML_Char *text, int len)
{
    reader *r = ctx;

    if (r->rc)
        return;
    if ((apr_size_t)len > r->text_max - r->text_len) {
        refuse(r, IA_XML_LIMIT, "too much text");
        return;
    }
    memcpy(r->text + r->text_len, text, (apr_size_t)len);
    r->text_len += (apr_size_t)len;
}

static void on_comment(void *ctx, const XML_Char *text)
{
    (void)text;
    meet_unplain(ctx, "a comment");
}

static void on_instruction(void *ctx, const XML_Char *target, const XML_Char *data)
{
    (void)target;
    (void)data;
    refuse(ctx, IA_XML_FORBIDDEN, "a processing instruction");
}

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_subset;
    refuse(ctx, IA_XML_FORBIDDEN, "a document type");
}

static void on_declaration(void *ctx, const XML_Char *version, const XML_Char *encoding, int standalone)
{
    (void)standalone;
    if (!version || strcmp(version, "1.0"))
        refuse(ctx, IA_XML_FORBIDDEN, "not XML 1.0");
    else if (encoding && strcasecmp(encoding, "UTF-8"))
        refuse(ctx, IA_XML_FORBIDDEN, "an encoding other than UTF-8");
}

/* Refused before expat parses it: expat would detect other encodings, and its limits are those of int. */
static ia_result check_bytes(const char *text, apr_size_t len, const char **reason)
{
    int is_wide;

    *reason = "too long";
    if (len > INT_MAX)
        return IA_XML_LIMIT;
    is_wide = len >= 2 && (((unsigned char)text[0] == 0xfe && (unsigned char)text[1] == 0xff) ||
                           ((unsigned char)text[0] == 0xff && (unsigned char)text[1] == 0xfe) ||
                           (text[0] == '<' && !text[1]) || (!text[0] && text[1] == '<'));
    *reason = "an encoding other than UTF-8";
    if (is_wide)
        return IA_XML_FORBIDDEN;
    *reason = "a NUL";
    if (memchr(text, '\0', len))
        return IA_XML_MALFORMED;
    *reason = "not UTF-8";
    return iai_utf8_is_valid(text, len) ? IA_OK : IA_XML_MALFORMED;
}

static ia_result run(reader *r, apr_size_t len, ia_json_error *error)
{
    enum XML_Status status;
    enum XML_Error code;
    apr_int64_t at;

    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetCommentHandler(r->parser, on_comment);
    XML_SetProcessingInstructionHandler(r->parser, on_instruction);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    XML_SetXmlDeclHandler(r->parser, on_declaration);
    status = XML_Parse(r->parser, r->document, (int)len, 1);
    if (status == XML_STATUS_OK && !r->rc)
        return IA_OK;
    at = r->rc ? r->refused_at : position(r->parser);
    error->offset = at < 0 ? 0 : (apr_size_t)at < len ? (apr_size_t)at : len;
    if (r->rc) {
        error->reason = r->reason;
        return r->rc;
    }
    code = XML_GetErrorCode(r->parser);
    error->reason = XML_ErrorString(code); /* static, contains nothing of the document */
    return code == XML_ERROR_NO_MEMORY ? IA_FAULT_MEMORY : IA_XML_MALFORMED;
}

ia_result ia_xml_parse(const ia_json **out, apr_pool_t *p, const char *text, apr_size_t len, unsigned max_nodes,
                       const char *opaque, ia_xml_slice *slice, ia_json_error *error)
{
    ia_json_error ignored;
    ia_xml_slice found = {NULL, 0};
    reader *r;
    ia_result rc;

    *out = NULL;
    if (slice)
        *slice = found;
    if (!error)
        error = &ignored;
    error->offset = 0;
    if ((rc = check_bytes(text, len, &error->reason)))
        return rc;
    r = apr_pcalloc(p, sizeof *r);
    r->p = p;
    r->document = text;
    r->nodes_left = max_nodes;
    r->text = apr_palloc(p, len);
    r->text_max = len;
    r->opaque = opaque;
    r->slice = &found;
    r->parser = XML_ParserCreate("UTF-8");
    if (!r->parser) {
        error->reason = "no memory";
        return IA_FAULT_MEMORY;
    }
    rc = run(r, len, error);
    XML_ParserFree(r->parser);
    if (rc)
        return rc;
    if (slice)
        *slice = found;
    *out = r->root;
    return IA_OK;
}

/* The escape of a byte: NULL for itself, "" if XML 1.0 cannot represent it. */
static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return c < 0x20 ? "" : NULL;
    }
}

const char *ia_xml_escape(apr_pool_t *p, const char *text)
{
    apr_size_t len = strlen(text), size = 1, i, n;
    const char *escape;
    char *out, *at;

    if (!iai_utf8_is_valid(text, len) || strstr(text, "\xef\xbf\xbe") || strstr(text, "\xef\xbf\xbf"))
        return NULL;
    for (i = 0; i < len; i++) {
        escape = escape_of((unsigned char)text[i]);
        if (escape && !*escape)
            return NULL;
        size += escape ? strlen(escape) : 1;
    }
    at = out = apr_palloc(p, size);
    for (i = 0; i < len; i++) {
        escape = escape_of((unsigned char)text[i]);
        n = escape ? strlen(escape) : 1;
        memcpy(at, escape ? escape : text + i, n);
        at += n;
    }
    *at = '\0';
    return out;
}
