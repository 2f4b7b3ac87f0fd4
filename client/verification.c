/* Verifies a saved request offline, as a server does. */
#include "verification.h"

#include <string.h>

#include <apr_strings.h>

#include "advice.h"
#include "interauth/digest.h"
#include "interauth/encoding.h"
#include "interauth/timestamp.h"
#include "participants.h"
#include "request_head.h"
#include "say.h"
#include "signature_text.h"
#include "signing.h"

/* --- keys --- */

static int keys_load(verification *v)
{
    const verification_options *options = v->options;
    const char *wrong;
    int rc;

    if (!!options->key_file + !!options->participants_file + !!options->secret_file != 1)
        return say_usage("use exactly one of --key, --participants and --secret-file");
    if (!options->participants_file)
        return signature_key_public(&v->key, v->p, options->key_file, options->secret_file, options->algorithm);
    if (options->algorithm)
        return say_usage("--algorithm requires --key; the keys in a participants file have a member \"alg\"");
    if ((rc = participants_load(&v->participants, v->p, options->participants_file, &wrong)) == CL_OK)
        rc = participants_load_keys(&v->participants, v->p, options->participants_file, &wrong);
    return rc == CL_REFUSED && wrong ? say_refused("%s: %s", options->participants_file, wrong) : rc;
}

static const ia_participant *participant_find(const ia_participants *all, const char *id, apr_size_t len)
{
    for (unsigned i = 0; i < all->count; i++)
        if (strncmp(all->list[i].id, id, len) == 0 && !all->list[i].id[len])
            return &all->list[i];
    return NULL;
}

static apr_status_t key_drop(void *key)
{
    ia_key_unref(key);
    return APR_SUCCESS;
}

static ia_result key_use(verification *v, ia_httpsig_key *out, const ia_participant *owner,
                         const ia_participant_key *one)
{
    ia_key *key;
    ia_result rc = ia_key_create(&key, &one->raw);

    if (rc != IA_OK)
        return rc;
    apr_pool_cleanup_register(v->p, key, key_drop, apr_pool_cleanup_null);
    v->owner = owner;
    out->key = key;
    out->not_before = one->not_before;
    out->not_after = one->not_after;
    return IA_OK;
}

static ia_result named_find(verification *v, ia_httpsig_key *out, const char *keyid, const char *mark)
{
    const ia_participant *owner = participant_find(&v->participants, keyid, (apr_size_t)(mark - keyid));

    if (!owner) {
        v->detail = apr_psprintf(v->p, "no participant has the id in keyid %s", keyid);
        return IA_SIG_KEY_UNKNOWN;
    }
    for (unsigned i = 0; i < owner->public_key_count; i++)
        if (strcmp(owner->public_keys[i].kid, mark + 1) == 0)
            return key_use(v, out, owner, &owner->public_keys[i]);
    v->detail = apr_psprintf(v->p, "%s has no key %s", owner->id, mark + 1);
    return IA_SIG_KEY_UNKNOWN;
}

static ia_result secret_use(verification *v, ia_httpsig_key *out, const ia_participant *owner)
{
    const ia_secret *secret = &owner->secrets[v->attempt];

    if (v->attempt >= owner->secret_count) {
        v->detail = apr_psprintf(v->p, "%s has no shared secret", owner->id);
        return IA_SIG_KEY_UNKNOWN;
    }
    v->owner = owner;
    out->secret = &secret->mac;
    out->not_after = secret->not_after;
    return IA_OK;
}

static ia_result thumbprint_find(verification *v, ia_httpsig_key *out, const char *keyid)
{
    unsigned char wanted[IA_SHA256_LEN], digest[IA_SHA256_LEN];
    apr_size_t len;

    v->detail = apr_psprintf(v->p, "keyid %s", keyid);
    if (ia_base64url_decode(wanted, sizeof wanted, &len, keyid, strlen(keyid)) != IA_OK || len != sizeof wanted)
        return IA_SIG_KEY_UNKNOWN;
    for (unsigned i = 0; i < v->participants.count; i++) {
        const ia_participant *one = &v->participants.list[i];

        for (unsigned k = 0; k < one->public_key_count; k++)
            if (ia_key_thumbprint(digest, &one->public_keys[k].raw) == IA_OK &&
                memcmp(digest, wanted, sizeof digest) == 0)
                return key_use(v, out, one, &one->public_keys[k]);
    }
    return IA_SIG_KEY_UNKNOWN;
}

/* ID#KID names a public key (a kid has no '#'), an id names the secrets of a participant, anything else is a thumbprint. */
static ia_result key_find(void *context, ia_httpsig_key *out, const ia_httpsig *signature)
{
    verification *v = context;
    const char *keyid = signature_string(v->p, &signature->keyid), *mark = strrchr(keyid, '#');
    const ia_participant *owner;
    ia_result rc;

    if (strlen(keyid) != signature->keyid.len)
        return IA_SIG_KEY_UNKNOWN;
    if (!v->options->participants_file) {
        *out = signature_key_use(&v->key);
        rc = IA_OK;
    } else if (mark) {
        rc = named_find(v, out, keyid, mark);
    } else if ((owner = participant_find(&v->participants, keyid, strlen(keyid)))) {
        rc = secret_use(v, out, owner);
    } else {
        rc = thumbprint_find(v, out, keyid);
    }
    if (rc == IA_OK && *keyid)
        v->detail = apr_psprintf(v->p, "keyid %s", keyid);
    v->found = *out;
    return rc;
}

/* --- verification --- */

static int now_read(apr_time_t *out, const char *text)
{
    *out = apr_time_now();
    if (!text || ia_timestamp_parse(out, text, strlen(text)) == IA_OK)
        return CL_OK;
    return say_usage("--now takes a time such as 2026-01-31T12:00:00Z");
}

static void policy_make(ia_httpsig_policy *out, const verification *v)
{
    const verification_options *options = v->options;
    const ia_httpsig_message *message = &v->request.message;
    const apr_array_header_t *required =
        options->require ? options->require : signing_default_cover(v->p, message, v->request.body_len > 0);

    memset(out, 0, sizeof *out);
    out->label = options->label;
    out->tag = options->tag;
    out->required = (const char *const *)required->elts;
    out->required_count = (unsigned)required->nelts;
    out->max_age = apr_time_from_sec(options->max_age ? options->max_age : VERIFICATION_MAX_AGE);
    out->skew = apr_time_from_sec(options->skew ? options->skew : VERIFICATION_SKEW);
    out->needs_nonce = !options->no_nonce;
    out->is_keyless = !options->participants_file;
    out->has_body = v->request.body_len > 0;
}

static ia_result body_check(const verification *v)
{
    const char *value = head_value(&v->request.message, "Content-Digest");
    ia_digest_claim claimed, computed;
    ia_digest *digest;
    ia_result rc;

    if (!value)
        return v->request.body_len > 0 ? IA_DIGEST_MISSING : IA_OK;
    rc = ia_digest_parse(&claimed, v->p, value, strlen(value));
    if (rc == IA_OK)
        rc = ia_digest_create(&digest, v->p, claimed.algorithms);
    if (rc == IA_OK)
        rc = ia_digest_update(digest, v->request.body, v->request.body_len);
    if (rc == IA_OK)
        rc = ia_digest_finish(&computed, digest);
    return rc == IA_OK ? ia_digest_compare(&claimed, &computed) : rc;
}

static ia_result owner_check(const verification *v, apr_time_t now)
{
    if (v->owner && v->owner->status != IA_STATUS_APPROVED)
        return IA_PARTICIPANT_INACTIVE;
    return v->owner && v->owner->expires && now >= v->owner->expires ? IA_PARTICIPANT_EXPIRED : IA_OK;
}

/* A participant may have several valid secrets; as a server does, this tries each of them. */
static void signature_verify(verification *v, const ia_httpsig_policy *policy, apr_time_t now)
{
    const ia_httpsig_ports ports = {v, key_find, NULL};
    ia_result first = IA_OK;

    for (v->attempt = 0;; v->attempt++) {
        v->result = ia_httpsig_verify(&v->signature, v->p, &v->request.message, policy, &ports, now);
        if (v->attempt == 0)
            first = v->result;
        if ((v->result != IA_SIG_MISMATCH && v->result != IA_SIG_KEY_EXPIRED) || !v->found.secret || !v->owner ||
            v->attempt + 1 >= v->owner->secret_count)
            break;
    }
    if (v->result == IA_SIG_KEY_EXPIRED)
        v->result = first;
    if (v->result == IA_OK)
        v->result = owner_check(v, now);
    if (v->result == IA_OK)
        v->result = body_check(v);
}

/* Finds the component that is not available by building a base of each one alone. */
static void component_explain(verification *v, ia_result wanted)
{
    for (const ia_sfv_member *item = v->signature->input->items; item; item = item->next) {
        ia_sfv_member one = *item, input = *v->signature->input;
        ia_sfv_text base;
        char *name;

        one.next = NULL;
        input.items = &one;
        input.item_count = 1;
        if (ia_httpsig_base(&base, v->p, &v->request.message, &input) == wanted &&
            ia_sfv_format_member(&name, NULL, v->p, item) == IA_OK) {
            v->detail = name;
            return;
        }
    }
}

static void time_explain(verification *v, const char *what, apr_int64_t seconds)
{
    char text[IA_RFC3339_SIZE];

    if (seconds < 0)
        return;
    ia_timestamp_format(text, apr_time_from_sec(seconds));
    v->detail = apr_psprintf(v->p, "%s %s", what, text);
}

static void result_explain(verification *v, const ia_httpsig_policy *policy)
{
    ia_result rc;

    if (!v->signature)
        return;
    if ((rc = ia_httpsig_base(&v->base, v->p, &v->request.message, v->signature->input)) != IA_OK)
        component_explain(v, rc);
    else if (v->result == IA_SIG_EXPIRED)
        time_explain(v, "expires", v->signature->expires);
    else if (v->result == IA_SIG_CREATED_OLD || v->result == IA_SIG_CREATED_FUTURE)
        time_explain(v, "created", v->signature->created);
    else if (v->result == IA_PARTICIPANT_INACTIVE || v->result == IA_PARTICIPANT_EXPIRED)
        v->detail = v->owner->id;
    for (unsigned i = 0; v->result == IA_SIG_COMPONENT_MISSING && i < policy->required_count; i++) {
        if (ia_httpsig_covers(v->signature, policy->required[i]))
            continue;
        v->detail = policy->required[i];
        break;
    }
}

int verification_run(verification *out, apr_pool_t *p, const verification_options *options, const char *path)
{
    ia_httpsig_policy policy;
    apr_time_t now;
    int rc;

    memset(out, 0, sizeof *out);
    out->p = p;
    out->options = options;
    out->path = path;
    if ((rc = now_read(&now, options->now)) != CL_OK || (rc = keys_load(out)) != CL_OK ||
        (rc = saved_request_read(&out->request, p, path, options->scheme ? "http" : "https")) != CL_OK)
        return rc;
    policy_make(&policy, out);
    signature_verify(out, &policy, now);
    result_explain(out, &policy);
    return CL_OK;
}

int verification_report(const verification *v)
{
    const char *tag = ia_outcome_of(v->result)->tag, *means = advice_meaning(v->result);
    const char *more = v->detail ? apr_psprintf(v->p, " (%s)", v->detail) : "";

    if (v->result == IA_OK)
        return CL_OK;
    if (v->result < 0)
        return say_fault("%s: %s: %s%s", v->path, tag, means, more);
    return say_refused("%s: %s: %s%s", v->path, tag, means, more);
}

void verification_write(ia_json_writer *w, const verification *v)
{
    ia_json_write_name(w, "verified");
    ia_json_write_bool(w, v->result == IA_OK);
    if (v->result == IA_OK) {
        if (v->owner)
            ia_json_write_member(w, "participant", v->owner->id);
        ia_json_write_member(w, "algorithm", ia_algorithm_name(v->signature->algorithm));
        return;
    }
    error_write(w, ia_outcome_of(v->result)->tag, advice_meaning(v->result));
    ia_json_write_member(w, "todo", advice_todo(v->result));
    if (v->detail)
        ia_json_write_member(w, "detail", v->detail);
}

void verification_close(verification *v)
{
    signature_key_close(&v->key);
    for (unsigned i = 0; i < v->participants.count; i++)
        ia_participant_wipe(&v->participants.list[i]);
    memset(&v->found, 0, sizeof v->found);
}
