#include "san.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "asn1_text.h"
#include "base/hex.h"
#include "base/text.h"
#include "listing.h"
#include "name.h"
#include "san_other.h"

static const char *const WORDS[] = {
    [SG_SAN_EMAIL] = "email",
    [SG_SAN_DNS] = "dns",
    [SG_SAN_URI] = "uri",
    [SG_SAN_IP] = "ip",
    [SG_SAN_UPN] = "upn",
    [SG_SAN_DIRNAME] = "dirname",
    [SG_SAN_REGISTERED_ID] = "registered_id",
    [SG_SAN_HARDWARE_MODULE] = "hardware-module",
    [SG_SAN_PERMANENT_IDENTIFIER] = "permanent-identifier",
    [SG_SAN_OTHER_NAME] = "other",
    [SG_SAN_OTHER] = "other",
};
enum { NUM_WORDS = sizeof WORDS / sizeof *WORDS };

const char *sg_san_kind_word(enum sg_san_kind kind)
{
    return (size_t)kind < NUM_WORDS ? WORDS[kind] : "?";
}

bool sg_san_kind_parse(const char *word, enum sg_san_kind *kind, struct sg_error *error)
{
    for (size_t i = 0; i < NUM_WORDS; i++) {
        if (i != SG_SAN_OTHER && strcmp(WORDS[i], word) == 0) {
            *kind = (enum sg_san_kind)i;
            return true;
        }
    }
    return sg_fail(error, SG_USAGE, NULL,
                   "\"%.60s\" is no kind of alternative name: use dns, uri, email, ip, upn, "
                   "dirname, registered_id, hardware-module, permanent-identifier or other",
                   word);
}

static bool is_label(const char *label, size_t len)
{
    if (len < 1 || len > 63 || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isascii(label[i]) || (!isalnum((unsigned char)label[i]) && label[i] != '-'))
            return false;
    }
    return true;
}

/* RFC 1034 3.5, as changed by RFC 1123 2.1. */
static bool is_host(const char *text)
{
    size_t len = 0;

    if (strlen(text) > 253)
        return false;
    for (;; text += len + 1) {
        len = strcspn(text, ".");
        if (!is_label(text, len))
            return false;
        if (text[len] == '\0')
            return true;
    }
}

static const char *dns_problem(const char *value)
{
    if (is_host(strncmp(value, "*.", 2) == 0 ? value + 2 : value))
        return NULL;
    return "must be labels of letters, digits and inner hyphens, at most 63 long and 253 in all, "
           "with at most a leftmost \"*\"";
}

static const char *ip_problem(const char *value)
{
    unsigned char address[16];

    if (inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1)
        return NULL;
    return "must be an IPv4 or IPv6 address";
}

static bool is_port(const char *text)
{
    return *text == '\0' || (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

/* RFC 3986 3.2: [userinfo "@"] host [":" port], up to the path, query or fragment. */
static bool has_host(const char *authority)
{
    char text[SG_LIMIT_VALUE + 1];
    char *host = text, *end;
    unsigned char address[16];

    snprintf(text, sizeof text, "%.*s", (int)strcspn(authority, "/?#"), authority);
    if (strchr(text, '@') != NULL)
        host = strchr(text, '@') + 1;
    if (host[0] == '[' && (end = strchr(host, ']')) != NULL) {
        *end++ = '\0';
        return inet_pton(AF_INET6, host + 1, address) == 1 && is_port(end);
    }
    end = host + strcspn(host, ":");
    if (!is_port(end))
        return false;
    *end = '\0';
    return is_host(host);
}

/* RFC 3986 3.1 and 2.2 to 2.3; RFC 5280 4.2.1.6 wants a host where there is an authority. */
static const char *uri_problem(const char *value)
{
    static const char SCHEME[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    static const char CHARACTERS[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!$&'()*+,;=%";
    size_t scheme = strspn(value, SCHEME);

    if (!isalpha((unsigned char)value[0]) || value[scheme] != ':' || value[scheme + 1] == '\0')
        return "must begin with a scheme, as urn:… and https://… do";
    if (value[strspn(value, CHARACTERS)] != '\0')
        return "holds characters that a URI must percent-encode";
    if (strncmp(value + scheme, "://", 3) == 0 && !has_host(value + scheme + 3))
        return "has no host name or address after its //";
    return NULL;
}

/* RFC 5321 4.1.2's Mailbox, without quoted local parts and address literals. */
static const char *email_problem(const char *value)
{
    static const char ATOMS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-/=?^_`{|}~.";
    const char *problem = sg_san_other_problem(SG_SAN_UPN, value); /* one "@" too */

    if (problem != NULL)
        return problem;
    if (value[strspn(value, ATOMS)] != '@')
        return "has characters before the \"@\" that an address can't carry";
    if (!is_host(strchr(value, '@') + 1))
        return "has no domain name after the \"@\"";
    return NULL;
}

/* A name that sg_name_parse reads and X.509 can carry, or NULL. */
static X509_NAME *dirname_of(const char *value)
{
    sg_auto(sg_name) struct sg_name name = {0};
    X509_NAME *encoded = NULL;

    if (!sg_name_parse(value, &name, NULL) || !sg_name_encode(&name, &encoded, NULL))
        return NULL;
    return encoded;
}

static const char *dirname_problem(const char *value)
{
    sg_auto(X509_NAME) X509_NAME *encoded = dirname_of(value);

    return encoded != NULL ? NULL : "must be a name such as CN=device,O=Example, in its bounds";
}

static const char *other_problem(const char *value)
{
    return value[strspn(value, "0123456789abcdef")] == '\0' ? NULL : "must be lower-case hex";
}

static const char *form_problem(enum sg_san_kind kind, const char *value)
{
    switch (kind) {
    case SG_SAN_EMAIL:
        return email_problem(value);
    case SG_SAN_DNS:
        return dns_problem(value);
    case SG_SAN_URI:
        return uri_problem(value);
    case SG_SAN_IP:
        return ip_problem(value);
    case SG_SAN_DIRNAME:
        return dirname_problem(value);
    case SG_SAN_REGISTERED_ID:
        return sg_oid_is_valid(value) ? NULL : "must be an OID";
    case SG_SAN_UPN:
    case SG_SAN_HARDWARE_MODULE:
    case SG_SAN_PERMANENT_IDENTIFIER:
    case SG_SAN_OTHER_NAME:
        return sg_san_other_problem(kind, value);
    case SG_SAN_OTHER:
        return other_problem(value);
    }
    return "is of no known kind";
}

static bool check(enum sg_san_kind kind, const char *value, struct sg_error *error)
{
    const char *word = sg_san_kind_word(kind);
    const char *problem = NULL;
    struct sg_error cause = {0};
    size_t len = strlen(value);

    if (len == 0)
        return sg_fail(error, SG_REFUSED, "RFC 5280 4.2.1.6", "%s: the alternative name is empty",
                       word);
    if (len > SG_LIMIT_VALUE && kind != SG_SAN_OTHER && kind != SG_SAN_OTHER_NAME)
        return sg_fail(error, SG_REFUSED, NULL, "%s: \"%.60s…\" is longer than %d bytes", word,
                       value, SG_LIMIT_VALUE);
    if (!sg_text_check(sg_slice_of(value, len), word, &cause))
        return sg_fail(error, SG_REFUSED, cause.rule, "%s", cause.text);
    problem = form_problem(kind, value);
    if (problem != NULL)
        return sg_fail(error, SG_REFUSED, "RFC 5280 4.2.1.6", "%s: \"%.100s\" %s", word, value,
                       problem);
    return true;
}

static const char *canonical_ip(const char *value, char *into, size_t size)
{
    unsigned char address[16];
    int family = strchr(value, ':') == NULL ? AF_INET : AF_INET6;

    if (inet_pton(family, value, address) != 1 ||
        inet_ntop(family, address, into, (socklen_t)size) == NULL)
        into[0] = '\0';
    return into;
}

static const char *canonical_dirname(const char *value, char *into, size_t size)
{
    sg_auto(sg_name) struct sg_name name = {0};

    return sg_name_parse(value, &name, NULL) ? sg_name_text(&name, into, size) : value;
}

/* Equal names have equal text. value has been checked. */
static bool canonical(enum sg_san_kind kind, const char *value, struct sg_buf *text,
                      struct sg_error *error)
{
    char room[2 * SG_LIMIT_VALUE + 1]; /* a backslash before every character */

    switch (kind) {
    case SG_SAN_IP:
        value = canonical_ip(value, room, sizeof room);
        break;
    case SG_SAN_DIRNAME:
        value = canonical_dirname(value, room, sizeof room);
        break;
    case SG_SAN_OTHER_NAME:
        return sg_san_other_canonical(value, text, error);
    default:
        break;
    }
    return sg_buf_set(text, sg_slice_text(value), error);
}

bool sg_sans_add(struct sg_sans *sans, enum sg_san_kind kind, const char *value,
                 struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    struct sg_san *items = NULL;

    if (sans->num >= SG_LIMIT_SANS)
        return sg_fail(error, SG_REFUSED, NULL, "more than %d alternative names", SG_LIMIT_SANS);
    if (!check(kind, value, error) || !canonical(kind, value, &text, error))
        return false;
    items = reallocarray(sans->items, sans->num + 1, sizeof *items);
    if (items == NULL)
        return sg_fail_memory(error);
    sans->items = items;
    items[sans->num++] = (struct sg_san){.kind = kind, .value = (char *)sg_buf_take(&text)};
    return true;
}

/* sg_sans_add for what came from outside: the same checks, but a malformed input. */
static bool add_decoded(struct sg_sans *sans, enum sg_san_kind kind, const char *value,
                        struct sg_error *error)
{
    struct sg_error cause = {0};

    if (sg_sans_add(sans, kind, value, &cause))
        return true;
    if (cause.code == SG_REFUSED)
        cause.code = SG_MALFORMED;
    return sg_fail(error, cause.code, cause.rule, "subjectAltName %s", cause.text);
}

static bool decode_string(const ASN1_STRING *string, enum sg_san_kind kind, struct sg_sans *sans,
                          struct sg_error *error)
{
    sg_auto(malloc) char *text = NULL;
    char what[32];

    snprintf(what, sizeof what, "subjectAltName %s", sg_san_kind_word(kind));
    return sg_asn1_decode(string, what, &text, error) && add_decoded(sans, kind, text, error);
}

static bool decode_ip(const ASN1_OCTET_STRING *octets, struct sg_sans *sans, struct sg_error *error)
{
    char text[INET6_ADDRSTRLEN];
    int len = ASN1_STRING_length(octets);

    if (len != 4 && len != 16)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.2.1.6",
                       "subjectAltName ip: an address has 4 or 16 octets, not %d", len);
    if (inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text,
                  sizeof text) == NULL)
        return sg_fail_errno(error, "an address can't be written as text");
    return add_decoded(sans, SG_SAN_IP, text, error);
}

static bool decode_whole(const GENERAL_NAME *name, struct sg_sans *sans, struct sg_error *error)
{
    sg_auto(openssl_bytes) unsigned char *der = NULL;
    sg_auto(malloc) char *hex = NULL;
    int len = i2d_GENERAL_NAME(name, &der);
    size_t size = 0;

    if (len <= 0)
        return sg_fail_openssl(error, SG_MALFORMED, "RFC 5280 4.2.1.6",
                               "subjectAltName: a name can't be encoded again");
    size = 2 * (size_t)len + 1;
    hex = malloc(size);
    if (hex == NULL)
        return sg_fail_memory(error);
    return add_decoded(sans, SG_SAN_OTHER, sg_hex(sg_slice_of(der, (size_t)len), hex, size), error);
}

/* What has not the form of its kind stays what it is: whole, and equal to nothing by chance. */
static bool decode_other_name(const GENERAL_NAME *name, struct sg_sans *sans,
                              struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf text = {0};
    enum sg_san_kind kind = SG_SAN_OTHER_NAME;

    if (!sg_san_other_read(name->d.otherName, &kind, &text, error))
        return false;
    if (kind == SG_SAN_UPN)
        return add_decoded(sans, kind, (const char *)text.data, error);
    return sg_sans_add(sans, kind, (const char *)text.data, NULL) ||
           decode_whole(name, sans, error);
}

static bool decode_dirname(const GENERAL_NAME *name, struct sg_sans *sans, struct sg_error *error)
{
    sg_auto(sg_name) struct sg_name decoded = {0};
    char text[2 * SG_LIMIT_VALUE];

    if (X509_NAME_entry_count(name->d.directoryName) > 0 &&
        sg_name_decode(name->d.directoryName, "", &decoded, NULL) &&
        sg_sans_add(sans, SG_SAN_DIRNAME, sg_name_text(&decoded, text, sizeof text), NULL))
        return true;
    return decode_whole(name, sans, error);
}

static bool decode_registered_id(const GENERAL_NAME *name, struct sg_sans *sans,
                                 struct sg_error *error)
{
    char oid[SG_LIMIT_OID];

    return sg_sans_add(sans, SG_SAN_REGISTERED_ID, sg_oid_text(name->d.registeredID, oid), NULL) ||
           decode_whole(name, sans, error);
}

static bool decode_one(const GENERAL_NAME *name, struct sg_sans *sans, struct sg_error *error)
{
    switch (name->type) {
    case GEN_EMAIL:
        return decode_string(name->d.rfc822Name, SG_SAN_EMAIL, sans, error);
    case GEN_DNS:
        return decode_string(name->d.dNSName, SG_SAN_DNS, sans, error);
    case GEN_URI:
        return decode_string(name->d.uniformResourceIdentifier, SG_SAN_URI, sans, error);
    case GEN_IPADD:
        return decode_ip(name->d.iPAddress, sans, error);
    case GEN_OTHERNAME:
        return decode_other_name(name, sans, error);
    case GEN_DIRNAME:
        return decode_dirname(name, sans, error);
    case GEN_RID:
        return decode_registered_id(name, sans, error);
    default:
        return decode_whole(name, sans, error);
    }
}

bool sg_sans_decode(const GENERAL_NAMES *encoded, struct sg_sans *sans, struct sg_error *error)
{
    sg_auto(sg_sans) struct sg_sans decoded = {0};
    int num = sk_GENERAL_NAME_num(encoded);

    if (num <= 0)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.2.1.6",
                       "subjectAltName is there but holds no name");
    for (int i = 0; i < num; i++) {
        if (!decode_one(sk_GENERAL_NAME_value(encoded, i), &decoded, error))
            return false;
    }
    *sans = decoded;
    decoded = (struct sg_sans){0}; /* now owned by the caller */
    return true;
}

static bool set_ia5(GENERAL_NAME *name, int type, const char *value)
{
    ASN1_IA5STRING *string = ASN1_IA5STRING_new();

    if (string == NULL || !ASN1_STRING_set(string, value, -1)) {
        ASN1_IA5STRING_free(string);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, string);
    return true;
}

static bool set_ip(GENERAL_NAME *name, const char *value)
{
    ASN1_OCTET_STRING *octets = a2i_IPADDRESS(value);

    if (octets == NULL)
        return false;
    GENERAL_NAME_set0_value(name, GEN_IPADD, octets);
    return true;
}

static bool set_dirname(GENERAL_NAME *name, const char *value)
{
    X509_NAME *encoded = dirname_of(value);

    if (encoded == NULL)
        return false;
    GENERAL_NAME_set0_value(name, GEN_DIRNAME, encoded);
    return true;
}

static bool set_registered_id(GENERAL_NAME *name, const char *value)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(value, 1);

    if (oid == NULL)
        return false;
    GENERAL_NAME_set0_value(name, GEN_RID, oid);
    return true;
}

static bool set_name(GENERAL_NAME *name, const struct sg_san *san)
{
    switch (san->kind) {
    case SG_SAN_EMAIL:
        return set_ia5(name, GEN_EMAIL, san->value);
    case SG_SAN_DNS:
        return set_ia5(name, GEN_DNS, san->value);
    case SG_SAN_URI:
        return set_ia5(name, GEN_URI, san->value);
    case SG_SAN_IP:
        return set_ip(name, san->value);
    case SG_SAN_DIRNAME:
        return set_dirname(name, san->value);
    case SG_SAN_REGISTERED_ID:
        return set_registered_id(name, san->value);
    case SG_SAN_UPN:
    case SG_SAN_HARDWARE_MODULE:
    case SG_SAN_PERMANENT_IDENTIFIER:
    case SG_SAN_OTHER_NAME:
        return sg_san_other_set(name, san->kind, san->value);
    case SG_SAN_OTHER:
        break;
    }
    return false;
}

static bool push_new(GENERAL_NAMES *names, const struct sg_san *san)
{
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (name == NULL || !set_name(name, san) || sk_GENERAL_NAME_push(names, name) <= 0) {
        GENERAL_NAME_free(name);
        return false;
    }
    return true;
}

bool sg_sans_encode(const struct sg_sans *sans, GENERAL_NAMES **encoded, struct sg_error *error)
{
    sg_auto(GENERAL_NAMES) GENERAL_NAMES *names = GENERAL_NAMES_new();

    if (names == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < sans->num; i++) {
        if (sans->items[i].kind == SG_SAN_OTHER)
            return sg_fail(error, SG_INTERNAL, NULL,
                           "an alternative name of another kind can't be encoded");
        if (!push_new(names, &sans->items[i]))
            return sg_fail_openssl(error, SG_INTERNAL, NULL,
                                   "the alternative name %s:%.60s can't be encoded",
                                   sg_san_kind_word(sans->items[i].kind), sans->items[i].value);
    }
    *encoded = SG_TAKE(names);
    return true;
}

/* DNS names differ in more than case (RFC 4343), the others in anything. */
static bool same(const struct sg_san *a, const struct sg_san *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == SG_SAN_DNS ? strcasecmp(a->value, b->value) == 0
                                 : strcmp(a->value, b->value) == 0;
}

static bool contains_all(const struct sg_sans *list, const struct sg_sans *of)
{
    for (size_t i = 0; i < of->num; i++) {
        size_t at = 0;

        while (at < list->num && !same(&list->items[at], &of->items[i]))
            at++;
        if (at == list->num)
            return false;
    }
    return true;
}

bool sg_sans_equal(const struct sg_sans *a, const struct sg_sans *b)
{
    return contains_all(a, b) && contains_all(b, a);
}

const char *sg_sans_text(const struct sg_sans *sans, char *into, size_t size)
{
    struct sg_listing listing = sg_listing_start(into, size);

    for (size_t i = 0; i < sans->num; i++) {
        sg_listing_add(&listing, i == 0 ? "" : ", ");
        sg_listing_add(&listing, sg_san_kind_word(sans->items[i].kind));
        sg_listing_add(&listing, ":");
        sg_listing_add(&listing, sans->items[i].value);
    }
    return into;
}

void sg_sans_done(struct sg_sans *sans)
{
    for (size_t i = 0; i < sans->num; i++)
        free(sans->items[i].value);
    free(sans->items);
    *sans = (struct sg_sans){0};
}
