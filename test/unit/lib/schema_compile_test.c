#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "lib/schema.h"
#include "test/unit/lib/json_help.h"

/* {name: text}, kept as JSON text. */
struct documents {
    struct arena *arena;
    unsigned asked;
};

static const struct json *find(void *data, const char *uri) {
    struct documents *documents = data;
    static const struct {
        const char *uri, *text;
    } known[] = {
        {"https://example.com/good", "{\"$defs\":{\"a\":{\"$anchor\":\"a\",\"type\":\"null\"}}}"},
        {"https://example.com/bad", "{\"$defs\":{\"a\":{\"type\":7}}}"},
    };
    documents->asked++;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(uri, known[i].uri) == 0) {
            return parsed(documents->arena, known[i].text);
        }
    }
    return NULL;
}

#define DRAFT_07 "\"$schema\":\"http://json-schema.org/draft-07/schema#\","

static const struct {
    const char *schema, *path, *text;
} misuses[] = {
    {"7", "", "must be a schema (an object, true or false), not a number"},
    {"{\"type\":\"text\"}", "/type",
     "must be one of string, number, integer, boolean, object, array, null; not \"text\""},
    {"{\"type\":[\"string\",1]}", "/type/1", "must be a string, not a number"},
    {"{\"minLength\":\"5\"}", "/minLength", "must be a whole number that is not negative"},
    {"{\"maxItems\":-1}", "/maxItems", "must be a whole number that is not negative"},
    {"{\"maxItems\":-1e400}", "/maxItems", "must be a whole number that is not negative"},
    {"{\"minItems\":1.5}", "/minItems", "must be a whole number that is not negative"},
    {"{\"minContains\":-1}", "/minContains", "must be a whole number that is not negative"},
    {"{\"minimum\":\"5\"}", "/minimum", "must be a number, not a string"},
    {"{\"multipleOf\":0}", "/multipleOf", "must be greater than 0"},
    {"{\"multipleOf\":-2}", "/multipleOf", "must be greater than 0"},
    {"{\"multipleOf\":1.234567890123456789}", "/multipleOf",
     "has 19 significant digits; at most 18 are allowed"},
    {"{\"uniqueItems\":1}", "/uniqueItems", "must be a boolean, not a number"},
    {"{\"enum\":\"a\"}", "/enum", "must be an array, not a string"},
    {"{\"required\":\"a\"}", "/required", "must be an array, not a string"},
    {"{\"required\":[null]}", "/required/0", "must be a string, not null"},
    {"{\"dependentRequired\":{\"a\":[1]}}", "/dependentRequired/a/0",
     "must be a string, not a number"},
    {"{\"properties\":[]}", "/properties", "must be an object, not an array"},
    {"{\"properties\":{\"a/b\":{\"items\":[]}}}", "/properties/a~1b/items",
     "must be a schema (an object, true or false), not an array"},
    {"{\"allOf\":[]}", "/allOf", "must hold at least one schema"},
    {"{\"anyOf\":{}}", "/anyOf", "must be an array, not an object"},
    {"{\"not\":null}", "/not", "must be a schema (an object, true or false), not null"},
    {"{\"then\":1}", "/then", "must be a schema (an object, true or false), not a number"},
    {"{\"$defs\":{\"a\":{\"maxLength\":true}}}", "/$defs/a/maxLength",
     "must be a whole number that is not negative"},
    {"{\"description\":1}", "/description", "must be a string, not a number"},
    {"{\"$id\":1}", "/$id", "must be a string: the schema's URI"},
    {"{\"$anchor\":1}", "/$anchor", "must be a string: the anchor's name"},
    {"{\"$defs\":{\"a\":{\"$id\":\"x\"},\"b\":{\"$id\":\"x\"}}}", "/$defs/b/$id",
     "two schemas have this $id"},
    {"{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}", "/$schema",
     "is no dialect that is known here: use https://json-schema.org/draft/2020-12/schema or "
     "http://json-schema.org/draft-07/schema#"},
    {"{\"pattern\":\"(\"}", "/pattern", "is no regular expression: missing closing parenthesis"},
    {"{\"patternProperties\":{\"[\":true}}", "/patternProperties/[",
     "is no regular expression: missing terminating ] for character class"},
    {"{\"pattern\":\"(?R)\"}", "/pattern",
     "is no regular expression of ECMA-262: it has a kind of group that is none"},
    {"{\"$ref\":\"#/$defs/x\"}", "/$ref", "leads nowhere: there is no such schema"},
    {"{\"$ref\":\"#x\"}", "/$ref", "leads nowhere: there is no such schema"},
    {"{\"$ref\":\"#/required\",\"required\":[]}", "/required",
     "must be a schema (an object, true or false), not an array"},
    {"{\"$ref\":\"file:///etc/passwd\"}", "/$ref",
     "leads to file:///etc/passwd, which is not at hand: nothing is ever fetched"},
    {"{\"items\":{\"$ref\":\"http://169.254.169.254/latest\"}}", "/items/$ref",
     "leads to http://169.254.169.254/latest, which is not at hand: nothing is ever fetched"},
    {"{\"$ref\":\"https://example.com/bad\"}", "/$defs/a/type",
     "must be a string, not a number (in the document https://example.com/bad)"},
    {"{\"$ref\":\"#\"}", "",
     "leads back to itself without looking into the value: it would never end"},
    {"{\"allOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"anyOf\":[true,{\"if\":true,"
     "\"else\":{\"$ref\":\"#/$defs/a\"}}]}}}",
     "/$defs/a/anyOf/1/else",
     "leads back to itself without looking into the value: it would never end"},
    {"{\"$dynamicAnchor\":\"a\",\"$dynamicRef\":\"#a\"}", "",
     "leads back to itself without looking into the value: it would never end"},
    {"{" DRAFT_07 "\"items\":[1]}", "/items/0",
     "must be a schema (an object, true or false), not a number"},
    {"{" DRAFT_07 "\"dependencies\":{\"a\":[1]}}", "/dependencies/a/0",
     "must be a string, not a number"},
};

static void misuse_is_refused_with_a_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
        struct documents known = {.arena = arena};
        struct schema_documents documents = {find, &known};
        const struct schema *schema = NULL;
        struct problem problem = {.path = "/left/over"};
        enum outcome outcome =
            schema_compile(arena, parsed(arena, misuses[i].schema), &documents, &schema, &problem);
        assert_int_equal(outcome, OUTCOME_INVALID);
        assert_null(schema);
        assert_string_equal(problem.text, misuses[i].text);
        assert_string_equal(problem.path, misuses[i].path);
        arena_free(arena);
    }
}

static void what_the_standard_allows_is_accepted(void **state) {
    (void)state;
    static const char *const schemas[] = {
        "true",
        "{\"unknown\":{\"type\":7},\"maxLength\":1e400,\"minItems\":2.0}",
        "{\"default\":{\"type\":7},\"const\":{\"type\":7},\"enum\":[{\"type\":7}]}",
        "{\"items\":{\"$ref\":\"#\"},\"properties\":{\"a\":{\"$ref\":\"#\"}}}",
        "{\"$ref\":\"#/unknown\",\"unknown\":{\"type\":\"null\"}}",
        "{" DRAFT_07 "\"prefixItems\":7,\"$ref\":\"#/definitions/a\",\"type\":7,"
        "\"definitions\":{\"a\":{}}}",
        "{" DRAFT_07 "\"$defs\":{\"a\":{\"$id\":\"#a\"}},\"items\":{\"$ref\":\"#a\"}}",
        "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"required\":[]}",
    };
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
        const struct schema *schema = NULL;
        struct problem problem = {0};
        if (schema_compile(arena, parsed(arena, schemas[i]), NULL, &schema, &problem) !=
            OUTCOME_OK) {
            fail_msg("%s: %s %s", schemas[i], problem.path, problem.text);
        }
        assert_non_null(schema);
        arena_free(arena);
    }
}

static void a_document_is_asked_for_once(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    struct documents known = {.arena = arena};
    struct schema_documents documents = {find, &known};
    const struct schema *schema = NULL;
    struct problem problem = {0};
    const struct json *root =
        parsed(arena, "{\"prefixItems\":[{\"$ref\":\"https://example.com/good#a\"},"
                      "{\"$ref\":\"https://example.com/good#/$defs/a\"}]}");
    assert_int_equal(schema_compile(arena, root, &documents, &schema, &problem), OUTCOME_OK);
    assert_int_equal(known.asked, 1);
    assert_int_equal(schema_check(schema, arena, parsed(arena, "[null,null]"), &problem), 0);
    assert_int_equal(schema_check(schema, arena, parsed(arena, "[null,1]"), &problem),
                     OUTCOME_INVALID);
    arena_free(arena);
}

static const char sample[] =
    "{\"$id\":\"https://example.com/x\",\"type\":[\"object\",\"null\"],\"properties\":{\"a\":{"
    "\"pattern\":\"^a+$\",\"$ref\":\"#/$defs/b\"},\"c\":{\"anyOf\":[true,{\"const\":1}]}},"
    "\"required\":[\"a\"],\"$defs\":{\"b\":{\"$anchor\":\"b\",\"minLength\":1}},"
    "\"if\":true,\"then\":{\"$ref\":\"#b\"},\"unevaluatedProperties\":{\"not\":false}}";

/* The arena's budget is the injected fault: one block, of which less and less is used up before.
 * Whole patterns are given back with the arena. */
static void every_budget_ends_cleanly(void **state) {
    (void)state;
    struct arena *text = arena_new_on_heap(TEST_ARENA_BYTES);
    const struct json *root = parsed(text, sample);
    struct block_pool *pool = block_pool_new(1, BLOCK_BYTES);
    enum outcome outcome = OUTCOME_NO_MEMORY;
    unsigned refused = 0;
    for (size_t used = BLOCK_BYTES; outcome != OUTCOME_OK; used -= 16) {
        assert_true(used > 0);
        struct arena *arena = arena_new(pool, BLOCK_BYTES);
        if (arena_alloc(arena, used)) {
            const struct schema *schema = NULL;
            struct problem problem = {0};
            outcome = schema_compile(arena, root, NULL, &schema, &problem);
            assert_true(outcome == OUTCOME_OK || outcome == OUTCOME_NO_MEMORY);
            assert_int_equal(schema != NULL, outcome == OUTCOME_OK);
            refused += outcome == OUTCOME_NO_MEMORY;
        }
        arena_free(arena);
        assert_int_equal(block_pool_usage(pool).blocks_used, 0);
    }
    assert_true(refused > 30);
    block_pool_free(pool);
    arena_free(text);
}

/* Any change of one byte is compiled or refused, the same way each time. */
static void any_byte_may_be_changed_without_harm(void **state) {
    (void)state;
    static const char bytes[] = "\0\"{}[]:,#/19atn$\\";
    char text[sizeof sample];
    for (size_t i = 0; i + 1 < sizeof sample; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            memcpy(text, sample, sizeof sample);
            text[i] = bytes[k];
            struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
            const struct json *root = NULL;
            const struct schema *schema = NULL;
            struct problem problem = {0};
            if (json_parse(arena, text, sizeof sample - 1, &json_limits_file, &root, &problem) ==
                    OUTCOME_OK &&
                schema_compile(arena, root, NULL, &schema, &problem) == OUTCOME_OK) {
                (void)!schema_check(schema, arena, root, &problem);
            } else {
                assert_true(problem.text[0] != '\0');
            }
            arena_free(arena);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse_is_refused_with_a_place),
        cmocka_unit_test(what_the_standard_allows_is_accepted),
        cmocka_unit_test(a_document_is_asked_for_once),
        cmocka_unit_test(every_budget_ends_cleanly),
        cmocka_unit_test(any_byte_may_be_changed_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
