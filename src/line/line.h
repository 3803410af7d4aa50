/* line: a batch of devices, from a manifest, a folder, a tar or a stream to their certificates.
 *
 * What a run has done is in the store, certificate by certificate: a run that ends early, however
 * it ends, is gone on with by the same run again, which hands out what is recorded and asks for the
 * rest.
 * Does not: print. It tells whoever runs it.
 * Thread rule: one line belongs to one thread, the home's; sg_line_interrupt is for any.
 */
#ifndef SG_LINE_LINE_H
#define SG_LINE_LINE_H

#include "issue/issue.h"

struct sg_line;
struct sg_statement_spec;
struct sg_line_keys;

enum sg_line_outcome {
    SG_LINE_ISSUED,
    SG_LINE_REPEATED, /* the certificate that this device and key got before */
    SG_LINE_REFUSED,
    SG_LINE_UNSERVED, /* for no fault of its own: the run could not go on */
    SG_LINE_CHECKED,  /* would be issued, as far as a dry run can tell */
};
enum { SG_NUM_LINE_OUTCOMES = SG_LINE_CHECKED + 1 };

struct sg_line_counts {
    uint64_t total; /* inputs; 0 while nobody knows */
    uint64_t done;
    uint64_t by[SG_NUM_LINE_OUTCOMES];
};

/* Whom the run tells; called on the thread that runs it. */
struct sg_line_listener {
    void (*progress)(void *context, const struct sg_line_counts *counts);
    /* is_warning: something that may end the run before its inputs do */
    void (*say)(void *context, bool is_warning, const char *text);
    void *context;
};

/* Everything is borrowed until sg_line_close. */
struct sg_line_spec {
    const struct sg_issuing *issuing;
    const char *input;                         /* as sg_input_open */
    const char *output;                        /* as sg_sink_open; NULL: none, for a dry run */
    const char *report;                        /* as sg_report_open; NULL: none */
    const struct sg_statement_spec *statement; /* of statement.h; NULL: none */
    const struct sg_line_keys *keys;           /* of keys.h; NULL: devices make their own */
    unsigned num_workers;                      /* 0: one for each processor */
    uint64_t limit;                            /* inputs at most; 0: all */
    unsigned max_refused; /* of a hundred, from SG_LINE_TRUSTED inputs on; more stops the run */
    int64_t patience_s;   /* how long a token that is away is waited for */
    bool dry_run;         /* up to the claim, and nothing is written but the report */
    bool force;           /* replaces outputs that hold something else */
    struct sg_line_listener listener;
};

/* So many inputs have to be answered before their share of refusals says anything. */
enum { SG_LINE_TRUSTED = 100 };

/* sg_line_open opens input and outputs, and counts the inputs when they can be.
 * Fails: SG_USAGE (also an input that can't say which device asks, when nobody vouches for CNs),
 * SG_FAILED, SG_INVALID. */
SG_MUST_USE bool sg_line_open(const struct sg_line_spec *spec, struct sg_line **line,
                              struct sg_error *error);
void sg_line_close(struct sg_line *line);

typedef struct sg_line sg_line;
SG_DEFINE_CLEANUP(sg_line, sg_line_close)

/* sg_line_foresee says what could end the run before its inputs do: the issuer's end, the disks.
 * Fails: SG_REFUSED when it could not even begin: every certificate would outlive its issuer. */
SG_MUST_USE bool sg_line_foresee(struct sg_line *line, struct sg_error *error);

/* sg_line_run serves the inputs. counts are what was done, also on failure.
 * Fails: SG_REFUSED when some were refused; SG_FAILED when it was interrupted, when too many were
 * refused, or an output can't be written; SG_INVALID when the input can't be read on; SG_TOKEN,
 * SG_PIN, SG_STORE. */
SG_MUST_USE bool sg_line_run(struct sg_line *line, struct sg_line_counts *counts,
                             struct sg_error *error);

/* sg_line_interrupt lets the run finish what is under way, and end. */
void sg_line_interrupt(struct sg_line *line);

#endif
