/* schema_keyword: what the two files that turn keywords into rules share. Nobody else includes it.
 *
 * schema_assertions.c has the keywords that look at a value alone, schema_keywords.c those that
 * hold schemas, and the table of all. */
#pragma once

#include "lib/schema_compiler.h"

/* The node whose rules are being made. */
struct building {
    uint32_t node, resource;
    const struct json *json;
};

struct keyword;

/* Makes the keyword's rule of its value, or says in the compiler what is wrong with it. */
typedef void keyword_compile(struct compiler *compiler, const struct building *building,
                             const struct keyword *keyword, const struct json *value);

struct keyword {
    const char *name;
    enum dialect dialects;
    bool validates; /* it belongs to the validation vocabulary */
    enum rule_kind kind;
    keyword_compile *compile;
};

keyword_compile keyword_string, keyword_array, keyword_boolean, keyword_type, keyword_const;
keyword_compile keyword_enum, keyword_number, keyword_bound, keyword_pattern, keyword_required;

/* NULL after a failure. */
struct schema_rule *keyword_add_rule(struct compiler *compiler, enum rule_kind kind,
                                     const struct json *value);

/* False, and a problem, when the value is of another type. */
bool keyword_expect_type(struct compiler *compiler, const struct building *building,
                         const struct json *value, enum json_type type);

/* The same unless it is an array of strings. */
bool keyword_expect_names(struct compiler *compiler, const struct building *building,
                          const struct json *value);

/* Reads a length or a count; beyond 63 bits it is as good as the largest of them. False, and a
 * problem, when it is none. */
bool keyword_read_bound(struct compiler *compiler, const struct building *building,
                        const struct json *value, uint64_t *bound);

/* The pattern's index; SCHEMA_NONE after a failure, whose place is `at`. */
uint32_t keyword_add_pattern(struct compiler *compiler, const struct building *building,
                             const struct json *at, const char *source, size_t length);
