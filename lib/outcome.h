/* outcome: how a step of a call, or the call, ended. One enum, one variable name: `outcome`. */
#pragma once

#define CHECKED __attribute__((warn_unused_result))

enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_INVALID,   /* the input was wrong: the problem says what and where */
    OUTCOME_TOO_LARGE, /* the input was more than a limit allows: the problem names the limit */
    OUTCOME_NO_MEMORY, /* the arena or the pool has nothing left: try again later */
    OUTCOME_NOT_SENT,  /* nothing reached the upstream: safe to repeat */
    OUTCOME_REFUSED,   /* the upstream answered, and did not do it */
    OUTCOME_UNKNOWN,   /* it was handed over, and no whole answer came: it may have been done */
    OUTCOME_CANCELLED, /* the caller went away before anything was sent */
};

/* The outcome's name for logs and metrics, as "not_sent". Static; any thread. */
const char *outcome_name(enum outcome outcome);
