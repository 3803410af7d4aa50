#include "tree.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/limits.h"
#include "show_parts.h"

enum { NOBODY = -1, LIMIT_TEXT = 1 << 30, DEEPEST = 32 };

struct forest {
    const STACK_OF(X509) * certificates;
    int num;
    int *issuers; /* index of each one's issuer, or NOBODY */
    bool *drawn;  /* also those that are there twice */
    int64_t now;
};

static X509 *at(const struct forest *forest, int index)
{
    return sk_X509_value(forest->certificates, index);
}

static bool is_issued_by(X509 *certificate, X509 *issuer)
{
    bool issued;

    ERR_set_mark();
    issued = X509_check_issued(issuer, certificate) == X509_V_OK &&
             X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
    ERR_pop_to_mark();
    return issued;
}

static int find_issuer(const struct forest *forest, int index)
{
    for (int i = 0; i < forest->num; i++)
        if (i != index && !forest->drawn[i] && is_issued_by(at(forest, index), at(forest, i)))
            return i;
    return NOBODY;
}

static bool is_there_before(const struct forest *forest, int index)
{
    for (int i = 0; i < index; i++)
        if (X509_cmp(at(forest, i), at(forest, index)) == 0)
            return true;
    return false;
}

static bool is_self_signed(X509 *certificate)
{
    return is_issued_by(certificate, certificate);
}

static json_t *describe(const struct forest *forest, int index)
{
    X509 *certificate = at(forest, index);
    char text[SG_SHOW_TEXT], words[SG_SHOW_VALIDITY];
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    sg_auto(json_t) json_t *node = json_object();

    if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1 ||
        !sg_show_put(node, "subject", "%s",
                     sg_show_name(X509_get_subject_name(certificate), text)) ||
        !sg_show_put(node, "validity", "%s", sg_show_validity(certificate, forest->now, words)) ||
        !sg_show_moment(node, "not_before", X509_get0_notBefore(certificate)) ||
        !sg_show_moment(node, "not_after", X509_get0_notAfter(certificate)) ||
        !sg_show_put_hex(node, "sha256", sg_slice_of(digest, len)))
        return NULL;
    if (forest->issuers[index] == NOBODY && !is_self_signed(certificate) &&
        !sg_show_put(node, "issuer", "%s", sg_show_name(X509_get_issuer_name(certificate), text)))
        return NULL;
    return SG_TAKE(node);
}

/* Those that certify each other in a circle end where the circle closes. */
static json_t *grow(struct forest *forest, int index, int depth)
{
    sg_auto(json_t) json_t *node = describe(forest, index);
    json_t *issued = json_array();

    if (json_object_set_new(node, "issued", issued) != 0)
        return NULL;
    forest->drawn[index] = true;
    for (int i = 0; i < forest->num && depth < DEEPEST; i++) {
        if (forest->issuers[i] != index || forest->drawn[i])
            continue;
        if (json_array_append_new(issued, grow(forest, i, depth + 1)) != 0)
            return NULL;
    }
    return SG_TAKE(node);
}

/* Those without an issuer here; then, of a circle, the first. */
static bool grow_all(struct forest *forest, json_t *tree)
{
    for (int only_tops = 1; only_tops >= 0; only_tops--)
        for (int i = 0; i < forest->num; i++)
            if (!forest->drawn[i] && (!only_tops || forest->issuers[i] == NOBODY) &&
                json_array_append_new(tree, grow(forest, i, 0)) != 0)
                return false;
    return true;
}

bool sg_tree_json(const STACK_OF(X509) * certificates, int64_t now, json_t **tree,
                  struct sg_error *error)
{
    int num = sk_X509_num(certificates);
    sg_auto(malloc) int *issuers = calloc((size_t)num + 1, sizeof *issuers);
    sg_auto(malloc) bool *drawn = calloc((size_t)num + 1, sizeof *drawn);
    struct forest forest = {certificates, num, issuers, drawn, now};
    sg_auto(json_t) json_t *made = json_array();

    if (issuers == NULL || drawn == NULL)
        return sg_fail_memory(error);
    for (int i = 0; i < num; i++)
        drawn[i] = is_there_before(&forest, i);
    for (int i = 0; i < num; i++)
        issuers[i] = is_self_signed(at(&forest, i)) ? NOBODY : find_issuer(&forest, i);
    if (!grow_all(&forest, made))
        return sg_fail_memory(error);
    *tree = SG_TAKE(made);
    return true;
}

/* ---- drawing ---- */

static bool draw(const json_t *nodes, const char *margin, struct sg_buf *text,
                 struct sg_error *error)
{
    size_t num = json_array_size(nodes);
    char below[DEEPEST * sizeof "│  "];

    for (size_t i = 0; i < num; i++) {
        const json_t *node = json_array_get(nodes, i);
        bool last = i + 1 == num;

        snprintf(below, sizeof below, "%s%s", margin, last ? "   " : "│  ");
        if (!sg_buf_printf(text, LIMIT_TEXT, error, "%s%s %s  (%s; SHA-256 %.16s…)\n", margin,
                           last ? "└─" : "├─", json_string_value(json_object_get(node, "subject")),
                           json_string_value(json_object_get(node, "validity")),
                           json_string_value(json_object_get(node, "sha256"))) ||
            !draw(json_object_get(node, "issued"), below, text, error))
            return false;
    }
    return true;
}

static const char *issuer_of(const json_t *node)
{
    return json_string_value(json_object_get(node, "issuer"));
}

/* Those with an issuer that is not there, from index on; none when an earlier one has the same. */
static json_t *same_issuer(const json_t *tree, size_t index)
{
    const char *issuer = issuer_of(json_array_get(tree, index));
    json_t *group = json_array();

    for (size_t i = 0; i < json_array_size(tree); i++) {
        json_t *node = json_array_get(tree, i);

        if (issuer_of(node) == NULL || strcmp(issuer_of(node), issuer) != 0)
            continue;
        if (i < index)
            break;
        json_array_append(group, node);
    }
    return group;
}

static bool draw_orphans(const json_t *tree, size_t index, struct sg_buf *text,
                         struct sg_error *error)
{
    sg_auto(json_t) json_t *group = same_issuer(tree, index);

    if (json_array_size(group) == 0)
        return true;
    return sg_buf_printf(text, LIMIT_TEXT, error, "%s  (not here)\n",
                         issuer_of(json_array_get(tree, index))) &&
           draw(group, "", text, error);
}

static bool draw_top(const json_t *node, struct sg_buf *text, struct sg_error *error)
{
    return sg_buf_printf(text, LIMIT_TEXT, error, "%s  (%s; SHA-256 %.16s…)\n",
                         json_string_value(json_object_get(node, "subject")),
                         json_string_value(json_object_get(node, "validity")),
                         json_string_value(json_object_get(node, "sha256"))) &&
           draw(json_object_get(node, "issued"), "", text, error);
}

bool sg_tree_text(const json_t *tree, struct sg_buf *text, struct sg_error *error)
{
    for (size_t i = 0; i < json_array_size(tree); i++) {
        const json_t *node = json_array_get(tree, i);

        if (!(issuer_of(node) != NULL ? draw_orphans(tree, i, text, error)
                                      : draw_top(node, text, error)))
            return false;
    }
    return true;
}
