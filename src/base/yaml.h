/* yaml: a strict reader for files that people write.
 *
 * One document, of mappings, sequences and scalars. Refused, with line and column: a second
 * document, anchors, aliases, tags, duplicate keys, keys that are not plain words, empty files,
 * more than the limits of base/limits.h, text that base/text.h refuses. Scalars are text until a
 * reader says what it wants; a quoted scalar is never a number, a boolean or null.
 *
 * Tables say what a mapping may hold:
 *
 *     static const struct sg_yaml_field FIELDS[] = {
 *         {"backdate", SG_YAML_OPTIONAL, read_backdate},
 *         {"for",      SG_YAML_REQUIRED, read_for},
 *         {0},
 *     };
 *     sg_yaml_mapping(document, node, FIELDS, &validity, error)
 *
 * Thread rule: a document is read-only once it is loaded.
 */
#ifndef SG_BASE_YAML_H
#define SG_BASE_YAML_H

#include "cleanup.h"

enum sg_yaml_kind { SG_YAML_SCALAR, SG_YAML_SEQUENCE, SG_YAML_MAPPING };

struct sg_yaml_node {
    enum sg_yaml_kind kind;
    unsigned line, column; /* from 1 */
    /* scalar */
    const char *text;
    bool quoted; /* '…', "…", | or > */
    /* sequence: children are the items. mapping: children are the values, each with its key */
    const char *key; /* when this node is a mapping's value, else NULL */
    unsigned key_line, key_column;
    const struct sg_yaml_node *children;
    size_t num_children;
};

struct sg_yaml; /* a loaded document; owns every node and text */

/* sg_yaml_parse reads text. name is used in messages ("policies/device-mtls.yaml").
 * Fails: SG_INVALID "name:line:column: …". */
SG_MUST_USE bool sg_yaml_parse(const char *name, struct sg_slice text, struct sg_yaml **document,
                               struct sg_error *error);
SG_MUST_USE bool sg_yaml_load(const char *path, struct sg_yaml **document, struct sg_error *error);
const struct sg_yaml_node *sg_yaml_root(const struct sg_yaml *document);
void sg_yaml_free(struct sg_yaml *document);

typedef struct sg_yaml sg_yaml;
SG_DEFINE_CLEANUP(sg_yaml, sg_yaml_free)

/* sg_yaml_fail is sg_fail(SG_INVALID) with "name:line:column: " of the node before the message. */
bool sg_yaml_fail(const struct sg_yaml *document, const struct sg_yaml_node *node,
                  struct sg_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

enum sg_yaml_presence { SG_YAML_OPTIONAL, SG_YAML_REQUIRED };

typedef bool sg_yaml_reader(const struct sg_yaml *document, const struct sg_yaml_node *value,
                            void *into, struct sg_error *error);

struct sg_yaml_field {
    const char *key; /* NULL ends the table */
    enum sg_yaml_presence presence;
    sg_yaml_reader *read; /* NULL: the caller takes the value with sg_yaml_get */
};

/* sg_yaml_mapping reads a mapping by its table: an unknown key is an error that names the known
 * ones, a required key that is absent is an error at the mapping's own key (or the mapping, if it has
 * none). Values are read in the order of the file. */
SG_MUST_USE bool sg_yaml_mapping(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                 const struct sg_yaml_field *fields, void *into,
                                 struct sg_error *error);

/* sg_yaml_each calls read for every item of a sequence, in order. */
SG_MUST_USE bool sg_yaml_each(const struct sg_yaml *document, const struct sg_yaml_node *node,
                              sg_yaml_reader *read, void *into, struct sg_error *error);

/* sg_yaml_get: the value of a key, or NULL. */
const struct sg_yaml_node *sg_yaml_get(const struct sg_yaml_node *mapping, const char *key);

/* Scalars. Text stays owned by the document. An empty plain scalar (`key:`) and a plain null or ~
 * are errors everywhere. */
SG_MUST_USE bool sg_yaml_text(const struct sg_yaml *document, const struct sg_yaml_node *node,
                              const char **text, struct sg_error *error);
SG_MUST_USE bool sg_yaml_bool(const struct sg_yaml *document, const struct sg_yaml_node *node,
                              bool *value, struct sg_error *error); /* true or false, nothing else */
SG_MUST_USE bool sg_yaml_integer(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                 long min, long max, long *value,
                                 struct sg_error *error); /* decimal, no leading zero */
SG_MUST_USE bool sg_yaml_duration(const struct sg_yaml *document, const struct sg_yaml_node *node,
                                  int64_t *seconds, struct sg_error *error);

/* A word out of a list; the error names them all. */
struct sg_yaml_choice {
    const char *word; /* NULL ends the table */
    int value;
};
SG_MUST_USE bool sg_yaml_word(const struct sg_yaml *document, const struct sg_yaml_node *node,
                              const struct sg_yaml_choice *choices, int *value,
                              struct sg_error *error);

#endif
