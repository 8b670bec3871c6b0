#include "test/messaging/query.h"

#include "test/messaging/memory.h"

#include <string.h>

size_t query_path_size(const char *target) {
    return strcspn(target, "?");
}

static int hex_digit(char byte) {
    const char *digits = "0123456789abcdef0123456789ABCDEF";
    const char *found = byte ? strchr(digits, byte) : NULL;

    return found ? (int)(found - digits) % 16 : -1;
}

static char *decode(const char *from, size_t size, size_t *decoded_size) {
    char *decoded = memory_copy(from, size);
    size_t written = 0;

    for (size_t i = 0; i < size; i++) {
        int high = -1, low = -1;

        if (from[i] == '%' && i + 2 < size) {
            high = hex_digit(from[i + 1]);
            low = hex_digit(from[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            decoded[written++] = (char)(high * 16 + low);
            i += 2;
        } else {
            decoded[written++] = from[i] == '+' ? ' ' : from[i];
        }
    }
    decoded[written] = '\0';
    *decoded_size = written;
    return decoded;
}

char *query_value(const char *target, const char *name, size_t *size) {
    const char *at = target + query_path_size(target);
    size_t name_size = strlen(name);

    while (*at) {
        size_t part = strcspn(++at, "&");

        if (part > name_size && memcmp(at, name, name_size) == 0 && at[name_size] == '=') {
            return decode(at + name_size + 1, part - name_size - 1, size);
        }
        at += part;
    }
    return NULL;
}
