#include "test/messaging/bytes.h"

#include "test/messaging/limits.h"
#include "test/messaging/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *room(struct bytes *b, size_t more) {
    size_t wanted = b->size + more + 1;

    if (wanted > b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : 256;

        b->capacity = capacity > wanted ? capacity : wanted;
        b->data = memory_resize(b->data, b->capacity);
    }
    return b->data + b->size;
}

static void grown(struct bytes *b, size_t more) {
    b->size += more;
    b->data[b->size] = '\0';
}

void bytes_append(struct bytes *b, const void *data, size_t size) {
    char *end = room(b, size);

    if (size > 0) {
        memcpy(end, data, size);
    }
    grown(b, size);
}

void bytes_text(struct bytes *b, const char *text) {
    bytes_append(b, text, strlen(text));
}

void bytes_fill(struct bytes *b, char byte, size_t count) {
    memset(room(b, count), byte, count);
    grown(b, count);
}

void bytes_format(struct bytes *b, const char *format, ...) {
    va_list first, second;
    int size;

    va_start(first, format);
    va_copy(second, first);
    size = vsnprintf(NULL, 0, format, first);
    va_end(first);
    if (size > 0) {
        vsnprintf(room(b, (size_t)size), (size_t)size + 1, format, second);
        grown(b, (size_t)size);
    }
    va_end(second);
}

void bytes_json(struct bytes *b, const char *text, size_t size) {
    size_t plain = 0;

    bytes_append(b, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        bytes_append(b, text + plain, i - plain);
        plain = i + 1;
        if (byte < 0x20) {
            bytes_format(b, "\\u%04x", byte);
        } else {
            bytes_format(b, "\\%c", byte);
        }
    }
    bytes_append(b, text + plain, size - plain);
    bytes_append(b, "\"", 1);
}

void bytes_consume(struct bytes *b, size_t size) {
    if (size > 0) {
        memmove(b->data, b->data + size, b->size - size + 1);
        b->size -= size;
    }
}

void bytes_clear(struct bytes *b) {
    if (b->capacity > BUFFER_KEPT_BYTES_MAX) {
        bytes_free(b);
    } else {
        b->size = 0;
    }
}

void bytes_free(struct bytes *b) {
    free(b->data);
    *b = (struct bytes){0};
}
