#include <string.h>

#include "csr.h"
#include "sans.h"

void sg_csr_making_done(struct sg_csr_making *making)
{
    sg_csr_content_done(&making->content);
    sg_plan_done(&making->plan);
    sg_record_done(&making->device);
    sg_record_done(&making->user);
    sg_policy_free(making->policy);
    sg_home_close(making->home);
}

static bool parse_purposes(const struct sg_cli *cli, struct sg_oids *purposes,
                           struct sg_error *error)
{
    const char *word, *oid;

    for (size_t i = 0; (word = sg_cli_nth(cli, "eku", i)) != NULL; i++)
        if (!sg_oid_of_purpose(word, &oid, error) || !sg_oids_add(purposes, oid, error))
            return false;
    return true;
}

static bool parse_key_usage(const struct sg_cli *cli, unsigned *usage, struct sg_error *error)
{
    const char *word;
    unsigned bit;

    for (size_t i = 0; (word = sg_cli_nth(cli, "key-usage", i)) != NULL; i++) {
        if (!sg_key_usage_parse(word, &bit, error))
            return false;
        *usage |= bit;
    }
    return true;
}

/* Without any word about a name, a terminal is asked. */
static bool name_subject(const struct sg_cli *cli, struct sg_name *subject, struct sg_error *error)
{
    const char *text = sg_cli_text(cli, "subject");

    if (text != NULL)
        return sg_name_parse(text, subject, error);
    if (sg_cli_has(cli, "san") || sg_cli_has(cli, "for"))
        return true;
    if (isatty(STDIN_FILENO))
        return sg_csr_ask_subject(stdin, stderr, subject, error);
    return sg_fail(error, SG_USAGE, NULL,
                   "whom shall the request name? Give --subject, --san, --for or --from; `signet "
                   "csr --help` explains them");
}

/* Where the content comes from, and the options that would say it a second time. */
static const struct {
    const char *source;
    const char *options[7];
} SAID[] = {
    {"from", {"for", "subject", "san", "eku", "key-usage", "signature", NULL}},
    {"for", {"san", "eku", "key-usage", NULL}},
};

/* Options that are for a policy alone. */
static const char *const OF_POLICY[] = {"device", "user", "set", "issuer"};

static bool check_sources(const struct sg_cli *cli, struct sg_error *error)
{
    for (size_t i = 0; i < sizeof SAID / sizeof SAID[0]; i++)
        for (size_t j = 0; sg_cli_has(cli, SAID[i].source) && SAID[i].options[j] != NULL; j++)
            if (sg_cli_has(cli, SAID[i].options[j]))
                return sg_fail(error, SG_USAGE, NULL,
                               "--%s does not go with --%s, which says what the request holds",
                               SAID[i].options[j], SAID[i].source);
    for (size_t i = 0; i < sizeof OF_POLICY / sizeof OF_POLICY[0]; i++)
        if (sg_cli_has(cli, OF_POLICY[i]) && !sg_cli_has(cli, "for"))
            return sg_fail(error, SG_USAGE, NULL, "--%s goes with --for POLICY", OF_POLICY[i]);
    return true;
}

static bool gather_options(const struct sg_cli *cli, struct sg_csr_content *content,
                           struct sg_error *error)
{
    const char *scheme = sg_cli_text(cli, "signature");

    return name_subject(cli, &content->subject, error) && sg_cli_sans(cli, &content->sans, error) &&
           parse_purposes(cli, &content->purposes, error) &&
           parse_key_usage(cli, &content->key_usage, error) &&
           (scheme == NULL || sg_scheme_parse(scheme, &content->scheme, error));
}

bool sg_csr_gather(const struct sg_cli *cli, struct sg_csr_making *making, struct sg_error *error)
{
    const char *from = sg_cli_text(cli, "from");

    if (!check_sources(cli, error))
        return false;
    if (from != NULL)
        return sg_csr_content_read(from, &making->content, error);
    if (!gather_options(cli, &making->content, error))
        return false;
    if (sg_cli_has(cli, "for"))
        return sg_csr_gather_policy(cli, making, error);
    return sg_csr_content_check(&making->content, error);
}

bool sg_csr_settle(const struct sg_cli *cli, const struct sg_public_key *key,
                   struct sg_csr_making *making, struct sg_error *error)
{
    if (!sg_cli_has(cli, "for")) {
        making->spec = sg_csr_spec_of_content(&making->content);
        return true;
    }
    if (!sg_csr_plan(&making->wish, key, &making->plan, error))
        return false;
    making->spec = sg_csr_spec_of_plan(&making->plan);
    making->spec.scheme = making->content.scheme;
    return true;
}
