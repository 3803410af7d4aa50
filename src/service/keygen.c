#include "keygen.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/limits.h"
#include "cert/cert.h"
#include "desk.h"
#include "home/service_key.h"
#include "keygen_asked.h"
#include "parcel/parcel.h"
#include "token/signer_pkey.h"

struct sg_keygen {
    struct sg_key_maker make; /* what the path calls */
    struct sg_signer *signer;
    struct sg_pkey_maker *pkeys;
    EVP_PKEY *pkey; /* the signer's */
    const EVP_MD *digest;
    X509 *certificate;
    struct sg_token *token; /* a session of its own, in which keys are made */
};

/* ---- opening ---- */

static bool read_certificate(struct sg_home *home, struct sg_keygen *keygen, struct sg_error *error)
{
    const char *file = sg_home_config(home)->service.est.key_certificate;
    sg_auto(malloc) char *path = NULL;
    sg_auto(sg_buf) struct sg_buf bytes = {0};
    struct sg_error why = {0};

    if (!sg_path_join(sg_home_dir(home), file, &path, error))
        return false;
    if (sg_file_read(path, SG_LIMIT_BUNDLE, &bytes, &why) &&
        sg_cert_read(sg_buf_slice(&bytes), path, &keygen->certificate, &why))
        return true;
    return sg_fail(error, SG_INVALID, "est: server_keys", "%s", why.text);
}

static bool check_certificate(const struct sg_keygen *keygen, struct sg_error *error)
{
    const EVP_PKEY *own = sg_signer_public_key(keygen->signer)->pkey;
    const uint32_t usage = X509_get_key_usage(keygen->certificate);

    if (EVP_PKEY_eq(own, X509_get0_pubkey(keygen->certificate)) != 1)
        return sg_fail(error, SG_INVALID, "est: server_keys",
                       "the certificate is not that of the key which signs for keys");
    if ((usage & KU_DIGITAL_SIGNATURE) == 0 || X509_check_ca(keygen->certificate) != 0)
        return sg_fail(error, SG_INVALID, "est: server_keys",
                       "the certificate that signs for keys has to have the key usage "
                       "digitalSignature, and to be no CA's");
    return X509_cmp_current_time(X509_get0_notAfter(keygen->certificate)) > 0 ||
           sg_fail(error, SG_INVALID, "est: server_keys",
                   "the certificate that signs for keys has expired");
}

static bool open_signer(struct sg_home *home, struct sg_keygen *keygen, struct sg_error *error)
{
    const struct sg_key_place *place = &sg_home_config(home)->service.est.key_signer;
    enum sg_scheme scheme;

    if (!sg_home_service_key(home, place, "server_keys", &keygen->signer, error) ||
        !sg_pkey_maker_new(&keygen->pkeys, error) ||
        !sg_signer_pkey(keygen->pkeys, keygen->signer, &keygen->pkey, error) ||
        !sg_home_token(home, place->token, &keygen->token, error))
        return false;
    scheme = sg_scheme_default(sg_signer_public_key(keygen->signer)->kind);
    keygen->digest = sg_scheme_digest(scheme);
    return keygen->digest != NULL ||
           sg_fail(error, SG_INVALID, "est: server_keys",
                   "keys are signed for with an RSA or EC key, which this one is not");
}

/* ---- to whom ---- */

struct search {
    const struct sg_job *job;
    struct sg_slice key_id;
    X509 *found;
    char why[96]; /* not one that was found */
};

static void search_done(struct search *search)
{
    X509_free(search->found);
}
SG_DEFINE_CLEANUP_IN_PLACE(search, search_done)

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *device_of(const struct sg_job *job)
{
    return job->requester.has_device ? job->requester.device.id : NULL;
}

static const char *user_of(const struct sg_job *job)
{
    return job->requester.has_user ? job->requester.user.id : NULL;
}

static bool has_key_id(X509 *certificate, struct sg_slice key_id)
{
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(certificate);

    return own != NULL &&
           sg_slice_equal(sg_slice_of(ASN1_STRING_get0_data(own), (size_t)ASN1_STRING_length(own)),
                          key_id);
}

/* Of one key there may be several certificates, one of which is in force. */
static bool look_at(const struct sg_certificate *certificate, void *context, struct sg_error *error)
{
    struct search *search = context;
    sg_auto(X509) X509 *read = NULL;
    struct sg_error why = {0};
    char serial[SG_SERIAL_TEXT_SIZE];

    if (search->found != NULL || certificate->der.len == 0 ||
        !is_same_text(certificate->device, device_of(search->job)) ||
        !is_same_text(certificate->user, user_of(search->job)))
        return true;
    if (!sg_cert_read(sg_buf_slice(&certificate->der), "the store", &read, error))
        return false;
    if (!has_key_id(read, search->key_id))
        return true;
    if (certificate->status != SG_STATUS_VALID)
        (void)snprintf(search->why, sizeof search->why, "certificate %s is %s",
                       sg_serial_text(&certificate->serial, serial),
                       sg_status_word(certificate->status));
    else if (!sg_parcel_check_recipient(read, &why))
        (void)snprintf(search->why, sizeof search->why, "%.95s", why.text);
    else
        search->found = SG_TAKE(read);
    return true;
}

/* Somebody else's is as unknown as nobody's. */
static bool find_recipient(struct sg_store *store, const struct sg_job *job, struct sg_slice key_id,
                           X509 **recipient, struct sg_error *error)
{
    const struct sg_certificate_filter filter = {
        .device = device_of(job), .user = user_of(job), .now = job->now};
    sg_auto(search) struct search search = {.job = job, .key_id = key_id};

    if (filter.device == NULL && filter.user == NULL)
        return sg_fail(error, SG_UNAUTHENTICATED, "requester",
                       "a key is made for a device or a user, and nobody is asking");
    if (!sg_store_each_certificate(store, &filter, look_at, &search, error))
        return false;
    if (search.found == NULL)
        return sg_fail(error, SG_REFUSED, "RFC 7030 4.4.1.2",
                       "there is no decryption key of that identifier for who asks%s%s",
                       search.why[0] != '\0' ? ": " : "", search.why);
    *recipient = SG_TAKE(search.found);
    return true;
}

/* ---- making ---- */

static bool take_public(const EVP_PKEY *pkey, struct sg_public_key *key, struct sg_error *error)
{
    sg_auto(openssl_bytes) uint8_t *spki = NULL;
    const int len = i2d_PUBKEY(pkey, &spki);

    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "the new key can't be encoded");
    return sg_public_key_decode(sg_slice_of(spki, (size_t)len), key, error);
}

/* SHA-1 is what the smallest common set of cards and of PKCS#11 has for OAEP, whose security asks
 * nothing of its digest that SHA-1 has lost. */
static bool seal(const struct sg_keygen *keygen, const EVP_PKEY *pkey,
                 const struct sg_keygen_asked *asked, X509 *recipient, struct sg_buf *delivery,
                 struct sg_error *error)
{
    const struct sg_packer packer = {keygen->certificate, keygen->pkey, keygen->digest};
    const struct sg_sealing how = {asked->cipher, EVP_sha1(), NID_pkcs7_signed, true};
    sg_auto(sg_plain) struct sg_plain signed_data = {0};
    sg_auto(CMS_ContentInfo) CMS_ContentInfo *cms = NULL;
    sg_auto(openssl_bytes) uint8_t *der = NULL;
    int len;

    if (!sg_parcel_pack(pkey, &packer, &signed_data, error) ||
        !sg_parcel_seal(sg_plain_slice(&signed_data), &how, recipient, &cms, error))
        return false;
    len = i2d_CMS_ContentInfo(cms, &der);
    if (len <= 0)
        return sg_fail_openssl(error, SG_INTERNAL, NULL, "the encrypted key can't be encoded");
    return sg_buf_set(delivery, sg_slice_of(der, (size_t)len), error);
}

static bool leave_plain(const EVP_PKEY *pkey, struct sg_buf *delivery, struct sg_error *error)
{
    sg_auto(sg_plain) struct sg_plain pkcs8 = {0};

    return sg_parcel_pkcs8(pkey, &pkcs8, error) &&
           sg_buf_set(delivery, sg_plain_slice(&pkcs8), error);
}

static bool make_for(const struct sg_keygen *keygen, const struct sg_keygen_asked *asked,
                     X509 *recipient, struct sg_job *job, struct sg_public_key *key,
                     struct sg_error *error)
{
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;
    struct sg_key_kind kind = {0};

    if (!sg_policy_makes_key(job->policy, &kind))
        return sg_fail(error, SG_INTERNAL, NULL, "policy %s has no key that is made here",
                       sg_policy_name(job->policy));
    return sg_key_make_to_give(keygen->token, kind, &pkey, error) &&
           take_public(pkey, key, error) &&
           (recipient != NULL ? seal(keygen, pkey, asked, recipient, &job->delivery, error)
                              : leave_plain(pkey, &job->delivery, error));
}

static bool make(const struct sg_key_maker *maker, struct sg_store *store, struct sg_job *job,
                 struct sg_public_key *key, struct sg_error *error)
{
    const struct sg_keygen *keygen = maker->context;
    struct sg_keygen_asked asked = {0};
    sg_auto(X509) X509 *recipient = NULL;
    char rule[SG_ERROR_RULE_SIZE];
    bool is_made;

    if (!sg_keygen_read_asked(&job->request, &asked, error))
        return false;
    if (asked.key_id.len > 0 && !find_recipient(store, job, asked.key_id, &recipient, error))
        return false;
    if (recipient == NULL && sg_policy_server_keys(job->policy) != SG_SERVER_KEYS_PLAIN) {
        (void)snprintf(rule, sizeof rule, "policy %s: server_keys", sg_policy_name(job->policy));
        return sg_fail(error, SG_REFUSED, rule,
                       "the request names no key to encrypt the new one to (its attribute "
                       "AsymmetricDecryptKeyIdentifier)");
    }
    is_made = make_for(keygen, &asked, recipient, job, key, error);
    sg_wipe_stack();
    job->delivery_is_plain = is_made && recipient == NULL;
    return is_made;
}

bool sg_keygen_open(struct sg_home *home, struct sg_keygen **keygen, struct sg_error *error)
{
    sg_auto(sg_keygen) struct sg_keygen *fresh = NULL;

    if (sg_home_config(home)->service.est.key_certificate == NULL)
        return true;
    if ((fresh = calloc(1, sizeof *fresh)) == NULL)
        return sg_fail_memory(error);
    fresh->make = (struct sg_key_maker){make, fresh};
    if (!open_signer(home, fresh, error) || !read_certificate(home, fresh, error) ||
        !check_certificate(fresh, error))
        return false;
    *keygen = SG_TAKE(fresh);
    return true;
}

void sg_keygen_free(struct sg_keygen *keygen)
{
    if (keygen == NULL)
        return;
    X509_free(keygen->certificate);
    EVP_PKEY_free(keygen->pkey);
    sg_pkey_maker_free(keygen->pkeys);
    sg_signer_close(keygen->signer);
    sg_token_close(keygen->token);
    free(keygen);
}

/* ---- asking and answering ---- */

bool sg_keygen_begin(const struct sg_keygen *keygen, struct sg_job *job, struct sg_error *error)
{
    char rule[SG_ERROR_RULE_SIZE];

    (void)snprintf(rule, sizeof rule, "policy %s: server_keys", sg_policy_name(job->policy));
    if (sg_policy_server_keys(job->policy) == SG_SERVER_KEYS_NEVER || keygen == NULL)
        return sg_fail(error, SG_REFUSED, rule, "under this policy everybody makes their own key");
    job->key_maker = &keygen->make;
    return true;
}

#define BOUNDARY "signet-server-key" /* "-" is no character of base64 */

static const char MIXED[] = "multipart/mixed; boundary=" BOUNDARY;

/* In one piece: a buffer that grows leaves what it was behind. */
static bool compose(const struct sg_job *job, struct sg_slice key, struct sg_slice certs_only,
                    struct sg_buf *body, struct sg_error *error)
{
    static const char END[] = "\r\n--" BOUNDARY "--\r\n";
    char first[200], second[200];
    const int first_len = snprintf(first, sizeof first,
                                   "--" BOUNDARY "\r\nContent-Type: %s\r\n"
                                   "Content-Transfer-Encoding: base64\r\n\r\n",
                                   job->delivery_is_plain
                                       ? "application/pkcs8"
                                       : "application/pkcs7-mime; smime-type=server-generated-key");
    const int second_len =
        snprintf(second, sizeof second,
                 "\r\n--" BOUNDARY "\r\nContent-Type: application/pkcs7-mime; "
                 "smime-type=certs-only\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    const struct sg_slice parts[] = {sg_slice_of(first, (size_t)first_len), key,
                                     sg_slice_of(second, (size_t)second_len), certs_only,
                                     sg_slice_text(END)};
    size_t len = 0, at = 0;
    sg_auto(sg_plain) struct sg_plain whole = {0};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        len += parts[i].len;
    whole = (struct sg_plain){OPENSSL_malloc(len), len};
    if (whole.data == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        memcpy(whole.data + at, parts[i].data, parts[i].len);
        at += parts[i].len;
    }
    return sg_buf_append(body, whole.data, len, SG_LIMIT_BODY, error);
}

void sg_keygen_answer(struct sg_errand *errand, const struct sg_job *job, bool wrap_base64,
                      struct sg_slice certs_only)
{
    struct sg_buf key = {0}, body = {0};
    char serial[SG_SERIAL_TEXT_SIZE];
    struct sg_error error = {0};

    if (sg_base64_encode(sg_buf_slice(&job->delivery), wrap_base64, SG_LIMIT_BODY, &key, &error) &&
        compose(job, sg_buf_slice(&key), certs_only, &body, &error))
        sg_answer_bytes(errand, MIXED, NULL, sg_buf_slice(&body),
                        sg_serial_text(&job->serial, serial));
    else
        sg_answer_refusal(errand, &error);
    sg_wire_wipe(&key);
    sg_wire_wipe(&body);
}
