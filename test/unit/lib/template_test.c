#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/template.h"

#define ARENA_BYTES (1u << 20)

typedef enum outcome compile_function(struct arena *arena, const struct json *value,
                                      const struct json *schema, const struct template **template,
                                      struct problem *problem);

static const struct json *parse(struct arena *arena, const char *text) {
    const struct json *root = NULL;
    struct problem problem = {0};
    if (json_parse(arena, text, strlen(text), &json_limits_file, &root, &problem) != OUTCOME_OK) {
        fail_msg("%s: %s", text, problem.text);
    }
    return root;
}

/* The input of the tools here: `to` and `n` are required, `d` and `e` have defaults, the others may
 * be absent. */
static const char schema_text[] =
    "{\"type\":\"object\",\"required\":[\"to\",\"n\",\"any\"],\"properties\":{"
    "\"to\":{\"type\":\"string\"},\"n\":{\"type\":\"number\"},\"any\":{},"
    "\"d\":{\"type\":\"string\",\"default\":\"fallback\"},"
    "\"e\":{\"type\":\"array\",\"default\":[1,2]},"
    "\"opt\":{\"type\":\"string\"},\"list\":{\"type\":\"array\"},\"map\":{\"type\":\"object\"},"
    "\"a b\":{\"type\":\"string\"}}}";

struct render_case {
    const char *template;  /* JSON */
    const char *arguments; /* JSON */
    const char *expected;  /* what is written; NULL: refused */
    const char *problem;   /* part of the text, if refused; path: the argument's */
    const char *path;
};

static void check_render(compile_function *compile, const struct render_case *test) {
    struct arena *arena = arena_new_on_heap(ARENA_BYTES);
    struct problem problem = {0};
    const struct template *template = NULL;
    enum outcome outcome = compile(arena, parse(arena, test->template), parse(arena, schema_text),
                                   &template, &problem);
    if (outcome != OUTCOME_OK) {
        fail_msg("%s: %s", test->template, problem.text);
    }
    struct text text = text_new(arena, ARENA_BYTES);
    text_add_string(&text, "^"); /* what was there before stays */
    bool present = false;
    outcome = template_render(template, parse(arena, test->arguments), &text, &present, &problem);
    if (!test->expected) {
        if (outcome != OUTCOME_INVALID) {
            fail_msg("%s with %s was not refused: %s", test->template, test->arguments, text.bytes);
        }
        assert_non_null(strstr(problem.text, test->problem));
        assert_string_equal(problem.path, test->path);
        assert_string_equal(text.bytes, "^");
    } else {
        if (outcome != OUTCOME_OK) {
            fail_msg("%s with %s: %s", test->template, test->arguments, problem.text);
        }
        assert_string_equal(text.bytes + 1, test->expected);
        assert_int_equal(present, *test->expected != '\0');
    }
    arena_free(arena);
}

static void paths(void **state) {
    (void)state;
    static const struct render_case tests[] = {
        {"\"/\"", "{}", "/", NULL, NULL},
        {"\"/messages\"", "{}", "/messages", NULL, NULL},
        {"\"/messages/\"", "{}", "/messages/", NULL, NULL},
        {"\"/a%20b;v=1,2/@:!$&'()*+\"", "{}", "/a%20b;v=1,2/@:!$&'()*+", NULL, NULL},
        {"\"/r/{to}/send\"", "{\"to\":\"alice\"}", "/r/alice/send", NULL, NULL},
        {"\"/{to}\"", "{\"to\":\"\xC3\xA9 ~_-.\"}", "/%C3%A9%20~_-.", NULL, NULL},
        {"\"/x{to}y-{n}\"", "{\"to\":\"\",\"n\":1e+2}", "/xy-1e%2B2", NULL, NULL},
        {"\"/{d}\"", "{}", "/fallback", NULL, NULL},
        {"\"/{any}/{any}\"", "{\"any\":true}", "/true/true", NULL, NULL},
        /* One argument stays one segment, whatever it holds. */
        {"\"/r/{to}\"", "{\"to\":\"../../admin\"}", "/r/..%2F..%2Fadmin", NULL, NULL},
        {"\"/r/{to}\"", "{\"to\":\"%2e%2e\"}", "/r/%252e%252e", NULL, NULL},
        {"\"/r/{to}\"", "{\"to\":\"a/b\"}", "/r/a%2Fb", NULL, NULL},
        {"\"/r/{to}\"", "{\"to\":\"a%2fb\"}", "/r/a%252fb", NULL, NULL},
        {"\"/r/{to}\"", "{\"to\":\"a\\\\b\"}", "/r/a%5Cb", NULL, NULL},
        {"\"/r/{to}\"", "{\"to\":\"?x=1#y\"}", "/r/%3Fx%3D1%23y", NULL, NULL},
        {"\"/r/{to}\"", "{\"to\":\";x\"}", "/r/%3Bx", NULL, NULL},
        {"\"/{to}\"", "{\"to\":\"/evil\"}", "/%2Fevil", NULL, NULL},
        {"\"/{to}\"", "{\"to\":\"@evil:1234\"}", "/%40evil%3A1234", NULL, NULL},
        {"\"/r/{to}\"", "{\"to\":\"...\"}", "/r/...", NULL, NULL},
        {"\"/r/{to}\"", "{\"to\":\"{n}\"}", "/r/%7Bn%7D", NULL, NULL},
        {"\"/r/{to}/x\"", "{\"to\":\"..\"}", NULL, "\"..\"", "/to"},
        {"\"/r/{to}\"", "{\"to\":\"..\"}", NULL, "\"..\"", "/to"},
        {"\"/r/{to}\"", "{\"to\":\".\"}", NULL, "\".\"", "/to"},
        {"\"/r/{to}\"", "{\"to\":\"\"}", NULL, "empty", "/to"},
        {"\"/r/{to}/\"", "{\"to\":\"\"}", NULL, "empty", "/to"},
        {"\"/r/.{to}\"", "{\"to\":\".\"}", NULL, "\"..\"", "/to"},
        {"\"/r/%2e{to}\"", "{\"to\":\".\"}", NULL, "\"..\"", "/to"},
        {"\"/r/{to}%2E\"", "{\"to\":\"\"}", NULL, "\"..\"", "/to"},
        {"\"/r/{to}{d}\"", "{\"to\":\".\",\"d\":\".\"}", NULL, "\"..\"", "/d"},
        {"\"/r/{to}\"", "{\"to\":\"a\\u0000b\"}", NULL, "control", "/to"},
        {"\"/r/{to}\"", "{\"to\":\"a\\r\\nb\"}", NULL, "control", "/to"},
        {"\"/r/{to}\"", "{\"to\":\"\\u007f\"}", NULL, "control", "/to"},
        {"\"/r/{any}\"", "{\"any\":null}", NULL, "string", "/any"},
        {"\"/r/{any}\"", "{\"any\":[1]}", NULL, "string", "/any"},
        {"\"/r/{any}\"", "{\"any\":{}}", NULL, "string", "/any"},
        {"\"/r/{to}\"", "{}", NULL, "missing", "/to"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        check_render(template_compile_path, &tests[i]);
    }
}

static void queries(void **state) {
    (void)state;
    static const struct render_case tests[] = {
        {"{}", "{}", "", NULL, NULL},
        {"{\"format\":\"json\",\"v\":1.50,\"x\":true}", "{}", "?format=json&v=1.50&x=true", NULL,
         NULL},
        {"{\"to\":\"{to}\"}", "{\"to\":\"a&b=c#d+e f\"}", "?to=a%26b%3Dc%23d%2Be%20f", NULL, NULL},
        {"{\"q\":\"to:{to}\"}", "{\"to\":\"\"}", "?q=to%3A", NULL, NULL},
        {"{\"o\":\"{opt}\",\"n\":\"{n}\"}", "{\"n\":0}", "?n=0", NULL, NULL},
        {"{\"o\":\"{opt}\"}", "{}", "", NULL, NULL},
        {"{\"a\":\"{any}\"}", "{\"any\":null}", "", NULL, NULL},
        {"{\"o\":\"{opt}\"}", "{\"opt\":\"\"}", "?o=", NULL, NULL},
        {"{\"l\":\"{list}\",\"z\":1}", "{\"list\":[\"a\",2,true]}", "?l=a&l=2&l=true&z=1", NULL,
         NULL},
        {"{\"l\":\"{list}\"}", "{\"list\":[]}", "", NULL, NULL},
        {"{\"e\":\"{e}\"}", "{}", "?e=1&e=2", NULL, NULL},
        {"{\"a b&\":\"{{}}\"}", "{}", "?a%20b%26=%7B%7D", NULL, NULL},
        {"{\"{{x}}\":1}", "{}", "?%7Bx%7D=1", NULL, NULL},
        {"{\"o\":\"{to}\"}", "{\"to\":\"a\\nb\"}", "?o=a%0Ab", NULL, NULL},
        {"{\"o\":\"{to}\"}", "{\"to\":\"a\\u0000b\"}", NULL, "U+0000", "/to"},
        {"{\"l\":\"{list}\"}", "{\"list\":[[1]]}", NULL, "string", "/list"},
        {"{\"l\":\"{list}\"}", "{\"list\":[null]}", NULL, "string", "/list"},
        {"{\"a\":\"{any}\"}", "{\"any\":{}}", NULL, "string", "/any"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        check_render(template_compile_query, &tests[i]);
    }
}

static void headers(void **state) {
    (void)state;
    static const struct render_case tests[] = {
        {"\"plain value\"", "{}", "plain value", NULL, NULL},
        {"2", "{}", "2", NULL, NULL},
        {"\"{to}\"", "{\"to\":\"x\"}", "x", NULL, NULL},
        {"\"id={to}; n={n}\"", "{\"to\":\"\xC3\xA9\",\"n\":3}", "id=\xC3\xA9; n=3", NULL, NULL},
        {"\"{opt}\"", "{}", "", NULL, NULL},
        {"\"{any}\"", "{\"any\":null}", "", NULL, NULL},
        {"\"{to}\"", "{\"to\":\"\"}", "", NULL, NULL},
        {"\"{to}\"", "{\"to\":\"  \"}", "", NULL, NULL},
        {"\"{to}\"", "{\"to\":\"  a b \"}", "a b", NULL, NULL},
        {"\"{to}\"", "{\"to\":\"x\\r\\nX-Admin: 1\"}", NULL, "control", "/to"},
        {"\"{to}\"", "{\"to\":\"x\\nX-Admin: 1\"}", NULL, "control", "/to"},
        {"\"{to}\"", "{\"to\":\"x\\u0000\"}", NULL, "control", "/to"},
        {"\"a{to}\"", "{\"to\":\"\\u007f\"}", NULL, "control", "/to"},
        {"\"{any}\"", "{\"any\":[\"x\"]}", NULL, "string", "/any"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        check_render(template_compile_header, &tests[i]);
    }
}

static void bodies(void **state) {
    (void)state;
    static const struct render_case tests[] = {
        {"null", "{}", "null", NULL, NULL},
        {"\"\"", "{}", "\"\"", NULL, NULL},
        {"{\"a\":[1.50,true,null,\"x\",{}]}", "{}", "{\"a\":[1.50,true,null,\"x\",{}]}", NULL,
         NULL},
        {"{\"recipient\":\"{to}\",\"n\":\"{n}\"}", "{\"to\":\"a\",\"n\":1700000000123456789}",
         "{\"recipient\":\"a\",\"n\":1700000000123456789}", NULL, NULL},
        {"\"Hi {to}, {n}!\"", "{\"to\":\"\\\"b\\\\\\n\",\"n\":1}", "\"Hi \\\"b\\\\\\n, 1!\"", NULL,
         NULL},
        {"\"{{{to}}}\"", "{\"to\":\"x\"}", "\"{x}\"", NULL, NULL},
        {"\"{{to}}\"", "{}", "\"{to}\"", NULL, NULL},
        {"\"q\\\"{to}\\\"\"", "{\"to\":\"\"}", "\"q\\\"\\\"\"", NULL, NULL},
        {"{\"a\":\"{opt}\",\"b\":\"{to}\",\"c\":[\"{opt}\",\"{to}\",\"{opt}\"]}", "{\"to\":\"x\"}",
         "{\"b\":\"x\",\"c\":[\"x\"]}", NULL, NULL},
        {"{\"a\":\"{opt}\"}", "{}", "{}", NULL, NULL},
        {"\"{opt}\"", "{}", "", NULL, NULL},
        {"\"{any}\"", "{\"any\":null}", "null", NULL, NULL},
        {"{\"m\":\"{map}\",\"e\":\"{e}\"}", "{\"map\":{\"k\":[1,\"\\u0000\"]}}",
         "{\"m\":{\"k\":[1,\"\\u0000\"]},\"e\":[1,2]}", NULL, NULL},
        {"{\"q\\\"{{x}}\":\"{a b}\"}", "{\"a b\":\"y\"}", "{\"q\\\"{x}\":\"y\"}", NULL, NULL},
        /* No argument adds a member. */
        {"{\"t\":\"{to}\"}", "{\"to\":\"x\\\",\\\"admin\\\":true,\\\"y\\\":\\\"\"}",
         "{\"t\":\"x\\\",\\\"admin\\\":true,\\\"y\\\":\\\"\"}", NULL, NULL},
        {"\"a {any}\"", "{\"any\":{\"x\":1}}", NULL, "string", "/any"},
        {"\"a {any}\"", "{\"any\":null}", NULL, "string", "/any"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        check_render(template_compile_json, &tests[i]);
    }
}

struct refusal {
    compile_function *compile;
    const char *template;
    const char *problem;
    const char *path;
};

static const struct refusal refusals[] = {
    {template_compile_path, "\"\"", "starts with", ""},
    {template_compile_path, "\"messages\"", "starts with", ""},
    {template_compile_path, "\"{to}/x\"", "starts with", ""},
    {template_compile_path, "\"https://{to}/\"", "starts with", ""},
    {template_compile_path, "1", "starts with", ""},
    {template_compile_path, "\"//evil\"", "empty segment", ""},
    {template_compile_path, "\"/a//b\"", "empty segment", ""},
    {template_compile_path, "\"/{to}//\"", "empty segment", ""},
    {template_compile_path, "\"/..\"", "\"..\"", ""},
    {template_compile_path, "\"/a/../b\"", "\"..\"", ""},
    {template_compile_path, "\"/{to}/./\"", "\"..\"", ""},
    {template_compile_path, "\"/%2E%2e/b\"", "\"..\"", ""},
    {template_compile_path, "\"/a?b=1\"", "query", ""},
    {template_compile_path, "\"/a#b\"", "\"#\"", ""},
    {template_compile_path, "\"/a b\"", "0x20", ""},
    {template_compile_path, "\"/a\\\\b\"", "0x5C", ""},
    {template_compile_path, "\"/\xC3\xA9\"", "0xC3", ""},
    {template_compile_path, "\"/a\\u0000\"", "0x00", ""},
    {template_compile_path, "\"/a%2\"", "hexadecimal", ""},
    {template_compile_path, "\"/a%zz\"", "hexadecimal", ""},
    {template_compile_path, "\"/%{to}\"", "hexadecimal", ""},
    {template_compile_path, "\"/{{to}}\"", "0x7B", ""},
    {template_compile_path, "\"/{opt}\"", "required", ""},
    {template_compile_path, "\"/{list}\"", "type must be", ""},
    {template_compile_path, "\"/{map}\"", "type must be", ""},
    {template_compile_path, "\"/{tp}\"", "did you mean {to}?", ""},
    {template_compile_path, "\"/{zzzzzz}\"", "names no property", ""},
    {template_compile_path, "\"/{to\"", "no \"}\" closes", ""},
    {template_compile_path, "\"/{a{to}\"", "no \"}\" closes", ""},
    {template_compile_path, "\"/to}\"", "closes no hole", ""},
    {template_compile_path, "\"/{}\"", "names no argument", ""},
    {template_compile_query, "[]", "map", ""},
    {template_compile_query, "{\"q\":\"{nope-nope}\"}", "names no property", "/q"},
    {template_compile_query, "{\"{to}\":\"x\"}", "name takes no hole", "/{to}"},
    {template_compile_query, "{\"q\":\"x{opt}\"}", "required", "/q"},
    {template_compile_query, "{\"q\":\"{map}\"}", "or an array", "/q"},
    {template_compile_query, "{\"q\":\"x{list}\"}", "type must be", "/q"},
    {template_compile_query, "{\"q\":null}", "must be a string", "/q"},
    {template_compile_query, "{\"q\":[1]}", "must be a string", "/q"},
    {template_compile_header, "\"a\\nb\"", "control", ""},
    {template_compile_header, "\"{list}\"", "type must be", ""},
    {template_compile_header, "\"x {opt}\"", "required", ""},
    {template_compile_header, "{}", "must be a string", ""},
    {template_compile_json, "{\"a\":[0,{\"b/c\":\"{nope-nope}\"}]}", "names no property",
     "/a/1/b~1c"},
    {template_compile_json, "{\"x{to}\":1}", "name takes no hole", "/x{to}"},
    {template_compile_json, "\"hello {opt}\"", "required", ""},
    {template_compile_json, "\"hello {map}\"", "type must be", ""},
    {template_compile_json, "\"}\"", "closes no hole", ""},
};

static void what_is_refused_when_compiled(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct arena *arena = arena_new_on_heap(ARENA_BYTES);
        struct problem problem = {0};
        const struct template *template = NULL;
        enum outcome outcome = refusals[i].compile(arena, parse(arena, refusals[i].template),
                                                   parse(arena, schema_text), &template, &problem);
        if (outcome != OUTCOME_INVALID || !strstr(problem.text, refusals[i].problem)) {
            fail_msg("%s: %d \"%s\"", refusals[i].template, outcome, problem.text);
        }
        assert_string_equal(problem.path, refusals[i].path);
        assert_null(template);
        arena_free(arena);
    }
}

/* The problem leads to the place in the text, for an error that names a line. */
static void a_refusal_names_its_place(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(ARENA_BYTES);
    struct problem problem = {0};
    const struct template *template = NULL;
    const struct json *body = parse(arena, "{\"a\":1,\"b\":\"{nope}\"}");
    assert_int_equal(template_compile_json(arena, body, NULL, &template, &problem),
                     OUTCOME_INVALID);
    assert_int_equal(problem.at, body->first->next->at);
    arena_free(arena);
}

static void every_limit_of_the_text_is_kept(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(ARENA_BYTES);
    struct problem problem = {0};
    const struct template *template = NULL;
    const struct json *arguments = parse(arena, "{\"to\":\"a\\\"b\",\"n\":1}");
    static const char expected[] = "{\"x\":\"-a\\\"b-\",\"n\":1}";
    const struct json *body = parse(arena, "{\"x\":\"-{to}-\",\"n\":\"{n}\"}");
    assert_int_equal(
        template_compile_json(arena, body, parse(arena, schema_text), &template, &problem),
        OUTCOME_OK);
    for (size_t bytes_max = 0; bytes_max <= sizeof expected - 1; bytes_max++) {
        struct text text = text_new(arena, bytes_max);
        enum outcome outcome = template_render(template, arguments, &text, NULL, &problem);
        bool fits = bytes_max == sizeof expected - 1;
        assert_int_equal(outcome, fits ? OUTCOME_OK : OUTCOME_TOO_LARGE);
        assert_int_equal(text.length, fits ? sizeof expected - 1 : 0);
    }
    arena_free(arena);
}

/* Every budget of the arena ends in a whole template or in OUTCOME_NO_MEMORY. */
static void every_budget_ends_cleanly(void **state) {
    (void)state;
    struct arena *trees = arena_new_on_heap(ARENA_BYTES);
    char body[4096] = "{\"x\":[0";
    for (size_t i = 0; i < 100; i++) {
        strcat(body, ",\"-{to}-{n}\"");
    }
    const struct json *tree = parse(trees, strcat(body, "]}"));
    const struct json *schema = parse(trees, schema_text);
    enum outcome outcome = OUTCOME_NO_MEMORY;
    size_t budget = 4096;
    for (; outcome == OUTCOME_NO_MEMORY; budget += 4096) {
        struct arena *arena = arena_new_on_heap(budget);
        struct problem problem = {0};
        const struct template *template = NULL;
        outcome = template_compile_json(arena, tree, schema, &template, &problem);
        assert_int_equal(template == NULL, outcome == OUTCOME_NO_MEMORY);
        assert_int_equal(arena_exhausted(arena), outcome == OUTCOME_NO_MEMORY);
        arena_free(arena);
    }
    assert_int_equal(outcome, OUTCOME_OK);
    assert_true(budget > 2 * 4096);
    arena_free(trees);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(queries),
        cmocka_unit_test(headers),
        cmocka_unit_test(bodies),
        cmocka_unit_test(what_is_refused_when_compiled),
        cmocka_unit_test(a_refusal_names_its_place),
        cmocka_unit_test(every_limit_of_the_text_is_kept),
        cmocka_unit_test(every_budget_ends_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
