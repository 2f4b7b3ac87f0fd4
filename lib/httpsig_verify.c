/* Verifies a message in this order: grammar, key look-up, signature, time, nonce, policy. */
#include "httpsig_internal.h"

static ia_algorithm algorithm_of(const ia_httpsig_key *key)
{
    return key->key ? ia_key_algorithm(key->key) : IA_ALGORITHM_HMAC;
}

static ia_result check_bytes(const ia_httpsig_key *key, const ia_sfv_text *base, const ia_sfv_text *signature)
{
    if (key->key)
        return ia_signature_verify(key->key, base->data, base->len, signature->data, signature->len);
    return ia_signature_verify_mac(key->secret, base->data, base->len, signature->data, signature->len);
}

static ia_result check_key(const ia_httpsig_key *key, const ia_httpsig *signature, const ia_httpsig_policy *policy,
                           apr_time_t now)
{
    const ia_algorithm algorithm = algorithm_of(key);

    if (key->not_before && now < key->not_before)
        return IA_SIG_KEY_EARLY;
    if (key->not_after && now >= key->not_after)
        return IA_SIG_KEY_EXPIRED;
    if (signature->alg.data && !ia_sfv_text_is(&signature->alg, ia_algorithm_name(algorithm)))
        return IA_SIG_ALG_MISMATCH;
    return iai_judge_algorithm(algorithm, policy);
}

/* A refused key is verified with all the same, so that the response time does not reveal why it was refused. */
static ia_result check_signature(ia_httpsig *signature, const ia_sfv_text *base, const ia_httpsig_policy *policy,
                                 const ia_httpsig_ports *ports, apr_time_t now)
{
    ia_httpsig_key key = {NULL, NULL, 0, 0};
    ia_result found, verified;

    if (!signature->keyid.data && !policy->is_keyless)
        return IA_SIG_KEYID_MISSING;
    found = ports->find_key(ports->context, &key, signature);
    if (!key.key == !key.secret)
        return found ? found : IA_FAULT_REGISTRY;
    if (!found)
        found = check_key(&key, signature, policy, now);
    verified = check_bytes(&key, base, &signature->signature);
    if (!found && !verified)
        signature->algorithm = algorithm_of(&key);
    return found ? found : verified;
}

/* When this signature stops being acceptable; never, if nothing bounds its age. */
static apr_time_t end_of(const ia_httpsig *signature, const ia_httpsig_policy *policy)
{
    apr_time_t aged = apr_time_from_sec(signature->created) + policy->max_age + policy->skew;
    apr_time_t expires = apr_time_from_sec(signature->expires);

    if (!policy->max_age)
        return signature->expires >= 0 ? expires : APR_INT64_MAX;
    return signature->expires >= 0 && expires > aged ? expires : aged;
}

static ia_result use_nonce(const ia_httpsig *signature, const ia_httpsig_policy *policy, const ia_httpsig_ports *ports)
{
    ia_result rc = iai_judge_nonce(signature, policy);

    if (rc || !signature->nonce.data || !ports->use_nonce)
        return rc;
    return ports->use_nonce(ports->context, signature, end_of(signature, policy));
}

/*
 * A target URI may be signed as received or, as many libraries do, normalized: hosts are compared without regard to case,
 * a default port is the same as none, and an empty path is "/". With an unknown key both forms are tried too.
 */
static ia_result check_forms(ia_httpsig *signature, apr_pool_t *p, const ia_httpsig_message *message,
                             const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now)
{
    ia_httpsig_message other = *message;
    ia_sfv_text base, normal;
    ia_result rc = ia_httpsig_base(&base, p, message, signature->input);

    if (rc)
        return rc;
    rc = check_signature(signature, &base, policy, ports, now);
    other.normalized = !message->normalized;
    if (rc > IA_OK && ia_httpsig_mentions(signature, "@target-uri") &&
        !ia_httpsig_base(&normal, p, &other, signature->input) && !iai_sfv_text_equal(&base, &normal)) {
        base = normal;
        rc = check_signature(signature, &base, policy, ports, now);
    }
    if (!rc)
        signature->base = base;
    return rc;
}

/* Its time is judged before its nonce is used: an old signature must not fill the memory of used nonces. */
ia_result ia_httpsig_verify_chosen(ia_httpsig *signature, apr_pool_t *p, const ia_httpsig_message *message,
                                   const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now)
{
    ia_result rc = check_forms(signature, p, message, policy, ports, now);

    if (!rc)
        rc = iai_judge_time(signature, policy, now);
    if (!rc)
        rc = use_nonce(signature, policy, ports);
    return rc ? rc : ia_httpsig_judge(signature, policy, now);
}

ia_result ia_httpsig_verify(const ia_httpsig **out, apr_pool_t *p, const ia_httpsig_message *message,
                            const ia_httpsig_policy *policy, const ia_httpsig_ports *ports, apr_time_t now)
{
    ia_httpsig *signature;
    ia_httpsig_set set;
    ia_result rc = ia_httpsig_read(&set, p, message);

    *out = NULL;
    if (!rc)
        rc = ia_httpsig_choose(&signature, &set, policy);
    if (rc)
        return rc;
    *out = signature;
    return ia_httpsig_verify_chosen(signature, p, message, policy, ports, now);
}
