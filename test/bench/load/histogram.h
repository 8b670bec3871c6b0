#pragma once
/* histogram: how long calls took, in memory that does not grow with their number.
 *
 * Each power of two is cut into 64 slots, so a percentile is at most 1.6 % too high.
 * Owner: one thread. Values are microseconds; what is above 2^40 counts as 2^40. */
#include <stdint.h>

enum { HISTOGRAM_SUB_BITS = 6, HISTOGRAM_VALUE_BITS = 40 };
enum { HISTOGRAM_SLOTS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 2) << HISTOGRAM_SUB_BITS };

struct histogram {
    uint64_t counts[HISTOGRAM_SLOTS];
    uint64_t total;
    uint64_t max_us;
};

void histogram_record(struct histogram *h, uint64_t value_us);

/* The value at or under which `percent` of 100 of the records lie; 0 when there are none. */
uint64_t histogram_percentile(const struct histogram *h, double percent);
