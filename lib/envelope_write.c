/* Writes the JSON and XML envelopes of the challenge protocol. */
#include <apr_strings.h>
#include <string.h>
#include "interauth/envelope.h"
#include "interauth/xml.h"

#define JSON_HEAD "\"signature\":\""
#define JSON_END  "\""
#define XML_HEAD  "<signature>"
#define XML_END   "</signature>"
#define XML_CLOSE "</xml>"

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A name that is a member in JSON and an element in XML. */
static int is_name(const char *name)
{
    if (!is_letter(*name))
        return 0;
    while (is_letter(*name) || is_digit(*name) || *name == '_' || *name == '-')
        name++;
    return !*name;
}

static const char *write_json(apr_pool_t *p, const char *status, const char *outer, const ia_envelope_member *members,
                              unsigned count, apr_size_t *len)
{
    ia_json_writer *w = ia_json_writer_create(p);
    unsigned i;

    ia_json_write_object(w);
    ia_json_write_member(w, "status", status);
    ia_json_write_name(w, outer);
    ia_json_write_object(w);
    for (i = 0; i < count; i++) {
        ia_json_write_name(w, members[i].name);
        if (members[i].text)
            ia_json_write_string(w, members[i].text);
        else
            ia_json_write_integer(w, members[i].number);
    }
    ia_json_write_end(w);
    ia_json_write_end(w);
    return ia_json_writer_text(w, len);
}

static const char *write_xml(apr_pool_t *p, const char *status, const char *outer, const ia_envelope_member *members,
                             unsigned count, apr_size_t *len)
{
    const char *inner = "", *text;
    unsigned i;

    for (i = 0; i < count; i++) {
        text = members[i].text ? ia_xml_escape(p, members[i].text)
                               : apr_psprintf(p, "%" APR_INT64_T_FMT, members[i].number);
        if (!text)
            return NULL;
        inner = apr_pstrcat(p, inner, "<", members[i].name, ">", text, "</", members[i].name, ">", NULL);
    }
    text = apr_pstrcat(p, "<xml><status>", status, "</status><", outer, ">", inner, "</", outer, ">" XML_CLOSE, NULL);
    if (len)
        *len = strlen(text);
    return text;
}

static const char *write_response(apr_pool_t *p, ia_envelope_format format, const char *status, const char *outer,
                                  const ia_envelope_member *members, unsigned count, apr_size_t *len)
{
    unsigned i;

    if (len)
        *len = 0;
    if (count > IA_ENVELOPE_MEMBERS)
        return NULL;
    for (i = 0; i < count; i++)
        if (!is_name(members[i].name))
            return NULL;
    return (format == IA_ENVELOPE_XML ? write_xml : write_json)(p, status, outer, members, count, len);
}

const char *ia_envelope_response(apr_pool_t *p, ia_envelope_format format, const ia_envelope_member *members,
                                 unsigned count, apr_size_t *len)
{
    return write_response(p, format, "valid", "response", members, count, len);
}

const char *ia_envelope_error(apr_pool_t *p, ia_envelope_format format, const char *code, const char *message,
                              apr_size_t *len)
{
    const ia_envelope_member members[] = {{"code", code, 0}, {"message", message, 0}};

    return write_response(p, format, "error", "error", members, 2, len);
}

/* The length without white space at the end. */
static apr_size_t trim(const char *text, apr_size_t len)
{
    while (len && text[len - 1] && strchr(" \t\r\n", text[len - 1]))
        len--;
    return len;
}

/* Whether the text ends with `end`; if so, *len becomes the length without it. */
static int take_end(const char *text, apr_size_t *len, const char *end)
{
    apr_size_t n = strlen(end);

    if (*len < n || strncmp(text + *len - n, end, n))
        return 0;
    *len -= n;
    return 1;
}

static int is_signature(const char *text)
{
    const char *at = text;

    while (is_letter(*at) || is_digit(*at))
        at++;
    return at > text && !*at;
}

const char *ia_envelope_signed_end(apr_pool_t *p, ia_envelope_format format, const char *tail, apr_size_t tail_len,
                                   const char *signature, apr_size_t *kept)
{
    apr_size_t at = trim(tail, tail_len), before;
    const char *comma, *rest;

    *kept = 0;
    if (!is_signature(signature) || !take_end(tail, &at, format == IA_ENVELOPE_XML ? XML_CLOSE : "}"))
        return NULL;
    rest = apr_pstrmemdup(p, tail + at, tail_len - at);
    before = trim(tail, at);
    if (format == IA_ENVELOPE_XML) {
        *kept = at;
        return apr_pstrcat(p, XML_HEAD, signature, XML_END, rest, NULL);
    }
    if (!before)
        return NULL;
    *kept = at;
    comma = tail[before - 1] == '{' ? "" : ",";
    return apr_pstrcat(p, comma, JSON_HEAD, signature, JSON_END, rest, NULL);
}

static int is_opened(const char *text, apr_size_t len)
{
    return len && text[len - 1] == '{';
}

ia_result ia_envelope_unsign(ia_envelope_signed *out, apr_pool_t *p, ia_envelope_format format, const char *text,
                             apr_size_t len)
{
    int is_xml = format == IA_ENVELOPE_XML;
    apr_size_t at = trim(text, len), end, signature_end;

    memset(out, 0, sizeof *out);
    if (!take_end(text, &at, is_xml ? XML_CLOSE : "}"))
        return IA_ENVELOPE_MALFORMED;
    end = at;
    if (!take_end(text, &at, is_xml ? XML_END : JSON_END))
        return IA_ENVELOPE_MALFORMED;
    signature_end = at;
    while (at && (is_letter(text[at - 1]) || is_digit(text[at - 1])))
        at--;
    if (at == signature_end)
        return IA_ENVELOPE_MALFORMED;
    out->signature = apr_pstrmemdup(p, text + at, signature_end - at);
    if (!take_end(text, &at, is_xml ? XML_HEAD : JSON_HEAD) ||
        (!is_xml && !take_end(text, &at, ",") && !is_opened(text, trim(text, at)))) {
        memset(out, 0, sizeof *out);
        return IA_ENVELOPE_MALFORMED;
    }
    out->head_len = at;
    out->tail = text + end;
    out->tail_len = len - end;
    return IA_OK;
}
