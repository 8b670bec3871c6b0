#include "lib/similar.h"

#include <string.h>

/* Longer names are not compared: nobody misspells them by hand. */
#define NAME_BYTES_MAX 64u

static char lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

static unsigned smaller(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Damerau's distance, each neighbours' swap counted as one (optimal string alignment). */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    unsigned rows[3][NAME_BYTES_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++) {
        last[j] = (unsigned)j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned change = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + change);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1])) {
                row[j] = smaller(row[j], before[j - 2] + 1);
            }
        }
        unsigned *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[b_length];
}

struct similar similar_to(const char *wanted, size_t length) {
    return (struct similar){.wanted = wanted, .wanted_length = length};
}

void similar_offer(struct similar *similar, const char *name, size_t length) {
    if (length > NAME_BYTES_MAX || similar->wanted_length > NAME_BYTES_MAX) {
        return;
    }
    size_t longer = length > similar->wanted_length ? length : similar->wanted_length;
    unsigned near = distance(similar->wanted, similar->wanted_length, name, length);
    if (near > (longer + 2) / 3 || near >= longer) {
        return;
    }
    if (!similar->best || near < similar->best_distance) {
        similar->best = name;
        similar->best_length = length;
        similar->best_distance = near;
    }
}
