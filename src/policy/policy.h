/* policy: one YAML file → an immutable policy; request + requester → a plan, or a refusal.
 *
 * docs/policy.md is the language. What a policy does not name does not get into a certificate.
 * Does not: touch tokens, the store or the clock; `unique` and `renewal` go into the plan and are
 * decided by the store's claim.
 * Thread rule: a policy is read-only once loaded.
 */
#ifndef SG_POLICY_POLICY_H
#define SG_POLICY_POLICY_H

#include "model/issuer.h"
#include "model/plan.h"
#include "model/request.h"
#include "model/requester.h"
#include "model/schema.h"

struct sg_policy;

/* sg_policy_load reads a file. Fails: SG_INVALID "file:line:column: …", SG_FAILED when unreadable.
 */
SG_MUST_USE bool sg_policy_load(const char *path, struct sg_policy **policy,
                                struct sg_error *error);
/* sg_policy_parse is the same from memory; name stands for the path in messages. */
SG_MUST_USE bool sg_policy_parse(const char *name, struct sg_slice text, struct sg_policy **policy,
                                 struct sg_error *error);
void sg_policy_free(struct sg_policy *policy);

typedef struct sg_policy sg_policy;
SG_DEFINE_CLEANUP(sg_policy, sg_policy_free)

/* sg_policy_has_note tells what a policy that loads can't do on this machine: keys that the OpenSSL
 * that runs does not know. note   filled as an error would be ("FILE:LINE:COLUMN: …"). */
bool sg_policy_has_note(const struct sg_policy *policy, struct sg_error *note);

/* sg_policy_note_fields appends a line for each field of a record that the policy refers to and the
 * registry does not have: "FILE:LINE:COLUMN: …\n". Each is told once. */
SG_MUST_USE bool sg_policy_note_fields(const struct sg_policy *policy,
                                       const struct sg_schema *device, const struct sg_schema *user,
                                       struct sg_buf *notes, struct sg_error *error);

const char *sg_policy_name(const struct sg_policy *policy);
const char *sg_policy_description(const struct sg_policy *policy);
const uint8_t *sg_policy_sha256(const struct sg_policy *policy); /* of the file's bytes */
struct sg_slice sg_policy_source(const struct sg_policy *policy);
bool sg_policy_is_ca(const struct sg_policy *policy); /* its certificates are CA certificates */
bool sg_policy_signs_ocsp(const struct sg_policy *policy); /* they are OCSP responders' */
/* sg_policy_is_self_signed: it certifies an issuer's own key, and nobody's request. Its examples'
 * files stand for such a key and the subject asked for. */
bool sg_policy_is_self_signed(const struct sg_policy *policy);
bool sg_policy_needs_device(const struct sg_policy *policy);
bool sg_policy_needs_user(const struct sg_policy *policy);
/* sg_policy_evidence: what may vouch under the policy, a mask of SG_BY_*. */
unsigned sg_policy_evidence(const struct sg_policy *policy);
/* sg_policy_renews: does a certificate of that policy vouch for a request under this one? Its own
 * does, and those of the policies that `renewal.of` names, where `who` has renewal. */
bool sg_policy_renews(const struct sg_policy *policy, const char *name);
/* sg_policy_registers: `unknown_device: register`: an operator may bring a device that the
 * registry does not hold yet; the path registers it with the claim. */
bool sg_policy_registers(const struct sg_policy *policy);

/* sg_policy_issues_until: the last moment at which the policy gives certificates below an issuer
 * that ends at issuer_not_after. */
int64_t sg_policy_issues_until(const struct sg_policy *policy, int64_t issuer_not_after);

/* sg_policy_unique: whose only certificate under the policy it is. */
enum sg_unique sg_policy_unique(const struct sg_policy *policy);

/* sg_policy_quota: how many certificates it is good for; 0: no quota. */
struct sg_quota sg_policy_quota(const struct sg_policy *policy);

/* How a key that the service makes gets to its holder (EST serverkeygen). */
enum sg_server_keys {
    SG_SERVER_KEYS_NEVER, /* it makes none under this policy */
    SG_SERVER_KEYS_CMS,   /* encrypted to a key that the holder has already */
    SG_SERVER_KEYS_PLAIN, /* the same; to who names no such key, as it is, inside TLS */
};
enum sg_server_keys sg_policy_server_keys(const struct sg_policy *policy);

/* sg_policy_makes_key: the first kind of key of the policy that the service makes: on P-256, P-384
 * or P-521, or of RSA up to 4096 bits; of sizes or curves the smallest. false: none. */
bool sg_policy_makes_key(const struct sg_policy *policy, struct sg_key_kind *made);

/* sg_policy_suggests_key: the first kind of key that it names and that the OpenSSL that runs knows;
 * of sizes or curves the smallest. It is what a client is told that asks which key to make. */
struct sg_key_kind sg_policy_suggests_key(const struct sg_policy *policy);

/* Everything that a decision is made from. */
struct sg_decision_input {
    const struct sg_request *request;
    const struct sg_requester *requester;
    const struct sg_issuer_facts *issuer;
    int64_t now;
    const struct sg_schema *device_schema, *user_schema; /* NULL: not known. For messages alone */
};

/* sg_policy_decide applies the policy's rules in order; the first refusal ends it.
 * plan     filled on success, untouched otherwise.
 * Fails: SG_REFUSED (SG_UNAUTHENTICATED for `who`), rule "policy NAME: subject.CN", text with the
 * offending value and what was wanted. */
SG_MUST_USE bool sg_policy_decide(const struct sg_policy *policy,
                                  const struct sg_decision_input *input, struct sg_plan *plan,
                                  struct sg_error *error);

/* sg_policy_draft is sg_policy_decide for a request that is yet to be written: what it would have
 * to agree with is left aside (`request`), but for names that it says already. Fails: as
 * sg_policy_decide. */
SG_MUST_USE bool sg_policy_draft(const struct sg_policy *policy,
                                 const struct sg_decision_input *input, struct sg_plan *plan,
                                 struct sg_error *error);

/* sg_policy_decide_again is sg_policy_decide for a certificate that was issued before, of whose
 * request (SG_REQUEST_FORGOTTEN, or SG_REQUEST_OWN_KEY) and requester only that is left which the
 * store keeps: `who` and `request` are left aside. Fails: as sg_policy_decide; SG_FAILED when a
 * rule wants what is not known any more. */
SG_MUST_USE bool sg_policy_decide_again(const struct sg_policy *policy,
                                        const struct sg_decision_input *input, struct sg_plan *plan,
                                        struct sg_error *error);

/* One line of `signet check`. */
struct sg_verdict {
    char rule[SG_ERROR_RULE_SIZE]; /* "subject.CN" */
    bool passed;
    bool skipped; /* not looked at, as it needs the outcome of one that refuses; then not passed */
    char
        text[SG_ERROR_TEXT_SIZE]; /* what was found and what the certificate will say, or why not */
};

/* sg_policy_check runs every rule, also after one has refused, and fills a malloc'd array.
 * Fails only for reasons of memory; a refusal is a verdict. */
SG_MUST_USE bool sg_policy_check(const struct sg_policy *policy,
                                 const struct sg_decision_input *input,
                                 struct sg_verdict **verdicts, size_t *num, struct sg_error *error);

/* One of the policy's `examples`. Texts are owned by the policy. */
struct sg_policy_example {
    const char *csr;                       /* path beside the policy file */
    const struct sg_record *device, *user; /* NULL when the example names none */
    const struct sg_name *issuer;          /* the subject of who issues; may be empty */
    bool accept;
    const char *refuse; /* the rule that must refuse: "subject.CN" */
    unsigned line;
};
size_t sg_policy_num_examples(const struct sg_policy *policy);
const struct sg_policy_example *sg_policy_example(const struct sg_policy *policy, size_t index);

#endif
