/* The nonces that were used: each is accepted once, and remembered as long as its signature could be accepted. */
#include <httpd.h>
#include <string.h>
#include "clock.h"
#include "mod_isign.h"

static const struct {
    const char *text;
    apr_size_t size; /* with the NUL */
} labels[] = {{"interauth signature nonce", sizeof "interauth signature nonce"},
              {"interauth signature base", sizeof "interauth signature base"}};

static apr_time_t longest_age(server_rec *s)
{
    apr_int64_t longest = 0;

    for (; s; s = s->next)
        if (isign_server_of(s)->longest_age > longest)
            longest = isign_server_of(s)->longest_age;
    return apr_time_from_sec(longest);
}

void isign_nonce_attach(apr_pool_t *pconf, void *base, apr_uint32_t capacity, apr_uint32_t participants, apr_time_t now)
{
    isign.replays = apr_pcalloc(pconf, sizeof *isign.replays);
    isign.replay_quota = capacity >= 8 ? capacity / 8 : 1;
    st_replays_attach(isign.replays, base, capacity, participants, isign_dummy_secret(), now);
}

void isign_nonce_configure(server_rec *s)
{
    isign.longest_age = longest_age(s);
    isign.widest_skew = isign_widest_skew();
}

/*
 * Nonces that were forgotten under a shorter age or skew are unknown under a longer one. Signatures that may have been used
 * are refused then, as after a start.
 */
void isign_nonce_remember(apr_time_t now)
{
    apr_time_t old = st_replays_tolerance(isign.replays), window = isign.longest_age + isign.widest_skew;
    apr_time_t wall = now - old - isign.widest_skew;

    if (old && window > old && wall > st_replays_birth(isign.replays))
        st_replays_resume(isign.replays, wall, old);
    st_replays_tolerate(isign.replays, window, now);
}

ia_result isign_nonce_use(const ia_registry_entry *who, const isign_nonce_value *nonce, apr_time_t until,
                          apr_time_t now)
{
    unsigned char mac[IA_SHA256_LEN];
    ia_bytes parts[] = {{labels[nonce->kind].text, labels[nonce->kind].size},
                        {who->id, strlen(who->id) + 1}, /* not the index, which changes when the server stops */
                        {nonce->text.data, nonce->text.len}};
    apr_time_t created = nonce->created;

    /* What was used before this memory began is unknown. */
    if (created <= st_replays_birth(isign.replays) + isign.widest_skew)
        return IA_REPLAY_CACHE_WARMING;
    /* Another location may accept older signatures than this one. */
    if (until < created + isign.longest_age + isign.widest_skew)
        until = created + isign.longest_age + isign.widest_skew;
    ia_sha256(mac, parts, 3);
    switch (st_replay_record(isign.replays, mac, who->index, isign.replay_quota, until, now)) {
    case ST_OK:
        return IA_OK;
    case ST_EXISTS:
        return IA_SIG_NONCE_REPLAYED;
    case ST_FULL:
        return IA_REPLAYS_FULL;
    case ST_QUOTA:
        return IA_REPLAY_QUOTA;
    default:
        return IA_FAULT_STORE;
    }
}

int isign_nonce_retry_after(void)
{
    apr_time_t left = isign.replays ? st_replays_birth(isign.replays) + isign.widest_skew - clock_now() : 0;

    /* `created` is in whole seconds: without one more, a client that retries at once would still be too early. */
    return left > 0 ? (int)apr_time_sec(left) + 2 : 1;
}
