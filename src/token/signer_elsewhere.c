#include "signer_elsewhere.h"

#include <string.h>

#include "signer_kind.h"

static bool sign(struct sg_signer *signer, enum sg_scheme scheme, struct sg_slice bytes,
                 struct sg_buf *signature, struct sg_error *error)
{
    return signer->elsewhere.sign(signer->elsewhere.context, scheme, bytes, signature, error);
}

static void unload(struct sg_signer *signer)
{
    (void)signer;
}

static const struct sg_signer_ops ELSEWHERE = {.sign = sign, .unload = unload};

bool sg_signer_elsewhere(const X509 *certificate, sg_sign_elsewhere *function, void *context,
                         struct sg_signer **signer, struct sg_error *error)
{
    sg_auto(sg_signer) struct sg_signer *fresh = calloc(1, sizeof *fresh);

    if (fresh == NULL)
        return sg_fail_memory(error);
    fresh->ops = &ELSEWHERE;
    pthread_mutex_init(&fresh->direct.mutex, NULL);
    fresh->elsewhere.sign = function;
    fresh->elsewhere.context = context;
    if ((fresh->label = strdup("of the certificate")) == NULL)
        return sg_fail_memory(error);
    if (!sg_public_key_of_certificate(certificate, &fresh->public, error))
        return false;
    *signer = SG_TAKE(fresh);
    return true;
}
