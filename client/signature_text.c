/* Formats the parameters of a signature and the bytes of its base. */
#include "signature_text.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "interauth/timestamp.h"

const char *signature_string(apr_pool_t *p, const ia_sfv_text *text)
{
    return apr_pstrmemdup(p, text->data ? text->data : "", text->len);
}

static const char *component_format(apr_pool_t *p, const ia_sfv_member *item)
{
    char *text;

    return ia_sfv_format_member(&text, NULL, p, item) == IA_OK ? text : "?";
}

const char *signature_covered(apr_pool_t *p, const ia_httpsig *signature)
{
    apr_array_header_t *names = apr_array_make(p, 8, sizeof(const char *));

    for (const ia_sfv_member *item = signature->input->items; item; item = item->next)
        APR_ARRAY_PUSH(names, const char *) = component_format(p, item);
    return names->nelts > 0 ? apr_array_pstrcat(p, names, ' ') : "nothing";
}

static void text_write(ia_json_writer *w, apr_pool_t *p, const char *name, const ia_sfv_text *text)
{
    if (text->data)
        ia_json_write_member(w, name, signature_string(p, text));
}

static void time_write(ia_json_writer *w, const char *name, apr_int64_t seconds)
{
    char text[IA_RFC3339_SIZE];

    if (seconds < 0)
        return;
    ia_timestamp_format(text, apr_time_from_sec(seconds));
    ia_json_write_member(w, name, text);
}

void signature_write(ia_json_writer *w, apr_pool_t *p, const ia_httpsig *signature)
{
    text_write(w, p, "label", &signature->label);
    text_write(w, p, "keyid", &signature->keyid);
    time_write(w, "created", signature->created);
    time_write(w, "expires", signature->expires);
    text_write(w, p, "nonce", &signature->nonce);
    text_write(w, p, "tag", &signature->tag);
    ia_json_write_name(w, "covered");
    ia_json_write_array(w);
    for (const ia_sfv_member *item = signature->input->items; item; item = item->next)
        ia_json_write_string(w, component_format(p, item));
    ia_json_write_end(w);
}

static void text_print(apr_pool_t *p, const char *name, const ia_sfv_text *text)
{
    if (text->data)
        printf("%s: %s\n", name, signature_string(p, text));
}

static void time_print(const char *name, apr_int64_t seconds)
{
    char text[IA_RFC3339_SIZE];

    if (seconds < 0)
        return;
    ia_timestamp_format(text, apr_time_from_sec(seconds));
    printf("%s: %s\n", name, text);
}

void signature_print(apr_pool_t *p, const ia_httpsig *signature)
{
    text_print(p, "label", &signature->label);
    text_print(p, "keyid", &signature->keyid);
    time_print("created", signature->created);
    time_print("expires", signature->expires);
    text_print(p, "nonce", &signature->nonce);
    text_print(p, "tag", &signature->tag);
    printf("covered: %s\n", signature_covered(p, signature));
}

const char *signature_escape(apr_pool_t *p, const char *data, apr_size_t len)
{
    static const char hex[] = "0123456789abcdef";
    char *text = apr_palloc(p, 4 * len + 1), *at = text;

    for (apr_size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];

        if (c >= 0x20 && c <= 0x7e && c != '\\') {
            *at++ = (char)c;
            continue;
        }
        *at++ = '\\';
        if (c == '\\' || c == '\t' || c == '\r' || c == '\n') {
            *at++ = c == '\t' ? 't' : c == '\r' ? 'r' : c == '\n' ? 'n' : '\\';
        } else {
            *at++ = 'x';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        }
    }
    *at = '\0';
    return text;
}
