/* Messages on standard error, and the exit status that goes with each. */
#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "interauth/json.h"

static const char *verb_name;
static int line_is_open;
static int is_json, has_output;
static char error_code[64], error_message[1024];

void say_begin(const char *verb)
{
    verb_name = verb;
}

void say_json(void)
{
    is_json = 1;
}

static void text_sanitize(char *text)
{
    for (char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
}

void say_error(const char *code, const char *message)
{
    if (*error_code)
        return;
    apr_cpystrn(error_code, code, sizeof error_code);
    apr_cpystrn(error_message, message, sizeof error_message);
    text_sanitize(error_code);
    text_sanitize(error_message);
}

void say_line_is_open(int open)
{
    line_is_open = open;
}

static void say_line(const char *kind, const char *code, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* `code` is that of an error, else NULL. */
static void say_line(const char *kind, const char *code, const char *format, va_list args)
{
    char text[2048];

    vsnprintf(text, sizeof text, format, args);
    text_sanitize(text);
    if (code)
        say_error(code, text);
    fprintf(stderr, "%sinterauth%s%s: %s%s\n", line_is_open ? "\n" : "", verb_name ? " " : "",
            verb_name ? verb_name : "", kind, text);
    line_is_open = 0;
}

void say_trace(char mark, const char *text)
{
    fprintf(stderr, "%s%c ", line_is_open ? "\n" : "", mark);
    for (const char *c = text; *c; c++)
        putc(*c < 0x20 || *c > 0x7e ? '?' : *c, stderr);
    putc('\n', stderr);
    line_is_open = 0;
}

#define SAY_BODY(kind, code)                                                                                           \
    va_list args;                                                                                                      \
    va_start(args, format);                                                                                            \
    say_line(kind, code, format, args);                                                                                \
    va_end(args)

void say_note(const char *format, ...)
{
    SAY_BODY("", NULL);
}

void say_warning(const char *format, ...)
{
    SAY_BODY("warning: ", NULL);
}

int say_refused(const char *format, ...)
{
    SAY_BODY("", "refused");
    return CL_REFUSED;
}

int say_usage(const char *format, ...)
{
    SAY_BODY("", "usage");
    return CL_USAGE;
}

int say_fault(const char *format, ...)
{
    SAY_BODY("", "fault");
    return CL_FAULT;
}

/* If no error was set, the explanation is on standard error. */
static void error_print(apr_pool_t *p, int rc)
{
    static const char *const codes[] = {"done", "refused", "usage", "fault"};
    ia_json_writer *w = ia_json_writer_create(p);

    say_error(codes[rc], "see standard error");
    ia_json_write_object(w);
    error_write(w, error_code, error_message);
    ia_json_write_end(w);
    say_out(ia_json_writer_text(w, NULL));
}

void error_write(ia_json_writer *w, const char *code, const char *message)
{
    ia_json_write_name(w, "error");
    ia_json_write_object(w);
    ia_json_write_member(w, "code", code);
    ia_json_write_member(w, "message", message);
    ia_json_write_end(w);
}

int say_end(apr_pool_t *p, int rc)
{
    if (is_json && rc != CL_OK && !has_output)
        error_print(p, rc);
    if (fflush(stdout) != 0 || ferror(stdout))
        return say_fault("cannot write to standard output: %s", strerror(errno));
    return rc;
}

int say_out(const char *text)
{
    if (!text)
        return say_fault("the output could not be generated");
    has_output = 1;
    puts(text);
    return CL_OK;
}
