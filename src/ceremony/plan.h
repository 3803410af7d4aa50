/* plan: a ceremony worked out beforehand, as one file that people approve.
 *
 * plan.json holds ceremony.yaml, the files that it names, everything that was drawn, and what
 * follows from them: each act's lines and the to-be-signed bytes as far as they are known. Its
 * SHA-256 is what is approved. Opening a plan works it out again from the first three and wants the
 * same bytes, so that nothing in it can say anything else than what will be done.
 * Thread rule: read-only once it is made.
 */
#ifndef SG_CEREMONY_PLAN_H
#define SG_CEREMONY_PLAN_H

#include <jansson.h>

#include "world.h"

struct sg_ceremony {
    struct sg_buf source; /* ceremony.yaml */
    struct sg_ceremony_file file;
    struct sg_ceremony_materials materials;
    uint8_t (*drawn)[SG_CEREMONY_DRAWN_LEN]; /* one for each act */
    struct sg_public_key *person_keys;       /* as file.persons; empty for those without */
    json_t *json;
    struct sg_buf bytes; /* of plan.json */
    char sha256[SG_SHA256_HEX_SIZE];
};

/* sg_ceremony_draft makes the plan of a ceremony.yaml: reads what it names, draws what is drawn.
 * Fails: SG_INVALID, SG_REFUSED "file:line:column: …", SG_FAILED. */
SG_MUST_USE bool sg_ceremony_draft(const char *path, struct sg_ceremony *ceremony,
                                   struct sg_error *error);
/* Whose words for people a plan may have. */
enum sg_plan_words {
    SG_PLAN_OUR_WORDS, /* those that this version of Signet finds: for what is yet to be done */
    SG_PLAN_ANY_WORDS, /* another version's, too: for what was done years ago */
};

/* sg_ceremony_read reads a plan.json from memory. name stands for its path in messages.
 * Fails: SG_INVALID, also when it is not the plan that its own parts give. */
SG_MUST_USE bool sg_ceremony_read(const char *name, struct sg_slice bytes, enum sg_plan_words words,
                                  struct sg_ceremony *ceremony, struct sg_error *error);
/* sg_ceremony_load is the same from a file, in our words. */
SG_MUST_USE bool sg_ceremony_load(const char *path, struct sg_ceremony *ceremony,
                                  struct sg_error *error);
void sg_ceremony_done(struct sg_ceremony *ceremony);
SG_DEFINE_CLEANUP_IN_PLACE(sg_ceremony, sg_ceremony_done)

/* What an act's plan says, borrowed. */
const char *sg_ceremony_act_title(const struct sg_ceremony *ceremony, size_t act);
const json_t *sg_ceremony_act_lines(const struct sg_ceremony *ceremony, size_t act);
/* sg_ceremony_known: the bytes of an act's nth output as far as the plan knows them. */
const char *sg_ceremony_known(const struct sg_ceremony *ceremony, size_t act, size_t nth);

/* sg_ceremony_trial: what the copy that an act makes signs, to show that it can. It is text, and so
 * nothing that a CA signs. */
enum { SG_CEREMONY_TRIAL_SIZE = 320 };
const char *sg_ceremony_trial(const struct sg_ceremony *ceremony, size_t act,
                              char into[SG_CEREMONY_TRIAL_SIZE]);

/* sg_ceremony_act_json works one act out, with a world that knows everything before it; the world
 * goes on to know what this act makes. For plan.c. */
SG_MUST_USE bool sg_ceremony_act_json(struct sg_world *world, const struct sg_ceremony_act *act,
                                      json_t **json, struct sg_error *error);

enum sg_script_style { SG_SCRIPT_TEXT, SG_SCRIPT_MARKDOWN };

/* sg_ceremony_script writes what will happen, for people: as text, or as Markdown for a printed
 * script with boxes for initials and times.
 * initials  by act, what was written there when the ceremony took place (a JSON array of texts);
 * NULL: empty boxes. */
SG_MUST_USE bool sg_ceremony_script(const struct sg_ceremony *ceremony, enum sg_script_style style,
                                    const json_t *initials, struct sg_buf *text,
                                    struct sg_error *error);

#endif
