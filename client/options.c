/* Parses options with getopt_long: makes its tables from those of the verb, and reports its errors. */
#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "say.h"

#define WORD_MAX 32 /* longer words are not compared */

/* What getopt_long returns: the letter of a short option, or one of these. */
enum { GOT_OPERAND = 1, GOT_ROW = 256 };

typedef struct parse {
    const cl_verb *verb;
    apr_pool_t *p;
    char *fields;         /* the verb's struct */
    unsigned char *given; /* one per row */
    struct option *longs; /* one per row, then help */
    char *shorts;
    apr_array_header_t *operands;
} parse;

static unsigned smaller(unsigned a, unsigned b)
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

            row[j] = smaller(smaller(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
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

    for (const option_move *move = c->verb->moves; move && move->name; move++)
        if (strcmp(move->name, name) == 0)
            return say_usage("unknown option --%s: %s", name, move->instead);
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
        return say_usage("--%s takes a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT, row->name, row->min,
                         row->max);
    number = apr_atoi64(value);
    if (number < row->min || number > row->max)
        return say_usage("--%s takes a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT, row->name, row->min,
                         row->max);
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
            return say_usage("--%s requires a value that is not empty", row->name);
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

/* Makes the tables of getopt_long. "-" keeps operands in place, whatever POSIXLY_CORRECT says; ":" leaves errors to us. */
static void tables_make(parse *c)
{
    const cl_verb *verb = c->verb;
    char *put = c->shorts = apr_palloc(c->p, 2 * verb->row_count + 4);

    c->longs = apr_pcalloc(c->p, (verb->row_count + 2) * sizeof *c->longs);
    *put++ = '-';
    *put++ = ':';
    for (unsigned i = 0; i < verb->row_count; i++) {
        const option_row *row = &verb->rows[i];
        int has_value = row->kind != OPTION_FLAG;

        c->longs[i] = (struct option){row->name, has_value ? required_argument : no_argument, NULL, GOT_ROW + (int)i};
        if (row->letter)
            *put++ = row->letter;
        if (row->letter && has_value)
            *put++ = ':';
    }
    c->longs[verb->row_count] = (struct option){"help", no_argument, NULL, 'h'};
    *put++ = 'h';
    *put = '\0';
}

static const option_row *row_of(const parse *c, int got)
{
    if (got >= GOT_ROW)
        return &c->verb->rows[got - GOT_ROW];
    for (unsigned i = 0; got && i < c->verb->row_count; i++)
        if (c->verb->rows[i].letter == got)
            return &c->verb->rows[i];
    return NULL;
}

/* Reports a long option that getopt_long did not accept: it abbreviates several names, or none. */
static int long_refused(const parse *c, const char *argument)
{
    const char *name = apr_pstrmemdup(c->p, argument + 2, strcspn(argument + 2, "="));
    const char *meant = NULL;
    unsigned count = 0;

    for (unsigned i = 0; i <= c->verb->row_count; i++) {
        if (strncmp(c->longs[i].name, name, strlen(name)) != 0)
            continue;
        meant = apr_pstrcat(c->p, meant ? meant : "", meant ? ", --" : "--", c->longs[i].name, NULL);
        count++;
    }
    if (count > 1)
        return say_usage("--%s is ambiguous: %s", name, meant);
    return option_unknown(c, name);
}

static int option_refused(const parse *c, int got, const char *argument)
{
    const option_row *row = row_of(c, optopt);

    if (row && got == ':')
        return say_usage("--%s requires a value (%s)", row->name, row->value);
    if (row || optopt == 'h')
        return say_usage("--%s takes no value", row ? row->name : "help");
    if (strncmp(argument, "--", 2) == 0)
        return long_refused(c, argument);
    return say_usage("unknown option -%c; see interauth %s --help", optopt, c->verb->name);
}

/* Stops at -h or --help and sets `wants_help`. */
static int arguments_parse(parse *c, int argc, char **argv, int *wants_help)
{
    int got, rc = CL_OK;

    *wants_help = 0;
    opterr = 0;
    while (rc == CL_OK && (got = getopt_long(argc, argv, c->shorts, c->longs, NULL)) != -1) {
        if (got == 'h' && !row_of(c, 'h')) {
            *wants_help = 1;
            return CL_OK;
        }
        if (got == GOT_OPERAND)
            APR_ARRAY_PUSH(c->operands, const char *) = optarg;
        else if (got == '?' || got == ':')
            rc = option_refused(c, got, argv[optind - 1]);
        else
            rc = option_store(c, row_of(c, got), optarg);
    }
    while (optind < argc)
        APR_ARRAY_PUSH(c->operands, const char *) = argv[optind++];
    return rc;
}

/* "a | b | c" as "a, b or c". */
static const char *choices_format(apr_pool_t *p, const char *operands)
{
    const char *text = "", *bar;

    while ((bar = strstr(operands, " | "))) {
        text = apr_pstrcat(p, text, apr_pstrmemdup(p, operands, (apr_size_t)(bar - operands)),
                           strstr(bar + 3, " | ") ? ", " : " or ", NULL);
        operands = bar + 3;
    }
    return apr_pstrcat(p, text, operands, NULL);
}

static int arguments_check(const parse *c)
{
    if (c->operands->nelts < c->verb->operands_min && strchr(c->verb->operands, '|'))
        return say_usage("%s is required; see interauth %s --help", choices_format(c->p, c->verb->operands),
                         c->verb->name);
    for (unsigned i = 0; i < c->verb->row_count; i++)
        if (c->verb->rows[i].required && !c->given[i])
            return say_usage("--%s %s is required; see interauth %s --help", c->verb->rows[i].name,
                             c->verb->rows[i].value, c->verb->name);
    if (c->operands->nelts < c->verb->operands_min)
        return say_usage("%s is required; see interauth %s --help", c->verb->operands, c->verb->name);
    if (c->operands->nelts > c->verb->operands_max)
        return say_usage("too many arguments (quote an argument that contains spaces); see interauth %s --help",
                         c->verb->name);
    return CL_OK;
}

/* getopt_long expects the verb's name first, and an array that it may modify. */
static char **arguments_copy(apr_pool_t *p, const cl_verb *verb, int argc, const char *const *argv)
{
    char **copy = apr_pcalloc(p, ((apr_size_t)argc + 2) * sizeof *copy);

    copy[0] = apr_pstrdup(p, verb->name);
    for (int i = 0; i < argc; i++)
        copy[i + 1] = apr_pstrdup(p, argv[i]);
    return copy;
}

/* Found before the arguments are parsed, so that an error in them is reported as JSON too. */
static int wants_json(const cl_verb *verb, int argc, const char *const *argv)
{
    int has_row = 0;

    for (unsigned i = 0; i < verb->row_count; i++)
        has_row |= strcmp(verb->rows[i].name, "json") == 0;
    for (int i = 0; has_row && i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return 1;
    return 0;
}

int options_run(const cl_verb *verb, apr_pool_t *p, int argc, const char *const *argv)
{
    parse c = {.verb = verb, .p = p};
    int rc, wants_help;

    c.fields = apr_pcalloc(p, verb->size);
    c.given = apr_pcalloc(p, verb->row_count + 1);
    c.operands = apr_array_make(p, 2, sizeof(const char *));
    tables_make(&c);
    if (wants_json(verb, argc, argv))
        say_json();
    rc = arguments_parse(&c, argc + 1, arguments_copy(p, verb, argc, argv), &wants_help);
    if (wants_help) {
        options_help(stdout, verb);
        return CL_OK;
    }
    if (rc != CL_OK || (rc = arguments_check(&c)) != CL_OK)
        return rc;
    return verb->run(p, c.fields, (const char *const *)c.operands->elts, c.operands->nelts);
}

static int option_label(char *out, apr_size_t size, const option_row *row)
{
    char letter[8] = "    ";

    if (row->letter)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    return snprintf(out, size, "%s--%s%s%s", letter, row->name, row->value ? " " : "", row->value ? row->value : "");
}

void options_help(FILE *out, const cl_verb *verb)
{
    char label[80];
    int width = 0;

    fprintf(out, "usage: interauth %s [options]%s%s\n%s\n\n", verb->name, *verb->operands ? " " : "", verb->operands,
            verb->summary);
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
    fprintf(out,
            "  %-*s  print this text\n\nexit status: 0 done, 1 refused, 2 usage, 3 fault\nmanual: interauth-%s(1)\n",
            width, "-h, --help", verb->name);
}
