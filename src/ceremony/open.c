/* Before the first act: the clock, the approval, the people, the seals and the tokens. Each is in
 * the record once it is settled, and not asked again when the ceremony is taken up again. */
#include <openssl/crypto.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "signatures.h"
#include "stage.h"

/* ---- versions ---- */

static void digest_of_file(const char *path, char hex[SG_SHA256_HEX_SIZE])
{
    enum { MAX_PROGRAM = 256 * 1024 * 1024 };
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    uint8_t digest[SG_SHA256_LEN];

    if (!sg_file_read(path, MAX_PROGRAM, &bytes, NULL)) {
        snprintf(hex, SG_SHA256_HEX_SIZE, "unreadable");
        return;
    }
    sg_sha256(sg_buf_slice(&bytes), digest);
    sg_hex(sg_slice_of(digest, sizeof digest), hex, SG_SHA256_HEX_SIZE);
}

static bool record_begin(struct sg_stage *stage, struct sg_error *error)
{
    const struct sg_ceremony *ceremony = stage->ceremony;
    struct utsname machine = {0};
    char program[SG_SHA256_HEX_SIZE];

    if (sg_transcript_first(&stage->transcript, "begin") != NULL)
        return true;
    uname(&machine);
    digest_of_file("/proc/self/exe", program);
    return sg_stage_record(stage, "begin",
                           json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:s}", "title",
                                     ceremony->file.title, "plan", ceremony->sha256, "rehearsal",
                                     stage->options->rehearsal, "signet", stage->options->version,
                                     "program_sha256", program, "openssl",
                                     OpenSSL_version(OPENSSL_VERSION), "system", machine.release),
                           error);
}

/* The PKCS#11 modules, once the tokens are open. */
static bool record_modules(struct sg_stage *stage, struct sg_error *error)
{
    json_t *modules = json_object();

    if (sg_transcript_first(&stage->transcript, "modules") != NULL) {
        json_decref(modules);
        return true;
    }
    for (size_t i = 0; i < stage->ceremony->file.num_tokens; i++) {
        const char *path = sg_token_module_path(stage->tokens[i]);
        char hex[SG_SHA256_HEX_SIZE];

        digest_of_file(path, hex);
        json_object_set_new(modules, path, json_string(hex));
    }
    return sg_stage_record(stage, "modules", modules, error);
}

/* ---- clock ---- */

/* The certificates are valid from `begins` on. */
static bool check_clock(const struct sg_stage *stage, int64_t now, struct sg_error *error)
{
    char clock[SG_TIME_TEXT_SIZE], begins[SG_TIME_TEXT_SIZE];

    if (stage->options->rehearsal || now >= stage->ceremony->file.begins)
        return true;
    return sg_fail(error, SG_REFUSED, "clock",
                   "it is %s, and the ceremony, with its certificates, begins at %s; wait, or plan "
                   "another one",
                   sg_time_text(now, clock), sg_time_text(stage->ceremony->file.begins, begins));
}

/* The first of a role, of which there is one at least. */
static const char *first_of(const struct sg_stage *stage, enum sg_ceremony_role role)
{
    const struct sg_ceremony_person *person = stage->ceremony->file.persons;

    while (person->role != role)
        person++;
    return person->name;
}

/* Asks one person whether it is this time. *is_right stays as it was when they say yes. */
static bool ask_whether(const struct sg_stage *stage, const char *name, bool *is_right,
                        struct sg_error *error)
{
    char text[SG_ANSWER_SIZE], answer[SG_ANSWER_SIZE];

    snprintf(text, sizeof text, "%.160s, is that right? Type yes or no: ", name);
    do
        if (!stage->people->ask(stage->people->context, SG_ASK_TIME, text, "yes", answer, error))
            return false;
    while (strcmp(answer, "yes") != 0 && strcmp(answer, "no") != 0);
    *is_right = *is_right && strcmp(answer, "yes") == 0;
    return true;
}

/* A machine that was switched off for a year may be wrong by anything. */
static bool ask_for_time(struct sg_stage *stage, const char *name, struct sg_error *error)
{
    char text[SG_ANSWER_SIZE], answer[SG_ANSWER_SIZE], now[SG_TIME_TEXT_SIZE];
    int64_t moment = 0;

    sg_time_text(sg_stage_now(stage), now);
    snprintf(text, sizeof text, "%.160s, type the time in UTC, as %s: ", name, now);
    do
        if (!stage->people->ask(stage->people->context, SG_ASK_MOMENT, text, now, answer, error))
            return false;
    while (!sg_time_parse(answer, &moment, NULL));
    stage->ahead_s = moment - sg_clock_now(&stage->options->clock);
    return true;
}

/* Two people hold the time against their own watches, until both say that it is right. */
static bool settle_time(struct sg_stage *stage, const char *const names[2], struct sg_error *error)
{
    for (;;) {
        char now[SG_TIME_TEXT_SIZE];
        bool is_right = true;

        if (!sg_stage_show(stage, error,
                           stage->ahead_s == 0 ? "The clock says %s, which is UTC.\n"
                                               : "Then it is %s, which is UTC.\n",
                           sg_time_text(sg_stage_now(stage), now)) ||
            !ask_whether(stage, names[0], &is_right, error) ||
            !ask_whether(stage, names[1], &is_right, error))
            return false;
        if (is_right)
            return true;
        if (!ask_for_time(stage, names[0], error))
            return false;
    }
}

static bool confirm_clock(struct sg_stage *stage, struct sg_error *error)
{
    const char *const names[] = {first_of(stage, SG_ROLE_ADMINISTRATOR),
                                 first_of(stage, SG_ROLE_WITNESS)};
    char now[SG_TIME_TEXT_SIZE], machine[SG_TIME_TEXT_SIZE];

    return settle_time(stage, names, error) && check_clock(stage, sg_stage_now(stage), error) &&
           sg_stage_record(stage, "clock",
                           json_pack("{s:s, s:s, s:[s,s]}", "time",
                                     sg_time_text(sg_stage_now(stage), now), "machine",
                                     sg_time_text(sg_clock_now(&stage->options->clock), machine),
                                     "confirmed_by", names[0], names[1]),
                           error);
}

/* ---- approval ---- */

/* Typed as it is printed, or in groups. */
static void squeeze(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++)
        if (*text != ' ' && *text != ':')
            *to++ = (char)(*text >= 'A' && *text <= 'F' ? *text - 'A' + 'a' : *text);
    *to = '\0';
}

static bool approve_by_digest(struct sg_stage *stage, struct sg_error *error)
{
    const char *wanted = stage->ceremony->sha256;
    char answer[SG_ANSWER_SIZE];

    if (!stage->people->ask(stage->people->context, SG_ASK_APPROVAL,
                            "Type the SHA-256 of the plan that was approved:\n", wanted, answer,
                            error))
        return false;
    squeeze(answer);
    if (strcmp(answer, wanted) != 0)
        return sg_fail(error, SG_REFUSED, "approval",
                       "this plan is not the one that was approved: its SHA-256 is %s", wanted);
    return sg_stage_record(stage, "approved", json_pack("{s:s}", "digest", answer), error);
}

static bool approve_by_signatures(struct sg_stage *stage, struct sg_error *error)
{
    json_t *names = json_array();

    if (!sg_ceremony_check_approvals(stage->ceremony, stage->options->approvals,
                                     stage->options->num_approvals, names, error)) {
        json_decref(names);
        return false;
    }
    return sg_stage_record(stage, "approved", json_pack("{s:o}", "signatures_of", names), error);
}

static bool approve(struct sg_stage *stage, struct sg_error *error)
{
    if (sg_transcript_first(&stage->transcript, "approved") != NULL)
        return true;
    return stage->ceremony->file.signatures > 0 && !stage->options->rehearsal
               ? approve_by_signatures(stage, error)
               : approve_by_digest(stage, error);
}

/* ---- people and seals ---- */

static void usual_initials(const char *name, char initials[SG_ANSWER_SIZE])
{
    size_t len = 0;

    for (const char *at = name; *at != '\0' && len < 8; at++)
        if (*at != ' ' && (at == name || at[-1] == ' '))
            initials[len++] = *at;
    initials[len] = '\0';
}

static bool greet(struct sg_stage *stage, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;
    json_t *present = json_object();

    if (sg_transcript_first(&stage->transcript, "present") != NULL) {
        json_decref(present);
        return true;
    }
    for (size_t i = 0; i < file->num_persons; i++) {
        char text[SG_ANSWER_SIZE], answer[SG_ANSWER_SIZE], usual[SG_ANSWER_SIZE];
        bool is_asked;

        snprintf(text, sizeof text, "%s, %s: type your initials: ", file->persons[i].name,
                 sg_ceremony_role_word(file->persons[i].role));
        usual_initials(file->persons[i].name, usual);
        do
            is_asked = stage->people->ask(stage->people->context, SG_ASK_INITIALS, text, usual,
                                          answer, error);
        while (is_asked && answer[0] == '\0');
        if (!is_asked ||
            json_object_set_new(present, file->persons[i].name, json_string(answer)) != 0) {
            json_decref(present);
            return is_asked ? sg_fail_memory(error) : false;
        }
    }
    return sg_stage_record(stage, "present", present, error);
}

static bool read_seals(struct sg_stage *stage, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;

    for (size_t i = sg_transcript_count(&stage->transcript, "seal"); i < file->num_seals; i++) {
        const struct sg_ceremony_seal *seal = &file->seals[i];
        char text[SG_ANSWER_SIZE], answer[SG_ANSWER_SIZE];

        snprintf(text, sizeof text, "Read aloud the seal of %.120s: ", seal->item);
        if (!stage->people->ask(stage->people->context, SG_ASK_SEAL, text, seal->number, answer,
                                error))
            return false;
        if (strcmp(answer, seal->number) != 0)
            return sg_fail(error, SG_REFUSED, "seal",
                           "the seal of %s has the number %s, and the plan says %s", seal->item,
                           answer, seal->number);
        if (!sg_stage_record(stage, "seal",
                             json_pack("{s:s, s:s}", "item", seal->item, "number", answer), error))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool has_objects_before(const struct sg_stage *stage)
{
    return sg_transcript_first(&stage->transcript, "objects") != NULL;
}

static bool note_resumption(struct sg_stage *stage, struct sg_error *error)
{
    if (!stage->resumed)
        return true;
    return sg_stage_show(stage, error, "The ceremony was interrupted; it goes on now.\n") &&
           sg_stage_record(stage, "resumed",
                           json_pack("{s:i}", "bytes_of_a_torn_line", (int)stage->transcript.torn),
                           error);
}

bool sg_stage_open(struct sg_stage *stage, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;

    return sg_stage_show(stage, error, "%s\n%s\n\n", file->title, file->place) &&
           note_resumption(stage, error) && record_begin(stage, error) &&
           confirm_clock(stage, error) && approve(stage, error) && greet(stage, error) &&
           read_seals(stage, error) &&
           (!stage->options->rehearsal || sg_stage_make_tokens(stage, error)) &&
           sg_stage_open_tokens(stage, error) && record_modules(stage, error) &&
           (has_objects_before(stage) || sg_stage_record_objects(stage, "before", error)) &&
           sg_stage_show_objects(stage, error);
}
