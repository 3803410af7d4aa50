#include "ceremony_proof.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "csr.h"
#include "output.h"

bool sg_cli_ceremony_report(void *context, const char *check, const char *what,
                            struct sg_error *error)
{
    (void)context;
    return printf("ok  %-10s  %s\n", check, what) > 0 ||
           sg_fail_errno(error, "the result could not be written to standard output");
}

bool sg_cli_ceremony_check_absent(const char *path, struct sg_error *error)
{
    return path == NULL || access(path, F_OK) != 0 ||
           sg_fail(error, SG_FAILED, NULL, "%s exists, and stays", path);
}

/* ---- sign ---- */

const struct sg_option SG_CEREMONY_SIGN_OPTIONS[] = {
    {"name", 0, "NAME", "who signs, as the plan calls them"},
    {"key", 'k', "KEY", "their private key: a PEM file, or pkcs11:token=card;object=key"},
    {"signature", 0, "FILE", "one that `ssh-keygen -Y sign` made over MANIFEST, instead of --key"},
    {"passphrase", 0, "SOURCE", "of the file: file:PATH, env:NAME, credential:NAME or prompt"},
    SG_TOKEN_OPTIONS,
    {"output", 'o', "FILE", "where the signature over a plan goes"},
    {0},
};

const char SG_CEREMONY_SIGN_DETAILS[] =
    "WHAT is a plan (.json), which is approved by it, or the folder of a ceremony that is over:\n"
    "then its record is checked as `signet ceremony prove` does before it is signed.\n"
    "With neither --key nor --signature it is checked, and told how to sign it elsewhere by an SSH "
    "key.";

/* The key that the plan has for a person, borrowed. */
static bool find_person(const struct sg_ceremony *ceremony, const char *name,
                        const struct sg_public_key **key, struct sg_error *error)
{
    for (size_t i = 0; i < ceremony->file.num_persons; i++) {
        if (strcmp(ceremony->file.persons[i].name, name) != 0)
            continue;
        *key = &ceremony->person_keys[i];
        return ceremony->person_keys[i].pkey != NULL ||
               sg_fail(error, SG_USAGE, NULL, "by the plan %s signs nothing", name);
    }
    return sg_fail(error, SG_USAGE, NULL, "the plan knows nobody called '%s'", name);
}

static bool make_signature(const struct sg_cli *cli, const struct sg_public_key *wanted,
                           struct sg_slice bytes, struct sg_buf *signature, struct sg_error *error)
{
    sg_auto(sg_csr_key) struct sg_csr_key key = {0};

    if (!sg_csr_open_key(cli, &key, error))
        return false;
    if (!sg_public_key_equal(key.signer.key, wanted))
        return sg_fail(error, SG_USAGE, NULL, "this is not the key that the plan has for %s",
                       sg_cli_text(cli, "name"));
    return key.signer.sign(key.signer.context, sg_scheme_default(key.signer.key->kind), bytes,
                           signature, error) &&
           sg_ceremony_verify(key.signer.key, bytes, sg_buf_slice(signature), error);
}

/* One that was made elsewhere. */
static bool take_signature(const struct sg_cli *cli, const struct sg_public_key *key,
                           struct sg_slice bytes, struct sg_buf *signature, struct sg_error *error)
{
    const char *path = sg_cli_text(cli, "signature");

    return sg_file_read(path, SG_LIMIT_SIGNATURE, signature, error) &&
           sg_ceremony_check_form(sg_buf_slice(signature), path, error) &&
           (sg_ceremony_verify(key, bytes, sg_buf_slice(signature), NULL) ||
            sg_fail(error, SG_REFUSED, "signatures", "%s is no signature of %s over MANIFEST", path,
                    sg_cli_text(cli, "name")));
}

static bool sign_plan(const struct sg_cli *cli, const char *path, const char *name,
                      struct sg_error *error)
{
    sg_auto(sg_ceremony) struct sg_ceremony ceremony = {0};
    sg_auto(sg_buf) struct sg_buf signature = {0};
    const struct sg_public_key *key = NULL;
    const char *output, *ignored;

    if (sg_cli_has(cli, "signature"))
        return sg_fail(error, SG_USAGE, NULL,
                       "--signature goes with a ceremony's folder; `signet ceremony run "
                       "--approval` takes one over a plan");
    return sg_cli_need(cli, "key", &ignored, error) && sg_cli_need(cli, "output", &output, error) &&
           sg_cli_ceremony_check_absent(output, error) &&
           sg_ceremony_load(path, &ceremony, error) && find_person(&ceremony, name, &key, error) &&
           make_signature(cli, key, sg_buf_slice(&ceremony.bytes), &signature, error) &&
           sg_file_write(output, sg_buf_slice(&signature), 0644, SG_KEEP_EXISTING, error);
}

/* The manifest of what is there; one that was written before has to say the same. */
static bool settle_manifest(const char *folder, const struct sg_ceremony_bundle *bundle,
                            struct sg_buf *manifest, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_slice there = {0};

    if (!sg_ceremony_manifest(bundle, manifest, error) ||
        !sg_path_join(folder, SG_CEREMONY_MANIFEST, &path, error))
        return false;
    if (!sg_ceremony_bundle_find(bundle, SG_CEREMONY_MANIFEST, &there, NULL))
        return sg_file_write(path, sg_buf_slice(manifest), 0644, SG_KEEP_EXISTING, error);
    return sg_slice_equal(there, sg_buf_slice(manifest)) ||
           sg_fail(error, SG_REFUSED, "files", "%s was changed since %s was written", folder, path);
}

static bool write_signature(const char *folder, const char *name, struct sg_slice signature,
                            struct sg_error *error)
{
    sg_auto(malloc) char *signatures = NULL;
    sg_auto(malloc) char *path = NULL;
    char slug[SG_CEREMONY_NAME_SIZE];

    if (!sg_path_join(folder, SG_CEREMONY_SIGNATURES, &signatures, error))
        return false;
    if (mkdir(signatures, 0755) != 0 && errno != EEXIST)
        return sg_fail_errno(error, "cannot make %s", signatures);
    return sg_path_join(signatures, sg_ceremony_slug(name, slug), &path, error) &&
           sg_cli_ceremony_check_absent(path, error) &&
           sg_file_write(path, signature, 0644, SG_KEEP_EXISTING, error);
}

static bool tell_how_to_sign(const char *folder, const char *name, struct sg_error *error)
{
    return printf("%s/MANIFEST is what %s signs, for example by an SSH key:\n"
                  "    ssh-keygen -Y sign -n " SG_CEREMONY_NAMESPACE " -f KEY %s/MANIFEST\n"
                  "    signet ceremony sign %s --name '%s' --signature %s/MANIFEST.sig\n",
                  folder, name, folder, folder, name, folder) > 0 ||
           sg_fail_errno(error, "the result could not be written to standard output");
}

static bool sign_manifest(const struct sg_cli *cli, const char *folder, const char *name,
                          const struct sg_public_key *key, struct sg_slice manifest,
                          struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf signature = {0};

    if (!sg_cli_has(cli, "key") && !sg_cli_has(cli, "signature"))
        return tell_how_to_sign(folder, name, error);
    return (sg_cli_has(cli, "key") ? make_signature(cli, key, manifest, &signature, error)
                                   : take_signature(cli, key, manifest, &signature, error)) &&
           write_signature(folder, name, sg_buf_slice(&signature), error);
}

static bool sign_folder(const struct sg_cli *cli, const char *folder, const char *name,
                        struct sg_error *error)
{
    const struct sg_ceremony_proving proving = {.report = sg_cli_ceremony_report};
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    sg_auto(sg_ceremony) struct sg_ceremony ceremony = {0};
    sg_auto(sg_buf) struct sg_buf manifest = {0};
    const struct sg_public_key *key = NULL;
    struct sg_slice plan = {0};

    if (sg_cli_has(cli, "key") && sg_cli_has(cli, "signature"))
        return sg_fail(error, SG_USAGE, NULL, "either --key or --signature");
    return sg_ceremony_bundle_read_folder(folder, &bundle, error) &&
           sg_ceremony_prove(&bundle, &proving, error) &&
           sg_ceremony_bundle_find(&bundle, "plan.json", &plan, error) &&
           sg_ceremony_read("plan.json", plan, SG_PLAN_ANY_WORDS, &ceremony, error) &&
           find_person(&ceremony, name, &key, error) &&
           settle_manifest(folder, &bundle, &manifest, error) &&
           sign_manifest(cli, folder, name, key, sg_buf_slice(&manifest), error);
}

bool sg_cli_ceremony_sign(struct sg_cli *cli, struct sg_error *error)
{
    const char *what = cli->operands[0], *name;
    struct stat status;

    if (!sg_cli_need(cli, "name", &name, error))
        return false;
    if (stat(what, &status) != 0)
        return sg_fail_errno(error, "cannot find %s", what);
    return S_ISDIR(status.st_mode) ? sign_folder(cli, what, name, error)
                                   : sign_plan(cli, what, name, error);
}

/* ---- bundle ---- */

const struct sg_option SG_CEREMONY_BUNDLE_OPTIONS[] = {
    {"output", 'o', "FILE", "the archive"},
    {0},
};

bool sg_cli_ceremony_bundle(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    struct sg_slice manifest = {0};
    const char *output;

    if (!sg_cli_need(cli, "output", &output, error) ||
        !sg_cli_ceremony_check_absent(output, error) ||
        !sg_ceremony_bundle_read_folder(cli->operands[0], &bundle, error))
        return false;
    if (!sg_ceremony_bundle_find(&bundle, SG_CEREMONY_MANIFEST, &manifest, NULL))
        return sg_fail(error, SG_USAGE, NULL,
                       "nobody has signed the record yet: `signet ceremony sign %s --name NAME "
                       "--key KEY`",
                       cli->operands[0]);
    return sg_ceremony_bundle_write_tar(&bundle, output, error);
}

/* ---- prove ---- */

const struct sg_option SG_CEREMONY_PROVE_OPTIONS[] = {
    {"plan-digest", 0, "HEX", "the SHA-256 of the plan that was approved"},
    {"signers", 0, "FILE", "who signed the record: names and public keys"},
    {0},
};

/* The digest in the form that plans print it in. */
static bool read_digest(const char *text, char hex[SG_SHA256_HEX_SIZE], struct sg_error *error)
{
    uint8_t digest[SG_SHA256_LEN];
    size_t len = 0;

    if (!sg_hex_parse(text, digest, sizeof digest, &len, NULL) || len != sizeof digest)
        return sg_fail(error, SG_USAGE, NULL, "--plan-digest is a SHA-256 in hex: 64 digits");
    sg_hex(sg_slice_of(digest, sizeof digest), hex, SG_SHA256_HEX_SIZE);
    return true;
}

/* The same for --json: the checks are gathered. */
static bool keep_check(void *context, const char *check, const char *what, struct sg_error *error)
{
    return json_array_append_new(context, json_pack("{s:s, s:s}", "check", check, "found", what)) ==
               0 ||
           sg_fail_memory(error);
}

static bool prove(const struct sg_cli *cli, const struct sg_ceremony_bundle *bundle,
                  struct sg_ceremony_proving *proving, struct sg_error *error)
{
    if (!cli->json) {
        proving->report = sg_cli_ceremony_report;
        return sg_ceremony_prove(bundle, proving, error) &&
               (printf("proved: %s\n", cli->operands[0]) > 0 ||
                sg_fail_errno(error, "the result could not be written to standard output"));
    }
    json_t *checks = json_array();
    proving->report = keep_check;
    proving->context = checks;
    if (!sg_ceremony_prove(bundle, proving, error)) {
        json_decref(checks);
        return false;
    }
    return sg_cli_print_json(json_pack("{s:s, s:s, s:o}", "proved", cli->operands[0], "plan",
                                       proving->plan_sha256, "checks", checks),
                             error);
}

bool sg_cli_ceremony_prove(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};
    sg_auto(sg_ceremony_signers) struct sg_ceremony_signers signers = {0};
    sg_auto(sg_buf) struct sg_buf text = {0};
    char hex[SG_SHA256_HEX_SIZE];
    struct sg_ceremony_proving proving = {.plan_sha256 = hex, .signers = &signers};
    const char *digest, *path;

    return sg_cli_need(cli, "plan-digest", &digest, error) && read_digest(digest, hex, error) &&
           sg_cli_need(cli, "signers", &path, error) &&
           sg_file_read(path, SG_LIMIT_YAML, &text, error) &&
           sg_ceremony_signers_parse(path, sg_buf_slice(&text), &signers, error) &&
           sg_ceremony_bundle_read_tar(cli->operands[0], &bundle, error) &&
           prove(cli, &bundle, &proving, error);
}
