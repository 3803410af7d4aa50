/* run: a ceremony taking place, act by act, before people; and its rehearsal.
 *
 * A folder holds what comes of it: plan.json, transcript.jsonl, out/ with what was signed, and in
 * the end script.md, filled in. A ceremony that was interrupted goes on when it is run again with
 * the same plan and folder; what is done is not done again.
 * Does not: talk to a terminal (struct sg_ceremony_people does), or sign the record.
 * Thread rule: one ceremony a process.
 */
#ifndef SG_CEREMONY_RUN_H
#define SG_CEREMONY_RUN_H

#include "base/secret.h"
#include "plan.h"

enum sg_question {
    SG_ASK_TIME,     /* "yes" or "no" */
    SG_ASK_MOMENT,   /* what the time is, when somebody says no */
    SG_ASK_APPROVAL, /* the plan's digest */
    SG_ASK_INITIALS,
    SG_ASK_SEAL, /* the number that is read */
    SG_ASK_GO,   /* "go", "stop" or "fail" */
    SG_ASK_WHY,  /* a reason, when it fails */
};

enum { SG_ANSWER_SIZE = 256 };

/* Every part of a PIN in a rehearsal. */
#define SG_CEREMONY_REHEARSAL_PIN "1234"

/* The people in the room, and the screen that they look at. */
struct sg_ceremony_people {
    void *context;
    /* show puts text on the screen: lines of at most 80 columns. */
    bool (*show)(void *context, const char *text, struct sg_error *error);
    /* digest puts a fingerprint on the screen in another form, for the cameras; NULL: there is
     * none. hex has capitals. */
    bool (*digest)(void *context, const char *hex, struct sg_error *error);
    /* ask waits for one line. wanted is the answer that goes on, "" when any will do. */
    bool (*ask)(void *context, enum sg_question question, const char *text, const char *wanted,
                char answer[SG_ANSWER_SIZE], struct sg_error *error);
    /* pin waits for a PIN or a part of one, which nobody sees. */
    bool (*pin)(void *context, const char *text, struct sg_secret **pin, struct sg_error *error);
};

struct sg_ceremony_options {
    const char *folder;   /* where it takes place; made when it is not there */
    const char *version;  /* Signet's */
    const char *refusals; /* file that remembers refused PINs; NULL: the user's */
    bool rehearsal;       /* on throwaway SoftHSM tokens that mirror the file */
    /* signatures over the plan, in files called by anything; see signatures.h */
    const char *const *approvals;
    size_t num_approvals;
    struct sg_clock clock;
    void (*after_record)(void *context); /* NULL but in tests: after each line of the record */
    void *record_context;
};

/* sg_ceremony_run goes through the whole ceremony, or on with it.
 * Fails: SG_REFUSED when people stop it (it can be taken up again) or the clock or the approval is
 * not as it should be; SG_TOKEN and SG_PIN for a token with another serial number, a wrong PIN
 * three times over, a key that is there already or not as it was stated; SG_FAILED when it was
 * closed as failed, or an output is there already. The record says how far it came. */
SG_MUST_USE bool sg_ceremony_run(const struct sg_ceremony *ceremony,
                                 const struct sg_ceremony_options *options,
                                 const struct sg_ceremony_people *people, struct sg_error *error);

#endif
