/** The findings of `interauth check`. */
#ifndef CLIENT_CHECK_H
#define CLIENT_CHECK_H

#include <apr_pools.h>
#include <apr_tables.h>

typedef enum finding_weight { FINDING_WARNING, FINDING_ERROR, FINDING_FAULT } finding_weight;

typedef struct finding {
    finding_weight weight;
    const char *code;  /**< stable, static */
    const char *where; /**< file or URL */
    const char *text;
} finding;

typedef struct findings {
    apr_pool_t *p;
    apr_array_header_t *list; /**< of finding */
} findings;

void finding_add(findings *all, finding_weight weight, const char *code, const char *where, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** Adds a weak_secret, "`whose` is ..", with that weight; a secret made of words is always a warning. */
void check_weaknesses(findings *all, finding_weight weight, const char *path, const char *whose, unsigned weaknesses);

#endif
