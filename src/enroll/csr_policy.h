/* csr_policy: the request that a policy wants.
 *
 * The policy's own rules make the plan of the certificate, from a request that says nothing yet but
 * its key; what the plan says is then what the request asks for. The rules judge the finished
 * request once more.
 * Does not: ask for the extensions that the policy gives by OID; nobody has to.
 */
#ifndef SG_ENROLL_CSR_POLICY_H
#define SG_ENROLL_CSR_POLICY_H

#include "enroll.h"
#include "policy/policy.h"

/* What the request is made from. */
struct sg_csr_wish {
    const struct sg_policy *policy;
    const struct sg_record *device, *user; /* NULL: none */
    const struct sg_name *subject;         /* what ${request.…} stands for; may be empty */
    /* NULL: one that limits nothing and is called issuer_name */
    const struct sg_issuer_facts *issuer;
    const char *issuer_name; /* "" when nobody said it */
    int64_t now;
    const struct sg_schema *device_schema, *user_schema; /* of the home, or NULL */
};

/* sg_csr_plan makes the plan of the certificate for a key. The plan's names, purposes and key usage
 * are what the request says.
 * Fails: SG_USAGE when the policy needs a device, a user or an issuer's name that is not there;
 * SG_REFUSED as the policy does, and when subject has what the policy does not give. */
SG_MUST_USE bool sg_csr_plan(const struct sg_csr_wish *wish, const struct sg_public_key *key,
                             struct sg_plan *plan, struct sg_error *error);

/* sg_csr_spec_of_plan: what a request says to get the plan's certificate. Borrows from plan. */
struct sg_csr_spec sg_csr_spec_of_plan(const struct sg_plan *plan);

/* sg_csr_check_policy has the policy decide on the finished request (DER).
 * Fails: as sg_policy_decide. */
SG_MUST_USE bool sg_csr_check_policy(const struct sg_csr_wish *wish, struct sg_slice der,
                                     struct sg_error *error);

#endif
