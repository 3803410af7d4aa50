/* yaml_document: a loaded document from the inside, for yaml_parse.c and yaml_read.c alone. */
#ifndef SG_BASE_YAML_DOCUMENT_H
#define SG_BASE_YAML_DOCUMENT_H

#include "yaml.h"

struct sg_yaml {
    char *name;
    struct yaml_piece *pieces; /* every node and text, released together */
    struct sg_yaml_node *root;
};

/* yaml_fail_at is sg_yaml_fail for a place instead of a node. Lines and columns count from 1. */
bool yaml_fail_at(const struct sg_yaml *document, unsigned line, unsigned column,
                  struct sg_error *error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
bool yaml_failv_at(const struct sg_yaml *document, unsigned line, unsigned column,
                   struct sg_error *error, const char *format, va_list arguments)
    __attribute__((format(printf, 5, 0)));

#endif
