/* policy_new: what the files of `signet policy new` share. */
#ifndef SG_CLI_POLICY_NEW_H
#define SG_CLI_POLICY_NEW_H

#include "command.h"
#include "policy/policy.h"

/* The answers, in the order of the questions. */
enum sg_answer {
    SG_ANSWER_DESCRIPTION,
    SG_ANSWER_FOR, /* device, user or request */
    SG_ANSWER_WHO,
    SG_ANSWER_KEYS,
    SG_ANSWER_SUBJECT,
    SG_ANSWER_SAN,
    SG_ANSWER_EKU,
    SG_ANSWER_VALIDITY,
    SG_ANSWER_UNIQUE,
    SG_NUM_ANSWERS,
};

struct sg_answers {
    const char *name; /* of the policy; borrowed */
    char *texts[SG_NUM_ANSWERS];
};
void sg_answers_done(struct sg_answers *answers);
SG_DEFINE_CLEANUP_IN_PLACE(sg_answers, sg_answers_done)

/* sg_cli_answer takes the answers from the options, and asks the terminal for the others.
 * Fails: SG_USAGE naming the options that are missing when there is no terminal, or what is wrong
 * with an answer. */
SG_MUST_USE bool sg_cli_answer(const struct sg_cli *cli, struct sg_answers *answers,
                               struct sg_error *error);

/* sg_cli_write_policy writes the file. examples: the lines of its examples, NULL for none yet.
 * Fails: SG_USAGE when an answer can't be written. */
SG_MUST_USE bool sg_cli_write_policy(const struct sg_answers *answers, const char *examples,
                                     struct sg_buf *text, struct sg_error *error);
/* sg_cli_write_quoted appends text as a YAML scalar that nothing changes the meaning of. */
SG_MUST_USE bool sg_cli_write_quoted(const char *text, struct sg_buf *into, struct sg_error *error);

/* sg_cli_next_entry: the next entry of a list with commas, without the spaces around it; false
 * after the last. No answer is longer than an entry may be. */
enum { SG_ENTRY_SIZE = 2048 };
bool sg_cli_next_entry(const char **at, char entry[SG_ENTRY_SIZE]);

/* sg_cli_make_example makes a request that the policy accepts, by a key that is thrown away, and
 * the lines of the examples: that it is accepted, and that another's record is refused.
 * Fails: as the policy does, when the values that are made up (or given by --set) do not suit it.
 */
SG_MUST_USE bool sg_cli_make_example(const struct sg_cli *cli, const struct sg_answers *answers,
                                     const struct sg_policy *policy, struct sg_buf *csr,
                                     struct sg_buf *lines, struct sg_error *error);

#endif
