/* Verifying a message: grammar, look-up, signature, time, nonce, policy, in this order. */
#include "httpsig_internal.h"

static ia_algorithm algorithm_of(const ia_httpsig_key *key)
{
    return key->key != NULL ? ia_key_algorithm(key->key) : IA_ALGORITHM_HMAC;
}

static ia_result check_bytes(const ia_httpsig_key *key, const ia_sfv_text *base, const ia_sfv_text *signature)
{
    if (key->key != NULL)
        return ia_signature_verify(key->key, base->data, base->len, signature->data, signature->len);
    return ia_signature_verify_mac(key->secret, base->data, base->len, signature->data, signature->len);
}

static ia_result check_key(const ia_httpsig_key *key, const ia_httpsig *signature, const ia_httpsig_policy *policy,
                           apr_time_t now)
{
    const ia_algorithm algorithm = algorithm_of(key);

    if (key->not_before != 0 && now < key->not_before)
        return IA_SIG_KEY_EARLY;
    if (key->not_after != 0 && now >= key->not_after)
        return IA_SIG_KEY_EXPIRED;
    if (signature->alg.data != NULL && !ia_sfv_text_is(&signature->alg, ia_algorithm_name(algorithm)))
        return IA_SIG_ALG_MISMATCH;
    return policy->algorithms != 0 && !(policy->algorithms & 1u << algorithm) ? IA_SIG_ALG_NOT_ALLOWED : IA_OK;
}

/* Every refusal of a key costs a verification all the same: which it was cannot be timed. */
static ia_result check_signature(ia_httpsig *signature, const ia_sfv_text *base, const ia_httpsig_policy *policy,
                                 const ia_httpsig_ports *ports, apr_time_t now)
{
    ia_httpsig_key key = {NULL, NULL, 0, 0};
    ia_result found, made;

    if (signature->keyid.data == NULL && !policy->is_keyless)
        return IA_SIG_KEYID_MISSING;
    found = ports->find_key(ports->context, &key, signature);
    if ((key.key == NULL) == (key.secret == NULL))
        return found != IA_OK ? found : IA_FAULT_REGISTRY;
    if (found == IA_OK)
        found = check_key(&key, signature, policy, now);
    made = check_bytes(&key, base, &signature->signature);
    if (found == IA_OK && made == IA_OK)
        signature->algorithm = algorithm_of(&key);
    return found != IA_OK ? found : made;
}

static ia_result check_time(const ia_httpsig *signature, const ia_httpsig_policy *policy, apr_time_t now)
{
    apr_time_t created = apr_time_from_sec(signature->created);

    if (signature->created < 0)
        return IA_SIG_CREATED_MISSING;
    if (created - policy->skew > now)
        return IA_SIG_CREATED_FUTURE;
    if (policy->max_age != 0 && now - policy->skew - policy->max_age > created)
        return IA_SIG_CREATED_OLD;
    return signature->expires >= 0 && now > apr_time_from_sec(signature->expires) ? IA_SIG_EXPIRED : IA_OK;
}

/* Until when this signature could be accepted again; for ever where nothing bounds it. */
static apr_time_t end_of(const ia_httpsig *signature, const ia_httpsig_policy *policy)
{
    apr_time_t aged = apr_time_from_sec(signature->created) + policy->max_age + policy->skew;
    apr_time_t expires = apr_time_from_sec(signature->expires);

    if (policy->max_age == 0)
        return signature->expires >= 0 ? expires : APR_INT64_MAX;
    return signature->expires >= 0 && expires > aged ? expires : aged;
}

static ia_result check_nonce(const ia_httpsig *signature, const ia_httpsig_policy *policy,
                             const ia_httpsig_ports *ports)
{
    if (signature->nonce.data == NULL)
        return policy->needs_nonce ? IA_SIG_NONCE_MISSING : IA_OK;
    if (ports->use_nonce == NULL)
        return IA_OK;
    return ports->use_nonce(ports->context, signature, end_of(signature, policy));
}

static ia_result check_authority(apr_pool_t *p, const ia_httpsig_message *message, const ia_httpsig_policy *policy)
{
    ia_sfv_text actual, accepted;
    unsigned i;

    if (policy->authority_count == 0 || message->method == NULL)
        return IA_OK;
    if (iai_authority(&actual, p, message->authority, message->scheme) != IA_OK)
        return IA_SIG_AUTHORITY_FOREIGN;
    for (i = 0; i < policy->authority_count; i++) {
        if (iai_authority(&accepted, p, policy->authorities[i], message->scheme) == IA_OK &&
            iai_sfv_text_equal(&accepted, &actual))
            return IA_OK;
    }
    return IA_SIG_AUTHORITY_FOREIGN;
}

static ia_result check_cover(const ia_httpsig *signature, const ia_httpsig_policy *policy)
{
    unsigned i;

    for (i = 0; i < policy->required_count; i++) {
        if (!ia_httpsig_covers(signature, policy->required[i]))
            return IA_SIG_COMPONENT_MISSING;
    }
    return policy->has_body && !ia_httpsig_covers(signature, "content-digest") ? IA_SIG_DIGEST_UNCOVERED : IA_OK;
}

static int is_chosen_by(const char *wanted, const ia_sfv_text *text)
{
    return wanted == NULL || (text->data != NULL && ia_sfv_text_is(text, wanted));
}

ia_result ia_httpsig_judge(const ia_httpsig *signature, const ia_httpsig_policy *policy, apr_time_t now)
{
    ia_result rc;

    if (!is_chosen_by(policy->label, &signature->label))
        return IA_SIG_LABEL_ABSENT;
    if (!is_chosen_by(policy->tag, &signature->tag))
        return IA_SIG_TAG_ABSENT;
    if (policy->algorithms != 0 && !(policy->algorithms & 1u << signature->algorithm))
        return IA_SIG_ALG_NOT_ALLOWED;
    if ((rc = check_time(signature, policy, now)) != IA_OK)
        return rc;
    if (policy->needs_nonce && signature->nonce.data == NULL)
        return IA_SIG_NONCE_MISSING;
    return check_cover(signature, policy);
}

/*
 * A target URI is signed as received, or, by many libraries, normalized. Both name the same target: hosts are compared
 * without case, a default port is the port, and an empty path is "/". An unknown key costs the second look too.
 */
static ia_result check_forms(ia_httpsig *signature, apr_pool_t *p, const ia_httpsig_message *message,
                             const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now)
{
    ia_httpsig_message other = *message;
    ia_sfv_text base, normal;
    ia_result rc = ia_httpsig_base(&base, p, message, signature->input);

    if (rc != IA_OK)
        return rc;
    rc = check_signature(signature, &base, policy, ports, now);
    other.normalized = !message->normalized;
    if (rc > IA_OK && ia_httpsig_mentions(signature, "@target-uri") &&
        ia_httpsig_base(&normal, p, &other, signature->input) == IA_OK && !iai_sfv_text_equal(&base, &normal)) {
        base = normal;
        rc = check_signature(signature, &base, policy, ports, now);
    }
    if (rc == IA_OK)
        signature->base = base;
    return rc;
}

ia_result ia_httpsig_verify_chosen(ia_httpsig *signature, apr_pool_t *p, const ia_httpsig_message *message,
                                   const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now)
{
    ia_result rc = check_forms(signature, p, message, policy, ports, now);

    if (rc == IA_OK)
        rc = check_time(signature, policy, now);
    if (rc == IA_OK)
        rc = check_nonce(signature, policy, ports);
    if (rc == IA_OK)
        rc = check_authority(p, message, policy);
    return rc == IA_OK ? ia_httpsig_judge(signature, policy, now) : rc;
}

ia_result ia_httpsig_verify(const ia_httpsig **out, apr_pool_t *p, const ia_httpsig_message *message,
                            const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now)
{
    ia_httpsig *signature;
    ia_httpsig_set set;
    ia_result rc = ia_httpsig_read(&set, p, message);

    *out = NULL;
    if (rc == IA_OK)
        rc = ia_httpsig_choose(&signature, &set, policy);
    if (rc != IA_OK)
        return rc;
    *out = signature;
    return ia_httpsig_verify_chosen(signature, p, message, policy, ports, now);
}
