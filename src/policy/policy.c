#include "policy.h"

#include <string.h>

#include "base/file.h"
#include "reading.h"

static bool read_name(const struct sg_yaml *document, const struct sg_yaml_node *node, void *into,
                      struct sg_error *error)
{
    struct sg_policy *policy = into;

    if (!sg_yaml_text(document, node, &policy->name, error))
        return false;
    return sg_policy_is_word(policy->name) ||
           sg_yaml_fail(document, node, error,
                        "'%s' is no name of a policy: 1 to 64 of a-z, 0-9 and -", policy->name);
}

static bool read_description(const struct sg_yaml *document, const struct sg_yaml_node *node,
                             void *into, struct sg_error *error)
{
    struct sg_policy *policy = into;

    if (!sg_yaml_text(document, node, &policy->description, error))
        return false;
    return policy->description[0] != '\0' ||
           sg_yaml_fail(document, node, error, "say in a line what the certificates are for");
}

/* Every key of the language; docs/policy.md explains them in this order. */
static const struct sg_yaml_field FIELDS[] = {
    {"policy", SG_YAML_REQUIRED, read_name},
    {"description", SG_YAML_REQUIRED, read_description},
    {"who", SG_YAML_REQUIRED, sg_policy_read_who},
    {"keys", SG_YAML_REQUIRED, sg_policy_read_keys},
    {"subject", SG_YAML_REQUIRED, sg_policy_read_subject},
    {"san", SG_YAML_OPTIONAL, sg_policy_read_san},
    {"extended_key_usage", SG_YAML_OPTIONAL, sg_policy_read_extended_key_usage},
    {"extensions", SG_YAML_OPTIONAL, sg_policy_read_extensions},
    {"certificate_policies", SG_YAML_OPTIONAL, sg_policy_read_certificate_policies},
    {"ca", SG_YAML_OPTIONAL, sg_policy_read_ca},
    {"name_constraints", SG_YAML_OPTIONAL, sg_policy_read_name_constraints},
    {"policy_constraints", SG_YAML_OPTIONAL, sg_policy_read_policy_constraints},
    {"inhibit_any_policy", SG_YAML_OPTIONAL, sg_policy_read_inhibit_any_policy},
    {"publish", SG_YAML_OPTIONAL, sg_policy_read_publish},
    {"validity", SG_YAML_REQUIRED, sg_policy_read_validity},
    {"renewal", SG_YAML_OPTIONAL, sg_policy_read_renewal},
    {"unique", SG_YAML_OPTIONAL, sg_policy_read_unique},
    {"quota", SG_YAML_OPTIONAL, sg_policy_read_quota},
    {"server_keys", SG_YAML_OPTIONAL, sg_policy_read_server_keys},
    {"request", SG_YAML_OPTIONAL, sg_policy_read_request},
    {"examples", SG_YAML_OPTIONAL, sg_policy_read_examples},
    {0},
};

/* What keys have to say about each other. */
static sg_policy_check_function *const CHECKS[] = {
    sg_policy_check_who,         sg_policy_check_keys,     sg_policy_check_subject,
    sg_policy_check_fixed,       sg_policy_check_validity, sg_policy_check_renewal,
    sg_policy_check_server_keys,
};

static bool read_document(struct sg_policy *policy, struct sg_error *error)
{
    if (!sg_yaml_mapping(policy->document, sg_yaml_root(policy->document), FIELDS, policy, error))
        return false;
    for (size_t i = 0; i < sizeof CHECKS / sizeof CHECKS[0]; i++) {
        if (!CHECKS[i](policy, error))
            return false;
    }
    return true;
}

bool sg_policy_parse(const char *name, struct sg_slice text, struct sg_policy **policy,
                     struct sg_error *error)
{
    sg_auto(sg_policy) struct sg_policy *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    if (!sg_buf_set(&fresh->source, text, error) ||
        !sg_yaml_parse(name, text, &fresh->document, error) || !read_document(fresh, error))
        return false;
    sg_sha256(text, fresh->sha256);
    *policy = SG_TAKE(fresh);
    return true;
}

/* A policy is asked for by its name and found by its file's: they must not differ. */
static bool check_file_name(const struct sg_policy *policy, const char *path,
                            struct sg_error *error)
{
    static const char ENDING[] = ".yaml";
    const char *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path;
    size_t len = strlen(policy->name);

    if (strncmp(file, policy->name, len) == 0 && strcmp(file + len, ENDING) == 0)
        return true;
    return sg_yaml_fail(policy->document, sg_yaml_get(sg_yaml_root(policy->document), "policy"),
                        error, "the policy is called %s, so its file has to be %s%s", policy->name,
                        policy->name, ENDING);
}

bool sg_policy_load(const char *path, struct sg_policy **policy, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_policy) struct sg_policy *fresh = NULL;
    struct sg_error cause = {0};

    if (!sg_file_read(path, SG_LIMIT_YAML, &text, &cause)) {
        sg_fail(error, cause.code == SG_MALFORMED ? SG_INVALID : cause.code, cause.rule, "%s",
                cause.text);
        if (error != NULL && error->detail == 0)
            error->detail = cause.detail;
        return false;
    }
    if (!sg_policy_parse(path, sg_buf_slice(&text), &fresh, error) ||
        !check_file_name(fresh, path, error))
        return false;
    *policy = SG_TAKE(fresh);
    return true;
}

void sg_policy_free(struct sg_policy *policy)
{
    if (policy == NULL)
        return;
    sg_policy_keys_done(&policy->keys);
    sg_policy_subject_done(&policy->subject);
    sg_policy_sans_done(&policy->sans);
    sg_oids_done(&policy->purposes);
    sg_policy_extensions_done(&policy->extensions);
    sg_policy_fixed_done(policy->fixed);
    sg_policy_validity_done(&policy->validity);
    sg_policy_renewal_done(&policy->renewal);
    sg_policy_examples_done(&policy->examples);
    sg_yaml_free(policy->document);
    sg_buf_free(&policy->source);
    free(policy);
}

const char *sg_policy_name(const struct sg_policy *policy)
{
    return policy->name;
}

const char *sg_policy_description(const struct sg_policy *policy)
{
    return policy->description;
}

const uint8_t *sg_policy_sha256(const struct sg_policy *policy)
{
    return policy->sha256;
}

struct sg_slice sg_policy_source(const struct sg_policy *policy)
{
    return sg_buf_slice(&policy->source);
}

bool sg_policy_is_ca(const struct sg_policy *policy)
{
    return policy->ca.node != NULL;
}

bool sg_policy_signs_ocsp(const struct sg_policy *policy)
{
    return sg_oids_contain(&policy->purposes, SG_OID_OCSP_SIGNING);
}

bool sg_policy_is_self_signed(const struct sg_policy *policy)
{
    return policy->ca.self_signed;
}

/* Any text that has to have a value from there. */
static bool refers_to(const struct sg_policy *policy, enum sg_value_source source)
{
    for (size_t i = 0; i < policy->subject.num; i++) {
        if (sg_value_needs(&policy->subject.items[i].value, source))
            return true;
    }
    for (size_t i = 0; i < policy->sans.num; i++) {
        if (sg_policy_san_needs(&policy->sans.items[i], source))
            return true;
    }
    for (size_t i = 0; i < policy->extensions.num; i++) {
        if (sg_policy_content_needs(&policy->extensions.items[i].content, source))
            return true;
    }
    return sg_value_needs(&policy->validity.until_value, source);
}

bool sg_policy_needs_device(const struct sg_policy *policy)
{
    return policy->unique == SG_UNIQUE_DEVICE || refers_to(policy, SG_VALUE_DEVICE);
}

bool sg_policy_needs_user(const struct sg_policy *policy)
{
    return policy->unique == SG_UNIQUE_USER || refers_to(policy, SG_VALUE_USER);
}

unsigned sg_policy_evidence(const struct sg_policy *policy)
{
    return policy->who.evidence;
}

bool sg_policy_renews(const struct sg_policy *policy, const char *name)
{
    const struct sg_policy_renewal *renewal = &policy->renewal;

    if (!(policy->who.evidence & SG_BY_RENEWAL))
        return false;
    for (size_t i = 0; i < renewal->num_of; i++)
        if (strcmp(renewal->of[i], name) == 0)
            return true;
    return strcmp(policy->name, name) == 0;
}

bool sg_policy_registers(const struct sg_policy *policy)
{
    return policy->who.register_unknown_devices;
}

size_t sg_policy_num_examples(const struct sg_policy *policy)
{
    return policy->examples.num;
}

const struct sg_policy_example *sg_policy_example(const struct sg_policy *policy, size_t index)
{
    return &policy->examples.items[index];
}
