#include "options.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "say.h"

#define WORD_MAX 32 /* longer words are not compared */

typedef struct parse {
    const cl_verb *verb;
    apr_pool_t *p;
    char *fields;         /* the verb's struct */
    unsigned char *given; /* one per row */
    int argc;
    const char *const *argv;
    int at;
    apr_array_header_t *operands;
} parse;

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Levenshtein distance. */
static unsigned word_distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1];
    unsigned len_a = (unsigned)strlen(a), len_b = (unsigned)strlen(b);

    if (len_a > WORD_MAX || len_b > WORD_MAX)
        return WORD_MAX;
    for (unsigned j = 0; j <= len_b; j++)
        row[j] = j;
    for (unsigned i = 1; i <= len_a; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= len_b; j++) {
            unsigned above = row[j];

            row[j] = least(least(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[len_b];
}

const char *options_suggest(const char *word, const char *const *words, unsigned count)
{
    const char *best = NULL;
    unsigned best_distance = 4;

    for (unsigned i = 0; i < count; i++) {
        unsigned distance = word_distance(word, words[i]);
        int is_prefix = strlen(word) >= 3 && strncmp(word, words[i], strlen(word)) == 0;

        if (is_prefix)
            distance = 1;
        if (distance < best_distance && (is_prefix || distance < strlen(words[i]))) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}

static int option_unknown(const parse *c, const char *name)
{
    const char **names = apr_palloc(c->p, (c->verb->row_count + 1) * sizeof *names);
    const char *nearest;

    for (unsigned i = 0; i < c->verb->row_count; i++)
        names[i] = c->verb->rows[i].name;
    names[c->verb->row_count] = "help";
    nearest = options_suggest(name, names, c->verb->row_count + 1);
    if (nearest)
        return say_usage("unknown option --%s; did you mean --%s?", name, nearest);
    return say_usage("unknown option --%s; see interauth %s --help", name, c->verb->name);
}

static int number_parse(apr_int64_t *out, const option_row *row, const char *value)
{
    apr_int64_t number = 0;
    apr_size_t len = strlen(value);

    *out = 0;
    if (len == 0 || len > 18 || strspn(value, "0123456789") != len)
        return say_usage("--%s takes a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT, row->name,
                         row->min, row->max);
    number = apr_atoi64(value);
    if (number < row->min || number > row->max)
        return say_usage("--%s takes a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT, row->name,
                         row->min, row->max);
    *out = number;
    return CL_OK;
}

static int choice_parse(int *out, apr_pool_t *p, const option_row *row, const char *value)
{
    char *last, *word, *words = apr_pstrdup(p, row->value);
    int index = 0;

    for (word = apr_strtok(words, "|", &last); word; word = apr_strtok(NULL, "|", &last), index++) {
        if (strcmp(word, value) == 0) {
            *out = index;
            return CL_OK;
        }
    }
    return say_usage("--%s takes one of %s", row->name, row->value);
}

static int option_store(parse *c, const option_row *row, const char *value)
{
    void *field = c->fields + row->offset;
    apr_array_header_t **list = field;

    if (c->given[row - c->verb->rows] && row->kind != OPTION_LIST && row->kind != OPTION_FLAG)
        return say_usage("--%s may be given only once", row->name);
    c->given[row - c->verb->rows] = 1;
    switch (row->kind) {
    case OPTION_FLAG:
        *(int *)field = 1;
        return CL_OK;
    case OPTION_TEXT:
        if (!*value)
            return say_usage("--%s takes a value that is not empty", row->name);
        *(const char **)field = value;
        return CL_OK;
    case OPTION_LIST:
        if (!*list)
            *list = apr_array_make(c->p, 4, sizeof(const char *));
        APR_ARRAY_PUSH(*list, const char *) = value;
        return CL_OK;
    case OPTION_NUMBER:
        return number_parse(field, row, value);
    case OPTION_CHOICE:
        return choice_parse(field, c->p, row, value);
    }
    return CL_OK;
}

/* Takes the value of `row`: what is attached to the option, or the next argument. */
static int option_take(parse *c, const option_row *row, const char *attached)
{
    if (row->kind == OPTION_FLAG) {
        if (attached)
            return say_usage("--%s takes no value", row->name);
        return option_store(c, row, NULL);
    }
    if (!attached) {
        if (c->at >= c->argc)
            return say_usage("--%s needs a value (%s)", row->name, row->value);
        attached = c->argv[c->at++];
    }
    return option_store(c, row, attached);
}

static int long_option(parse *c, const char *argument)
{
    const char *equals = strchr(argument, '=');
    const char *name = equals ? apr_pstrmemdup(c->p, argument, (apr_size_t)(equals - argument)) : argument;

    for (unsigned i = 0; i < c->verb->row_count; i++)
        if (strcmp(c->verb->rows[i].name, name) == 0)
            return option_take(c, &c->verb->rows[i], equals ? equals + 1 : NULL);
    return option_unknown(c, name);
}

static int short_option(parse *c, const char *argument)
{
    for (unsigned i = 0; i < c->verb->row_count; i++)
        if (c->verb->rows[i].letter == argument[0])
            return option_take(c, &c->verb->rows[i], argument[1] ? argument + 1 : NULL);
    return say_usage("unknown option -%c; see interauth %s --help", argument[0], c->verb->name);
}

static int arguments_parse(parse *c)
{
    int only_operands = 0, rc = CL_OK;

    while (rc == CL_OK && c->at < c->argc) {
        const char *argument = c->argv[c->at++];

        if (only_operands || argument[0] != '-' || !argument[1])
            APR_ARRAY_PUSH(c->operands, const char *) = argument;
        else if (strcmp(argument, "--") == 0)
            only_operands = 1;
        else if (argument[1] == '-')
            rc = long_option(c, argument + 2);
        else
            rc = short_option(c, argument + 1);
    }
    return rc;
}

/* "a | b | c" as "a, b or c". */
static const char *choices_spell(apr_pool_t *p, const char *operands)
{
    const char *text = "", *bar;

    while ((bar = strstr(operands, " | ")) != NULL) {
        text = apr_pstrcat(p, text, apr_pstrmemdup(p, operands, (apr_size_t)(bar - operands)),
                           strstr(bar + 3, " | ") ? ", " : " or ", NULL);
        operands = bar + 3;
    }
    return apr_pstrcat(p, text, operands, NULL);
}

static int arguments_check(const parse *c)
{
    if (c->operands->nelts < c->verb->operands_min && strchr(c->verb->operands, '|'))
        return say_usage("%s is needed; see interauth %s --help", choices_spell(c->p, c->verb->operands),
                         c->verb->name);
    for (unsigned i = 0; i < c->verb->row_count; i++)
        if (c->verb->rows[i].required && !c->given[i])
            return say_usage("--%s %s is needed; see interauth %s --help", c->verb->rows[i].name,
                             c->verb->rows[i].value, c->verb->name);
    if (c->operands->nelts < c->verb->operands_min)
        return say_usage("%s is needed; see interauth %s --help", c->verb->operands, c->verb->name);
    if (c->operands->nelts > c->verb->operands_max)
        return say_usage("too many arguments; see interauth %s --help", c->verb->name);
    return CL_OK;
}

static int wants_help(int argc, const char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return 1;
    return 0;
}

int options_run(const cl_verb *verb, apr_pool_t *p, int argc, const char *const *argv)
{
    parse c = {.verb = verb, .p = p, .argc = argc, .argv = argv};
    int rc;

    if (wants_help(argc, argv)) {
        options_help(stdout, verb);
        return CL_OK;
    }
    c.fields = apr_pcalloc(p, verb->size);
    c.given = apr_pcalloc(p, verb->row_count + 1);
    c.operands = apr_array_make(p, 2, sizeof(const char *));
    if ((rc = arguments_parse(&c)) != CL_OK || (rc = arguments_check(&c)) != CL_OK)
        return rc;
    return verb->run(p, c.fields, (const char *const *)c.operands->elts, c.operands->nelts);
}

static int option_label(char *out, apr_size_t size, const option_row *row)
{
    char letter[8] = "    ";

    if (row->letter)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    return snprintf(out, size, "%s--%s%s%s", letter, row->name, row->value ? " " : "",
                    row->value ? row->value : "");
}

void options_help(FILE *out, const cl_verb *verb)
{
    char label[80];
    int width = 0;

    fprintf(out, "usage: interauth %s [options]%s%s\n%s\n\n", verb->name, *verb->operands ? " " : "",
            verb->operands, verb->summary);
    for (unsigned i = 0; i < verb->row_count; i++) {
        int len = option_label(label, sizeof label, &verb->rows[i]);

        if (len > width)
            width = len;
    }
    for (unsigned i = 0; i < verb->row_count; i++) {
        const option_row *row = &verb->rows[i];

        option_label(label, sizeof label, row);
        fprintf(out, "  %-*s  %s%s%s\n", width, label, row->help, row->required ? " (required)" : "",
                row->kind == OPTION_LIST ? " (repeatable)" : "");
    }
    fprintf(
        out,
        "  %-*s  this text\n\nexit status: 0 done, 1 refused, 2 usage, 3 fault\nmanual: interauth-%s(1)\n",
        width, "    --help", verb->name);
}
