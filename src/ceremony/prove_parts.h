/* prove_parts: what the checks of a proof share, between the files that make them. */
#ifndef SG_CEREMONY_PROVE_PARTS_H
#define SG_CEREMONY_PROVE_PARTS_H

#include "prove.h"

/* What the checks have established so far. */
struct sg_proof {
    const struct sg_ceremony_bundle *bundle;
    const struct sg_ceremony_proving *proving;
    struct sg_ceremony ceremony;
    struct sg_transcript transcript;
    struct sg_world world;
    char said[256]; /* by the check that passed */
};

/* sg_proof_say keeps what the check that passes has to say. Always true. */
bool sg_proof_say(struct sg_proof *proof, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* sg_proof_text: a text of a JSON object, "" when there is none. */
const char *sg_proof_text(const json_t *object, const char *key);

/* prove_tokens.c: what came of the keys. In this order: each builds on those before it. */
typedef bool sg_proof_check(struct sg_proof *proof, struct sg_error *error);
sg_proof_check sg_proof_check_keys, sg_proof_check_outputs, sg_proof_check_tokens,
    sg_proof_check_counts;

#endif
