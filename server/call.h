/* call: one HTTP request on its way through the steps, from admit to reset.
 *
 * Owner: one thread at a time: the libmicrohttpd worker that accepted its connection, but for the
 * stretch between send and shape, when the upstream thread has it and the connection is suspended.
 * Lifetime: it lies in its own arena, from admit until reset; libmicrohttpd's pointers in it
 * (headers) live as long.
 *
 * The steps are files of their own; the table in call.c lists them in order. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/upstream.h"
#include "server/config.h"
#include "server/server.h"

/* Where a step leads. */
enum next {
    NEXT_STEP,  /* on with the next one */
    NEXT_WAIT,  /* libmicrohttpd calls again: with the body, or when the connection is resumed */
    NEXT_REPLY, /* the answer stands: to the reply */
    NEXT_END,   /* libmicrohttpd has the answer, or closes the connection */
};

/* The two ways MCP is spoken; a request's body decides (MCP 2026-07-28, basic/versioning). */
enum era {
    ERA_LEGACY, /* 2025-03-26 to 2025-11-25: initialize first */
    ERA_MODERN, /* 2026-07-28: stateless, every request carries its version */
};

/* The request's headers that a later step reads; libmicrohttpd's memory. */
struct call_headers {
    const char *host, *origin, *content_type;
    const char *protocol_version, *mcp_method, *mcp_name;
    const char *content_length, *transfer_encoding;
    const char *repeated; /* the name of one that may stand once and stands twice; NULL: none */
    bool accept, accept_json;
    bool control_character; /* in a value */
};

struct call {
    struct server *server;
    const struct config *config;
    struct arena *arena;
    struct MHD_Connection *connection;
    uint64_t id;
    uint64_t started_us;
    unsigned step; /* the one to run next */
    struct call_headers headers;
    const char *method; /* HTTP's */
    const char *path;

    struct text body;
    bool body_too_large;
    size_t body_discarded_bytes; /* of a body that is too large */

    enum era era;
    const struct json *rpc_id; /* NULL: a notification, or not known yet */
    const struct json *rpc_method;
    const struct json *params;
    const struct config_tool *tool;
    const struct json *arguments; /* never NULL after validate */

    struct upstream_call upstream;
    enum outcome outcome;
    const char
        *problem; /* what went wrong before anything was sent, for the log; NULL: nothing did */

    /* The answer; filled by whoever decides it, sent by reply. */
    int status;
    struct text answer;
    const char *prepared; /* sent behind `answer`, as it lies; NULL: none */
    size_t prepared_length;
    const char *prepared_end; /* and this behind it */
    const char *allow;        /* Allow header; NULL: none */
    bool close;               /* the connection does not outlive this answer */
};

/* The steps, in order (call.c has the table). */
struct call *admit(struct server *server, struct MHD_Connection *connection, const char *method,
                   const char *path);
enum next guard(struct call *call);
enum next parse(struct call *call);
enum next validate(struct call *call);
enum next plan(struct call *call);
enum next send_upstream(struct call *call);
enum next shape(struct call *call);
enum next reply(struct call *call);
void reset(struct call *call);

/* Runs steps until one waits or ends; the worker's thread. */
void call_run(struct call *call);

/* A part of the request's body arrived. False: the connection is to be closed. */
CHECKED bool call_receive(struct call *call, const char *bytes, size_t length);

/* Keeps the problem for the log line, with its path. */
void call_note(struct call *call, const struct problem *problem);

/* Decides the answer of a request whose body is too large, with the limit in words. `bytes` is how
 * large it is, 0 where that is not known. */
CHECKED enum next call_refuse_too_large(struct call *call, unsigned long long bytes);

/* Decides the answer: an HTTP status with a sentence that is not JSON-RPC's (before the body is
 * read). */
CHECKED enum next call_refuse(struct call *call, int status, const char *sentence);
