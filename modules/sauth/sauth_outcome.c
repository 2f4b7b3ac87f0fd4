/* Converts results of the store into outcomes. */
#include "sauth_outcome.h"

ia_result sauth_grant_outcome(st_result result)
{
    switch (result) {
    case ST_OK:
        return IA_OK;
    case ST_NOT_FOUND:
        return IA_TOKEN_UNKNOWN;
    case ST_GONE:
        return IA_GRANT_ENDED;
    case ST_EXISTS:
        return IA_NONCE_REPLAYED;
    case ST_FULL:
        return IA_GRANTS_FULL;
    case ST_QUOTA:
        return IA_GRANT_QUOTA;
    case ST_STALE:
        return IA_NONCE_STALE;
    case ST_FUTURE:
        return IA_NONCE_FUTURE;
    case ST_UNISSUED:
        return IA_NONCE_UNISSUED;
    case ST_NAMES_FULL:
    case ST_FAULT:
        break;
    }
    return IA_FAULT_STORE;
}
