/* Requests for certificates that wait for an officer. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/limits.h"
#include "home/view.h"

static const char RULE[] = "approval";

/* ---- reading ---- */

static bool list_one(const struct sg_approval *approval, void *context, struct sg_error *error)
{
    char mark[24];

    (void)snprintf(mark, sizeof mark, "%lld", (long long)approval->id);
    return sg_api_page_add(context, sg_view_approval(approval), mark, error);
}

/* Those that wait, unless the query says which. */
static bool parse_state(const struct sg_api_call *call, struct sg_approval_filter *filter,
                        struct sg_error *error)
{
    const char *text = sg_api_query(call, "state");

    filter->only_state = text == NULL || strcmp(text, "all") != 0;
    filter->state = SG_APPROVAL_WAITING;
    if (text == NULL || !filter->only_state)
        return true;
    for (int state = SG_APPROVAL_WAITING; state <= SG_APPROVAL_USED; state++)
        if (strcmp(text, sg_approval_state_word((enum sg_approval_state)state)) == 0) {
            filter->state = (enum sg_approval_state)state;
            return true;
        }
    return sg_fail(error, SG_USAGE, "query state",
                   "state has to be waiting, approved, refused, lapsed, used or all");
}

bool sg_api_list_requests(struct sg_api_call *call, struct sg_error *error)
{
    sg_auto(sg_api_page) struct sg_api_page page = {0};
    struct sg_approval_filter filter = {.now = call->now};

    if (!sg_api_after(call, &filter.after, error) || !parse_state(call, &filter, error) ||
        !sg_api_page_begin(call, &page, error))
        return false;
    filter.num = page.limit + 1;
    return sg_store_list_approvals(call->store, &filter, list_one, &page, error) &&
           sg_api_page_reply(call, &page, "requests", error);
}

static bool find(struct sg_api_call *call, struct sg_approval *approval, struct sg_error *error)
{
    int64_t id = 0;
    bool found = false;

    if (sg_api_number(call->segments[1], 1, INT64_MAX, &id) &&
        !sg_store_find_approval(call->store, id, call->now, &found, approval, error))
        return false;
    return found || sg_api_refuse(call, 404, error, RULE, "there is no such request");
}

static bool reply_request(struct sg_api_call *call, const struct sg_approval *approval,
                          struct sg_error *error)
{
    return sg_api_reply(call, 200, sg_view_whole_approval(call->store, approval), error);
}

bool sg_api_get_request(struct sg_api_call *call, struct sg_error *error)
{
    sg_auto(sg_approval) struct sg_approval approval = {0};

    return find(call, &approval, error) && reply_request(call, &approval, error);
}

/* ---- deciding ---- */

typedef bool decide_function(struct sg_store *store, int64_t id,
                             const struct sg_approval_decision *decision, struct sg_error *error);

struct reason {
    const char *text;
};

static bool decide(struct sg_api_call *call, decide_function *function, const char *reason,
                   const char *done, struct sg_error *error)
{
    sg_auto(sg_approval) struct sg_approval approval = {0};
    sg_auto(sg_approval) struct sg_approval decided = {0};
    const struct sg_approval_decision decision = {.by = call->who->name,
                                                  .role = sg_role_word(call->who->role),
                                                  .reason = reason,
                                                  .now = call->now};

    if (!find(call, &approval, error))
        return false;
    if (!function(call->store, approval.id, &decision, error)) {
        /* of one that waits, it is who decides that is wrong */
        if (error->code == SG_REFUSED)
            call->status = approval.state == SG_APPROVAL_WAITING ? 403 : 409;
        return false;
    }
    (void)snprintf(call->said, sizeof call->said, "request %lld was %s", (long long)approval.id,
                   done);
    return find(call, &decided, error) && reply_request(call, &decided, error);
}

bool sg_api_approve_request(struct sg_api_call *call, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {
        {"reason", SG_JSON_TEXT, SG_JSON_OPTIONAL, offsetof(struct reason, text), 1,
         SG_LIMIT_VALUE},
        {0},
    };
    struct reason reason = {0};

    return (call->body == NULL || sg_api_read(call, FIELDS, &reason, error)) &&
           decide(call, sg_store_approve, reason.text, "approved", error);
}

bool sg_api_refuse_request(struct sg_api_call *call, struct sg_error *error)
{
    static const struct sg_json_field FIELDS[] = {
        {"reason", SG_JSON_TEXT, SG_JSON_REQUIRED, offsetof(struct reason, text), 1,
         SG_LIMIT_VALUE},
        {0},
    };
    struct reason reason = {0};

    return sg_api_read(call, FIELDS, &reason, error) &&
           decide(call, sg_store_refuse, reason.text, "refused", error);
}
