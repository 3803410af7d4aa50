#include "signatures.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "ssh.h"

bool sg_ceremony_check_form(struct sg_slice signature, const char *path, struct sg_error *error)
{
    return !sg_ssh_is_signature(signature) ||
           sg_ssh_check_namespace(signature, SG_CEREMONY_NAMESPACE, error) ||
           sg_error_prefix(error, "%s", path);
}

bool sg_ceremony_verify(const struct sg_public_key *key, struct sg_slice bytes,
                        struct sg_slice signature, struct sg_error *error)
{
    enum sg_scheme scheme = sg_scheme_default(key->kind);
    char text[SG_KEY_KIND_TEXT_SIZE];

    if (sg_ssh_is_signature(signature))
        return sg_ssh_verify(key, SG_CEREMONY_NAMESPACE, bytes, signature, error);
    if (scheme == SG_SCHEME_NONE)
        return sg_fail(error, SG_POSSESSION, NULL, "no signatures are made with a key of %s",
                       sg_key_kind_text(key->kind, text));
    return sg_scheme_verify(scheme, key, bytes, signature, error);
}

/* ---- the file of signers ---- */

static const char BEGIN[] = "-----BEGIN ", END[] = "-----END ";

struct reading {
    const char *file;
    unsigned line;
    char *name;        /* whose key comes next */
    const char *block; /* where its PEM began; NULL outside of one */
    struct sg_ceremony_signers *signers;
};

static bool fail_at(const struct reading *reading, struct sg_error *error, const char *what)
{
    return sg_fail(error, SG_INVALID, NULL, "%s:%u: %s", reading->file, reading->line, what);
}

static bool add_signer(struct reading *reading, struct sg_slice bytes, struct sg_error *error)
{
    struct sg_ceremony_signers *signers = reading->signers;
    struct sg_ceremony_signer *items =
        reallocarray(signers->items, signers->num + 1, sizeof *items);

    if (items == NULL)
        return sg_fail_memory(error);
    signers->items = items;
    items[signers->num] = (struct sg_ceremony_signer){0};
    if (!sg_ceremony_read_public_key(bytes, reading->name, &items[signers->num].key, error))
        return sg_error_prefix(error, "%s:%u", reading->file, reading->line);
    for (size_t i = 0; i < signers->num; i++)
        if (strcmp(items[i].name, reading->name) == 0 ||
            sg_public_key_equal(&items[i].key, &items[signers->num].key)) {
            sg_public_key_done(&items[signers->num].key);
            return fail_at(reading, error, "this name or key is there twice");
        }
    items[signers->num++].name = SG_TAKE(reading->name);
    return true;
}

static bool take_name(struct reading *reading, struct sg_slice line, struct sg_error *error)
{
    if (reading->name != NULL)
        return fail_at(reading, error, "a name, and the one before it has no key");
    return (sg_text_check(line, "the name", error) && sg_text_copy(line, &reading->name, error)) ||
           sg_error_prefix(error, "%s:%u", reading->file, reading->line);
}

static bool begins_with(struct sg_slice line, const char *text)
{
    return line.len >= strlen(text) && memcmp(line.data, text, strlen(text)) == 0;
}

static bool fail_without_name(const struct reading *reading, struct sg_error *error)
{
    return fail_at(reading, error, "a key without a line before it that says whose");
}

static bool take_line(struct reading *reading, struct sg_slice line, struct sg_error *error)
{
    if (reading->block != NULL) {
        if (!begins_with(line, END))
            return true;
        const char *from = SG_TAKE(reading->block);
        return add_signer(
            reading, sg_slice_of(from, (size_t)((const char *)line.data + line.len - from)), error);
    }
    if (begins_with(line, BEGIN)) {
        if (reading->name == NULL)
            return fail_without_name(reading, error);
        reading->block = (const char *)line.data;
        return true;
    }
    if (line.len == 0 || line.data[0] == '#')
        return true;
    if (sg_ssh_is_key(line))
        return reading->name != NULL ? add_signer(reading, line, error)
                                     : fail_without_name(reading, error);
    return take_name(reading, line, error);
}

static bool take_lines(struct reading *reading, struct sg_slice text, struct sg_error *error)
{
    const uint8_t *at = text.data, *end = text.data + text.len;

    while (at < end) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        const uint8_t *stop = newline != NULL ? newline : end;
        size_t len = (size_t)(stop - at);

        reading->line++;
        if (len > 0 && at[len - 1] == '\r')
            len--;
        if (!take_line(reading, sg_slice_of(at, len), error))
            return false;
        at = stop + 1;
    }
    if (reading->name != NULL)
        return fail_at(reading, error, "the last name has no key");
    return reading->signers->num > 0 ||
           fail_at(reading, error,
                   "nobody is there: a line with a name, then a public key, in PEM or as OpenSSH "
                   "writes it");
}

bool sg_ceremony_signers_parse(const char *name, struct sg_slice text,
                               struct sg_ceremony_signers *signers, struct sg_error *error)
{
    sg_auto(sg_ceremony_signers) struct sg_ceremony_signers fresh = {0};
    struct reading reading = {.file = name, .signers = &fresh};
    bool is_read = take_lines(&reading, text, error);

    free(reading.name);
    if (!is_read)
        return false;
    *signers = fresh;
    fresh = (struct sg_ceremony_signers){0}; /* now the caller's */
    return true;
}

void sg_ceremony_signers_done(struct sg_ceremony_signers *signers)
{
    for (size_t i = 0; i < signers->num; i++) {
        free(signers->items[i].name);
        sg_public_key_done(&signers->items[i].key);
    }
    free(signers->items);
    *signers = (struct sg_ceremony_signers){0};
}

/* ---- approvals ---- */

static bool is_in(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
            return true;
    return false;
}

static bool take_approval(const struct sg_ceremony *ceremony, const char *path, json_t *names,
                          struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf signature = {0};

    if (!sg_file_read(path, SG_LIMIT_SIGNATURE, &signature, error) ||
        !sg_ceremony_check_form(sg_buf_slice(&signature), path, error))
        return false;
    for (size_t i = 0; i < ceremony->file.num_persons; i++) {
        const char *name = ceremony->file.persons[i].name;

        if (ceremony->person_keys[i].pkey == NULL ||
            !sg_ceremony_verify(&ceremony->person_keys[i], sg_buf_slice(&ceremony->bytes),
                                sg_buf_slice(&signature), NULL))
            continue;
        if (is_in(names, name))
            return sg_fail(error, SG_REFUSED, "approval", "%s has signed the plan twice", name);
        return json_array_append_new(names, json_string(name)) == 0 || sg_fail_memory(error);
    }
    return sg_fail(error, SG_REFUSED, "approval",
                   "%s is no signature over this plan by a person with a key in it", path);
}

bool sg_ceremony_check_approvals(const struct sg_ceremony *ceremony, const char *const *paths,
                                 size_t num, json_t *names, struct sg_error *error)
{
    for (size_t i = 0; i < num; i++)
        if (!take_approval(ceremony, paths[i], names, error))
            return false;
    if ((long)json_array_size(names) < ceremony->file.signatures)
        return sg_fail(error, SG_REFUSED, "approval",
                       "the plan wants %ld signatures, and there are %zu; each person signs it "
                       "with `signet ceremony sign`, and the run takes the files by --approval",
                       ceremony->file.signatures, json_array_size(names));
    return true;
}
