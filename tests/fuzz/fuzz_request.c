#include <string.h>

#include "request/request.h"

#include "target.h"

/* An abort is a finding. */
static void expect(bool truth)
{
    if (!truth)
        abort();
}

/* Whatever fails, fails as the request's fault and says why. */
static void expect_refusal(const struct sg_error *error)
{
    expect(sg_code_is_refusal(error->code));
    expect(error->text[0] != '\0');
}

/* A request that is accepted is read the same from its DER alone. */
static void expect_same_again(const struct sg_request *request)
{
    sg_auto(sg_request) struct sg_request again = {0};
    struct sg_error error = {0};

    expect(sg_request_parse(sg_buf_slice(&request->der), &again, &error));
    expect(sg_slice_equal(sg_buf_slice(&request->der), sg_buf_slice(&again.der)));
    expect(sg_name_equal(&request->subject, &again.subject));
    expect(sg_sans_equal(&request->sans, &again.sans));
    expect(sg_public_key_equal(&request->key, &again.key));
}

/* Who only looks learns the same cause, and gets what could be read. */
static void expect_same_look(struct sg_slice bytes, const struct sg_error *cause)
{
    sg_auto(sg_request) struct sg_request request = {0};
    struct sg_error refused = {0}, error = {0};

    if (!sg_request_look(bytes, &request, &refused, &error)) {
        expect_refusal(&error);
        expect(strcmp(error.text, cause->text) == 0);
        expect(request.der.len == 0 && request.pkcs10 == NULL);
        return;
    }
    expect(strcmp(refused.text, cause->text) == 0 && strcmp(refused.rule, cause->rule) == 0);
    expect(request.der.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_auto(sg_request) struct sg_request request = {0};
    struct sg_error error = {0}, possession = {0}, quality = {0};

    if (!sg_request_parse(sg_slice_of(data, size), &request, &error)) {
        expect_refusal(&error);
        expect(request.der.len == 0 && request.pkcs10 == NULL);
        expect_same_look(sg_slice_of(data, size), &error);
        return 0;
    }
    expect_same_again(&request);
    if (!sg_request_check_possession(&request, &possession))
        expect_refusal(&possession);
    if (!sg_request_check_key_quality(&request.key, &quality))
        expect_refusal(&quality);
    return 0;
}
