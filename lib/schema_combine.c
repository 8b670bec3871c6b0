/* Rules that apply other schemas to the same value. */
#include "lib/limits.h"
#include "lib/schema_checker.h"

bool schema_check_ref(struct check *check, const struct schema_rule *rule,
                      const struct place *place) {
    return schema_apply(check, rule->node, place);
}

/* 2020-12 core section 8.2.3.2: the outermost resource on the way here that has the anchor. */
bool schema_check_dynamic_ref(struct check *check, const struct schema_rule *rule,
                              const struct place *place) {
    const struct schema *schema = check->schema;
    const struct json *name = schema->anchors[rule->dynamic.anchor].name;
    uint32_t node = rule->dynamic.node;
    for (const struct scope *scope = place->scope; scope; scope = scope->outer) {
        for (uint32_t i = 0; i < schema->anchor_count; i++) {
            const struct schema_dynamic_anchor *anchor = &schema->anchors[i];
            if (anchor->resource == scope->resource && json_equal(anchor->name, name)) {
                node = anchor->node;
            }
        }
    }
    return schema_apply(check, node, place);
}

bool schema_check_all_of(struct check *check, const struct schema_rule *rule,
                         const struct place *place) {
    for (uint32_t i = 0; i < rule->list.count; i++) {
        if (!schema_apply(check, check->schema->lists[rule->list.first + i], place)) {
            return false;
        }
    }
    return true;
}

/* Whether the value fits, without a word; what the schema evaluates counts only then. */
static bool fits(struct check *check, uint32_t node, const struct place *place) {
    struct place quiet = {.value = place->value, .scope = place->scope};
    if (place->evaluated) {
        quiet.evaluated = schema_new_evaluated(check, place->value);
    }
    if (!schema_apply(check, node, &quiet)) {
        return false;
    }
    schema_merge_evaluated(place->evaluated, quiet.evaluated, place->value);
    return true;
}

/* Asks an alternative again why it does not fit. Kept apart for the size of its problem on the
 * stack. */
__attribute__((noinline)) static void add_reason(struct check *check, uint32_t node,
                                                 const struct place *place, uint32_t number,
                                                 struct sentence *sentence) {
    struct problem problem = {0};
    struct place loud = {.value = place->value, .scope = place->scope, .problem = &problem};
    if (!schema_apply(check, node, &loud)) {
        sentence_add(sentence, "%s(%u) %s%s%s", number == 1 ? "" : "; ", number, problem.path,
                     problem.path[0] != '\0' ? " " : "", problem.text);
    }
}

__attribute__((noinline)) static bool
wrong_in_all(struct check *check, const struct schema_rule *rule, const struct place *place) {
    if (!place->problem) {
        return false;
    }
    if (rule->list.count == 1) {
        return schema_apply(check, check->schema->lists[rule->list.first], place);
    }
    if (check->reasons == SCHEMA_REASONS_NESTED_MAX) {
        return schema_wrong(place, place->value, "fits none of the %u alternatives",
                            rule->list.count);
    }
    struct sentence sentence = {0};
    check->reasons++;
    for (uint32_t i = 0; i < rule->list.count && !sentence.full; i++) {
        add_reason(check, check->schema->lists[rule->list.first + i], place, i + 1, &sentence);
    }
    check->reasons--;
    return schema_wrong(place, place->value, "fits none of the %u alternatives: %s",
                        rule->list.count, sentence.text);
}

/* How many fit; no more are asked than `enough`, unless somebody asks what they evaluate. */
static uint32_t count_fitting(struct check *check, const struct schema_rule *rule,
                              const struct place *place, uint32_t enough) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < rule->list.count && check->outcome == OUTCOME_OK; i++) {
        count += fits(check, check->schema->lists[rule->list.first + i], place);
        if (count == enough && !place->evaluated) {
            break;
        }
    }
    return count;
}

bool schema_check_any_of(struct check *check, const struct schema_rule *rule,
                         const struct place *place) {
    uint32_t count = count_fitting(check, rule, place, 1);
    if (check->outcome != OUTCOME_OK) {
        return false;
    }
    return count > 0 || wrong_in_all(check, rule, place);
}

bool schema_check_one_of(struct check *check, const struct schema_rule *rule,
                         const struct place *place) {
    uint32_t count = count_fitting(check, rule, place, 2);
    if (check->outcome != OUTCOME_OK) {
        return false;
    }
    if (count > 1) {
        return schema_wrong(place, place->value,
                            "fits more than one of the %u alternatives, and must fit exactly one",
                            rule->list.count);
    }
    return count == 1 || wrong_in_all(check, rule, place);
}

bool schema_check_not(struct check *check, const struct schema_rule *rule,
                      const struct place *place) {
    struct place quiet = {.value = place->value, .scope = place->scope};
    bool unwanted = schema_apply(check, rule->node, &quiet);
    if (check->outcome != OUTCOME_OK) {
        return false;
    }
    return !unwanted || schema_wrong(place, place->value, "has a value that `not` forbids here: %s",
                                     schema_describe(place->value).text);
}

bool schema_check_if(struct check *check, const struct schema_rule *rule,
                     const struct place *place) {
    bool holds = fits(check, rule->branch.condition, place);
    if (check->outcome != OUTCOME_OK) {
        return false;
    }
    uint32_t node = holds ? rule->branch.then : rule->branch.otherwise;
    return node == SCHEMA_NONE || schema_apply(check, node, place);
}
