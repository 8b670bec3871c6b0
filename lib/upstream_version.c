#include "lib/upstream_version.h"

#include <curl/curl.h>
#include <string.h>

struct upstream_version upstream_version(void) {
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    struct upstream_version version = {
        .curl = info->version,
        .tls = info->ssl_version ? info->ssl_version : "none",
        .c_ares = info->ares,
    };
    version.tls_is_mbedtls = strncmp(version.tls, "mbedTLS/", 8) == 0;
    if (info->features & CURL_VERSION_HTTP2) {
        version.http2 = info->nghttp2_version;
    }
    return version;
}
