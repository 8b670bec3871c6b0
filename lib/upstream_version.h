/* upstream_version: what talks to the upstreams, by name and version; for `plateau --version`. */
#pragma once

#include <stdbool.h>

struct upstream_version {
    const char *curl;    /* "8.14.1" */
    const char *tls;     /* "mbedTLS/3.6.4" */
    bool tls_is_mbedtls; /* it takes our memory and our CA chains; a system's libcurl may not */
    const char *http2;   /* "1.52.0" of nghttp2, or NULL: built without HTTP/2 */
    const char *c_ares;  /* "1.18.1", or NULL: names are looked up by the system */
};

/* The libraries that the program runs with, not those it was compiled with. Static; any thread. */
struct upstream_version upstream_version(void);
