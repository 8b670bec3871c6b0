/* Strings of the JSON parser: one pass that checks everything and finds the end; only a string with
 * escapes is walked a second time, to be written out. */
#include <stdbool.h>

#include "lib/json_scan.h"
#include "lib/limits.h"

#define NO_CODE_UNIT UINT32_MAX

static bool is_continuation(const char *at, unsigned char low, unsigned char high) {
    unsigned char byte = (unsigned char)*at;
    return byte >= low && byte <= high;
}

/* The length of the well-formed UTF-8 sequence (Unicode 15, table 3-7) of two bytes or more, or 0.
 */
static size_t sequence_length(const char *at, const char *end) {
    unsigned char lead = (unsigned char)*at;
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || (size_t)(end - at) < length) {
        return 0;
    }
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (!is_continuation(at + 1, low, high)) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if (!is_continuation(at + i, 0x80, 0xBF)) {
            return 0;
        }
    }
    return length;
}

/* The four hexadecimal digits of \uXXXX. */
static uint32_t code_unit(const char *at, const char *end) {
    if (end - at < 4) {
        return NO_CODE_UNIT;
    }
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char digit = at[i];
        uint32_t value;
        if (digit >= '0' && digit <= '9') {
            value = (uint32_t)(digit - '0');
        } else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f') {
            value = (uint32_t)((digit | 0x20) - 'a') + 10;
        } else {
            return NO_CODE_UNIT;
        }
        unit = unit << 4 | value;
    }
    return unit;
}

static bool is_high_surrogate(uint32_t unit) {
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(uint32_t unit) {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static uint32_t utf8_length(uint32_t character) {
    return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
}

/* Reads the escape whose backslash is at `at`: its character and how many bytes it takes; 0 when it
 * is none. */
static size_t read_escape(const char *at, const char *end, uint32_t *character) {
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    if (end - at < 2) {
        return 0;
    }
    if (at[1] != 'u') {
        const char *name = at[1] != '\0' ? strchr(names, at[1]) : NULL;
        *character = name ? (uint32_t)values[name - names] : 0;
        return name ? 2 : 0;
    }
    uint32_t unit = code_unit(at + 2, end);
    if (unit == NO_CODE_UNIT || is_low_surrogate(unit)) {
        return 0;
    }
    *character = unit;
    if (!is_high_surrogate(unit)) {
        return 6;
    }
    if (end - at < 8 || at[6] != '\\' || at[7] != 'u') {
        return 0;
    }
    uint32_t low = code_unit(at + 8, end);
    if (low == NO_CODE_UNIT || !is_low_surrogate(low)) {
        return 0;
    }
    *character = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    return 12;
}

static enum outcome refuse_escape(struct json_scan *scan, const char *at) {
    const char *text = "this is no escape that JSON knows: write the backslash itself as \\\\";
    if (scan->end - at < 2) {
        text = "the text ends within a string";
    } else if (at[1] == 'u') {
        uint32_t unit = code_unit(at + 2, scan->end);
        text = unit == NO_CODE_UNIT ? "\\u must be followed by four hexadecimal digits"
                                    : "this is half of a surrogate pair: \\u escapes above U+FFFF "
                                      "come in twos, high before low";
    }
    return json_refuse(scan, OUTCOME_INVALID, at, "%s", text);
}

static enum outcome refuse_byte(struct json_scan *scan, const char *at) {
    if (at == scan->end) {
        return json_refuse(scan, OUTCOME_INVALID, at,
                           "the text ends within a string: a closing quote is missing");
    }
    unsigned byte = (unsigned char)*at;
    if (byte >= 0x80) {
        return json_refuse(scan, OUTCOME_INVALID, at, "these bytes are not UTF-8");
    }
    return json_refuse(scan, OUTCOME_INVALID, at,
                       "a control character stands in a string: write it as \\u%04X", byte);
}

/* To the first byte from `at` on that is a quote, a backslash, a control character or not ASCII. */
static const char *skip_plain(const char *at, const char *end) {
    while (end - at >= 8) {
        uint64_t word = json_load_word(at);
        uint64_t mask = json_special_bytes(word) | (word & TOP_BITS);
        if (mask != 0) {
            return at + json_first_marked(mask);
        }
        at += 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\') {
        at++;
    }
    return at;
}

/* Writes `character` as UTF-8; behind it. */
static char *put_character(char *to, uint32_t character) {
    uint32_t length = utf8_length(character);
    if (length == 1) {
        *to = (char)character;
        return to + 1;
    }
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (uint32_t i = length - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    to[0] = (char)(leads[length] | character);
    return to + length;
}

/* Writes out what lies between the quotes; all of it was found good before. */
static const char *unescape(struct json_scan *scan, const char *from, const char *quote,
                            uint32_t length) {
    char *bytes = arena_alloc_raw(scan->arena, length);
    char *to = bytes;
    while (bytes && from < quote) {
        const char *backslash = memchr(from, '\\', (size_t)(quote - from));
        size_t plain = (size_t)((backslash ? backslash : quote) - from);
        memcpy(to, from, plain);
        to += plain;
        from += plain;
        if (backslash) {
            uint32_t character = 0;
            from += read_escape(from, quote, &character);
            to = put_character(to, character);
        }
    }
    return bytes;
}

enum outcome json_scan_string(struct json_scan *scan, const char **bytes, uint32_t *length) {
    const char *first = scan->at + 1, *at = first;
    size_t saved = 0; /* bytes that the escapes take more than what they stand for */
    while ((at = skip_plain(at, scan->end)) < scan->end && *at != '"') {
        uint32_t character = 0;
        size_t taken;
        if (*at == '\\') {
            taken = read_escape(at, scan->end, &character);
            if (taken == 0) {
                return refuse_escape(scan, at);
            }
            saved += taken - utf8_length(character);
        } else if ((unsigned char)*at < 0x80 || (taken = sequence_length(at, scan->end)) == 0) {
            return refuse_byte(scan, at);
        }
        at += taken;
    }
    if (at == scan->end) {
        return refuse_byte(scan, at);
    }
    size_t size = (size_t)(at - first) - saved;
    if (size > scan->limits->string_bytes_max) {
        return json_refuse(scan, OUTCOME_TOO_LARGE, scan->at,
                           "this string is %zu bytes long; at most %u are allowed", size,
                           scan->limits->string_bytes_max);
    }
    const char *string = saved > 0 ? unescape(scan, first, at, (uint32_t)size) : first;
    if (!string) {
        return OUTCOME_NO_MEMORY;
    }
    *bytes = string;
    *length = (uint32_t)size;
    scan->at = at + 1;
    return OUTCOME_OK;
}
