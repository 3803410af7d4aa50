#include "policy_new.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cert/cert.h"
#include "home/examples.h"
#include "output.h"
#include "policies.h"

const struct sg_option SG_POLICY_NEW_OPTIONS[] = {
    {"description", 0, "TEXT", "what its certificates are for"},
    {"for", 0, "WHOM", "device, user, or request: whoever it names"},
    {"who", 0, "LIST", "what vouches: operator, ticket, renewal, lease, officer"},
    {"keys", 0, "LIST", "P-256, P-384, P-521, rsa, RSA-3072, ed25519, …"},
    {"subject", 0, "NAME", "'CN=${device.id},O=Example GmbH'"},
    {"san", 0, "LIST", "'dns:${device.id}.example', …, as csr --san, or none"},
    {"eku", 0, "LIST", "clientAuth, emailProtection, …, or none"},
    {"validity", 0, "TIME", "365d, 2y, never, or a date"},
    {"unique", 0, "WORD", "one valid certificate for each device, user, or none"},
    {"set", 0, "NAME=VALUE", "of the example, as device.region=eu; may be repeated"},
    {"output-dir", 0, "DIR", "write it here (default: the home's policies)"},
    {"force", 'f', NULL, "replace what is there"},
    {0},
};

/* What is written, and where to. */
struct product {
    char *folder, *file, *csr_folder, *csr_file;
    struct sg_buf text, csr_pem;
    size_t num_examples;
};

static void product_done(struct product *product)
{
    free(product->folder);
    free(product->file);
    free(product->csr_folder);
    free(product->csr_file);
    sg_buf_free(&product->text);
    sg_buf_free(&product->csr_pem);
}
SG_DEFINE_CLEANUP_IN_PLACE(product, product_done)

static bool find_folder(const struct sg_cli *cli, char **folder, struct sg_error *error)
{
    const char *given = sg_cli_text(cli, "output-dir");

    if (given == NULL && cli->home == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "where shall the policy go? Use -C DIR for a CA home, or --output-dir DIR");
    return given != NULL ? sg_path_join("", given, folder, error)
                         : sg_path_join(cli->home, "policies", folder, error);
}

/* Everything that is in the way of the files is found before a question is asked. */
static bool name_files(const struct sg_cli *cli, struct product *product, struct sg_error *error)
{
    const char *name = cli->operands[0];
    char yaml[80], csr[80];
    struct stat about;

    if (strlen(name) > 64 || name[0] == '\0' ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
        return sg_fail(error, SG_USAGE, NULL,
                       "'%.80s' is no policy's name: 1 to 64 of a-z, 0-9 and -", name);
    snprintf(yaml, sizeof yaml, "%s.yaml", name);
    snprintf(csr, sizeof csr, "%s/ok.csr", name);
    if (!find_folder(cli, &product->folder, error))
        return false;
    if (stat(product->folder, &about) != 0 || !S_ISDIR(about.st_mode))
        return sg_fail(error, SG_FAILED, NULL, "%s is not a folder; make it first",
                       product->folder);
    return sg_path_join(product->folder, yaml, &product->file, error) &&
           sg_path_join(product->folder, name, &product->csr_folder, error) &&
           sg_path_join(product->folder, csr, &product->csr_file, error) &&
           sg_cli_check_output(product->file, sg_cli_has(cli, "force"), error) &&
           (access(product->csr_folder, F_OK) != 0 ||
            sg_cli_check_output(product->csr_file, sg_cli_has(cli, "force"), error));
}

/* An example that can't be made up is no reason not to write the policy. */
static bool add_example(const struct sg_cli *cli, const struct sg_answers *answers,
                        const struct sg_policy *policy, struct product *product,
                        struct sg_buf *lines, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf csr = {0};
    struct sg_error why = {0};

    if (!sg_cli_make_example(cli, answers, policy, &csr, lines, &why)) {
        fprintf(stderr,
                "signet: the policy gets no example, as none could be made up: %s; --set "
                "gives it values\n",
                why.text);
        sg_buf_free(lines);
        return true;
    }
    return sg_cert_pem(sg_buf_slice(&csr), "CERTIFICATE REQUEST", &product->csr_pem, error);
}

static bool write_text(const struct sg_cli *cli, const struct sg_answers *answers,
                       struct product *product, struct sg_error *error)
{
    sg_auto(sg_policy) struct sg_policy *draft = NULL;
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    sg_auto(sg_buf) struct sg_buf lines = {0};

    if (!sg_cli_write_policy(answers, NULL, &text, error) ||
        !sg_policy_parse(product->file, sg_buf_slice(&text), &draft, error) ||
        !add_example(cli, answers, draft, product, &lines, error) ||
        !sg_cli_write_policy(answers, lines.len > 0 ? (const char *)lines.data : NULL,
                             &product->text, error) ||
        !sg_policy_parse(product->file, sg_buf_slice(&product->text), &policy, error))
        return false;
    product->num_examples = sg_policy_num_examples(policy);
    return true;
}

static bool write_files(const struct sg_cli *cli, const struct product *product,
                        struct sg_error *error)
{
    enum sg_overwrite overwrite = sg_cli_has(cli, "force") ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING;

    if (product->csr_pem.len > 0) {
        if (mkdir(product->csr_folder, 0777) != 0 && errno != EEXIST)
            return sg_fail_errno(error, "folder %s can't be made", product->csr_folder);
        if (!sg_file_write(product->csr_file, sg_buf_slice(&product->csr_pem), 0644, overwrite,
                           error))
            return false;
    }
    return sg_file_write(product->file, sg_buf_slice(&product->text), 0644, overwrite, error);
}

/* As the home will: the file from the disk, and its examples. */
static bool prove(const struct product *product, struct sg_error *error)
{
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(malloc) struct sg_example_result *results = NULL;

    if (!sg_policy_load(product->file, &policy, error) ||
        !sg_examples_run(policy, product->folder, &results, error))
        return false;
    for (size_t i = 0; i < sg_policy_num_examples(policy); i++)
        if (!results[i].as_expected)
            return sg_fail(error, SG_INTERNAL, NULL, "%s is written, but its example %zu is %s",
                           product->file, i + 1, results[i].text);
    return true;
}

bool sg_cli_policy_new(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_answers) struct sg_answers answers = {.name = cli->operands[0]};
    sg_auto(product) struct product product = {0};

    if (!name_files(cli, &product, error) || !sg_cli_answer(cli, &answers, error) ||
        !write_text(cli, &answers, &product, error) || !write_files(cli, &product, error) ||
        !prove(&product, error))
        return false;
    if (cli->json)
        return sg_cli_print_json(json_pack("{s:s, s:s, s:i}", "policy", answers.name, "file",
                                           product.file, "examples", (int)product.num_examples),
                                 error);
    printf("%s is written, with %zu example%s\n", product.file, product.num_examples,
           product.num_examples == 1 ? "" : "s");
    return true;
}
