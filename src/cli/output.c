#include "output.h"

#include <string.h>

#include "base/text.h"
#include "cert/cert.h"

bool sg_cli_print_json(json_t *value, struct sg_error *error)
{
    if (value == NULL)
        return sg_fail_memory(error);
    int failed = json_dumpf(value, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(value);
    return failed == 0 || sg_fail_errno(error, "the result could not be written");
}

bool sg_cli_print_text(struct sg_slice text, struct sg_error *error)
{
    return fwrite(text.data, 1, text.len, stdout) == text.len ||
           sg_fail_errno(error, "the result could not be written to standard output");
}

bool sg_cli_emit_pem(const char *output, bool force, struct sg_slice der, const char *label,
                     struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf pem = {0};

    if (!sg_cert_pem(der, label, &pem, error))
        return false;
    if (output != NULL)
        return sg_file_write(output, sg_buf_slice(&pem), 0644,
                             force ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING, error);
    return fwrite(pem.data, 1, pem.len, stdout) == pem.len ||
           sg_fail_errno(error, "the result could not be written to standard output");
}

bool sg_cli_check_output(const char *output, bool force, struct sg_error *error)
{
    enum sg_overwrite overwrite = force ? SG_REPLACE_EXISTING : SG_KEEP_EXISTING;

    return output == NULL || sg_file_check_target(output, overwrite, error);
}

json_t *sg_cli_pem_json(struct sg_slice der, const char *label)
{
    sg_auto(sg_buf) struct sg_buf pem = {0};

    if (der.len == 0)
        return json_null();
    if (!sg_cert_pem(der, label, &pem, NULL))
        return NULL;
    return json_stringn((const char *)pem.data, pem.len);
}

void sg_cli_append(json_t **array, json_t *item)
{
    if (*array != NULL && item != NULL && json_array_append(*array, item) == 0) {
        json_decref(item);
        return;
    }
    json_decref(item);
    json_decref(*array);
    *array = NULL;
}

static const char *yes_no(bool value)
{
    return value ? "yes" : "no";
}

void sg_cli_print_key(const struct sg_key *key)
{
    char kind[SG_KEY_KIND_TEXT_SIZE], id[2 * SG_LIMIT_PIN + 1], digest[SG_SHA256_HEX_SIZE];

    printf("%s\n", key->label);
    printf("  kind               %s\n", sg_key_kind_text(key->public.kind, kind));
    printf("  id                 %s\n", sg_hex(sg_buf_slice(&key->id), id, sizeof id));
    if (key->public.spki.len > 0)
        printf("  public key SHA-256 %s\n",
               sg_hex(sg_slice_of(key->public.sha256, SG_SHA256_LEN), digest, sizeof digest));
    printf("  certificate        %s\n", yes_no(key->has_certificate));
    printf("  made on the token  %s\n", yes_no(key->local));
    printf("  sensitive          %s, always %s\n", yes_no(key->sensitive),
           yes_no(key->always_sensitive));
    printf("  extractable        %s, ever %s\n", yes_no(key->extractable),
           yes_no(!key->never_extractable));
    printf("  modifiable         %s\n", yes_no(key->modifiable));
    printf("  may                %s%s%s%s\n", key->sign ? "sign" : "not sign",
           key->decrypt ? ", decrypt" : "", key->unwrap ? ", unwrap" : "",
           key->derive ? ", derive" : "");
    if (key->always_authenticate)
        printf("  PIN                for each signature\n");
}

json_t *sg_cli_key_json(const struct sg_key *key)
{
    char kind[SG_KEY_KIND_TEXT_SIZE], id[2 * SG_LIMIT_PIN + 1], digest[SG_SHA256_HEX_SIZE];

    sg_hex(sg_slice_of(key->public.sha256, SG_SHA256_LEN), digest, sizeof digest);
    return json_pack(
        "{s:o, s:s, s:s, s:o, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "label",
        sg_json_text(key->label), "kind", sg_key_kind_text(key->public.kind, kind), "id",
        sg_hex(sg_buf_slice(&key->id), id, sizeof id), "key_sha256",
        key->public.spki.len > 0 ? json_string(digest) : json_null(), "certificate",
        key->has_certificate, "local", key->local, "sensitive", key->sensitive, "always_sensitive",
        key->always_sensitive, "extractable", key->extractable, "never_extractable",
        key->never_extractable, "modifiable", key->modifiable, "sign", key->sign, "decrypt",
        key->decrypt, "unwrap", key->unwrap, "derive", key->derive, "always_authenticate",
        key->always_authenticate);
}
