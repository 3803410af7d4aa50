#include "keys.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "cert/cert.h"
#include "sink.h"

static const char SEALED[] = "-----BEGIN CMS-----";

/* A name that leaves room for the certificate's, and is no path. */
static bool find_place(const struct sg_line_keys *keys, const struct sg_item *item, char **path,
                       struct sg_error *error)
{
    char name[SG_SINK_FILE_NAME + 8];

    if (!sg_sink_check_file(item->device.id, SG_SINK_FILE_NAME, error))
        return false;
    snprintf(name, sizeof name, "%s.key", item->device.id);
    return sg_path_join(keys->folder, name, path, error);
}

static bool read_kept(const char *path, struct sg_buf *request, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    const char *end;

    if (!sg_file_read(path, 2 * SG_LIMIT_REQUEST, &text, error))
        return false;
    end = text.len > 0 ? strstr((const char *)text.data, SEALED) : NULL;
    if (end == NULL)
        return sg_fail(error, SG_INVALID, NULL,
                       "%s is no key that a run has kept there; move it away", path);
    return sg_buf_append(request, text.data, (size_t)(end - (const char *)text.data),
                         SG_LIMIT_REQUEST, error);
}

static bool make(const struct sg_line_keys *keys, const struct sg_item *item, const char *path,
                 struct sg_buf *request, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf der = {0}, sealed = {0}, text = {0};

    return keys->make(keys->context, &item->device, &der, &sealed, error) &&
           sg_cert_pem(sg_buf_slice(&der), "CERTIFICATE REQUEST", &text, error) &&
           sg_buf_append(&text, sealed.data, sealed.len, 2 * SG_LIMIT_REQUEST, error) &&
           sg_file_write(path, sg_buf_slice(&text), 0600, SG_KEEP_EXISTING, error) &&
           sg_buf_append(request, der.data, der.len, SG_LIMIT_REQUEST, error);
}

static bool is_everybodys(enum sg_code code)
{
    return code == SG_TOKEN || code == SG_PIN || code == SG_FAILED || code == SG_STORE ||
           code == SG_INTERNAL;
}

bool sg_keys_fill(const struct sg_line_keys *keys, struct sg_item *item, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    struct sg_error why = {0};

    if (!item->has_no_request)
        return true;
    sg_error_clear(&item->error);
    if (!find_place(keys, item, &path, &item->error))
        return true;
    if (access(path, F_OK) == 0) {
        if (!read_kept(path, &item->request, &item->error))
            sg_buf_free(&item->request);
        return true;
    }
    if (make(keys, item, path, &item->request, &why))
        return true;
    *(is_everybodys(why.code) ? error : &item->error) = why;
    return !is_everybodys(why.code);
}
