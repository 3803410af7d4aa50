#include "show_parts.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "known_oids.h"

/* jansson takes UTF-8 only, which printable text is. */
static json_t *printable(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

static json_t *printable(const char *format, va_list arguments)
{
    sg_auto(malloc) char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0) {
        text = NULL; /* vasprintf leaves it undefined */
        return NULL;
    }
    return json_string(sg_text_make_printable(text));
}

bool sg_show_put(json_t *object, const char *key, const char *format, ...)
{
    va_list arguments;
    json_t *text;

    va_start(arguments, format);
    text = printable(format, arguments);
    va_end(arguments);
    return json_object_set_new(object, key, text) == 0;
}

bool sg_show_add(json_t *array, const char *format, ...)
{
    va_list arguments;
    json_t *text;

    va_start(arguments, format);
    text = printable(format, arguments);
    va_end(arguments);
    return json_array_append_new(array, text) == 0;
}

bool sg_show_put_hex(json_t *object, const char *key, struct sg_slice bytes)
{
    char hex[2 * SG_SHOW_HEX_BYTES + 1];
    size_t shown = bytes.len < SG_SHOW_HEX_BYTES ? bytes.len : SG_SHOW_HEX_BYTES;

    return sg_show_put(object, key, "%s%s", sg_hex(sg_slice_of(bytes.data, shown), hex, sizeof hex),
                       shown < bytes.len ? "…" : "");
}

bool sg_show_add_hex(json_t *array, const char *what, struct sg_slice bytes, size_t max)
{
    char hex[2 * SG_SHOW_HEX_BYTES + 1];
    size_t shown = bytes.len < max ? bytes.len : max;

    if (shown > SG_SHOW_HEX_BYTES)
        shown = SG_SHOW_HEX_BYTES;
    sg_hex(sg_slice_of(bytes.data, shown), hex, sizeof hex);
    if (shown < bytes.len)
        return sg_show_add(array, "%s%s… (%zu bytes)", what, hex, bytes.len);
    return sg_show_add(array, "%s%s", what, hex);
}

bool sg_show_add_lines(json_t *array, BIO *memory)
{
    char line[SG_SHOW_TEXT];
    int len;

    while ((len = BIO_gets(memory, line, sizeof line)) > 0) {
        char *text = line + strspn(line, " ");

        line[strcspn(line, "\n")] = '\0';
        if (*text != '\0' && !sg_show_add(array, "%s", text))
            return false;
    }
    return true;
}

const char *sg_show_known_oid(const char *word, const char *oid, char into[SG_SHOW_OID])
{
    const char *name = sg_known_oid(oid);

    if (strcmp(word, oid) != 0 || name == NULL)
        return word;
    snprintf(into, SG_SHOW_OID, "%s (%s)", oid, name);
    return into;
}

/* "CN=device-AB12", as sg_name_text writes it; a type that has a name and no word gets it. */
static void append_rdn(struct sg_rdn *rdn, bool first, char into[SG_SHOW_TEXT])
{
    char text[SG_SHOW_TEXT], type[SG_SHOW_OID];
    const struct sg_name alone = {.rdns = rdn, .num = 1};
    const char *value = strchr(sg_name_text(&alone, text, sizeof text), '=');
    size_t len = strlen(into);

    snprintf(into + len, SG_SHOW_TEXT - len, "%s%s%s", first ? "" : ",",
             sg_show_known_oid(sg_oid_attribute_word(rdn->oid), rdn->oid, type),
             value != NULL ? value : "");
}

const char *sg_show_decoded_name(const struct sg_name *name, char into[SG_SHOW_TEXT])
{
    into[0] = '\0';
    for (size_t i = 0; i < name->num; i++)
        append_rdn(&name->rdns[i], i == 0, into);
    return name->num > 0 ? into : sg_name_text(name, into, SG_SHOW_TEXT);
}

const char *sg_show_name(const X509_NAME *name, char into[SG_SHOW_TEXT])
{
    static const unsigned long FORM =
        (XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ & ~XN_FLAG_SEP_MASK) |
        XN_FLAG_SEP_COMMA_PLUS;
    sg_auto(sg_name) struct sg_name decoded = {0};
    sg_auto(BIO) BIO *memory = NULL;
    int len;

    if (X509_NAME_entry_count(name) == 0 || sg_name_decode(name, "", &decoded, NULL))
        return sg_show_decoded_name(&decoded, into);
    memory = BIO_new(BIO_s_mem());
    if (memory == NULL || X509_NAME_print_ex(memory, name, 0, FORM) < 0)
        len = 0;
    else
        len = BIO_read(memory, into, SG_SHOW_TEXT - 1);
    ERR_clear_error();
    into[len > 0 ? len : 0] = '\0';
    return len > 0 ? sg_text_make_printable(into) : "(unreadable)";
}
