#include <openssl/crypto.h>
#include <openssl/err.h>

#include "parts.h"

static const char RULE[] = "challenge";

bool sg_request_keep_challenge(struct sg_slice text, struct sg_request *request,
                               struct sg_error *error)
{
    if (text.len > SG_LIMIT_CHALLENGE)
        return sg_fail(error, SG_MALFORMED, "RFC 2985 5.4.1: challengePassword",
                       "the request's challenge has %zu bytes, and %d is the limit", text.len,
                       SG_LIMIT_CHALLENGE);
    if (text.len > 0 && memchr(text.data, 0, text.len) != NULL)
        return sg_fail(error, SG_MALFORMED, "RFC 2985 5.4.1: challengePassword",
                       "the request's challenge has a zero byte");
    request->has_challenge = true;
    return sg_buf_set(&request->challenge, text, error);
}

static bool is_equal(const struct sg_request *request, const struct sg_secret *wanted)
{
    struct sg_slice bytes = sg_secret_slice(wanted);

    return request->challenge.len == bytes.len &&
           CRYPTO_memcmp(request->challenge.data, bytes.data, bytes.len) == 0;
}

bool sg_request_check_challenge(const struct sg_request *request, const struct sg_secret *wanted,
                                struct sg_error *error)
{
    if (request->format == SG_REQUEST_OWN_KEY)
        return true;
    if (wanted == NULL) {
        if (request->format != SG_REQUEST_SPKAC || request->challenge.len == 0)
            return true;
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "the SPKAC answers a challenge, and none was given to compare it with; say "
                       "where it is with --challenge-file FILE");
    }
    if (request->challenge.len == 0)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "the request has no challenge, and one was given that it must repeat");
    if (!is_equal(request, wanted))
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "the request's challenge is not the one that was given; make the request "
                       "again with that one");
    return true;
}
