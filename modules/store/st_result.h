/**
 * Results of the operations of stores. Each caller has one function that converts them into outcomes.
 */
#ifndef INTERAUTH_ST_RESULT_H
#define INTERAUTH_ST_RESULT_H

typedef enum st_result {
    ST_OK,
    ST_NOT_FOUND,  /**< does not exist, or does not exist any more */
    ST_GONE,       /**< was removed after it had been found */
    ST_EXISTS,     /**< exists: was used before */
    ST_FULL,       /**< the table is full */
    ST_NAMES_FULL, /**< no number is left for a new name */
    ST_QUOTA,      /**< the participant has reached its quota */
    ST_STALE,      /**< too old: it is unknown whether it was used */
    ST_FUTURE,     /**< later than the current time */
    ST_UNISSUED,   /**< was never issued */
    ST_FAULT       /**< the memory is damaged, or a lock could not be acquired in time */
} st_result;

#endif
