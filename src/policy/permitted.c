/* The issuer's own nameConstraints: a name outside of them would make the certificate invalid
 * wherever it is shown (RFC 5280 4.2.1.10), so it is refused, whatever the policy says. */
#include <openssl/x509v3.h>

#include "decision.h"

SG_DEFINE_CLEANUP(NAME_CONSTRAINTS, NAME_CONSTRAINTS_free)

static const char FIELD[] = "name_constraints";

/* OpenSSL compares certificates with constraints: this one has nothing but names. */
static X509 *certificate_with(const struct sg_name *subject, const struct sg_sans *sans)
{
    sg_auto(X509) X509 *certificate = X509_new();
    sg_auto(X509_NAME) X509_NAME *name = NULL;
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names = NULL;

    if (certificate == NULL || !X509_set_version(certificate, X509_VERSION_3) ||
        !sg_name_encode(subject, &name, NULL) || !X509_set_subject_name(certificate, name))
        return NULL;
    if (sans->num > 0 &&
        (!sg_sans_encode(sans, &names, NULL) ||
         X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) != 1))
        return NULL;
    X509_check_purpose(certificate, -1, 0); /* so that it finds its own alternative names */
    return SG_TAKE(certificate);
}

/* verdict  X509_V_OK when the constraints let the names pass. */
static bool judge(NAME_CONSTRAINTS *constraints, const struct sg_name *subject,
                  const struct sg_sans *sans, int *verdict, struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = certificate_with(subject, sans);

    if (certificate == NULL)
        return sg_fail_openssl(error, SG_INTERNAL, NULL,
                               "can't compare names with the issuer's nameConstraints");
    *verdict = NAME_CONSTRAINTS_check(certificate, constraints);
    return *verdict != X509_V_ERR_OUT_OF_MEM || sg_fail_memory(error);
}

static bool refuse(struct sg_decision *decision, const char *name, int verdict)
{
    return sg_decision_refuse(
        decision, FIELD, "issuer %s may not certify %.200s: %s (RFC 5280 4.2.1.10)",
        decision->input->issuer->name, name, X509_verify_cert_error_string(verdict));
}

static bool decide_subject(struct sg_decision *decision, NAME_CONSTRAINTS *constraints)
{
    static const struct sg_sans NONE = {0};
    char text[SG_ERROR_TEXT_SIZE];
    int verdict = X509_V_OK;

    if (!judge(constraints, &decision->plan.subject, &NONE, &verdict, decision->error))
        return false;
    return verdict == X509_V_OK ||
           refuse(decision, sg_name_text(&decision->plan.subject, text, sizeof text), verdict);
}

static bool decide_san(struct sg_decision *decision, NAME_CONSTRAINTS *constraints, size_t index)
{
    static const struct sg_name NOBODY = {0};
    const struct sg_sans one = {.items = &decision->plan.sans.items[index], .num = 1};
    char text[SG_ERROR_TEXT_SIZE];
    int verdict = X509_V_OK;

    if (!judge(constraints, &NOBODY, &one, &verdict, decision->error))
        return false;
    return verdict == X509_V_OK || refuse(decision, sg_sans_text(&one, text, sizeof text), verdict);
}

/* One name at a time, so that the refusal can say which. */
bool sg_policy_rule_permitted(struct sg_decision *decision)
{
    X509 *issuer = decision->input->issuer->certificate;
    sg_auto(NAME_CONSTRAINTS) NAME_CONSTRAINTS *constraints = NULL;
    int found = -1;

    if (issuer != NULL)
        constraints = X509_get_ext_d2i(issuer, NID_name_constraints, &found, NULL);
    if (constraints == NULL)
        return found == -1 || sg_decision_refuse(decision, FIELD,
                                                 "issuer %s has nameConstraints that can't be read",
                                                 decision->input->issuer->name);
    if (!decide_subject(decision, constraints))
        return false;
    for (size_t i = 0; i < decision->plan.sans.num; i++) {
        if (!decide_san(decision, constraints, i))
            return false;
    }
    return decision->refused ||
           sg_decision_pass(decision, FIELD, "the names are inside the issuer's");
}
