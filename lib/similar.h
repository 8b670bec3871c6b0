/* similar: the known name that a misspelt one was probably meant to be. For "did you mean"; not for
 * the call path.
 *
 *     similar_to -> similar_offer ... -> best */
#pragma once

#include <stddef.h>

struct similar {
    const char *wanted;
    size_t wanted_length;
    const char *best; /* the nearest offered so far, not copied; NULL: none comes near */
    size_t best_length;
    unsigned best_distance;
};

struct similar similar_to(const char *wanted, size_t length);

/* Near are names within a third of their length in insertions, deletions, changes and swaps of
 * neighbours, letters' case not counted. */
void similar_offer(struct similar *similar, const char *name, size_t length);
