/* request: how what the request asks for has to agree with what it gets. A request never chooses:
 * what differs is refused, so that nobody gets another certificate than the one they asked for.
 */
#include <string.h>

#include "base/hex.h"
#include "decision.h"
#include "reading.h"

/* Reading */

static bool read_asked(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       enum sg_asked *asked, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {{"equal", SG_ASKED_EQUAL},
                                                    {"equal-or-absent", SG_ASKED_EQUAL_OR_ABSENT},
                                                    {"ignore", SG_ASKED_IGNORE},
                                                    {0}};
    int choice = SG_ASKED_EQUAL_OR_ABSENT;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    *asked = (enum sg_asked)choice;
    return true;
}

static bool read_subject(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    struct sg_policy_asked *asked = into;

    return read_asked(document, node, &asked->subject, error);
}

static bool read_san(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                     struct sg_error *error)
{
    struct sg_policy_asked *asked = into;

    return read_asked(document, node, &asked->san, error);
}

static bool read_extensions(const struct sg_yaml *document, const struct sg_yaml_node *node,
                            void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {{"match", false}, {"ignore", true}, {0}};
    struct sg_policy_asked *asked = into;
    int choice = false;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    asked->ignore_extensions = choice;
    return true;
}

static bool read_version(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         void *into, struct sg_error *error)
{
    static const struct sg_yaml_choice CHOICES[] = {{"v1", false}, {"any", true}, {0}};
    struct sg_policy_asked *asked = into;
    int choice = false;

    if (!sg_yaml_word(document, node, CHOICES, &choice, error))
        return false;
    asked->any_version = choice;
    return true;
}

static const struct sg_yaml_field FIELDS[] = {
    {"subject", SG_YAML_OPTIONAL, read_subject},
    {"san", SG_YAML_OPTIONAL, read_san},
    {"extensions", SG_YAML_OPTIONAL, read_extensions},
    {"version", SG_YAML_OPTIONAL, read_version},
    {0},
};

bool sg_policy_read_request(const struct sg_yaml *document, const struct sg_yaml_node *node,
                            void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;

    return sg_yaml_mapping(document, node, FIELDS, &policy->asked, error);
}

/* Names */

enum { NAMES_TEXT_SIZE = 240 };

static size_t count(const struct sg_name *name, const char *oid)
{
    size_t num = 0;

    sg_name_first(name, oid, &num);
    return num;
}

/* The first type that name has more often than other, or NULL. */
static const char *surplus(const struct sg_name *name, const struct sg_name *other)
{
    for (size_t i = 0; i < name->num; i++) {
        if (count(name, name->rdns[i].oid) > count(other, name->rdns[i].oid))
            return sg_oid_attribute_word(name->rdns[i].oid);
    }
    return NULL;
}

/* An SPKAC has no place for a name, so that it neither lacks one nor asks for one. */
static bool can_say_names(const struct sg_request *request)
{
    return request->format != SG_REQUEST_SPKAC;
}

/* The subject's rule has compared value by value; what is left is what only one side has. The order
 * of types is the policy's to choose. */
bool sg_policy_rule_request_subject(struct sg_decision *decision)
{
    static const char FIELD[] = "request.subject";
    const struct sg_name *asked = &decision->input->request->subject;
    const struct sg_name *given = &decision->plan.subject;
    enum sg_asked mode = decision->policy->asked.subject;
    char asked_text[NAMES_TEXT_SIZE], given_text[NAMES_TEXT_SIZE];
    const char *more = surplus(asked, given), *less = surplus(given, asked);

    if (mode == SG_ASKED_IGNORE)
        return sg_decision_pass(decision, FIELD, "ignored");
    if (!can_say_names(decision->input->request))
        return sg_decision_pass(decision, FIELD, "an SPKAC says none");
    sg_name_text(asked, asked_text, sizeof asked_text);
    sg_name_text(given, given_text, sizeof given_text);
    if (more != NULL)
        return sg_decision_refuse(decision, FIELD,
                                  "the request asks for %s, which this policy does not give: the "
                                  "request says %s, this policy %s",
                                  more, asked_text, given_text);
    if (less != NULL && mode == SG_ASKED_EQUAL)
        return sg_decision_refuse(decision, FIELD,
                                  "the request lacks %s: the request says %s, this policy %s", less,
                                  asked_text, given_text);
    return sg_decision_pass(decision, FIELD, "%s agrees", asked_text);
}

/* The first of names that is not among others, alone; or none. */
static struct sg_sans first_stranger(const struct sg_sans *names, const struct sg_sans *others)
{
    for (size_t i = 0; i < names->num; i++) {
        const struct sg_sans one = {.items = &names->items[i], .num = 1};
        size_t at = 0;

        while (at < others->num &&
               !sg_sans_equal(&one, &(const struct sg_sans){.items = &others->items[at], .num = 1}))
            at++;
        if (at == others->num)
            return one;
    }
    return (struct sg_sans){0};
}

bool sg_policy_rule_request_san(struct sg_decision *decision)
{
    static const char FIELD[] = "request.san";
    const struct sg_request *request = decision->input->request;
    const struct sg_sans *given = &decision->plan.sans;
    enum sg_asked mode = decision->policy->asked.san;
    const struct sg_sans more = first_stranger(&request->sans, given);
    const struct sg_sans less = first_stranger(given, &request->sans);
    char one_text[NAMES_TEXT_SIZE], given_text[NAMES_TEXT_SIZE];

    if (mode == SG_ASKED_IGNORE)
        return sg_decision_pass(decision, FIELD, "ignored");
    if (!can_say_names(request))
        return sg_decision_pass(decision, FIELD, "an SPKAC says none");
    if (more.num > 0)
        return sg_decision_refuse(
            decision, FIELD, "the request asks for the name %s; this policy gives %s",
            sg_sans_text(&more, one_text, sizeof one_text),
            given->num > 0 ? sg_sans_text(given, given_text, sizeof given_text)
                           : "no alternative names");
    if (less.num > 0 && mode == SG_ASKED_EQUAL)
        return sg_decision_refuse(decision, FIELD, "the request lacks the name %s",
                                  sg_sans_text(&less, one_text, sizeof one_text));
    return sg_decision_pass(decision, FIELD, request->has_sans ? "agrees" : "the request has none");
}

/* Extensions */

enum { ASKED_TEXT_SIZE = 200 };

/* A judge of one kind of extension: true when it agrees; else text says what does not. */
typedef bool judge(const struct sg_request *request, const struct sg_plan *plan,
                   char text[SG_ERROR_TEXT_SIZE]);

static bool judge_key_usage(const struct sg_request *request, const struct sg_plan *plan,
                            char text[SG_ERROR_TEXT_SIZE])
{
    unsigned more = request->key_usage & ~plan->key_usage;
    char asked[ASKED_TEXT_SIZE], given[ASKED_TEXT_SIZE];

    if (more == 0)
        return true;
    snprintf(text, SG_ERROR_TEXT_SIZE,
             "the request asks for keyUsage %s; this policy gives only %s",
             sg_key_usage_text(more, asked, sizeof asked),
             sg_key_usage_text(plan->key_usage, given, sizeof given));
    return false;
}

static bool judge_purposes(const struct sg_request *request, const struct sg_plan *plan,
                           char text[SG_ERROR_TEXT_SIZE])
{
    char given[ASKED_TEXT_SIZE];

    for (size_t i = 0; i < request->purposes.num; i++) {
        const char *asked = request->purposes.items[i];

        if (sg_oids_contain(&plan->purposes, asked))
            continue;
        snprintf(text, SG_ERROR_TEXT_SIZE,
                 "the request asks for extendedKeyUsage %s; this policy gives %s%s",
                 sg_oid_purpose_word(asked), plan->purposes.num > 0 ? "only " : "none",
                 sg_oids_purposes_text(&plan->purposes, given, sizeof given));
        return false;
    }
    return true;
}

static bool judge_basic_constraints(const struct sg_request *request, const struct sg_plan *plan,
                                    char text[SG_ERROR_TEXT_SIZE])
{
    if (!request->has_basic_constraints)
        return true;
    if (request->ca != plan->ca) {
        snprintf(text, SG_ERROR_TEXT_SIZE,
                 "the request asks for basicConstraints CA:%s; this policy gives CA:%s",
                 request->ca ? "TRUE" : "FALSE", plan->ca ? "TRUE" : "FALSE");
        return false;
    }
    if (plan->path_length >= 0 && request->path_length > plan->path_length) {
        snprintf(text, SG_ERROR_TEXT_SIZE,
                 "the request asks for path length %ld; this policy gives %ld",
                 request->path_length, plan->path_length);
        return false;
    }
    return true;
}

/* subjectAltName has its own key; subjectKeyIdentifier is Signet's to make, and clients often send
 * one by habit. */
static bool is_judged_elsewhere(const char *oid)
{
    static const char *const OIDS[] = {"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19",
                                       "2.5.29.37"};

    for (size_t i = 0; i < sizeof OIDS / sizeof OIDS[0]; i++) {
        if (strcmp(OIDS[i], oid) == 0)
            return true;
    }
    return false;
}

static bool judge_others(const struct sg_request *request, const struct sg_plan *plan,
                         char text[SG_ERROR_TEXT_SIZE])
{
    for (size_t i = 0; i < request->extensions.num; i++) {
        const struct sg_extension *asked = &request->extensions.items[i];
        const struct sg_extension *given = sg_extensions_find(&plan->extensions, asked->oid);

        if (is_judged_elsewhere(asked->oid))
            continue;
        if (given != NULL &&
            sg_slice_equal(sg_buf_slice(&asked->value), sg_buf_slice(&given->value)))
            continue;
        snprintf(text, SG_ERROR_TEXT_SIZE, "the request asks for the extension %s; this policy %s",
                 sg_oid_extension_word(asked->oid),
                 given != NULL ? "gives it another value" : "does not give it");
        return false;
    }
    return true;
}

bool sg_policy_rule_request_extensions(struct sg_decision *decision)
{
    static judge *const JUDGES[] = {judge_key_usage, judge_purposes, judge_basic_constraints,
                                    judge_others};
    static const char FIELD[] = "request.extensions";
    const struct sg_request *request = decision->input->request;
    char text[SG_ERROR_TEXT_SIZE];

    if (decision->policy->asked.ignore_extensions)
        return sg_decision_pass(decision, FIELD, "ignored");
    for (size_t i = 0; i < sizeof JUDGES / sizeof JUDGES[0]; i++) {
        if (!JUDGES[i](request, &decision->plan, text))
            return sg_decision_refuse(decision, FIELD, "%s", text);
    }
    return sg_decision_pass(decision, FIELD,
                            request->extensions.num > 0 ? "what the request asks for, it gets"
                                                        : "the request asks for none");
}

/* Version */

bool sg_policy_rule_request_version(struct sg_decision *decision)
{
    static const char FIELD[] = "request.version";
    long version = decision->input->request->version;

    if (version == 0)
        return sg_decision_pass(decision, FIELD, "v1");
    if (decision->policy->asked.any_version)
        return sg_decision_pass(decision, FIELD, "v%ld, tolerated", version + 1);
    return sg_decision_refuse(
        decision, FIELD,
        "the request's version is %ld (v%ld) and must be 0 (v1), the only one "
        "there is (RFC 2986 4.1); `request: {version: any}` tolerates it",
        version, version + 1);
}
