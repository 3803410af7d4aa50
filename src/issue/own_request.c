#include "own_request.h"

#include "steps.h"
#include "token/signer_pkey.h"

static bool fill(X509_REQ *csr, const struct sg_name *subject, const struct sg_public_key *key,
                 struct sg_error *error)
{
    sg_auto(X509_NAME) X509_NAME *name = NULL;

    if (!sg_name_encode(subject, &name, error))
        return false;
    return (X509_REQ_set_version(csr, X509_REQ_VERSION_1) == 1 &&
            X509_REQ_set_subject_name(csr, name) == 1 &&
            X509_REQ_set_pubkey(csr, key->pkey) == 1) ||
           sg_fail_openssl(error, SG_INTERNAL, "RFC 2986 4.1", "the request can't be made");
}

static bool sign(X509_REQ *csr, struct sg_signer *signer, enum sg_scheme scheme, const char *what,
                 struct sg_error *error)
{
    sg_auto(sg_pkey_maker) struct sg_pkey_maker *maker = NULL;
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;

    return sg_pkey_maker_new(&maker, error) && sg_signer_pkey(maker, signer, &pkey, error) &&
           (X509_REQ_sign(csr, pkey, sg_scheme_digest(scheme)) > 0 ||
            sg_signer_pkey_fail(error, what));
}

bool sg_own_request(struct sg_signer *signer, enum sg_scheme scheme, const struct sg_name *subject,
                    const char *what, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(X509_REQ) X509_REQ *csr = X509_REQ_new();
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;

    if (csr == NULL)
        return sg_fail_memory(error);
    if (!fill(csr, subject, sg_signer_public_key(signer), error) ||
        !sign(csr, signer, scheme, what, error))
        return false;
    int len = i2d_X509_REQ(csr, &bytes);
    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "the request can't be encoded");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

bool sg_own_issue(const struct sg_issuing *issuing, struct sg_job *job, sg_own_check *check_plan,
                  struct sg_error *error)
{
    struct sg_stop stop = {0};

    if (!sg_issue_prepare(issuing, job) || !check_plan(issuing, job)) {
        *error = job->error;
        return false;
    }
    if (!sg_issue_claim(issuing, job, 1, &stop, error))
        return false;
    sg_issue_sign(issuing, job, &stop);
    if (!sg_issue_record(issuing, job, 1, error))
        return false;
    if (job->outcome == SG_JOB_REFUSED)
        *error = job->error;
    return job->outcome != SG_JOB_REFUSED;
}
