/* A backup of the home, and a home of a backup. */
#include <inttypes.h>
#include <string.h>

#include "backup/backup.h"
#include "base/json.h"
#include "commands.h"
#include "open.h"
#include "output.h"

static const struct sg_option BACKUP_OPTIONS[] = {
    {"force", 'f', NULL, "replace what is there"},
    {0},
};

static const struct sg_option RESTORE_OPTIONS[] = {
    {"crl", 0, "FILE", "a CRL published since: its entries stay revoked; may be repeated"},
    {"old", 0, "DIR", "another home whose store also knows what was revoked"},
    {"crl-number", 0, "N", "the next CRL's number at least (default: by the time passed)"},
    {"dry-run", 0, NULL, "check the backup, say what is in it, and make nothing"},
    {0},
};

/* ---- what is in a backup ---- */

static json_t *facts_json(const struct sg_backup_facts *facts)
{
    char made[SG_TIME_TEXT_SIZE], id[SG_SHA256_HEX_SIZE];

    return json_pack("{s:o, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "ca",
                     sg_json_text(facts->ca), "made", sg_time_text(facts->made, made), "sha256",
                     sg_hex(sg_slice_of(facts->id, SG_SHA256_LEN), id, sizeof id), "store_version",
                     facts->version, "certificates", (json_int_t)facts->num_certificates,
                     "unrecorded", (json_int_t)facts->num_unrecorded, "revocations",
                     (json_int_t)facts->num_revocations, "records", (json_int_t)facts->num_records,
                     "tickets", (json_int_t)facts->num_tickets, "home_files",
                     (json_int_t)facts->num_files, "left_out",
                     sg_json_text_or_null(facts->left_out));
}

static void print_facts(const char *path, const struct sg_backup_facts *facts)
{
    char made[SG_TIME_TEXT_SIZE], id[SG_SHA256_HEX_SIZE];

    printf("%s: %s, as of %s\n", path, facts->ca, sg_time_text(facts->made, made));
    printf("  %" PRId64 " certificates, %" PRId64 " revocations, %" PRId64
           " devices and users, %zu files of the home\n",
           facts->num_certificates, facts->num_revocations, facts->num_records, facts->num_files);
    printf("  sha256 of its manifest %s\n",
           sg_hex(sg_slice_of(facts->id, SG_SHA256_LEN), id, sizeof id));
}

/* ---- backup ---- */

static bool run_backup(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_home) struct sg_home *home = NULL;
    sg_auto(sg_backup_facts) struct sg_backup_facts facts = {0};
    const char *path = cli->operands[0];

    if (!sg_cli_open_home(cli, SG_STORE_READ_ONLY, &home, error) ||
        !sg_backup_write(home, path,
                         sg_cli_has(cli, "force") ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING,
                         sg_clock_now(&cli->clock), &facts, error))
        return false;
    if (cli->json)
        return sg_cli_print_json(facts_json(&facts), error);
    print_facts(path, &facts);
    printf("  not in it: keys, which stay on their tokens, and PINs%s%s\n",
           facts.left_out != NULL ? "; " : "", facts.left_out != NULL ? facts.left_out : "");
    return true;
}

/* ---- restore ---- */

static json_t *restored_json(const struct sg_restored *restored)
{
    json_t *issuers = json_array();

    for (size_t i = 0; i < restored->num_issuers; i++)
        sg_cli_append(&issuers,
                      json_pack("{s:o, s:I}", "issuer", sg_json_text(restored->issuers[i].name),
                                "next_crl", (json_int_t)restored->issuers[i].next_crl));
    return json_pack("{s:o, s:b, s:I, s:I, s:o}", "backup", facts_json(&restored->facts),
                     "store_only", restored->store_only, "revocations_kept",
                     (json_int_t)restored->kept.num_known, "unknown_revocations_kept",
                     (json_int_t)restored->kept.num_unknown, "issuers", issuers);
}

/* What the backup can't know. */
static void print_warnings(const struct sg_cli *cli, const struct sg_restored *restored)
{
    const struct sg_backup_facts *facts = &restored->facts;
    char made[SG_TIME_TEXT_SIZE];

    printf("what happened after %s is not known here:\n", sg_time_text(facts->made, made));
    printf("  - certificates issued since: they are valid out there, OCSP says unknown, and they "
           "can't\n    be revoked here; see docs/operations.md\n");
    if (!sg_cli_has(cli, "crl") && !sg_cli_has(cli, "old"))
        printf("  - revocations since: NONE WERE GIVEN. If a CRL was published since, remove what "
               "was\n    made here and restore again with --crl FILE\n");
    if (facts->num_unrecorded > 0)
        printf("  - %" PRId64 " certificates that were not recorded then: they count as revoked\n",
               facts->num_unrecorded);
    if (facts->num_tickets > 0)
        printf("  - %" PRId64 " tickets: what was spent since is open again; see `signet ticket "
               "list`\n",
               facts->num_tickets);
    printf("next: a CRL for each issuer; `signet crl` makes it, and the service when it starts\n");
}

static void print_restored(const struct sg_cli *cli, const struct sg_restored *restored)
{
    print_facts(cli->operands[0], &restored->facts);
    printf("restored %s %s\n", restored->store_only ? "the store of the home" : "as the home",
           cli->home);
    if (restored->kept.num_known + restored->kept.num_unknown > 0)
        printf("kept %zu revocations that came later, and %zu of certificates that the backup "
               "does not know\n",
               restored->kept.num_known, restored->kept.num_unknown);
    for (size_t i = 0; i < restored->num_issuers; i++)
        printf("issuer %s: its next CRL has number %" PRId64 "\n", restored->issuers[i].name,
               restored->issuers[i].next_crl);
    print_warnings(cli, restored);
}

static bool parse_number(const struct sg_cli *cli, int64_t *number, struct sg_error *error)
{
    const char *text = sg_cli_text(cli, "crl-number");
    size_t len;

    if (text == NULL)
        return true;
    len = strspn(text, "0123456789");
    if (len == 0 || len > 18 || text[len] != '\0' || (*number = strtoll(text, NULL, 10)) == 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "--crl-number %s: it is a number from 1 on, of 18 digits at most", text);
    return true;
}

static bool restore(struct sg_cli *cli, const char *const *crls, size_t num_crls,
                    struct sg_error *error)
{
    sg_auto(sg_restored) struct sg_restored restored = {0};
    struct sg_restore wanted = {
        .backup = cli->operands[0],
        .dir = cli->home,
        .crls = crls,
        .num_crls = num_crls,
        .old = sg_cli_text(cli, "old"),
        .now = sg_clock_now(&cli->clock),
    };

    if (cli->home == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "signet restore needs -C DIR, the folder that becomes the home");
    if (!parse_number(cli, &wanted.crl_number, error) ||
        !sg_backup_restore(&wanted, &restored, error))
        return false;
    if (cli->json)
        return sg_cli_print_json(restored_json(&restored), error);
    print_restored(cli, &restored);
    return true;
}

static bool check(const struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(sg_backup_facts) struct sg_backup_facts facts = {0};

    if (!sg_backup_check(cli->operands[0], &facts, error))
        return false;
    if (cli->json)
        return sg_cli_print_json(facts_json(&facts), error);
    print_facts(cli->operands[0], &facts);
    return true;
}

static bool run_restore(struct sg_cli *cli, struct sg_error *error)
{
    sg_auto(malloc) const char **crls = NULL;
    size_t num = 0;

    if (sg_cli_has(cli, "dry-run"))
        return check(cli, error);
    while (sg_cli_nth(cli, "crl", num) != NULL)
        num++;
    crls = calloc(num + 1, sizeof *crls);
    if (crls == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < num; i++)
        crls[i] = sg_cli_nth(cli, "crl", i);
    return restore(cli, crls, num, error);
}

const struct sg_command SG_BACKUP_COMMANDS[] = {
    {"backup", "FILE", "put the home and its store into one file, while in use",
     "In FILE, a tar, are signet.yaml, the policies, the issuers' certificates and all that is\n"
     "in the store. Keys are not, nor are PINs. Keep it as safe as the store itself.",
     BACKUP_OPTIONS, 1, 1, run_backup},
    {"restore", "FILE", "make a home of a backup, or a home's store that is gone",
     "-C DIR is a new or empty folder, or a home whose store is missing: then only that is\n"
     "made, of the kind and in the place that its signet.yaml says. Nothing is ever replaced.\n"
     "CRL numbers go on where none can have been used since. Give the latest CRL of each\n"
     "issuer by --crl: what was revoked after the backup is known from nowhere else.",
     RESTORE_OPTIONS, 1, 1, run_restore},
    {0},
};
