/* Translates results of the store into outcomes. */
#include "registry_outcome.h"

ia_result registry_outcome(st_result result, ia_result missing)
{
    switch (result) {
    case ST_OK:
        return IA_OK;
    case ST_NOT_FOUND:
    case ST_GONE:
        return missing;
    default:
        return IA_FAULT_STORE;
    }
}

ia_result registry_load_outcome(st_result result, ia_result full)
{
    switch (result) {
    case ST_OK:
        return IA_OK;
    case ST_FULL:
        return full;
    case ST_NAMES_FULL:
        return IA_NAMES_FULL;
    default:
        return IA_FAULT_STORE;
    }
}
