#include "lib/schema_checker.h"

#include <string.h>

#include "lib/limits.h"

uint64_t *schema_new_evaluated(struct check *check, const struct json *value) {
    if (value->type != JSON_ARRAY && value->type != JSON_OBJECT) {
        return NULL;
    }
    size_t words = value->length / 64 + 1;
    uint64_t *evaluated = arena_alloc(check->arena, words * sizeof evaluated[0]);
    if (!evaluated && check->outcome == OUTCOME_OK) {
        check->outcome = OUTCOME_NO_MEMORY;
    }
    return evaluated;
}

void schema_merge_evaluated(uint64_t *into, const uint64_t *from, const struct json *value) {
    for (uint32_t i = 0; into && from && i < value->length / 64 + 1; i++) {
        into[i] |= from[i];
    }
}

bool schema_finds(struct check *check, const struct place *place, uint32_t pattern,
                  const char *text, size_t length) {
    switch (schema_pattern_find(check->schema->patterns[pattern], &check->matcher, text, length)) {
    case SCHEMA_MATCH:
        return true;
    case SCHEMA_NO_MATCH:
        return false;
    case SCHEMA_MATCH_TOO_DEAR:
        return schema_abort(check, place, OUTCOME_INVALID);
    case SCHEMA_MATCH_NO_MEMORY:
        break;
    }
    return schema_abort(check, place, OUTCOME_NO_MEMORY);
}

/* Rules of scalars */

static bool check_false(struct check *check, const struct schema_rule *rule,
                        const struct place *place) {
    (void)check, (void)rule;
    return schema_wrong(place, place->value, "is not allowed here");
}

static bool check_type(struct check *check, const struct schema_rule *rule,
                       const struct place *place) {
    (void)check;
    if (rule->types & schema_type_bit(place->value->type)) {
        return true;
    }
    if (place->value->type == JSON_NUMBER && (rule->types & schema_type_bit(SCHEMA_TYPE_INTEGER)) &&
        json_number_is_whole(place->value)) {
        return true;
    }
    return schema_wrong_type(place, rule->types);
}

static bool check_const(struct check *check, const struct schema_rule *rule,
                        const struct place *place) {
    (void)check;
    return json_equal(rule->value, place->value) ||
           schema_wrong(place, place->value, "must be %s", schema_describe(rule->value).text);
}

static bool check_enum(struct check *check, const struct schema_rule *rule,
                       const struct place *place) {
    (void)check;
    for (const struct json *allowed = rule->value->first; allowed; allowed = allowed->next) {
        if (json_equal(allowed, place->value)) {
            return true;
        }
    }
    return schema_wrong_value(place, rule->value);
}

static bool check_multiple_of(struct check *check, const struct schema_rule *rule,
                              const struct place *place) {
    (void)check;
    return place->value->type != JSON_NUMBER ||
           json_number_is_multiple(place->value, rule->value) ||
           schema_wrong(place, place->value, "must be a multiple of %s, not %s",
                        schema_describe(rule->value).text, schema_describe(place->value).text);
}

static bool check_range(struct check *check, const struct schema_rule *rule,
                        const struct place *place) {
    (void)check;
    if (place->value->type != JSON_NUMBER) {
        return true;
    }
    int order = json_number_compare(place->value, rule->value);
    bool fits;
    const char *words;
    if (rule->kind == RULE_MINIMUM) {
        fits = order >= 0;
        words = "at least";
    } else if (rule->kind == RULE_EXCLUSIVE_MINIMUM) {
        fits = order > 0;
        words = "greater than";
    } else if (rule->kind == RULE_MAXIMUM) {
        fits = order <= 0;
        words = "at most";
    } else {
        fits = order < 0;
        words = "less than";
    }
    return fits ||
           schema_wrong(place, place->value, "must be %s %s, not %s", words,
                        schema_describe(rule->value).text, schema_describe(place->value).text);
}

/* Characters of a string, which is UTF-8. */
static uint64_t characters(const struct json *string) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < string->length; i++) {
        count += ((unsigned char)string->bytes[i] & 0xC0) != 0x80;
    }
    return count;
}

static bool within_bound(const struct schema_rule *rule, const struct place *place, uint64_t size,
                         bool least, const char *one, const char *many) {
    if (least ? size >= rule->bound : size <= rule->bound) {
        return true;
    }
    return schema_wrong(place, place->value, "%s %llu %s; at %s %llu %s",
                        place->value->type == JSON_STRING ? "is" : "has", (unsigned long long)size,
                        size == 1 ? one : many, least ? "least" : "most",
                        (unsigned long long)rule->bound,
                        least ? (rule->bound == 1 ? "is needed" : "are needed")
                              : (rule->bound == 1 ? "is allowed" : "are allowed"));
}

static bool check_length(struct check *check, const struct schema_rule *rule,
                         const struct place *place) {
    (void)check;
    const struct json *value = place->value;
    bool least = rule->kind == RULE_MIN_LENGTH;
    /* A character takes four bytes at most, so mostly the bytes tell. */
    if (value->type != JSON_STRING ||
        (least ? value->length / 4 >= rule->bound : value->length <= rule->bound)) {
        return true;
    }
    return within_bound(rule, place, characters(value), least, "character long", "characters long");
}

static bool check_count(struct check *check, const struct schema_rule *rule,
                        const struct place *place) {
    (void)check;
    bool items = rule->kind == RULE_MIN_ITEMS || rule->kind == RULE_MAX_ITEMS;
    bool least = rule->kind == RULE_MIN_ITEMS || rule->kind == RULE_MIN_PROPERTIES;
    if (place->value->type != (items ? JSON_ARRAY : JSON_OBJECT)) {
        return true;
    }
    return within_bound(rule, place, place->value->length, least, items ? "item" : "member",
                        items ? "items" : "members");
}

static bool check_pattern(struct check *check, const struct schema_rule *rule,
                          const struct place *place) {
    const struct json *value = place->value;
    return value->type != JSON_STRING ||
           schema_finds(check, place, rule->pattern, value->bytes, value->length) ||
           schema_wrong(place, value, "must match the pattern %.*s",
                        (int)(rule->value->length < 200 ? rule->value->length : 200),
                        rule->value->bytes);
}

static schema_rule_check *const rule_checks[RULE_KINDS] = {
    [RULE_FALSE] = check_false,
    [RULE_TYPE] = check_type,
    [RULE_CONST] = check_const,
    [RULE_ENUM] = check_enum,
    [RULE_MULTIPLE_OF] = check_multiple_of,
    [RULE_MINIMUM] = check_range,
    [RULE_EXCLUSIVE_MINIMUM] = check_range,
    [RULE_MAXIMUM] = check_range,
    [RULE_EXCLUSIVE_MAXIMUM] = check_range,
    [RULE_MIN_LENGTH] = check_length,
    [RULE_MAX_LENGTH] = check_length,
    [RULE_PATTERN] = check_pattern,
    [RULE_MIN_ITEMS] = check_count,
    [RULE_MAX_ITEMS] = check_count,
    [RULE_UNIQUE_ITEMS] = schema_check_unique,
    [RULE_REQUIRED] = schema_check_required,
    [RULE_DEPENDENT_REQUIRED] = schema_check_dependent_required,
    [RULE_MEMBERS] = schema_check_members,
    [RULE_MIN_PROPERTIES] = check_count,
    [RULE_MAX_PROPERTIES] = check_count,
    [RULE_PROPERTY_NAMES] = schema_check_property_names,
    [RULE_ITEMS] = schema_check_items,
    [RULE_CONTAINS] = schema_check_contains,
    [RULE_REF] = schema_check_ref,
    [RULE_DYNAMIC_REF] = schema_check_dynamic_ref,
    [RULE_ALL_OF] = schema_check_all_of,
    [RULE_ANY_OF] = schema_check_any_of,
    [RULE_ONE_OF] = schema_check_one_of,
    [RULE_NOT] = schema_check_not,
    [RULE_IF] = schema_check_if,
    [RULE_DEPENDENT_SCHEMAS] = schema_check_dependent_schemas,
    [RULE_UNEVALUATED_ITEMS] = schema_check_unevaluated,
    [RULE_UNEVALUATED_PROPERTIES] = schema_check_unevaluated,
};

/* What is evaluated within a node that asks for it concerns that node alone until it is done. */
static bool check_rules(struct check *check, const struct schema_node *node,
                        const struct place *place) {
    struct place own = *place;
    if (node->annotates) {
        own.evaluated = schema_new_evaluated(check, place->value);
    }
    for (uint32_t i = 0; i < node->rules && check->outcome == OUTCOME_OK; i++) {
        const struct schema_rule *rule = &check->schema->rules[node->first_rule + i];
        if (!rule_checks[rule->kind](check, rule, &own)) {
            return false;
        }
    }
    if (node->annotates) {
        schema_merge_evaluated(place->evaluated, own.evaluated, place->value);
    }
    return check->outcome == OUTCOME_OK;
}

bool schema_apply(struct check *check, uint32_t index, const struct place *place) {
    const struct schema_node *node = &check->schema->nodes[index];
    if (node->rules == 0) {
        return true;
    }
    if (check->steps_left == 0 || check->nesting == SCHEMA_NESTING_MAX) {
        return schema_abort(check, place, OUTCOME_INVALID);
    }
    check->steps_left--;
    check->nesting++;
    struct scope scope = {place->scope, node->resource};
    struct place here = *place;
    if (!place->scope || place->scope->resource != node->resource) {
        here.scope = &scope;
    }
    bool fits = check_rules(check, node, &here);
    check->nesting--;
    return fits;
}

bool schema_apply_within(struct check *check, uint32_t node, const struct place *around,
                         const struct json *child, uint32_t index) {
    struct place place = {.value = child, .scope = around->scope, .problem = around->problem};
    if (schema_apply(check, node, &place)) {
        return true;
    }
    if (place.problem) {
        schema_path_prepend(place.problem, child, index);
    }
    return false;
}

enum outcome schema_check(const struct schema *schema, struct arena *arena,
                          const struct json *value, struct problem *problem) {
    struct check check = {
        .schema = schema,
        .arena = arena,
        .matcher = {.arena = arena},
        .steps_left = SCHEMA_STEPS_MAX,
        .problem = problem,
    };
    check.matcher.steps_left = &check.steps_left;
    problem->path[0] = '\0';
    struct place place = {.value = value, .problem = problem};
    bool fits = schema_apply(&check, 0, &place);
    if (check.outcome == OUTCOME_OK) {
        return fits ? OUTCOME_OK : OUTCOME_INVALID;
    }
    problem_set(problem, check.outcome == OUTCOME_NO_MEMORY
                             ? "could not be checked: there is not enough memory"
                             : "takes more work to check than is allowed");
    if (!check.stopped_at_path) {
        problem->path[0] = '\0';
    }
    return check.outcome;
}
