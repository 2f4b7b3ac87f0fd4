#include <string.h>
#include "name_table.h"

#define HEAD 64

apr_size_t st_names_size(apr_uint32_t capacity)
{
    return HEAD + (apr_size_t)capacity * (IA_NAME_MAX + 1);
}

void st_names_attach(st_names *names, void *memory, apr_uint32_t capacity)
{
    names->count = memory;
    names->names = (char (*)[IA_NAME_MAX + 1])((char *)memory + HEAD);
    names->capacity = capacity;
}

static apr_uint32_t count_of(const st_names *names)
{
    apr_uint32_t count = __atomic_load_n(names->count, __ATOMIC_ACQUIRE);

    return count <= names->capacity ? count : names->capacity;
}

int st_names_find(const st_names *names, const char *name)
{
    apr_uint32_t i, count = count_of(names);

    for (i = 0; i < count; i++)
        if (!strncmp(names->names[i], name, IA_NAME_MAX + 1))
            return (int)i;
    return -1;
}

int st_names_intern(st_names *names, const char *name)
{
    int number = st_names_find(names, name);
    apr_uint32_t count = count_of(names);
    apr_size_t len = strlen(name);

    if (number >= 0)
        return number;
    if (count == names->capacity || len > IA_NAME_MAX)
        return -1;
    memcpy(names->names[count], name, len + 1);
    __atomic_store_n(names->count, count + 1, __ATOMIC_RELEASE);
    return (int)count;
}

const char *st_names_get(const st_names *names, int number)
{
    return number >= 0 && (apr_uint32_t)number < count_of(names) ? names->names[number] : NULL;
}
