#include "lib/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES_FIRST 128u

struct text text_new(struct arena *arena, size_t bytes_max) {
    return (struct text){.arena = arena, .bytes_max = bytes_max};
}

bool text_failed(const struct text *text) {
    return text->too_large || arena_exhausted(text->arena);
}

/* Makes room for `bytes` more and the NUL; false when that cannot be. */
static bool make_room(struct text *text, size_t bytes) {
    if (text_failed(text)) {
        return false;
    }
    if (bytes > text->bytes_max - text->length) {
        text->too_large = true;
        return false;
    }
    size_t need = text->length + bytes + 1;
    if (need <= text->capacity) {
        return true;
    }
    size_t capacity = text->capacity ? text->capacity * 2 : TEXT_BYTES_FIRST;
    if (capacity < need) {
        capacity = need;
    }
    if (capacity > text->bytes_max + 1) {
        capacity = text->bytes_max + 1;
    }
    char *grown = arena_grow(text->arena, text->bytes, text->capacity, capacity);
    if (!grown) {
        return false;
    }
    text->bytes = grown;
    text->capacity = capacity;
    return true;
}

void text_reserve(struct text *text, size_t bytes) {
    if (make_room(text, bytes)) {
        text->bytes[text->length] = '\0';
    }
}

void text_add(struct text *text, const char *bytes, size_t length) {
    if (!make_room(text, length)) {
        return;
    }
    if (length > 0) {
        memcpy(text->bytes + text->length, bytes, length);
    }
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add_string(struct text *text, const char *string) {
    text_add(text, string, strlen(string));
}

void text_add_char(struct text *text, char byte) {
    text_add(text, &byte, 1);
}

void text_add_format(struct text *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0 && make_room(text, (size_t)length)) {
        vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

void text_trim(struct text *text) {
    if (text->bytes) {
        text->capacity = arena_trim(text->arena, text->bytes, text->capacity, text->length + 1);
    }
}
