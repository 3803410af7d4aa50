#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <string.h>

#include "lint_rules.h"

enum { LONGEST_HOST = 253, LONGEST_LABEL = 63 };

#define DIGITS  "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool has_only(struct sg_slice text, const char *characters)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0' || strchr(characters, text.data[i]) == NULL)
            return false;
    return true;
}

/* The text before the first such character, all of it when there is none; the rest begins there. */
static struct sg_slice before(struct sg_slice text, const char *characters, struct sg_slice *rest)
{
    size_t len = 0;

    while (len < text.len && (text.data[len] == '\0' || !strchr(characters, text.data[len])))
        len++;
    *rest = sg_slice_of(text.data + len, text.len - len);
    return sg_slice_of(text.data, len);
}

static struct sg_slice without_first(struct sg_slice text, size_t len)
{
    return sg_slice_of(text.data + len, text.len - len);
}

static bool is_label(struct sg_slice label)
{
    return label.len >= 1 && label.len <= LONGEST_LABEL && label.data[0] != '-' &&
           label.data[label.len - 1] != '-' && has_only(label, "-" DIGITS LETTERS);
}

bool sg_lint_is_host(struct sg_slice text)
{
    struct sg_slice rest = text;

    if (text.len > LONGEST_HOST || !is_label(before(text, ".", &rest)))
        return false;
    while (rest.len > 0)
        if (!is_label(before(without_first(rest, 1), ".", &rest)))
            return false;
    return true;
}

static bool is_dns_name(struct sg_slice text)
{
    bool is_wildcard = text.len > 2 && memcmp(text.data, "*.", 2) == 0;

    return sg_lint_is_host(is_wildcard ? without_first(text, 2) : text);
}

/* RFC 5321 4.1.2: Local-part "@" Domain, as a dot-string and no address literal. */
static bool is_mailbox(struct sg_slice text)
{
    struct sg_slice rest;
    struct sg_slice local = before(text, "@", &rest);

    return local.len > 0 && has_only(local, "!#$%&'*+-/=?^_`{|}~." DIGITS LETTERS) &&
           rest.len > 1 && sg_lint_is_host(without_first(rest, 1));
}

/* "[2001:db8::1]", of which text has no port after it. */
static bool is_address_in_brackets(struct sg_slice text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];

    if (text.len < 2 || text.len - 2 >= sizeof address || text.data[0] != '[' ||
        text.data[text.len - 1] != ']')
        return false;
    memcpy(address, text.data + 1, text.len - 2);
    address[text.len - 2] = '\0';
    return inet_pton(AF_INET6, address, bytes) == 1;
}

/* RFC 3986 3.2: [userinfo "@"] host [":" port]. */
static bool has_a_host(struct sg_slice authority)
{
    struct sg_slice host = authority, port;

    before(authority, "@", &host);
    host = host.len > 0 ? without_first(host, 1) : authority;
    if (host.len > 0 && host.data[0] == '[') {
        struct sg_slice inside = before(host, "]", &port);

        if (port.len == 0)
            return false;
        port = without_first(port, 1);
        host = sg_slice_of(inside.data, inside.len + 1);
        return is_address_in_brackets(host) && (port.len == 0 || port.data[0] == ':');
    }
    host = before(host, ":", &port);
    return sg_lint_is_host(host) && (port.len == 0 || has_only(without_first(port, 1), DIGITS));
}

static bool is_absolute_uri(struct sg_slice text)
{
    struct sg_slice rest, path;
    struct sg_slice scheme = before(text, ":", &rest);

    if (scheme.len == 0 || strchr(DIGITS "+-.", scheme.data[0]) != NULL ||
        !has_only(scheme, "+-." DIGITS LETTERS) || rest.len < 2)
        return false;
    rest = without_first(rest, 1);
    return rest.len < 2 || memcmp(rest.data, "//", 2) != 0 ||
           has_a_host(before(without_first(rest, 2), "/?#", &path));
}

static bool every_name(struct sg_lint_view *view, int type, bool (*check)(struct sg_slice text))
{
    for (int i = 0; i < sk_GENERAL_NAME_num(view->alternative_names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(view->alternative_names, i);

        if (name->type == type && !check(sg_lint_string(name->d.ia5)))
            return sg_lint_saw(view, "the name at place %d", i + 1);
    }
    return true;
}

static bool has_right_dns_names(struct sg_lint_view *view)
{
    return every_name(view, GEN_DNS, is_dns_name);
}

static bool has_right_emails(struct sg_lint_view *view)
{
    return every_name(view, GEN_EMAIL, is_mailbox);
}

static bool has_right_uris(struct sg_lint_view *view)
{
    return every_name(view, GEN_URI, is_absolute_uri);
}

static bool is_among_the_emails(const struct sg_lint_view *view, struct sg_slice address)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(view->alternative_names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(view->alternative_names, i);

        if (name->type == GEN_EMAIL && sg_slice_equal(sg_lint_string(name->d.rfc822Name), address))
            return true;
    }
    return false;
}

static bool has_emails_of_the_subject(struct sg_lint_view *view)
{
    const X509_NAME *subject = X509_get_subject_name(view->certificate);
    int at = -1;

    while ((at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, at)) >= 0) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, at);

        if (!is_among_the_emails(view, sg_lint_string(X509_NAME_ENTRY_get_data(entry))))
            return sg_lint_saw(view, "emailAddress at place %d", at + 1);
    }
    return true;
}

const struct sg_lint_rule SG_LINT_FORMS[] = {
    {"RFC 5280 4.2.1.6",
     "a dns name must be labels of letters, digits and inner hyphens, at most a \"*\" before them",
     has_right_dns_names},
    {"RFC 5280 4.2.1.6", "an email name must be a mailbox: a local part, \"@\" and a host",
     has_right_emails},
    {"RFC 5280 4.2.1.6", "a uri name must be absolute, with a host after its //", has_right_uris},
    {"RFC 5280 4.1.2.6", "an emailAddress of the subject must also be an email in subjectAltName",
     has_emails_of_the_subject},
    {0},
};
