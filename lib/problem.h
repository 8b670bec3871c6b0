/* problem: what went wrong, in words for the person or the model that can mend it.
 *
 * Owner: the caller, usually on its stack. A problem is written by whoever finds it first and read
 * by whoever answers; it holds copies, so it outlives the arena. Keep out: secrets. */
#pragma once

#include <stdint.h>

#include "lib/limits.h"

struct problem {
    char text[PROBLEM_TEXT_BYTES]; /* a sentence without its full stop; "" when there is none */
    char path[PROBLEM_PATH_BYTES]; /* JSON Pointer (RFC 6901); "" is the whole document */
    uint32_t at;                   /* byte offset in a JSON text, line of a file; 0: not known */
};

/* Writes the text, cut to fit at a whole UTF-8 character; path and at are left as they are. */
__attribute__((format(printf, 2, 3))) void problem_set(struct problem *problem, const char *format,
                                                       ...);

/* Puts one step before the path that is there, escaped as RFC 6901 says: an inner check reports its
 * own part, its callers add theirs on the way out. A path that grows too long loses its end. */
void problem_path_prepend(struct problem *problem, const char *step);
