/**
 * Command-line options, as data: each verb has one table, from which arguments are parsed and --help is made.
 * Arguments are read by getopt_long: short options may be clustered, a long option may be abbreviated as long
 * as it is unambiguous, and its value may follow an equals sign.
 *
 * A verb's options land in a struct of its own, zeroed before: a flag as int, a text as const char *, a
 * number as apr_int64_t, a list as apr_array_header_t * of const char *, a choice as the int index of the
 * word chosen.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include <apr_pools.h>
#include <apr_tables.h>

typedef enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_LIST, OPTION_CHOICE } option_kind;

typedef struct option_row {
    option_kind kind;
    char letter; /**< 0 for none */
    const char *name;
    const char *value; /**< what stands for the value in --help; for a CHOICE the words, "a|b|c" */
    const char *help;
    apr_size_t offset; /**< of the field in the verb's struct */
    int required;
    apr_int64_t min, max; /**< of a NUMBER */
} option_row;

/* Rows of a table; AT(field) is defined beside each table as the offset in the verb's struct. */
#define OPTION(kind, letter, name, value, field, help)                                                                 \
    {                                                                                                                  \
        OPTION_##kind, letter, name, value, help, AT(field), 0, 0, 0                                                   \
    }
#define OPTION_NEEDED(kind, letter, name, value, field, help)                                                          \
    {                                                                                                                  \
        OPTION_##kind, letter, name, value, help, AT(field), 1, 0, 0                                                   \
    }
#define OPTION_RANGE(name, value, field, min, max, help)                                                               \
    {                                                                                                                  \
        OPTION_NUMBER, 0, name, value, help, AT(field), 0, min, max                                                    \
    }

/** An option that the verb does not have, and what to use instead. */
typedef struct option_move {
    const char *name, *instead;
} option_move;

typedef struct cl_verb {
    const char *name;
    const char *summary;
    const char *operands; /**< as in --help, "" for none */
    int operands_min, operands_max;
    const option_row *rows;
    unsigned row_count;
    apr_size_t size; /**< of the verb's struct */
    /** Does the work. @return an exit status */
    int (*run)(apr_pool_t *p, const void *options, const char *const *operands, int operand_count);
    const option_move *moves; /**< ends with a NULL name; may be NULL */
} cl_verb;

/** Runs a verb on the arguments after its name; -h and --help are answered here. @return an exit status */
int options_run(const cl_verb *verb, apr_pool_t *p, int argc, const char *const *argv);

/** Prints how a verb is used. */
void options_help(FILE *out, const cl_verb *verb);

/** The nearest of `words` to a mistyped one, or NULL where none is near. */
const char *options_suggest(const char *word, const char *const *words, unsigned count);

#endif
