/* Forms: a valid form is the same after it was written with ia_form_escape and parsed again. */
#include "fuzz.h"
#include "interauth/form.h"

#define FIELDS_MAX 8

static void check_again(apr_pool_t *p, const ia_form *form)
{
    const char *text = "";
    ia_form again;

    for (unsigned i = 0; i < form->count; i++) {
        const ia_form_field *field = &form->fields[i];

        CHECK(field->name[0] != '\0' && strlen(field->value) == field->value_len);
        CHECK(ia_form_field_get(form, field->name) == field);
        text = apr_pstrcat(p, text, i ? "&" : "", ia_form_escape(p, field->name, strlen(field->name)), "=",
                           ia_form_escape(p, field->value, field->value_len), NULL);
    }
    CHECK(ia_form_parse(&again, p, text, strlen(text), FIELDS_MAX) == IA_OK);
    CHECK(again.count == form->count);
    for (unsigned i = 0; i < form->count; i++) {
        CHECK(strcmp(again.fields[i].name, form->fields[i].name) == 0);
        CHECK(strcmp(again.fields[i].value, form->fields[i].value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    ia_form form;
    ia_result rc = ia_form_parse(&form, p, (const char *)data, size, FIELDS_MAX);

    if (rc == IA_OK) {
        CHECK(form.count <= FIELDS_MAX);
        check_again(p, &form);
    } else {
        CHECK(rc == IA_FORM_MALFORMED || rc == IA_FIELD_REPEATED || rc == IA_TOO_LONG);
        CHECK(form.count == 0);
    }
    apr_pool_destroy(p);
    return 0;
}
