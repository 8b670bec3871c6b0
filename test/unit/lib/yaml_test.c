#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/yaml.h"

#define ARENA_BYTES (8u << 20)

static enum outcome parse(struct arena *arena, const char *yaml, const struct json **root,
                          struct problem *problem) {
    return yaml_parse(arena, yaml, strlen(yaml), &json_limits_file, root, problem);
}

static const struct {
    const char *yaml, *json;
} readings[] = {
    {"a: 1\nb: [x, 'y', \"z\"]\n", "{\"a\":1,\"b\":[\"x\",\"y\",\"z\"]}"},
    {"# comment\n---\n- a\n-\n- b: c\n  d: e\n", "[\"a\",null,{\"b\":\"c\",\"d\":\"e\"}]"},
    {"\xEF\xBB\xBF"
     "a: b\n",
     "{\"a\":\"b\"}"},
    {"%YAML 1.2\n---\na: b\n...\n", "{\"a\":\"b\"}"},
    /* JSON is YAML. */
    {"{\"a\": [1, 2.50, -0, 1e5, true, null, \"\\u00e9\\/\"]}\n",
     "{\"a\":[1,2.50,-0,1e5,true,null,\"\xC3\xA9/\"]}"},
    {"{\n\t\"a\": 1\n}", "{\"a\":1}"},
    /* The core schema: null, boolean. */
    {"[null, Null, NULL, ~, ]", "[null,null,null,null]"},
    {"[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]"},
    {"[yes, no, on, off, y, n, nULL, tRUE]",
     "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"nULL\",\"tRUE\"]"},
    {"['null', \"true\", '1', \"~\", '']", "[\"null\",\"true\",\"1\",\"~\",\"\"]"},
    /* Numbers keep their digits. */
    {"[0, -1, 12345678901234567890123, 1.10, -0.0, 1e+5, 1E-5, 1.5e3]",
     "[0,-1,12345678901234567890123,1.10,-0.0,1e+5,1E-5,1.5e3]"},
    {"[.5, -.5, 1., 1.e2, 0., 0.5]", "[0.5,-0.5,1,1e2,0,0.5]"},
    {"[0x1F, 0o17, 0xffffffffffffffff]", "[31,15,18446744073709551615]"},
    {"[0x, 0o, 0x1G, 0o8, -0x1, 0b1, 1_000, 1e, 1e+, ., -, e5, 1.2.3, 2026-07-28, 12:30]",
     "[\"0x\",\"0o\",\"0x1G\",\"0o8\",\"-0x1\",\"0b1\",\"1_000\",\"1e\",\"1e+\",\".\",\"-\","
     "\"e5\",\"1.2.3\",\"2026-07-28\",\"12:30\"]"},
    {"[inf, nan, infinity]", "[\"inf\",\"nan\",\"infinity\"]"},
    /* Keys are text. */
    {"200: a\ntrue: b\n'null': c\n1.0: d\n\"\": e\n",
     "{\"200\":\"a\",\"true\":\"b\",\"null\":\"c\",\"1.0\":\"d\",\"\":\"e\"}"},
    /* Strings. */
    {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\"}"},
    {"\"a\\0b\\x41\\n\"", "\"a\\u0000bA\\n\""},
    {"a: '<<'\n'<<': 1\n", "{\"a\":\"<<\",\"<<\":1}"},
    {"plain", "\"plain\""},
    {"---\n", "null"},
};

static void check_reading(const char *yaml, const char *json) {
    struct arena *arena = arena_new_on_heap(ARENA_BYTES);
    const struct json *root = NULL;
    struct problem problem = {0};
    if (parse(arena, yaml, &root, &problem) != OUTCOME_OK) {
        fail_msg("%s: %s", yaml, problem.text);
    }
    struct text text = text_new(arena, ARENA_BYTES);
    json_write(&text, root);
    assert_string_equal(text.bytes, json);
    arena_free(arena);
}

static void what_is_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        check_reading(readings[i].yaml, readings[i].json);
    }
}

static const struct {
    const char *yaml;
    unsigned line;
    const char *problem;
} refusals[] = {
    {"", 1, "empty"},
    {"# only a comment\n", 2, "empty"},
    {"a: 1\n---\nb: 2\n", 2, "second document"},
    {"a: &x 1\n", 1, "anchor &x"},
    {"a: &x {b: c}\n", 1, "anchor &x"},
    {"a:\n  - &x [1]\n", 2, "anchor &x"},
    {"&x a: 1\n", 1, "anchor"},
    {"a: 1\nb: *x\n", 2, "alias"},
    {"*x : 1\n", 1, "alias"},
    {"a: !!str 1\n", 1, "tag"},
    {"a: ! 1\n", 1, "tag"},
    {"a: !x [1]\n", 1, "tag"},
    {"!!map {a: b}\n", 1, "tag"},
    {"!k a: 1\n", 1, "tag"},
    {"a:\n  <<: {b: c}\n", 2, "merge key"},
    {"a: 1\nb: 2\na: 3\n", 3, "\"a\" is there twice"},
    {"200: 1\n'200': 3\n", 2, "\"200\" is there twice"},
    {"a: 1\n\"\\x61\": 2\n", 2, "\"a\" is there twice"},
    {"{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1, k: 1, l: 1, m: 1,\nc: 2}", 2,
     "\"c\" is there twice"},
    {"? [a]\n: 1\n", 1, "key must be text"},
    {"? {a: b}\n: 1\n", 1, "key must be text"},
    {"a: 1\n? \n: 1\n", 2, "key is missing"},
    {"~: 1\n", 1, "key is missing"},
    {"a: 1\nb: .inf\n", 2, "no number that JSON has"},
    {"a: -.INF\n", 1, "no number that JSON has"},
    {"a: .nan\n", 1, "no number that JSON has"},
    {"a: 0049\n", 1, "write \"0049\" for text"},
    {"a: -01\n", 1, "leading zeros"},
    {"a: +491511234567\n", 1, "write \"+491511234567\" for text"},
    {"a: 0x10000000000000000\n", 1, "64 bits"},
    {"a: [1, 2\nb: 3\n", 2, "column"},
    {"a: b: c\n", 1, "column 5"},
    {"a:\n  - b\n c: d\n", 3, "column 2"},
    {"a:\n\tb: c\n", 2, "a tab indents this line"},
    {"a: @b\n", 1, "column 4"},
    {"a: 'b\n", 2, "column"},
    {"a: b\nc: \xFF\n", 2, "UTF-8"},
    {"a: \xC0\xAF\n", 1, "UTF-8"},
    {"a: \xED\xA0\x80\n", 1, "UTF-8"},
    {"a: \x01\n", 1, "UTF-8"},
    {"a: \"\\ud800\"\n", 1, "column"},
};

static void what_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct arena *arena = arena_new_on_heap(ARENA_BYTES);
        const struct json *root = NULL;
        struct problem problem = {0};
        enum outcome outcome = parse(arena, refusals[i].yaml, &root, &problem);
        if (outcome != OUTCOME_INVALID || !strstr(problem.text, refusals[i].problem) ||
            problem.at != refusals[i].line) {
            fail_msg("%s: %d, line %u: %s", refusals[i].yaml, outcome, problem.at, problem.text);
        }
        assert_null(root);
        arena_free(arena);
    }
}

static void each_node_knows_its_line(void **state) {
    (void)state;
    static const char yaml[] =
        "a: 1\nb:\n  c:\n    - x\n    - y: 1\n      z: 2\n  d: {e: 1,\n f: 2}\n";
    struct arena *arena = arena_new_on_heap(ARENA_BYTES);
    const struct json *root = NULL;
    struct problem problem = {0};
    assert_int_equal(parse(arena, yaml, &root, &problem), OUTCOME_OK);
    const struct json *b = json_member(root, "b"), *c = json_member(b, "c");
    assert_int_equal(root->at, 1);
    assert_int_equal(json_member(root, "a")->at, 1);
    assert_int_equal(b->at, 2);
    assert_int_equal(c->at, 3);
    assert_int_equal(c->first->at, 4);
    assert_int_equal(c->first->next->at, 5);
    assert_int_equal(json_member(c->first->next, "z")->at, 6);
    assert_int_equal(json_member(json_member(b, "d"), "f")->at, 8);
    arena_free(arena);
}

static void strings_end_in_a_nul(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(ARENA_BYTES);
    const struct json *root = NULL;
    struct problem problem = {0};
    assert_int_equal(parse(arena, "key: value\n", &root, &problem), OUTCOME_OK);
    assert_string_equal(root->first->name, "key");
    assert_string_equal(root->first->bytes, "value");
    arena_free(arena);
}

/* Each limit at it and one past it. */
static void every_limit_is_kept(void **state) {
    (void)state;
    static const struct {
        const char *yaml;
        struct json_limits limits; /* just enough; one less of any is refused */
    } tests[] = {
        {"[[a]]", {.depth_max = 2, .members_max = 0, .nodes_max = 3, .string_bytes_max = 1}},
        {"{ab: 1, c: {d: 2}}",
         {.depth_max = 2, .members_max = 2, .nodes_max = 4, .string_bytes_max = 2}},
        {"a: [b, ccc]\n",
         {.depth_max = 2, .members_max = 1, .nodes_max = 4, .string_bytes_max = 3}},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        for (unsigned less = 0; less <= 4; less++) {
            struct arena *arena = arena_new_on_heap(ARENA_BYTES);
            struct json_limits limits = tests[i].limits;
            uint32_t *const fields[] = {&limits.depth_max, &limits.members_max, &limits.nodes_max,
                                        &limits.string_bytes_max};
            if (less > 0 && *fields[less - 1] == 0) {
                arena_free(arena);
                continue;
            }
            if (less > 0) {
                *fields[less - 1] -= 1;
            }
            const struct json *root = NULL;
            struct problem problem = {0};
            enum outcome outcome =
                yaml_parse(arena, tests[i].yaml, strlen(tests[i].yaml), &limits, &root, &problem);
            assert_int_equal(outcome, less == 0 ? OUTCOME_OK : OUTCOME_TOO_LARGE);
            assert_int_equal(problem.at, less == 0 ? 0 : 1);
            arena_free(arena);
        }
    }
}

/* A hostile file is refused soon, and without a deep stack. */
static void deep_nesting_is_refused(void **state) {
    (void)state;
    enum { LEVELS = 100000 };
    char *yaml = malloc(LEVELS + 1);
    memset(yaml, '[', LEVELS);
    yaml[LEVELS] = '\0';
    struct arena *arena = arena_new_on_heap(ARENA_BYTES);
    const struct json *root = NULL;
    struct problem problem = {0};
    assert_int_equal(parse(arena, yaml, &root, &problem), OUTCOME_TOO_LARGE);
    arena_free(arena);
    free(yaml);
}

static void every_budget_ends_cleanly(void **state) {
    (void)state;
    char yaml[8192] = "a: [0";
    for (size_t i = 0; i < 300; i++) {
        strcat(yaml, ", {b: 'text'}");
    }
    strcat(yaml, "]\n");
    enum outcome outcome = OUTCOME_NO_MEMORY;
    size_t budget = 4096;
    for (; outcome == OUTCOME_NO_MEMORY; budget += 4096) {
        struct arena *arena = arena_new_on_heap(budget);
        const struct json *root = NULL;
        struct problem problem = {0};
        outcome = parse(arena, yaml, &root, &problem);
        assert_int_equal(root == NULL, outcome == OUTCOME_NO_MEMORY);
        arena_free(arena);
    }
    assert_int_equal(outcome, OUTCOME_OK);
    assert_true(budget > 2 * 4096);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(each_node_knows_its_line),
        cmocka_unit_test(strings_end_in_a_nul),
        cmocka_unit_test(every_limit_is_kept),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(every_budget_ends_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
