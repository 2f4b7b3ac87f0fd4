/* HTTP message signatures (RFC 9421): verifies one for a request, and applies the requirements of each location to it. */
#include <httpd.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>
#include "clock.h"
#include "mod_isign.h"
#include "isign_httpsig.h"
#include "request.h"
#include "sanitize.h"
#include "snapshot.h"

static int is_present(request_rec *top)
{
    return apr_table_get(top->headers_in, "Signature-Input") || apr_table_get(top->headers_in, "Signature");
}

static int covers(const isign_proof *proof, const char *component)
{
    return ia_httpsig_covers(proof->signature, component);
}

/* Until the signature is verified, this is what the signer claims, and `alg` is NULL. */
static void fill_proof(isign_proof *out, apr_pool_t *p, const ia_httpsig *signature, const char *participant)
{
    const ia_sfv_text *keyid = &signature->keyid, *covered = &signature->input->source;

    out->how = &isign_httpsig;
    out->signature = signature;
    out->participant = apr_pstrdup(p, participant);
    out->keyid = keyid->data ? apr_pstrmemdup(p, keyid->data, keyid->len) : NULL;
    out->alg = signature->algorithm != IA_ALGORITHM_NONE ? ia_algorithm_name(signature->algorithm) : NULL;
    out->covered = apr_pstrmemdup(p, covered->data, covered->len);
    out->has_nonce = signature->nonce.data != NULL;
}

/* What a refused signature lacks, for the log. */
static const char *describe_lack(request_rec *r, ia_result rc, const isign_proof *claim,
                                 const ia_httpsig_policy *policy)
{
    const ia_httpsig *signature = claim->signature;
    apr_int64_t now = (apr_int64_t)apr_time_sec(clock_now());

    switch (rc) {
    case IA_SIG_COMPONENT_MISSING:
        return isign_log_missing(r->pool, claim, policy->required, policy->required_count);
    case IA_SIG_AUTHORITY_FOREIGN:
        return isign_log_text(r->pool, "authority", snapshot_of(r)->authority);
    case IA_SIG_CREATED_OLD:
    case IA_SIG_CREATED_FUTURE:
        return apr_psprintf(r->pool, " offset=%+" APR_INT64_T_FMT, signature->created - now);
    case IA_SIG_EXPIRED:
        return apr_psprintf(r->pool, " offset=%+" APR_INT64_T_FMT, signature->expires - now);
    default:
        return "";
    }
}

/* --- once for a request --- */

static ia_result use_once(const isign_lookup *l, const ia_httpsig *signature, apr_time_t until)
{
    int has_nonce = signature->nonce.data != NULL;
    isign_nonce_value nonce = {has_nonce ? ISIGN_NONCE_OF_SIGNATURE : ISIGN_SIGNATURE_BASE,
                               has_nonce ? signature->nonce : signature->base, apr_time_from_sec(signature->created)};

    return isign_nonce_use(&l->entry, &nonce, until, l->now);
}

static ia_result use_nonce(void *context, const ia_httpsig *signature, apr_time_t until)
{
    return use_once(context, signature, until);
}

/* Methods without side effects (RFC 9110 section 9.2.1): such a request may be repeated if its signature has no nonce. */
static int is_safe(const char *method)
{
    return !strcmp(method, "GET") || !strcmp(method, "HEAD") || !strcmp(method, "OPTIONS");
}

/* A participant may have several shared secrets: they are tried in turn. */
static ia_result check_bytes(isign_lookup *l, apr_pool_t *p, const ia_httpsig_message *message,
                             const ia_httpsig_policy *policy, ia_httpsig *signature)
{
    ia_httpsig_ports ports = {l, isign_lookup_find, use_nonce};
    ia_result rc;

    do
        rc = ia_httpsig_verify_chosen(signature, p, message, policy, &ports, l->now);
    while (rc == IA_SIG_MISMATCH && isign_lookup_next(l));
    if (rc)
        isign_lookup_equalize(l, signature);
    return rc;
}

/* The signer is known: whether it may sign, and sign for us. */
static ia_result check_signer(const isign_lookup *l, request_rec *top, const isign_dir *conf,
                              const ia_httpsig *signature)
{
    ia_result rc = IA_OK;

    if (!signature->nonce.data && !is_safe(snapshot_of(top)->method))
        rc = use_once(l, signature, 0);
    if (!rc)
        rc = ia_entitlement_check(&l->entry.entitlement, l->now);
    if (!rc && !*conf->authority && !isign_message_is_ours(top))
        rc = IA_SIG_AUTHORITY_FOREIGN;
    return rc;
}

static ia_result check(isign_lookup *l, request_rec *top, const isign_dir *conf, const ia_httpsig_message *message,
                       const ia_httpsig_policy *policy, ia_httpsig *signature)
{
    isign_limit limit = {0, 0};
    ia_result rc = isign_limit_enter(&limit, top->useragent_ip, &signature->keyid, clock_now());

    if (rc)
        return rc;
    l->now = clock_now(); /* signatures age while a thread waits for the limit */
    rc = check_bytes(l, top->pool, message, policy, signature);
    isign_limit_leave(&limit, rc, clock_now());
    return rc ? rc : check_signer(l, top, conf, signature);
}

static ia_result verify(request_rec *r, const isign_dir *conf, isign_proof *out)
{
    request_rec *top = request_outermost(r);
    isign_lookup lookup = {.p = top->pool};
    isign_proof claim = {0};
    ia_httpsig *signature = NULL;
    ia_httpsig_message message;
    ia_httpsig_policy policy;
    ia_httpsig_set set;
    ia_result rc;

    isign_message_fill(&message, top, conf);
    isign_policy_fill_common(&policy, conf);
    rc = ia_httpsig_read(&set, top->pool, &message);
    if (!rc)
        rc = ia_httpsig_choose(&signature, &set, &policy);
    if (!rc)
        rc = check(&lookup, top, conf, &message, &policy, signature);
    if (signature) {
        fill_proof(&claim, top->pool, signature, lookup.entry.id);
        isign_log_detail(top, rc, &claim, describe_lack(top, rc, &claim, &policy));
    }
    isign_lookup_end(&lookup);
    if (!rc)
        *out = claim;
    return rc;
}

/* --- at each location --- */

static int requires(const ia_httpsig_policy *policy, const char *name)
{
    unsigned i;

    for (i = 0; i < policy->required_count; i++)
        if (!strcmp(policy->required[i], name))
            return 1;
    return 0;
}

/* mod_proxy removes the fields that Connection names: the backend would not get what was signed. */
static ia_result check_connection(request_rec *r, const ia_httpsig *signature, const ia_httpsig_policy *policy)
{
    const char *list = apr_table_get(isign_fields_of(r), "Connection");
    char *copy = list ? apr_pstrdup(r->pool, list) : NULL;
    apr_array_header_t *names;
    int i;

    if (!copy)
        return IA_OK;
    ap_str_tolower(copy);
    names = sanitize_connection_names(r->pool, copy);
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (ia_httpsig_mentions(signature, name) || requires(policy, name))
            return IA_SIG_COMPONENT_DROPPED;
    }
    return IA_OK;
}

static ia_result judge(request_rec *r, const isign_dir *conf, const isign_proof *proof)
{
    ia_httpsig_policy policy;
    ia_result rc;

    isign_policy_fill(&policy, r, conf);
    if (!(rc = ia_httpsig_judge(proof->signature, &policy, clock_now())))
        rc = check_connection(r, proof->signature, &policy);
    if (rc)
        isign_log_detail(r, rc, proof, describe_lack(r, rc, proof, &policy));
    return rc;
}

const isign_scheme isign_httpsig = {ISIGN_BEFORE_AUTHENTICATION, is_present, verify, judge, covers,
                                    isign_httpsig_write_accept};
