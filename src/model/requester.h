/* requester: who is asking, as the registry knows them, and what proved it. */
#ifndef SG_MODEL_REQUESTER_H
#define SG_MODEL_REQUESTER_H

#include "base/cleanup.h"
#include "base/limits.h"

struct sg_attribute {
    char *name;
    char *value;
};

/* A device or a user in the registry. attributes do not hold the id. */
struct sg_record {
    char *id;
    struct sg_attribute *attributes;
    size_t num_attributes;
    bool disabled;
};

/* sg_record_value: an attribute's value, or NULL. */
const char *sg_record_value(const struct sg_record *record, const char *name);
/* sg_record_set adds or replaces an attribute, copying. */
SG_MUST_USE bool sg_record_set(struct sg_record *record, const char *name, const char *value,
                               struct sg_error *error);
/* sg_record_unset takes an attribute away; one that is not there is no error. */
void sg_record_unset(struct sg_record *record, const char *name);
/* sg_record_copy copies all of a record; to is empty before, and on failure. */
SG_MUST_USE bool sg_record_copy(const struct sg_record *from, struct sg_record *to,
                                struct sg_error *error);
void sg_record_done(struct sg_record *record);
SG_DEFINE_CLEANUP_IN_PLACE(sg_record, sg_record_done)

/* What vouched for the requester; a policy's `who` asks for these. */
enum sg_evidence_kind {
    SG_BY_OPERATOR = 1 << 0, /* someone with the CA's home in hand: the command line */
    SG_BY_TICKET = 1 << 1,
    SG_BY_RENEWAL = 1 << 2, /* the certificate that is being renewed */
    SG_BY_LEASE = 1 << 3,
    SG_BY_APPROVAL = 1 << 4,
    SG_BY_OFFICER = 1 << 5, /* an officer of the service */
};

struct sg_requester {
    unsigned evidence;
    bool has_device, has_user;
    struct sg_record device;
    struct sg_record user;
    char *token; /* the id of the card that the key is on; NULL: not told */
};

void sg_requester_done(struct sg_requester *requester);
SG_DEFINE_CLEANUP_IN_PLACE(sg_requester, sg_requester_done)

#endif
