#pragma once
/* tally: what came of the calls, counted in fixed memory.
 *
 * Calls and latencies count for the measured window; errors and totals from the first call to
 * the last, for an error in the warm-up is one too. Owner: one thread. */
#include "test/bench/load/answer.h"
#include "test/bench/load/histogram.h"

enum { TALLY_ERRORS = 24, TALLY_SAMPLE = 200 };

struct tally_error {
    char name[32];
    uint64_t count;
    char sample[TALLY_SAMPLE];
};

struct tally {
    struct histogram good; /* of good calls ended in the window */
    uint64_t window_calls; /* of every kind, right or wrong */
    uint64_t issued[CALL_KINDS];
    uint64_t right[CALL_KINDS];
    uint64_t connections_opened;
    uint64_t errors;
    struct tally_error kinds[TALLY_ERRORS]; /* the last takes what finds no place */
    bool measuring;
    double window_s;
    double cpu_us; /* of this process, in the window */
};

/* `error` NULL: the call went as it should. `answer` may be NULL; it is the error's sample. */
void tally_end_call(struct tally *t, const struct call *call, uint64_t now_us, const char *error,
                    const struct answer *answer);
void tally_print(const struct tally *t, bool json);
