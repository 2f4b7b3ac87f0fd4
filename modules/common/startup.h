/** The phases of a start. */
#ifndef INTERAUTH_COMMON_STARTUP_H
#define INTERAUTH_COMMON_STARTUP_H

/** The first of the two passes of a start, which must have no lasting effects. */
int startup_is_dry_run(void);

/**
 * The level of a message about the configuration: in the dry run plain text on the terminal, else a line in the log.
 */
int startup_log_level(int level);

/** Whether this is a graceful or hard restart: the server is running, and an error must not end it. */
int startup_is_reload(void);

#endif
