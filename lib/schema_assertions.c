/* Keywords that look at a value alone (2020-12 validation section 6; draft-07 validation section
 * 6), and annotations, of which only the type is checked. */
#include "lib/limits.h"
#include "lib/schema_keyword.h"

struct schema_rule *keyword_add_rule(struct compiler *compiler, enum rule_kind kind,
                                     const struct json *value) {
    struct schema_rule *rule = vector_add(compiler, &compiler->rules, sizeof *rule);
    if (rule) {
        rule->kind = kind;
        rule->value = value;
    }
    return rule;
}

bool keyword_expect_type(struct compiler *compiler, const struct building *building,
                         const struct json *value, enum json_type type) {
    if (value->type != type) {
        compiler_fail(compiler, building->resource, value, "must be %s, not %s",
                      schema_type_name(type), schema_type_name(value->type));
    }
    return compiler->outcome == OUTCOME_OK;
}

void keyword_string(struct compiler *compiler, const struct building *building,
                    const struct keyword *keyword, const struct json *value) {
    (void)keyword;
    (void)keyword_expect_type(compiler, building, value, JSON_STRING);
}

void keyword_array(struct compiler *compiler, const struct building *building,
                   const struct keyword *keyword, const struct json *value) {
    (void)keyword;
    (void)keyword_expect_type(compiler, building, value, JSON_ARRAY);
}

void keyword_boolean(struct compiler *compiler, const struct building *building,
                     const struct keyword *keyword, const struct json *value) {
    bool on = value->type == JSON_TRUE;
    if (value->type != JSON_FALSE && !on) {
        (void)keyword_expect_type(compiler, building, value, JSON_TRUE);
    } else if (on && keyword->kind == RULE_UNIQUE_ITEMS) {
        (void)keyword_add_rule(compiler, keyword->kind, value);
    }
}

/* Types */

static uint32_t type_bit_named(const struct json *name) {
    for (unsigned type = 0; type < SCHEMA_TYPES; type++) {
        static const char *const names[SCHEMA_TYPES] = {
            [JSON_NULL] = "null",     [JSON_TRUE] = "boolean",          [JSON_NUMBER] = "number",
            [JSON_STRING] = "string", [JSON_ARRAY] = "array",           [JSON_OBJECT] = "object",
            [JSON_FALSE] = "boolean", [SCHEMA_TYPE_INTEGER] = "integer"};
        if (json_string_is(name, names[type])) {
            return schema_type_bit(type);
        }
    }
    return 0;
}

static uint32_t read_type(struct compiler *compiler, const struct building *building,
                          const struct json *name) {
    if (!keyword_expect_type(compiler, building, name, JSON_STRING)) {
        return 0;
    }
    uint32_t bit = type_bit_named(name);
    if (bit == 0) {
        compiler_fail(compiler, building->resource, name,
                      "must be one of string, number, integer, boolean, object, array, null; not "
                      "\"%s\"",
                      json_excerpt(name->bytes, name->length).text);
    }
    return bit;
}

void keyword_type(struct compiler *compiler, const struct building *building,
                  const struct keyword *keyword, const struct json *value) {
    uint32_t types = 0;
    if (value->type == JSON_ARRAY) {
        for (const struct json *name = value->first; name; name = name->next) {
            types |= read_type(compiler, building, name);
        }
    } else {
        types = read_type(compiler, building, value);
    }
    struct schema_rule *rule = keyword_add_rule(compiler, keyword->kind, value);
    if (rule) {
        rule->types = types;
    }
}

/* Values and bounds */

void keyword_const(struct compiler *compiler, const struct building *building,
                   const struct keyword *keyword, const struct json *value) {
    (void)building;
    (void)keyword_add_rule(compiler, keyword->kind, value);
}

void keyword_enum(struct compiler *compiler, const struct building *building,
                  const struct keyword *keyword, const struct json *value) {
    if (keyword_expect_type(compiler, building, value, JSON_ARRAY)) {
        (void)keyword_add_rule(compiler, keyword->kind, value);
    }
}

void keyword_number(struct compiler *compiler, const struct building *building,
                    const struct keyword *keyword, const struct json *value) {
    if (!keyword_expect_type(compiler, building, value, JSON_NUMBER)) {
        return;
    }
    if (keyword->kind == RULE_MULTIPLE_OF) {
        uint32_t digits = json_number_digits(value);
        if (digits == 0 || value->bytes[0] == '-') {
            compiler_fail(compiler, building->resource, value, "must be greater than 0");
        } else if (digits > JSON_DIVISOR_DIGITS_MAX) {
            compiler_fail(compiler, building->resource, value,
                          "has %u significant digits; at most %u are allowed", digits,
                          JSON_DIVISOR_DIGITS_MAX);
        }
    }
    (void)keyword_add_rule(compiler, keyword->kind, value);
}

bool keyword_read_bound(struct compiler *compiler, const struct building *building,
                        const struct json *value, uint64_t *bound) {
    int64_t number = 0;
    bool fits = value->type == JSON_NUMBER && json_to_int64(value, &number);
    bool whole = fits || (value->type == JSON_NUMBER && json_number_is_whole(value));
    if (!whole || number < 0 || (!fits && value->bytes[0] == '-')) {
        compiler_fail(compiler, building->resource, value,
                      "must be a whole number that is not negative");
        return false;
    }
    *bound = fits ? (uint64_t)number : UINT64_MAX;
    return true;
}

void keyword_bound(struct compiler *compiler, const struct building *building,
                   const struct keyword *keyword, const struct json *value) {
    uint64_t bound;
    if (keyword_read_bound(compiler, building, value, &bound)) {
        struct schema_rule *rule = keyword_add_rule(compiler, keyword->kind, value);
        if (rule) {
            rule->bound = bound;
        }
    }
}

uint32_t keyword_add_pattern(struct compiler *compiler, const struct building *building,
                             const struct json *at, const char *source, size_t length) {
    const struct schema_pattern *pattern = NULL;
    struct problem problem = {0};
    if (compiler->outcome != OUTCOME_OK) {
        return SCHEMA_NONE;
    }
    enum outcome outcome =
        schema_pattern_compile(compiler->arena, source, length, &pattern, &problem);
    if (outcome == OUTCOME_INVALID) {
        compiler_fail(compiler, building->resource, at, "%s", problem.text);
        return SCHEMA_NONE;
    }
    compiler->outcome = outcome;
    const struct schema_pattern **added =
        vector_add(compiler, &compiler->patterns, sizeof(const struct schema_pattern *));
    if (!added) {
        return SCHEMA_NONE;
    }
    *added = pattern;
    return compiler->patterns.count - 1;
}

void keyword_pattern(struct compiler *compiler, const struct building *building,
                     const struct keyword *keyword, const struct json *value) {
    if (!keyword_expect_type(compiler, building, value, JSON_STRING)) {
        return;
    }
    uint32_t pattern = keyword_add_pattern(compiler, building, value, value->bytes, value->length);
    struct schema_rule *rule = keyword_add_rule(compiler, keyword->kind, value);
    if (rule) {
        rule->pattern = pattern;
    }
}

bool keyword_expect_names(struct compiler *compiler, const struct building *building,
                          const struct json *value) {
    if (!keyword_expect_type(compiler, building, value, JSON_ARRAY)) {
        return false;
    }
    for (const struct json *name = value->first; name; name = name->next) {
        if (!keyword_expect_type(compiler, building, name, JSON_STRING)) {
            return false;
        }
    }
    return true;
}

void keyword_required(struct compiler *compiler, const struct building *building,
                      const struct keyword *keyword, const struct json *value) {
    if (keyword_expect_names(compiler, building, value)) {
        (void)keyword_add_rule(compiler, keyword->kind, value);
    }
}
