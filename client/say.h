/**
 * What the command says to people, on standard error, and how it ends.
 *
 * Every message is one line, "interauth VERB: text", in which anything but printable ASCII shows as '?':
 * parts of a text may come from a server, and must not steer the terminal.
 */
#ifndef CLIENT_SAY_H
#define CLIENT_SAY_H

#include <apr_pools.h>

/** Exit statuses. */
enum { CL_OK = 0, CL_REFUSED = 1, CL_USAGE = 2, CL_FAULT = 3 };

#define SAY_FORMAT __attribute__((format(printf, 1, 2)))

/** Names the verb that speaks from here on; static text. */
void say_begin(const char *verb);

void say_note(const char *format, ...) SAY_FORMAT;
void say_warning(const char *format, ...) SAY_FORMAT;

/** One line of an exchange, after `mark` and a space; sanitized like a message, but of any length. */
void say_trace(char mark, const char *text);

/**
 * With --json: an error that ends the verb goes to standard output too, as {"error":{"code","message"}}, unless the
 * verb has printed an object of its own.
 */
void say_json(void);

/** The error that say_end prints: the code of a server's refusal. The first error counts. Both are copied. */
void say_error(const char *code, const char *message);

/** These return the exit status that belongs to them. */
int say_refused(const char *format, ...) SAY_FORMAT;
int say_usage(const char *format, ...) SAY_FORMAT;
int say_fault(const char *format, ...) SAY_FORMAT;

/** Text without a line's end stands on the terminal: the next message begins a line of its own. */
void say_line_is_open(int open);

/** Ends the verb: prints the error of --json and flushes standard output. @return `rc`, or CL_FAULT where the output could not be written */
int say_end(apr_pool_t *p, int rc);

/** Writes the member "error" of an object. */
struct ia_json_writer;
void error_write(struct ia_json_writer *w, const char *code, const char *message);

/** Prints a line on standard output. NULL is a fault (a text that could not be made). */
int say_out(const char *text);

#endif
