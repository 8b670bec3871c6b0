/* statistics: what GET /v1/stats tells. One struct of the process, one thread. */
#pragma once

#include <stdint.h>

struct statistics {
    uint64_t received;         /* POST /v1/messages whose head came in */
    uint64_t applied;          /* messages put into the inbox */
    uint64_t replayed;         /* answered again for their idempotency key */
    uint64_t rejected;         /* POST /v1/messages answered with an error */
    uint64_t faults;           /* faults carried out */
    uint64_t requests;         /* of any kind */
    uint64_t connections;      /* accepted */
    uint64_t connections_open; /* now */
    uint64_t handshakes;       /* TLS handshakes done, resumed ones too */
    uint64_t resumed;          /* of these: by a session ticket */
    uint64_t http2;            /* connections that chose HTTP/2 */
    uint64_t in_flight;        /* POST /v1/messages not answered yet */
    uint64_t in_flight_max;
};
