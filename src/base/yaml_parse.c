/* From text to the tree of nodes, with libyaml's events in between. */
#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "file.h"
#include "limits.h"
#include "text.h"
#include "yaml_document.h"

/* One allocation of a document. */
struct yaml_piece {
    struct yaml_piece *next;
    max_align_t bytes[];
};

struct reading {
    struct sg_yaml *document;
    struct sg_slice text;
    yaml_parser_t parser;
    size_t num_nodes;
    unsigned depth;
    struct sg_error *error;
};

/* The children of a mapping or sequence while more may come. */
struct children {
    struct sg_yaml_node *nodes;
    size_t num;
    size_t capacity;
};

static void children_done(struct children *children)
{
    free(children->nodes);
}
SG_DEFINE_CLEANUP_IN_PLACE(children, children_done)

/* A copy that lives as long as the document; NULL when memory ran out. */
static void *keep(struct sg_yaml *document, const void *bytes, size_t len)
{
    struct yaml_piece *piece = malloc(sizeof *piece + len);

    if (piece == NULL)
        return NULL;
    if (len > 0)
        memcpy(piece->bytes, bytes, len);
    piece->next = document->pieces;
    document->pieces = piece;
    return piece->bytes;
}

static inline void sg_cleanup_event(yaml_event_t *event)
{
    yaml_event_delete(event);
}

static bool fail_at_mark(const struct reading *reading, const yaml_mark_t *mark,
                         const char *message)
{
    return yaml_fail_at(reading->document, (unsigned)mark->line + 1, (unsigned)mark->column + 1,
                        reading->error, "%s", message);
}

/* libyaml gives the place of a byte that it can't decode as an offset only. */
static yaml_mark_t mark_of_offset(struct sg_slice text, size_t offset)
{
    yaml_mark_t mark = {0};

    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.data[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if ((text.data[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static bool is_tab_at(struct sg_slice text, const yaml_mark_t *mark)
{
    for (size_t i = 0, line = 0; i < text.len; i++) {
        if (line == mark->line)
            return mark->column < text.len - i && text.data[i + mark->column] == '\t';
        line += text.data[i] == '\n';
    }
    return false;
}

static bool fail_as_parser(const struct reading *reading)
{
    const yaml_parser_t *parser = &reading->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    yaml_mark_t mark = parser->problem_mark;

    if (parser->error == YAML_MEMORY_ERROR)
        return sg_fail_memory(reading->error);
    if (parser->error == YAML_READER_ERROR)
        mark = mark_of_offset(reading->text, parser->problem_offset);
    return yaml_fail_at(reading->document, (unsigned)mark.line + 1, (unsigned)mark.column + 1,
                        reading->error, "%s%s%s%s%s", problem, parser->context != NULL ? " (" : "",
                        parser->context != NULL ? parser->context : "",
                        parser->context != NULL ? ")" : "",
                        is_tab_at(reading->text, &mark) ? "; a tab, indent with spaces" : "");
}

static bool next_event(struct reading *reading, yaml_event_t *event)
{
    if (!yaml_parser_parse(&reading->parser, event))
        return fail_as_parser(reading);
    return true;
}

static bool has_tag_or_anchor(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.tag != NULL || event->data.scalar.anchor != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.tag != NULL || event->data.sequence_start.anchor != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.tag != NULL || event->data.mapping_start.anchor != NULL;
    default:
        return false;
    }
}

/* What a node of any kind has to keep to. */
static bool check_node(struct reading *reading, const yaml_event_t *event)
{
    if (event->type == YAML_ALIAS_EVENT)
        return fail_at_mark(reading, &event->start_mark,
                            "aliases (*name) are not used here; write it out");
    if (has_tag_or_anchor(event))
        return fail_at_mark(reading, &event->start_mark,
                            "anchors (&name) and tags (!name) are not used here; quote the value "
                            "if it is text");
    if (++reading->num_nodes > SG_LIMIT_YAML_NODES)
        return yaml_fail_at(reading->document, (unsigned)event->start_mark.line + 1,
                            (unsigned)event->start_mark.column + 1, reading->error,
                            "more than %d values in one file", SG_LIMIT_YAML_NODES);
    return true;
}

/* Copies a scalar's text, which has to be text in our sense. */
static bool keep_text(struct reading *reading, const yaml_event_t *event, const char **text)
{
    struct sg_slice value = sg_slice_of(event->data.scalar.value, event->data.scalar.length);
    yaml_scalar_style_t style = event->data.scalar.style;
    struct sg_error why = {0};
    const char *copy;

    if (!sg_text_check(value, "the text", &why)) {
        bool is_block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;

        return yaml_fail_at(reading->document, (unsigned)event->start_mark.line + 1,
                            (unsigned)event->start_mark.column + 1, reading->error, "%s%s",
                            why.text, is_block ? "; `>-` makes one line of several" : "");
    }
    /* libyaml puts a zero byte behind the value */
    copy = keep(reading->document, value.data, value.len + 1);
    if (copy == NULL)
        return sg_fail_memory(reading->error);
    *text = copy;
    return true;
}

static bool is_plain_word(const char *text)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char INSIDE[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return text[0] != '\0' && strchr(LETTERS, text[0]) != NULL &&
           text[strspn(text, INSIDE)] == '\0';
}

static bool read_key(struct reading *reading, const yaml_event_t *event, struct sg_yaml_node *node)
{
    if (event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT)
        return fail_at_mark(reading, &event->start_mark,
                            "a key has to be a word, not a mapping or sequence");
    if (!check_node(reading, event) || !keep_text(reading, event, &node->key))
        return false;
    node->key_line = (unsigned)event->start_mark.line + 1;
    node->key_column = (unsigned)event->start_mark.column + 1;
    if (!is_plain_word(node->key))
        return yaml_fail_at(
            reading->document, node->key_line, node->key_column, reading->error,
            "'%.80s' can't be a key: keys are made of letters, digits, '.', '_', '-' "
            "and begin with a letter or digit",
            node->key);
    return true;
}

/* Room for one more child, zeroed; NULL when memory ran out. */
static struct sg_yaml_node *add_child(struct children *children)
{
    struct sg_yaml_node *node;

    if (children->num == children->capacity) {
        size_t capacity = children->capacity == 0 ? 8 : children->capacity * 2;
        struct sg_yaml_node *nodes = reallocarray(children->nodes, capacity, sizeof *nodes);

        if (nodes == NULL)
            return NULL;
        children->nodes = nodes;
        children->capacity = capacity;
    }
    node = &children->nodes[children->num++];
    memset(node, 0, sizeof *node);
    return node;
}

/* By key, and the same keys in the order of the file. */
static int compare_keys(const void *a, const void *b)
{
    const struct sg_yaml_node *one = *(const struct sg_yaml_node *const *)a;
    const struct sg_yaml_node *other = *(const struct sg_yaml_node *const *)b;
    int order = strcmp(one->key, other->key);

    return order != 0 ? order : (one > other) - (one < other);
}

/* Sorted rather than compared pair by pair, which a file of many keys could make slow. */
static bool check_duplicates(struct reading *reading, const struct children *children)
{
    sg_auto(malloc) const struct sg_yaml_node **sorted =
        reallocarray(NULL, children->num + 1, sizeof *sorted);
    const struct sg_yaml_node *again = NULL, *first = NULL;

    if (sorted == NULL)
        return sg_fail_memory(reading->error);
    for (size_t i = 0; i < children->num; i++)
        sorted[i] = &children->nodes[i];
    qsort(sorted, children->num, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < children->num; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0 &&
            (again == NULL || sorted[i] < again)) {
            first = sorted[i - 1];
            again = sorted[i];
        }
    if (again == NULL)
        return true;
    return yaml_fail_at(reading->document, again->key_line, again->key_column, reading->error,
                        "key '%.80s' is here twice; the first is on line %u", again->key,
                        first->key_line);
}

static bool read_node(struct reading *reading, const yaml_event_t *event,
                      struct sg_yaml_node *node);

/* Reads the items or pairs up to the end of the sequence or mapping. */
static bool read_children(struct reading *reading, bool with_keys, struct children *children)
{
    for (;;) {
        sg_auto(event) yaml_event_t first = {0}, second = {0};
        struct sg_yaml_node *node;

        if (!next_event(reading, &first))
            return false;
        if (first.type == YAML_SEQUENCE_END_EVENT || first.type == YAML_MAPPING_END_EVENT)
            return true;
        node = add_child(children);
        if (node == NULL)
            return sg_fail_memory(reading->error);
        if (!with_keys) {
            if (!read_node(reading, &first, node))
                return false;
            continue;
        }
        if (!read_key(reading, &first, node) || !next_event(reading, &second) ||
            !read_node(reading, &second, node))
            return false;
    }
}

static bool read_collection(struct reading *reading, const yaml_event_t *event,
                            struct sg_yaml_node *node)
{
    sg_auto(children) struct children children = {0};
    bool is_mapping = event->type == YAML_MAPPING_START_EVENT;

    if (++reading->depth > SG_LIMIT_YAML_DEPTH)
        return yaml_fail_at(reading->document, node->line, node->column, reading->error,
                            "more than %d mappings and sequences inside each other",
                            SG_LIMIT_YAML_DEPTH);
    if (!read_children(reading, is_mapping, &children) ||
        (is_mapping && !check_duplicates(reading, &children)))
        return false;
    reading->depth--;
    node->kind = is_mapping ? SG_YAML_MAPPING : SG_YAML_SEQUENCE;
    node->num_children = children.num;
    node->children = keep(reading->document, children.nodes, children.num * sizeof *children.nodes);
    return node->children != NULL || sg_fail_memory(reading->error);
}

static bool read_node(struct reading *reading, const yaml_event_t *event, struct sg_yaml_node *node)
{
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    if (!check_node(reading, event))
        return false;
    if (event->type != YAML_SCALAR_EVENT)
        return read_collection(reading, event, node);
    node->kind = SG_YAML_SCALAR;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return keep_text(reading, event, &node->text);
}

/* Reads the first document's root. */
static bool read_root(struct reading *reading, struct sg_yaml_node *root)
{
    sg_auto(event) yaml_event_t stream = {0}, document = {0}, first = {0};

    if (!next_event(reading, &stream) || !next_event(reading, &document))
        return false;
    if (document.type == YAML_STREAM_END_EVENT)
        return fail_at_mark(reading, &document.start_mark, "the file is empty");
    if (document.data.document_start.version_directive != NULL ||
        document.data.document_start.tag_directives.start !=
            document.data.document_start.tag_directives.end)
        return fail_at_mark(reading, &document.start_mark,
                            "directives (%YAML, %TAG) are not used here");
    if (!next_event(reading, &first) || !read_node(reading, &first, root))
        return false;
    if (root->kind == SG_YAML_SCALAR && !root->quoted && root->text[0] == '\0')
        return fail_at_mark(reading, &first.start_mark, "the file is empty");
    return true;
}

static bool check_end(struct reading *reading)
{
    sg_auto(event) yaml_event_t document_end = {0}, end = {0};

    if (!next_event(reading, &document_end) || !next_event(reading, &end))
        return false;
    if (end.type != YAML_STREAM_END_EVENT)
        return fail_at_mark(reading, &end.start_mark,
                            "a second document begins here; a file holds one");
    return true;
}

static bool read_document(struct sg_yaml *document, struct sg_slice text, struct sg_error *error)
{
    struct reading reading = {.document = document, .text = text, .error = error};
    struct sg_yaml_node root = {0};
    bool is_read;

    if (!yaml_parser_initialize(&reading.parser))
        return sg_fail_memory(error);
    yaml_parser_set_encoding(&reading.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reading.parser, text.data, text.len);
    is_read = read_root(&reading, &root) && check_end(&reading);
    yaml_parser_delete(&reading.parser);
    if (!is_read)
        return false;
    document->root = keep(document, &root, sizeof root);
    return document->root != NULL || sg_fail_memory(error);
}

bool sg_yaml_parse(const char *name, struct sg_slice text, struct sg_yaml **document,
                   struct sg_error *error)
{
    sg_auto(sg_yaml) struct sg_yaml *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL || (fresh->name = strdup(name)) == NULL)
        return sg_fail_memory(error);
    if (text.len > SG_LIMIT_YAML)
        return sg_fail(error, SG_INVALID, NULL, "%s is larger than %d bytes", name, SG_LIMIT_YAML);
    if (!read_document(fresh, text, error))
        return false;
    *document = SG_TAKE(fresh);
    return true;
}

bool sg_yaml_load(const char *path, struct sg_yaml **document, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (!sg_file_read(path, SG_LIMIT_YAML, &text, error)) {
        if (error != NULL && error->code == SG_MALFORMED)
            error->code = SG_INVALID; /* too large: the operator's file, not a request */
        return false;
    }
    return sg_yaml_parse(path, sg_buf_slice(&text), document, error);
}

const struct sg_yaml_node *sg_yaml_root(const struct sg_yaml *document)
{
    return document->root;
}

void sg_yaml_free(struct sg_yaml *document)
{
    if (document == NULL)
        return;
    for (struct yaml_piece *piece = document->pieces, *next; piece != NULL; piece = next) {
        next = piece->next;
        free(piece);
    }
    free(document->name);
    free(document);
}
