#include "policy/policy.h"

#include <dirent.h>
#include <string.h>

#include "commands.h"
#include "home/examples.h"
#include "open.h"
#include "output.h"
#include "policies.h"

/* What is said once, where someone looks at policies. */
static void tell_note(const struct sg_policy *policy)
{
    struct sg_error note = {0};

    if (sg_policy_has_note(policy, &note))
        fprintf(stderr, "signet: note: %s\n", note.text);
}

/* Without a home, or with one that can't be read, nobody knows what a registry has. */
static bool note_fields(const struct sg_cli *cli, const struct sg_policy *policy,
                        struct sg_error *error)
{
    sg_auto(sg_config) struct sg_config config = {0};
    sg_auto(malloc) char *path = NULL;
    struct sg_error why = {0};

    if (cli->home == NULL)
        return true;
    if (!sg_path_join(cli->home, "signet.yaml", &path, error))
        return false;
    if (sg_config_load(path, &config, &why))
        return sg_cli_note_fields(&config, policy, error);
    fprintf(stderr, "signet: note: no policy is held against the registry: %s\n", why.text);
    return true;
}

/* "accepted", or "refused by " and the rule. */
static const char *expectation(const struct sg_policy_example *example)
{
    return example->accept ? "accepted" : "refused by ";
}

static const char *expected_rule(const struct sg_policy_example *example)
{
    return example->accept ? "" : example->refuse;
}

static void print_result(const char *path, const struct sg_example_result *result)
{
    const struct sg_policy_example *example = result->example;

    if (result->as_expected)
        printf("ok     %s:%u  %s: %s\n", path, example->line, example->csr, result->text);
    else
        printf("WRONG  %s:%u  %s: expected %s%s, but %s\n", path, example->line, example->csr,
               expectation(example), expected_rule(example), result->text);
}

static json_t *result_json(const char *path, const struct sg_example_result *result)
{
    return json_pack(
        "{s:o, s:o, s:i, s:b, s:o, s:o}", "policy", sg_json_text(path), "csr",
        sg_json_text(result->example->csr), "line", (int)result->example->line, "as_expected",
        result->as_expected, "expected",
        json_sprintf("%s%s", expectation(result->example), expected_rule(result->example)), "text",
        sg_json_text(result->text));
}

/* Tells every example's verdict; counts those that are not as expected. */
static bool test_one(const struct sg_cli *cli, const char *path, json_t **array, size_t *num,
                     size_t *wrong, struct sg_error *error)
{
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(malloc) struct sg_example_result *results = NULL;
    const char *slash = strrchr(path, '/');
    sg_auto(malloc) char *folder =
        slash != NULL ? strndup(path, (size_t)(slash - path)) : strdup(".");

    if (folder == NULL)
        return sg_fail_memory(error);
    if (!sg_policy_load(path, &policy, error) || !note_fields(cli, policy, error) ||
        !sg_examples_run(policy, folder, &results, error))
        return false;
    tell_note(policy);
    for (size_t i = 0; i < sg_policy_num_examples(policy); i++) {
        ++*num;
        *wrong += !results[i].as_expected;
        if (cli->json)
            sg_cli_append(array, result_json(path, &results[i]));
        else
            print_result(path, &results[i]);
    }
    if (!cli->json && sg_policy_num_examples(policy) == 0)
        printf("none   %s has no examples\n", path);
    return true;
}

static int is_policy_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

/* The files of all policies of the home, in the order of their names. */
static bool list_home_policies(const struct sg_cli *cli, char ***paths, size_t *num,
                               struct sg_error *error)
{
    sg_auto(malloc) char *folder = NULL;
    struct dirent **entries;

    if (cli->home == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "no CA home is named; use -C DIR, or name policy files");
    if (!sg_path_join(cli->home, "policies", &folder, error))
        return false;
    int found = scandir(folder, &entries, is_policy_file, alphasort);
    if (found < 0)
        return sg_fail_errno(error, "%s can't be read", folder);
    *paths = calloc((size_t)found + 1, sizeof **paths);
    bool done = *paths != NULL || sg_fail_memory(error);
    for (int i = 0; i < found; i++) {
        done = done && sg_path_join(folder, entries[i]->d_name, &(*paths)[(*num)++], error);
        free(entries[i]);
    }
    free(entries);
    return done;
}

static bool list_named_policies(const struct sg_cli *cli, char ***paths, size_t *num,
                                struct sg_error *error)
{
    *paths = calloc((size_t)cli->num_operands, sizeof **paths);
    if (*paths == NULL)
        return sg_fail_memory(error);
    for (int i = 0; i < cli->num_operands; i++)
        if (!sg_cli_policy_path(cli, cli->operands[i], &(*paths)[(*num)++], error))
            return false;
    return true;
}

static bool test_all(struct sg_cli *cli, char **paths, size_t num_paths, struct sg_error *error)
{
    json_t *array = json_array();
    size_t num = 0, wrong = 0;
    bool done = true;

    for (size_t i = 0; done && i < num_paths; i++)
        done = test_one(cli, paths[i], &array, &num, &wrong, error);
    cli->answered = done && cli->json;
    if (cli->answered)
        done = sg_cli_print_json(json_incref(array), error);
    json_decref(array);
    if (done && !cli->json)
        printf("%zu example%s, %zu not as expected\n", num, num == 1 ? "" : "s", wrong);
    return done && (wrong == 0 || sg_fail(error, SG_INVALID, NULL,
                                          "%zu of %zu examples are not as expected", wrong, num));
}

static bool run_test(struct sg_cli *cli, struct sg_error *error)
{
    char **paths = NULL;
    size_t num = 0;
    bool done = (cli->num_operands > 0 ? list_named_policies(cli, &paths, &num, error)
                                       : list_home_policies(cli, &paths, &num, error)) &&
                test_all(cli, paths, num, error);

    for (size_t i = 0; i < num; i++)
        free(paths[i]);
    free(paths);
    return done;
}

static bool run_show(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    char digest[SG_SHA256_HEX_SIZE];

    if (!sg_cli_policy_path(cli, cli->operands[0], &path, error) ||
        !sg_policy_load(path, &policy, error))
        return false;
    sg_hex(sg_slice_of(sg_policy_sha256(policy), SG_SHA256_LEN), digest, sizeof digest);
    struct sg_slice source = sg_policy_source(policy);
    if (cli->json)
        return sg_cli_print_json(
            json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:s%}", "policy", sg_policy_name(policy),
                      "description", sg_policy_description(policy), "sha256", digest, "ca",
                      sg_policy_is_ca(policy), "needs_device", sg_policy_needs_device(policy),
                      "needs_user", sg_policy_needs_user(policy), "examples",
                      (int)sg_policy_num_examples(policy), "source", (const char *)source.data,
                      source.len),
            error);
    printf("# %s\n# SHA-256 %s\n%.*s", path, digest, (int)source.len, (const char *)source.data);
    return true;
}

const struct sg_command SG_POLICY_COMMANDS[] = {
    {"policy test", "[POLICY…]", "run the examples of policies (default: of all in the home)",
     "POLICY is a name in the home or a file.", NULL, 0, -1, run_test},
    {"policy show", "POLICY", "a policy as it is in force, with its digest", NULL, NULL, 1, 1,
     run_show},
    {"policy explain", "REQUEST|SERIAL|FILE", "which rule put each field into a certificate",
     "With --policy: into the certificate that REQUEST would get. Without: into one that the home\n"
     "has issued, by its serial number or file; its request is not kept, so it is decided again\n"
     "from its record, by the policy and the registry of today.",
     SG_POLICY_EXPLAIN_OPTIONS, 1, 1, sg_cli_policy_explain},
    {"policy diff", "[OLD] NEW", "which issued certificates a changed policy would change",
     "OLD and NEW are names in the home or files. The last certificates under the policy are\n"
     "decided again under NEW, and compared with what was issued, or with what OLD gives today.\n"
     "Exit status 1 when any of them differs.",
     SG_POLICY_DIFF_OPTIONS, 1, 2, sg_cli_policy_diff},
    {"policy new", "NAME", "write a policy from a few answers",
     "Asks on the terminal for what no option says, and writes NAME.yaml with comments and an\n"
     "example into the home's policies. ${device.NAME}, ${user.NAME} and ${request.TYPE} stand "
     "for\n"
     "what is different in each certificate.",
     SG_POLICY_NEW_OPTIONS, 1, 1, sg_cli_policy_new},
    {0},
};
