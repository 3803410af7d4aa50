/* The script: the plan in words, to be read aloud, printed and filled in. */
#include <string.h>

#include "plan.h"

static bool put(struct sg_buf *text, struct sg_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool put(struct sg_buf *text, struct sg_error *error, const char *format, ...)
{
    sg_auto(malloc) char *line = NULL;
    va_list arguments;

    va_start(arguments, format);
    int len = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (len < 0) {
        line = NULL;
        return sg_fail_memory(error);
    }
    return sg_buf_append(text, line, (size_t)len, SG_LIMIT_CEREMONY_PLAN, error);
}

static bool put_heading(struct sg_buf *text, enum sg_script_style style, struct sg_error *error,
                        const char *heading)
{
    return put(text, error, style == SG_SCRIPT_MARKDOWN ? "\n## %s\n\n" : "\n%s\n", heading);
}

/* A line of its own, in either style. */
static bool put_item(struct sg_buf *text, enum sg_script_style style, struct sg_error *error,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
static bool put_item(struct sg_buf *text, enum sg_script_style style, struct sg_error *error,
                     const char *format, ...)
{
    sg_auto(malloc) char *line = NULL;
    va_list arguments;

    va_start(arguments, format);
    int len = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (len < 0) {
        line = NULL;
        return sg_fail_memory(error);
    }
    return put(text, error, style == SG_SCRIPT_MARKDOWN ? "- %s\n" : "  %s\n", line);
}

static bool put_persons(const struct sg_ceremony *ceremony, struct sg_buf *text,
                        enum sg_script_style style, struct sg_error *error)
{
    if (!put_heading(text, style, error, "Persons"))
        return false;
    for (size_t i = 0; i < ceremony->file.num_persons; i++) {
        const struct sg_ceremony_person *person = &ceremony->file.persons[i];

        if (!put_item(text, style, error, "%s, %s%s", person->name,
                      sg_ceremony_role_word(person->role),
                      person->key != NULL ? ", signs the record" : ""))
            return false;
    }
    if (ceremony->file.signatures > 0)
        return put_item(text, style, error, "The run wants %ld signatures over this plan.",
                        ceremony->file.signatures);
    return put_item(text, style, error, "The run wants the digest of this plan typed in.");
}

static bool put_token(const struct sg_ceremony *ceremony, const struct sg_ceremony_token *token,
                      struct sg_buf *text, enum sg_script_style style, struct sg_error *error)
{
    if (!put_item(text, style, error, "%s: %s, %s %s", token->name, token->uri,
                  token->profile != NULL ? "profile" : "module",
                  token->profile != NULL ? token->profile : token->module) ||
        !put_item(text, style, error, "%s: serial number %s", token->name, token->serial))
        return false;
    for (size_t i = 0; i < token->num_holders; i++)
        if (!put_item(text, style, error, "%s: PIN, part %zu of %zu, is typed by %s", token->name,
                      i + 1, token->num_holders, ceremony->file.persons[token->holders[i]].name))
            return false;
    return true;
}

static bool put_things(const struct sg_ceremony *ceremony, struct sg_buf *text,
                       enum sg_script_style style, struct sg_error *error)
{
    if (!put_heading(text, style, error, "Tokens"))
        return false;
    for (size_t i = 0; i < ceremony->file.num_tokens; i++)
        if (!put_token(ceremony, &ceremony->file.tokens[i], text, style, error))
            return false;
    if (ceremony->file.num_seals > 0 && !put_heading(text, style, error, "Seals, to be read aloud"))
        return false;
    for (size_t i = 0; i < ceremony->file.num_seals; i++)
        if (!put_item(text, style, error, "%s: %s", ceremony->file.seals[i].item,
                      ceremony->file.seals[i].number))
            return false;
    return true;
}

/* Bytes in lines of 32, as many as a terminal has room for. */
static bool put_known(const char *known, struct sg_buf *text, struct sg_error *error)
{
    enum { LINE = 64 };

    for (size_t from = 0; from < strlen(known); from += LINE)
        if (!put(text, error, "        %.*s\n", LINE, known + from))
            return false;
    return true;
}

static bool put_outputs(const struct sg_ceremony *ceremony, size_t act, struct sg_buf *text,
                        struct sg_error *error)
{
    const struct sg_ceremony_act *of_file = &ceremony->file.acts[act];
    char name[SG_CEREMONY_NAME_SIZE];

    for (size_t nth = 0; nth < sg_ceremony_num_outputs(of_file); nth++)
        if (!put(text, error, "    writes %s; signs these bytes, dots are not known yet:\n",
                 sg_ceremony_output_name(of_file, nth, name)) ||
            !put_known(sg_ceremony_known(ceremony, act, nth), text, error))
            return false;
    return true;
}

static bool put_boxes(const struct sg_ceremony *ceremony, const char *initials, struct sg_buf *text,
                      enum sg_script_style style, struct sg_error *error)
{
    if (style == SG_SCRIPT_TEXT)
        return initials == NULL || put(text, error, "    initials: %s\n", initials);
    if (initials != NULL)
        return put(text, error, "\n**Initials:** %s\n", initials);
    if (!put(text, error, "\n| time |"))
        return false;
    for (size_t i = 0; i < ceremony->file.num_persons; i++)
        if (ceremony->file.persons[i].role == SG_ROLE_WITNESS &&
            !put(text, error, " %s |", ceremony->file.persons[i].name))
            return false;
    if (!put(text, error, "\n|---|"))
        return false;
    for (size_t i = 0; i < ceremony->file.num_persons; i++)
        if (ceremony->file.persons[i].role == SG_ROLE_WITNESS && !put(text, error, "---|"))
            return false;
    return put(text, error, "\n| &nbsp; |\n");
}

static bool put_act(const struct sg_ceremony *ceremony, size_t act, const json_t *initials,
                    struct sg_buf *text, enum sg_script_style style, struct sg_error *error)
{
    const json_t *lines = sg_ceremony_act_lines(ceremony, act);

    if (!put(text, error, style == SG_SCRIPT_MARKDOWN ? "\n### %zu. %s\n\n" : "\n%zu. %s\n",
             act + 1, sg_ceremony_act_title(ceremony, act)))
        return false;
    for (size_t i = 0; i < json_array_size(lines); i++)
        if (!put(text, error, "    %s\n", json_string_value(json_array_get(lines, i))))
            return false;
    return put_outputs(ceremony, act, text, error) &&
           put_boxes(ceremony, json_string_value(json_array_get(initials, act)), text, style,
                     error);
}

static bool put_list(struct sg_buf *text, enum sg_script_style style, struct sg_error *error,
                     const char *heading, const char *const *items)
{
    if (!put_heading(text, style, error, heading))
        return false;
    for (size_t i = 0; items[i] != NULL; i++)
        if (!put_item(text, style, error, "%s", items[i]))
            return false;
    return true;
}

static bool put_questions_and_checks(struct sg_buf *text, enum sg_script_style style,
                                     struct sg_error *error)
{
    static const char *const QUESTIONS[] = {
        "the clock's time: administrator and witness say whether it is right, or what it is",
        "the digest of the plan, unless signatures over it approve it",
        "the initials of everybody",
        "the number of each seal, as it is read aloud",
        "the PIN of each token",
        "before each act: the word `go`",
        "after each act: the initials of each witness",
        NULL,
    };
    static const char *const CHECKS[] = {
        "the plan follows from its own parts, and is the one that was approved",
        "it is not before the beginning",
        "each token has its serial number; what is on it is recorded before and after",
        "a new key's label and id are free; what its token tells of it is as stated",
        "a key that is used is the one of its certificate",
        "what is to be signed is as planned, byte for byte, and passes lint",
        "the signature is by the key, and what was signed passes lint again",
        "nothing is written before all of an act has passed, and nothing is replaced",
        NULL,
    };

    return put_list(text, style, error, "What will be asked", QUESTIONS) &&
           put_list(text, style, error, "What will be checked", CHECKS);
}

bool sg_ceremony_script(const struct sg_ceremony *ceremony, enum sg_script_style style,
                        const json_t *initials, struct sg_buf *text, struct sg_error *error)
{
    const struct sg_ceremony_file *file = &ceremony->file;
    bool is_markdown = style == SG_SCRIPT_MARKDOWN;
    char begins[SG_TIME_TEXT_SIZE];

    if (!put(text, error, is_markdown ? "# %s\n\n%s, %s\n" : "%s\n%s, %s\n", file->title,
             file->place, sg_time_text(file->begins, begins)) ||
        !put_persons(ceremony, text, style, error) || !put_things(ceremony, text, style, error) ||
        !put_questions_and_checks(text, style, error) || !put_heading(text, style, error, "Acts"))
        return false;
    for (size_t act = 0; act < file->num_acts; act++)
        if (!put_act(ceremony, act, initials, text, style, error))
            return false;
    return put(text, error, "\nSHA-256 of the plan:\n    %s\n", ceremony->sha256);
}
