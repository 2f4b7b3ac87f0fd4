/* The policy of a place, applied to a verified signature. No other file decides by a policy's values. */
#include "httpsig_internal.h"

/* An absent text matches only a policy that does not ask for one. */
static int matches(const char *wanted, const ia_sfv_text *text)
{
    return !wanted || (text->data && ia_sfv_text_is(text, wanted));
}

ia_result iai_judge_algorithm(ia_algorithm algorithm, const ia_httpsig_policy *policy)
{
    return policy->algorithms && !(policy->algorithms & 1u << algorithm) ? IA_SIG_ALG_NOT_ALLOWED : IA_OK;
}

ia_result iai_judge_time(const ia_httpsig *signature, const ia_httpsig_policy *policy, apr_time_t now)
{
    apr_time_t created = apr_time_from_sec(signature->created);

    if (signature->created < 0)
        return IA_SIG_CREATED_MISSING;
    if (created - policy->skew > now)
        return IA_SIG_CREATED_FUTURE;
    if (policy->max_age && now - policy->skew - policy->max_age > created)
        return IA_SIG_CREATED_OLD;
    return signature->expires >= 0 && now > apr_time_from_sec(signature->expires) ? IA_SIG_EXPIRED : IA_OK;
}

ia_result iai_judge_nonce(const ia_httpsig *signature, const ia_httpsig_policy *policy)
{
    return policy->needs_nonce && !signature->nonce.data ? IA_SIG_NONCE_MISSING : IA_OK;
}

static ia_result judge_coverage(const ia_httpsig *signature, const ia_httpsig_policy *policy)
{
    unsigned i;

    for (i = 0; i < policy->required_count; i++)
        if (!ia_httpsig_covers(signature, policy->required[i]))
            return IA_SIG_COMPONENT_MISSING;
    return policy->has_body && !ia_httpsig_covers(signature, "content-digest") ? IA_SIG_DIGEST_UNCOVERED : IA_OK;
}

ia_result ia_httpsig_judge(const ia_httpsig *signature, const ia_httpsig_policy *policy, apr_time_t now)
{
    ia_result rc;

    if (!matches(policy->label, &signature->label))
        return IA_SIG_LABEL_ABSENT;
    if (!matches(policy->tag, &signature->tag))
        return IA_SIG_TAG_ABSENT;
    if ((rc = iai_judge_algorithm(signature->algorithm, policy)) || (rc = iai_judge_time(signature, policy, now)) ||
        (rc = iai_judge_nonce(signature, policy)))
        return rc;
    return judge_coverage(signature, policy);
}
