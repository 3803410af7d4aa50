#include "prove_parts.h"

#include <string.h>

static void proof_done(struct sg_proof *proof)
{
    sg_world_done(&proof->world);
    sg_transcript_done(&proof->transcript);
    sg_ceremony_done(&proof->ceremony);
}
SG_DEFINE_CLEANUP_IN_PLACE(sg_proof, proof_done)

bool sg_proof_say(struct sg_proof *proof, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool sg_proof_say(struct sg_proof *proof, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(proof->said, sizeof proof->said, format, arguments);
    va_end(arguments);
    return true;
}

const char *sg_proof_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* ---- files and signatures ---- */

static bool check_files(struct sg_proof *proof, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf wanted = {0};
    struct sg_slice manifest = {0};

    if (proof->proving->signers == NULL)
        return sg_proof_say(proof, "%zu, which nobody has signed yet", proof->bundle->files.num);
    if (!sg_ceremony_bundle_find(proof->bundle, SG_CEREMONY_MANIFEST, &manifest, error) ||
        !sg_ceremony_manifest(proof->bundle, &wanted, error))
        return false;
    if (!sg_slice_equal(manifest, sg_buf_slice(&wanted)))
        return sg_fail(error, SG_REFUSED, NULL,
                       "a file was changed, added or removed: MANIFEST has other digests or names");
    return sg_proof_say(proof, "%zu, each as MANIFEST has it", proof->bundle->files.num);
}

static bool is_signature(const char *name)
{
    return strncmp(name, SG_CEREMONY_SIGNATURES, strlen(SG_CEREMONY_SIGNATURES)) == 0;
}

static bool check_signature(const struct sg_proof *proof, const struct sg_ceremony_signer *signer,
                            struct sg_error *error)
{
    char slug[SG_CEREMONY_NAME_SIZE], name[SG_CEREMONY_NAME_SIZE + 16];
    struct sg_slice manifest = {0}, signature = {0};

    snprintf(name, sizeof name, SG_CEREMONY_SIGNATURES "%s", sg_ceremony_slug(signer->name, slug));
    if (!sg_ceremony_bundle_find(proof->bundle, SG_CEREMONY_MANIFEST, &manifest, error))
        return false;
    if (!sg_ceremony_bundle_find(proof->bundle, name, &signature, NULL))
        return sg_fail(error, SG_REFUSED, NULL, "%s has not signed: there is no %s", signer->name,
                       name);
    if (!sg_ceremony_check_form(signature, name, error))
        return false;
    return sg_ceremony_verify(&signer->key, manifest, signature, NULL) ||
           sg_fail(error, SG_REFUSED, NULL, "%s is no signature of %s over MANIFEST", name,
                   signer->name);
}

static bool check_signatures(struct sg_proof *proof, struct sg_error *error)
{
    const struct sg_ceremony_signers *signers = proof->proving->signers;
    sg_auto(sg_buf) struct sg_buf names = {0};
    size_t num = 0;

    if (signers == NULL)
        return sg_proof_say(proof, "none yet");
    for (size_t i = 0; i < proof->bundle->files.num; i++)
        num += is_signature(proof->bundle->files.items[i].name);
    for (size_t i = 0; i < signers->num; i++)
        if (!check_signature(proof, &signers->items[i], error) ||
            !sg_buf_printf(&names, SG_LIMIT_VALUE, error, "%s%s", i > 0 ? ", " : "",
                           signers->items[i].name))
            return false;
    if (num != signers->num)
        return sg_fail(error, SG_REFUSED, NULL,
                       "there are %zu signatures, and %zu signers were given", num, signers->num);
    return sg_proof_say(proof, "over MANIFEST, by %s", (const char *)names.data);
}

/* ---- plan ---- */

static bool check_plan(struct sg_proof *proof, struct sg_error *error)
{
    struct sg_slice bytes = {0};
    uint8_t digest[SG_SHA256_LEN];
    char hex[SG_SHA256_HEX_SIZE];

    if (!sg_ceremony_bundle_find(proof->bundle, "plan.json", &bytes, error))
        return false;
    sg_sha256(bytes, digest);
    sg_hex(sg_slice_of(digest, sizeof digest), hex, sizeof hex);
    if (proof->proving->plan_sha256 != NULL && strcmp(hex, proof->proving->plan_sha256) != 0)
        return sg_fail(error, SG_REFUSED, NULL, "its SHA-256 is %s, not the one that was given",
                       hex);
    return sg_ceremony_read("plan.json", bytes, SG_PLAN_ANY_WORDS, &proof->ceremony, error) &&
           sg_proof_say(proof, "%.16s…, the one approved: %s", hex, proof->ceremony.file.title);
}

static bool is_signer(const struct sg_ceremony_signers *signers, const char *name,
                      const struct sg_public_key *key)
{
    for (size_t i = 0; i < signers->num; i++)
        if (strcmp(signers->items[i].name, name) == 0)
            return sg_public_key_equal(&signers->items[i].key, key);
    return false;
}

static bool check_signers(struct sg_proof *proof, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &proof->ceremony.file;
    size_t num = 0;

    if (proof->proving->signers == NULL)
        return sg_proof_say(proof, "not asked for");
    for (size_t i = 0; i < file->num_persons; i++) {
        if (proof->ceremony.person_keys[i].pkey == NULL)
            continue;
        num++;
        if (!is_signer(proof->proving->signers, file->persons[i].name,
                       &proof->ceremony.person_keys[i]))
            return sg_fail(error, SG_REFUSED, NULL,
                           "%s, who is to sign by the plan, is not among the signers given, or has "
                           "another key",
                           file->persons[i].name);
    }
    if (num != proof->proving->signers->num)
        return sg_fail(error, SG_REFUSED, NULL, "by the plan %zu persons sign, and %zu were given",
                       num, proof->proving->signers->num);
    return sg_proof_say(proof, "those of the plan, with the keys that it has");
}

/* ---- record ---- */

static bool check_record(struct sg_proof *proof, struct sg_error *error)
{
    const json_t *begin;
    struct sg_slice bytes = {0};
    size_t num;

    if (!sg_ceremony_bundle_find(proof->bundle, "transcript.jsonl", &bytes, error) ||
        !sg_transcript_read(bytes, proof->ceremony.sha256, &proof->transcript, error))
        return false;
    begin = sg_transcript_first(&proof->transcript, "begin");
    num = json_array_size(proof->transcript.entries);
    if (sg_transcript_first(&proof->transcript, "failed") != NULL)
        return sg_fail(error, SG_REFUSED, NULL, "the ceremony was closed as failed");
    if (num == 0 || begin == NULL ||
        strcmp(sg_proof_text(json_array_get(proof->transcript.entries, num - 1), "event"), "end") !=
            0)
        return sg_fail(error, SG_REFUSED, NULL, "the record has no end: the ceremony is not over");
    if (json_is_true(json_object_get(begin, "rehearsal")) != proof->proving->rehearsal)
        return sg_fail(error, SG_REFUSED, NULL, "this was %s",
                       proof->proving->rehearsal ? "no rehearsal" : "a rehearsal");
    return sg_proof_say(proof, "%zu lines, chained from the plan to the end", num);
}

/* By the digest, as it was typed, or by as many signatures as the plan wants. */
static bool check_approval(const struct sg_proof *proof, struct sg_error *error)
{
    const json_t *approved = sg_transcript_first(&proof->transcript, "approved");
    long wanted = proof->ceremony.file.signatures;
    bool is_approved =
        wanted == 0 || proof->proving->rehearsal
            ? strcmp(sg_proof_text(approved, "digest"), proof->ceremony.sha256) == 0
            : (long)json_array_size(json_object_get(approved, "signatures_of")) >= wanted;

    return is_approved || sg_fail(error, SG_REFUSED, NULL, "the plan was not approved");
}

static bool is_of_role(const struct sg_proof *proof, const char *name, enum sg_ceremony_role role)
{
    const struct sg_ceremony_file *file = &proof->ceremony.file;

    for (size_t i = 0; i < file->num_persons; i++)
        if (file->persons[i].role == role && strcmp(file->persons[i].name, name) == 0)
            return true;
    return false;
}

static bool is_confirmed(const struct sg_proof *proof, const json_t *clock)
{
    const json_t *names = json_object_get(clock, "confirmed_by");
    const char *first = json_string_value(json_array_get(names, 0));
    const char *second = json_string_value(json_array_get(names, 1));

    return first != NULL && second != NULL && is_of_role(proof, first, SG_ROLE_ADMINISTRATOR) &&
           is_of_role(proof, second, SG_ROLE_WITNESS);
}

/* Two people have confirmed the clock before the first act, and again after each interruption. */
static bool check_clock(const struct sg_proof *proof, struct sg_error *error)
{
    const json_t *entries = proof->transcript.entries;
    bool is_settled = false;

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *event = sg_proof_text(entry, "event");

        if (strcmp(event, "resumed") == 0)
            is_settled = false;
        else if (strcmp(event, "clock") == 0)
            is_settled = is_confirmed(proof, json_object_get(entry, "data"));
        else if (strcmp(event, "act") == 0 && !is_settled)
            return sg_fail(
                error, SG_REFUSED, NULL,
                "the administrator and a witness did not both confirm the clock before "
                "act %d",
                (int)json_integer_value(json_object_get(json_object_get(entry, "data"), "act")));
    }
    return true;
}

static bool check_initials(const struct sg_proof *proof, size_t act, const json_t *done,
                           struct sg_error *error)
{
    const json_t *present = sg_transcript_first(&proof->transcript, "present");

    for (size_t i = 0; i < proof->ceremony.file.num_persons; i++) {
        const struct sg_ceremony_person *person = &proof->ceremony.file.persons[i];
        const char *given = sg_proof_text(json_object_get(done, "initials"), person->name);

        if (person->role != SG_ROLE_WITNESS)
            continue;
        if (given[0] == '\0' || strcmp(given, sg_proof_text(present, person->name)) != 0)
            return sg_fail(error, SG_REFUSED, NULL, "act %zu lacks the initials of %s", act + 1,
                           person->name);
    }
    return true;
}

/* Acts that leave nothing but a line of their own. */
static bool check_noted(const struct sg_proof *proof, size_t act, struct sg_error *error)
{
    enum sg_ceremony_kind kind = proof->ceremony.file.acts[act].kind;
    const char *event = kind == SG_ACT_CHANGE_PIN ? "pin-changed"
                        : kind == SG_ACT_DESTROY  ? "destroyed"
                                                  : NULL;

    return event == NULL || sg_transcript_of_act(&proof->transcript, event, act, NULL) != NULL ||
           sg_fail(error, SG_REFUSED, NULL, "act %zu is done, and has no '%s'", act + 1, event);
}

static bool check_course(struct sg_proof *proof, struct sg_error *error)
{
    static const char *const SETTLED[] = {"clock", "approved", "present", "modules"};
    const struct sg_ceremony_file *file = &proof->ceremony.file;
    size_t place = 0;

    for (size_t i = 0; i < sizeof SETTLED / sizeof SETTLED[0]; i++)
        if (sg_transcript_first(&proof->transcript, SETTLED[i]) == NULL)
            return sg_fail(error, SG_REFUSED, NULL, "the record has no '%s'", SETTLED[i]);
    if (!check_clock(proof, error) || !check_approval(proof, error))
        return false;
    if (sg_transcript_count(&proof->transcript, "seal") != file->num_seals)
        return sg_fail(error, SG_REFUSED, NULL, "not every seal was read");
    for (size_t act = 0; act < file->num_acts; act++) {
        const json_t *done = sg_transcript_next(&proof->transcript, "done", &place);

        if (json_integer_value(json_object_get(done, "act")) != (json_int_t)act + 1 ||
            sg_transcript_of_act(&proof->transcript, "act", act, NULL) == NULL)
            return sg_fail(error, SG_REFUSED, NULL, "act %zu was not done in its turn", act + 1);
        if (!check_noted(proof, act, error))
            return false;
        if (!check_initials(proof, act, done, error))
            return false;
    }
    if (sg_transcript_next(&proof->transcript, "done", &place) != NULL)
        return sg_fail(error, SG_REFUSED, NULL, "more was done than was planned");
    return sg_proof_say(proof, "%zu acts in their order, initialled; %zu interruptions",
                        file->num_acts, sg_transcript_count(&proof->transcript, "resumed"));
}

/* ---- the whole ---- */

bool sg_ceremony_prove(const struct sg_ceremony_bundle *bundle,
                       const struct sg_ceremony_proving *proving, struct sg_error *error)
{
    static const struct {
        const char *name;
        sg_proof_check *check;
    } CHECKS[] = {
        {"files", check_files},
        {"signatures", check_signatures},
        {"plan", check_plan},
        {"signers", check_signers},
        {"record", check_record},
        {"course", check_course},
        {"keys", sg_proof_check_keys},
        {"outputs", sg_proof_check_outputs},
        {"tokens", sg_proof_check_tokens},
        {"signed", sg_proof_check_counts},
    };
    sg_auto(sg_proof) struct sg_proof proof = {
        .bundle = bundle, .proving = proving, .transcript = {.fd = -1}};

    for (size_t i = 0; i < sizeof CHECKS / sizeof CHECKS[0]; i++) {
        struct sg_error why = {0};

        if (!CHECKS[i].check(&proof, &why))
            return sg_fail(error, why.code, CHECKS[i].name, "%s%s%s", why.rule,
                           why.rule[0] != '\0' ? ": " : "", why.text);
        if (!proving->report(proving->context, CHECKS[i].name, proof.said, error))
            return false;
    }
    return true;
}
