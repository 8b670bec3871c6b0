#include "test/bench/load/histogram.h"

#include <math.h>

static unsigned slot_of(uint64_t value) {
    const uint64_t sub = UINT64_C(1) << HISTOGRAM_SUB_BITS;
    if (value < sub)
        return (unsigned)value;
    if (value >> HISTOGRAM_VALUE_BITS)
        value = (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1;
    unsigned shift = 63U - (unsigned)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
    return ((shift + 1) << HISTOGRAM_SUB_BITS) + (unsigned)((value >> shift) - sub);
}

/* The largest value that falls into the slot. */
static uint64_t slot_top(unsigned slot) {
    const unsigned sub = 1U << HISTOGRAM_SUB_BITS;
    if (slot < sub)
        return slot;
    unsigned shift = (slot >> HISTOGRAM_SUB_BITS) - 1;
    return (((uint64_t)(slot & (sub - 1)) + sub + 1) << shift) - 1;
}

void histogram_record(struct histogram *h, uint64_t value_us) {
    h->counts[slot_of(value_us)]++;
    h->total++;
    if (value_us > h->max_us)
        h->max_us = value_us;
}

uint64_t histogram_percentile(const struct histogram *h, double percent) {
    if (!h->total)
        return 0;
    uint64_t rank = (uint64_t)ceil((double)h->total * percent / 100.0), seen = 0;
    if (rank < 1)
        rank = 1;
    for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
        seen += h->counts[slot];
        if (seen >= rank)
            return slot_top(slot) < h->max_us ? slot_top(slot) : h->max_us;
    }
    return h->max_us;
}
