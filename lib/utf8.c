#include "lib/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the character that starts here, 0 when it is malformed: RFC 3629 section 4. */
static size_t character_length(const unsigned char *at, size_t left) {
    unsigned char lead = at[0];
    size_t length = lead < 0x80   ? 1
                    : lead < 0xC2 ? 0
                    : lead < 0xE0 ? 2
                    : lead < 0xF0 ? 3
                    : lead < 0xF5 ? 4
                                  : 0;
    if (length == 0 || length > left) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (lead == 0xE0 && at[1] < 0xA0) || (lead == 0xF0 && at[1] < 0x90);
    bool surrogate = lead == 0xED && at[1] > 0x9F;
    bool beyond = lead == 0xF4 && at[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : length;
}

bool utf8_is_valid(const char *bytes, size_t length) {
    const unsigned char *at = (const unsigned char *)bytes, *end = at + length;
    while (at < end) {
        uint64_t word;
        if (end - at >= 8 && (memcpy(&word, at, 8), !(word & UINT64_C(0x8080808080808080)))) {
            at += 8; /* ASCII, eight at a time */
            continue;
        }
        size_t step = character_length(at, (size_t)(end - at));
        if (step == 0) {
            return false;
        }
        at += step;
    }
    return true;
}

size_t utf8_cut(const char *bytes, size_t length, size_t length_max) {
    if (length <= length_max) {
        return length;
    }
    while (length_max > 0 && ((unsigned char)bytes[length_max] & 0xC0) == 0x80) {
        length_max--;
    }
    return length_max;
}
