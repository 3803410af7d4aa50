/* One act: doing it, and what of it is remembered. */
#include <string.h>

#include "base/file.h"
#include "cert/cert.h"
#include "stage.h"

/* ---- signing ---- */

static bool intend(struct sg_stage *stage, size_t act, const char *name, struct sg_slice tbs,
                   struct sg_error *error)
{
    char hex[SG_SHA256_HEX_SIZE];
    uint8_t digest[SG_SHA256_LEN];

    sg_sha256(tbs, digest);
    return sg_stage_record(stage, "intent",
                           json_pack("{s:i, s:s, s:s}", "act", (int)act + 1, "file", name,
                                     "tbs_sha256",
                                     sg_hex(sg_slice_of(digest, sizeof digest), hex, sizeof hex)),
                           error);
}

static bool record_signed(struct sg_stage *stage, size_t act, const char *name, struct sg_slice der,
                          struct sg_error *error)
{
    char digest_hex[SG_SHA256_HEX_SIZE];
    uint8_t digest[SG_SHA256_LEN];
    sg_auto(malloc) char *hex = malloc(2 * der.len + 1);

    if (hex == NULL)
        return sg_fail_memory(error);
    sg_sha256(der, digest);
    return sg_stage_record(
        stage, "signed",
        json_pack("{s:i, s:s, s:s, s:s, s:s}", "act", (int)act + 1, "file", name, "key",
                  stage->ceremony->file
                      .keys[sg_world_signer(&stage->world, &stage->ceremony->file.acts[act])]
                      .name,
                  "sha256",
                  sg_hex(sg_slice_of(digest, sizeof digest), digest_hex, sizeof digest_hex), "der",
                  sg_hex(der, hex, 2 * der.len + 1)),
        error);
}

static bool sign(struct sg_stage *stage, const struct sg_ceremony_act *act, struct sg_slice tbs,
                 struct sg_buf *der, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf signature = {0};
    struct sg_issuer_facts facts;

    return sg_world_facts(&stage->world, act, &facts, error) &&
           sg_signer_sign(stage->signers[sg_world_signer(&stage->world, act)], facts.scheme, tbs,
                          &signature, error) &&
           sg_signer_check_signature(facts.scheme, &facts.key, tbs, sg_buf_slice(&signature),
                                     error) &&
           sg_world_attach(&stage->world, act, tbs, sg_buf_slice(&signature), der, error);
}

/* What a power cut left signed and recorded is not signed again. */
static bool recall_signed(const struct sg_stage *stage, size_t act, const char *name,
                          struct sg_buf *der, bool *is_signed, struct sg_error *error)
{
    const char *hex = json_string_value(
        json_object_get(sg_transcript_of_act(&stage->transcript, "signed", act, name), "der"));
    sg_auto(malloc) uint8_t *bytes = NULL;
    size_t len = 0;

    *is_signed = hex != NULL;
    if (hex == NULL)
        return true;
    bytes = malloc(strlen(hex) / 2 + 1);
    if (bytes == NULL)
        return sg_fail_memory(error);
    return sg_hex_parse(hex, bytes, strlen(hex) / 2, &len, error) &&
           sg_buf_set(der, sg_slice_of(bytes, len), error);
}

static bool make_output(struct sg_stage *stage, size_t act, size_t nth, struct sg_buf *der,
                        struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &stage->ceremony->file.acts[act];
    sg_auto(sg_buf) struct sg_buf tbs = {0};
    char name[SG_CEREMONY_NAME_SIZE];
    bool is_signed;

    sg_ceremony_output_name(of_file, nth, name);
    if (!recall_signed(stage, act, name, der, &is_signed, error))
        return false;
    if (is_signed)
        return true;
    if (!sg_world_build(&stage->world, of_file, nth, &tbs, error))
        return false;
    if (!sg_world_fits(sg_ceremony_known(stage->ceremony, act, nth), sg_buf_slice(&tbs)))
        return sg_fail(error, SG_INTERNAL, NULL,
                       "%s would not be what the plan says; nothing was signed", name);
    return intend(stage, act, name, sg_buf_slice(&tbs), error) &&
           sign(stage, of_file, sg_buf_slice(&tbs), der, error) &&
           record_signed(stage, act, name, sg_buf_slice(der), error);
}

/* ---- writing ---- */

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name);

    return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* PEM in files that are called so, DER in all others. */
static bool file_bytes(const struct sg_ceremony_act *act, const char *name, struct sg_slice der,
                       struct sg_buf *bytes, struct sg_error *error)
{
    if (!ends_in(name, ".pem"))
        return sg_buf_set(bytes, der, error);
    return sg_cert_pem(der,
                       act->kind == SG_ACT_CRL       ? "X509 CRL"
                       : act->kind == SG_ACT_REQUEST ? "CERTIFICATE REQUEST"
                                                     : "CERTIFICATE",
                       bytes, error);
}

/* A file that is there already is the one that was written before a power cut, or somebody else's:
 * then it stays as it is, and the ceremony stops. */
static bool write_output(const struct sg_stage *stage, const struct sg_ceremony_act *act,
                         const char *name, struct sg_slice der, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    sg_auto(sg_buf) struct sg_buf there = {0};
    sg_auto(malloc) char *path = NULL;
    char relative[SG_CEREMONY_NAME_SIZE + 4];

    snprintf(relative, sizeof relative, "out/%s", name);
    if (!sg_stage_path(stage, relative, &path, error) || !file_bytes(act, name, der, &bytes, error))
        return false;
    if (access(path, F_OK) != 0)
        return sg_file_write(path, sg_buf_slice(&bytes), 0644, SG_KEEP_EXISTING, error);
    return sg_file_read(path, SG_LIMIT_CRL, &there, error) &&
           (sg_slice_equal(sg_buf_slice(&there), sg_buf_slice(&bytes)) ||
            sg_fail(error, SG_FAILED, NULL, "%s is there and is something else; it stays", path));
}

static bool show_output(const struct sg_stage *stage, const char *name, struct sg_slice der,
                        struct sg_error *error)
{
    uint8_t digest[SG_SHA256_LEN];

    sg_sha256(der, digest);
    return sg_stage_show(stage, error, "Done: out/%s. Its fingerprint (SHA-256):\n", name) &&
           sg_stage_show_digest(stage, digest, error);
}

static bool keep_output(struct sg_stage *stage, size_t act, size_t nth, struct sg_slice der,
                        struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &stage->ceremony->file.acts[act];
    char name[SG_CEREMONY_NAME_SIZE];

    sg_ceremony_output_name(of_file, nth, name);
    return write_output(stage, of_file, name, der, error) &&
           sg_world_adopt(&stage->world, of_file, der, error) &&
           show_output(stage, name, der, error);
}

/* All of an act is signed and checked before the first file of it is written. */
static bool sign_all(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    size_t num = sg_ceremony_num_outputs(&stage->ceremony->file.acts[act]);
    struct sg_buf *ders = calloc(num, sizeof *ders);
    bool is_done = ders != NULL || sg_fail_memory(error);

    for (size_t nth = 0; is_done && nth < num; nth++)
        is_done = make_output(stage, act, nth, &ders[nth], error);
    for (size_t nth = 0; is_done && nth < num; nth++)
        is_done = keep_output(stage, act, nth, sg_buf_slice(&ders[nth]), error);
    for (size_t nth = 0; ders != NULL && nth < num; nth++)
        sg_buf_free(&ders[nth]);
    free(ders);
    return is_done;
}

/* ---- the act ---- */

static bool perform(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    switch (stage->ceremony->file.acts[act].kind) {
    case SG_ACT_MAKE_KEY:
        return sg_stage_make_key(stage, act, error);
    case SG_ACT_USE_KEY:
        return sg_stage_use_key(stage, act, error);
    case SG_ACT_CHANGE_PIN:
        return sg_stage_change_pin(stage, act, error);
    case SG_ACT_DESTROY:
        return sg_stage_destroy_key(stage, act, error);
    case SG_ACT_BACKUP:
        return stage->ceremony->file.acts[act].backup != SG_BACKUP_WRAP ||
               sg_stage_copy_key(stage, act, error);
    case SG_ACT_HAND_OVER:
        return true;
    default:
        return sign_all(stage, act, error);
    }
}

static bool announce(const struct sg_stage *stage, size_t act, struct sg_error *error)
{
    const json_t *lines = sg_ceremony_act_lines(stage->ceremony, act);
    sg_auto(sg_buf) struct sg_buf text = {0};

    if (!sg_buf_printf(&text, SG_LIMIT_CEREMONY_PLAN, error, "\nAct %zu of %zu: %s\n", act + 1,
                       stage->ceremony->file.num_acts, sg_ceremony_act_title(stage->ceremony, act)))
        return false;
    for (size_t i = 0; i < json_array_size(lines); i++)
        if (!sg_buf_printf(&text, SG_LIMIT_CEREMONY_PLAN, error, "    %s\n",
                           json_string_value(json_array_get(lines, i))))
            return false;
    return stage->people->show(stage->people->context, (const char *)text.data, error);
}

static bool close_as_failed(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    char why[SG_ANSWER_SIZE];

    if (!sg_stage_ask(stage, SG_ASK_WHY, "Why does it fail? ", "", why, error) ||
        !sg_stage_record_objects(stage, "failed", error) ||
        !sg_stage_record(stage, "failed", json_pack("{s:i, s:s}", "act", (int)act + 1, "why", why),
                         error))
        return false;
    return sg_fail(error, SG_FAILED, NULL, "the ceremony was closed as failed at act %zu: %s",
                   act + 1, why);
}

static bool wait_for_word(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    char answer[SG_ANSWER_SIZE];

    for (;;) {
        if (!stage->people->ask(stage->people->context, SG_ASK_GO,
                                "Type go to do it, stop to go on another time, or fail: ", "go",
                                answer, error))
            return false;
        if (strcmp(answer, "go") == 0)
            return true;
        if (strcmp(answer, "stop") == 0)
            return sg_fail(error, SG_REFUSED, NULL, "stopped before act %zu; run it again to go on",
                           act + 1);
        if (strcmp(answer, "fail") == 0)
            return close_as_failed(stage, act, error);
    }
}

static bool take_initials(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;
    json_t *initials = json_object();

    for (size_t i = 0; i < file->num_persons; i++) {
        const struct sg_ceremony_person *person = &file->persons[i];
        char text[SG_ANSWER_SIZE], answer[SG_ANSWER_SIZE];

        if (person->role != SG_ROLE_WITNESS)
            continue;
        snprintf(text, sizeof text, "Initials of the witness %s: ", person->name);
        if (!sg_stage_ask(stage, SG_ASK_INITIALS, text, sg_stage_initials(stage, person->name),
                          answer, error)) {
            json_decref(initials);
            return false;
        }
        json_object_set_new(initials, person->name, json_string(answer));
    }
    return sg_stage_record(
        stage, "done", json_pack("{s:i, s:o}", "act", (int)act + 1, "initials", initials), error);
}

bool sg_stage_act(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    struct sg_error why = {0};

    if (!announce(stage, act, error) || !wait_for_word(stage, act, error) ||
        !sg_stage_record(stage, "act",
                         json_pack("{s:i, s:s}", "act", (int)act + 1, "title",
                                   sg_ceremony_act_title(stage->ceremony, act)),
                         error))
        return false;
    if (perform(stage, act, &why))
        return take_initials(stage, act, error);
    /* What went wrong is worth a line, if there is still a disk to write it to. */
    struct sg_error ignored = {0};
    (void)!sg_stage_record(
        stage, "trouble", json_pack("{s:i, s:s}", "act", (int)act + 1, "what", why.text), &ignored);
    *error = why;
    return sg_error_prefix(error, "act %zu", act + 1);
}

bool sg_stage_recall(struct sg_stage *stage, size_t act, struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &stage->ceremony->file.acts[act];

    if (sg_ceremony_new_key(of_file) != SG_CEREMONY_NONE)
        return sg_stage_recall_key(stage, act, error);
    for (size_t nth = 0; nth < sg_ceremony_num_outputs(of_file); nth++) {
        sg_auto(sg_buf) struct sg_buf der = {0};
        char name[SG_CEREMONY_NAME_SIZE];
        bool is_signed = false;

        sg_ceremony_output_name(of_file, nth, name);
        if (!recall_signed(stage, act, name, &der, &is_signed, error))
            return false;
        if (!is_signed)
            return sg_fail(error, SG_INVALID, "transcript", "act %zu is done, but not %s", act + 1,
                           name);
        if (!write_output(stage, of_file, name, sg_buf_slice(&der), error) ||
            !sg_world_adopt(&stage->world, of_file, sg_buf_slice(&der), error))
            return false;
    }
    return true;
}
