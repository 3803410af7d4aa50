#include <string.h>

#include "ceremony/template.h"
#include "ceremony_proof.h"
#include "ceremony_screen.h"
#include "commands.h"
#include "open.h"
#include "output.h"

/* ---- template ---- */

static bool run_template(struct sg_cli *cli, struct sg_error *error)
{
    const char *text;

    if (!sg_ceremony_template(cli->operands[0], &text, error))
        return false;
    fputs(text, stdout);
    return true;
}

/* ---- plan ---- */

static const struct sg_option PLAN_OPTIONS[] = {
    {"output", 'o', "PLAN", "write the plan here; what is approved is its digest"},
    {"markdown", 0, NULL, "print it as Markdown, with boxes for times and initials"},
    {0},
};

static bool is_plan(const char *path)
{
    size_t len = strlen(path);

    return len > 5 && strcmp(path + len - 5, ".json") == 0;
}

static bool open_plan(const struct sg_cli *cli, struct sg_ceremony *ceremony,
                      struct sg_error *error)
{
    const char *path = cli->operands[0], *output = sg_cli_text(cli, "output");

    if (is_plan(path))
        return (output == NULL || sg_fail(error, SG_USAGE, NULL,
                                          "%s is a plan already; --output goes with a "
                                          "ceremony.yaml",
                                          path)) &&
               sg_ceremony_load(path, ceremony, error);
    if (output != NULL && !is_plan(output))
        return sg_fail(error, SG_USAGE, NULL, "the name of a plan ends in .json");
    return sg_cli_ceremony_check_absent(output, error) &&
           sg_ceremony_draft(path, ceremony, error) &&
           (output == NULL ||
            sg_file_write(output, sg_buf_slice(&ceremony->bytes), 0644, SG_KEEP_EXISTING, error));
}

static bool run_plan(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_ceremony) struct sg_ceremony ceremony = {0};
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (!open_plan(cli, &ceremony, error) ||
        !sg_ceremony_script(&ceremony,
                            sg_cli_has(cli, "markdown") ? SG_SCRIPT_MARKDOWN : SG_SCRIPT_TEXT, NULL,
                            &text, error))
        return false;
    if (!is_plan(cli->operands[0]) && !sg_cli_has(cli, "output"))
        fprintf(stderr, "signet: this plan was not kept (-o does); the next one draws other "
                        "serial numbers\n");
    return fwrite(text.data, 1, text.len, stdout) == text.len ||
           sg_fail_errno(error, "the plan could not be written to standard output");
}

/* ---- rehearse and run ---- */

static const struct sg_option REHEARSE_OPTIONS[] = {
    {"output", 'o', "DIR", "where it takes place; a new folder"},
    {"qr", 0, NULL, "show each fingerprint as a QR code, too"},
    {"by-itself", 0, NULL, "every question is answered as the plan wants it"},
    {0},
};

static const struct sg_option RUN_OPTIONS[] = {
    {"output", 'o', "DIR", "where it takes place; the same folder goes on with it"},
    {"qr", 0, NULL, "show each fingerprint as a QR code, too"},
    {"approval", 0, "FILE", "a signature over the plan; may be repeated"},
    {0},
};

enum { MAX_APPROVALS = 100 };

static bool load_plan(const struct sg_cli *cli, struct sg_ceremony *ceremony, const char **folder,
                      struct sg_error *error)
{
    return sg_cli_need(cli, "output", folder, error) &&
           sg_ceremony_load(cli->operands[0], ceremony, error);
}

/* What came of a rehearsal is held against the plan as what comes of a ceremony will be. */
static bool compare(const char *folder, struct sg_error *error)
{
    const struct sg_ceremony_proving proving = {.rehearsal = true,
                                                .report = sg_cli_ceremony_report};
    sg_auto(sg_ceremony_bundle) struct sg_ceremony_bundle bundle = {0};

    return sg_ceremony_bundle_read_folder(folder, &bundle, error) &&
           sg_ceremony_prove(&bundle, &proving, error);
}

static bool run_rehearse(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_ceremony) struct sg_ceremony ceremony = {0};
    struct sg_screen screen = {.qr = sg_cli_has(cli, "qr")};
    struct sg_ceremony_people people =
        sg_cli_has(cli, "by-itself") ? sg_screen_nobody() : sg_screen_people(&screen);
    struct sg_ceremony_options options = {.version = SG_VERSION, .rehearsal = true};

    return load_plan(cli, &ceremony, &options.folder, error) &&
           sg_ceremony_run(&ceremony, &options, &people, error) && compare(options.folder, error);
}

static bool run_run(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_ceremony) struct sg_ceremony ceremony = {0};
    const char *approvals[MAX_APPROVALS];
    struct sg_screen screen = {.qr = sg_cli_has(cli, "qr")};
    struct sg_ceremony_people people = sg_screen_people(&screen);
    struct sg_ceremony_options options = {.version = SG_VERSION, .approvals = approvals};

    while (options.num_approvals < MAX_APPROVALS &&
           sg_cli_nth(cli, "approval", options.num_approvals) != NULL) {
        approvals[options.num_approvals] = sg_cli_nth(cli, "approval", options.num_approvals);
        options.num_approvals++;
    }
    return load_plan(cli, &ceremony, &options.folder, error) &&
           sg_ceremony_run(&ceremony, &options, &people, error);
}

const struct sg_command SG_CEREMONY_COMMANDS[] = {
    {"ceremony template", "KIND", "print a commented ceremony.yaml of a common kind",
     "KIND is root, root-and-issuing, yearly or restore-drill.", NULL, 1, 1, run_template},
    {"ceremony plan", "FILE", "what a ceremony will do, without a token",
     "FILE is a ceremony.yaml, of which a plan is made, or a plan (.json) to be printed again.",
     PLAN_OPTIONS, 1, 1, run_plan},
    {"ceremony rehearse", "PLAN", "go through it on throwaway tokens", NULL, REHEARSE_OPTIONS, 1, 1,
     run_rehearse},
    {"ceremony run", "PLAN", "do it, act by act", NULL, RUN_OPTIONS, 1, 1, run_run},
    {"ceremony sign", "WHAT", "sign a plan, or the record of a ceremony", SG_CEREMONY_SIGN_DETAILS,
     SG_CEREMONY_SIGN_OPTIONS, 1, 1, sg_cli_ceremony_sign},
    {"ceremony bundle", "DIR", "put the record into one archive", NULL, SG_CEREMONY_BUNDLE_OPTIONS,
     1, 1, sg_cli_ceremony_bundle},
    {"ceremony prove", "BUNDLE", "check what a ceremony's bundle tells, without a token", NULL,
     SG_CEREMONY_PROVE_OPTIONS, 1, 1, sg_cli_ceremony_prove},
    {0},
};
