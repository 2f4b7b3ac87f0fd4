/** The interauth command: finds the verb and runs it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "say.h"
#include "verbs.h"

static const cl_verb *const verbs[] = {
    &verb_keygen, &verb_secret, &verb_grant,  &verb_call,    &verb_refresh,     &verb_grants,
    &verb_forget, &verb_sign,   &verb_verify, &verb_explain, &verb_participant, &verb_check,
};

#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static void show_verbs(FILE *out)
{
    fputs("usage: interauth VERB [options]\n\n", out);
    for (unsigned i = 0; i < VERB_COUNT; i++)
        fprintf(out, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
    fputs("\n`interauth VERB --help` tells the options of a verb; `interauth --version` the version.\n", out);
}

static const cl_verb *verb_find(const char *name)
{
    for (unsigned i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

static int verb_unknown(const char *name)
{
    const char *names[VERB_COUNT], *nearest;

    for (unsigned i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i]->name;
    nearest = options_suggest(name, names, VERB_COUNT);
    if (nearest)
        return say_usage("unknown verb %s; did you mean %s?", name, nearest);
    return say_usage("unknown verb %s; see interauth --help", name);
}

static int run(apr_pool_t *p, int argc, const char *const *argv)
{
    const cl_verb *verb;

    if (argc < 2) {
        show_verbs(stderr);
        return CL_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return say_out("interauth " PACKAGE_VERSION);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        if (argc < 3) {
            show_verbs(stdout);
            return CL_OK;
        }
        if (!(verb = verb_find(argv[2])))
            return verb_unknown(argv[2]);
        options_help(stdout, verb);
        return CL_OK;
    }
    if (!(verb = verb_find(argv[1])))
        return verb_unknown(argv[1]);
    say_begin(verb->name);
    return options_run(verb, p, argc - 2, argv + 2);
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *p;
    int status;

    if (apr_app_initialize(&argc, &argv, NULL) != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS)
        return say_fault("the runtime library could not be started");
    atexit(apr_terminate);
    status = say_end(run(p, argc, argv));
    apr_pool_destroy(p);
    return status;
}
