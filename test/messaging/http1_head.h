/* http1_head: the head of an HTTP/1.1 request (RFC 9112), strictly: what two programs might read
 * in two ways is refused. Pure but for the exchange it fills. */
#pragma once

#include "test/messaging/exchange.h"

struct http1_head {
    uint64_t content_length; /* 0 when there is none */
    bool chunked;
    bool close;         /* the peer wants no further request on the connection */
    bool wait_continue; /* Expect: 100-continue */
    /* only while it is read */
    bool has_length;
    bool has_host;
    bool old; /* HTTP/1.0 */
};

/* `bytes` is a whole head with its empty line. NULL, or what is wrong, static; *status is then the
 * answer's: 400, 413, 417, 501, 505. */
const char *http1_head_parse(const char *bytes, size_t size, struct http1_head *head,
                             struct exchange *x, int *status);
