/* Parses and formats points in time. */
#include <string.h>
#include "interauth/timestamp.h"

#define SECONDS_MAX APR_INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static apr_int64_t days_from_date(int year, int month, int day)
{
    int y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return (apr_int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* The inverse. Years begin in March here, so that a leap day is a year's last. */
static void date_from_days(apr_int64_t days, int *year, int *month, int *day)
{
    int era = (int)((days + 719468) / 146097), of_era = (int)((days + 719468) % 146097);
    int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int shifted = (5 * of_year + 2) / 153;

    *day = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) ? 29 : days[month - 1];
}

static void put(char *out, int value, int digits)
{
    while (digits-- > 0) {
        out[digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

void ia_timestamp_format(char out[IA_RFC3339_SIZE], apr_time_t time)
{
    apr_int64_t seconds = time < 0 ? 0 : apr_time_sec(time);
    int year, month, day, of_day;

    if (seconds > SECONDS_MAX)
        seconds = SECONDS_MAX;
    date_from_days(seconds / 86400, &year, &month, &day);
    of_day = (int)(seconds % 86400);
    memcpy(out, "0000-00-00T00:00:00Z", IA_RFC3339_SIZE);
    put(out, year, 4);
    put(out + 5, month, 2);
    put(out + 8, day, 2);
    put(out + 11, of_day / 3600, 2);
    put(out + 14, of_day / 60 % 60, 2);
    put(out + 17, of_day % 60, 2);
}

/* Exactly `digits` decimal digits at *at, which moves past them; -1 if there are fewer. */
static int take(const char **at, const char *end, int digits)
{
    int value = 0;

    if (end - *at < digits)
        return -1;
    for (; digits > 0; digits--, (*at)++) {
        if (**at < '0' || **at > '9')
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static int take_char(const char **at, const char *end, char a, char b)
{
    if (*at == end || (**at != a && **at != b))
        return 0;
    (*at)++;
    return 1;
}

static int take_date(const char **at, const char *end, apr_int64_t *seconds)
{
    int year, month, day, hour, minute, second;

    if ((year = take(at, end, 4)) < 1970 || !take_char(at, end, '-', '-') || (month = take(at, end, 2)) < 1 ||
        month > 12 || !take_char(at, end, '-', '-') || (day = take(at, end, 2)) < 1 ||
        day > days_in_month(year, month) || !take_char(at, end, 'T', 't') || (hour = take(at, end, 2)) < 0 ||
        hour > 23 || !take_char(at, end, ':', ':') || (minute = take(at, end, 2)) < 0 || minute > 59 ||
        !take_char(at, end, ':', ':') || (second = take(at, end, 2)) < 0 || second > 59)
        return 0;
    *seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return 1;
}

static int take_fraction(const char **at, const char *end, apr_int64_t *micros)
{
    int digits = 0;

    *micros = 0;
    if (!take_char(at, end, '.', '.'))
        return 1;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++, digits++)
        if (digits < 6)
            *micros = *micros * 10 + (**at - '0');
    if (digits < 1 || digits > 9)
        return 0;
    for (; digits < 6; digits++)
        *micros *= 10;
    return 1;
}

static int take_offset(const char **at, const char *end, apr_int64_t *seconds)
{
    int hours, minutes, negative;

    *seconds = 0;
    if (take_char(at, end, 'Z', 'z'))
        return 1;
    negative = *at < end && **at == '-';
    if (!take_char(at, end, '+', '-') || (hours = take(at, end, 2)) < 0 || hours > 23 ||
        !take_char(at, end, ':', ':') || (minutes = take(at, end, 2)) < 0 || minutes > 59)
        return 0;
    *seconds = (negative ? -1 : 1) * (hours * 3600 + minutes * 60);
    return 1;
}

ia_result ia_timestamp_parse(apr_time_t *time, const char *text, apr_size_t len)
{
    const char *at = text, *end = text + len;
    apr_int64_t seconds, micros, offset;

    *time = 0;
    if (!take_date(&at, end, &seconds) || !take_fraction(&at, end, &micros) || !take_offset(&at, end, &offset) ||
        at != end || seconds - offset < 0)
        return IA_TIMESTAMP_MALFORMED;
    *time = apr_time_from_sec(seconds - offset) + micros;
    return IA_OK;
}

ia_result ia_timestamp_parse_unix(apr_time_t *time, const char *text, apr_size_t len)
{
    apr_int64_t seconds = 0;
    apr_size_t i;

    *time = 0;
    if (len < 1 || len > 11 || (text[0] == '0' && len > 1))
        return IA_TIMESTAMP_MALFORMED;
    for (i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return IA_TIMESTAMP_MALFORMED;
        seconds = seconds * 10 + (text[i] - '0');
    }
    *time = apr_time_from_sec(seconds);
    return IA_OK;
}
