/* schema_internal: the compiled form, shared by the files of schema and by nobody else.
 *
 * A node is one schema object (or true, or false) and owns a run of rules in the order they are
 * checked. Everything refers by index into the arrays of struct schema; names, constants and bounds
 * stay where they are, in the JSON of the schema. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json.h"
#include "lib/schema.h"
#include "lib/schema_pattern.h"

#define SCHEMA_NONE UINT32_MAX

/* In the order they are checked: cheap before dear, and what looks at annotations last. */
enum rule_kind {
    RULE_FALSE,
    RULE_TYPE,
    RULE_CONST,
    RULE_ENUM,
    RULE_MULTIPLE_OF,
    RULE_MINIMUM,
    RULE_EXCLUSIVE_MINIMUM,
    RULE_MAXIMUM,
    RULE_EXCLUSIVE_MAXIMUM,
    RULE_MIN_LENGTH,
    RULE_MAX_LENGTH,
    RULE_PATTERN,
    RULE_MIN_ITEMS,
    RULE_MAX_ITEMS,
    RULE_UNIQUE_ITEMS,
    RULE_REQUIRED,
    RULE_DEPENDENT_REQUIRED,
    RULE_MEMBERS, /* properties, patternProperties and additionalProperties, which know of each
                     other */
    RULE_MIN_PROPERTIES,
    RULE_MAX_PROPERTIES,
    RULE_PROPERTY_NAMES,
    RULE_ITEMS, /* prefixItems and items */
    RULE_CONTAINS,
    RULE_REF,
    RULE_DYNAMIC_REF,
    RULE_ALL_OF,
    RULE_ANY_OF,
    RULE_ONE_OF,
    RULE_NOT,
    RULE_IF,
    RULE_DEPENDENT_SCHEMAS,
    RULE_UNEVALUATED_ITEMS,
    RULE_UNEVALUATED_PROPERTIES,
    RULE_KINDS,
};

struct schema_rule {
    enum rule_kind kind;
    const struct json *value; /* the keyword's, as written; of several, the first one's */
    union {
        uint32_t node;    /* REF, NOT, PROPERTY_NAMES, UNEVALUATED_* */
        uint32_t types;   /* TYPE: one bit for each, see schema_type_bit */
        uint32_t pattern; /* PATTERN */
        uint64_t bound;   /* MIN_*, MAX_*: of lengths and counts */
        struct {
            uint32_t first, count;
        } list; /* ALL_OF, ANY_OF, ONE_OF: of `lists`; DEPENDENT_*: of `named` */
        struct {
            uint32_t first, count, first_pattern,
                patterns; /* of `named`; the first run is sorted */
            uint32_t additional;
        } members;
        struct {
            uint32_t first, count, rest; /* the prefix, of `lists`; then the others */
        } items;
        struct {
            uint32_t node;
            uint64_t least, most;
        } contains;
        struct {
            uint32_t condition, then, otherwise;
        } branch;
        struct {
            uint32_t node;   /* where the reference leads on its own */
            uint32_t anchor; /* of `anchors`: the one whose name is looked for on the way */
        } dynamic;
    };
};

/* A member of the schema's JSON whose name matters: a property, a pattern, a dependency. */
struct schema_named {
    const struct json *member;
    uint32_t node;    /* or SCHEMA_NONE */
    uint32_t pattern; /* or SCHEMA_NONE */
};

struct schema_node {
    const struct json *json;
    uint32_t first_rule, rules;
    uint32_t resource;
    bool annotates; /* it has unevaluatedItems or unevaluatedProperties */
};

/* $dynamicAnchor: looked up by resource along the way the evaluation came. */
struct schema_dynamic_anchor {
    const struct json *name;
    uint32_t resource;
    uint32_t node;
};

struct schema {
    const struct schema_node *nodes; /* [0] is the root */
    const struct schema_rule *rules;
    const uint32_t *lists;
    const struct schema_named *named;
    const struct schema_pattern *const *patterns;
    const struct schema_dynamic_anchor *anchors;
    uint32_t anchor_count;
};

/* The type's bit in a rule's `types`. JSON Schema has one type more than JSON: integer. */
enum { SCHEMA_TYPE_BOOLEAN = JSON_TRUE, SCHEMA_TYPE_INTEGER = JSON_OBJECT + 1, SCHEMA_TYPES };

static inline uint32_t schema_type_bit(unsigned type) {
    return UINT32_C(1) << (type == JSON_FALSE ? SCHEMA_TYPE_BOOLEAN : type);
}

/* Orders property names: by length, then by bytes. */
int schema_compare_names(const char *a, size_t a_length, const char *b, size_t b_length);

/* "a string", "an integer"; of SCHEMA_TYPE_* or enum json_type. */
const char *schema_type_name(unsigned type);
