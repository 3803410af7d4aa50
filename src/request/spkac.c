/* SPKAC: Netscape's SignedPublicKeyAndChallenge, which browsers' <keygen> made and programs still
 * do. It has a key, a challenge and a signature, and no name. */
#include <openssl/err.h>
#include <string.h>

#include "base/der.h"
#include "parts.h"

static const char RULE[] = "HTML 5 keygen: SignedPublicKeyAndChallenge";
static const char PREFIX[] = "SPKAC=";

/* A PKCS#10 request does, with its version: a quick no for nearly every request. */
static bool has_a_number_first(struct sg_slice der)
{
    struct sg_der signed_object, content, first;

    return sg_der_next(&der, &signed_object) && sg_der_next(&signed_object.content, &content) &&
           sg_der_next(&content.content, &first) && first.tag == SG_DER_INTEGER;
}

bool sg_spkac_is_der(struct sg_slice der)
{
    const unsigned char *at = der.data;
    sg_auto(NETSCAPE_SPKI) NETSCAPE_SPKI *spkac = NULL;

    if (has_a_number_first(der))
        return false;
    spkac = d2i_NETSCAPE_SPKI(NULL, &at, (long)der.len);
    ERR_clear_error();
    return spkac != NULL;
}

/* ---- the text form ---- */

/* Takes the next line off text, without its line end and the spaces around it. */
static struct sg_slice take_line(struct sg_slice *text)
{
    const uint8_t *feed = memchr(text->data, '\n', text->len);
    size_t len = feed != NULL ? (size_t)(feed - text->data) : text->len;
    struct sg_slice line = sg_slice_of(text->data, len);

    *text = feed != NULL ? sg_slice_of(feed + 1, text->len - len - 1) : (struct sg_slice){0};
    while (line.len > 0 && strchr(" \t\r", line.data[line.len - 1]) != NULL &&
           line.data[line.len - 1] != 0)
        line.len--;
    while (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t'))
        line = sg_slice_of(line.data + 1, line.len - 1);
    return line;
}

static bool has_prefix(struct sg_slice line)
{
    return line.len >= sizeof PREFIX - 1 && memcmp(line.data, PREFIX, sizeof PREFIX - 1) == 0;
}

static bool is_comment(struct sg_slice line)
{
    return line.len == 0 || line.data[0] == '#';
}

/* Digits of base64, and at the end what fills it up. */
static bool is_base64(struct sg_slice line)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t num = 0;

    while (num < line.len && memchr(DIGITS, line.data[num], sizeof DIGITS - 1) != NULL)
        num++;
    for (size_t i = num; i < line.len; i++)
        if (line.data[i] != '=')
            return false;
    return line.len - num <= 2;
}

static bool add_line(struct sg_slice line, struct sg_buf *base64, struct sg_error *error)
{
    const uint8_t *sign;

    if (has_prefix(line)) {
        if (base64->len > 0)
            return sg_fail(error, SG_MALFORMED, RULE,
                           "there is a line SPKAC= after another SPKAC; put each into a file of "
                           "its own");
        line = sg_slice_of(line.data + sizeof PREFIX - 1, line.len - (sizeof PREFIX - 1));
    }
    if (is_base64(line))
        return sg_buf_append(base64, line.data, line.len, SG_LIMIT_REQUEST, error);
    sign = memchr(line.data, '=', line.len);
    if (sign != NULL && sign - line.data <= 40)
        return sg_fail(error, SG_MALFORMED, RULE,
                       "beside the SPKAC there is a line \"%.*s=\": nobody signed it, and the name "
                       "comes from the requester's record; leave such lines out",
                       (int)(sign - line.data), (const char *)line.data);
    return sg_fail(error, SG_MALFORMED, RULE,
                   "the SPKAC is damaged: there must be its base64 and nothing else");
}

/* The lines' base64, put together. */
static bool join(struct sg_slice text, struct sg_buf *base64, struct sg_error *error)
{
    while (text.len > 0) {
        struct sg_slice line = take_line(&text);

        if (!is_comment(line) && !add_line(line, base64, error))
            return false;
    }
    return true;
}

/* There is one base64 of bytes: unused bits are zero, and nothing is left out at the end. */
static bool decode_base64(struct sg_slice base64, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(malloc) uint8_t *bytes = malloc(base64.len + 1), *again = malloc(base64.len + 1);
    size_t num_fill = 0;
    int len;

    if (bytes == NULL || again == NULL)
        return sg_fail_memory(error);
    while (num_fill < base64.len && base64.data[base64.len - 1 - num_fill] == '=')
        num_fill++;
    len = base64.len > 0 && base64.len % 4 == 0 && num_fill <= 2
              ? EVP_DecodeBlock(bytes, base64.data, (int)base64.len) - (int)num_fill
              : -1;
    if (len <= 0 || EVP_EncodeBlock(again, bytes, len) != (int)base64.len ||
        memcmp(again, base64.data, base64.len) != 0)
        return sg_fail(error, SG_MALFORMED, "RFC 4648 3.5",
                       "the SPKAC is not whole base64: it is cut short, or was changed");
    return sg_buf_set(der, sg_slice_of(bytes, (size_t)len), error);
}

/* Without the prefix it can be anything in base64, so it has to be one. */
static bool is_bare(struct sg_slice text)
{
    sg_auto(sg_buf) struct sg_buf base64 = {0}, der = {0};

    return join(text, &base64, NULL) && decode_base64(sg_buf_slice(&base64), &der, NULL) &&
           sg_spkac_is_der(sg_buf_slice(&der));
}

bool sg_spkac_is_text(struct sg_slice text)
{
    for (struct sg_slice rest = text; rest.len > 0;)
        if (has_prefix(take_line(&rest)))
            return true;
    return text.len <= SG_LIMIT_REQUEST && is_bare(text);
}

bool sg_spkac_unwrap(struct sg_slice text, struct sg_buf *der, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf base64 = {0}, fresh = {0};

    if (!join(text, &base64, error) || !decode_base64(sg_buf_slice(&base64), &fresh, error))
        return false;
    if (!sg_spkac_is_der(sg_buf_slice(&fresh)))
        return sg_fail(error, SG_MALFORMED, RULE,
                       "what stands after SPKAC= is not a SignedPublicKeyAndChallenge");
    *der = fresh;
    fresh = (struct sg_buf){0}; /* now owned by the caller */
    return true;
}

/* ---- the DER ---- */

static bool read_challenge(struct sg_request *request, struct sg_error *error)
{
    const ASN1_IA5STRING *challenge = request->spkac->spkac->challenge;
    struct sg_slice text =
        sg_slice_of(ASN1_STRING_get0_data(challenge), (size_t)ASN1_STRING_length(challenge));

    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80)
            return sg_fail(error, SG_MALFORMED, RULE,
                           "the challenge has a byte that is not ASCII, which an IA5String can't "
                           "have");
    if (!sg_request_keep_challenge(text, request, error))
        return false;
    request->has_challenge = text.len > 0;
    return true;
}

static bool read_algorithm(struct sg_request *request, struct sg_error *error)
{
    return sg_request_read_algorithm(&request->spkac->sig_algor, request, error);
}

static bool read_key(struct sg_request *request, struct sg_error *error)
{
    return sg_request_read_key(request->spkac->spkac->pubkey, &request->key, error);
}

bool sg_spkac_read(struct sg_request *request, struct sg_error *refused, struct sg_error *error)
{
    static const sg_request_step STEPS[] = {read_algorithm, read_key, read_challenge};

    request->spkac =
        sg_der_decode(sg_buf_slice(&request->der), ASN1_ITEM_rptr(NETSCAPE_SPKI), "SPKAC", error);
    return request->spkac != NULL &&
           sg_request_take_steps(STEPS, sizeof STEPS / sizeof *STEPS, request, refused, error);
}
