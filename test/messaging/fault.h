/* fault: what may be made to go wrong. A fault is asked for by the recipient ("fault:KIND",
 * known once the body is read) or armed beforehand with POST /v1/faults (known once the head is
 * read). Pure data and one small state; the service carries faults out. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How an exchange ends, whatever the protocol. */
enum ending {
    ENDING_ANSWER,        /* the answer, whole */
    ENDING_HALF_ANSWER,   /* its head and half its body, then FIN */
    ENDING_GARBAGE,       /* bytes that are no HTTP, then FIN */
    ENDING_CLOSE,         /* FIN without a byte */
    ENDING_RESET,         /* RST of the connection, over HTTP/2 too */
    ENDING_RESET_STREAM,  /* HTTP/2: RST_STREAM with INTERNAL_ERROR; HTTP/1.1: RST */
    ENDING_REFUSE_STREAM, /* HTTP/2: RST_STREAM with REFUSED_STREAM; HTTP/1.1: RST */
};

enum fault_kind {
    FAULT_NONE,
    FAULT_RESET_BEFORE_READ,
    FAULT_RESET_AFTER_READ,
    FAULT_RESET_AFTER_APPLY,
    FAULT_CLOSE_AFTER_APPLY,
    FAULT_HALF_ANSWER,
    FAULT_GARBAGE,
    FAULT_BAD_JSON,
    FAULT_HUGE_ANSWER,
    FAULT_STATUS_429,
    FAULT_STATUS_503,
    FAULT_STATUS_500,
    FAULT_STATUS_404,
    FAULT_REDIRECT,
    FAULT_SLOW,
    FAULT_STALL,
    FAULT_STREAM_REFUSED,
    FAULT_STREAM_RESET_AFTER_APPLY,
    FAULT_KINDS
};

struct fault_rule {
    const char *name;
    bool applies; /* the message is put into the inbox */
    int status;   /* of an error answer; 0: the ordinary answer */
    enum ending ending;
};

/* One fault as decided for one exchange. */
struct fault {
    enum fault_kind kind;
    int64_t delay_ms;  /* for "slow" */
    uint32_t huge_mib; /* for "huge_answer" */
};

/* Faults waiting for the next requests; all zero: none. */
struct fault_queue {
    struct fault fault;
    uint64_t count;
};

const struct fault_rule *fault_rule(enum fault_kind kind);
/* False when there is no such kind; FAULT_NONE is called "none". */
bool fault_named(const char *name, size_t size, enum fault_kind *kind);
/* Takes one from the queue: FAULT_NONE when it is empty. */
struct fault fault_take(struct fault_queue *queue);
