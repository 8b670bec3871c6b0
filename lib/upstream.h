/* upstream: HTTPS calls to the messaging services, many at once, from one thread.
 *
 * One thread owns every libcurl handle. Anybody may submit a call; the call and all it points to
 * belong to the upstream thread from upstream_submit() until its done() runs there, and to the
 * submitter again from then on. A call is sent at most once: what this module reports is one of
 *     OUTCOME_OK         a 2xx answer, whole
 *     OUTCOME_REFUSED    another status, whole: the service did not do it
 *     OUTCOME_NOT_SENT   nothing of the request was handed to a connection
 *     OUTCOME_UNKNOWN    it was, and no whole answer came
 *     OUTCOME_TOO_LARGE  a status came, and more body than answer_bytes_max
 *     OUTCOME_NO_MEMORY  a status came, and the arena could not hold the body
 *     OUTCOME_CANCELLED  the caller left before anything was handed over
 *
 *     upstream_new -> upstream_target_add ... -> upstream_start -> upstream_submit ... ->
 * upstream_free */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/outcome.h"
#include "lib/problem.h"
#include "lib/text.h"

struct upstream;
struct upstream_target;

enum upstream_http {
    UPSTREAM_HTTP_AUTO, /* what the first connection's ALPN gives (RFC 7301) */
    UPSTREAM_HTTP_1,
    UPSTREAM_HTTP_2,
};

/* Used where a target names no CA file of its own. */
#define UPSTREAM_SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

struct upstream_target_options {
    const char *name; /* for problems */
    const char
        *ca_file; /* PEM; NULL: the system's bundle. Parsed once, shared by all connections */
    enum upstream_http http;
    bool tls;                 /* false: plain http:// URLs, and only those */
    bool private_addresses;   /* a name may resolve to a loopback, private or link-local address */
    uint32_t connections_max; /* open at one time */
};

/* A header of the request; the line is "Name: value", NUL-ended. The first member makes it a list.
 */
struct upstream_header {
    const char *line;
    struct upstream_header *next;
};

struct upstream_call {
    /* What to do; filled in by the submitter. */
    const struct upstream_target *target;
    struct arena *arena; /* the answer's memory */
    const char *method;
    const char *url;
    struct upstream_header *headers;
    const char *body; /* NULL: none */
    size_t body_length;
    size_t answer_bytes_max;
    uint64_t deadline_ms; /* of clock_ms(), absolute: queueing, connecting and answering together */
    int caller_fd; /* a socket whose hang-up means that nobody waits for the answer; -1: none */
    void (*done)(struct upstream_call *call); /* on the upstream thread; must not block */
    void *data;                               /* the submitter's */

    /* What became of it; valid in done(). */
    enum outcome outcome;
    int status;             /* 0: no status line came */
    struct text answer;     /* the body, as far as it came */
    size_t announced_bytes; /* the body's length by its Content-Length; 0: not said */
    char content_type[64];
    uint32_t retry_after_s; /* Retry-After in seconds (RFC 9110 section 10.2.3); 0: none */
    bool handed_over;       /* something of the request may have reached the service */
    const char
        *problem; /* what went wrong, as a sentence without its full stop; "" when nothing did */

    struct upstream_call *next; /* the module's own */
};

struct upstream_limits {
    uint32_t calls_max; /* submitted at one time */
    size_t curl_bytes;  /* address space for libcurl */
    size_t tls_bytes;   /* and for mbedTLS */
};

/* NULL with a problem when a resource is missing. */
struct upstream *upstream_new(const struct upstream_limits *limits, struct problem *problem);

/* Before upstream_start() only. Lives as long as `upstream`. NULL with a problem: the CA file is
 * missing or wrong. */
const struct upstream_target *upstream_target_add(struct upstream *upstream,
                                                  const struct upstream_target_options *options,
                                                  struct problem *problem);

/* Around the done() of all the calls that ended in one turn of the loop, on the upstream thread: so
 * that what done() does can be bundled. Before upstream_start() only. */
struct upstream_batch {
    void (*begin)(void);
    void (*end)(void);
};
void upstream_on_batch(struct upstream *upstream, struct upstream_batch batch);

CHECKED bool upstream_start(struct upstream *upstream, struct problem *problem);

/* Hands the call over; any thread, never blocks. done() follows in any case. */
void upstream_submit(struct upstream *upstream, struct upstream_call *call);

/* From now on every call ends at once (not sent or unknown, done() runs): those under way, and
 * those that are still submitted. Any thread; does not wait for them. NULL allowed. */
void upstream_stop(struct upstream *upstream);

/* Ends every call that is still under way, joins the thread, closes all. Nobody may submit any
 * more. NULL allowed. */
void upstream_free(struct upstream *upstream);
