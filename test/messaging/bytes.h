/* bytes: a growing buffer. All zero is an empty one. Whoever holds the struct owns
 * its memory and calls bytes_free(). A NUL always follows the last byte of one that
 * was ever written to. Running out of memory ends the program (memory.h); whoever
 * appends what came from outside bounds it first. */
#pragma once

#include <stddef.h>

struct bytes {
    char *data;
    size_t size;
    size_t capacity;
};

void bytes_append(struct bytes *b, const void *data, size_t size);
void bytes_text(struct bytes *b, const char *text);
__attribute__((format(printf, 2, 3))) void bytes_format(struct bytes *b, const char *format, ...);
/* A JSON string (RFC 8259 section 7) with its quotes. The input is UTF-8 already. */
void bytes_json(struct bytes *b, const char *text, size_t size);
void bytes_fill(struct bytes *b, char byte, size_t count);
/* Removes the first bytes. */
void bytes_consume(struct bytes *b, size_t size);
/* Empties it, and keeps a small allocation for the next use. */
void bytes_clear(struct bytes *b);
void bytes_free(struct bytes *b);
