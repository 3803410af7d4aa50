#include "view.h"

static json_t *digest_json(const uint8_t sha256[SG_SHA256_LEN])
{
    char text[SG_SHA256_HEX_SIZE];

    return json_string(sg_hex(sg_slice_of(sha256, SG_SHA256_LEN), text, sizeof text));
}

json_t *sg_view_certificate(const struct sg_certificate *certificate)
{
    char serial[SG_SERIAL_TEXT_SIZE];
    const bool revoked = certificate->status == SG_STATUS_REVOKED ||
                         certificate->status == SG_STATUS_HELD ||
                         certificate->status == SG_STATUS_ORPHANED;

    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "serial",
        sg_serial_text(&certificate->serial, serial), "status", sg_status_word(certificate->status),
        "issuer", certificate->issuer, "policy", certificate->policy, "subject",
        sg_json_text(certificate->subject), "device", sg_json_text_or_null(certificate->device),
        "user", sg_json_text_or_null(certificate->user), "token",
        sg_json_text_or_null(certificate->token), "not_before",
        sg_json_moment(certificate->not_before), "not_after",
        sg_json_moment(certificate->not_after), "key_sha256", digest_json(certificate->spki_sha256),
        "revoked", revoked ? sg_json_moment(certificate->revoked) : json_null(), "reason",
        revoked ? json_string(sg_reason_word(certificate->reason)) : json_null());
}

json_t *sg_view_ticket(const struct sg_ticket *ticket, int64_t now)
{
    return json_pack(
        "{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)ticket->id, "state",
        sg_ticket_state_word(sg_ticket_state(ticket, now)), "policy", ticket->policy, "device",
        sg_json_text_or_null(ticket->device), "user", sg_json_text_or_null(ticket->user), "token",
        sg_json_text_or_null(ticket->token), "made", sg_json_moment(ticket->made), "made_by",
        sg_json_text(ticket->made_by), "not_after", sg_json_moment(ticket->not_after), "pin_tries",
        ticket->wants_pin ? json_integer(ticket->tries) : json_null());
}

json_t *sg_view_record(const struct sg_record *record)
{
    json_t *values = json_object();

    for (size_t i = 0; i < record->num_attributes; i++)
        if (json_object_set_new(values, record->attributes[i].name,
                                sg_json_text(record->attributes[i].value)) != 0) {
            json_decref(values);
            return NULL;
        }
    return json_pack("{s:o, s:b, s:o}", "id", sg_json_text(record->id), "enabled",
                     !record->disabled, "values", values);
}

json_t *sg_view_approval(const struct sg_approval *approval)
{
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
        (json_int_t)approval->id, "state", sg_approval_state_word(approval->state), "policy",
        approval->policy, "role", approval->role, "subject", sg_json_text(approval->subject),
        "device", sg_json_text_or_null(approval->device), "user",
        sg_json_text_or_null(approval->user), "token", sg_json_text_or_null(approval->token),
        "key_sha256", digest_json(approval->spki_sha256), "asked", sg_json_moment(approval->asked),
        "asked_by", sg_json_text(approval->asked_by), "not_after",
        sg_json_moment(approval->not_after), "decided", sg_json_moment(approval->decided),
        "decided_by", sg_json_text_or_null(approval->decided_by), "reason",
        sg_json_text_or_null(approval->reason));
}

static json_t *record_of(struct sg_store *store, enum sg_registry_kind kind, const char *id)
{
    sg_auto(sg_record) struct sg_record record = {0};

    return id != NULL && sg_store_find_record(store, kind, id, &record, NULL)
               ? sg_view_record(&record)
               : json_null();
}

json_t *sg_view_whole_approval(struct sg_store *store, const struct sg_approval *approval)
{
    sg_auto(json_t) json_t *view = sg_view_approval(approval);

    if (view == NULL ||
        json_object_set_new(view, "device_record",
                            record_of(store, SG_REGISTRY_DEVICE, approval->device)) != 0 ||
        json_object_set_new(view, "user_record",
                            record_of(store, SG_REGISTRY_USER, approval->user)) != 0)
        return NULL;
    return SG_TAKE(view);
}
