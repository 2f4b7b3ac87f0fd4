#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *speaker;
static int line_is_open;

void say_begin(const char *verb)
{
    speaker = verb;
}

void say_line_is_open(int open)
{
    line_is_open = open;
}

static void say_line(const char *kind, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void say_line(const char *kind, const char *format, va_list args)
{
    char text[2048];

    vsnprintf(text, sizeof text, format, args);
    for (char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    fprintf(stderr, "%sinterauth%s%s: %s%s\n", line_is_open ? "\n" : "", speaker ? " " : "",
            speaker ? speaker : "", kind, text);
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

#define SAY_BODY(kind)                                                                                       \
    va_list args;                                                                                            \
    va_start(args, format);                                                                                  \
    say_line(kind, format, args);                                                                            \
    va_end(args)

void say_note(const char *format, ...)
{
    SAY_BODY("");
}

void say_warning(const char *format, ...)
{
    SAY_BODY("warning: ");
}

int say_refused(const char *format, ...)
{
    SAY_BODY("");
    return CL_REFUSED;
}

int say_usage(const char *format, ...)
{
    SAY_BODY("");
    return CL_USAGE;
}

int say_fault(const char *format, ...)
{
    SAY_BODY("");
    return CL_FAULT;
}

int say_end(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return say_fault("cannot write to standard output: %s", strerror(errno));
    return status;
}

int say_out(const char *text)
{
    if (!text)
        return say_fault("the output could not be made");
    puts(text);
    return CL_OK;
}
