/* config: the configuration file, read once, checked whole, immutable from then on.
 *
 * Everything hangs off one heap arena: config_free() ends it all. Shared by all threads without a
 * lock. Secrets are resolved here (from the environment or a file) and appear in no error, log or
 * dump. Its published JSON Schema is server/config.schema.json, compiled into the program. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/arena.h"
#include "lib/json.h"
#include "lib/schema.h"
#include "lib/template.h"

enum config_http {
    CONFIG_HTTP_AUTO, /* HTTP/2 where the upstream offers it (ALPN), else HTTP/1.1 */
    CONFIG_HTTP_1,
    CONFIG_HTTP_2,
};

/* Where to listen. */
struct config_address {
    const char *text; /* as written; NULL: nowhere */
    struct sockaddr_storage socket;
    socklen_t length;
};

struct config_upstream {
    const char *name;
    const char *url;         /* scheme://authority/base, no slash at its end; checked */
    const char *auth_header; /* "Authorization: Bearer ..." ready to send, or NULL. Secret. */
    const char *ca_file;     /* readable when it was loaded; NULL: the system's bundle */
    enum config_http http;
    bool tls;
    bool private_addresses; /* its name may resolve to a loopback, private or link-local address */
    uint32_t timeout_ms;    /* of a call, from its arrival to its answer */
    uint32_t connections_max; /* to this upstream over HTTP/1.1; 0: as many as calls in flight */
};

struct config_header {
    const char *name;
    const struct template *value;
};

struct config_tool {
    const char *name;
    const char *title;        /* or NULL */
    const char *description;  /* or NULL */
    const struct json *input; /* the input schema as written, else one of no arguments */
    const struct schema *input_schema;
    const struct json *annotations; /* as written, or NULL */
    const struct config_upstream *upstream;
    const char *method;
    const struct template *path;
    const struct template *query; /* or NULL */
    const struct template *body;  /* or NULL */
    const struct config_header *headers;
    size_t header_count;
    const char *idempotency_header;   /* or NULL */
    const char *const *response_keep; /* names of members to keep; NULL: all */
    size_t response_keep_count;
    uint32_t timeout_ms; /* the tool's own, else its upstream's */
};

struct config {
    struct arena *arena;
    const char *file;
    struct {
        struct config_address listen;
        struct config_address admin; /* health, metrics, the ledger; off unless set */
        const char *path;            /* "/mcp" */
        const char *name;            /* serverInfo.name; default "plateau" */
        const char *instructions;    /* or NULL */
    } server;
    struct {
        uint64_t memory_bytes; /* 0: not set, see memory_budget.h */
        uint32_t calls_max;    /* 0: not set, as many as fit */
        uint32_t request_bytes_max;
        uint32_t response_bytes_max;
    } limits;
    const struct config_upstream *upstreams;
    size_t upstream_count;
    const struct config_tool *tools; /* in the file's order */
    size_t tool_count;
    const struct config_tool *const *tools_by_name; /* sorted, for config_tool() */
};

/* Why a configuration was refused: one line for each thing wrong, as many as fit, with file, line
 * and path. What follows from another error is not listed. No newline at the end. */
struct config_error {
    char text[4096]; /* "plateau.yaml:12: /tools/0/request/methd: unknown member ..." */
};

/* Reads and checks the file. NULL when it is refused; `error` says why. The caller ends it with
 * config_free(). */
struct config *config_load(const char *file, struct config_error *error);

/* The same of bytes at hand; `file` is the name that errors show, and relative paths start at its
 * folder. */
struct config *config_parse(const char *file, const char *bytes, size_t length,
                            struct config_error *error);
void config_free(struct config *config);

/* The tool of that name; NULL when there is none. */
const struct config_tool *config_tool(const struct config *config, const char *name,
                                      size_t name_length);
