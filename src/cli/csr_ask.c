#include <string.h>

#include "ask.h"
#include "csr.h"

static const struct {
    const char *attribute;
    const char *question;
} QUESTIONS[] = {
    {"CN", "Common name, whom or what it is for"},
    {"O", "Organisation"},
    {"OU", "Organisational unit"},
    {"L", "Locality, a city"},
    {"ST", "State or province"},
    {"C", "Country, two letters"},
};

static const char UNANSWERED[] = "name the request by --subject, or answer them, empty to skip";

/* Is it a value that a request can carry? Added to a name of its own, as some bounds are told only
 * when it is encoded. */
static bool check_answer(const char *oid, const char *answer, struct sg_error *why)
{
    sg_auto(sg_name) struct sg_name alone = {0};
    sg_auto(X509_NAME) X509_NAME *encoded = NULL;

    return sg_name_add(&alone, oid, answer, why) && sg_name_encode(&alone, &encoded, why);
}

static bool ask(FILE *in, FILE *out, size_t question, struct sg_name *subject,
                struct sg_error *error)
{
    const char *attribute = QUESTIONS[question].attribute, *oid = NULL;

    if (!sg_oid_of_attribute(attribute, &oid, error))
        return false;
    for (;;) {
        struct sg_error why = {0};

        fprintf(out, "%s (%s): ", QUESTIONS[question].question, attribute);
        fflush(out);
        sg_auto(malloc) char *answer = sg_cli_read_line(in, UNANSWERED, error);
        if (answer == NULL)
            return false;
        if (answer[0] == '\0')
            return true;
        if (check_answer(oid, answer, &why))
            return sg_name_add(subject, oid, answer, error);
        fprintf(out, "  %s; once more\n", why.text);
    }
}

bool sg_csr_ask_subject(FILE *in, FILE *out, struct sg_name *subject, struct sg_error *error)
{
    sg_auto(sg_name) struct sg_name answers = {0};

    fprintf(out, "Whom shall the request name? An empty answer leaves a part out.\n");
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof QUESTIONS[0]; i++)
        if (!ask(in, out, i, &answers, error))
            return false;
    if (answers.num == 0)
        return sg_fail(error, SG_USAGE, NULL,
                       "every part was left out, so the request names nobody");
    *subject = answers;
    answers = (struct sg_name){0}; /* now the caller's */
    return true;
}
