#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "lib/limits.h"
#include "lib/poison.h"
#include "lib/schema.h"
#include "test/unit/lib/json_help.h"

static const struct schema *compiled(struct arena *arena, const char *text) {
    const struct schema *schema = NULL;
    struct problem problem = {0};
    if (schema_compile(arena, parsed(arena, text), NULL, &schema, &problem) != OUTCOME_OK) {
        fail_msg("%s: %s %s", text, problem.path, problem.text);
    }
    return schema;
}

/* What the check says of the value: "PATH TEXT", or "" when it fits. */
static void expect(const char *schema, const char *value, const char *expected) {
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    struct problem problem = {.path = "/left/over"};
    enum outcome outcome =
        schema_check(compiled(arena, schema), arena, parsed(arena, value), &problem);
    char said[sizeof problem.path + sizeof problem.text] = "";
    if (outcome != OUTCOME_OK) {
        assert_int_equal(outcome, OUTCOME_INVALID);
        snprintf(said, sizeof said, "%s %s", problem.path, problem.text);
    }
    assert_string_equal(said, expected);
    arena_free(arena);
}

static const char message_schema[] =
    "{\"type\":\"object\",\"required\":[\"to\",\"text\"],\"additionalProperties\":false,"
    "\"properties\":{\"to\":{\"type\":\"string\",\"pattern\":\"^\\\\+[0-9]+$\"},"
    "\"text\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":10},"
    "\"kind\":{\"enum\":[\"sms\",\"chat\"]},"
    "\"tags\":{\"type\":\"array\",\"maxItems\":2,\"uniqueItems\":true,"
    "\"items\":{\"type\":[\"string\",\"integer\",\"null\"]}},"
    "\"at\":{\"type\":\"integer\",\"minimum\":1,\"exclusiveMaximum\":100}}}";

static void a_call_s_arguments_get_sentences(void **state) {
    (void)state;
    static const struct {
        const char *value, *said;
    } cases[] = {
        {"{\"to\":\"+1\",\"text\":\"hi\"}", ""},
        {"[]", " must be an object, not an array"},
        {"{\"text\":\"hi\"}", "/to is missing: it is required"},
        {"{\"to\":1,\"text\":\"hi\"}", "/to must be a string, not a number"},
        {"{\"to\":\"1\",\"text\":\"hi\"}", "/to must match the pattern ^\\+[0-9]+$"},
        {"{\"to\":\"+1\",\"text\":\"h\"}", "/text is 1 character long; at least 2 are needed"},
        {"{\"to\":\"+1\",\"text\":\"\xF0\x9F\x98\x80\"}",
         "/text is 1 character long; at least 2 are needed"},
        {"{\"to\":\"+1\",\"text\":\"0123456789\"}", ""},
        {"{\"to\":\"+1\",\"text\":\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"}", ""},
        {"{\"to\":\"+1\",\"text\":\"0123456789a\"}",
         "/text is 11 characters long; at most 10 are allowed"},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"kind\":\"mail\"}",
         "/kind must be one of \"sms\", \"chat\""},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"x/y\":1}",
         "/x~1y is not allowed here; the allowed members are \"to\", \"text\", \"kind\", \"tags\", "
         "\"at\""},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"tags\":[1,2,3]}",
         "/tags has 3 items; at most 2 are allowed"},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"tags\":[\"a\",\"a\"]}",
         "/tags/1 is the same as item 0 before it: each may be there only once"},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"tags\":[1,1.5]}",
         "/tags/1 must be null, a string or an integer, not 1.5"},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"tags\":[1,true]}",
         "/tags/1 must be null, a string or an integer, not a boolean"},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"at\":0}", "/at must be at least 1, not 0"},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"at\":1e2}", "/at must be less than 100, not 1e2"},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"at\":\"1\"}", "/at must be an integer, not a string"},
        {"{\"to\":\"+1\",\"text\":\"hi\",\"at\":99.0}", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect(message_schema, cases[i].value, cases[i].said);
    }
}

static const struct {
    const char *schema, *value, *said;
} sentences[] = {
    {"false", "1", " is not allowed here"},
    {"{\"properties\":{\"a\":false}}", "{\"a\":1}", "/a is not allowed here"},
    {"{\"const\":\"x\"}", "1", " must be \"x\""},
    {"{\"const\":{\"a\":1}}", "1", " must be an object of 1 member"},
    {"{\"enum\":[1]}", "2", " must be 1"},
    {"{\"enum\":[null,true,[],\"a\"]}", "2",
     " must be one of null, true, an array of 0 items, \"a\""},
    {"{\"multipleOf\":0.01}", "0.001", " must be a multiple of 0.01, not 0.001"},
    {"{\"maximum\":5}", "7", " must be at most 5, not 7"},
    {"{\"exclusiveMinimum\":5}", "5.0", " must be greater than 5, not 5.0"},
    {"{\"minItems\":1}", "[]", " has 0 items; at least 1 is needed"},
    {"{\"minProperties\":2}", "{\"a\":1}", " has 1 member; at least 2 are needed"},
    {"{\"maxProperties\":0}", "{\"a\":1}", " has 1 member; at most 0 are allowed"},
    {"{\"additionalProperties\":false}", "{\"a\":1}", "/a is not allowed here; no members are"},
    {"{\"additionalProperties\":false,\"patternProperties\":{\"^x\":true}}", "{\"a\":1}",
     "/a is not allowed here: its name matches none of the patterns"},
    {"{\"additionalProperties\":false,\"properties\":{\"b\":true},\"patternProperties\":{\"^x\""
     ":true}}",
     "{\"a\":1}",
     "/a is not allowed here; the allowed members are \"b\" and those that match a pattern"},
    {"{\"patternProperties\":{\"^x\":{\"type\":\"null\"}}}", "{\"xa\":1}",
     "/xa must be null, not a number"},
    {"{\"additionalProperties\":{\"type\":\"null\"}}", "{\"xa\":1}",
     "/xa must be null, not a number"},
    {"{\"propertyNames\":{\"maxLength\":2}}", "{\"abc\":1}",
     "/abc has a name that is not allowed: it is 3 characters long; at most 2 are allowed"},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}",
     "/b is missing: it is required when \"a\" is given"},
    {"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}}", "{\"a\":1}",
     "/b is missing: it is required"},
    {"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"null\"}}", "[1]",
     "/0 must be a string, not a number"},
    {"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"null\"}}", "[\"a\",1]",
     "/1 must be null, not a number"},
    {"{\"contains\":{\"type\":\"null\"}}", "[1]",
     " must hold at least 1 item of the kind that `contains` describes, not 0"},
    {"{\"contains\":true,\"maxContains\":2}", "[1,2,3]",
     " must hold at most 2 items of the kind that `contains` describes, not 3"},
    {"{\"not\":{\"type\":\"string\"}}", "\"a\"", " has a value that `not` forbids here: \"a\""},
    {"{\"allOf\":[{\"type\":\"number\"},{\"minimum\":2}]}", "1", " must be at least 2, not 1"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "1",
     " fits none of the 2 alternatives: (1) must be a string, not a number; (2) must be null, "
     "not a number"},
    {"{\"anyOf\":[{\"type\":\"string\"}]}", "1", " must be a string, not a number"},
    {"{\"properties\":{\"p\":{\"oneOf\":[{\"required\":[\"a\"]},{\"properties\":{\"b\":{"
     "\"const\":1}}}]}}}",
     "{\"p\":{\"b\":2}}",
     "/p fits none of the 2 alternatives: (1) /a is missing: it is required; (2) /b must be 1"},
    {"{\"anyOf\":[false,{\"anyOf\":[false,{\"anyOf\":[false,{\"const\":1}]}]}]}", "2",
     " fits none of the 2 alternatives: (1) is not allowed here; (2) fits none of the 2 "
     "alternatives: (1) is not allowed here; (2) fits none of the 2 alternatives"},
    {"{\"oneOf\":[{\"type\":\"number\"},{\"minimum\":1}]}", "1",
     " fits more than one of the 2 alternatives, and must fit exactly one"},
    {"{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},\"else\":{\"required\":["
     "\"c\"]}}",
     "{\"a\":1}", "/b is missing: it is required"},
    {"{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]},\"else\":{\"required\":["
     "\"c\"]}}",
     "{}", "/c is missing: it is required"},
    {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"items\":{\"items\":{\"type\":\"null\"}}}}}",
     "[[null],[null,7]]", "/1/1 must be null, not a number"},
    {"{\"unevaluatedProperties\":false,\"allOf\":[{\"properties\":{\"a\":true}}]}",
     "{\"a\":1,\"b\":2}", "/b is not allowed here"},
    {"{\"unevaluatedItems\":{\"type\":\"null\"},\"prefixItems\":[true]}", "[1,2]",
     "/1 must be null, not a number"},
};

static void every_rule_has_its_sentence(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        expect(sentences[i].schema, sentences[i].value, sentences[i].said);
    }
}

static void long_values_are_cut(void **state) {
    (void)state;
    expect("{\"const\":\"0123456789012345678901234567890123456789012345678901234567890\"}", "1",
           " must be \"01234567890123456789012345678901234567890123...\"");
    expect("{\"enum\":[\"0123456789012345678901234567890123456789\","
           "\"1123456789012345678901234567890123456789\","
           "\"2123456789012345678901234567890123456789\","
           "\"3123456789012345678901234567890123456789\","
           "\"4123456789012345678901234567890123456789\","
           "\"5123456789012345678901234567890123456789\","
           "\"6123456789012345678901234567890123456789\"]}",
           "1",
           " must be one of \"0123456789012345678901234567890123456789\", "
           "\"1123456789012345678901234567890123456789\", "
           "\"2123456789012345678901234567890123456789\", "
           "\"3123456789012345678901234567890123456789\", "
           "\"4123456789012345678901234567890123456789\", "
           "\"5123456789012345678901234567890123456789\" ...");
}

static void the_place_in_the_text_is_told(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    struct problem problem = {0};
    const struct schema *schema = compiled(arena, "{\"items\":{\"type\":\"null\"}}");
    assert_int_equal(schema_check(schema, arena, parsed(arena, "[null,  7]"), &problem),
                     OUTCOME_INVALID);
    assert_int_equal(problem.at, 8);
    arena_free(arena);
}

/* {"a":{"a":{...}}}, or [[[...]]]. */
static char *nested(const char *open, const char *close, size_t depth, const char *inner) {
    size_t used = 0;
    char *text = malloc(depth * (strlen(open) + strlen(close)) + strlen(inner) + 1);
    for (size_t i = 0; i < depth; i++) {
        used += (size_t)sprintf(text + used, "%s", open);
    }
    used += (size_t)sprintf(text + used, "%s", inner);
    for (size_t i = 0; i < depth; i++) {
        used += (size_t)sprintf(text + used, "%s", close);
    }
    return text;
}

/* A list of one schema, as {"allOf":[inner]}: schemas nested deeper than a text may be. */
static const struct json *wrapped(struct arena *arena, const struct json *inner) {
    struct json *object = json_new(arena, JSON_OBJECT), *list = json_new(arena, JSON_ARRAY);
    struct json *element = json_new(arena, inner->type), *last = NULL, *last_member = NULL;
    *element = *inner;
    json_append(list, &last, element);
    list->name = "allOf";
    list->name_length = 5;
    json_append(object, &last_member, list);
    return object;
}

static void nesting_at_its_limit_and_one_past_it(void **state) {
    (void)state;
    for (unsigned past = 0; past < 2; past++) {
        struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
        const struct json *root = parsed(arena, "{\"type\":\"null\"}");
        for (unsigned depth = 1; depth < SCHEMA_NESTING_MAX + past; depth++) {
            root = wrapped(arena, root);
        }
        const struct schema *schema = NULL;
        struct problem problem = {0};
        assert_int_equal(schema_compile(arena, root, NULL, &schema, &problem), OUTCOME_OK);
        assert_int_equal(schema_check(schema, arena, parsed(arena, "null"), &problem),
                         past ? OUTCOME_INVALID : OUTCOME_OK);
        assert_string_equal(problem.text, past ? "takes more work to check than is allowed" : "");
        arena_free(arena);
    }
}

struct deep_check {
    const struct schema *schema;
    const struct json *value;
    struct arena *arena;
    struct problem problem;
};

static void *run_deep_check(void *data) {
    struct deep_check *deep = data;
    (void)!schema_check(deep->schema, deep->arena, deep->value, &deep->problem);
    return NULL;
}

/* Instrumented frames are larger, by less than this. */
#ifdef PLATEAU_ASAN
#define STACK_FACTOR 8u
#else
#define STACK_FACTOR 1u
#endif

static void the_deepest_check_fits_a_worker_s_stack(void **state) {
    (void)state;
    static const char *const schemas[] = {
        "{\"anyOf\":[{\"items\":{\"allOf\":[{\"$ref\":\"#\"}]}},{\"type\":\"null\"}]}",
        "{\"items\":{\"$ref\":\"#\"},\"type\":\"array\"}",
        "{\"contains\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}}",
        "{\"not\":{\"items\":{\"not\":{\"$ref\":\"#\"}}}}",
        "{\"if\":{\"items\":{\"oneOf\":[{\"$ref\":\"#\"},false]}},\"then\":false}",
    };
    char *deep = nested("[", "]", JSON_DEPTH_MAX - 1, "\"x\"");
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
        struct deep_check check = {.arena = arena};
        check.schema = compiled(arena, schemas[i]);
        check.value = parsed(arena, deep);
        pthread_attr_t attributes;
        pthread_t thread;
        pthread_attr_init(&attributes);
        assert_int_equal(
            pthread_attr_setstacksize(&attributes, STACK_FACTOR * (size_t)WORKER_STACK_BYTES), 0);
        assert_int_equal(pthread_create(&thread, &attributes, run_deep_check, &check), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        pthread_attr_destroy(&attributes);
        arena_free(arena);
    }
    free(deep);
}

static void recursion_follows_the_value(void **state) {
    (void)state;
    char *deep = nested("{\"a\":", "}", JSON_DEPTH_MAX - 1, "[]");
    expect("{\"type\":\"object\",\"properties\":{\"a\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":"
           "\"array\"}]}}}",
           deep, "");
    free(deep);
}

/* Each level doubles the work; 60 levels would never end. */
static void work_is_bounded(void **state) {
    (void)state;
    char schema[8192];
    size_t used = (size_t)sprintf(schema, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < 60; i++) {
        used += (size_t)sprintf(schema + used,
                                "\"d%d\":{\"allOf\":[{\"$ref\":\"#/$defs/d%d\"},"
                                "{\"$ref\":\"#/$defs/d%d\"}]},",
                                i, i + 1, i + 1);
    }
    sprintf(schema + used, "\"d60\":{\"type\":\"null\"}}}");
    expect(schema, "null", " takes more work to check than is allowed");
}

static void the_arena_s_budget_ends_a_check_cleanly(void **state) {
    (void)state;
    struct arena *load = arena_new_on_heap(TEST_ARENA_BYTES);
    const struct schema *schema =
        compiled(load, "{\"items\":{\"uniqueItems\":true,\"unevaluatedItems\":false,\"anyOf\":[{"
                       "\"items\":{\"pattern\":\"^(a|b)*$\"}},true]}}");
    char *items =
             nested("[\"ab\",\"abababababababababababababababababababa\",\"c\"],", "", 200, "[]"),
         *array = malloc(strlen(items) + 3);
    sprintf(array, "[%s]", items);
    const struct json *value = parsed(load, array);
    struct block_pool *pool = block_pool_new(256, BLOCK_BYTES);
    enum outcome outcome = OUTCOME_NO_MEMORY;
    size_t budget = 0;
    for (; outcome != OUTCOME_INVALID; budget += BLOCK_BYTES) {
        struct arena *arena = arena_new(pool, budget);
        struct problem problem = {0};
        outcome = schema_check(schema, arena, value, &problem);
        assert_true(outcome == OUTCOME_INVALID || outcome == OUTCOME_NO_MEMORY);
        assert_true(problem.text[0] != '\0');
        arena_free(arena);
        assert_int_equal(block_pool_usage(pool).blocks_used, 0);
    }
    assert_true(budget > 4 * BLOCK_BYTES);
    block_pool_free(pool);
    free(items), free(array);
    arena_free(load);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_s_arguments_get_sentences),
        cmocka_unit_test(every_rule_has_its_sentence),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(the_place_in_the_text_is_told),
        cmocka_unit_test(nesting_at_its_limit_and_one_past_it),
        cmocka_unit_test(the_deepest_check_fits_a_worker_s_stack),
        cmocka_unit_test(recursion_follows_the_value),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(the_arena_s_budget_ends_a_check_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
