#include "ocsp_sign.h"

#include "token/signer_pkey.h"

void sg_ocsp_signer_done(struct sg_ocsp_signer *signer)
{
    EVP_PKEY_free(signer->pkey);
    X509_free(signer->certificate);
    sg_public_key_done(&signer->key);
    *signer = (struct sg_ocsp_signer){0};
}

/* A certificate that has expired was not revoked, and one that is being signed is not there yet. */
enum sg_ocsp_verdict sg_ocsp_verdict(const struct sg_serial_status *status)
{
    if (!status->known || status->status == SG_STATUS_IN_FLIGHT)
        return SG_OCSP_UNKNOWN;
    return status->status == SG_STATUS_VALID || status->status == SG_STATUS_EXPIRED
               ? SG_OCSP_GOOD
               : SG_OCSP_REVOKED;
}

static bool fail(struct sg_error *error)
{
    return sg_fail_openssl(error, SG_INTERNAL, "RFC 6960 4.2.1", "the answer can't be encoded");
}

/* The reason is left out for unspecified, as on a CRL (RFC 5280 5.3.1). */
static bool add_single(OCSP_BASICRESP *basic, const struct sg_ocsp_asked *asked,
                       const struct sg_serial_status *status, ASN1_TIME *this_update,
                       ASN1_TIME *next_update, struct sg_error *error)
{
    static const int WORDS[] = {
        [SG_OCSP_GOOD] = V_OCSP_CERTSTATUS_GOOD,
        [SG_OCSP_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
        [SG_OCSP_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN,
    };
    const enum sg_ocsp_verdict verdict = sg_ocsp_verdict(status);
    const int reason = status->reason != SG_REASON_UNSPECIFIED ? (int)status->reason
                                                               : OCSP_REVOKED_STATUS_NOSTATUS;
    sg_auto(ASN1_TIME) ASN1_TIME *revoked = NULL;

    if (verdict == SG_OCSP_REVOKED &&
        (revoked = ASN1_GENERALIZEDTIME_set(NULL, (time_t)status->revoked)) == NULL)
        return fail(error);
    return OCSP_basic_add1_status(basic, asked->id, WORDS[verdict], reason, revoked, this_update,
                                  next_update) != NULL ||
           fail(error);
}

static bool add_all(OCSP_BASICRESP *basic, const struct sg_ocsp_request *request,
                    const struct sg_serial_status *statuses, int64_t this_update,
                    int64_t next_update, struct sg_error *error)
{
    sg_auto(ASN1_TIME) ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, (time_t)this_update);
    sg_auto(ASN1_TIME) ASN1_TIME *until = ASN1_GENERALIZEDTIME_set(NULL, (time_t)next_update);

    if (from == NULL || until == NULL)
        return fail(error);
    for (size_t i = 0; i < request->num_asked; i++)
        if (!add_single(basic, &request->asked[i], &statuses[i], from, until, error))
            return false;
    return !request->has_nonce || OCSP_copy_nonce(basic, request->decoded) == 1 || fail(error);
}

/* OpenSSL would take the machine's clock, and has no other way to set the moment. */
static bool set_produced(OCSP_BASICRESP *basic, int64_t now, struct sg_error *error)
{
    ASN1_GENERALIZEDTIME *produced =
        (ASN1_GENERALIZEDTIME *)(uintptr_t)OCSP_resp_get0_produced_at(basic);

    return ASN1_GENERALIZEDTIME_set(produced, (time_t)now) != NULL || fail(error);
}

static bool check_signature(const struct sg_ocsp_signer *signer, const OCSP_BASICRESP *basic,
                            struct sg_error *error)
{
    const ASN1_OCTET_STRING *signature = OCSP_resp_get0_signature(basic);
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;
    int len = i2d_OCSP_RESPDATA(OCSP_resp_get0_respdata(basic), &bytes);

    if (len <= 0)
        return fail(error);
    return sg_signer_check_signature(
        signer->scheme, &signer->key, sg_slice_of(bytes, (size_t)len),
        sg_slice_of(ASN1_STRING_get0_data(signature), (size_t)ASN1_STRING_length(signature)),
        error);
}

static bool sign(const struct sg_ocsp_signer *signer, OCSP_BASICRESP *basic, int64_t now,
                 struct sg_error *error)
{
    return set_produced(basic, now, error) &&
           (OCSP_basic_sign(basic, signer->certificate, signer->pkey,
                            sg_scheme_digest(signer->scheme), NULL,
                            OCSP_NOTIME | OCSP_RESPID_KEY) == 1 ||
            sg_signer_pkey_fail(error, "the OCSP answer is not signed")) &&
           check_signature(signer, basic, error);
}

bool sg_ocsp_sign(const struct sg_ocsp_signer *signer, const struct sg_ocsp_request *request,
                  const struct sg_serial_status *statuses, int64_t this_update, int64_t next_update,
                  struct sg_buf *der, struct sg_error *error)
{
    sg_auto(OCSP_BASICRESP) OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    sg_auto(OCSP_RESPONSE) OCSP_RESPONSE *response = NULL;
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;

    if (basic == NULL)
        return sg_fail_memory(error);
    if (!add_all(basic, request, statuses, this_update, next_update, error) ||
        !sign(signer, basic, this_update, error))
        return false;
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int len = response != NULL ? i2d_OCSP_RESPONSE(response, &bytes) : 0;
    if (len <= 0)
        return fail(error);
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}
