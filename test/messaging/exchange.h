/* exchange: one request and its answer, between a protocol (HTTP/1.1, HTTP/2) and the service.
 *
 *     x = service_begin(service, channel, stream, end)      the protocol saw a request begin
 *     exchange_method(), exchange_target(), exchange_header()
 *     service_head(x)           false: reset the connection, read no more
 *     exchange_body(x, ...)     false: too large; service_refuse(x, 413, ...)
 *     service_request(x)        the service answers now or later: it calls x->end(x, ending) once
 *     x->end(x, ending)         the protocol writes the answer, then exchange_free(x)
 *
 * Owner: the protocol, from service_begin() until exchange_free(). When its connection is gone it
 * calls service_abandon(x) instead, and the service owns it from then on: a message on its way is
 * still applied, as in any real service, and its answer falls on the floor.
 * One thread. */
#pragma once

#include "test/messaging/bytes.h"
#include "test/messaging/fault.h"
#include "test/messaging/idempotency.h"
#include "test/messaging/timers.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct service;
struct exchange;

struct answer_header {
    const char *name;  /* static */
    const char *value; /* static */
};

enum { ANSWER_HEADERS_MAX = 4 };

struct answer {
    int status;
    const char *content_type; /* static */
    struct answer_header headers[ANSWER_HEADERS_MAX];
    size_t header_count;
    struct bytes body;
};

struct message_body {
    char *recipient;
    char *text;
    size_t recipient_size;
    size_t text_size;
};

struct exchange {
    /* the protocol's */
    void *channel; /* NULL: the peer is gone */
    void (*end)(struct exchange *x, enum ending ending);
    LIST_ENTRY(exchange) of_channel;
    int32_t stream;
    size_t written; /* of the answer's body */
    bool half;      /* only half the body is to be written */
    bool answered;  /* end() was called */

    /* the request */
    char *method;
    char *target;          /* path and query */
    char *authorization;   /* NULL: no such header */
    char *idempotency_key; /* NULL: no such header */
    struct bytes body;

    struct answer answer;

    /* the service's */
    struct service *service;
    LIST_ENTRY(exchange) of_service;
    struct timer timer;
    struct fault fault;
    struct message_body message;
    struct idempotency_entry *claim; /* the key is ours; NULL: no key, or done */
    bool posting;                    /* a POST /v1/messages that is counted as in flight */
    bool replayed;                   /* the answer is an earlier one */
};

void exchange_method(struct exchange *x, const char *method, size_t size);
void exchange_target(struct exchange *x, const char *target, size_t size);
/* Keeps those headers that the service reads. The name's case does not matter. False: the header
 * stands there twice and must not. */
bool exchange_header(struct exchange *x, const char *name, size_t name_size, const char *value,
                     size_t value_size);
/* False when the body would grow over REQUEST_BODY_BYTES_MAX. */
bool exchange_body(struct exchange *x, const void *bytes, size_t size);

void answer_header(struct answer *answer, const char *name, const char *value);
/* Makes it {"error":{"code":CODE,"message":MESSAGE}}; the message is copied. */
void answer_error(struct answer *answer, int status, const char *code, const char *message);
