/* Rules that look into arrays and objects. */
#include <string.h>

#include "lib/schema_checker.h"

static const struct json *member_named(const struct json *object, const char *name,
                                       uint32_t length) {
    const struct json *member = object->first;
    while (member && schema_compare_names(member->name, member->name_length, name, length) != 0) {
        member = member->next;
    }
    return member;
}

/* Objects */

static const struct schema_named *find_property(const struct check *check,
                                                const struct schema_rule *rule,
                                                const struct json *member) {
    const struct schema_named *named = check->schema->named + rule->members.first;
    uint32_t low = 0, high = rule->members.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct json *property = named[middle].member;
        int order = schema_compare_names(member->name, member->name_length, property->name,
                                         property->name_length);
        if (order == 0) {
            return &named[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* One member against all that applies to it; *known when that is more than additionalProperties. */
static bool check_member(struct check *check, const struct schema_rule *rule,
                         const struct place *place, const struct json *member, uint32_t index,
                         bool *known) {
    const struct schema_named *property = find_property(check, rule, member);
    *known = property != NULL;
    if (property && !schema_apply_within(check, property->node, place, member, index)) {
        return false;
    }
    const struct schema_named *patterns = check->schema->named + rule->members.first_pattern;
    for (uint32_t i = 0; i < rule->members.patterns; i++) {
        bool matches =
            schema_finds(check, place, patterns[i].pattern, member->name, member->name_length);
        if (check->outcome != OUTCOME_OK ||
            (matches && !schema_apply_within(check, patterns[i].node, place, member, index))) {
            return false;
        }
        *known |= matches;
    }
    return true;
}

bool schema_check_members(struct check *check, const struct schema_rule *rule,
                          const struct place *place) {
    if (place->value->type != JSON_OBJECT) {
        return true;
    }
    uint32_t additional = rule->members.additional, index = 0;
    bool closed =
        additional != SCHEMA_NONE && check->schema->nodes[additional].json->type == JSON_FALSE;
    for (const struct json *member = place->value->first; member; member = member->next, index++) {
        bool known = false;
        if (!check_member(check, rule, place, member, index, &known)) {
            return false;
        }
        if (!known && closed) {
            return schema_wrong_member(place, rule, member, index);
        }
        if (!known && additional != SCHEMA_NONE &&
            !schema_apply_within(check, additional, place, member, index)) {
            return false;
        }
        if (known || additional != SCHEMA_NONE) {
            schema_mark(place, index);
        }
    }
    return true;
}

static bool wrong_missing(const struct place *place, const struct json *name, const char *format,
                          const struct json *because) {
    /* The path leads to where the member should be. */
    struct json missing = {
        .name = name->bytes, .name_length = name->length, .at = place->value->at};
    if (!because) {
        return schema_wrong_within(place, &missing, 0, "%s", format);
    }
    return schema_wrong_within(place, &missing, 0, "%s when \"%s\" is given", format,
                               json_excerpt(because->name, because->name_length).text);
}

bool schema_check_required(struct check *check, const struct schema_rule *rule,
                           const struct place *place) {
    (void)check;
    if (place->value->type != JSON_OBJECT) {
        return true;
    }
    for (const struct json *name = rule->value->first; name; name = name->next) {
        if (!member_named(place->value, name->bytes, name->length)) {
            return wrong_missing(place, name, "is missing: it is required", NULL);
        }
    }
    return true;
}

bool schema_check_dependent_required(struct check *check, const struct schema_rule *rule,
                                     const struct place *place) {
    if (place->value->type != JSON_OBJECT) {
        return true;
    }
    for (uint32_t i = 0; i < rule->list.count; i++) {
        const struct json *given = check->schema->named[rule->list.first + i].member;
        if (!member_named(place->value, given->name, given->name_length)) {
            continue;
        }
        for (const struct json *name = given->first; name; name = name->next) {
            if (!member_named(place->value, name->bytes, name->length)) {
                return wrong_missing(place, name, "is missing: it is required", given);
            }
        }
    }
    return true;
}

bool schema_check_dependent_schemas(struct check *check, const struct schema_rule *rule,
                                    const struct place *place) {
    if (place->value->type != JSON_OBJECT) {
        return true;
    }
    for (uint32_t i = 0; i < rule->list.count; i++) {
        const struct schema_named *named = &check->schema->named[rule->list.first + i];
        if (member_named(place->value, named->member->name, named->member->name_length) &&
            !schema_apply(check, named->node, place)) {
            return false;
        }
    }
    return true;
}

/* Kept apart for the size of its problem on the stack. */
__attribute__((noinline)) static bool wrong_name(struct check *check,
                                                 const struct schema_rule *rule,
                                                 const struct place *place, const struct json *name,
                                                 const struct json *member, uint32_t index) {
    struct problem problem = {0};
    struct place of_name = {.value = name, .scope = place->scope, .problem = &problem};
    (void)schema_apply(check, rule->node, &of_name);
    return schema_wrong_within(place, member, index, "has a name that is not allowed: it %s",
                               problem.text);
}

bool schema_check_property_names(struct check *check, const struct schema_rule *rule,
                                 const struct place *place) {
    if (place->value->type != JSON_OBJECT) {
        return true;
    }
    uint32_t index = 0;
    for (const struct json *member = place->value->first; member; member = member->next, index++) {
        struct json name = {
            .type = JSON_STRING,
            .bytes = member->name,
            .length = member->name_length,
            .at = member->at,
        };
        struct place of_name = {.value = &name, .scope = place->scope};
        if (!schema_apply(check, rule->node, &of_name)) {
            return place->problem && check->outcome == OUTCOME_OK
                       ? wrong_name(check, rule, place, &name, member, index)
                       : false;
        }
    }
    return true;
}

/* unevaluatedProperties and unevaluatedItems: what no other rule of the node has looked at. */
bool schema_check_unevaluated(struct check *check, const struct schema_rule *rule,
                              const struct place *place) {
    enum json_type type = rule->kind == RULE_UNEVALUATED_ITEMS ? JSON_ARRAY : JSON_OBJECT;
    if (place->value->type != type) {
        return true;
    }
    uint32_t index = 0;
    for (const struct json *child = place->value->first; child; child = child->next, index++) {
        if (schema_is_marked(place->evaluated, index)) {
            continue;
        }
        if (!schema_apply_within(check, rule->node, place, child, index)) {
            return false;
        }
        schema_mark(place, index);
    }
    return true;
}

/* Arrays */

bool schema_check_items(struct check *check, const struct schema_rule *rule,
                        const struct place *place) {
    if (place->value->type != JSON_ARRAY) {
        return true;
    }
    uint32_t index = 0;
    for (const struct json *item = place->value->first; item; item = item->next, index++) {
        uint32_t node = rule->items.rest;
        if (index < rule->items.count) {
            node = check->schema->lists[rule->items.first + index];
        }
        if (node == SCHEMA_NONE) {
            break;
        }
        if (!schema_apply_within(check, node, place, item, index)) {
            return false;
        }
        schema_mark(place, index);
    }
    return true;
}

static bool wrong_count(const struct place *place, uint64_t count, uint64_t bound, bool least) {
    return schema_wrong(place, place->value,
                        "must hold at %s %llu %s of the kind that `contains` describes, not %llu",
                        least ? "least" : "most", (unsigned long long)bound,
                        bound == 1 ? "item" : "items", (unsigned long long)count);
}

bool schema_check_contains(struct check *check, const struct schema_rule *rule,
                           const struct place *place) {
    if (place->value->type != JSON_ARRAY) {
        return true;
    }
    uint64_t count = 0;
    uint32_t index = 0;
    bool bounded = rule->contains.most != UINT64_MAX;
    for (const struct json *item = place->value->first; item; item = item->next, index++) {
        struct place of_item = {.value = item, .scope = place->scope};
        if (schema_apply(check, rule->contains.node, &of_item)) {
            count++;
            schema_mark(place, index);
        }
        if (check->outcome != OUTCOME_OK) {
            return false;
        }
        if (count >= rule->contains.least && !bounded && !place->evaluated) {
            return true;
        }
    }
    if (count < rule->contains.least) {
        return wrong_count(place, count, rule->contains.least, true);
    }
    return count <= rule->contains.most || wrong_count(place, count, rule->contains.most, false);
}

struct hashed_item {
    uint64_t hash;
    const struct json *item;
    uint32_t index;
};

static bool wrong_repeated(const struct place *place, uint32_t earlier, const struct json *item,
                           uint32_t index) {
    return schema_wrong_within(place, item, index,
                               "is the same as item %u before it: each may be there only once",
                               earlier);
}

/* Each item has a place in the table that its hash decides, so equal ones meet there. */
bool schema_check_unique(struct check *check, const struct schema_rule *rule,
                         const struct place *place) {
    (void)rule;
    if (place->value->type != JSON_ARRAY || place->value->length < 2) {
        return true;
    }
    size_t slots = 4;
    while (slots < 2 * (size_t)place->value->length) {
        slots *= 2;
    }
    struct hashed_item *table = arena_alloc(check->arena, slots * sizeof *table);
    if (!table) {
        return schema_abort(check, place, OUTCOME_NO_MEMORY);
    }
    uint64_t seed[2];
    json_seed(seed);
    uint32_t index = 0;
    for (const struct json *item = place->value->first; item; item = item->next, index++) {
        uint64_t hash = json_hash(item, seed);
        size_t slot = (size_t)hash & (slots - 1);
        for (; table[slot].item; slot = (slot + 1) & (slots - 1)) {
            if (table[slot].hash == hash && json_equal(table[slot].item, item)) {
                return wrong_repeated(place, table[slot].index, item, index);
            }
        }
        table[slot] = (struct hashed_item){hash, item, index};
    }
    return true;
}
