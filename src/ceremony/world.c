#include "world.h"

#include <string.h>

#include "cert/attach.h"
#include "cert/cert.h"
#include "cert/crl.h"
#include "home/chain.h"
#include "request/request.h"
#include "stand_in.h"

bool sg_world_init(struct sg_world *world, const struct sg_ceremony_file *file,
                   const struct sg_ceremony_materials *materials,
                   const uint8_t (*drawn)[SG_CEREMONY_DRAWN_LEN], struct sg_error *error)
{
    struct sg_world fresh = {.file = file, .materials = materials, .drawn = drawn};

    fresh.keys = calloc(file->num_keys + 1, sizeof *fresh.keys);
    fresh.certificates = calloc(file->num_certificates + 1, sizeof(X509 *));
    *world = fresh;
    return (fresh.keys != NULL && fresh.certificates != NULL) || sg_fail_memory(error);
}

void sg_world_done(struct sg_world *world)
{
    if (world->file != NULL && world->keys != NULL)
        for (size_t i = 0; i < world->file->num_keys; i++)
            sg_public_key_done(&world->keys[i].public);
    if (world->file != NULL && world->certificates != NULL)
        for (size_t i = 0; i < world->file->num_certificates; i++)
            X509_free(world->certificates[i]);
    free(world->keys);
    free(world->certificates);
    *world = (struct sg_world){0};
}

bool sg_world_set_key(struct sg_world *world, size_t key, const struct sg_public_key *public,
                      struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key copy = {0};

    if (!sg_public_key_decode(sg_buf_slice(&public->spki), &copy, error))
        return false;
    sg_public_key_done(&world->keys[key].public);
    world->keys[key] = (struct sg_world_key){copy, false};
    copy = (struct sg_public_key){0}; /* now the world's */
    return true;
}

bool sg_world_copy_key(struct sg_world *world, const struct sg_ceremony_act *act,
                       struct sg_error *error)
{
    return act->copy == SG_CEREMONY_NONE ||
           sg_world_set_key(world, act->copy, &world->keys[act->key].public, error);
}

bool sg_world_stand_in(struct sg_world *world, size_t key, struct sg_error *error)
{
    world->keys[key].is_stand_in = true;
    return sg_stand_in_key(world->file->keys[key].kind, &world->keys[key].public, error);
}

bool sg_world_use_certificate(struct sg_world *world, const struct sg_ceremony_act *act,
                              struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(sg_public_key) struct sg_public_key key = {0};

    if (!sg_ceremony_x509(world->materials, act->file, &certificate, error) ||
        !sg_chain_check_ca(certificate, error) ||
        !sg_public_key_of_certificate(certificate, &key, error))
        return sg_error_prefix(error, "%s", act->file);
    X509_free(world->certificates[act->certificate]);
    world->certificates[act->certificate] = SG_TAKE(certificate);
    return sg_world_set_key(world, act->key, &key, error);
}

bool sg_world_adopt(struct sg_world *world, const struct sg_ceremony_act *act, struct sg_slice der,
                    struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;

    if (act->certificate == SG_CEREMONY_NONE)
        return true;
    if (!sg_cert_read(der, act->output, &certificate, error))
        return false;
    X509_free(world->certificates[act->certificate]);
    world->certificates[act->certificate] = SG_TAKE(certificate);
    return true;
}

/* ---- the issuer ---- */

size_t sg_world_signer(const struct sg_world *world, const struct sg_ceremony_act *act)
{
    return act->issuer == SG_CEREMONY_NONE ? act->key : world->file->certificates[act->issuer].key;
}

bool sg_world_scheme(const struct sg_world *world, size_t key, enum sg_scheme *scheme,
                     struct sg_error *error)
{
    struct sg_key_kind kind = world->keys[key].public.kind;
    enum sg_scheme wanted = world->file->keys[key].scheme;
    char text[SG_KEY_KIND_TEXT_SIZE];

    *scheme = wanted != SG_SCHEME_NONE ? wanted : sg_scheme_default(kind);
    return (*scheme != SG_SCHEME_NONE && sg_scheme_fits(*scheme, kind)) ||
           sg_fail(error, SG_INVALID, NULL, "key %s, of %s, makes no %s signatures",
                   world->file->keys[key].name, sg_key_kind_text(kind, text),
                   *scheme != SG_SCHEME_NONE ? sg_scheme_text(*scheme) : "such");
}

bool sg_world_facts(const struct sg_world *world, const struct sg_ceremony_act *act,
                    struct sg_issuer_facts *facts, struct sg_error *error)
{
    size_t key = sg_world_signer(world, act);

    *facts = (struct sg_issuer_facts){
        .name = world->file->keys[key].name,
        .key = world->keys[key].public, /* borrowed */
        .not_after = SG_TIME_NEVER,
        .path_length = -1,
        .crl_url = act->crl_url,
        .ocsp_url = act->ocsp_url,
        .ca_issuers_url = act->ca_issuers_url,
    };
    if (!sg_world_scheme(world, key, &facts->scheme, error))
        return false;
    if (act->issuer == SG_CEREMONY_NONE)
        return true;
    facts->certificate = world->certificates[act->issuer];
    facts->path_length = sg_cert_path_length(facts->certificate);
    return sg_chain_check_ca(facts->certificate, error) &&
           sg_cert_validity(facts->certificate, &facts->not_before, &facts->not_after, error);
}

/* ---- certificates ---- */

static bool check_request_key(const struct sg_ceremony_act *act, const struct sg_request *request,
                              struct sg_error *error)
{
    uint8_t wanted[SG_SHA256_LEN];
    size_t len = 0;

    if (act->request_key_sha256 == NULL)
        return true;
    if (!sg_hex_parse(act->request_key_sha256, wanted, sizeof wanted, &len, error))
        return sg_error_prefix(error, "request_key_sha256");
    return (len == sizeof wanted && memcmp(wanted, request->key.sha256, len) == 0) ||
           sg_fail(error, SG_REFUSED, "request_key_sha256",
                   "%s is for another key than the one that was announced", act->request);
}

/* Another CA's certificate stands for a request by that CA. */
static bool request_of_other(const struct sg_world *world, const struct sg_ceremony_act *act,
                             struct sg_request *request, struct sg_error *error)
{
    sg_auto(X509) X509 *other = NULL;
    sg_auto(sg_public_key) struct sg_public_key key = {0};
    sg_auto(sg_name) struct sg_name subject = {0};

    if (!sg_ceremony_x509(world->materials, act->file, &other, error) ||
        !sg_chain_check_ca(other, error) || !sg_public_key_of_certificate(other, &key, error) ||
        !sg_request_check_key_quality(&key, error) ||
        !sg_name_decode(X509_get_subject_name(other), "subject", &subject, error) ||
        !sg_request_of_key(&key, &subject, request, error))
        return sg_error_prefix(error, "%s", act->file);
    request->format = SG_REQUEST_PKCS10;
    return true;
}

/* Whom the certificate is for. A key that an act made needs no request: it was made before
 * everybody's eyes, and the record says so. */
static bool read_request(const struct sg_world *world, const struct sg_ceremony_act *act,
                         struct sg_request *request, struct sg_error *error)
{
    if (act->request != NULL)
        return sg_ceremony_request(world->materials, act->request, request, error) &&
               check_request_key(act, request, error);
    if (act->kind == SG_ACT_CERTIFICATE && act->file != NULL)
        return request_of_other(world, act, request, error);
    if (!sg_request_of_key(&world->keys[act->key].public, &act->subject, request, error))
        return false;
    if (act->kind == SG_ACT_CERTIFICATE)
        request->format = SG_REQUEST_PKCS10;
    return true;
}

static void draw_serial(const struct sg_world *world, const struct sg_ceremony_act *act,
                        struct sg_serial *serial)
{
    const uint8_t *drawn = world->drawn[act - world->file->acts];

    serial->len = SG_LIMIT_SERIAL;
    memcpy(serial->bytes, drawn, SG_LIMIT_SERIAL);
    /* Positive, and without a leading zero octet. */
    serial->bytes[0] = (uint8_t)((drawn[0] & 0x7F) | 0x40);
}

static bool shorten(const struct sg_ceremony_act *act, struct sg_plan *plan, struct sg_error *error)
{
    char wanted[SG_TIME_TEXT_SIZE], given[SG_TIME_TEXT_SIZE];

    if (act->until == 0)
        return true;
    if (act->until > plan->not_after || act->until <= plan->not_before)
        return sg_fail(error, SG_REFUSED, "validity",
                       "valid_until is %s; the policy allows it up to %s",
                       sg_time_text(act->until, wanted), sg_time_text(plan->not_after, given));
    plan->not_after = act->until;
    return true;
}

static bool is_same_name(const X509 *a, const X509 *b)
{
    const unsigned char *one = NULL, *two = NULL;
    size_t one_len = 0, two_len = 0;

    return X509_NAME_get0_der(X509_get_subject_name(a), &one, &one_len) == 1 &&
           X509_NAME_get0_der(X509_get_subject_name(b), &two, &two_len) == 1 &&
           sg_slice_equal(sg_slice_of(one, one_len), sg_slice_of(two, two_len));
}

static bool is_same_key_id(X509 *a, X509 *b)
{
    const ASN1_OCTET_STRING *one = X509_get0_subject_key_id(a), *two = X509_get0_subject_key_id(b);

    return one != NULL && two != NULL && ASN1_OCTET_STRING_cmp(one, two) == 0;
}

/* A chain through a cross-certificate has to lead where the other CA's own certificate leads, and
 * no further. */
static bool check_cross(const struct sg_ceremony_act *act, X509 *other, X509 *crossed,
                        struct sg_error *error)
{
    int64_t begin = 0, of_other = 0, end = 0;
    long wide = sg_cert_path_length(other), length = sg_cert_path_length(crossed);

    if (!sg_cert_validity(other, &of_other, &end, error) ||
        !sg_cert_validity(crossed, &begin, &end, error))
        return false;
    if (!is_same_name(other, crossed))
        return sg_fail(error, SG_REFUSED, "cross-certificate",
                       "the policy would change the subject of %s", act->file);
    if (!is_same_key_id(other, crossed))
        return sg_fail(error, SG_REFUSED, "cross-certificate",
                       "the subject key identifier of %s is made in another way", act->file);
    if (wide >= 0 && (length < 0 || length > wide))
        return sg_fail(error, SG_REFUSED, "cross-certificate",
                       "it would have a wider path length than %s", act->file);
    return begin >= of_other || sg_fail(error, SG_REFUSED, "cross-certificate",
                                        "it would begin before %s does", act->file);
}

static bool check_is_cross(const struct sg_world *world, const struct sg_ceremony_act *act,
                           struct sg_slice tbs, struct sg_error *error)
{
    static const uint8_t NO_SIGNATURE[8] = {0};
    sg_auto(X509) X509 *other = NULL;
    sg_auto(X509) X509 *crossed = NULL;
    sg_auto(sg_buf) struct sg_buf der = {0};
    struct sg_issuer_facts facts;

    if (act->kind != SG_ACT_CERTIFICATE || act->file == NULL)
        return true;
    return sg_world_facts(world, act, &facts, error) &&
           sg_ceremony_x509(world->materials, act->file, &other, error) &&
           sg_cert_attach(tbs, facts.scheme, sg_slice_of(NO_SIGNATURE, sizeof NO_SIGNATURE), &der,
                          error) &&
           sg_cert_read(sg_buf_slice(&der), act->output, &crossed, error) &&
           check_cross(act, other, crossed, error);
}

/* The people of a ceremony approve its plan, which nobody here can tell to be a certain role. */
static bool check_approver(const struct sg_plan *plan, struct sg_error *error)
{
    return plan->approver == NULL ||
           sg_fail(error, SG_REFUSED, "who",
                   "policy %s wants an approval by %s, and a ceremony has no other than that of "
                   "its plan: leave {approval: %s} out",
                   plan->policy, plan->approver, plan->approver);
}

static bool build_certificate(const struct sg_world *world, const struct sg_ceremony_act *act,
                              const struct sg_issuer_facts *facts, struct sg_buf *tbs,
                              struct sg_error *error)
{
    sg_auto(sg_policy) sg_policy *policy = NULL;
    sg_auto(sg_request) struct sg_request request = {0};
    sg_auto(sg_plan) struct sg_plan plan = {0};
    struct sg_requester requester = {.evidence = SG_BY_OPERATOR};
    struct sg_decision_input input = {&request, &requester, facts, act->from};
    struct sg_serial serial;

    draw_serial(world, act, &serial);
    return sg_ceremony_policy(world->materials, act->policy, &policy, error) &&
           read_request(world, act, &request, error) &&
           sg_policy_decide(policy, &input, &plan, error) && check_approver(&plan, error) &&
           shorten(act, &plan, error) &&
           sg_cert_build(&plan, facts, &request.key, &serial, tbs, error) &&
           sg_lint(sg_buf_slice(tbs), facts, error) &&
           check_is_cross(world, act, sg_buf_slice(tbs), error);
}

/* ---- requests ---- */

/* CertificationRequestInfo (RFC 2986 4.1): a name and a key. What else the certificate says is for
 * the outside root to decide. */
static bool build_request(const struct sg_world *world, const struct sg_ceremony_act *act,
                          struct sg_buf *tbs, struct sg_error *error)
{
    sg_auto(X509_REQ) X509_REQ *csr = X509_REQ_new();
    sg_auto(X509_NAME) X509_NAME *name = NULL;
    sg_auto(openssl_bytes) uint8_t *bytes = NULL;
    int len;

    if (csr == NULL)
        return sg_fail_memory(error);
    if (!sg_name_encode(&act->subject, &name, error))
        return false;
    if (X509_REQ_set_version(csr, X509_REQ_VERSION_1) != 1 ||
        X509_REQ_set_subject_name(csr, name) != 1 ||
        X509_REQ_set_pubkey(csr, world->keys[act->key].public.pkey) != 1 ||
        (len = i2d_re_X509_REQ_tbs(csr, &bytes)) <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, "RFC 2986 4.1", "the request can't be encoded");
    return sg_buf_set(tbs, sg_slice_of(bytes, (size_t)len), error);
}

/* ---- CRLs ---- */

static bool is_issued_by(X509 *certificate, const struct sg_issuer_facts *facts)
{
    return X509_NAME_cmp(X509_get_issuer_name(certificate),
                         X509_get_subject_name(facts->certificate)) == 0 &&
           X509_verify(certificate, X509_get0_pubkey(facts->certificate)) == 1;
}

static bool add_revoked(const struct sg_world *world, const struct sg_ceremony_act *act,
                        const struct sg_issuer_facts *facts, sg_crl_draft *draft,
                        struct sg_error *error)
{
    for (size_t i = 0; i < act->num_revoked; i++) {
        const struct sg_ceremony_revocation *entry = &act->revoked[i];
        sg_auto(X509) X509 *certificate = NULL;
        struct sg_serial serial;

        if (!sg_ceremony_x509(world->materials, entry->certificate, &certificate, error))
            return false;
        if (!is_issued_by(certificate, facts))
            return sg_fail(error, SG_REFUSED, "RFC 5280 5.3",
                           "%s was not issued by %s, whose CRL this is", entry->certificate,
                           facts->name);
        if (entry->moment > act->from)
            return sg_fail(error, SG_REFUSED, "RFC 5280 5.1.2.6",
                           "%s would be revoked after the CRL is made", entry->certificate);
        if (!sg_cert_serial(certificate, &serial, error) ||
            !sg_crl_draft_add(draft, &serial, entry->moment, entry->reason, error))
            return false;
    }
    return true;
}

static bool build_crl(const struct sg_world *world, const struct sg_ceremony_act *act, size_t nth,
                      const struct sg_issuer_facts *facts, struct sg_buf *tbs,
                      struct sg_error *error)
{
    sg_auto(sg_crl_draft) sg_crl_draft *draft = NULL;
    int64_t this_update = act->from + (int64_t)nth * act->every_s;
    uint64_t number = (uint64_t)act->number + (uint64_t)nth * (uint64_t)act->step;
    struct sg_slice bytes = {0};

    if (this_update < facts->not_before)
        return sg_fail(error, SG_REFUSED, "RFC 5280 5.1.2.4",
                       "CRL %llu would begin before its issuer is valid",
                       (unsigned long long)number);
    if (this_update + act->lifetime_s > facts->not_after)
        return sg_fail(error, SG_REFUSED, "RFC 5280 5.1.2.5",
                       "CRL %llu would be good for longer than its issuer",
                       (unsigned long long)number);
    return sg_crl_draft_new(facts, this_update, this_update + act->lifetime_s, &draft, error) &&
           add_revoked(world, act, facts, draft, error) &&
           sg_crl_draft_finish(draft, number, &bytes, error) && sg_crl_lint(bytes, facts, error) &&
           sg_buf_set(tbs, bytes, error);
}

/* ---- the whole ---- */

bool sg_world_build(const struct sg_world *world, const struct sg_ceremony_act *act, size_t nth,
                    struct sg_buf *tbs, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf fresh = {0};
    struct sg_issuer_facts facts;

    if (!sg_world_facts(world, act, &facts, error))
        return false;
    if (act->kind == SG_ACT_CRL       ? !build_crl(world, act, nth, &facts, &fresh, error)
        : act->kind == SG_ACT_REQUEST ? !build_request(world, act, &fresh, error)
                                      : !build_certificate(world, act, &facts, &fresh, error))
        return false;
    sg_buf_free(tbs);
    *tbs = fresh;
    fresh = (struct sg_buf){0};
    return true;
}

bool sg_world_signed_part(struct sg_slice der, struct sg_buf *tbs, struct sg_buf *signature,
                          struct sg_error *error)
{
    const uint8_t *at = der.data;
    ASN1_SEQUENCE_ANY *elements = d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)der.len);
    bool is_whole = false;

    if (sk_ASN1_TYPE_num(elements) == 3 && at == der.data + der.len) {
        const ASN1_TYPE *first = sk_ASN1_TYPE_value(elements, 0),
                        *last = sk_ASN1_TYPE_value(elements, 2);

        is_whole = first->type == V_ASN1_SEQUENCE && last->type == V_ASN1_BIT_STRING &&
                   sg_buf_set(tbs,
                              sg_slice_of(ASN1_STRING_get0_data(first->value.sequence),
                                          (size_t)ASN1_STRING_length(first->value.sequence)),
                              error) &&
                   sg_buf_set(signature,
                              sg_slice_of(ASN1_STRING_get0_data(last->value.bit_string),
                                          (size_t)ASN1_STRING_length(last->value.bit_string)),
                              error);
    }
    sk_ASN1_TYPE_pop_free(elements, ASN1_TYPE_free);
    return is_whole || sg_fail(error, SG_MALFORMED, "RFC 5280 4.1",
                               "not three parts: bytes, algorithm and signature");
}

static bool lint_again(const struct sg_ceremony_act *act, const struct sg_issuer_facts *facts,
                       struct sg_slice tbs, struct sg_slice der, struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf part = {0};
    sg_auto(sg_buf) struct sg_buf signature = {0};
    sg_auto(sg_request) struct sg_request request = {0};

    if (!sg_world_signed_part(der, &part, &signature, error))
        return false;
    if (!sg_slice_equal(sg_buf_slice(&part), tbs))
        return sg_fail(error, SG_INTERNAL, "RFC 5280 4.1.1.1",
                       "it does not carry the bytes that were signed");
    if (act->kind == SG_ACT_REQUEST)
        return sg_request_parse(der, &request, error);
    return act->kind == SG_ACT_CRL ? sg_crl_lint(sg_buf_slice(&part), facts, error)
                                   : sg_lint(sg_buf_slice(&part), facts, error);
}

bool sg_world_attach(const struct sg_world *world, const struct sg_ceremony_act *act,
                     struct sg_slice tbs, struct sg_slice signature, struct sg_buf *der,
                     struct sg_error *error)
{
    sg_auto(X509_ALGOR) X509_ALGOR *algorithm = NULL;
    sg_auto(sg_buf) struct sg_buf fresh = {0};
    struct sg_issuer_facts facts;

    if (!sg_world_facts(world, act, &facts, error) ||
        !sg_scheme_algorithm(facts.scheme, &algorithm, error) ||
        !sg_signed_encode(tbs, algorithm, signature, SG_LIMIT_CRL, &fresh, error) ||
        !lint_again(act, &facts, tbs, sg_buf_slice(&fresh), error))
        return false;
    sg_buf_free(der);
    *der = fresh;
    fresh = (struct sg_buf){0};
    return true;
}

/* ---- what is known beforehand ---- */

static void hide(struct sg_slice bytes, struct sg_slice secret, char *hex)
{
    const uint8_t *from = bytes.data, *end = bytes.data + bytes.len, *found;

    while ((found = memmem(from, (size_t)(end - from), secret.data, secret.len)) != NULL) {
        memset(hex + 2 * (found - bytes.data), '.', 2 * secret.len);
        from = found + secret.len;
    }
}

bool sg_world_known(const struct sg_world *world, struct sg_slice bytes, struct sg_buf *hex,
                    struct sg_error *error)
{
    sg_auto(malloc) char *text = malloc(2 * bytes.len + 1);

    if (text == NULL)
        return sg_fail_memory(error);
    sg_hex(bytes, text, 2 * bytes.len + 1);
    for (size_t i = 0; i < world->file->num_keys; i++) {
        const struct sg_world_key *key = &world->keys[i];

        if (!key->is_stand_in)
            continue;
        hide(bytes, sg_stand_in_bytes(&key->public), text);
        hide(bytes, sg_slice_of(key->public.id, SG_KEY_ID_LEN), text);
    }
    return sg_buf_set(hex, sg_slice_text(text), error);
}

bool sg_world_fits(const char *known, struct sg_slice bytes)
{
    static const char DIGITS[] = "0123456789abcdef";

    if (strlen(known) != 2 * bytes.len)
        return false;
    for (size_t i = 0; i < 2 * bytes.len; i++) {
        unsigned digit = i % 2 == 0 ? bytes.data[i / 2] >> 4 : bytes.data[i / 2] & 15U;

        if (known[i] != '.' && known[i] != DIGITS[digit])
            return false;
    }
    return true;
}
