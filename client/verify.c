/** `interauth verify`: verifies the signature of a saved request. */
#include <stdio.h>

#include "advice.h"
#include "say.h"
#include "signature_text.h"
#include "verbs.h"
#include "verification.h"

typedef struct verify_options {
    verification_options options;
    int json;
} verify_options;

#define AT(field) offsetof(verify_options, field)

static const option_row rows[] = {
    VERIFICATION_ROWS,
    OPTION(FLAG, 0, "json", NULL, json, "print JSON"),
};

static int print_json(const verification *v)
{
    ia_json_writer *w = ia_json_writer_create(v->p);

    ia_json_write_object(w);
    verification_write(w, v);
    if (v->signature)
        signature_write(w, v->p, v->signature);
    ia_json_write_end(w);
    return say_out(ia_json_writer_text(w, NULL));
}

static void print_text(const verification *v)
{
    if (v->owner)
        printf("participant: %s\n", v->owner->id);
    printf("algorithm: %s\n", ia_algorithm_name(v->signature->algorithm));
    signature_print(v->p, v->signature);
}

static int run(apr_pool_t *p, const void *options, const char *const *operands, int operand_count)
{
    const verify_options *o = options;
    verification v;
    int rc = verification_run(&v, p, &o->options, operands[0]);

    (void)operand_count;
    if (rc == CL_OK) {
        rc = verification_report(&v);
        if (o->json && print_json(&v) != CL_OK)
            rc = CL_FAULT;
        else if (!o->json && rc == CL_OK)
            print_text(&v);
    }
    verification_close(&v);
    return rc;
}

const cl_verb verb_verify = {
    "verify", "Verify the signature of a saved request.", "REQUEST", 1, 1, ROWS(rows), sizeof(verify_options), run,
    NULL};
