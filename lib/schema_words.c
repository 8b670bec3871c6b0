/* What a check says when something is wrong: a sentence for a model, whose subject is the path. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/schema_checker.h"

const char *schema_type_name(unsigned type) {
    static const char *const names[SCHEMA_TYPES] = {
        [JSON_NULL] = "null",        [JSON_FALSE] = "a boolean",
        [JSON_TRUE] = "a boolean",   [JSON_NUMBER] = "a number",
        [JSON_STRING] = "a string",  [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object", [SCHEMA_TYPE_INTEGER] = "an integer",
    };
    return names[type];
}

__attribute__((format(printf, 3, 0))) static void set_words(const struct place *place,
                                                            const struct json *value,
                                                            const char *format, va_list arguments) {
    char text[PROBLEM_TEXT_BYTES];
    vsnprintf(text, sizeof text, format, arguments);
    problem_set(place->problem, "%s", text);
    place->problem->path[0] = '\0';
    place->problem->at = value->at;
}

bool schema_wrong(const struct place *place, const struct json *value, const char *format, ...) {
    if (place->problem) {
        va_list arguments;
        va_start(arguments, format);
        set_words(place, value, format, arguments);
        va_end(arguments);
    }
    return false;
}

bool schema_wrong_within(const struct place *place, const struct json *child, uint32_t index,
                         const char *format, ...) {
    if (place->problem) {
        va_list arguments;
        va_start(arguments, format);
        set_words(place, child, format, arguments);
        va_end(arguments);
        schema_path_prepend(place->problem, child, index);
    }
    return false;
}

/* The longest start of the name that a path can hold; a NUL ends it. */
__attribute__((noinline)) void schema_path_prepend(struct problem *problem,
                                                   const struct json *child, uint32_t index) {
    char step[PROBLEM_PATH_BYTES];
    if (child->name) {
        snprintf(step, sizeof step, "%.*s", (int)child->name_length, child->name);
    } else {
        snprintf(step, sizeof step, "%u", index);
    }
    problem_path_prepend(problem, step);
}

bool schema_abort(struct check *check, const struct place *place, enum outcome outcome) {
    if (check->outcome == OUTCOME_OK) {
        check->outcome = outcome;
        check->stopped_at_path = place->problem == check->problem;
        (void)schema_wrong(place, place->value, "could not be checked");
    }
    return false;
}

void sentence_add(struct sentence *sentence, const char *format, ...) {
    if (sentence->full) {
        return;
    }
    size_t room = sizeof sentence->text - sizeof " ..." - sentence->used;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(sentence->text + sentence->used, room, format, arguments);
    va_end(arguments);
    sentence->full = length < 0 || (size_t)length >= room;
    if (sentence->full) {
        strcpy(sentence->text + sentence->used, " ...");
    } else {
        sentence->used += (size_t)length;
    }
}

struct words schema_describe(const struct json *value) {
    struct words words;
    const char *text = "";
    switch (value->type) {
    case JSON_NUMBER:
        snprintf(words.text, sizeof words.text, "%s",
                 json_excerpt(value->bytes, value->length).text);
        return words;
    case JSON_STRING:
        snprintf(words.text, sizeof words.text, "\"%s\"",
                 json_excerpt(value->bytes, value->length).text);
        return words;
    case JSON_ARRAY:
        snprintf(words.text, sizeof words.text, "an array of %u item%s", value->length,
                 value->length == 1 ? "" : "s");
        return words;
    case JSON_OBJECT:
        snprintf(words.text, sizeof words.text, "an object of %u member%s", value->length,
                 value->length == 1 ? "" : "s");
        return words;
    case JSON_NULL:
        text = "null";
        break;
    case JSON_FALSE:
        text = "false";
        break;
    case JSON_TRUE:
        text = "true";
        break;
    }
    snprintf(words.text, sizeof words.text, "%s", text);
    return words;
}

/* "a string, a number or null" */
static void add_types(struct sentence *sentence, uint32_t types) {
    unsigned left = (unsigned)__builtin_popcount(types);
    for (unsigned type = 0; type < SCHEMA_TYPES; type++) {
        if (type == JSON_FALSE || !(types & schema_type_bit(type))) {
            continue;
        }
        left--;
        sentence_add(sentence, "%s%s", schema_type_name(type),
                     left == 0   ? ""
                     : left == 1 ? " or "
                                 : ", ");
    }
}

bool schema_wrong_type(const struct place *place, uint32_t types) {
    if (!place->problem) {
        return false;
    }
    struct sentence sentence = {0};
    add_types(&sentence, types);
    bool number = place->value->type == JSON_NUMBER;
    bool fraction = number && (types & schema_type_bit(SCHEMA_TYPE_INTEGER));
    return schema_wrong(place, place->value, "must be %s, not %s", sentence.text,
                        fraction ? schema_describe(place->value).text
                                 : schema_type_name(place->value->type));
}

bool schema_wrong_value(const struct place *place, const struct json *allowed) {
    if (!place->problem) {
        return false;
    }
    struct sentence sentence = {0};
    for (const struct json *value = allowed->first; value; value = value->next) {
        sentence_add(&sentence, "%s%s", value == allowed->first ? "" : ", ",
                     schema_describe(value).text);
    }
    return schema_wrong(place, place->value, "must be %s%s", allowed->length > 1 ? "one of " : "",
                        sentence.text);
}

bool schema_wrong_member(const struct place *place, const struct schema_rule *rule,
                         const struct json *member, uint32_t index) {
    if (!place->problem) {
        return false;
    }
    if (rule->members.count == 0) {
        return schema_wrong_within(place, member, index, "is not allowed here%s",
                                   rule->members.patterns > 0
                                       ? ": its name matches none of the patterns"
                                       : "; no members are");
    }
    struct sentence sentence = {0};
    for (const struct json *property = rule->value->first; property; property = property->next) {
        sentence_add(&sentence, "%s\"%s\"", property == rule->value->first ? "" : ", ",
                     json_excerpt(property->name, property->name_length).text);
    }
    return schema_wrong_within(place, member, index,
                               "is not allowed here; the allowed members are %s%s", sentence.text,
                               rule->members.patterns > 0 ? " and those that match a pattern" : "");
}
