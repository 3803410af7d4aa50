/* fresh: by what clients and caches tell whether what they have is still good (RFC 9110 8.8, 13).
 */
#include <string.h>

#include "base/hex.h"
#include "parts.h"

void sg_fresh_tag(struct sg_slice bytes, char etag[SG_ETAG_SIZE])
{
    uint8_t digest[SG_SHA256_LEN];
    char hex[33];

    sg_sha256(bytes, digest);
    snprintf(etag, SG_ETAG_SIZE, "\"%s\"", sg_hex(sg_slice_of(digest, 16), hex, sizeof hex));
}

void sg_fresh_date(int64_t moment, char date[SG_DATE_SIZE])
{
    const time_t seconds = (time_t)moment;
    struct tm tm;

    date[0] = '\0';
    if (gmtime_r(&seconds, &tm) != NULL)
        evutil_date_rfc1123(date, SG_DATE_SIZE, &tm);
}

/* RFC 9110 13.2.2: the tag decides where there is one. */
bool sg_fresh_is_had(const struct sg_exchange *exchange, const char *etag, int64_t modified_at)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(exchange->http);
    const char *tags = evhttp_find_header(headers, "If-None-Match");
    const char *since = evhttp_find_header(headers, "If-Modified-Since");
    struct tm tm = {0};

    if (tags != NULL)
        return strstr(tags, etag) != NULL || strcmp(tags, "*") == 0;
    return since != NULL && strptime(since, "%a, %d %b %Y %H:%M:%S GMT", &tm) != NULL &&
           (int64_t)timegm(&tm) >= modified_at;
}
