/* Keywords that hold schemas, and the table of all (2020-12 core sections 8, 10 and 11; draft-07
 * validation section 6). */
#include <stdlib.h>
#include <string.h>

#include "lib/schema_keyword.h"

/* The rule that several keywords share: the last one, when it is of that kind and this node's. */
static struct schema_rule *shared_rule(struct compiler *compiler, const struct building *building,
                                       enum rule_kind kind, const struct json *value) {
    const struct schema_node *node = VECTOR_AT(compiler->nodes, struct schema_node, building->node);
    uint32_t count = compiler->rules.count;
    if (count > node->first_rule) {
        struct schema_rule *last = VECTOR_AT(compiler->rules, struct schema_rule, count - 1);
        if (last->kind == kind) {
            return last;
        }
    }
    struct schema_rule *rule = keyword_add_rule(compiler, kind, value);
    if (rule && kind == RULE_MEMBERS) {
        rule->members.additional = SCHEMA_NONE;
    } else if (rule) {
        rule->items.rest = SCHEMA_NONE;
    }
    return rule;
}

/* Schemas within */

static void compile_schema(struct compiler *compiler, const struct building *building,
                           const struct keyword *keyword, const struct json *value) {
    uint32_t node = compiler_node(compiler, value, building->resource);
    struct schema_rule *rule =
        keyword->kind == RULE_KINDS ? NULL : keyword_add_rule(compiler, keyword->kind, value);
    if (rule) {
        rule->node = node;
    }
    if (keyword->kind == RULE_UNEVALUATED_ITEMS || keyword->kind == RULE_UNEVALUATED_PROPERTIES) {
        VECTOR_AT(compiler->nodes, struct schema_node, building->node)->annotates = true;
    }
}

/* The elements' nodes, as a run of `lists`; where it starts. */
static uint32_t add_list(struct compiler *compiler, const struct building *building,
                         const struct json *array) {
    uint32_t first = compiler->lists.count;
    for (const struct json *element = array->first; element; element = element->next) {
        uint32_t node = compiler_node(compiler, element, building->resource);
        uint32_t *added = vector_add(compiler, &compiler->lists, sizeof *added);
        if (!added) {
            break;
        }
        *added = node;
    }
    return first;
}

static void compile_list(struct compiler *compiler, const struct building *building,
                         const struct keyword *keyword, const struct json *value) {
    if (!keyword_expect_type(compiler, building, value, JSON_ARRAY)) {
        return;
    }
    if (value->length == 0) {
        compiler_fail(compiler, building->resource, value, "must hold at least one schema");
        return;
    }
    uint32_t first = add_list(compiler, building, value);
    struct schema_rule *rule = keyword_add_rule(compiler, keyword->kind, value);
    if (rule) {
        rule->list.first = first;
        rule->list.count = value->length;
    }
}

static void compile_definitions(struct compiler *compiler, const struct building *building,
                                const struct keyword *keyword, const struct json *value) {
    (void)keyword;
    if (keyword_expect_type(compiler, building, value, JSON_OBJECT)) {
        for (const struct json *member = value->first; member; member = member->next) {
            (void)compiler_node(compiler, member, building->resource);
        }
    }
}

static void compile_if(struct compiler *compiler, const struct building *building,
                       const struct keyword *keyword, const struct json *value) {
    uint32_t condition = compiler_node(compiler, value, building->resource);
    const struct json *then = json_member(building->json, "then");
    const struct json *otherwise = json_member(building->json, "else");
    uint32_t then_node = then ? compiler_node(compiler, then, building->resource) : SCHEMA_NONE;
    uint32_t else_node =
        otherwise ? compiler_node(compiler, otherwise, building->resource) : SCHEMA_NONE;
    struct schema_rule *rule = keyword_add_rule(compiler, keyword->kind, value);
    if (rule) {
        rule->branch.condition = condition;
        rule->branch.then = then_node;
        rule->branch.otherwise = else_node;
    }
}

static void compile_contains(struct compiler *compiler, const struct building *building,
                             const struct keyword *keyword, const struct json *value) {
    uint32_t node = compiler_node(compiler, value, building->resource);
    uint64_t least = 1, most = UINT64_MAX;
    const struct resource *resource =
        VECTOR_AT(compiler->resources, struct resource, building->resource);
    if (resource->dialect == DIALECT_2020_12 && resource->validates) {
        const struct json *min = json_member(building->json, "minContains");
        const struct json *max = json_member(building->json, "maxContains");
        if ((min && !keyword_read_bound(compiler, building, min, &least)) ||
            (max && !keyword_read_bound(compiler, building, max, &most))) {
            return;
        }
    }
    struct schema_rule *rule = keyword_add_rule(compiler, keyword->kind, value);
    if (rule) {
        rule->contains.node = node;
        rule->contains.least = least;
        rule->contains.most = most;
    }
}

/* Counts without `contains` mean nothing, but may not be misused either. */
static void compile_contains_bound(struct compiler *compiler, const struct building *building,
                                   const struct keyword *keyword, const struct json *value) {
    (void)keyword;
    uint64_t bound;
    (void)keyword_read_bound(compiler, building, value, &bound);
}

static void compile_reference(struct compiler *compiler, const struct building *building,
                              const struct keyword *keyword, const struct json *value) {
    if (!keyword_expect_type(compiler, building, value, JSON_STRING) ||
        !keyword_add_rule(compiler, keyword->kind, value)) {
        return;
    }
    struct pending *pending = vector_add(compiler, &compiler->pending, sizeof *pending);
    if (pending) {
        *pending = (struct pending){value, building->node, compiler->rules.count - 1};
    }
}

/* Arrays */

static void compile_prefix(struct compiler *compiler, const struct building *building,
                           const struct json *value) {
    uint32_t first = add_list(compiler, building, value);
    struct schema_rule *rule = shared_rule(compiler, building, RULE_ITEMS, value);
    if (rule) {
        rule->items.first = first;
        rule->items.count = value->length;
    }
}

static void compile_prefix_items(struct compiler *compiler, const struct building *building,
                                 const struct keyword *keyword, const struct json *value) {
    (void)keyword;
    if (keyword_expect_type(compiler, building, value, JSON_ARRAY)) {
        compile_prefix(compiler, building, value);
    }
}

/* `items`, and draft-07's additionalItems, which counts only beside an array of items. */
static void compile_items(struct compiler *compiler, const struct building *building,
                          const struct keyword *keyword, const struct json *value) {
    bool draft_07 = keyword->dialects == DIALECT_DRAFT_07;
    bool additional = strcmp(keyword->name, "additionalItems") == 0;
    if (draft_07 && !additional && value->type == JSON_ARRAY) {
        compile_prefix(compiler, building, value);
        return;
    }
    uint32_t node = compiler_node(compiler, value, building->resource);
    const struct json *items = additional ? json_member(building->json, "items") : NULL;
    if (additional && (!items || items->type != JSON_ARRAY)) {
        return;
    }
    struct schema_rule *rule = shared_rule(compiler, building, RULE_ITEMS, value);
    if (rule) {
        rule->items.rest = node;
    }
}

/* Objects */

int schema_compare_names(const char *a, size_t a_length, const char *b, size_t b_length) {
    if (a_length != b_length) {
        return a_length < b_length ? -1 : 1;
    }
    return memcmp(a, b, a_length);
}

static int compare_named(const void *a, const void *b) {
    const struct json *of_a = ((const struct schema_named *)a)->member;
    const struct json *of_b = ((const struct schema_named *)b)->member;
    return schema_compare_names(of_a->name, of_a->name_length, of_b->name, of_b->name_length);
}

static void add_named(struct compiler *compiler, const struct json *member, uint32_t node,
                      uint32_t pattern) {
    struct schema_named *named = vector_add(compiler, &compiler->named, sizeof *named);
    if (named) {
        *named = (struct schema_named){member, node, pattern};
    }
}

static void compile_properties(struct compiler *compiler, const struct building *building,
                               const struct keyword *keyword, const struct json *value) {
    (void)keyword;
    if (!keyword_expect_type(compiler, building, value, JSON_OBJECT)) {
        return;
    }
    uint32_t first = compiler->named.count;
    for (const struct json *member = value->first; member; member = member->next) {
        add_named(compiler, member, compiler_node(compiler, member, building->resource),
                  SCHEMA_NONE);
    }
    struct schema_rule *rule = shared_rule(compiler, building, RULE_MEMBERS, value);
    if (rule) {
        rule->members.first = first;
        rule->members.count = value->length;
        if (value->length > 1) {
            qsort(VECTOR_AT(compiler->named, struct schema_named, first), value->length,
                  sizeof(struct schema_named), compare_named);
        }
    }
}

static void compile_pattern_properties(struct compiler *compiler, const struct building *building,
                                       const struct keyword *keyword, const struct json *value) {
    (void)keyword;
    if (!keyword_expect_type(compiler, building, value, JSON_OBJECT)) {
        return;
    }
    uint32_t first = compiler->named.count;
    for (const struct json *member = value->first; member; member = member->next) {
        uint32_t node = compiler_node(compiler, member, building->resource);
        uint32_t pattern =
            keyword_add_pattern(compiler, building, member, member->name, member->name_length);
        add_named(compiler, member, node, pattern);
    }
    struct schema_rule *rule = shared_rule(compiler, building, RULE_MEMBERS, value);
    if (rule) {
        rule->members.first_pattern = first;
        rule->members.patterns = value->length;
    }
}

static void compile_additional_properties(struct compiler *compiler,
                                          const struct building *building,
                                          const struct keyword *keyword, const struct json *value) {
    (void)keyword;
    uint32_t node = compiler_node(compiler, value, building->resource);
    struct schema_rule *rule = shared_rule(compiler, building, RULE_MEMBERS, value);
    if (rule) {
        rule->members.additional = node;
    }
}

static void add_dependency(struct compiler *compiler, enum rule_kind kind, uint32_t first,
                           const struct json *value) {
    uint32_t count = compiler->named.count - first;
    struct schema_rule *rule = count > 0 ? keyword_add_rule(compiler, kind, value) : NULL;
    if (rule) {
        rule->list.first = first;
        rule->list.count = count;
    }
}

/* dependentRequired, dependentSchemas, and the `dependencies` that they came of. */
static void compile_dependencies(struct compiler *compiler, const struct building *building,
                                 const struct keyword *keyword, const struct json *value) {
    if (!keyword_expect_type(compiler, building, value, JSON_OBJECT)) {
        return;
    }
    bool either = keyword->kind == RULE_KINDS;
    uint32_t first = compiler->named.count;
    for (const struct json *member = value->first; member; member = member->next) {
        bool names = either ? member->type == JSON_ARRAY : keyword->kind == RULE_DEPENDENT_REQUIRED;
        if (names && keyword_expect_names(compiler, building, member)) {
            add_named(compiler, member, SCHEMA_NONE, SCHEMA_NONE);
        }
    }
    add_dependency(compiler, RULE_DEPENDENT_REQUIRED, first, value);
    first = compiler->named.count;
    for (const struct json *member = value->first; member; member = member->next) {
        bool schema = either ? member->type != JSON_ARRAY : keyword->kind == RULE_DEPENDENT_SCHEMAS;
        if (schema) {
            add_named(compiler, member, compiler_node(compiler, member, building->resource),
                      SCHEMA_NONE);
        }
    }
    add_dependency(compiler, RULE_DEPENDENT_SCHEMAS, first, value);
}

/* In the order of the rules. RULE_KINDS: the keyword makes no rule of its own. */
static const struct keyword keywords[] = {
    {"type", DIALECT_ANY, true, RULE_TYPE, keyword_type},
    {"const", DIALECT_ANY, true, RULE_CONST, keyword_const},
    {"enum", DIALECT_ANY, true, RULE_ENUM, keyword_enum},
    {"multipleOf", DIALECT_ANY, true, RULE_MULTIPLE_OF, keyword_number},
    {"minimum", DIALECT_ANY, true, RULE_MINIMUM, keyword_number},
    {"exclusiveMinimum", DIALECT_ANY, true, RULE_EXCLUSIVE_MINIMUM, keyword_number},
    {"maximum", DIALECT_ANY, true, RULE_MAXIMUM, keyword_number},
    {"exclusiveMaximum", DIALECT_ANY, true, RULE_EXCLUSIVE_MAXIMUM, keyword_number},
    {"minLength", DIALECT_ANY, true, RULE_MIN_LENGTH, keyword_bound},
    {"maxLength", DIALECT_ANY, true, RULE_MAX_LENGTH, keyword_bound},
    {"pattern", DIALECT_ANY, true, RULE_PATTERN, keyword_pattern},
    {"minItems", DIALECT_ANY, true, RULE_MIN_ITEMS, keyword_bound},
    {"maxItems", DIALECT_ANY, true, RULE_MAX_ITEMS, keyword_bound},
    {"uniqueItems", DIALECT_ANY, true, RULE_UNIQUE_ITEMS, keyword_boolean},
    {"required", DIALECT_ANY, true, RULE_REQUIRED, keyword_required},
    {"dependentRequired", DIALECT_2020_12, true, RULE_DEPENDENT_REQUIRED, compile_dependencies},
    {"properties", DIALECT_ANY, false, RULE_MEMBERS, compile_properties},
    {"patternProperties", DIALECT_ANY, false, RULE_MEMBERS, compile_pattern_properties},
    {"additionalProperties", DIALECT_ANY, false, RULE_MEMBERS, compile_additional_properties},
    {"minProperties", DIALECT_ANY, true, RULE_MIN_PROPERTIES, keyword_bound},
    {"maxProperties", DIALECT_ANY, true, RULE_MAX_PROPERTIES, keyword_bound},
    {"propertyNames", DIALECT_ANY, false, RULE_PROPERTY_NAMES, compile_schema},
    {"prefixItems", DIALECT_2020_12, false, RULE_ITEMS, compile_prefix_items},
    {"items", DIALECT_2020_12, false, RULE_ITEMS, compile_items},
    {"items", DIALECT_DRAFT_07, false, RULE_ITEMS, compile_items},
    {"additionalItems", DIALECT_DRAFT_07, false, RULE_ITEMS, compile_items},
    {"contains", DIALECT_ANY, false, RULE_CONTAINS, compile_contains},
    {"minContains", DIALECT_2020_12, true, RULE_KINDS, compile_contains_bound},
    {"maxContains", DIALECT_2020_12, true, RULE_KINDS, compile_contains_bound},
    {"$ref", DIALECT_ANY, false, RULE_REF, compile_reference},
    {"$dynamicRef", DIALECT_2020_12, false, RULE_DYNAMIC_REF, compile_reference},
    {"allOf", DIALECT_ANY, false, RULE_ALL_OF, compile_list},
    {"anyOf", DIALECT_ANY, false, RULE_ANY_OF, compile_list},
    {"oneOf", DIALECT_ANY, false, RULE_ONE_OF, compile_list},
    {"not", DIALECT_ANY, false, RULE_NOT, compile_schema},
    {"if", DIALECT_ANY, false, RULE_IF, compile_if},
    {"then", DIALECT_ANY, false, RULE_KINDS, compile_schema},
    {"else", DIALECT_ANY, false, RULE_KINDS, compile_schema},
    {"dependentSchemas", DIALECT_2020_12, false, RULE_DEPENDENT_SCHEMAS, compile_dependencies},
    {"dependencies", DIALECT_ANY, false, RULE_KINDS, compile_dependencies},
    {"unevaluatedItems", DIALECT_2020_12, false, RULE_UNEVALUATED_ITEMS, compile_schema},
    {"unevaluatedProperties", DIALECT_2020_12, false, RULE_UNEVALUATED_PROPERTIES, compile_schema},
    {"$defs", DIALECT_ANY, false, RULE_KINDS, compile_definitions},
    {"definitions", DIALECT_ANY, false, RULE_KINDS, compile_definitions},
    {"contentSchema", DIALECT_2020_12, false, RULE_KINDS, compile_schema},
    {"title", DIALECT_ANY, false, RULE_KINDS, keyword_string},
    {"description", DIALECT_ANY, false, RULE_KINDS, keyword_string},
    {"$comment", DIALECT_ANY, false, RULE_KINDS, keyword_string},
    {"format", DIALECT_ANY, false, RULE_KINDS, keyword_string},
    {"contentEncoding", DIALECT_ANY, false, RULE_KINDS, keyword_string},
    {"contentMediaType", DIALECT_ANY, false, RULE_KINDS, keyword_string},
    {"examples", DIALECT_ANY, false, RULE_KINDS, keyword_array},
    {"readOnly", DIALECT_ANY, false, RULE_KINDS, keyword_boolean},
    {"writeOnly", DIALECT_ANY, false, RULE_KINDS, keyword_boolean},
    {"deprecated", DIALECT_2020_12, false, RULE_KINDS, keyword_boolean},
};

static void compile_keywords(struct compiler *compiler, const struct building *building) {
    const struct resource *resource =
        VECTOR_AT(compiler->resources, struct resource, building->resource);
    enum dialect dialect = resource->dialect;
    bool validates = resource->validates;
    const struct json *ref = json_member(building->json, "$ref");
    bool only_ref = ref && dialect == DIALECT_DRAFT_07; /* draft-07 core section 8.3 */
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        const struct keyword *keyword = &keywords[i];
        const struct json *value = json_member(building->json, keyword->name);
        if (!value || !(keyword->dialects & dialect) || (keyword->validates && !validates) ||
            (only_ref && value != ref)) {
            continue;
        }
        keyword->compile(compiler, building, keyword, value);
        if (compiler->outcome != OUTCOME_OK) {
            return;
        }
    }
}

void compiler_compile_next(struct compiler *compiler) {
    uint32_t index = compiler->compiled++;
    struct schema_node *node = VECTOR_AT(compiler->nodes, struct schema_node, index);
    uint32_t first = compiler->rules.count;
    node->first_rule = first;
    struct building building = {.node = index, .resource = node->resource, .json = node->json};
    if (building.json->type == JSON_FALSE) {
        (void)keyword_add_rule(compiler, RULE_FALSE, building.json);
    } else if (building.json->type == JSON_OBJECT) {
        compile_keywords(compiler, &building);
    }
    node = VECTOR_AT(compiler->nodes, struct schema_node, index);
    node->rules = compiler->rules.count - first;
}
