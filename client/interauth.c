/** The interauth command: finds the verb and runs it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "say.h"
#include "verbs.h"

static const cl_verb *const verbs[] = {
    &verb_keygen, &verb_secret, &verb_grant,  &verb_call,    &verb_invoke,      &verb_refresh, &verb_grants,
    &verb_forget, &verb_sign,   &verb_verify, &verb_explain, &verb_participant, &verb_check,
};

#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static void show_verbs(FILE *out)
{
    fputs("usage: interauth COMMAND [options]\n\n", out);
    for (unsigned i = 0; i < VERB_COUNT; i++)
        fprintf(out, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
    fprintf(out, "  %-12s %s\n  %-12s %s\n", "help", "Print the options of a command.", "version",
            "Print the version.");
    fputs("\n`interauth COMMAND -h` prints the options of a command.\n", out);
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
    const char *names[VERB_COUNT + 2], *nearest;

    if (name[0] == '-')
        return say_usage("unknown option %.*s before the command; see interauth --help", (int)strcspn(name, "="), name);
    for (unsigned i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i]->name;
    names[VERB_COUNT] = "help";
    names[VERB_COUNT + 1] = "version";
    nearest = options_suggest(name, names, VERB_COUNT + 2);
    if (nearest)
        return say_usage("unknown command %s; did you mean %s?", name, nearest);
    return say_usage("unknown command %s; see interauth --help", name);
}

static int is_one_of(const char *word, const char *letter, const char *option, const char *verb)
{
    return strcmp(word, letter) == 0 || strcmp(word, option) == 0 || strcmp(word, verb) == 0;
}

static int help(const char *name)
{
    const cl_verb *verb;

    if (!name) {
        show_verbs(stdout);
        return CL_OK;
    }
    if (!(verb = verb_find(name)))
        return verb_unknown(name);
    options_help(stdout, verb);
    return CL_OK;
}

static int run(apr_pool_t *p, int argc, const char *const *argv)
{
    const cl_verb *verb;

    if (argc < 2) {
        show_verbs(stderr);
        return CL_USAGE;
    }
    if (is_one_of(argv[1], "-V", "--version", "version"))
        return say_out("interauth " PACKAGE_VERSION);
    if (is_one_of(argv[1], "-h", "--help", "help"))
        return help(argc < 3 ? NULL : argv[2]);
    if (!(verb = verb_find(argv[1])))
        return verb_unknown(argv[1]);
    say_begin(verb->name);
    return options_run(verb, p, argc - 2, argv + 2);
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *p;
    int rc;

    if (apr_app_initialize(&argc, &argv, NULL) != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS)
        return say_fault("APR could not be initialized");
    atexit(apr_terminate);
    rc = say_end(p, run(p, argc, argv));
    apr_pool_destroy(p);
    return rc;
}
