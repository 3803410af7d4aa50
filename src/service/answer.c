#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "desk.h"

enum { RETRY_AFTER_S = 5 };

static unsigned status_of(enum sg_code code)
{
    switch (code) {
    case SG_MALFORMED:
    case SG_POSSESSION:
    case SG_KEY_QUALITY:
        return 400;
    case SG_UNAUTHENTICATED:
        return 401;
    case SG_REFUSED:
        return 403;
    case SG_TOKEN:
    case SG_PIN:
    case SG_STORE:
        return 503;
    case SG_OK:
    case SG_FAILED:
    case SG_USAGE:
    case SG_INVALID:
    case SG_INTERNAL:
        break;
    }
    return 500;
}

/* What can't be encoded is left out: then the front waits in vain, and says so. */
static void encode(struct sg_errand *errand, const struct sg_message *answer)
{
    (void)!sg_message_encode(answer, SG_WIRE_ISSUER, &errand->answer, NULL);
}

void sg_answer_refusal(struct sg_errand *errand, const struct sg_error *why)
{
    struct sg_message answer = {.type = SG_WIRE_ANSWER, .id = errand->message.id};
    const unsigned status = status_of(why->code);
    char rule[SG_ERROR_RULE_SIZE], text[SG_ERROR_TEXT_SIZE];

    (void)snprintf(rule, sizeof rule, "%s", why->rule);
    (void)snprintf(text, sizeof text, "%s", why->text);
    sg_message_set_number(&answer, SG_WIRE_STATUS, status);
    if (status == 503)
        sg_message_set_number(&answer, SG_WIRE_RETRY_AFTER, RETRY_AFTER_S);
    /* A machine's trouble has no rule that a client could keep. */
    if (sg_code_is_refusal(why->code))
        sg_message_set_text(&answer, SG_WIRE_RULE,
                            rule[0] != '\0' ? sg_text_make_printable(rule)
                                            : sg_code_name(why->code));
    sg_message_set_text(&answer, SG_WIRE_TEXT, sg_text_make_printable(text));
    encode(errand, &answer);
}

/* Without a body, which RFC 7030 4.2.3 leaves open: BouncyCastle 1.72 closes one unread, and fails.
 */
void sg_answer_wait(struct sg_errand *errand, const struct sg_error *why, unsigned retry_after)
{
    struct sg_message answer = {.type = SG_WIRE_ANSWER, .id = errand->message.id};
    char rule[SG_ERROR_RULE_SIZE], text[SG_ERROR_TEXT_SIZE];

    (void)snprintf(rule, sizeof rule, "%s", why->rule);
    (void)snprintf(text, sizeof text, "%s", why->text);
    sg_message_set_number(&answer, SG_WIRE_STATUS, 202);
    sg_message_set_number(&answer, SG_WIRE_RETRY_AFTER, retry_after);
    sg_message_set_text(&answer, SG_WIRE_RULE, sg_text_make_printable(rule));
    sg_message_set_text(&answer, SG_WIRE_TEXT, sg_text_make_printable(text));
    encode(errand, &answer);
}

void sg_answer_bytes(struct sg_errand *errand, const char *media_type, const char *encoding,
                     struct sg_slice body, const char *serial)
{
    struct sg_message answer = {.type = SG_WIRE_ANSWER, .id = errand->message.id};

    sg_message_set_number(&answer, SG_WIRE_STATUS, 200);
    sg_message_set_text(&answer, SG_WIRE_MEDIA_TYPE, media_type);
    sg_message_set_text(&answer, SG_WIRE_ENCODING, encoding);
    sg_message_set_bytes(&answer, SG_WIRE_BODY, body);
    sg_message_set_text(&answer, SG_WIRE_SERIAL, serial);
    encode(errand, &answer);
}

void sg_answer_busy(struct sg_errand *errand, const char *text, unsigned retry_after)
{
    struct sg_message answer = {.type = SG_WIRE_ANSWER, .id = errand->message.id};

    sg_message_set_number(&answer, SG_WIRE_STATUS, 503);
    sg_message_set_number(&answer, SG_WIRE_RETRY_AFTER, retry_after);
    sg_message_set_text(&answer, SG_WIRE_TEXT, text);
    encode(errand, &answer);
}

void sg_answer_ocsp(struct sg_errand *errand, const struct sg_ocsp_answer *found,
                    const struct sg_error *why)
{
    struct sg_message answer = {.type = SG_WIRE_ANSWER, .id = errand->message.id};
    char rule[SG_ERROR_RULE_SIZE], text[SG_ERROR_TEXT_SIZE];

    (void)snprintf(rule, sizeof rule, "%s", why->rule);
    if (found->status == SG_OCSP_SUCCESSFUL)
        (void)snprintf(text, sizeof text, "%zu good, %zu revoked, %zu unknown", found->num_good,
                       found->num_revoked, found->num_unknown);
    else
        (void)snprintf(text, sizeof text, "%s: %.*s", sg_ocsp_status_word(found->status),
                       (int)sizeof text - 32, why->text);
    sg_message_set_number(&answer, SG_WIRE_STATUS, 200);
    sg_message_set_text(&answer, SG_WIRE_MEDIA_TYPE, "application/ocsp-response");
    sg_message_set_bytes(&answer, SG_WIRE_BODY, sg_buf_slice(&found->der));
    if (rule[0] != '\0')
        sg_message_set_text(&answer, SG_WIRE_RULE, sg_text_make_printable(rule));
    sg_message_set_text(&answer, SG_WIRE_TEXT, sg_text_make_printable(text));
    if (found->cacheable) {
        sg_message_set_number(&answer, SG_WIRE_MODIFIED, (uint64_t)found->this_update);
        sg_message_set_number(&answer, SG_WIRE_EXPIRES, (uint64_t)found->next_update);
        sg_message_set_number(&answer, SG_WIRE_GENERATION, (uint64_t)found->generation);
    }
    encode(errand, &answer);
}
