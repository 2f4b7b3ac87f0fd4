/** Where in its life the server is. */
#ifndef INTERAUTH_COMMON_STARTUP_H
#define INTERAUTH_COMMON_STARTUP_H

/** The first of the two passes of a start, which must leave nothing behind. */
int startup_is_dry_run(void);

/** The level of a message about the configuration: bare words on the terminal in the dry run, else a line of the log. */
int startup_log_level(int level);

/** A graceful or hard restart: the server is serving, and an error must not end it. */
int startup_is_reload(void);

#endif
