/**
 * Messages on standard error, and exit statuses.
 *
 * Every message is one line, "interauth VERB: text". Anything but printable ASCII is replaced by '?', because parts of
 * the text may come from a server and must not control the terminal.
 */
#ifndef CLIENT_SAY_H
#define CLIENT_SAY_H

#include <apr_pools.h>

/** Exit statuses. */
enum { CL_OK = 0, CL_REFUSED = 1, CL_USAGE = 2, CL_FAULT = 3 };

#define SAY_FORMAT __attribute__((format(printf, 1, 2)))

/** Sets the verb that following messages name; static text. */
void say_begin(const char *verb);

void say_note(const char *format, ...) SAY_FORMAT;
void say_warning(const char *format, ...) SAY_FORMAT;

/** One line of an exchange, after `mark` and a space; sanitized like a message, but of any length. */
void say_trace(char mark, const char *text);

/**
 * For --json: prints an error that ends the verb on standard output too, as {"error":{"code","message"}}, unless the
 * verb has printed an object of its own.
 */
void say_json(void);

/** Sets the error that say_end prints. Only the first call has an effect. Both texts are copied. */
void say_error(const char *code, const char *message);

/** These return the exit status that belongs to them. */
int say_refused(const char *format, ...) SAY_FORMAT;
int say_usage(const char *format, ...) SAY_FORMAT;
int say_fault(const char *format, ...) SAY_FORMAT;

/** Whether the terminal shows an unfinished line, which the next message must end first. */
void say_line_is_open(int open);

/** Ends the verb: prints the error of --json and flushes standard output. @return `rc`, or CL_FAULT if the output could not be written */
int say_end(apr_pool_t *p, int rc);

/** Writes the member "error" of an object. */
struct ia_json_writer;
void error_write(struct ia_json_writer *w, const char *code, const char *message);

/** Prints a line on standard output. NULL, a text that could not be generated, is a fault. */
int say_out(const char *text);

#endif
