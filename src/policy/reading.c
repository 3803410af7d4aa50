#include "reading.h"

#include <string.h>

bool sg_policy_check_list(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          const char *what, size_t max, struct sg_error *error)
{
    if (node->kind != SG_YAML_SEQUENCE)
        return sg_yaml_fail(document, node, error,
                            "%s has to be a list: [a, b], or lines that begin with -", what);
    if (node->num_children == 0)
        return sg_yaml_fail(document, node, error, "the list of %s is empty", what);
    if (node->num_children > max)
        return sg_yaml_fail(document, node, error, "%zu %s; %zu at most", node->num_children, what,
                            max);
    return true;
}

void *sg_policy_new_list(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         const char *what, size_t max, size_t item_size, struct sg_error *error)
{
    void *list = NULL;

    if (!sg_policy_check_list(document, node, what, max, error))
        return NULL;
    list = calloc(node->num_children, item_size);
    if (list == NULL)
        sg_fail_memory(error);
    return list;
}

bool sg_policy_read_plain(const struct sg_yaml *document, const struct sg_yaml_node *node,
                          const char **text, struct sg_error *error)
{
    if (!sg_yaml_text(document, node, text, error))
        return false;
    return strstr(*text, "${") == NULL ||
           sg_yaml_fail(document, node, error,
                        "no references here: the text is the same in every certificate");
}

bool sg_policy_read_pair(const struct sg_yaml *document, const struct sg_yaml_node *node,
                         const char *example, const struct sg_yaml_node **value,
                         struct sg_error *error)
{
    if (node->kind != SG_YAML_MAPPING || node->num_children != 1)
        return sg_yaml_fail(document, node, error, "each entry is a mapping of one key, such as %s",
                            example);
    *value = &node->children[0];
    return true;
}

bool sg_policy_fail_at(const struct sg_yaml *document, const struct sg_yaml_node *node,
                       const struct sg_error *cause, struct sg_error *error)
{
    if (cause->code == SG_FAILED || cause->code == SG_INTERNAL)
        return sg_fail(error, cause->code, cause->rule, "%s", cause->text);
    return sg_yaml_fail(document, node, error, "%s", cause->text);
}

bool sg_policy_fail_at_key(const struct sg_yaml *document, const struct sg_yaml_node *value,
                           const struct sg_error *cause, struct sg_error *error)
{
    const struct sg_yaml_node key = {.line = value->key_line, .column = value->key_column};

    return sg_policy_fail_at(document, &key, cause, error);
}

bool sg_policy_is_word(const char *text)
{
    size_t len = strlen(text);

    return len >= 1 && len <= 64 &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}
