/* json: RFC 8259, to the letter, in one pass into an arena.
 *
 * The tree is read-only once made and dies with its arena; strings without escapes point into the
 * text that was parsed, so that text must live as long (the call's body lies in the same arena).
 * Numbers are kept as the characters they came in: nothing is rounded on the way through (RFC 8259
 * section 6 leaves precision to the receiver, and a message id is 64 bits). Refused beyond the
 * RFC's grammar: invalid UTF-8, lone surrogates (RFC 8259 section 8.2 calls them unpredictable),
 * duplicate names (section 4), U+0000 is allowed in strings (lengths are carried). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/limits.h"
#include "lib/outcome.h"
#include "lib/problem.h"
#include "lib/text.h"

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json {
    const char *name;   /* the member's name, unescaped, NOT NUL-ended; NULL outside an object */
    const char *bytes;  /* string: unescaped UTF-8; number: its characters; NOT NUL-ended */
    struct json *first; /* array or object: its first element or member */
    struct json *next;  /* the sibling behind this one */
    uint32_t name_length;
    uint32_t length; /* string, number: bytes; array, object: how many */
    uint32_t at;     /* byte offset in the text, or line of a YAML file: for problems */
    enum json_type type;
};

struct json_limits {
    uint32_t depth_max;
    uint32_t members_max; /* of one object */
    uint32_t nodes_max;   /* in all */
    uint32_t string_bytes_max;
};

extern const struct json_limits json_limits_message; /* what arrives from outside */
extern const struct json_limits json_limits_file;    /* our own files, read once */

/* Parses exactly one JSON text. OUTCOME_INVALID (the problem says what, at which byte offset),
 * OUTCOME_TOO_LARGE (a limit), OUTCOME_NO_MEMORY. Linear time in `length`, whatever the text. *root
 * is untouched on failure. Any thread. */
CHECKED enum outcome json_parse(struct arena *arena, const char *bytes, size_t length,
                                const struct json_limits *limits, const struct json **root,
                                struct problem *problem);

/* The member of that exact name (case matters); NULL when there is none or `object` is no object or
 * NULL. */
const struct json *json_member(const struct json *object, const char *name);

/* True when the value is that string. NULL is no string. */
bool json_string_is(const struct json *value, const char *string);

/* The number as an integer: false unless its value is a whole number that fits (1.0 and 1e2 are
 * whole). */
CHECKED bool json_to_int64(const struct json *number, int64_t *value);

/* Equal as JSON Schema 2020-12 core section 4.2.2 has it: numbers by value, objects whatever their
 * order. */
bool json_equal(const struct json *a, const struct json *b);

/* True when the number's value is whole, as JSON Schema's "integer" has it: 1.0 and 1e2 are. */
bool json_number_is_whole(const struct json *number);

/* True when number / divisor is whole, exactly. The divisor is not zero and has at most
 * JSON_DIVISOR_DIGITS_MAX significant digits (json_number_digits). */
bool json_number_is_multiple(const struct json *number, const struct json *divisor);

/* How many significant digits the number has, zeros at both ends not counted; 0 when its value is
 * zero. */
uint32_t json_number_digits(const struct json *number);

/* Compares two numbers by their exact value, however long they are: <0, 0, >0. */
int json_number_compare(const struct json *a, const struct json *b);

/* Values that are json_equal have the same hash. The seed keeps others from preparing values that
 * collide. */
uint64_t json_hash(const struct json *value, const uint64_t seed[2]);

/* Fills the seed with random bits. Any thread. */
void json_seed(uint64_t seed[2]);

/* Writes the value, compact, numbers digit for digit. */
void json_write(struct text *text, const struct json *value);

/* Writes the bytes (UTF-8) as a JSON string with its quotes, escaping what RFC 8259 section 7
 * demands. */
void json_write_string(struct text *text, const char *bytes, size_t length);

/* The start of a string, fit to be quoted in a sentence: cut at a whole character, "..." behind it
 * when it was cut, control characters as question marks. */
struct json_excerpt {
    char text[JSON_EXCERPT_BYTES];
};
struct json_excerpt json_excerpt(const char *bytes, size_t length);

/* For building trees in an arena (the YAML loader, tests). NULL when the arena is exhausted. The
 * name is not copied. */
struct json *json_new(struct arena *arena, enum json_type type);

/* Makes `child` the parent's last element or member; *last is the one before (NULL for the first)
 * and then the child. */
void json_append(struct json *parent, struct json **last, struct json *child);
