/**
 * What an operation of the store came to, whatever it stores. Callers translate it into outcomes of their own, at one
 * place.
 */
#ifndef INTERAUTH_ST_RESULT_H
#define INTERAUTH_ST_RESULT_H

typedef enum st_result {
    ST_OK,
    ST_NOT_FOUND,  /**< there is none, or none any more */
    ST_GONE,       /**< it was there when it was found, and ended since */
    ST_EXISTS,     /**< there is one already: it was used before */
    ST_FULL,       /**< no room for any record */
    ST_NAMES_FULL, /**< no number is left for a new name */
    ST_QUOTA,      /**< no room for another record of this participant */
    ST_STALE,      /**< too old to say whether it was used */
    ST_FUTURE,     /**< later than now */
    ST_UNISSUED,   /**< never given out */
    ST_FAULT       /**< the memory is damaged, or a lock was not to be had in time */
} st_result;

#endif
