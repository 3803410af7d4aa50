#include "statement.h"

#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "merkle.h"

SG_DEFINE_CLEANUP(CMS_ContentInfo, CMS_ContentInfo_free)

struct sg_statement {
    const struct sg_statement_spec *spec;
    const struct sg_issuing *issuing;
    struct sg_draft *draft;
    FILE *file;
    struct sg_merkle merkle;
    char first[SG_SERIAL_TEXT_SIZE], last[SG_SERIAL_TEXT_SIZE];
    int64_t begun;
};

static bool has_purpose(X509 *certificate)
{
    EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
    sg_auto(ASN1_OBJECT) ASN1_OBJECT *wanted = OBJ_txt2obj("1.3.6.1.5.5.7.3.36", 1);
    bool found = false;

    for (int i = 0; wanted != NULL && i < sk_ASN1_OBJECT_num(purposes); i++)
        found = found || OBJ_cmp(sk_ASN1_OBJECT_value(purposes, i), wanted) == 0;
    EXTENDED_KEY_USAGE_free(purposes);
    return found;
}

bool sg_statement_check(X509 *certificate, struct sg_error *error)
{
    uint32_t usage = X509_get_key_usage(certificate);

    if (!has_purpose(certificate))
        return sg_fail(error, SG_REFUSED, "RFC 9336 3.1",
                       "the certificate of who signs a statement has the purpose documentSigning; "
                       "policy line-statement gives it");
    return (usage & KU_DIGITAL_SIGNATURE) != 0 ||
           sg_fail(error, SG_REFUSED, "RFC 5280 4.2.1.3",
                   "the certificate of who signs a statement has the key usage digitalSignature");
}

bool sg_statement_open(const struct sg_statement_spec *spec, const struct sg_issuing *issuing,
                       bool force, struct sg_statement **statement, struct sg_error *error)
{
    sg_auto(sg_statement) struct sg_statement *fresh = NULL;

    if (!sg_statement_check(spec->certificate, error))
        return false;
    if ((fresh = calloc(1, sizeof *fresh)) == NULL)
        return sg_fail_memory(error);
    fresh->spec = spec;
    fresh->issuing = issuing;
    fresh->begun = sg_clock_now(&issuing->clock);
    if (!sg_draft_open(spec->path, 0644, force ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING,
                       &fresh->draft, error) ||
        !sg_draft_file(fresh->draft, &fresh->file, error))
        return false;
    *statement = SG_TAKE(fresh);
    return true;
}

bool sg_statement_check_name(const char *name, struct sg_error *error)
{
    return sg_sink_check_file(name, SG_LIMIT_VALUE, error);
}

bool sg_statement_add(struct sg_statement *statement, const struct sg_served *served,
                      struct sg_slice der, struct sg_error *error)
{
    uint8_t leaf[SG_SHA256_LEN];
    char text[SG_SHA256_HEX_SIZE];

    sg_merkle_leaf(der, leaf);
    if (statement->merkle.num == 0)
        snprintf(statement->first, sizeof statement->first, "%s", served->serial);
    snprintf(statement->last, sizeof statement->last, "%s", served->serial);
    sg_merkle_add(&statement->merkle, leaf);
    return fprintf(statement->file, "%s %s.pem\n",
                   sg_hex(sg_slice_of(leaf, sizeof leaf), text, sizeof text), served->name) > 0 ||
           sg_fail_errno(error, "cannot write %s", statement->spec->path);
}

/* What is signed. */
static json_t *summary(const struct sg_statement *statement)
{
    const struct sg_issuing *issuing = statement->issuing;
    uint8_t root[SG_SHA256_LEN];
    char text[SG_SHA256_HEX_SIZE], policy[SG_SHA256_HEX_SIZE], from[SG_TIME_TEXT_SIZE],
        to[SG_TIME_TEXT_SIZE];

    sg_merkle_root(&statement->merkle, root);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "statement",
                     "signet line 1", "ca", sg_home_config(issuing->home)->ca, "issuer",
                     issuing->issuer->facts.name, "policy", sg_policy_name(issuing->policy),
                     "policy_sha256",
                     sg_hex(sg_slice_of(sg_policy_sha256(issuing->policy), SG_SHA256_LEN), policy,
                            sizeof policy),
                     "from", sg_time_text(statement->begun, from), "to",
                     sg_time_text(sg_clock_now(&issuing->clock), to), "certificates",
                     (json_int_t)statement->merkle.num, "first_serial", statement->first,
                     "last_serial", statement->last, "tree", "RFC 9162, SHA-256", "merkle_root",
                     sg_hex(sg_slice_of(root, sizeof root), text, sizeof text));
}

static bool sign(struct sg_statement *statement, const char *text, struct sg_error *error)
{
    const struct sg_statement_spec *spec = statement->spec;
    sg_auto(BIO) BIO *content = BIO_new_mem_buf(text, -1);
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = NULL;

    if (content == NULL)
        return sg_fail_memory(error);
    cms = CMS_sign(spec->certificate, spec->key, spec->chain, content, CMS_BINARY | CMS_NOSMIMECAP);
    if (cms == NULL)
        return sg_fail_openssl(error, SG_TOKEN, NULL, "%s can't be signed", spec->path);
    return PEM_write_CMS(statement->file, cms) == 1 ||
           sg_fail_errno(error, "cannot write %s", spec->path);
}

bool sg_statement_finish(struct sg_statement *statement, struct sg_error *error)
{
    sg_auto(json_t) json_t *object = summary(statement);
    sg_auto(malloc) char *text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(2));

    if (text == NULL)
        return sg_fail_memory(error);
    if (!sign(statement, text, error))
        return false;
    if (fflush(statement->file) != 0 || ferror(statement->file))
        return sg_fail_errno(error, "cannot write %s", statement->spec->path);
    return sg_draft_place(statement->draft, error);
}

void sg_statement_close(struct sg_statement *statement)
{
    if (statement == NULL)
        return;
    sg_cleanup_FILE(&statement->file);
    sg_draft_free(statement->draft);
    free(statement);
}
