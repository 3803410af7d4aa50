#include "figures.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

/* Appends key="value", with what would end the value or the line replaced. */
static void add_label(char labels[SG_FIGURE_LABEL_SIZE], const char *key, const char *value)
{
    size_t at = strlen(labels);

    if (key == NULL)
        return;
    (void)snprintf(labels + at, SG_FIGURE_LABEL_SIZE - at, "%s%s=\"", at > 0 ? "," : "", key);
    at = strlen(labels);
    for (; *value != '\0' && at < SG_FIGURE_LABEL_SIZE - 2; value++)
        labels[at++] = *value < ' ' || *value > '~' || strchr("\"\\", *value) ? '_' : *value;
    labels[at] = '\0';
    (void)snprintf(labels + at, SG_FIGURE_LABEL_SIZE - at, "\"");
}

static struct sg_figure *find(struct sg_figures *figures, const char *name, const char *labels)
{
    for (size_t i = 0; i < figures->num; i++)
        if (strcmp(figures->items[i].name, name) == 0 &&
            strcmp(figures->items[i].labels, labels) == 0)
            return &figures->items[i];
    return NULL;
}

void sg_figures_count(struct sg_figures *figures, const char *name, const char *key_1,
                      const char *value_1, const char *key_2, const char *value_2)
{
    /* room for one figure of each name without labels */
    enum { MOST_WITH_LABELS = SG_MAX_FIGURES - 32 };
    char labels[SG_FIGURE_LABEL_SIZE] = "";
    struct sg_figure *figure;

    add_label(labels, key_1, value_1);
    add_label(labels, key_2, value_2);
    figure = find(figures, name, labels);
    if (figure == NULL && figures->num >= MOST_WITH_LABELS) {
        labels[0] = '\0';
        figure = find(figures, name, labels);
    }
    if (figure == NULL && figures->num < SG_MAX_FIGURES) {
        figure = &figures->items[figures->num++];
        figure->name = name;
        (void)snprintf(figure->labels, sizeof figure->labels, "%s", labels);
    }
    if (figure != NULL)
        figure->count++;
}

/* The figures of one name stand together, as the format wants it. */
static bool write_name(const struct sg_figures *figures, size_t first, struct sg_buf *text,
                       struct sg_error *error)
{
    const char *name = figures->items[first].name;

    if (!sg_buf_printf(text, SG_LIMIT_BODY, error, "# TYPE %s counter\n", name))
        return false;
    for (size_t i = first; i < figures->num; i++) {
        const struct sg_figure *figure = &figures->items[i];
        const bool has_labels = figure->labels[0] != '\0';

        if (strcmp(figure->name, name) == 0 &&
            !sg_buf_printf(text, SG_LIMIT_BODY, error, "%s%s%s%s %llu\n", name,
                           has_labels ? "{" : "", figure->labels, has_labels ? "}" : "",
                           (unsigned long long)figure->count))
            return false;
    }
    return true;
}

bool sg_figures_write(const struct sg_figures *figures, struct sg_buf *text, struct sg_error *error)
{
    for (size_t i = 0; i < figures->num; i++) {
        size_t first = 0;

        while (strcmp(figures->items[first].name, figures->items[i].name) != 0)
            first++;
        if (first == i && !write_name(figures, first, text, error))
            return false;
    }
    return true;
}
