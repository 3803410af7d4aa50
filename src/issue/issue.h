/* issue: one request's path, from bytes to a recorded certificate. The heart of the program.
 *
 * Two invariants: no certificate leaves without a durable record, and the issuer's key signs no
 * certificate without a durable claim. tests/fault kills the process after every step and checks
 * both against the token's own count of signatures.
 * Thread rule: that of the home.
 */
#ifndef SG_ISSUE_ISSUE_H
#define SG_ISSUE_ISSUE_H

#include "base/clock.h"
#include "base/secret.h"
#include "home/home.h"
#include "model/certificate.h"

/* The steps, in the order in which a request takes them. */
enum sg_issue_step {
    SG_STEP_PARSED,
    SG_STEP_POSSESSION,
    SG_STEP_KEY_QUALITY,
    SG_STEP_AUTHENTICATED,
    SG_STEP_DECIDED,
    SG_STEP_SERIAL,
    SG_STEP_BUILT,
    SG_STEP_LINTED,
    SG_STEP_CLAIMED,
    SG_STEP_SIGNED,
    SG_STEP_VERIFIED,
    SG_STEP_RECORDED,
    SG_NUM_STEPS,
};
const char *sg_issue_step_word(enum sg_issue_step step);

/* What a request brings, besides what vouches for all of its run. Borrowed; zero is nothing. */
struct sg_evidence {
    const char *ticket;      /* as sg_ticket_make made it; NULL: none */
    const uint8_t *pin_hash; /* sg_pin_hash of the user's PIN, SG_PIN_HASH_LEN bytes; NULL: none */
    struct sg_slice certificate; /* DER, of whoever asks, whose key TLS has proved; empty: none */
};

/* What all requests of a run share. */
struct sg_issuing {
    struct sg_home *home;
    struct sg_issuer *issuer; /* opened to sign, or to certify itself */
    const struct sg_policy *policy;
    struct sg_store *registry; /* where devices, users and tickets are looked up; NULL: the home's
                                  store */
    struct sg_clock clock;     /* zero: the machine's */
    unsigned evidence;         /* SG_BY_*: what vouches for the requests of this run */
    const char *operator_name; /* who is at the command line; NULL: nobody says */
    struct sg_mac *pins;       /* sg_home_pins, opened before; NULL: no PIN can be checked */
    bool device_from_cn;       /* the operator vouches that each request comes from the device
                                  that its subject's CN names */
    bool replace;              /* a certificate of the same device or user under the policy, which
                                  would refuse a new key (`unique`), is revoked when the new one is
                                  recorded */
    enum sg_reason replace_reason;
    void (*after_step)(enum sg_issue_step step, void *context); /* NULL but in tests */
    void *step_context;
};

enum sg_job_outcome {
    SG_JOB_REFUSED, /* see error */
    SG_JOB_ISSUED,
    SG_JOB_REPEATED, /* the certificate that this very request got before */
};

/* How far a job has come; only the path itself sets it. */
enum sg_job_stage { SG_JOB_NEW, SG_JOB_PREPARED, SG_JOB_CLAIMED, SG_JOB_SIGNED, SG_JOB_ENDED };

/* Makes keys for those who have none. */
struct sg_job;
struct sg_key_maker {
    /* make is called by the thread that prepares the job, once it is known who asks, and what they
     * ask for is parsed; store is that thread's own handle.
     * key      empty; the public half of the new key.
     * It leaves what brings the private half to its holder in job->delivery. */
    bool (*make)(const struct sg_key_maker *maker, struct sg_store *store, struct sg_job *job,
                 struct sg_public_key *key, struct sg_error *error);
    const void *context;
};

/* One request and what becomes of it. Zero-initialise, fill `in`, release with sg_job_done. */
struct sg_job {
    /* in; borrowed */
    const struct sg_policy *policy;    /* instead of the run's, of which nothing vouches for the
                                          request then; NULL: the run's */
    const char *officer;               /* under policy: whoever of the service's officers vouches
                                          for this request, and asks for it; NULL: none does */
    bool device_from_cn;               /* under policy: as the run's, by the officer's word */
    struct sg_slice bytes;             /* PKCS#10 or SPKAC; empty when own_subject is set */
    const struct sg_name *own_subject; /* the issuer certifies its own key under this name */
    const char *device, *user;         /* ids in the registry, or NULL */
    const struct sg_record *described; /* the device as who brings it describes it, maybe in part:
                                          the registry has to agree, or, where the policy registers
                                          unknown devices, gets to know it; its id is device. NULL:
                                          nobody does */
    void *tag;                         /* the caller's own; nobody looks at it */
    const struct sg_key_maker *key_maker; /* makes the key, whatever key and signature the request
                                             has; NULL: it is the request's own */
    const struct sg_secret *challenge;    /* that the request must repeat, or NULL */
    struct sg_evidence evidence;

    /* on the way */
    enum sg_job_stage stage;
    int64_t now; /* the moment that all of it is decided for */
    struct sg_request request;
    struct sg_requester requester;
    bool register_device;
    int64_t ticket, renews; /* what of the store vouches; 0: none */
    char *asked_by;
    struct sg_plan plan;
    char subject[SG_LIMIT_VALUE]; /* the plan's, as text */
    struct sg_serial serial;      /* once served, the certificate's */
    struct sg_buf tbs;
    uint8_t content_sha256[SG_SHA256_LEN];
    int64_t claim;

    /* out */
    enum sg_job_outcome outcome;
    int64_t waits_for; /* the request for approval that it waits with: refused for now; 0: none */
    struct sg_buf certificate; /* DER */
    struct sg_buf delivery;    /* of key_maker; wiped in the end */
    bool delivery_is_plain;    /* it is the private key as it is */
    struct sg_error error;
};
void sg_job_done(struct sg_job *job);
SG_DEFINE_CLEANUP_IN_PLACE(sg_job, sg_job_done)

/* sg_issue takes requests down the path. They share their two durable writes, SG_LIMIT_GROUP at a
 * time; each is refused or served on its own merits, told by its outcome and error.
 * After the token has failed (SG_TOKEN, SG_PIN) nothing more is signed in this run: the rest are
 * refused with the same error, "not tried".
 * Evidence is weighed as it is brought: tickets are spent, and tries of a PIN counted.
 * Fails only when the run as a whole can't go on (SG_STORE); outcomes stand for what is done, and
 * whoever was not served has an error that says why. */
SG_MUST_USE bool sg_issue(const struct sg_issuing *issuing, struct sg_job *jobs, size_t num,
                          struct sg_error *error);

/* sg_issue_check takes one request down the path up to the policy, changes nothing, and tells each
 * rule's verdict; it goes on after a refusal as far as it makes sense. The caller frees verdicts.
 */
SG_MUST_USE bool sg_issue_check(const struct sg_issuing *issuing, struct sg_job *job,
                                struct sg_verdict **verdicts, size_t *num, struct sg_error *error);

#endif
