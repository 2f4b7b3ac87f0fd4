/**
 * Points in mutations at which the crash test kills a child process. They are only active if the store is compiled with
 * ST_CRASH_TEST.
 */
#ifndef INTERAUTH_ST_CRASH_POINT_H
#define INTERAUTH_ST_CRASH_POINT_H

#ifdef ST_CRASH_TEST
void st_crash_point(const char *file, int line);
#define ST_CRASH_POINT() st_crash_point(__FILE__, __LINE__)
#else
#define ST_CRASH_POINT() ((void)0)
#endif

#endif
