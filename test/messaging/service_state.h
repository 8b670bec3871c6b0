/* service_state: what service.c and post.c share, and nobody else includes. */
#pragma once

#include "test/messaging/messages.h"
#include "test/messaging/service.h"

struct service {
    const struct options *options;
    struct timers *timers;
    struct statistics *statistics;
    struct messages *messages;
    struct idempotency *keys;
    struct fault_queue faults;
    LIST_HEAD(, exchange) exchanges;
};

/* POST /v1/messages, its token checked and its body read. */
void post_message(struct exchange *x);

/* The service is done with it: hands the answer to the protocol, or drops it with its peer. */
void service_end(struct exchange *x, enum ending ending);
