#include <string.h>

#include "lib/json.h"
#include "lib/json_names.h"

static uint64_t hash_words(const uint64_t seed[2], uint64_t first, uint64_t second) {
    uint64_t words[2] = {first, second};
    char bytes[sizeof words];
    memcpy(bytes, words, sizeof bytes);
    return json_hash_bytes(seed, bytes, sizeof bytes);
}

/* Members may come in any order, so theirs are added up. */
static uint64_t hash_members(const struct json *object, const uint64_t seed[2]) {
    uint64_t sum = 0;
    for (const struct json *member = object->first; member; member = member->next) {
        uint64_t name = json_hash_bytes(seed, member->name, member->name_length);
        sum += hash_words(seed, name, json_hash(member, seed));
    }
    return sum;
}

static uint64_t hash_elements(const struct json *array, const uint64_t seed[2]) {
    uint64_t hash = 0;
    for (const struct json *element = array->first; element; element = element->next) {
        hash = hash_words(seed, hash, json_hash(element, seed));
    }
    return hash;
}

uint64_t json_hash(const struct json *value, const uint64_t seed[2]) {
    uint64_t content = 0;
    switch (value->type) {
    case JSON_NUMBER:
        content = json_hash_number(value, seed);
        break;
    case JSON_STRING:
        content = json_hash_bytes(seed, value->bytes, value->length);
        break;
    case JSON_ARRAY:
        content = hash_elements(value, seed);
        break;
    case JSON_OBJECT:
        content = hash_members(value, seed);
        break;
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        break;
    }
    return hash_words(seed, value->type, content);
}
