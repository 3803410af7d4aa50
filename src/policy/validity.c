/* validity, renewal, unique: how long, again, and how many. */
#include <string.h>

#include "base/clock.h"
#include "decision.h"
#include "reading.h"

enum { HOUR_S = 3600, DAY_S = 86400 };

/* validity: reading */

static bool read_for(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_validity *validity = into;

    if (!sg_yaml_duration(document, node, &validity->for_s, error))
        return false;
    return validity->for_s > 0 ||
           sg_yaml_fail(document, node, error, "for has to be longer than 0");
}

/* "never", or a moment. */
static bool parse_end(const char *text, int64_t *end, struct sg_error *error)
{
    if (strcmp(text, "never") != 0)
        return sg_time_parse(text, end, error);
    *end = SG_TIME_NEVER;
    return true;
}

static bool read_until(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    struct sg_policy_validity *validity = into;
    struct sg_error cause = {0};
    const char *text = NULL;

    if (node->kind == SG_YAML_MAPPING || (node->text != NULL && strstr(node->text, "${") != NULL))
        return sg_value_read(document, node, &validity->until_value, error);
    return sg_yaml_text(document, node, &text, error) &&
           (parse_end(text, &validity->until, &cause) ||
            sg_yaml_fail(document, node, error, "until is never or a moment: %s", cause.text));
}

static bool read_align(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                       struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {{"day", DAY_S}, {"hour", HOUR_S}, {0}};
    struct sg_policy_validity *validity = into;
    int choice = 1;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    validity->align_s = choice;
    return true;
}

static bool read_backdate(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    struct sg_policy_validity *validity = into;

    return sg_yaml_duration(document, node, &validity->backdate_s, error);
}

static bool read_past_issuer(const struct sg_yaml *document, const struct sg_yaml_node *node,
                             void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {{"refuse", SG_PAST_ISSUER_REFUSE},
                                                    {"cut", SG_PAST_ISSUER_CUT},
                                                    {"allow", SG_PAST_ISSUER_ALLOW},
                                                    {0}};
    struct sg_policy_validity *validity = into;
    int choice = SG_PAST_ISSUER_REFUSE;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    validity->past_issuer = (enum sg_past_issuer)choice;
    return true;
}

static const struct sg_yaml_field VALIDITY_FIELDS[] = {
    {"for", SG_YAML_OPTIONAL, read_for},
    {"until", SG_YAML_OPTIONAL, read_until},
    {"backdate", SG_YAML_OPTIONAL, read_backdate},
    {"align", SG_YAML_OPTIONAL, read_align},
    {"past_issuer", SG_YAML_OPTIONAL, read_past_issuer},
    {0},
};

bool sg_policy_read_validity(const struct sg_yaml *document, const struct sg_yaml_node *node,
                             void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;

    policy->validity.node = node;
    policy->validity.align_s = 1;
    if (!sg_yaml_mapping(document, node, VALIDITY_FIELDS, &policy->validity, error))
        return false;
    if ((sg_yaml_get(node, "for") != NULL) == (sg_yaml_get(node, "until") != NULL))
        return sg_yaml_fail(document, node, error,
                            "validity wants either for: 365d or until: never, one of them");
    return true;
}

/* Both ends are aligned downwards, so that less than two units could be next to nothing. */
bool sg_policy_check_validity(const struct sg_policy *policy, struct sg_error *error)
{
    const struct sg_policy_validity *validity = &policy->validity;

    if (validity->align_s > 1 && validity->for_s > 0 && validity->for_s < 2 * validity->align_s)
        return sg_yaml_fail(policy->document, validity->node, error,
                            "align needs a validity of two %s at least",
                            validity->align_s == DAY_S ? "days" : "hours");
    if (validity->until_value.optional)
        return sg_yaml_fail(policy->document, validity->node, error,
                            "until can't be optional: there would be no end");
    return true;
}

void sg_policy_validity_done(struct sg_policy_validity *validity)
{
    sg_value_done(&validity->until_value);
}

/* renewal and unique: reading */

static bool read_window(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                        struct sg_error *error)
{
    struct sg_policy_renewal *renewal = into;

    renewal->window_node = node;
    if (!sg_yaml_duration(document, node, &renewal->window_s, error))
        return false;
    return renewal->window_s > 0 ||
           sg_yaml_fail(document, node, error, "window has to be longer than 0; or renewal: never");
}

static bool read_same_key(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {
        {"allow", SG_SAME_KEY_ALLOW}, {"refuse", SG_SAME_KEY_REFUSE}, {0}};
    struct sg_policy_renewal *renewal = into;
    int choice = SG_SAME_KEY_REFUSE;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    renewal->same_key = (enum sg_same_key)choice;
    return true;
}

static bool read_previous(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {
        {"keep", SG_PREVIOUS_KEEP}, {"revoke", SG_PREVIOUS_REVOKE}, {0}};
    struct sg_policy_renewal *renewal = into;
    int choice = SG_PREVIOUS_KEEP;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    renewal->previous = (enum sg_previous)choice;
    return true;
}

/* device.NAME or user.NAME; NAME enabled is not an attribute but what `disable` takes away. */
static bool read_recheck_item(const struct sg_yaml *document, const struct sg_yaml_node *node,
                              void *into, struct sg_error *error)
{
    struct sg_policy_renewal *renewal = into;
    const char *text = NULL;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    if (!sg_value_is_of_registry(text))
        return sg_yaml_fail(document, node, error,
                            "'%s' is nothing to recheck: use device.enabled, user.enabled, "
                            "device.NAME or user.NAME",
                            text);
    for (size_t i = 0; i < renewal->num_recheck; i++) {
        if (strcmp(renewal->recheck[i], text) == 0)
            return sg_yaml_fail(document, node, error, "%s is here twice", text);
    }
    renewal->recheck[renewal->num_recheck++] = text;
    return true;
}

static bool read_recheck(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_policy_renewal *renewal = into;

    renewal->recheck = sg_policy_new_list(document, node, "recheck", SG_LIMIT_ATTRIBUTES,
                                          sizeof *renewal->recheck, error);
    return renewal->recheck != NULL &&
           sg_yaml_each(document, node, read_recheck_item, renewal, error);
}

static bool read_of_item(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_policy_renewal *renewal = into;
    const char *text = NULL;

    if (!sg_yaml_text(document, node, &text, error))
        return false;
    if (!sg_policy_is_word(text))
        return sg_yaml_fail(document, node, error, "'%s' is no policy's name", text);
    for (size_t i = 0; i < renewal->num_of; i++)
        if (strcmp(renewal->of[i], text) == 0)
            return sg_yaml_fail(document, node, error, "%s is here twice", text);
    renewal->of[renewal->num_of++] = text;
    return true;
}

static bool read_of(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                    struct sg_error *error)
{
    struct sg_policy_renewal *renewal = into;

    renewal->of =
        sg_policy_new_list(document, node, "of", SG_LIMIT_ATTRIBUTES, sizeof *renewal->of, error);
    return renewal->of != NULL && sg_yaml_each(document, node, read_of_item, renewal, error);
}

void sg_policy_renewal_done(struct sg_policy_renewal *renewal)
{
    free(renewal->recheck);
    free(renewal->of);
    renewal->recheck = renewal->of = NULL;
    renewal->num_recheck = renewal->num_of = 0;
}

static const struct sg_yaml_field RENEWAL_FIELDS[] = {
    {"window", SG_YAML_REQUIRED, read_window},
    {"same_key", SG_YAML_OPTIONAL, read_same_key},
    {"previous", SG_YAML_OPTIONAL, read_previous},
    {"recheck", SG_YAML_OPTIONAL, read_recheck},
    {"of", SG_YAML_OPTIONAL, read_of},
    {0},
};

bool sg_policy_read_renewal(const struct sg_yaml *document, const struct sg_yaml_node *node,
                            void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;
    struct sg_policy_renewal *renewal = &policy->renewal;

    if (node->kind == SG_YAML_SCALAR && strcmp(node->text, "never") == 0)
        return true;
    if (node->kind != SG_YAML_MAPPING)
        return sg_yaml_fail(document, node, error, "renewal is never, or {window: 60d, …}");
    renewal->allowed = true;
    renewal->same_key = SG_SAME_KEY_REFUSE;
    return sg_yaml_mapping(document, node, RENEWAL_FIELDS, renewal, error);
}

bool sg_policy_check_renewal(const struct sg_policy *policy, struct sg_error *error)
{
    const struct sg_policy_renewal *renewal = &policy->renewal;
    int64_t lasts_s = policy->validity.for_s;

    if (renewal->allowed && lasts_s > 0 && renewal->window_s >= lasts_s)
        return sg_yaml_fail(policy->document, renewal->window_node, error,
                            "the window is no shorter than the certificate's life; it would be "
                            "renewable at once");
    if (renewal->allowed && policy->validity.until == SG_TIME_NEVER)
        return sg_yaml_fail(policy->document, renewal->window_node, error,
                            "a certificate that never expires has no window before its end; write "
                            "renewal: never");
    return true;
}

bool sg_policy_read_unique(const struct sg_yaml *document, const struct sg_yaml_node *node,
                           void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {
        {"device", SG_UNIQUE_DEVICE}, {"user", SG_UNIQUE_USER}, {"none", SG_UNIQUE_NONE}, {0}};
    struct sg_policy *policy = into;
    int choice = SG_UNIQUE_NONE;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    policy->unique = (enum sg_unique)choice;
    return true;
}

/* Deciding */

static bool decide_issuer(struct sg_decision *decision)
{
    const struct sg_issuer_facts *issuer = decision->input->issuer;
    char text[SG_TIME_TEXT_SIZE];

    if (decision->input->now > issuer->not_after)
        return sg_decision_refuse(decision, "validity", "issuer %s has expired: %s", issuer->name,
                                  sg_time_text(issuer->not_after, text));
    if (decision->input->now < issuer->not_before)
        return sg_decision_refuse(decision, "validity",
                                  "issuer %s is not valid yet: from %s on; is this machine's clock "
                                  "right?",
                                  issuer->name, sg_time_text(issuer->not_before, text));
    return true;
}

static int64_t align(const struct sg_policy_validity *validity, int64_t moment)
{
    return moment - moment % validity->align_s;
}

/* The moment that `until` finds in the registry. */
static bool decide_registered_end(struct sg_decision *decision, int64_t *end)
{
    const struct sg_value *value = &decision->policy->validity.until_value;
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error cause = {0};

    if (!sg_value_resolve(value, decision->input, &text, &cause))
        return sg_decision_refuse_for(decision, "validity", &cause);
    if (!parse_end((const char *)text.data, end, &cause))
        return sg_decision_refuse(decision, "validity", "%s is never or a moment: %s",
                                  value->source, cause.text);
    if (*end <= decision->input->now)
        return sg_decision_refuse(decision, "validity", "the end that %s says, %s, is past",
                                  value->source, (const char *)text.data);
    return true;
}

/* The end that the policy wants, before the issuer's has its say. */
static bool decide_end(struct sg_decision *decision, int64_t *end)
{
    const struct sg_policy_validity *validity = &decision->policy->validity;
    int64_t now = decision->input->now;
    char text[SG_TIME_TEXT_SIZE];

    if (validity->until_value.source != NULL)
        return decide_registered_end(decision, end);
    *end = validity->until;
    if (validity->for_s > 0 &&
        (__builtin_add_overflow(now, validity->for_s, end) || *end > SG_TIME_NEVER))
        return sg_decision_refuse(decision, "validity",
                                  "the certificate would outlive the year 9999, as X.509 can't");
    if (validity->for_s > 0)
        *end = align(validity, *end);
    if (*end <= now)
        return sg_decision_refuse(decision, "validity", "the policy's until, %s, is past",
                                  sg_time_text(*end, text));
    return true;
}

static bool decide_past_issuer(struct sg_decision *decision, int64_t *end)
{
    const struct sg_issuer_facts *issuer = decision->input->issuer;
    char text[SG_TIME_TEXT_SIZE], of_issuer[SG_TIME_TEXT_SIZE];

    if (decision->policy->ca.self_signed || *end <= issuer->not_after)
        return true;
    switch (decision->policy->validity.past_issuer) {
    case SG_PAST_ISSUER_ALLOW:
        return true;
    case SG_PAST_ISSUER_CUT:
        *end = issuer->not_after;
        return true;
    default:
        return sg_decision_refuse(decision, "validity",
                                  "the certificate would last until %s, past its issuer %s (%s); "
                                  "past_issuer: cut would shorten it",
                                  sg_time_text(*end, text), issuer->name,
                                  sg_time_text(issuer->not_after, of_issuer));
    }
}

/* Not before the issuer's own beginning: some verifiers want the validities to nest. */
static int64_t beginning(const struct sg_decision *decision)
{
    const struct sg_issuer_facts *issuer = decision->input->issuer;
    const struct sg_policy_validity *validity = &decision->policy->validity;
    int64_t begin = align(validity, decision->input->now - validity->backdate_s);

    if (!decision->policy->ca.self_signed && begin < issuer->not_before)
        begin = issuer->not_before;
    return begin < 0 ? 0 : begin;
}

/* A key of validity, or the whole when it isn't there. */
static const struct sg_yaml_node *key_or_all(const struct sg_yaml_node *validity, const char *key)
{
    const struct sg_yaml_node *found = sg_yaml_get(validity, key);

    return found != NULL ? found : validity;
}

/* wanted: the end before the issuer's had its say. */
static bool note_validity(struct sg_decision *decision, int64_t wanted)
{
    const struct sg_policy_validity *validity = &decision->policy->validity;
    const struct sg_plan *plan = &decision->plan;
    const char *key = validity->for_s > 0 ? "for" : "until";
    bool was_cut = plan->not_after != wanted;
    bool nests = plan->not_before != align(validity, decision->input->now - validity->backdate_s);

    if (!sg_decision_note(decision, SG_PART_NOT_BEFORE, 0,
                          validity->backdate_s > 0 ? "validity.backdate" : "validity",
                          key_or_all(validity->node, "backdate"),
                          nests ? SG_FROM_ISSUER : SG_FROM_CLOCK))
        return false;
    if (was_cut)
        return sg_decision_note(decision, SG_PART_NOT_AFTER, 0, "validity.past_issuer",
                                key_or_all(validity->node, "past_issuer"), SG_FROM_ISSUER);
    if (validity->until_value.source != NULL)
        return sg_decision_note_value(decision, SG_PART_NOT_AFTER, 0, "validity.until",
                                      &validity->until_value);
    return sg_decision_note(decision, SG_PART_NOT_AFTER, 0,
                            validity->for_s > 0 ? "validity.for" : "validity.until",
                            sg_yaml_get(validity->node, key),
                            validity->for_s > 0 ? SG_FROM_POLICY | SG_FROM_CLOCK : SG_FROM_POLICY);
}

bool sg_policy_rule_validity(struct sg_decision *decision)
{
    char begin[SG_TIME_TEXT_SIZE], end_text[SG_TIME_TEXT_SIZE];
    int64_t end = 0, wanted = 0;

    if (!decision->policy->ca.self_signed && !decide_issuer(decision))
        return false;
    if (decision->refused)
        return true;
    if (!decide_end(decision, &end))
        return false;
    wanted = end;
    if (!decision->refused && !decide_past_issuer(decision, &end))
        return false;
    if (decision->refused)
        return true;
    decision->plan.not_before = beginning(decision);
    decision->plan.not_after = end;
    return note_validity(decision, wanted) &&
           sg_decision_pass(decision, "validity", "from %s until %s",
                            sg_time_text(decision->plan.not_before, begin),
                            sg_time_text(end, end_text));
}

/* Whoever renews has to be in the registry with all that is to be looked at again. */
static bool recheck(struct sg_decision *decision)
{
    const struct sg_policy_renewal *renewal = &decision->policy->renewal;
    const struct sg_requester *requester = decision->input->requester;

    if ((requester->evidence & SG_BY_RENEWAL) == 0)
        return true;
    for (size_t i = 0; i < renewal->num_recheck; i++) {
        if (!sg_value_is_registered(renewal->recheck[i], requester))
            return sg_decision_refuse(decision, "renewal",
                                      "%s is rechecked at a renewal, and the registry has none",
                                      renewal->recheck[i]);
    }
    return true;
}

bool sg_policy_rule_renewal(struct sg_decision *decision)
{
    const struct sg_policy_renewal *renewal = &decision->policy->renewal;
    struct sg_plan *plan = &decision->plan;

    plan->renewable = renewal->allowed;
    plan->renewal_window_s = renewal->window_s;
    plan->same_key = renewal->same_key;
    plan->previous = renewal->previous;
    plan->recheck = renewal->recheck;
    plan->num_recheck = renewal->num_recheck;
    if (!recheck(decision))
        return false;
    if (decision->refused)
        return true;
    if (!renewal->allowed)
        return sg_decision_pass(decision, "renewal", "never");
    return sg_decision_pass(decision, "renewal",
                            "in the last %lld days, %s the same key; the previous one is %s",
                            (long long)(renewal->window_s / 86400),
                            renewal->same_key == SG_SAME_KEY_ALLOW ? "also with" : "not with",
                            renewal->previous == SG_PREVIOUS_KEEP ? "kept" : "revoked");
}

/* The store's claim counts; here it is only made sure that there is something to count by. */
bool sg_policy_rule_unique(struct sg_decision *decision)
{
    const struct sg_requester *requester = decision->input->requester;
    enum sg_unique unique = decision->policy->unique;

    decision->plan.unique = unique;
    if (unique == SG_UNIQUE_DEVICE && !requester->has_device)
        return sg_decision_refuse(decision, "unique",
                                  "one certificate for each device, and no device was named");
    if (unique == SG_UNIQUE_USER && !requester->has_user)
        return sg_decision_refuse(decision, "unique",
                                  "one certificate for each user, and no user was named");
    if (unique == SG_UNIQUE_NONE)
        return sg_decision_pass(decision, "unique", "not demanded");
    return sg_decision_pass(decision, "unique", "one for %s %s",
                            unique == SG_UNIQUE_DEVICE ? "device" : "user",
                            unique == SG_UNIQUE_DEVICE ? requester->device.id : requester->user.id);
}

int64_t sg_policy_issues_until(const struct sg_policy *policy, int64_t issuer_not_after)
{
    const struct sg_policy_validity *validity = &policy->validity;

    if (issuer_not_after == SG_TIME_NEVER || validity->past_issuer != SG_PAST_ISSUER_REFUSE)
        return issuer_not_after;
    if (validity->for_s != 0)
        return issuer_not_after - validity->for_s;
    /* A value of the registry's is known when its device asks. */
    return validity->until > issuer_not_after ? 0 : issuer_not_after;
}

enum sg_unique sg_policy_unique(const struct sg_policy *policy)
{
    return policy->unique;
}
