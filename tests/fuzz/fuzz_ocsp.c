#include "status/ocsp_request.h"

#include "base/limits.h"
#include "target.h"

/* An abort is a finding. */
static void expect(bool truth)
{
    if (!truth)
        abort();
}

/* What was read is the same when it is written in DER and read again. */
static void expect_same_again(const struct sg_ocsp_request *request)
{
    sg_auto(openssl_bytes) unsigned char *bytes = NULL;
    sg_auto(sg_ocsp_request) struct sg_ocsp_request again = {0};
    int len = i2d_OCSP_REQUEST(request->decoded, &bytes);

    expect(len > 0);
    if (len > SG_LIMIT_OCSP_REQUEST) /* BER can be shorter */
        return;
    expect(sg_ocsp_request_parse(sg_slice_of(bytes, (size_t)len), &again, NULL));
    expect(again.num_asked == request->num_asked && again.has_nonce == request->has_nonce);
    for (size_t i = 0; i < again.num_asked; i++)
        expect(OCSP_id_cmp(again.asked[i].id, request->asked[i].id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_auto(sg_ocsp_request) struct sg_ocsp_request request = {0};
    struct sg_error error = {0};

    if (!sg_ocsp_request_parse(sg_slice_of(data, size), &request, &error)) {
        expect(error.code == SG_MALFORMED && error.text[0] != '\0');
        expect(request.decoded == NULL && request.asked == NULL);
        return 0;
    }
    expect(request.num_asked > 0 && request.num_asked <= SG_LIMIT_OCSP_CERTIFICATES);
    for (size_t i = 0; i < request.num_asked; i++)
        expect(request.asked[i].serial.len <= SG_LIMIT_SERIAL);
    expect_same_again(&request);
    return 0;
}
