/*
 * The envelope: a valid one can be written in both formats, and is the same after it was parsed again. A signed
 * response can be parsed, and its signature can be removed again.
 */
#include "fuzz.h"
#include "interauth/envelope.h"
#include "interauth/xml.h"

static void check_same_text(const char *a, const char *b)
{
    CHECK((a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0));
}

static void check_same(const ia_envelope *a, const ia_envelope *b)
{
    CHECK(strcmp(a->method, b->method) == 0 && a->timestamp == b->timestamp);
    check_same_text(a->token, b->token);
    check_same_text(a->signature, b->signature);
    check_same_text(a->nonce, b->nonce);
    check_same_text(a->timestamp_text, b->timestamp_text);
    CHECK(a->request->type == b->request->type && a->request->count == b->request->count);
    check_same_text(ia_envelope_request_string(a, "username"), ia_envelope_request_string(b, "username"));
}

/* Formats a member. Returns NULL if the format cannot represent it. */
static const char *write_member(apr_pool_t *p, ia_envelope_format format, const char *name, const char *value)
{
    const char *text;
    ia_json_writer *w;

    if (value == NULL) {
        return "";
    }
    if (format == IA_ENVELOPE_XML) {
        text = ia_xml_escape(p, value);
        return text != NULL ? apr_pstrcat(p, "<", name, ">", text, "</", name, ">", NULL) : NULL;
    }
    w = ia_json_writer_create(p);
    ia_json_write_string(w, value);
    text = ia_json_writer_text(w, NULL);
    CHECK(text != NULL);
    return apr_pstrcat(p, "\"", name, "\":", text, ",", NULL);
}

static const char *write_call(apr_pool_t *p, ia_envelope_format format, const ia_envelope *e, const char *request)
{
    const char *const members[][2] = {{"method", e->method},
                                      {"token", e->token},
                                      {"signature", e->signature},
                                      {"nonce", e->nonce},
                                      {"timestamp", e->timestamp_text}};
    const char *text = format == IA_ENVELOPE_XML ? "<xml>" : "{";

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *member = write_member(p, format, members[i][0], members[i][1]);

        if (member == NULL) {
            return NULL;
        }
        text = apr_pstrcat(p, text, member, NULL);
    }
    return format == IA_ENVELOPE_XML ? apr_pstrcat(p, text, "<request>", request, "</request></xml>", NULL)
                                     : apr_pstrcat(p, text, "\"request\":", request, "}", NULL);
}

static void check_written(apr_pool_t *p, const ia_envelope *e, ia_envelope_format format, const char *request)
{
    const char *text = write_call(p, format, e, request);
    ia_envelope again;

    if (text == NULL) {
        CHECK(e->format == IA_ENVELOPE_JSON && format == IA_ENVELOPE_XML);
        return;
    }
    if (strlen(text) > IA_ENVELOPE_MAX) {
        return;
    }
    CHECK(ia_envelope_parse(&again, p, format, text, strlen(text), NULL) == IA_OK);
    check_same(e, &again);
    CHECK(again.request_len == strlen(request) && strncmp(again.request_text, request, again.request_len) == 0);
}

/* Formats a request of strings. Returns NULL if the format cannot represent it. */
static const char *write_request(apr_pool_t *p, ia_envelope_format format, const ia_json *request)
{
    const char *text = "", *escaped;
    ia_json_writer *w = ia_json_writer_create(p);
    const ia_json *member;

    if (format == IA_ENVELOPE_JSON) {
        ia_json_write_value(w, request);
        return ia_json_writer_text(w, NULL);
    }
    for (member = request->first; member != NULL; member = member->next) {
        escaped = ia_xml_escape(p, member->string);
        if (escaped == NULL) {
            return NULL;
        }
        text = apr_pstrcat(p, text, "<", member->name, ">", escaped, "</", member->name, ">", NULL);
    }
    return text;
}

static void check_call(apr_pool_t *p, const ia_envelope *e, const uint8_t *data, size_t size)
{
    static const char *const names[] = {"username", "profile", NULL};
    int format;

    CHECK(ia_envelope_is_method(e->method, strlen(e->method)));
    CHECK((const uint8_t *)e->request_text >= data && e->request_len <= size);
    CHECK((const uint8_t *)e->request_text + e->request_len <= data + size);
    check_written(p, e, e->format, apr_pstrmemdup(p, e->request_text, e->request_len));
    CHECK(ia_envelope_request_string(e, "username") == NULL || e->request->count > 0);
    if (!ia_envelope_request_is(e, names)) {
        return;
    }
    CHECK(e->request->count <= 2);
    for (format = IA_ENVELOPE_JSON; format <= IA_ENVELOPE_XML; format++) {
        const char *request = write_request(p, format, e->request);

        CHECK(request != NULL || (e->format == IA_ENVELOPE_JSON && format == IA_ENVELOPE_XML));
        if (request != NULL) {
            check_written(p, e, format, request);
        }
    }
}

/* Checks that the text can be parsed after it was signed as a response. */
static void check_readable(apr_pool_t *p, ia_envelope_format format, const char *text, size_t len,
                           const char *signed_text)
{
    const ia_json *response, *again;
    size_t signed_len = strlen(signed_text);

    if (format == IA_ENVELOPE_JSON && ia_json_parse(&response, p, text, len, IA_ENVELOPE_NODES, NULL) == IA_OK &&
        ia_json_member(response, "signature") == NULL) {
        CHECK(ia_json_parse(&again, p, signed_text, signed_len, IA_ENVELOPE_NODES + 1, NULL) == IA_OK);
        CHECK(strcmp(ia_json_member_string(again, "signature"), "0aF9") == 0 && again->count == response->count + 1);
    }
    if (format == IA_ENVELOPE_XML &&
        ia_xml_parse(&response, p, text, len, IA_ENVELOPE_NODES, NULL, NULL, NULL) == IA_OK &&
        response->type == IA_JSON_OBJECT) {
        CHECK(ia_xml_parse(&again, p, signed_text, signed_len, IA_ENVELOPE_NODES + 1, NULL, NULL, NULL) == IA_OK);
        CHECK(again->count == response->count + 1);
    }
}

static void check_signing(apr_pool_t *p, ia_envelope_format format, const char *text, size_t len)
{
    size_t held = len < IA_ENVELOPE_TAIL ? len : IA_ENVELOPE_TAIL;
    ia_envelope_signed taken;
    apr_size_t kept;
    const char *end, *signed_text;

    if (memchr(text, '\0', len) != NULL) {
        return;
    }
    end = ia_envelope_signed_end(p, format, text + len - held, held, "0aF9", &kept);
    CHECK(kept <= held);
    if (end == NULL) {
        CHECK(kept == 0);
        return;
    }
    signed_text = apr_pstrcat(p, apr_pstrmemdup(p, text, len - held + kept), end, NULL);
    CHECK(ia_envelope_unsign(&taken, p, format, signed_text, strlen(signed_text)) == IA_OK);
    CHECK(strcmp(taken.signature, "0aF9") == 0 && taken.head_len + taken.tail_len == len);
    CHECK(strncmp(signed_text, text, taken.head_len) == 0 &&
          strncmp(taken.tail, text + taken.head_len, taken.tail_len) == 0);
    check_readable(p, format, text, len, signed_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    const char *text = (const char *)data;
    ia_envelope_signed taken;
    ia_envelope_format named;
    int format;

    for (format = IA_ENVELOPE_JSON; format <= IA_ENVELOPE_XML; format++) {
        ia_json_error error = {0, NULL};
        ia_envelope e;
        ia_result rc = ia_envelope_parse(&e, p, format, text, size, &error);

        if (rc == IA_OK) {
            check_call(p, &e, data, size);
        } else {
            CHECK(rc > 0 && e.method == NULL && e.request == NULL && error.reason != NULL && error.offset <= size);
        }
        check_signing(p, format, text, size);
        if (ia_envelope_unsign(&taken, p, format, text, size) == IA_OK) {
            CHECK(taken.head_len + taken.tail_len < size && taken.tail + taken.tail_len == text + size);
        }
    }
    if (ia_envelope_format_of(&named, apr_pstrmemdup(p, text, size)) == IA_OK) {
        CHECK(named == IA_ENVELOPE_JSON || named == IA_ENVELOPE_XML);
    }
    apr_pool_destroy(p);
    return 0;
}
