#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "base/text.h"
#include "policy_new.h"

static const struct question {
    const char *option;
    const char *text;
    const char *of_device, *of_user, *of_request; /* what an empty answer means; NULL: nothing */
} QUESTIONS[SG_NUM_ANSWERS] = {
    [SG_ANSWER_DESCRIPTION] = {"description", "What are its certificates for, in a line?", NULL,
                               NULL, NULL},
    [SG_ANSWER_FOR] = {"for",
                       "Who gets them: a device or a user of the registry, or whoever the request "
                       "names (device, user, request)?",
                       "device", "device", "device"},
    [SG_ANSWER_WHO] =
        {"who", "What vouches for a request, one of: operator, ticket, renewal, lease, officer?",
         "operator", "operator", "operator"},
    [SG_ANSWER_KEYS] = {"keys", "Which keys: P-256, P-384, P-521, rsa (or RSA-2048, …), ed25519?",
                        "P-256", "P-256", "P-256"},
    [SG_ANSWER_SUBJECT] = {"subject", "The subject?", "CN=${device.id}", "CN=${user.name}",
                           "CN=${request.CN}"},
    [SG_ANSWER_SAN] = {"san",
                       "Alternative names, as KIND:TEXT (dns, uri, email, ip, upn, …), or none?",
                       "none", "none", "none"},
    [SG_ANSWER_EKU] = {"eku",
                       "What for: clientAuth, serverAuth, emailProtection, smartcardLogon, … or "
                       "none?",
                       "clientAuth", "clientAuth", "clientAuth"},
    [SG_ANSWER_VALIDITY] = {"validity", "How long: 365d, 2y, never, or until a date?", "365d",
                            "365d", "365d"},
    [SG_ANSWER_UNIQUE] = {"unique", "One valid certificate for each device, each user, or none?",
                          "device", "user", "none"},
};

void sg_answers_done(struct sg_answers *answers)
{
    for (size_t i = 0; i < SG_NUM_ANSWERS; i++)
        free(answers->texts[i]);
    *answers = (struct sg_answers){0};
}

static const char *usual(const struct sg_answers *answers, size_t question)
{
    const char *whom = answers->texts[SG_ANSWER_FOR];

    if (whom != NULL && strcmp(whom, "user") == 0)
        return QUESTIONS[question].of_user;
    if (whom != NULL && strcmp(whom, "request") == 0)
        return QUESTIONS[question].of_request;
    return QUESTIONS[question].of_device;
}

/* "new.yaml:7:3: what is wrong" without the place, as nobody has seen that file. */
static const char *without_place(const char *text)
{
    const char *end = strstr(text, ": ");

    return end != NULL && strncmp(text, "new.yaml:", 9) == 0 ? end + 2 : text;
}

/* Whether the answers so far make a policy, with the usual ones for the rest. */
static bool check_so_far(const struct sg_answers *answers, struct sg_error *why)
{
    struct sg_answers probe = {.name = answers->name};
    sg_auto(sg_policy) struct sg_policy *policy = NULL;
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_error cause = {0};

    for (size_t i = 0; i < SG_NUM_ANSWERS; i++) {
        const char *given = answers->texts[i] != NULL ? answers->texts[i] : usual(answers, i);

        probe.texts[i] = (char *)(uintptr_t)(given != NULL ? given : "?"); /* only read */
    }
    if (sg_cli_write_policy(&probe, NULL, &text, &cause) &&
        sg_policy_parse("new.yaml", sg_buf_slice(&text), &policy, &cause))
        return true;
    return sg_fail(why, SG_USAGE, NULL, "%s", without_place(cause.text));
}

static bool keep(struct sg_answers *answers, size_t question, const char *text,
                 struct sg_error *why)
{
    struct sg_error cause = {0};

    if (strlen(text) >= SG_ENTRY_SIZE)
        return sg_fail(why, SG_USAGE, NULL, "the answer is longer than %d bytes",
                       SG_ENTRY_SIZE - 1);
    if (!sg_text_check(sg_slice_text(text), "the answer", &cause))
        return sg_fail(why, SG_USAGE, NULL, "%s", cause.text);
    answers->texts[question] = strdup(text);
    if (answers->texts[question] == NULL)
        return sg_fail_memory(why);
    if (check_so_far(answers, why))
        return true;
    free(answers->texts[question]);
    answers->texts[question] = NULL;
    return false;
}

static bool ask(struct sg_answers *answers, size_t question, struct sg_error *error)
{
    static const char UNANSWERED[] =
        "`signet policy new --help` lists the options that replace them";
    const char *otherwise = usual(answers, question);

    for (;;) {
        struct sg_error why = {0};

        fprintf(stderr, "%s", QUESTIONS[question].text);
        if (otherwise != NULL)
            fprintf(stderr, " [%s]", otherwise);
        fprintf(stderr, " ");
        fflush(stderr);
        sg_auto(malloc) char *answer = sg_cli_read_line(stdin, UNANSWERED, error);
        if (answer == NULL)
            return false;
        if (keep(answers, question, answer[0] == '\0' && otherwise != NULL ? otherwise : answer,
                 &why))
            return true;
        fprintf(stderr, "  %s; once more\n", why.text);
    }
}

static bool refuse_unasked(const struct sg_cli *cli, struct sg_error *error)
{
    char missing[160] = "";

    for (size_t i = 0; i < SG_NUM_ANSWERS; i++) {
        size_t len = strlen(missing);

        if (!sg_cli_has(cli, QUESTIONS[i].option))
            snprintf(missing + len, sizeof missing - len, "%s--%s", len > 0 ? ", " : "",
                     QUESTIONS[i].option);
    }
    return sg_fail(error, SG_USAGE, NULL, "there is no terminal to ask on; answer by %s", missing);
}

bool sg_cli_answer(const struct sg_cli *cli, struct sg_answers *answers, struct sg_error *error)
{
    for (size_t i = 0; i < SG_NUM_ANSWERS; i++) {
        const char *given = sg_cli_text(cli, QUESTIONS[i].option);
        struct sg_error why = {0};

        if (given == NULL && !isatty(STDIN_FILENO))
            return refuse_unasked(cli, error);
        if (given == NULL ? !ask(answers, i, error) : !keep(answers, i, given, &why))
            return given != NULL && sg_fail(error, why.code, NULL, "--%s %.80s: %s",
                                            QUESTIONS[i].option, given, why.text);
    }
    return true;
}
