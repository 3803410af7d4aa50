/* A manifest: CSV or JSON lines, each with a device and its request; and a stream of JSON lines or
 * PEM on standard input. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "feed.h"
#include "home/import.h"
#include "input.h"

enum { CSR, CSR_FILE };

struct manifest {
    struct sg_input head;
    enum sg_manifest_format format;
    struct sg_import_format fields;
    char *folder; /* of the manifest: where csr_file begins */
    struct sg_feed feed;
    struct sg_csv_row header; /* of CSV */
};

/* ---- the request of a record ---- */

/* Base64 with or without line breaks. */
static bool decode_base64(struct sg_slice text, struct sg_buf *into, struct sg_error *error)
{
    EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
    sg_auto(malloc) uint8_t *bytes = malloc(text.len + 64);
    int len = 0, rest = 0;
    bool decoded;

    if (context == NULL || bytes == NULL) {
        EVP_ENCODE_CTX_free(context);
        return sg_fail_memory(error);
    }
    EVP_DecodeInit(context);
    decoded = EVP_DecodeUpdate(context, bytes, &len, text.data, (int)text.len) >= 0 &&
              EVP_DecodeFinal(context, bytes + len, &rest) == 1 && len + rest > 0;
    EVP_ENCODE_CTX_free(context);
    if (!decoded)
        return sg_fail(error, SG_MALFORMED, NULL,
                       "csr is neither PEM nor base64; a file's name goes into csr_file");
    return sg_buf_append(into, bytes, (size_t)(len + rest), SG_LIMIT_REQUEST, error);
}

static bool read_file(const struct manifest *manifest, struct sg_slice name, struct sg_buf *into,
                      struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;

    if (memchr(name.data, '\0', name.len) != NULL)
        return sg_fail(error, SG_MALFORMED, NULL, "csr_file has a zero byte");
    return sg_path_join(manifest->folder, (const char *)name.data, &path, error) &&
           sg_file_read(path, SG_LIMIT_REQUEST, into, error);
}

static bool find_request(const struct manifest *manifest, const struct sg_import_record *record,
                         struct sg_item *item, struct sg_error *error)
{
    static const char BEGIN[] = "-----BEGIN";
    struct sg_slice csr = sg_buf_slice(&record->extras[CSR]);
    struct sg_slice file = sg_buf_slice(&record->extras[CSR_FILE]);

    item->has_no_request = csr.len == 0 && file.len == 0;
    if ((csr.len == 0) == (file.len == 0))
        return sg_fail(error, SG_MALFORMED, NULL, "%s csr (PEM or base64) %s csr_file (a path)",
                       csr.len == 0 ? "neither" : "both", csr.len == 0 ? "nor" : "and");
    if (file.len > 0)
        return read_file(manifest, file, &item->request, error);
    if (csr.len > strlen(BEGIN) && memcmp(csr.data, BEGIN, strlen(BEGIN)) == 0)
        return sg_buf_append(&item->request, csr.data, csr.len, SG_LIMIT_REQUEST, error);
    return decode_base64(csr, &item->request, error);
}

/* ---- records ---- */

static bool take_record(struct manifest *manifest, struct sg_slice piece, size_t line,
                        struct sg_item *item, struct sg_error *error)
{
    sg_auto(sg_import_record) struct sg_import_record record = {0};
    const struct sg_import_format *fields = &manifest->fields;

    if (manifest->format == SG_MANIFEST_CSV
            ? !sg_import_csv_record(fields, &manifest->header, piece, line, &record, error)
            : !sg_import_json_record(fields, piece, line, &record, error))
        return false;
    item->device = record.record;
    record.record = (struct sg_record){0};
    item->has_device = item->device.id != NULL;
    return sg_registry_check_part(fields->schema, fields->what, &item->device, error) &&
           find_request(manifest, &record, item, error);
}

/* The bytes of the next record; empty at the end. */
static bool next_piece(struct manifest *manifest, struct sg_slice *piece, size_t *line,
                       struct sg_error *error)
{
    size_t (*measure)(struct sg_slice) =
        manifest->format == SG_MANIFEST_CSV ? sg_csv_record_len : sg_feed_line;

    do
        if (!sg_feed_next(&manifest->feed, measure, piece, line, error))
            return false;
    while (piece->len > 0 && sg_import_is_blank(*piece));
    return true;
}

static bool next_record(struct manifest *manifest, struct sg_item **item, struct sg_error *error)
{
    sg_auto(sg_item) struct sg_item *fresh = NULL;
    char input[SG_LIMIT_PATH + 32];
    struct sg_slice piece;
    size_t line;

    *item = NULL;
    if (!next_piece(manifest, &piece, &line, error))
        return false;
    if (piece.len == 0)
        return true;
    snprintf(input, sizeof input, "%s:%zu", manifest->fields.name, line);
    if (!sg_item_new(input, &fresh, error))
        return false;
    fresh->line = line;
    if (!take_record(manifest, piece, line, fresh, &fresh->error))
        sg_buf_free(&fresh->request);
    *item = SG_TAKE(fresh);
    return true;
}

/* ---- PEM ---- */

/* Up to the line that ends a block. */
static size_t measure_pem(struct sg_slice text)
{
    static const char END[] = "-----END ";
    const uint8_t *end = text.len > 0 ? memmem(text.data, text.len, END, strlen(END)) : NULL;
    size_t len;

    if (end == NULL)
        return 0;
    len = sg_feed_line(sg_slice_of(end, text.len - (size_t)(end - text.data)));
    return len == 0 ? 0 : (size_t)(end - text.data) + len;
}

static bool next_pem(struct manifest *manifest, struct sg_item **item, struct sg_error *error)
{
    static const char BEGIN[] = "-----BEGIN ";
    sg_auto(sg_item) struct sg_item *fresh = NULL;
    char input[64];
    struct sg_slice piece;
    const uint8_t *begin;
    size_t line;

    *item = NULL;
    if (!sg_feed_next(&manifest->feed, measure_pem, &piece, &line, error))
        return false;
    if (sg_import_is_blank(piece))
        return true; /* the end, as every other piece has a block */
    begin = memmem(piece.data, piece.len, BEGIN, strlen(BEGIN));
    for (const uint8_t *at = piece.data; begin != NULL && at < begin; at++)
        line += *at == '\n';
    snprintf(input, sizeof input, "%s:%zu", manifest->fields.name, line);
    if (!sg_item_new(input, &fresh, error))
        return false;
    fresh->line = line;
    if (begin == NULL)
        sg_fail(&fresh->error, SG_MALFORMED, NULL, "neither PEM nor a JSON object");
    else if (!sg_buf_append(&fresh->request, begin, piece.len - (size_t)(begin - piece.data),
                            SG_LIMIT_REQUEST, NULL))
        sg_fail(&fresh->error, SG_MALFORMED, NULL, "more than %d bytes", SG_LIMIT_REQUEST);
    *item = SG_TAKE(fresh);
    return true;
}

/* ---- all of them ---- */

/* A stream says by its first byte what it is. */
static bool choose_format(struct manifest *manifest, struct sg_error *error)
{
    int byte;

    do {
        if (!sg_feed_peek(&manifest->feed, &byte, error))
            return false;
        if (byte == '\n' || byte == '\r' || byte == ' ')
            manifest->feed.from++;
    } while (byte == '\n' || byte == '\r' || byte == ' ');
    manifest->format = byte == '{' ? SG_MANIFEST_JSON_LINES : SG_MANIFEST_PEM;
    return true;
}

static bool next(struct sg_input *source, struct sg_item **item, struct sg_error *error)
{
    struct manifest *manifest = (struct manifest *)source;

    if (manifest->format == SG_MANIFEST_STREAM && !choose_format(manifest, error))
        return false;
    return manifest->format == SG_MANIFEST_PEM ? next_pem(manifest, item, error)
                                               : next_record(manifest, item, error);
}

static bool pass(struct sg_input *source, bool *more, struct sg_error *error)
{
    struct sg_slice piece;
    size_t line;

    if (!next_piece((struct manifest *)source, &piece, &line, error))
        return false;
    *more = piece.len > 0;
    return true;
}

static void close_manifest(struct sg_input *source)
{
    struct manifest *manifest = (struct manifest *)source;

    sg_feed_close(&manifest->feed);
    sg_csv_row_done(&manifest->header);
    free(manifest->folder);
    free(manifest);
}

/* A spreadsheet's mark of three bytes stands before all else. */
static bool skip_mark(struct sg_feed *feed, struct sg_error *error)
{
    int byte;

    if (!sg_feed_peek(feed, &byte, error))
        return false;
    struct sg_slice there = sg_slice_of(feed->bytes + feed->from, feed->to - feed->from);
    feed->from += there.len - sg_import_skip_mark(there).len;
    return true;
}

static bool read_header(struct manifest *manifest, struct sg_error *error)
{
    struct sg_slice piece;
    size_t line;

    if (!next_piece(manifest, &piece, &line, error))
        return false;
    if (piece.len == 0)
        return sg_fail(error, SG_INVALID, NULL, "%s is empty; its first line names the fields",
                       manifest->fields.name);
    return sg_import_csv_header(&manifest->fields, piece, line, &manifest->header, error);
}

static bool find_folder(struct manifest *manifest, struct sg_error *error)
{
    const char *path = manifest->head.path, *slash = strrchr(path, '/');

    manifest->folder = slash == NULL ? strdup("") : strndup(path, (size_t)(slash - path) + 1);
    return manifest->folder != NULL || sg_fail_memory(error);
}

static bool prepare(struct manifest *manifest, struct sg_error *error)
{
    if (!find_folder(manifest, error) ||
        !sg_feed_open(manifest->head.path, manifest->head.stop, &manifest->feed, error))
        return false;
    return manifest->format == SG_MANIFEST_STREAM ||
           (skip_mark(&manifest->feed, error) &&
            (manifest->format != SG_MANIFEST_CSV || read_header(manifest, error)));
}

bool sg_input_open_manifest(const char *path, const struct sg_schema *schema, int stop,
                            enum sg_manifest_format format, struct sg_input **source,
                            struct sg_error *error)
{
    static const struct sg_input_kind KIND = {next, pass, close_manifest};
    struct manifest *manifest = calloc(1, sizeof *manifest);

    if (manifest == NULL)
        return sg_fail_memory(error);
    *manifest = (struct manifest){
        .head = {&KIND, path, schema, stop},
        .format = format,
        .fields = {schema,
                   "device",
                   strcmp(path, "-") == 0 ? "standard input" : path,
                   {[CSR] = "csr", [CSR_FILE] = "csr_file"}},
        .feed = {.fd = -1},
    };
    if (prepare(manifest, error)) {
        *source = &manifest->head;
        return true;
    }
    close_manifest(&manifest->head);
    return false;
}
