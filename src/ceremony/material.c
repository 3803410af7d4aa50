#include "material.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/file.h"
#include "cert/cert.h"
#include "params.h"
#include "ssh.h"

static const struct sg_ceremony_material *find(const struct sg_ceremony_materials *materials,
                                               const char *name)
{
    for (size_t i = 0; i < materials->num; i++)
        if (strcmp(materials->items[i].name, name) == 0)
            return &materials->items[i];
    return NULL;
}

bool sg_ceremony_materials_add(struct sg_ceremony_materials *materials, const char *name,
                               struct sg_slice bytes, struct sg_error *error)
{
    struct sg_ceremony_material *items;
    sg_auto(malloc) char *copy = strdup(name);
    struct sg_buf own = {0};

    if (find(materials, name) != NULL)
        return sg_fail(error, SG_INVALID, NULL, "%s is there twice", name);
    items = reallocarray(materials->items, materials->num + 1, sizeof *items);
    if (items == NULL || copy == NULL)
        return sg_fail_memory(error);
    materials->items = items;
    if (!sg_buf_set(&own, bytes, error))
        return false;
    items[materials->num++] = (struct sg_ceremony_material){SG_TAKE(copy), own};
    return true;
}

void sg_ceremony_materials_done(struct sg_ceremony_materials *materials)
{
    for (size_t i = 0; i < materials->num; i++) {
        free(materials->items[i].name);
        sg_buf_free(&materials->items[i].bytes);
    }
    free(materials->items);
    *materials = (struct sg_ceremony_materials){0};
}

/* ---- gathering ---- */

enum { POLICY_NAME_SIZE = 128 };

static bool is_shipped(const char *policy)
{
    return strpbrk(policy, "/.") == NULL;
}

/* How a policy is called among the materials. Returns into or policy. */
static const char *policy_name(const char *policy, char into[POLICY_NAME_SIZE])
{
    if (!is_shipped(policy))
        return policy;
    snprintf(into, POLICY_NAME_SIZE, "policy:%.100s", policy);
    return into;
}

static bool shipped_path(const char *policy, char **path, struct sg_error *error)
{
    const char *data = getenv("SIGNET_DATA");
    char name[POLICY_NAME_SIZE];

    snprintf(name, sizeof name, "policies/%.100s.yaml", policy);
    return sg_path_join(data != NULL && data[0] != '\0' ? data : SG_DATA_DIR, name, path, error);
}

static bool gather(const char *name, const char *path, struct sg_ceremony_materials *materials,
                   struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf bytes = {0};

    return find(materials, name) != NULL ||
           (sg_file_read(path, SG_LIMIT_YAML, &bytes, error) &&
            sg_ceremony_materials_add(materials, name, sg_buf_slice(&bytes), error));
}

static bool gather_beside(const char *folder, const char *name,
                          struct sg_ceremony_materials *materials, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;

    return name == NULL ||
           (sg_path_join(folder, name, &path, error) && gather(name, path, materials, error));
}

static bool gather_policy(const char *folder, const char *policy,
                          struct sg_ceremony_materials *materials, struct sg_error *error)
{
    sg_auto(malloc) char *path = NULL;
    char name[POLICY_NAME_SIZE];

    if (policy == NULL || !is_shipped(policy))
        return gather_beside(folder, policy, materials, error);
    return shipped_path(policy, &path, error) &&
           gather(policy_name(policy, name), path, materials, error);
}

static bool gather_for_act(const struct sg_ceremony_act *act, const char *folder,
                           struct sg_ceremony_materials *materials, struct sg_error *error)
{
    if (!gather_policy(folder, act->policy, materials, error) ||
        !gather_beside(folder, act->request, materials, error) ||
        !gather_beside(folder, act->file, materials, error))
        return false;
    for (size_t i = 0; i < act->num_revoked; i++)
        if (!gather_beside(folder, act->revoked[i].certificate, materials, error))
            return false;
    return true;
}

bool sg_ceremony_materials_gather(const struct sg_ceremony_file *file, const char *folder,
                                  struct sg_ceremony_materials *materials, struct sg_error *error)
{
    for (size_t i = 0; i < file->num_persons; i++)
        if (!gather_beside(folder, file->persons[i].key, materials, error))
            return sg_error_prefix(error, "the key of %s", file->persons[i].name);
    for (size_t i = 0; i < file->num_acts; i++) {
        struct sg_error why = {0};

        if (!gather_for_act(&file->acts[i], folder, materials, &why))
            return sg_ceremony_fail_at(file, &file->acts[i], &why, error);
    }
    return true;
}

/* ---- decoding ---- */

static bool need(const struct sg_ceremony_materials *materials, const char *name,
                 struct sg_slice *bytes, struct sg_error *error)
{
    const struct sg_ceremony_material *material = find(materials, name);

    if (material == NULL)
        return sg_fail(error, SG_INVALID, NULL, "the plan does not hold %s", name);
    *bytes = sg_buf_slice(&material->bytes);
    return true;
}

bool sg_ceremony_policy(const struct sg_ceremony_materials *materials, const char *name,
                        struct sg_policy **policy, struct sg_error *error)
{
    char own[POLICY_NAME_SIZE], file[POLICY_NAME_SIZE + 8];
    struct sg_slice bytes = {0};

    if (!need(materials, policy_name(name, own), &bytes, error))
        return false;
    snprintf(file, sizeof file, "%.120s%s", name, is_shipped(name) ? ".yaml" : "");
    return sg_policy_parse(file, bytes, policy, error);
}

bool sg_ceremony_x509(const struct sg_ceremony_materials *materials, const char *name,
                      X509 **certificate, struct sg_error *error)
{
    struct sg_slice bytes = {0};

    return need(materials, name, &bytes, error) && sg_cert_read(bytes, name, certificate, error);
}

bool sg_ceremony_request(const struct sg_ceremony_materials *materials, const char *name,
                         struct sg_request *request, struct sg_error *error)
{
    sg_auto(sg_request) struct sg_request fresh = {0};
    struct sg_slice bytes = {0};

    if (!need(materials, name, &bytes, error))
        return false;
    if (!sg_request_parse(bytes, &fresh, error) || !sg_request_check_possession(&fresh, error) ||
        !sg_request_check_challenge(&fresh, NULL, error) ||
        !sg_request_check_key_quality(&fresh.key, error))
        return sg_error_prefix(error, "%s", name);
    *request = fresh;
    fresh = (struct sg_request){0}; /* now the caller's */
    return true;
}

static bool read_spki(struct sg_slice bytes, EVP_PKEY **pkey)
{
    sg_auto(BIO) BIO *in = BIO_new_mem_buf(bytes.data, (int)bytes.len);
    const uint8_t *at = bytes.data;

    if (in != NULL && (*pkey = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL)) == NULL)
        *pkey = d2i_PUBKEY(NULL, &at, (long)bytes.len);
    ERR_clear_error();
    return *pkey != NULL;
}

static bool read_public_key(struct sg_slice bytes, const char *name, struct sg_public_key *key,
                            struct sg_error *error)
{
    sg_auto(X509) X509 *certificate = NULL;
    sg_auto(EVP_PKEY) EVP_PKEY *pkey = NULL;

    if (sg_ssh_is_key(bytes))
        return sg_ssh_read_key(bytes, key, error);
    if (bytes.len <= SG_LIMIT_CERTIFICATE && sg_cert_read(bytes, name, &certificate, NULL))
        return sg_public_key_of_certificate(certificate, key, error);
    if (bytes.len > SG_LIMIT_CERTIFICATE || !read_spki(bytes, &pkey))
        return sg_fail(error, SG_INVALID, NULL,
                       "neither a public key (`openssl pkey -pubout`, or a .pub of ssh-keygen) nor "
                       "a certificate");
    return sg_params_public_key(pkey, key, error);
}

bool sg_ceremony_read_public_key(struct sg_slice bytes, const char *name, struct sg_public_key *key,
                                 struct sg_error *error)
{
    sg_auto(sg_public_key) struct sg_public_key fresh = {0};

    if (!read_public_key(bytes, name, &fresh, error) ||
        !sg_request_check_key_quality(&fresh, error))
        return sg_error_prefix(error, "%s", name);
    *key = fresh;
    fresh = (struct sg_public_key){0}; /* now the caller's */
    return true;
}

bool sg_ceremony_public_key(const struct sg_ceremony_materials *materials, const char *name,
                            struct sg_public_key *key, struct sg_error *error)
{
    struct sg_slice bytes = {0};

    return need(materials, name, &bytes, error) &&
           sg_ceremony_read_public_key(bytes, name, key, error);
}
