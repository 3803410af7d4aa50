/* sink: where a line's certificates go: a folder, a tar, or JSON lines. */
#ifndef SG_LINE_SINK_H
#define SG_LINE_SINK_H

#include "base/cleanup.h"
#include "item.h"
#include "line.h"
#include "model/certificate.h"

/* What became of one input. Borrowed. */
struct sg_served {
    uint64_t number;
    const char *input;
    const char *device; /* NULL: it is not known */
    const char *name;   /* of the certificate's file, without ".pem" */
    enum sg_line_outcome outcome;
    const char *serial;    /* NULL: none */
    struct sg_slice pem;   /* empty: none */
    struct sg_slice chain; /* PEM, from the issuer's certificate up to below the root */
    const struct sg_error *error;
};

/* Bytes of a file's name in a folder that leave room for ".pem" and what a temporary one needs. */
enum { SG_SINK_FILE_NAME = 256 - sizeof "..pem.tmp" };

struct sg_sink;
struct sg_sink_kind {
    /* May a certificate be put under that name? NULL: any may. */
    bool (*check)(const struct sg_sink *sink, const char *name, struct sg_error *error);
    bool (*put)(struct sg_sink *sink, const struct sg_served *served, struct sg_error *error);
    /* Makes all of it last, and puts it in place. */
    bool (*finish)(struct sg_sink *sink, struct sg_error *error);
    void (*close)(struct sg_sink *sink);
};

/* The head of every kind's own struct. */
struct sg_sink {
    const struct sg_sink_kind *kind;
    const char *path; /* borrowed */
    bool has_names;   /* one file for each name */
    bool keeps_part;  /* what is there of it stays when the run ends early */
};

/* sg_sink_open opens an output by what it is: FILE.tar, FILE.jsonl or FILE.ndjson, "-" (JSON lines,
 * each flushed), else a folder, which is made when it is missing.
 * force    replaces a file, or files in the folder that hold something else.
 * Fails: SG_FAILED when it exists (but for a folder), can't be written, or another run has it. */
SG_MUST_USE bool sg_sink_open(const char *path, bool force, struct sg_sink **sink,
                              struct sg_error *error);
SG_MUST_USE bool sg_sink_check(const struct sg_sink *sink, const char *name,
                               struct sg_error *error);
/* sg_sink_check_file is the check of those that make files: one component, of most bytes at most
 * without ".pem", which is not hidden and has no control characters. Fails: SG_REFUSED. */
SG_MUST_USE bool sg_sink_check_file(const char *name, size_t most, struct sg_error *error);
SG_MUST_USE bool sg_sink_put(struct sg_sink *sink, const struct sg_served *served,
                             struct sg_error *error);
SG_MUST_USE bool sg_sink_finish(struct sg_sink *sink, struct sg_error *error);
/* sg_sink_close; a file that was not finished is gone, a folder keeps what it has. */
void sg_sink_close(struct sg_sink *sink);

typedef struct sg_sink sg_sink;
SG_DEFINE_CLEANUP(sg_sink, sg_sink_close)

/* ---- each kind, for sink.c ---- */
SG_MUST_USE bool sg_sink_open_folder(const char *path, bool force, struct sg_sink **sink,
                                     struct sg_error *error);
SG_MUST_USE bool sg_sink_open_tar(const char *path, bool force, struct sg_sink **sink,
                                  struct sg_error *error);
SG_MUST_USE bool sg_sink_open_lines(const char *path, bool force, struct sg_sink **sink,
                                    struct sg_error *error);

#endif
