/* text: bytes that grow, in an arena. For whatever is written out: JSON, URLs, headers, answers.
 *
 * Owner and lifetime: the arena's. One thread at a time.
 * A failure sticks (text_failed): add what there is to add, then check once. The bytes always end
 * in a NUL that length does not count; they move when they grow, so keep no pointer into them
 * meanwhile. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"

struct text {
    struct arena *arena;
    char *bytes; /* NULL until something was added */
    size_t length;
    size_t capacity;
    size_t bytes_max; /* no more than this, NUL not counted */
    bool too_large;   /* bytes_max was hit; the other failure is the arena's */
};

struct text text_new(struct arena *arena, size_t bytes_max);

/* Room for `bytes` more at once, where the size is known; so that they need not grow (and move)
 * later. */
void text_reserve(struct text *text, size_t bytes);

void text_add(struct text *text, const char *bytes, size_t length);
void text_add_string(struct text *text, const char *string);
void text_add_char(struct text *text, char byte);
__attribute__((format(printf, 2, 3))) void text_add_format(struct text *text, const char *format,
                                                           ...);

/* Nothing more is coming: gives the room behind the NUL back, if the text was the last thing the
 * arena handed out. */
void text_trim(struct text *text);

bool text_failed(const struct text *text);
