/* json_names: finds a name that an object has twice, in time linear in the object. Part of the JSON
 * parser.
 *
 * A few names are compared pair by pair. Many go through a hash table whose key is drawn at random
 * for each text, so that nobody can prepare names that collide. The table is kept for the next
 * large object of the same text. */
#pragma once

#include <stdint.h>

#include "lib/json.h"

struct json_names {
    const struct json **table;
    size_t size;      /* slots: a power of two; 0 until there was a large object */
    uint64_t seed[2]; /* drawn with the first table */
};

/* *repeated becomes the second member of a name that is there twice, or NULL. False when the arena
 * is exhausted. */
CHECKED bool json_names_check(struct json_names *names, struct arena *arena,
                              const struct json *object, const struct json **repeated);

/* A keyed hash (SipHash-1-3) of the bytes. */
uint64_t json_hash_bytes(const uint64_t seed[2], const char *bytes, size_t length);

/* The same for numbers of the same value, however they are written. */
uint64_t json_hash_number(const struct json *number, const uint64_t seed[2]);
