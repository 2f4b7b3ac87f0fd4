/* Participants files: valid values are within bounds, and refusals have a reason. */
#include "fuzz.h"
#include "interauth/participant.h"

static void check_participant(const ia_participant *one, unsigned position)
{
    CHECK(one->id != NULL && ia_name_is_id(one->id, strlen(one->id)) && one->line == position);
    CHECK(one->status <= IA_STATUS_OFFBOARDED);
    CHECK(one->role_count <= IA_PARTICIPANT_ROLES && one->secret_count <= IA_PARTICIPANT_SECRETS);
    CHECK(one->token_max_lifespan >= 1 && one->token_max_lifespan <= IA_LIFESPAN_MAX);
    CHECK(one->expires >= 0);
    for (unsigned i = 0; i < one->capability_count; i++) {
        CHECK(ia_name_is_capability(one->capabilities[i], strlen(one->capabilities[i])));
    }
    for (unsigned i = 0; i < one->secret_count; i++) {
        CHECK(one->secrets[i].fingerprint != 0 && one->secrets[i].not_after >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_pool();
    ia_participant_error error = {NULL};
    ia_participants all;

    if (ia_participants_parse(&all, p, (const char *)data, size, &error) == IA_OK) {
        for (unsigned i = 0; i < all.count; i++) {
            check_participant(&all.list[i], i + 1);
        }
    } else {
        CHECK(all.count == 0 && error.text != NULL && error.text[0] != '\0');
    }
    apr_pool_destroy(p);
    return 0;
}
