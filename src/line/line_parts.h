/* line_parts: what line.c, run.c and foresee.c share. */
#ifndef SG_LINE_LINE_PARTS_H
#define SG_LINE_LINE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "issue/pipeline.h"
#include "line.h"
#include "reader.h"
#include "report.h"
#include "seen.h"
#include "sink.h"
#include "statement.h"

struct sg_line {
    const struct sg_line_spec *spec;
    struct sg_line_counts counts;
    struct sg_buf chain; /* PEM: the issuer and those above it, but for a root */
    int stop[2];         /* a pipe; what is written to it ends all waiting */
    atomic_bool is_interrupted;
    struct sg_input *source; /* until the reader has it */
    struct sg_reader *reader;
    struct sg_sink *sink;           /* NULL: none */
    struct sg_report *report;       /* NULL: none */
    struct sg_statement *statement; /* NULL: none */
    pthread_mutex_t lock;           /* of pipeline */
    struct sg_pipeline *pipeline;   /* while it runs, for whoever wakes it */

    /* of the run */
    struct sg_items in_flight; /* pulled and not answered, in order */
    struct sg_items missed;    /* answered by a token that was away */
    struct sg_items again;     /* to be asked once more, before what the reader has */
    struct sg_seen devices, names;
    bool at_end;             /* every input was pulled */
    bool is_away;            /* the token is: from the first that met it on, all are asked again */
    bool is_probing;         /* one at a time, until the token has signed again */
    bool is_broken;          /* too many were refused */
    bool is_hopeless;        /* the first failure would be everybody's */
    struct sg_error failure; /* of the first that was not served, when that was not refused */
    struct sg_error away;    /* what the token failed with */
};

/* sg_line_is_ending: nothing more is to be pulled. */
bool sg_line_is_ending(const struct sg_line *line);
void sg_line_say(const struct sg_line *line, bool is_warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
