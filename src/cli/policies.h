/* policies: what the files of `signet policy …` share. */
#ifndef SG_CLI_POLICIES_H
#define SG_CLI_POLICIES_H

#include "cert/fields.h"
#include "command.h"
#include "home/home.h"

/* sg_cli_is_policy_file: is it a path, and no name of a policy in the home? */
bool sg_cli_is_policy_file(const char *name);

/* sg_cli_find_policy finds a policy to look at, by its name in the home, which keeps it, or by its
 * file, when *own is the caller's to free. A file's examples are not run. */
SG_MUST_USE bool sg_cli_find_policy(struct sg_home *home, const char *name, struct sg_policy **own,
                                    const struct sg_policy **policy, struct sg_error *error);

/* sg_cli_note_fields says on stderr what the policy refers to and the home's registry lacks. */
SG_MUST_USE bool sg_cli_note_fields(const struct sg_config *config, const struct sg_policy *policy,
                                    struct sg_error *error);

/* sg_cli_policy_path: of a policy by its file, or by its name in the home. The caller frees it. */
SG_MUST_USE bool sg_cli_policy_path(const struct sg_cli *cli, const char *name, char **path,
                                    struct sg_error *error);

/* sg_cli_known makes an object of a certificate that the home issued, NULL when it knows none:
 *   {"serial", "subject", "policy", "policy_file": "same"|"other"|"missing", "device", "user",
 *    "claimed", "status", "note": null or what limits the explanation, "fields": […]}
 * der      empty: of any content. */
SG_MUST_USE bool sg_cli_known(const struct sg_cli *cli, struct sg_home *home,
                              const struct sg_serial *serial, struct sg_slice der, json_t **known,
                              struct sg_error *error);
/* sg_cli_known_text appends it as lines. */
SG_MUST_USE bool sg_cli_known_text(const json_t *known, struct sg_buf *text,
                                   struct sg_error *error);

extern const struct sg_option SG_POLICY_EXPLAIN_OPTIONS[]; /* policy_explain.c */
extern const struct sg_option SG_POLICY_DIFF_OPTIONS[];    /* policy_diff.c */
extern const struct sg_option SG_POLICY_NEW_OPTIONS[];     /* policy_new.c */
SG_MUST_USE bool sg_cli_policy_explain(struct sg_cli *cli, struct sg_error *error);
SG_MUST_USE bool sg_cli_policy_diff(struct sg_cli *cli, struct sg_error *error);
SG_MUST_USE bool sg_cli_policy_new(struct sg_cli *cli, struct sg_error *error);

#endif
