/* stage: what a ceremony works with while it takes place. Private to the files that run it. */
#ifndef SG_CEREMONY_STAGE_H
#define SG_CEREMONY_STAGE_H

#include "run.h"
#include "token/signer.h"
#include "transcript.h"

struct sg_stage {
    const struct sg_ceremony *ceremony;
    const struct sg_ceremony_options *options;
    const struct sg_ceremony_people *people;
    struct sg_world world;
    struct sg_transcript transcript;
    struct sg_token **tokens;   /* as file.tokens */
    struct sg_signer **signers; /* as file.keys; NULL until the key is there */
    int64_t ahead_s; /* how much later it is, by the people, than by the machine's clock */
    bool resumed;
};

void sg_stage_done(struct sg_stage *stage);
SG_DEFINE_CLEANUP_IN_PLACE(sg_stage, sg_stage_done)

/* sg_stage_now: the time, as the people in the room say. */
int64_t sg_stage_now(const struct sg_stage *stage);
/* sg_stage_path: a file of the ceremony's folder. The caller frees it. */
SG_MUST_USE bool sg_stage_path(const struct sg_stage *stage, const char *name, char **path,
                               struct sg_error *error);
/* sg_stage_record appends to the record; data is taken over. */
SG_MUST_USE bool sg_stage_record(struct sg_stage *stage, const char *event, json_t *data,
                                 struct sg_error *error);
/* sg_stage_show formats text for the screen. */
SG_MUST_USE bool sg_stage_show(const struct sg_stage *stage, struct sg_error *error,
                               const char *format, ...) __attribute__((format(printf, 3, 4)));
/* sg_stage_ask asks until the answer is the wanted one, or any when that is empty. */
SG_MUST_USE bool sg_stage_ask(const struct sg_stage *stage, enum sg_question question,
                              const char *text, const char *wanted, char answer[SG_ANSWER_SIZE],
                              struct sg_error *error);
/* sg_stage_initials: those that a person gave at the beginning; NULL before. */
const char *sg_stage_initials(const struct sg_stage *stage, const char *name);

/* sg_stage_show_digest shows a SHA-256 in two lines of groups of four, to be read aloud, and in the
 * other form that the people have for it. */
SG_MUST_USE bool sg_stage_show_digest(const struct sg_stage *stage,
                                      const uint8_t digest[SG_SHA256_LEN], struct sg_error *error);

/* open.c: everything before the first act, or before the next one. */
SG_MUST_USE bool sg_stage_open(struct sg_stage *stage, struct sg_error *error);

/* stage_tokens.c */

/* sg_stage_open_tokens opens each token, checks its serial number, and logs in. */
SG_MUST_USE bool sg_stage_open_tokens(struct sg_stage *stage, struct sg_error *error);
/* sg_stage_show_objects lists the keys that are on each token, with the beginnings of their
 * fingerprints. */
SG_MUST_USE bool sg_stage_show_objects(struct sg_stage *stage, struct sg_error *error);
/* sg_stage_record_objects records what is on each token, as event `objects`.
 * when     "before", "after" or "failed". */
SG_MUST_USE bool sg_stage_record_objects(struct sg_stage *stage, const char *when,
                                         struct sg_error *error);
/* sg_stage_change_pin: the act. */
SG_MUST_USE bool sg_stage_change_pin(struct sg_stage *stage, size_t act, struct sg_error *error);
/* sg_stage_make_tokens makes the throwaway tokens of a rehearsal, or finds them again, and points
 * SoftHSM at them. */
SG_MUST_USE bool sg_stage_make_tokens(struct sg_stage *stage, struct sg_error *error);

/* act.c */

/* sg_stage_act does one act, or the rest of it. */
SG_MUST_USE bool sg_stage_act(struct sg_stage *stage, size_t act, struct sg_error *error);
/* sg_stage_recall takes what an act that is done gave into the world again. */
SG_MUST_USE bool sg_stage_recall(struct sg_stage *stage, size_t act, struct sg_error *error);

/* stage_keys.c */

/* sg_stage_make_key and sg_stage_use_key: the acts. */
SG_MUST_USE bool sg_stage_make_key(struct sg_stage *stage, size_t act, struct sg_error *error);
SG_MUST_USE bool sg_stage_use_key(struct sg_stage *stage, size_t act, struct sg_error *error);
/* sg_stage_destroy_key: the act. */
SG_MUST_USE bool sg_stage_destroy_key(struct sg_stage *stage, size_t act, struct sg_error *error);
/* sg_stage_copy_key: the act, a backup by wrapping. */
SG_MUST_USE bool sg_stage_copy_key(struct sg_stage *stage, size_t act, struct sg_error *error);
/* sg_stage_recall_key finds a key that the record knows again, and compares. One that
 * was destroyed since is known by the record alone. */
SG_MUST_USE bool sg_stage_recall_key(struct sg_stage *stage, size_t act, struct sg_error *error);

#endif
