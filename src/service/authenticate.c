/* What a client of EST brings to be believed, as the front has passed it on; the path judges it. */
#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "desk.h"

static const char RULE[] = "requester";

/* RFC 7617 2 */
static bool decode(const char *authorization, struct sg_buf *credentials, struct sg_error *error)
{
    static const char SCHEME[] = "Basic ";
    struct sg_error why = {0};

    if (strncasecmp(authorization, SCHEME, strlen(SCHEME)) != 0)
        return sg_fail(error, SG_UNAUTHENTICATED, "RFC 7030 3.2.3",
                       "the Authorization is not of the scheme Basic");
    if (sg_base64_decode(sg_slice_text(authorization + strlen(SCHEME)), credentials, &why))
        return true;
    if (why.code == SG_MALFORMED)
        return sg_fail(error, SG_UNAUTHENTICATED, "RFC 7617 2",
                       "what the Authorization says behind Basic is not base64");
    *error = why;
    return false;
}

/* Refuses in the words of sg_ticket_find. */
static bool take_ticket(struct sg_slice text, struct sg_errand *errand, struct sg_error *error)
{
    if (text.len != sizeof errand->ticket - 1)
        return sg_fail(error, SG_UNAUTHENTICATED, "ticket", "there is no such ticket");
    memcpy(errand->ticket, text.data, text.len);
    errand->ticket[text.len] = '\0';
    return true;
}

static bool parse_hash(struct sg_slice text, uint8_t hash[SG_PIN_HASH_LEN])
{
    char digits[2 * SG_PIN_HASH_LEN + 1] = "";
    size_t len = 0;
    bool is_hash;

    if (text.len != sizeof digits - 1)
        return false;
    memcpy(digits, text.data, text.len);
    is_hash = sg_hex_parse(digits, hash, SG_PIN_HASH_LEN, &len, NULL) && len == SG_PIN_HASH_LEN;
    OPENSSL_cleanse(digits, sizeof digits);
    return is_hash;
}

/* An empty password is none. What is no hash costs no try. */
static bool take_pin_hash(struct sg_slice text, struct sg_errand *errand, struct sg_error *error)
{
    errand->has_pin_hash = text.len > 0 && parse_hash(text, errand->pin_hash);
    return errand->has_pin_hash || text.len == 0 ||
           sg_fail(error, SG_UNAUTHENTICATED, "PIN",
                   "the password is no hash of a PIN, which is %d hex digits",
                   2 * (int)SG_PIN_HASH_LEN);
}

static bool split(struct sg_slice credentials, struct sg_errand *errand, struct sg_error *error)
{
    const uint8_t *colon = memchr(credentials.data, ':', credentials.len);
    size_t len;

    if (colon == NULL)
        return sg_fail(error, SG_UNAUTHENTICATED, "RFC 7617 2",
                       "the Authorization has no colon behind the ticket");
    len = (size_t)(colon - credentials.data);
    return take_ticket(sg_slice_of(credentials.data, len), errand, error) &&
           take_pin_hash(sg_slice_of(colon + 1, credentials.len - len - 1), errand, error);
}

static bool take_credentials(const char *authorization, struct sg_errand *errand,
                             struct sg_error *error)
{
    struct sg_buf credentials = {0};
    const bool is_taken = decode(authorization, &credentials, error) &&
                          split(sg_buf_slice(&credentials), errand, error);

    sg_wire_wipe(&credentials);
    return is_taken;
}

bool sg_service_evidence(struct sg_errand *errand, struct sg_evidence *evidence,
                         struct sg_error *error)
{
    const char *authorization = sg_message_text(&errand->message, SG_WIRE_AUTHORIZATION);
    const struct sg_slice certificate = errand->message.bytes[SG_WIRE_CLIENT];

    if (certificate.len == 0 && errand->message.type == SG_WIRE_REENROLL)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "simplereenroll renews the certificate that the client uses in TLS, and "
                       "there is none");
    if (certificate.len == 0 && authorization == NULL)
        return sg_fail(error, SG_UNAUTHENTICATED, RULE,
                       "nothing says who is asking: bring a ticket, or use the certificate that "
                       "is to be renewed in TLS");
    if (authorization != NULL && !take_credentials(authorization, errand, error))
        return false;
    *evidence = (struct sg_evidence){
        .ticket = authorization != NULL ? errand->ticket : NULL,
        .pin_hash = errand->has_pin_hash ? errand->pin_hash : NULL,
        .certificate = certificate,
    };
    return true;
}
