#include "ceremony_screen.h"

#include <string.h>

#include "base/text.h"
#include "qr.h"

/* Of the 24 of a console one is for the question, and one for what was there before. */
enum { PAGE_ROWS = 22 };

static bool read_answer(char answer[SG_ANSWER_SIZE], struct sg_error *error)
{
    sg_auto(malloc) char *line = NULL;
    size_t size = 0;
    ssize_t len = getline(&line, &size, stdin);

    if (len < 0)
        return sg_fail(error, SG_REFUSED, NULL,
                       "nobody answers any more; run it again to go on with the ceremony");
    line[strcspn(line, "\r\n")] = '\0';
    snprintf(answer, SG_ANSWER_SIZE, "%s", sg_text_make_printable(line));
    return true;
}

static bool turn_page(struct sg_screen *screen, struct sg_error *error)
{
    char ignored[SG_ANSWER_SIZE];

    screen->rows = 0;
    printf("-- Enter for more --");
    fflush(stdout);
    return read_answer(ignored, error);
}

static bool show(void *context, const char *text, struct sg_error *error)
{
    struct sg_screen *screen = context;

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        if (screen->is_terminal && screen->rows >= PAGE_ROWS && !turn_page(screen, error))
            return false;
        printf("%.*s\n", (int)len, text);
        screen->rows++;
        text += len + (text[len] == '\n');
    }
    return fflush(stdout) == 0 ||
           sg_fail_errno(error, "the ceremony could not be shown on standard output");
}

/* On a page of its own: half of a code is none. */
static bool draw_digest(void *context, const char *hex, struct sg_error *error)
{
    struct sg_screen *screen = context;
    sg_auto(sg_buf) struct sg_buf drawn = {0};

    if (!screen->qr)
        return true;
    if (screen->is_terminal && screen->rows > 0 && !turn_page(screen, error))
        return false;
    return sg_cli_qr_text(hex, screen->is_terminal, &drawn, error) &&
           show(context, (const char *)drawn.data, error);
}

static bool ask(void *context, enum sg_question question, const char *text, const char *wanted,
                char answer[SG_ANSWER_SIZE], struct sg_error *error)
{
    struct sg_screen *screen = context;

    (void)question;
    (void)wanted;
    fputs(text, stdout);
    fflush(stdout);
    screen->rows = 0;
    return read_answer(answer, error);
}

static bool ask_pin(void *context, const char *text, struct sg_secret **pin, struct sg_error *error)
{
    struct sg_screen *screen = context;

    fflush(stdout);
    screen->rows = 0;
    return sg_secret_prompt(text, pin, error);
}

struct sg_ceremony_people sg_screen_people(struct sg_screen *screen)
{
    screen->is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    return (struct sg_ceremony_people){
        .context = screen, .show = show, .digest = draw_digest, .ask = ask, .pin = ask_pin};
}

/* ---- nobody ---- */

static bool show_at_once(void *context, const char *text, struct sg_error *error)
{
    (void)context;
    return fputs(text, stdout) >= 0 ||
           sg_fail_errno(error, "the ceremony could not be shown on standard output");
}

static bool answer_as_wanted(void *context, enum sg_question question, const char *text,
                             const char *wanted, char answer[SG_ANSWER_SIZE],
                             struct sg_error *error)
{
    (void)context;
    (void)question;
    (void)error;
    snprintf(answer, SG_ANSWER_SIZE, "%s", wanted);
    printf("%s%s\n", text, wanted);
    return true;
}

static bool rehearsal_pin(void *context, const char *text, struct sg_secret **pin,
                          struct sg_error *error)
{
    static const char PIN[] = SG_CEREMONY_REHEARSAL_PIN;

    (void)context;
    printf("%s\n", text);
    if (!sg_secret_new(strlen(PIN), pin, error))
        return false;
    memcpy(sg_secret_data(*pin), PIN, strlen(PIN));
    return true;
}

struct sg_ceremony_people sg_screen_nobody(void)
{
    return (struct sg_ceremony_people){
        .show = show_at_once, .ask = answer_as_wanted, .pin = rehearsal_pin};
}
