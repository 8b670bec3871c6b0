/* schema_checker: the state of one check, shared by the files that evaluate schemas.
 *
 * schema_check.c walks the rules, schema_containers.c looks into arrays and objects,
 * schema_combine.c applies several schemas to one value, schema_words.c finds the words. Whatever
 * fails returns false; when it was the check that could not go on, `outcome` says so and stays. */
#pragma once

#include "lib/schema_internal.h"

struct check {
    const struct schema *schema;
    struct arena *arena;
    struct schema_matcher matcher;
    uint32_t steps_left;
    uint32_t nesting;
    uint32_t reasons; /* alternatives that are being asked why they do not fit, within each other */
    enum outcome outcome;
    struct problem *problem; /* the caller's */
    bool stopped_at_path;    /* the problem's path leads to where the check could not go on */
};

/* The resources on the way from the root to here: what $dynamicRef looks through. */
struct scope {
    const struct scope *outer;
    uint32_t resource;
};

/* One value and what is known around it. */
struct place {
    const struct json *value;
    const struct scope *scope;
    uint64_t *evaluated;     /* one bit for each element or member; NULL when nobody asks */
    struct problem *problem; /* NULL when nobody asks */
};

/* Applies the node to the place; what it evaluated is marked there when somebody asks. */
bool schema_apply(struct check *check, uint32_t node, const struct place *place);

/* The same for an element or a member: the problem's path gets a step more. */
bool schema_apply_within(struct check *check, uint32_t node, const struct place *around,
                         const struct json *child, uint32_t index);

/* An empty set of evaluated elements or members of the value; NULL for other values, and when the
 * arena is exhausted, which is noted. */
uint64_t *schema_new_evaluated(struct check *check, const struct json *value);
void schema_merge_evaluated(uint64_t *into, const uint64_t *from, const struct json *value);

static inline void schema_mark(const struct place *place, uint32_t index) {
    if (place->evaluated) {
        place->evaluated[index / 64] |= UINT64_C(1) << (index % 64);
    }
}

static inline bool schema_is_marked(const uint64_t *evaluated, uint32_t index) {
    return evaluated && ((evaluated[index / 64] >> (index % 64)) & 1);
}

/* Whether the pattern is found; false also when that could not be told, which is noted. */
bool schema_finds(struct check *check, const struct place *place, uint32_t pattern,
                  const char *text, size_t length);

/* The check cannot go on. Always false. */
bool schema_abort(struct check *check, const struct place *place, enum outcome outcome);

/* Says what is wrong with `value` when somebody asks. Always false. */
bool schema_wrong(const struct place *place, const struct json *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for an element or a member of the place's value. */
bool schema_wrong_within(const struct place *place, const struct json *child, uint32_t index,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
void schema_path_prepend(struct problem *problem, const struct json *child, uint32_t index);

/* Sentences that take more than a format. Always false. */
bool schema_wrong_type(const struct place *place, uint32_t types);
bool schema_wrong_value(const struct place *place, const struct json *allowed);
bool schema_wrong_member(const struct place *place, const struct schema_rule *rule,
                         const struct json *member, uint32_t index);

/* A value in a few words: "x", 12, an array of 3 items. */
struct words {
    char text[JSON_EXCERPT_BYTES + sizeof "\"\""];
};
struct words schema_describe(const struct json *value);

/* Words that are put together bit by bit; what does not fit becomes "...". */
struct sentence {
    size_t used;
    bool full;
    char text[PROBLEM_TEXT_BYTES - 40];
};
void sentence_add(struct sentence *sentence, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The rules. Each is called for values of any type and lets those pass that it is not about. */
typedef bool schema_rule_check(struct check *check, const struct schema_rule *rule,
                               const struct place *place);
schema_rule_check schema_check_members, schema_check_required, schema_check_dependent_required;
schema_rule_check schema_check_property_names, schema_check_unevaluated;
schema_rule_check schema_check_items, schema_check_contains, schema_check_unique;
schema_rule_check schema_check_ref, schema_check_dynamic_ref, schema_check_all_of;
schema_rule_check schema_check_any_of, schema_check_one_of, schema_check_not, schema_check_if;
schema_rule_check schema_check_dependent_schemas;
