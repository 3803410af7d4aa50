#include "uri.h"

#include <string.h>

#include "base/limits.h"

static const char SCHEME[] = "pkcs11:";

enum role { OF_TOKEN, OF_OBJECT, REFUSED };

static const struct attribute {
    const char *name;
    enum role role;
    const char *remedy; /* of the refused ones */
} ATTRIBUTES[] = {
    {"token", OF_TOKEN, NULL},
    {"serial", OF_TOKEN, NULL},
    {"manufacturer", OF_TOKEN, NULL},
    {"model", OF_TOKEN, NULL},
    {"object", OF_OBJECT, NULL},
    {"id", OF_OBJECT, NULL},
    {"type", OF_OBJECT, NULL},
    {"pin-value", REFUSED,
     "a PIN does not belong in a URI; name where it comes from with pin: file:, env:, credential: "
     "or prompt, and choose a new PIN, as this one has been written down"},
    {"pin-source", REFUSED,
     "say where the PIN comes from with pin: file:, env:, credential: or prompt instead"},
    {"module-path", REFUSED, "name the module with profile: or module: instead"},
    {"module-name", REFUSED, "name the module with profile: or module: instead"},
    {"slot-id", REFUSED, "slot numbers change; name the token with token= or serial="},
    {"slot-description", REFUSED, "name the token with token= or serial="},
    {"slot-manufacturer", REFUSED, "name the token with token= or serial="},
    {"library-description", REFUSED, "name the token with token= or serial="},
    {"library-manufacturer", REFUSED, "name the token with token= or serial="},
    {"library-version", REFUSED, "name the token with token= or serial="},
};

static const struct attribute *find_attribute(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof ATTRIBUTES / sizeof *ATTRIBUTES; i++)
        if (strlen(ATTRIBUTES[i].name) == len && memcmp(ATTRIBUTES[i].name, name, len) == 0)
            return &ATTRIBUTES[i];
    return NULL;
}

/* Judges one attribute by its name and sets its bit in seen. */
static bool check_attribute(const char *name, size_t len, enum sg_uri_kind kind, unsigned *seen,
                            struct sg_error *error)
{
    const struct attribute *attribute = find_attribute(name, len);
    unsigned bit;

    if (attribute == NULL)
        return sg_fail(error, SG_USAGE, "RFC 7512 2.3",
                       "the PKCS#11 URI has the attribute '%.*s', which Signet does not know: use "
                       "token, serial, manufacturer, model, object, id",
                       (int)(len < 40 ? len : 40), name);
    if (attribute->role == REFUSED)
        return sg_fail(error, SG_USAGE, NULL, "the PKCS#11 URI has a %s: %s", attribute->name,
                       attribute->remedy);
    if (attribute->role == OF_OBJECT && kind == SG_URI_TOKEN)
        return sg_fail(error, SG_USAGE, NULL,
                       "the URI of a token has the attribute '%s' of an object; leave it out",
                       attribute->name);
    bit = 1U << (attribute - ATTRIBUTES);
    if ((*seen & bit) != 0)
        return sg_fail(error, SG_USAGE, "RFC 7512 2.3", "the PKCS#11 URI has '%s' twice",
                       attribute->name);
    *seen |= bit;
    return true;
}

/* Looks at every attribute's name before p11-kit reads the values, so that a message about a value
 * can quote the URI without quoting a PIN. */
static bool check_attributes(const char *text, enum sg_uri_kind kind, struct sg_error *error)
{
    unsigned seen = 0;
    const char *rest = text + strlen(SCHEME);

    while (*rest != '\0') {
        size_t len = strcspn(rest, ";?&");
        const char *equals = memchr(rest, '=', len);

        if (equals == NULL)
            return sg_fail(error, SG_USAGE, "RFC 7512 2.3",
                           "the PKCS#11 URI has an attribute without '='; write "
                           "pkcs11:token=LABEL or pkcs11:object=LABEL");
        if (!check_attribute(rest, (size_t)(equals - rest), kind, &seen, error))
            return false;
        rest += len;
        if (*rest != '\0')
            rest++;
    }
    return true;
}

static bool check_key(P11KitUri *uri, const char *text, struct sg_error *error)
{
    const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);

    if (class != NULL && *(CK_OBJECT_CLASS *)class->pValue != CKO_PRIVATE_KEY)
        return sg_fail(error, SG_USAGE, NULL,
                       "%s is not about a private key; write type=private or leave type out", text);
    if (p11_kit_uri_get_attribute(uri, CKA_LABEL) == NULL &&
        p11_kit_uri_get_attribute(uri, CKA_ID) == NULL)
        return sg_fail(error, SG_USAGE, NULL,
                       "%s names no key; write pkcs11:object=LABEL or pkcs11:id=%%01", text);
    return true;
}

bool sg_uri_parse(const char *text, enum sg_uri_kind kind, P11KitUri **uri, struct sg_error *error)
{
    sg_auto(P11KitUri) P11KitUri *fresh = NULL;
    int verdict;

    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return sg_fail(error, SG_USAGE, "RFC 7512 2.3",
                       "a %s is named by a PKCS#11 URI, such as pkcs11:%s=LABEL",
                       kind == SG_URI_KEY ? "key" : "token",
                       kind == SG_URI_KEY ? "object" : "token");
    if (!check_attributes(text, kind, error))
        return false;
    fresh = p11_kit_uri_new();
    if (fresh == NULL)
        return sg_fail_memory(error);
    verdict = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, fresh);
    if (verdict != P11_KIT_URI_OK)
        return sg_fail(error, SG_USAGE, "RFC 7512 2.3", "%s: %s", text,
                       p11_kit_uri_message(verdict));
    if (p11_kit_uri_any_unrecognized(fresh))
        return sg_fail(error, SG_USAGE, "RFC 7512 2.3", "%s has a value that can't be read", text);
    if (kind == SG_URI_KEY && !check_key(fresh, text, error))
        return false;
    *uri = SG_TAKE(fresh);
    return true;
}

bool sg_uri_append(struct sg_buf *uri, const char *name, struct sg_slice value,
                   struct sg_error *error)
{
    static const char UNRESERVED[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    bool is_first = uri->len == 0;

    if (!sg_buf_printf(uri, SG_LIMIT_PATH, error, "%s%s=", is_first ? SCHEME : ";", name))
        return false;
    for (size_t i = 0; i < value.len; i++) {
        int byte = value.data[i];
        bool is_plain = byte != 0 && strchr(UNRESERVED, byte) != NULL;

        if (is_plain ? !sg_buf_append(uri, &value.data[i], 1, SG_LIMIT_PATH, error)
                     : !sg_buf_printf(uri, SG_LIMIT_PATH, error, "%%%02X", byte))
            return false;
    }
    return true;
}
