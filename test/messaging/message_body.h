/* message_body: the bodies that are posted, from JSON to C. Pure. */
#pragma once

#include "lib/problem.h"
#include "test/messaging/exchange.h"

#include <stdbool.h>

/* The message's strings are the caller's, to free(). False: the problem says what is wrong, and
 * *status is the answer's: 400 (no JSON) or 422 (JSON, but no message). */
bool message_body_parse(const struct bytes *body, struct message_body *message, int *status,
                        struct problem *problem);

/* {"kind":KIND,"count":N} and, if wanted, "delay_ms" and "mib". As above; *queue is untouched on
 * failure. */
bool fault_body_parse(const struct bytes *body, struct fault_queue *queue, int *status,
                      struct problem *problem);
