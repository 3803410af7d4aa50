#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "stage.h"

void sg_stage_done(struct sg_stage *stage)
{
    /* Signers before their tokens. */
    for (size_t i = 0; stage->signers != NULL && i < stage->ceremony->file.num_keys; i++)
        sg_signer_close(stage->signers[i]);
    for (size_t i = 0; stage->tokens != NULL && i < stage->ceremony->file.num_tokens; i++)
        sg_token_close(stage->tokens[i]);
    free(stage->signers);
    free(stage->tokens);
    sg_world_done(&stage->world);
    sg_transcript_done(&stage->transcript);
}

int64_t sg_stage_now(const struct sg_stage *stage)
{
    return sg_clock_now(&stage->options->clock) + stage->ahead_s;
}

static int64_t now_of_stage(void *context)
{
    return sg_stage_now(context);
}

bool sg_stage_path(const struct sg_stage *stage, const char *name, char **path,
                   struct sg_error *error)
{
    return sg_path_join(stage->options->folder, name, path, error);
}

bool sg_stage_record(struct sg_stage *stage, const char *event, json_t *data,
                     struct sg_error *error)
{
    return sg_transcript_append(&stage->transcript, event, data, error);
}

bool sg_stage_show(const struct sg_stage *stage, struct sg_error *error, const char *format, ...)
{
    sg_auto(malloc) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len < 0) {
        text = NULL;
        return sg_fail_memory(error);
    }
    return stage->people->show(stage->people->context, text, error);
}

bool sg_stage_ask(const struct sg_stage *stage, enum sg_question question, const char *text,
                  const char *wanted, char answer[SG_ANSWER_SIZE], struct sg_error *error)
{
    do
        if (!stage->people->ask(stage->people->context, question, text, wanted, answer, error))
            return false;
    while (wanted[0] != '\0' ? strcmp(answer, wanted) != 0 : answer[0] == '\0');
    return true;
}

const char *sg_stage_initials(const struct sg_stage *stage, const char *name)
{
    return json_string_value(
        json_object_get(sg_transcript_first(&stage->transcript, "present"), name));
}

bool sg_stage_show_digest(const struct sg_stage *stage, const uint8_t digest[SG_SHA256_LEN],
                          struct sg_error *error)
{
    const struct sg_ceremony_people *people = stage->people;
    char hex[SG_SHA256_HEX_SIZE], groups[128];
    size_t len = 0;

    for (size_t i = 0; i < SG_SHA256_LEN; i += 2) {
        const char *before = i == 0 ? "    " : i == 16 ? "\n    " : " ";

        len += (size_t)snprintf(groups + len, sizeof groups - len, "%s%02x%02x", before, digest[i],
                                digest[i + 1]);
        snprintf(hex + 2 * i, 5, "%02X%02X", digest[i], digest[i + 1]);
    }
    return sg_stage_show(stage, error, "%s\n", groups) &&
           (people->digest == NULL || people->digest(people->context, hex, error));
}

/* ---- the folder ---- */

static bool make_folder(const char *path, struct sg_error *error)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST ||
           sg_fail_errno(error, "cannot make %s", path);
}

/* The folder belongs to one plan: the first run puts it there, later ones compare. */
static bool keep_plan(const struct sg_stage *stage, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_buf) struct sg_buf there = {0};
    struct sg_slice plan = sg_buf_slice(&stage->ceremony->bytes);

    if (!sg_stage_path(stage, "plan.json", &path, error))
        return false;
    if (access(path, F_OK) != 0)
        return sg_file_write(path, plan, 0644, SG_KEEP_EXISTING, error);
    return sg_file_read(path, SG_LIMIT_CEREMONY_PLAN, &there, error) &&
           (sg_slice_equal(sg_buf_slice(&there), plan) ||
            sg_fail(error, SG_FAILED, NULL,
                    "%s holds a ceremony by another plan; name another folder",
                    stage->options->folder));
}

static bool check_state(const struct sg_stage *stage, struct sg_error *error)
{
    if (sg_transcript_first(&stage->transcript, "end") != NULL)
        return sg_fail(error, SG_FAILED, NULL, "the ceremony in %s has taken place",
                       stage->options->folder);
    if (sg_transcript_first(&stage->transcript, "failed") != NULL)
        return sg_fail(error, SG_FAILED, NULL,
                       "the ceremony in %s was closed as failed; a new plan begins a new one",
                       stage->options->folder);
    /* What was begun on throwaway tokens does not go on with the real ones. */
    if (stage->resumed && (stage->options->rehearsal ||
                           json_is_true(json_object_get(
                               sg_transcript_first(&stage->transcript, "begin"), "rehearsal"))))
        return sg_fail(error, SG_FAILED, NULL, "%s holds %s; name a new folder",
                       stage->options->folder,
                       stage->options->rehearsal ? "something already" : "a rehearsal");
    return true;
}

static bool set_stage(struct sg_stage *stage, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;
    sg_auto(malloc) char *out = NULL;
    sg_auto(malloc) char *record = NULL;

    stage->tokens = calloc(file->num_tokens + 1, sizeof(struct sg_token *));
    stage->signers = calloc(file->num_keys + 1, sizeof(struct sg_signer *));
    if (stage->tokens == NULL || stage->signers == NULL)
        return sg_fail_memory(error);
    if (!sg_stage_path(stage, "out", &out, error) ||
        !sg_stage_path(stage, "transcript.jsonl", &record, error) ||
        !make_folder(stage->options->folder, error) || !make_folder(out, error) ||
        !keep_plan(stage, error) ||
        !sg_transcript_open(record, stage->ceremony->sha256, &stage->transcript, error) ||
        !sg_world_init(&stage->world, file, &stage->ceremony->materials,
                       (const uint8_t(*)[SG_CEREMONY_DRAWN_LEN])stage->ceremony->drawn, error))
        return false;
    stage->transcript.clock = (struct sg_clock){now_of_stage, stage};
    stage->transcript.after_append = stage->options->after_record;
    stage->transcript.append_context = stage->options->record_context;
    stage->resumed = json_array_size(stage->transcript.entries) > 0;
    return check_state(stage, error);
}

/* ---- the end ---- */

/* What each key signed, by the record: an intent without its signature may have been one. */
static json_t *count_signatures(const struct sg_stage *stage)
{
    const struct sg_ceremony_file *file = &stage->ceremony->file;
    json_t *counts = json_object();

    for (size_t key = 0; key < file->num_keys; key++) {
        size_t place = 0;
        int num = 0;
        const json_t *entry;

        while ((entry = sg_transcript_next(&stage->transcript, "signed", &place)) != NULL)
            num +=
                strcmp(json_string_value(json_object_get(entry, "key")), file->keys[key].name) == 0;
        json_object_set_new(counts, file->keys[key].name, json_integer(num));
    }
    return counts;
}

static json_t *all_initials(const struct sg_stage *stage)
{
    json_t *list = json_array();

    for (size_t act = 0; act < stage->ceremony->file.num_acts; act++) {
        const json_t *done = sg_transcript_of_act(&stage->transcript, "done", act, NULL);
        const char *name;
        json_t *initials;
        char text[SG_LIMIT_VALUE] = "";

        json_object_foreach(json_object_get(done, "initials"), name, initials)
        {
            size_t len = strlen(text);

            snprintf(text + len, sizeof text - len, "%s%s (%s)", len > 0 ? ", " : "",
                     json_string_value(initials), name);
        }
        json_array_append_new(list, json_string(text));
    }
    return list;
}

/* The script, filled in. */
static bool write_script(const struct sg_stage *stage, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    json_t *initials = all_initials(stage);
    bool is_written =
        sg_ceremony_script(stage->ceremony, SG_SCRIPT_MARKDOWN, initials, &text, error);

    json_decref(initials);
    return is_written && sg_stage_path(stage, "script.md", &path, error) &&
           sg_file_write(path, sg_buf_slice(&text), 0644, SG_REPLACE_EXISTING, error);
}

static bool end(struct sg_stage *stage, struct sg_error *error)
{
    size_t uncertain = sg_transcript_count(&stage->transcript, "intent") -
                       sg_transcript_count(&stage->transcript, "signed");

    return sg_stage_record_objects(stage, "after", error) && write_script(stage, error) &&
           sg_stage_record(stage, "end",
                           json_pack("{s:o, s:i}", "signatures", count_signatures(stage),
                                     "intents_without_signature", (int)uncertain),
                           error) &&
           sg_stage_show(stage, error,
                         "\nThe %s is over. The last line of its record has the SHA-256\n    %s\n",
                         stage->options->rehearsal ? "rehearsal" : "ceremony",
                         stage->transcript.head);
}

bool sg_ceremony_run(const struct sg_ceremony *ceremony, const struct sg_ceremony_options *options,
                     const struct sg_ceremony_people *people, struct sg_error *error)
{
    sg_auto(sg_stage) struct sg_stage stage = {
        .ceremony = ceremony, .options = options, .people = people, .transcript = {.fd = -1}};

    if (!set_stage(&stage, error) || !sg_stage_open(&stage, error))
        return false;
    for (size_t act = 0; act < ceremony->file.num_acts; act++) {
        bool is_done = sg_transcript_of_act(&stage.transcript, "done", act, NULL) != NULL;

        if (is_done ? !sg_stage_recall(&stage, act, error) : !sg_stage_act(&stage, act, error))
            return false;
    }
    return end(&stage, error);
}
