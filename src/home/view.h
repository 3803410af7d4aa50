/* view: what the store keeps, as JSON: the one form in which the commands and the API tell it, as
 * docs/openapi.yaml describes it.
 *
 * Each function makes an object that is the caller's; NULL when memory ran out.
 * Thread rule: none.
 */
#ifndef SG_HOME_VIEW_H
#define SG_HOME_VIEW_H

#include "base/json.h"
#include "store/approvals.h"
#include "store/tickets.h"

json_t *sg_view_certificate(const struct sg_certificate *certificate);
json_t *sg_view_ticket(const struct sg_ticket *ticket, int64_t now);
json_t *sg_view_record(const struct sg_record *record);
json_t *sg_view_approval(const struct sg_approval *approval);

/* sg_view_whole_approval has the records beside what was asked, as they are today, or null where
 * there is none: whoever approves compares them. */
json_t *sg_view_whole_approval(struct sg_store *store, const struct sg_approval *approval);

#endif
