/* service: what the messaging service does with a request, whatever protocol brought it.
 *
 * Reading (the page, GET /v1/messages, GET /v1/stats) needs no token: the service is for a
 * developer's own machine, and the inbox page could not keep a secret anyway. Posting needs the
 * bearer token, because that is what a client under test must get right.
 *
 * Owner: main. One thread. It knows no socket; exchange.h has the order of calls. */
#pragma once

#include "test/messaging/exchange.h"
#include "test/messaging/options.h"
#include "test/messaging/statistics.h"

struct service;

/* All three outlive it. */
struct service *service_new(const struct options *options, struct timers *timers,
                            struct statistics *statistics);
/* No exchange has a channel any more; those still waiting are dropped unapplied. */
void service_free(struct service *service);

struct exchange *service_begin(struct service *service, void *channel, int32_t stream,
                               void (*end)(struct exchange *x, enum ending ending));
/* The head is complete. False: an armed fault wants the connection reset before more is read. */
__attribute__((warn_unused_result)) bool service_head(struct exchange *x);
/* The body is complete. May call x->end() at once. */
void service_request(struct exchange *x);
/* The protocol refuses the request itself. Calls x->end() at once. The code is static, the
 * message copied. */
void service_refuse(struct exchange *x, int status, const char *code, const char *message);
/* The peer is gone. */
void service_abandon(struct exchange *x);
void exchange_free(struct exchange *x);
