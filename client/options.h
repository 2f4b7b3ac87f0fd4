/**
 * Command-line options as data: each verb has one table, from which its arguments are parsed and its --help is printed.
 * Arguments are read by getopt_long: short options may be clustered, a long option may be abbreviated as long
 * as it is unambiguous, and its value may follow an equals sign.
 *
 * The values are stored in a struct of the verb, which is zeroed first: a flag as int, a text as const char *, a
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
    const char *value; /**< the value as shown in --help; for a CHOICE the words, "a|b|c" */
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

/** An option that the verb does not have, and the alternative. */
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

/** Runs a verb with the arguments after its name, or prints its help. @return an exit status */
int options_run(const cl_verb *verb, apr_pool_t *p, int argc, const char *const *argv);

/** Prints the help of a verb. */
void options_help(FILE *out, const cl_verb *verb);

/** The word that is most similar to a mistyped one, or NULL if none is similar. */
const char *options_suggest(const char *word, const char *const *words, unsigned count);

#endif
