#pragma once
/* options: what the load generator was asked to do.
 *
 * Owner: main; filled once, then read only. Strings point into argv or into the struct. */
#include <stdbool.h>
#include <stdint.h>

enum load_mode { LOAD_MCP, LOAD_POST };
enum load_era { LOAD_LEGACY, LOAD_MODERN };

/* What a call is for, chosen by weight. Each kind has an outcome that counts as right. */
enum call_kind {
    CALL_GOOD,      /* answered in full, with our id and our text */
    CALL_BAD,       /* broken JSON, unknown tool, wrong types: refused, never served */
    CALL_OVERSIZED, /* a body above the limit: 413, or the connection closed on us */
    CALL_ABORT,     /* we close mid-call: nothing to check but that the server lives on */
    CALL_HEALTH,    /* GET of the health path: 200 */
    CALL_IDLE,      /* a connection that says nothing for a while */
    CALL_FAULT,     /* the messaging service is told to misbehave: an error result */
    CALL_KINDS
};

struct load_options {
    char host[64];
    char path[256];
    uint16_t port;
    unsigned connections;
    double duration_s;
    double warmup_s;
    uint64_t requests; /* 0: bounded by the duration alone */
    enum load_mode mode;
    enum load_era era;
    unsigned think_ms;
    unsigned idle_ms;
    unsigned abort_ms; /* an aborted call is closed at most this long after it was sent */
    unsigned timeout_ms;
    unsigned text_bytes;
    unsigned oversize_bytes;
    const char *health_path;
    const char *faults; /* names of the messaging service's faults, with commas between */
    const char *token;  /* bearer token to send, or NULL */
    unsigned weights[CALL_KINDS];
    unsigned weight_sum;
    uint64_t seed;
    bool json;
};

const char *call_kind_name(enum call_kind kind);

/* False after saying on stderr what was wrong. Exits with 0 after --help. */
bool options_parse(struct load_options *o, int argc, char **argv);
