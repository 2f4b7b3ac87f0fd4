/**
 * Where a process may be killed in the middle of a mutation. Nothing in an ordinary build; the crash test compiles
 * the store with ST_CRASH_TEST and kills a child at each point in turn.
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
