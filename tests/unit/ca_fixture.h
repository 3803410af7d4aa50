/* ca_fixture: a CA of the test's own: a SoftHSM token behind the odd module, a home with a root
 * that has certified itself, and a clock that the test sets.
 *
 * The token is made once for a program, as SoftHSM reads it once; the home is made for each test.
 */
#ifndef SG_TEST_CA_FIXTURE_H
#define SG_TEST_CA_FIXTURE_H

#include "expect.h"
#include "make_request.h"

#include "issue/issue.h"

enum { DAY = 86400, NOW = 1750000000 };

/* Of the token that all tests of a program share. */
#define CA_TOKEN "pkcs11:token=signet-test"

struct ca {
    char folder[64];
    char dir[80]; /* the home */
    int64_t now;  /* what the clock says; begins at NOW */
    struct sg_home *home;
    struct sg_issuer *issuer; /* "root", opened to sign */
    struct sg_buf root_der;   /* its certificate */
};

/* For cmocka: the token with the key "root" (P-256), for all tests; the home, for each. */
int ca_make_token(void **state);
int ca_remove_token(void **state);
int ca_make_home(void **state);
int ca_remove_home(void **state);

/* ca_open_token opens the token; the caller closes it. */
struct sg_token *ca_open_token(const struct ca *ca);
/* ca_reopen closes the home and opens it again: what was in flight is an orphan then. */
void ca_reopen(struct ca *ca);
/* ca_make_key makes a P-256 key on the token that all tests share; once for a program. */
void ca_make_key(const struct ca *ca, const char *label);
/* ca_configure replaces a text in signet.yaml and opens the home again; the issuer is NULL then
 * when it may not sign any more. */
void ca_configure(struct ca *ca, const char *text, const char *instead);
/* The last line of the issuer in signet.yaml, to put others behind. */
#define CA_LAST_LINE "    crl: {next_update: 7d}\n"
/* ca_sql changes the store behind Signet's back. */
void ca_sql(struct ca *ca, const char *text);
/* ca_break_store makes every write to the store fail with SG_STORE, or not any more. */
void ca_break_store(struct ca *ca, bool broken);
/* ca_put_policy writes policies/NAME.yaml. */
void ca_put_policy(const struct ca *ca, const char *name, const char *text);
/* ca_add registers a device (type "leo", region "us-east") or a user. */
void ca_add_device(struct ca *ca, const char *id);
void ca_add_user(struct ca *ca, const char *name);

/* ca_issuing: the operator issues under a policy. */
struct sg_issuing ca_issuing(struct ca *ca, const char *policy);

/* One request: its key, its bytes and its job. Release with ca_order_done. */
struct ca_order {
    EVP_PKEY *key;
    struct sg_buf der;
    struct sg_job job;
};
/* ca_order makes a request of a new P-256 key, or of key (a reference is taken), with CN=cn. */
void ca_order(struct ca_order *order, EVP_PKEY *key, const char *cn);
void ca_order_done(struct ca_order *order);
SG_DEFINE_CLEANUP_IN_PLACE(ca_order, ca_order_done)

/* ca_issue takes one order for the device that its CN names down the path; the run must not fail.
 */
void ca_issue(struct ca *ca, const char *policy, struct ca_order *order);

/* expect_issued, expect_refused: what became of a job. */
void expect_issued(const char *name, const struct sg_job *job, enum sg_job_outcome outcome);
void expect_refused(const char *name, const struct sg_job *job, enum sg_code code,
                    const char *part);

/* ca_count counts the certificates and claims of a status. */
size_t ca_count(struct ca *ca, enum sg_status status);
/* ca_status is the status of the certificate with this serial number. */
enum sg_status ca_status(struct ca *ca, const struct sg_serial *serial);

#endif
