#include "lib/json.h"
#include "lib/json_scan.h"

/* To the first byte from `at` on that must be escaped. */
static const char *skip_unescaped(const char *at, const char *end) {
    while (end - at >= 8) {
        uint64_t mask = json_special_bytes(json_load_word(at));
        if (mask != 0) {
            return at + json_first_marked(mask);
        }
        at += 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

static void write_escape(struct text *text, char byte) {
    static const char digits[] = "0123456789abcdef";
    static const char bytes[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    const char *found = byte != '\0' ? strchr(bytes, byte) : NULL;
    if (found) {
        text_add(text, (const char[]){'\\', names[found - bytes]}, 2);
        return;
    }
    unsigned code = (unsigned char)byte;
    text_add(text, (const char[]){'\\', 'u', '0', '0', digits[code >> 4], digits[code & 15]}, 6);
}

void json_write_string(struct text *text, const char *bytes, size_t length) {
    const char *at = bytes, *end = bytes + length;
    text_add_char(text, '"');
    while (at < end) {
        const char *plain = at;
        at = skip_unescaped(at, end);
        text_add(text, plain, (size_t)(at - plain));
        if (at < end) {
            write_escape(text, *at++);
        }
    }
    text_add_char(text, '"');
}

static void write_elements(struct text *text, const struct json *container) {
    bool object = container->type == JSON_OBJECT;
    text_add_char(text, object ? '{' : '[');
    for (const struct json *child = container->first; child; child = child->next) {
        if (child != container->first) {
            text_add_char(text, ',');
        }
        if (object) {
            json_write_string(text, child->name, child->name_length);
            text_add_char(text, ':');
        }
        json_write(text, child);
    }
    text_add_char(text, object ? '}' : ']');
}

void json_write(struct text *text, const struct json *value) {
    switch (value->type) {
    case JSON_NULL:
        text_add(text, "null", 4);
        break;
    case JSON_FALSE:
        text_add(text, "false", 5);
        break;
    case JSON_TRUE:
        text_add(text, "true", 4);
        break;
    case JSON_NUMBER:
        text_add(text, value->bytes, value->length);
        break;
    case JSON_STRING:
        json_write_string(text, value->bytes, value->length);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        write_elements(text, value);
        break;
    }
}
