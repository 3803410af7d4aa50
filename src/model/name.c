#include "name.h"

#include <string.h>

#include "asn1_text.h"
#include "base/text.h"
#include "listing.h"

/* How an attribute is written and how long it may be, in characters: RFC 5280 appendix A.1, and
 * X.520 for those that the appendix leaves out. Any other attribute is a UTF8String without bounds
 * of its own. */
static const struct form {
    const char *oid;
    int type;
    size_t min, max; /* max 0: no bound */
} FORMS[] = {
    {"2.5.4.3", V_ASN1_UTF8STRING, 1, 64},                  /* CN */
    {"2.5.4.4", V_ASN1_UTF8STRING, 1, 32768},               /* SN */
    {"2.5.4.5", V_ASN1_PRINTABLESTRING, 1, 64},             /* serialNumber */
    {"2.5.4.6", V_ASN1_PRINTABLESTRING, 2, 2},              /* C */
    {"2.5.4.7", V_ASN1_UTF8STRING, 1, 128},                 /* L */
    {"2.5.4.8", V_ASN1_UTF8STRING, 1, 128},                 /* ST */
    {"2.5.4.9", V_ASN1_UTF8STRING, 1, 128},                 /* street, X.520 */
    {"2.5.4.10", V_ASN1_UTF8STRING, 1, 64},                 /* O */
    {"2.5.4.11", V_ASN1_UTF8STRING, 1, 64},                 /* OU */
    {"2.5.4.12", V_ASN1_UTF8STRING, 1, 64},                 /* T */
    {"2.5.4.17", V_ASN1_UTF8STRING, 1, 40},                 /* postalCode, X.520 */
    {"2.5.4.41", V_ASN1_UTF8STRING, 1, 32768},              /* name */
    {"2.5.4.42", V_ASN1_UTF8STRING, 1, 32768},              /* GN */
    {"2.5.4.43", V_ASN1_UTF8STRING, 1, 32768},              /* initials */
    {"2.5.4.44", V_ASN1_UTF8STRING, 1, 32768},              /* generationQualifier */
    {"2.5.4.46", V_ASN1_PRINTABLESTRING, 1, 0},             /* dnQualifier */
    {"2.5.4.65", V_ASN1_UTF8STRING, 1, 128},                /* pseudonym */
    {"0.9.2342.19200300.100.1.25", V_ASN1_IA5STRING, 1, 0}, /* DC */
    {"1.2.840.113549.1.9.1", V_ASN1_IA5STRING, 1, 255},     /* emailAddress */
};

static const struct form OTHER_FORM = {NULL, V_ASN1_UTF8STRING, 1, 0};

static const struct form *form_of(const char *oid)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        if (strcmp(FORMS[i].oid, oid) == 0)
            return &FORMS[i];
    }
    return &OTHER_FORM;
}

static bool check_value(const char *oid, const char *value, struct sg_error *error)
{
    const char *word = sg_oid_attribute_word(oid);
    size_t len = strlen(value);

    if (!sg_oid_is_valid(oid))
        return sg_fail(error, SG_MALFORMED, NULL, "\"%.60s\" is no OID of a name's attribute", oid);
    if (len == 0)
        return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1.2.4", "%s is empty", word);
    if (len > SG_LIMIT_VALUE)
        return sg_fail(error, SG_MALFORMED, NULL, "%s is longer than %d bytes", word,
                       SG_LIMIT_VALUE);
    return sg_text_check(sg_slice_of(value, len), word, error);
}

/* Appends one RDN, taking value on success. */
static bool append(struct sg_name *name, const char *oid, char **value, struct sg_error *error)
{
    struct sg_rdn *rdns = NULL;

    if (name->num >= SG_LIMIT_RDNS)
        return sg_fail(error, SG_MALFORMED, NULL, "more than %d RDNs in a name", SG_LIMIT_RDNS);
    rdns = reallocarray(name->rdns, name->num + 1, sizeof *rdns);
    if (rdns == NULL)
        return sg_fail_memory(error);
    name->rdns = rdns;
    snprintf(rdns[name->num].oid, sizeof rdns->oid, "%s", oid);
    rdns[name->num++].value = SG_TAKE(*value);
    return true;
}

bool sg_name_add(struct sg_name *name, const char *oid, const char *value, struct sg_error *error)
{
    sg_auto(malloc) char *copy = NULL;

    if (!check_value(oid, value, error))
        return false;
    return sg_text_copy(sg_slice_text(value), &copy, error) && append(name, oid, &copy, error);
}

/* The length of what reads as "word=" at text, without the "=", or 0. */
static size_t word_len(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.");

    return text[len] == '=' ? len : 0;
}

/* Reads a value up to separator into a copy without its backslashes, and leaves *text on the
 * separator or at the end. */
static bool read_value(const char **text, char separator, struct sg_buf *value,
                       struct sg_error *error)
{
    const char *from = *text;

    for (; *from != '\0' && *from != separator; from++) {
        if (*from == '+' && word_len(from + 1) > 0)
            return sg_fail(error, SG_USAGE, NULL,
                           "two attributes in one RDN are not supported; if the + is part of the "
                           "value, write \\+");
        if (*from == '\\' && *++from == '\0')
            return sg_fail(error, SG_USAGE, NULL, "the name ends in a backslash");
        if (!sg_buf_append(value, from, 1, SG_LIMIT_VALUE, error))
            return false;
    }
    *text = from;
    return true;
}

static bool read_rdn(const char **text, char separator, struct sg_name *name,
                     struct sg_error *error)
{
    sg_auto(sg_buf) struct sg_buf value = {0};
    char word[SG_LIMIT_OID];
    const char *oid = NULL;
    size_t len = 0;

    *text += strspn(*text, " ");
    len = word_len(*text);
    if (len == 0 || len >= sizeof word)
        return sg_fail(error, SG_USAGE, NULL,
                       "expected an attribute and \"=\" at \"%.60s\": write a name as "
                       "CN=device,O=Example",
                       *text);
    memcpy(word, *text, len);
    word[len] = '\0';
    if (!sg_oid_of_attribute(word, &oid, error))
        return false;
    *text += len + 1;
    return read_value(text, separator, &value, error) &&
           sg_name_add(name, oid, value.len == 0 ? "" : (const char *)value.data, error);
}

static bool read_rdns(const char *text, struct sg_name *name, struct sg_error *error)
{
    char separator = *text == '/' ? '/' : ',';

    if (*text == '/')
        text++;
    while (read_rdn(&text, separator, name, error)) {
        if (*text == '\0')
            return true;
        text++; /* the separator */
    }
    return false;
}

bool sg_name_parse(const char *text, struct sg_name *name, struct sg_error *error)
{
    sg_auto(sg_name) struct sg_name parsed = {0};
    struct sg_error cause = {0};

    if (!read_rdns(text, &parsed, &cause)) {
        if (cause.code == SG_MALFORMED)
            cause.code = SG_USAGE; /* the caller's text, and not a request's */
        return sg_fail(error, cause.code, cause.rule, "%s", cause.text);
    }
    *name = parsed;
    parsed = (struct sg_name){0}; /* now owned by the caller */
    return true;
}

static bool decode_entry(const X509_NAME_ENTRY *entry, const char *what, struct sg_name *name,
                         struct sg_error *error)
{
    sg_auto(malloc) char *value = NULL;
    char place[SG_LIMIT_OID + 64], oid[SG_LIMIT_OID];

    sg_oid_text(X509_NAME_ENTRY_get_object(entry), oid);
    if (strcmp(oid, "?") == 0)
        return sg_fail(error, SG_MALFORMED, NULL, "%s: an attribute's OID is longer than %d bytes",
                       what, SG_LIMIT_OID - 1);
    snprintf(place, sizeof place, "%.60s %s", what, sg_oid_attribute_word(oid));
    return sg_asn1_decode(X509_NAME_ENTRY_get_data(entry), place, &value, error) &&
           append(name, oid, &value, error);
}

bool sg_name_decode(const X509_NAME *encoded, const char *what, struct sg_name *name,
                    struct sg_error *error)
{
    sg_auto(sg_name) struct sg_name decoded = {0};
    int num = X509_NAME_entry_count(encoded);

    for (int i = 0; i < num; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(encoded, i);
        int set = X509_NAME_ENTRY_set(entry);

        if (set < i)
            return sg_fail(error, SG_MALFORMED, NULL,
                           "%s: an RDN has more than one value: give each an RDN of its own", what);
        if (set > i)
            return sg_fail(error, SG_MALFORMED, "RFC 5280 4.1.2.4", "%s: an RDN is empty", what);
        if (!decode_entry(entry, what, &decoded, error))
            return false;
    }
    *name = decoded;
    decoded = (struct sg_name){0}; /* now owned by the caller */
    return true;
}

static bool check_bounds(const struct form *form, const char *oid, const char *value,
                         struct sg_error *error)
{
    const char *word = sg_oid_attribute_word(oid);
    size_t num = sg_asn1_characters(value);

    if (form->min == form->max && num != form->min)
        return sg_fail(error, SG_REFUSED, "RFC 5280 A.1", "%s \"%.60s\" must have %zu characters",
                       word, value, form->min);
    if (form->max != 0 && num > form->max)
        return sg_fail(error, SG_REFUSED, "RFC 5280 A.1",
                       "%s \"%.60s\" has %zu characters, at most %zu are allowed", word, value, num,
                       form->max);
    if (!sg_asn1_fits(form->type, sg_slice_text(value)))
        return sg_fail(error, SG_REFUSED, "RFC 5280 A.1",
                       "%s \"%.60s\" holds characters that %s does not have", word, value,
                       sg_asn1_word(form->type));
    return true;
}

bool sg_name_check_value(const char *oid, const char *value, struct sg_error *error)
{
    return check_bounds(form_of(oid), oid, value, error);
}

bool sg_name_encode(const struct sg_name *name, X509_NAME **encoded, struct sg_error *error)
{
    sg_auto(X509_NAME) X509_NAME *made = X509_NAME_new();

    if (made == NULL)
        return sg_fail_memory(error);
    for (size_t i = 0; i < name->num; i++) {
        const struct sg_rdn *rdn = &name->rdns[i];
        const struct form *form = form_of(rdn->oid);

        if (!check_bounds(form, rdn->oid, rdn->value, error))
            return false;
        if (!X509_NAME_add_entry_by_txt(made, rdn->oid, form->type,
                                        (const unsigned char *)rdn->value, -1, -1, 0))
            return sg_fail_openssl(error, SG_INTERNAL, NULL, "the name's %s can't be encoded",
                                   sg_oid_attribute_word(rdn->oid));
    }
    *encoded = SG_TAKE(made);
    return true;
}

bool sg_name_equal(const struct sg_name *a, const struct sg_name *b)
{
    if (a->num != b->num)
        return false;
    for (size_t i = 0; i < a->num; i++) {
        if (strcmp(a->rdns[i].oid, b->rdns[i].oid) != 0 ||
            strcmp(a->rdns[i].value, b->rdns[i].value) != 0)
            return false;
    }
    return true;
}

const char *sg_name_text(const struct sg_name *name, char *into, size_t size)
{
    struct sg_listing listing = sg_listing_start(into, size);

    if (name->num == 0)
        sg_listing_add(&listing, "(empty)");
    for (size_t i = 0; i < name->num; i++) {
        sg_listing_add(&listing, i == 0 ? "" : ",");
        sg_listing_add(&listing, sg_oid_attribute_word(name->rdns[i].oid));
        sg_listing_add(&listing, "=");
        sg_listing_add_escaped(&listing, name->rdns[i].value, ",+\\");
    }
    return into;
}

const char *sg_name_first(const struct sg_name *name, const char *oid, size_t *num)
{
    const char *first = NULL;
    size_t found = 0;

    for (size_t i = 0; i < name->num; i++) {
        if (strcmp(name->rdns[i].oid, oid) != 0)
            continue;
        if (found++ == 0)
            first = name->rdns[i].value;
    }
    if (num != NULL)
        *num = found;
    return first;
}

void sg_name_done(struct sg_name *name)
{
    for (size_t i = 0; i < name->num; i++)
        free(name->rdns[i].value);
    free(name->rdns);
    *name = (struct sg_name){0};
}
