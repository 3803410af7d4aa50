#include "base/limits.h"
#include "wire.h"

#define HAS SG_WIRE_HAS

static const struct sg_wire_field_row FIELDS[SG_WIRE_END_OF_FIELDS] = {
    [SG_WIRE_PROGRAM] = {"program", SG_WIRE_IS_TEXT, 64},
    [SG_WIRE_PEER] = {"peer", SG_WIRE_IS_TEXT, 64},
    [SG_WIRE_LABEL] = {"label", SG_WIRE_IS_TEXT, 65},
    [SG_WIRE_AUTHORIZATION] = {"authorization", SG_WIRE_IS_TEXT, SG_LIMIT_AUTHORIZATION + 1},
    [SG_WIRE_CLIENT] = {"client", SG_WIRE_IS_BYTES, SG_LIMIT_CERTIFICATE},
    [SG_WIRE_BODY] = {"body", SG_WIRE_IS_BYTES, SG_LIMIT_BODY},
    [SG_WIRE_STATUS] = {"status", SG_WIRE_IS_NUMBER, 8},
    [SG_WIRE_MEDIA_TYPE] = {"media type", SG_WIRE_IS_TEXT, 128},
    [SG_WIRE_ENCODING] = {"encoding", SG_WIRE_IS_TEXT, 16},
    [SG_WIRE_MAX_AGE] = {"max age", SG_WIRE_IS_NUMBER, 8},
    [SG_WIRE_RETRY_AFTER] = {"retry after", SG_WIRE_IS_NUMBER, 8},
    [SG_WIRE_RULE] = {"rule", SG_WIRE_IS_TEXT, SG_ERROR_RULE_SIZE},
    [SG_WIRE_TEXT] = {"text", SG_WIRE_IS_TEXT, SG_ERROR_TEXT_SIZE},
    [SG_WIRE_SERIAL] = {"serial", SG_WIRE_IS_TEXT, 2 * SG_LIMIT_SERIAL + 1},
    [SG_WIRE_PATH] = {"path", SG_WIRE_IS_TEXT, 256},
    [SG_WIRE_MODIFIED] = {"modified", SG_WIRE_IS_NUMBER, 8},
    [SG_WIRE_TOTAL] = {"total", SG_WIRE_IS_NUMBER, 8},
    [SG_WIRE_OFFSET] = {"offset", SG_WIRE_IS_NUMBER, 8},
    [SG_WIRE_EXPIRES] = {"expires", SG_WIRE_IS_NUMBER, 8},
    [SG_WIRE_METHOD] = {"method", SG_WIRE_IS_TEXT, 16},
    [SG_WIRE_TARGET] = {"target", SG_WIRE_IS_TEXT, SG_LIMIT_TARGET + 1},
    [SG_WIRE_ALLOW] = {"allow", SG_WIRE_IS_TEXT, 64},
    [SG_WIRE_DETAIL] = {"detail", SG_WIRE_IS_TEXT, SG_ERROR_TEXT_SIZE},
    [SG_WIRE_SCHEME] = {"scheme", SG_WIRE_IS_TEXT, 32},
    [SG_WIRE_TOKEN] = {"token", SG_WIRE_IS_TEXT, 65},
    [SG_WIRE_RV] = {"rv", SG_WIRE_IS_TEXT, 48},
    [SG_WIRE_TIMES] = {"times", SG_WIRE_IS_NUMBER, 8},
    [SG_WIRE_GENERATION] = {"generation", SG_WIRE_IS_NUMBER, 8},
};

static const struct sg_wire_type_row TYPES[SG_WIRE_END_OF_TYPES] = {
    [SG_WIRE_HELLO] = {"HELLO", SG_WIRE_FRONT, false, HAS(SG_WIRE_PROGRAM), 0},
    [SG_WIRE_WELCOME] = {"WELCOME", SG_WIRE_ISSUER, false, HAS(SG_WIRE_PROGRAM), 0},
    [SG_WIRE_DOCUMENT] = {"DOCUMENT", SG_WIRE_ISSUER, false,
                          HAS(SG_WIRE_PATH) | HAS(SG_WIRE_MEDIA_TYPE) | HAS(SG_WIRE_MODIFIED) |
                              HAS(SG_WIRE_MAX_AGE) | HAS(SG_WIRE_TOTAL) | HAS(SG_WIRE_OFFSET) |
                              HAS(SG_WIRE_BODY),
                          HAS(SG_WIRE_ENCODING)},
    [SG_WIRE_PUBLISHED] = {"PUBLISHED", SG_WIRE_ISSUER, false, 0, 0},
    [SG_WIRE_ENROLL] = {"ENROLL", SG_WIRE_FRONT, true, HAS(SG_WIRE_PEER) | HAS(SG_WIRE_BODY),
                        HAS(SG_WIRE_LABEL) | HAS(SG_WIRE_AUTHORIZATION) | HAS(SG_WIRE_CLIENT)},
    [SG_WIRE_REENROLL] = {"REENROLL", SG_WIRE_FRONT, true, HAS(SG_WIRE_PEER) | HAS(SG_WIRE_BODY),
                          HAS(SG_WIRE_LABEL) | HAS(SG_WIRE_AUTHORIZATION) | HAS(SG_WIRE_CLIENT)},
    [SG_WIRE_HEALTH] = {"HEALTH", SG_WIRE_FRONT, true, 0, 0},
    [SG_WIRE_FIGURES] = {"FIGURES", SG_WIRE_FRONT, true, 0, 0},
    [SG_WIRE_ANSWER] = {"ANSWER", SG_WIRE_ISSUER, true, HAS(SG_WIRE_STATUS),
                        HAS(SG_WIRE_MEDIA_TYPE) | HAS(SG_WIRE_ENCODING) | HAS(SG_WIRE_BODY) |
                            HAS(SG_WIRE_MAX_AGE) | HAS(SG_WIRE_RETRY_AFTER) | HAS(SG_WIRE_RULE) |
                            HAS(SG_WIRE_TEXT) | HAS(SG_WIRE_SERIAL) | HAS(SG_WIRE_MODIFIED) |
                            HAS(SG_WIRE_EXPIRES) | HAS(SG_WIRE_ALLOW) | HAS(SG_WIRE_DETAIL) |
                            HAS(SG_WIRE_GENERATION)},
    [SG_WIRE_SERVERKEYGEN] = {"SERVERKEYGEN", SG_WIRE_FRONT, true,
                              HAS(SG_WIRE_PEER) | HAS(SG_WIRE_BODY),
                              HAS(SG_WIRE_LABEL) | HAS(SG_WIRE_AUTHORIZATION) |
                                  HAS(SG_WIRE_CLIENT)},
    [SG_WIRE_OCSP] = {"OCSP", SG_WIRE_FRONT, true, HAS(SG_WIRE_BODY), HAS(SG_WIRE_ENCODING)},
    [SG_WIRE_CALL] = {"CALL", SG_WIRE_FRONT, true,
                      HAS(SG_WIRE_PEER) | HAS(SG_WIRE_METHOD) | HAS(SG_WIRE_TARGET),
                      HAS(SG_WIRE_CLIENT) | HAS(SG_WIRE_BODY)},
    [SG_WIRE_KEY_HELLO] = {"KEY_HELLO", SG_WIRE_FRONT, false, HAS(SG_WIRE_PROGRAM), 0},
    [SG_WIRE_TLS_SIGN] = {"TLS_SIGN", SG_WIRE_FRONT, true, HAS(SG_WIRE_BODY) | HAS(SG_WIRE_SCHEME),
                          0},
    [SG_WIRE_TOKEN_ERRORS] = {"TOKEN_ERRORS", SG_WIRE_ISSUER, false,
                              HAS(SG_WIRE_TOKEN) | HAS(SG_WIRE_RV) | HAS(SG_WIRE_TIMES), 0},
};

const struct sg_wire_field_row *sg_wire_field_row(unsigned field)
{
    return field < SG_WIRE_END_OF_FIELDS && FIELDS[field].name != NULL ? &FIELDS[field] : NULL;
}

const struct sg_wire_type_row *sg_wire_type_row(unsigned type)
{
    return type < SG_WIRE_END_OF_TYPES && TYPES[type].name != NULL ? &TYPES[type] : NULL;
}

size_t sg_wire_max(unsigned type)
{
    const struct sg_wire_type_row *row = sg_wire_type_row(type);
    size_t sum = 0;

    for (unsigned field = 1; row != NULL && field < SG_WIRE_END_OF_FIELDS; field++)
        if (((row->must | row->may) & HAS(field)) != 0)
            sum += 5 + FIELDS[field].limit;
    return sum;
}
