#include "lib/json.h"

#include <assert.h>
#include <string.h>

#include "lib/json_names.h"

const struct json_limits json_limits_message = {
    .depth_max = JSON_DEPTH_MAX,
    .members_max = JSON_MEMBERS_MAX,
    .nodes_max = JSON_NODES_MAX,
    .string_bytes_max = JSON_STRING_BYTES_MAX,
};

const struct json_limits json_limits_file = {
    .depth_max = JSON_FILE_DEPTH_MAX,
    .members_max = JSON_FILE_MEMBERS_MAX,
    .nodes_max = JSON_FILE_NODES_MAX,
    .string_bytes_max = JSON_STRING_BYTES_MAX,
};

static bool bytes_are(const char *bytes, uint32_t length, const char *other, size_t other_length) {
    return length == other_length && memcmp(bytes, other, length) == 0;
}

const struct json *json_member(const struct json *object, const char *name) {
    if (!object || object->type != JSON_OBJECT) {
        return NULL;
    }
    size_t length = strlen(name);
    const struct json *member = object->first;
    while (member && !bytes_are(member->name, member->name_length, name, length)) {
        member = member->next;
    }
    return member;
}

bool json_string_is(const struct json *value, const char *string) {
    return value && value->type == JSON_STRING &&
           bytes_are(value->bytes, value->length, string, strlen(string));
}

static bool arrays_equal(const struct json *a, const struct json *b) {
    const struct json *of_b = b->first;
    for (const struct json *of_a = a->first; of_a; of_a = of_a->next, of_b = of_b->next) {
        if (!json_equal(of_a, of_b)) {
            return false;
        }
    }
    return true;
}

/* Names are unique and the objects have as many members: so each of a's need only be found in b.
 * The search goes on where the last one ended, since equal objects mostly have the same order. */
static bool objects_equal(const struct json *a, const struct json *b) {
    const struct json *of_b = b->first;
    for (const struct json *of_a = a->first; of_a; of_a = of_a->next) {
        uint32_t left = b->length;
        while (left > 0 &&
               !bytes_are(of_a->name, of_a->name_length, of_b->name, of_b->name_length)) {
            of_b = of_b->next ? of_b->next : b->first;
            left--;
        }
        if (left == 0 || !json_equal(of_a, of_b)) {
            return false;
        }
        of_b = of_b->next ? of_b->next : b->first;
    }
    return true;
}

bool json_equal(const struct json *a, const struct json *b) {
    if (a->type != b->type) {
        return false;
    }
    switch (a->type) {
    case JSON_NUMBER:
        return json_number_compare(a, b) == 0;
    case JSON_STRING:
        return bytes_are(a->bytes, a->length, b->bytes, b->length);
    case JSON_ARRAY:
        return a->length == b->length && arrays_equal(a, b);
    case JSON_OBJECT:
        return a->length == b->length && objects_equal(a, b);
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        break;
    }
    return true;
}

struct json_excerpt json_excerpt(const char *bytes, size_t length) {
    struct json_excerpt excerpt;
    size_t room = sizeof excerpt.text - sizeof "...";
    size_t kept = length <= room ? length : room;
    while (kept > 0 && kept < length && ((unsigned char)bytes[kept] & 0xC0) == 0x80) {
        kept--;
    }
    for (size_t i = 0; i < kept; i++) {
        bool control = (unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7F;
        excerpt.text[i] = control ? '?' : bytes[i];
    }
    memcpy(excerpt.text + kept, kept < length ? "..." : "", kept < length ? 4 : 1);
    return excerpt;
}

struct json *json_new(struct arena *arena, enum json_type type) {
    struct json *json = arena_alloc(arena, sizeof *json);
    if (json) {
        json->type = type;
    }
    return json;
}

void json_append(struct json *parent, struct json **last, struct json *child) {
    assert(parent->type == JSON_ARRAY || parent->type == JSON_OBJECT);
    if (*last) {
        (*last)->next = child;
    } else {
        parent->first = child;
    }
    *last = child;
    parent->length++;
}
