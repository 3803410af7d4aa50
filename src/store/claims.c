/* The claim: where uniqueness, renewal and retry are decided, inside one write transaction. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "certificates.h"
#include "deciding.h"
#include "engine.h"
#include "evidence.h"
#include "registry.h"
#include "schema.h"
#include "standing.h"

/* ---- the requester ---- */

static bool check_known(struct sg_deciding *decision, enum sg_registry_kind kind, const char *id,
                        const struct sg_record *to_register, struct sg_error *error)
{
    const char *word = sg_registry_word(kind);
    struct sg_registration known = {0};
    if (!sg_registry_look(decision->store, kind, id, to_register, &known, error))
        return false;
    decision->has_new_device = decision->has_new_device || !known.found;
    if (!known.found && to_register == NULL)
        return sg_deciding_refuse(decision, SG_UNAUTHENTICATED, NULL,
                                  "%s \"%s\" is not in the registry: `signet %s add` registers it",
                                  word, id, word);
    if (known.found && known.disabled)
        return sg_deciding_refuse(decision, SG_UNAUTHENTICATED, NULL,
                                  "%s \"%s\" is disabled in the registry", word, id);
    /* Someone else was faster, and the certificate would say what the registry does not. */
    if (known.found && to_register != NULL && !known.same)
        return sg_deciding_refuse(
            decision, SG_REFUSED, NULL,
            "%s \"%s\" has been registered meanwhile, with other attributes: try again", word, id);
    return true;
}

static bool check_device(struct sg_deciding *decision, struct sg_error *error)
{
    const char *device = sg_claim_device(decision->claim);
    const struct sg_record *to_register = decision->claim->register_device;
    if (to_register != NULL && (device == NULL || strcmp(to_register->id, device) != 0))
        return sg_deciding_refuse(decision, SG_INTERNAL, NULL,
                                  "a claim may register its own device and no other");
    if (to_register != NULL && !sg_store_check_record(to_register, &decision->claim->error)) {
        decision->decided = true;
        return true;
    }
    return device == NULL || check_known(decision, SG_REGISTRY_DEVICE, device, to_register, error);
}

static bool check_user(struct sg_deciding *decision, struct sg_error *error)
{
    const char *user = sg_claim_user(decision->claim);
    return user == NULL || check_known(decision, SG_REGISTRY_USER, user, NULL, error);
}

/* ---- the key ---- */

static struct sg_key_question key_question(const struct sg_claim *claim)
{
    return (struct sg_key_question){
        .spki_sha256 = claim->spki_sha256,
        .device = sg_claim_device(claim),
        .user = sg_claim_user(claim),
        .for_ca = claim->plan->ca,
        .for_ocsp = sg_plan_signs_ocsp(claim->plan),
    };
}

static bool check_key(struct sg_deciding *decision, struct sg_error *error)
{
    struct sg_claim *claim = decision->claim;
    const struct sg_key_question question = key_question(claim);
    return sg_store_judge_key(decision->store, &question, &claim->error, error) &&
           sg_deciding_adopt(decision);
}

/* ---- earlier certificates ---- */

struct prior {
    int64_t id;
    struct sg_serial serial;
    bool same_key, same_content;
    struct sg_standing standing;
};

/* ?1 key, ?2 content, ?3 policy, ?4 device, ?5 user, ?6 now */
#define SELECT_PRIOR                                                                               \
    "SELECT c.id, c.serial, c.spki_sha256 = ?1, c.content_sha256 = ?2, " SG_STANDING_COLUMNS       \
    " FROM " SG_STANDING_TABLES " WHERE c.policy = ?3 AND c.not_after >= ?6 AND "

/* The latest first: of a certificate and its renewal, the renewal answers a retry. */
static const char BY_KEY[] =
    SELECT_PRIOR SG_CLAIM_OF_KEY("?1") " AND c.device IS NOT DISTINCT FROM ?4"
                                       " AND c.user IS NOT DISTINCT FROM ?5 ORDER BY c.id DESC";
static const char BY_DEVICE[] = SELECT_PRIOR "c.device = ?4";
static const char BY_USER[] = SELECT_PRIOR "c.user = ?5";

#define PRIOR_VALUES(claim)                                                                        \
    SG_VALUES(sg_digest((claim)->spki_sha256), sg_digest((claim)->content_sha256),                 \
              sg_text((claim)->plan->policy), sg_text(sg_claim_device(claim)),                     \
              sg_text(sg_claim_user(claim)), sg_int((claim)->now))

static bool start_prior(struct sg_deciding *decision, const char *text, struct sg_query *query,
                        struct sg_error *error)
{
    return sg_query_start(decision->store, text, PRIOR_VALUES(decision->claim), query, error);
}

/* The next one that counts: a dead process's claim is made an orphan, and orphans and revoked ones
 * are passed over. */
static bool next_prior(struct sg_deciding *decision, struct sg_query *query, bool *row,
                       struct prior *prior, struct sg_error *error)
{
    for (;;) {
        if (!sg_query_next(query, row, error))
            return false;
        if (!*row)
            return true;
        prior->id = sg_column_int(query, 0);
        prior->same_key = sg_column_int(query, 2) != 0;
        prior->same_content = sg_column_int(query, 3) != 0;
        if (!sg_column_copy_serial(query, 1, &prior->serial, error) ||
            !sg_standing_read(query, 4, decision->claim->now, &prior->standing, error))
            return false;
        if (prior->standing.status == SG_STATUS_ORPHANED) {
            if (!sg_standing_settle(decision->store, prior->id, error))
                return false;
        } else if (prior->standing.status != SG_STATUS_REVOKED) {
            return true;
        }
    }
}

/* The policy as it is today says what its earlier certificates' renewal window is. */
static int64_t window_start(const struct sg_plan *plan, const struct prior *prior)
{
    return prior->standing.not_after - plan->renewal_window_s;
}

static bool is_renewal(const struct sg_claim *claim, const struct prior *prior)
{
    return sg_plan_renews(claim->plan, prior->standing.not_after, claim->now);
}

static bool refuse_same_key(struct sg_deciding *decision, const struct prior *prior)
{
    char serial[SG_SERIAL_TEXT_SIZE];
    return sg_deciding_refuse(
        decision, SG_REFUSED, "renewal.same_key",
        "the request's key is that of certificate %s, which it would renew: renewal "
        "needs a new key",
        sg_serial_text(&prior->serial, serial));
}

static bool refuse_held(struct sg_deciding *decision, const struct prior *prior)
{
    char serial[SG_SERIAL_TEXT_SIZE];
    return sg_deciding_refuse(decision, SG_REFUSED, "unique",
                              "certificate %s is on hold: release or revoke it first",
                              sg_serial_text(&prior->serial, serial));
}

/* It may go otherwise when what is in flight has been recorded. */
static bool for_now(struct sg_deciding *decision, bool refused)
{
    decision->claim->error.detail = EAGAIN;
    return refused;
}

static bool refuse_same_in_flight(struct sg_deciding *decision, const struct prior *prior)
{
    return for_now(
        decision,
        sg_deciding_refuse(decision, SG_REFUSED, "unique", "%s",
                           prior->id >= decision->group_start
                               ? "the same request is in this group twice: it is served once"
                               : "the same certificate is being issued by another process at this "
                                 "moment: try again shortly"));
}

static bool refuse_in_flight(struct sg_deciding *decision, const struct prior *prior,
                             const char *word, const char *id)
{
    char serial[SG_SERIAL_TEXT_SIZE];
    if (prior->same_key && prior->same_content)
        return refuse_same_in_flight(decision, prior);
    if (prior->id >= decision->group_start)
        return for_now(decision,
                       sg_deciding_refuse(decision, SG_REFUSED, "unique",
                                          "another request of this group is for the same %s \"%s\"",
                                          word, id));
    return for_now(
        decision,
        sg_deciding_refuse(decision, SG_REFUSED, "unique",
                           "certificate %s for the same %s \"%s\" is being issued at this moment: "
                           "try again shortly",
                           sg_serial_text(&prior->serial, serial), word, id));
}

/* ---- a retry? ---- */

static bool answer_retry(struct sg_deciding *decision, const struct prior *prior,
                         struct sg_error *error)
{
    struct sg_claim *claim = decision->claim;
    if (claim->ticket != 0 &&
        (!sg_ticket_judge(decision->store, claim, prior->id, &claim->error, error) ||
         !sg_deciding_adopt(decision)))
        return false;
    if (decision->decided)
        return true;
    if (!sg_certificate_find(decision->store, prior->id, claim->now, &claim->existing, error))
        return false;
    if (!sg_certificate_is_here(&claim->existing, &claim->error)) {
        sg_certificate_done(&claim->existing);
        return sg_deciding_adopt(decision);
    }
    if (claim->ticket != 0 && !sg_ticket_spend(decision->store, claim->ticket, prior->id, error))
        return false;
    claim->outcome = SG_CLAIM_RETRY;
    decision->decided = true;
    return true;
}

static bool weigh_same_key(struct sg_deciding *decision, const struct prior *prior,
                           struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    bool is_asked_again = false;
    /* A spent ticket gets its own certificate again, also when that could be renewed by now. */
    if (!sg_ticket_was_spent_on(decision->store, claim->ticket, prior->id, &is_asked_again, error))
        return false;
    if (!is_asked_again && prior->standing.status == SG_STATUS_VALID && is_renewal(claim, prior))
        return claim->plan->same_key == SG_SAME_KEY_REFUSE
                   ? refuse_same_key(decision, prior)
                   : sg_deciding_add_previous(decision, prior->id, error);
    if (!prior->same_content)
        return true;
    if (prior->standing.status == SG_STATUS_IN_FLIGHT)
        return refuse_same_in_flight(decision, prior);
    if (prior->standing.status == SG_STATUS_HELD)
        return refuse_held(decision, prior);
    return answer_retry(decision, prior, error);
}

static bool find_retry(struct sg_deciding *decision, struct sg_error *error)
{
    sg_auto(sg_query) struct sg_query query = {0};
    struct prior prior = {0};
    if (!start_prior(decision, BY_KEY, &query, error))
        return false;
    for (bool row = true; row && !decision->decided;)
        if (!next_prior(decision, &query, &row, &prior, error) ||
            (row && !weigh_same_key(decision, &prior, error)))
            return false;
    return true;
}

/* ---- unique ---- */

static bool refuse_valid(struct sg_deciding *decision, const struct prior *prior, const char *word,
                         const char *id)
{
    char serial[SG_SERIAL_TEXT_SIZE], until[SG_TIME_TEXT_SIZE], from[SG_TIME_TEXT_SIZE];
    const struct sg_plan *plan = decision->claim->plan;
    sg_serial_text(&prior->serial, serial);
    sg_time_text(prior->standing.not_after, until);
    if (!plan->renewable)
        return sg_deciding_refuse(
            decision, SG_REFUSED, "unique",
            "%s \"%s\" has certificate %s, valid until %s: revoke it to replace it", word, id,
            serial, until);
    if (decision->claim->now >= window_start(plan, prior))
        return sg_deciding_refuse(
            decision, SG_REFUSED, "unique",
            "%s \"%s\" has certificate %s, valid until %s, and a new one would not be "
            "valid any longer: revoke it to replace it",
            word, id, serial, until);
    return sg_deciding_refuse(
        decision, SG_REFUSED, "unique",
        "%s \"%s\" has certificate %s, valid until %s: it can be renewed from %s on; "
        "revoke it to replace it earlier",
        word, id, serial, until, sg_time_text(window_start(plan, prior), from));
}

static bool weigh_same_requester(struct sg_deciding *decision, const struct prior *prior,
                                 const char *word, const char *id, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    if (prior->id == decision->repeated)
        return true;
    if (prior->standing.status == SG_STATUS_IN_FLIGHT)
        return refuse_in_flight(decision, prior, word, id);
    if (prior->standing.status == SG_STATUS_HELD)
        return refuse_held(decision, prior);
    if (!is_renewal(claim, prior))
        return claim->replace ? sg_deciding_add_previous(decision, prior->id, error)
                              : refuse_valid(decision, prior, word, id);
    if (prior->same_key && claim->plan->same_key == SG_SAME_KEY_REFUSE)
        return refuse_same_key(decision, prior);
    return sg_deciding_add_previous(decision, prior->id, error);
}

static bool check_unique(struct sg_deciding *decision, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    const bool by_device = claim->plan->unique == SG_UNIQUE_DEVICE;
    const char *word = by_device ? "device" : "user";
    const char *id = by_device ? sg_claim_device(claim) : sg_claim_user(claim);
    sg_auto(sg_query) struct sg_query query = {0};
    struct prior prior = {0};
    if (claim->plan->unique == SG_UNIQUE_NONE)
        return true;
    if (id == NULL)
        return sg_deciding_refuse(decision, SG_UNAUTHENTICATED, "unique",
                                  "no %s is known for this request", word);
    if (!start_prior(decision, by_device ? BY_DEVICE : BY_USER, &query, error))
        return false;
    for (bool row = true; row && !decision->decided;)
        if (!next_prior(decision, &query, &row, &prior, error) ||
            (row && !weigh_same_requester(decision, &prior, word, id, error)))
            return false;
    return true;
}

static const char BY_SERIAL[] = "SELECT id FROM claim WHERE serial = ? AND issuer = ?";

static bool check_serial(struct sg_deciding *decision, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    char serial[SG_SERIAL_TEXT_SIZE];
    bool found = false;
    int64_t id = 0;
    if (!sg_sql_number(decision->store, BY_SERIAL,
                       SG_VALUES(sg_serial_value(claim->serial), sg_int(claim->issuer)), &found,
                       &id, error))
        return false;
    return !found || sg_deciding_refuse(decision, SG_INTERNAL, NULL,
                                        "the issuer has used the serial number %s already",
                                        sg_serial_text(claim->serial, serial));
}

/* ---- the claim itself ---- */

static bool insert_claim(struct sg_deciding *decision, struct sg_error *error)
{
    struct sg_claim *claim = decision->claim;
    const struct sg_plan *plan = claim->plan;
    if (!sg_sql_expect(decision->store, claim->now, error) ||
        !sg_sql_run(decision->store,
                    "INSERT INTO claim (id, issuer, serial, policy, policy_sha256, subject, device,"
                    " \"user\", spki_sha256, content_sha256, claimed, not_before, not_after, token)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    SG_VALUES(sg_int(decision->next_id), sg_int(claim->issuer),
                              sg_serial_value(claim->serial), sg_text(plan->policy),
                              sg_digest(plan->policy_sha256), sg_text(claim->subject),
                              sg_text(sg_claim_device(claim)), sg_text(sg_claim_user(claim)),
                              sg_digest(claim->spki_sha256), sg_digest(claim->content_sha256),
                              sg_int(claim->now), sg_int(plan->not_before), sg_int(plan->not_after),
                              sg_text(claim->requester->token)),
                    error))
        return false;
    claim->id = decision->next_id;
    return sg_sql_run(
        decision->store, "INSERT INTO pending (claim, owner, tbs) VALUES (?, ?, ?)",
        SG_VALUES(sg_int(claim->id), sg_int(decision->store->own), sg_bytes(claim->tbs)), error);
}

static bool insert_previous(struct sg_deciding *decision, struct sg_error *error)
{
    const struct sg_claim *claim = decision->claim;
    const enum sg_reason reason = claim->replace ? claim->replace_reason : SG_REASON_SUPERSEDED;
    if (claim->plan->previous != SG_PREVIOUS_REVOKE && !claim->replace)
        return true;
    for (size_t i = 0; i < decision->num_previous; i++)
        if (!sg_sql_run(decision->store,
                        "INSERT INTO supersedes (claim, previous, reason)"
                        " VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                        SG_VALUES(sg_int(claim->id), sg_int(decision->previous[i]), sg_int(reason)),
                        error))
            return false;
    return true;
}

static bool register_device(struct sg_deciding *decision, struct sg_error *error)
{
    return !decision->has_new_device || sg_registry_insert(decision->store, SG_REGISTRY_DEVICE,
                                                           decision->claim->register_device, error);
}

static bool make_claim(struct sg_deciding *decision, struct sg_error *error)
{
    if (!register_device(decision, error) || !insert_claim(decision, error) ||
        !insert_previous(decision, error) || !sg_deciding_use_repeated(decision, error) ||
        !sg_deciding_use_evidence(decision, error) || !sg_deciding_use_quota(decision, error))
        return false;
    decision->claim->outcome = SG_CLAIM_NEW;
    return true;
}

/* ---- what a group asks, asked at once ---- */

static bool is_same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* What one of them writes may change what the other one asks. */
static bool may_meet(const struct sg_claim *a, const struct sg_claim *b)
{
    return is_same_text(sg_claim_device(a), sg_claim_device(b)) ||
           is_same_text(sg_claim_user(a), sg_claim_user(b)) ||
           memcmp(a->spki_sha256, b->spki_sha256, SG_SHA256_LEN) == 0 ||
           sg_slice_equal(sg_slice_of(a->serial->bytes, a->serial->len),
                          sg_slice_of(b->serial->bytes, b->serial->len));
}

static bool ask_of_requester(struct sg_store *store, const struct sg_claim *claim,
                             struct sg_error *error)
{
    const char *device = sg_claim_device(claim), *user = sg_claim_user(claim);
    return (device == NULL || sg_registry_ahead(store, SG_REGISTRY_DEVICE, device, error)) &&
           (user == NULL || sg_registry_ahead(store, SG_REGISTRY_USER, user, error));
}

static bool ask_of_priors(struct sg_store *store, const struct sg_claim *claim,
                          struct sg_error *error)
{
    const char *text = claim->plan->unique == SG_UNIQUE_DEVICE ? BY_DEVICE : BY_USER;
    return sg_query_ahead(store, BY_KEY, PRIOR_VALUES(claim), error) &&
           (claim->plan->unique == SG_UNIQUE_NONE ||
            sg_query_ahead(store, text, PRIOR_VALUES(claim), error));
}

/* In the order of STEPS. */
static bool ask_ahead(struct sg_store *store, const struct sg_claim *claim, struct sg_error *error)
{
    const struct sg_key_question question = key_question(claim);
    return ask_of_requester(store, claim, error) && sg_deciding_ask_keys(store, &question, error) &&
           ask_of_priors(store, claim, error) &&
           sg_query_ahead(store, BY_SERIAL,
                          SG_VALUES(sg_serial_value(claim->serial), sg_int(claim->issuer)), error);
}

static bool ask_group_ahead(struct sg_store *store, const struct sg_claim *claims, size_t num,
                            struct sg_error *error)
{
    for (size_t i = 0; i < num && store->engine->ahead != NULL; i++) {
        bool alone = true;
        for (size_t before = 0; alone && before < i; before++)
            alone = !may_meet(&claims[before], &claims[i]);
        if (alone && !ask_ahead(store, &claims[i], error))
            return false;
    }
    return true;
}

/* Everything is asked before anything is written, so that a refusal leaves no trace in the group's
 * transaction; of a claim that waits, the request for approval stays. Each returns false only when
 * the group fails. */
static bool (*const STEPS[])(struct sg_deciding *, struct sg_error *) = {
    check_device,
    check_user,
    check_key,
    find_retry,
    sg_deciding_find_repeated,
    sg_deciding_check_ticket,
    sg_deciding_check_renewed,
    check_unique,
    check_serial,
    sg_deciding_check_approval,
    sg_deciding_check_quota,
    make_claim,
};

static bool decide(struct sg_store *store, struct sg_claim *claim, int64_t group_start,
                   int64_t next_id, struct sg_error *error)
{
    sg_auto(sg_deciding) struct sg_deciding decision = {
        .store = store, .claim = claim, .group_start = group_start, .next_id = next_id};
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0] && !decision.decided; i++)
        if (!STEPS[i](&decision, error))
            return false;
    return true;
}

static void clear_outcome(struct sg_claim *claim)
{
    claim->outcome = SG_CLAIM_REFUSED;
    claim->id = 0;
    claim->existing = (struct sg_certificate){0};
    sg_error_clear(&claim->error);
}

static bool claim_group(struct sg_store *store, struct sg_claim *claims, size_t num,
                        struct sg_error *error)
{
    sg_auto(sg_transaction) struct sg_transaction write = {0};
    bool found = false;
    int64_t latest = 0;
    if (!sg_transaction_write(store, &write, error) ||
        !ask_group_ahead(store, claims, num, error) ||
        !sg_sql_number(store, "SELECT max(id) FROM claim", SG_NO_VALUES, &found, &latest, error))
        return false;
    const int64_t group_start = latest + 1;
    int64_t next_id = group_start;
    for (size_t i = 0; i < num; i++) {
        if (!decide(store, &claims[i], group_start, next_id, error))
            return false;
        next_id += claims[i].outcome == SG_CLAIM_NEW;
    }
    return sg_transaction_commit(&write, error);
}

static void forget_outcomes(struct sg_claim *claims, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        sg_certificate_done(&claims[i].existing);
        clear_outcome(&claims[i]);
    }
}

bool sg_store_claim(struct sg_store *store, struct sg_claim *claims, size_t num,
                    struct sg_error *error)
{
    for (size_t i = 0; i < num; i++)
        clear_outcome(&claims[i]);
    for (int tries = 0;;) {
        struct sg_error why = {0};
        if (sg_store_take_owner(store, &why) && claim_group(store, claims, num, &why))
            return true;
        forget_outcomes(claims, num);
        if (!sg_sql_may_try_again(store, &tries, &why))
            return sg_error_pass(error, &why);
    }
}
