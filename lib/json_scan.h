/* json_scan: what the files of the JSON parser share. Nobody else includes it.
 *
 * Fast paths look at eight bytes at a time: a mask has the top bit of each byte set that needs a
 * closer look. A borrow may set further bits above the first one, so only the lowest is exact, and
 * only that one is used. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "lib/json.h"

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))
#define TOP_BITS EACH_BYTE(0x80u)

struct json_scan {
    const char *start;
    const char *at;
    const char *end;
    struct arena *arena;
    const struct json_limits *limits;
    struct problem *problem;
};

/* Notes the place and hands the outcome through. */
enum outcome json_refuse(struct json_scan *scan, enum outcome outcome, const char *at,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* From the opening quote to behind the closing one. The bytes lie in the text, or in the arena
 * where there were escapes. */
CHECKED enum outcome json_scan_string(struct json_scan *scan, const char **bytes, uint32_t *length);

/* Bytes that a JSON string's end or an escape needs: quote, backslash, control characters. */
static inline uint64_t json_special_bytes(uint64_t word) {
    uint64_t quote = word ^ EACH_BYTE('"'), backslash = word ^ EACH_BYTE('\\');
    return (((quote - EACH_BYTE(1u)) & ~quote) | ((backslash - EACH_BYTE(1u)) & ~backslash) |
            ((word - EACH_BYTE(0x20u)) & ~word)) &
           TOP_BITS;
}

static inline uint64_t json_load_word(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

static inline unsigned json_first_marked(uint64_t mask) {
    return (unsigned)__builtin_ctzll(mask) / 8;
}
