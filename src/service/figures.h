/* figures: what the issuer's side counts, for the metrics.
 *
 * Thread rule: one thread, the desk's.
 */
#ifndef SG_SERVICE_FIGURES_H
#define SG_SERVICE_FIGURES_H

#include "base/slice.h"

enum { SG_FIGURE_LABEL_SIZE = 160, SG_MAX_FIGURES = 512 };

/* One count, by its name and the labels that tell it apart. */
struct sg_figure {
    const char *name;
    char labels[SG_FIGURE_LABEL_SIZE]; /* policy="device-mtls",outcome="issued" */
    uint64_t count;
};

struct sg_figures {
    struct sg_figure items[SG_MAX_FIGURES];
    size_t num;
};

/* sg_figures_count adds one. Labels are a text of `KEY="VALUE"` pairs; characters of the values
 * that the format does not take become '_'. Past SG_MAX_FIGURES different ones are counted without
 * labels: what strangers send must not grow without end. name is a constant. */
void sg_figures_count(struct sg_figures *figures, const char *name, const char *key_1,
                      const char *value_1, const char *key_2, const char *value_2);

/* sg_figures_write appends them in Prometheus' text format. */
SG_MUST_USE bool sg_figures_write(const struct sg_figures *figures, struct sg_buf *text,
                                  struct sg_error *error);

#endif
