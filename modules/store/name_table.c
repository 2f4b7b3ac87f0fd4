/* Assigns permanent numbers to names, in shared memory. */
#include <string.h>
#include "name_table.h"
#include "shm_word.h"

#define HEAD 64

apr_size_t st_names_size(apr_uint32_t capacity)
{
    return HEAD + (apr_size_t)capacity * (IA_NAME_MAX + 1);
}

void st_names_attach(st_names *names, void *memory, apr_uint32_t capacity)
{
    names->count = memory;
    names->names = (char(*)[IA_NAME_MAX + 1])((char *)memory + HEAD);
    names->capacity = capacity;
}

apr_uint32_t st_names_count(const st_names *names)
{
    apr_uint32_t count = LOAD(*names->count);

    return count <= names->capacity ? count : names->capacity;
}

int st_names_find(const st_names *names, const char *name)
{
    apr_uint32_t i, count = st_names_count(names);

    for (i = 0; i < count; i++)
        if (!strncmp(names->names[i], name, IA_NAME_MAX + 1))
            return (int)i;
    return -1;
}

int st_names_intern(st_names *names, const char *name)
{
    int number = st_names_find(names, name);
    apr_uint32_t count = st_names_count(names);
    apr_size_t len = strlen(name);

    if (number >= 0)
        return number;
    if (count == names->capacity || len > IA_NAME_MAX)
        return -1;
    ST_CRASH_POINT();
    memcpy(names->names[count], name, len + 1);
    STORE(*names->count, count + 1);
    return (int)count;
}

const char *st_names_get(const st_names *names, int number)
{
    const char *name;

    if (number < 0 || (apr_uint32_t)number >= st_names_count(names))
        return NULL;
    name = names->names[number];
    return memchr(name, '\0', IA_NAME_MAX + 1) ? name : NULL;
}
