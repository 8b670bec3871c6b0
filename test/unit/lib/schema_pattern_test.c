#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "lib/schema_pattern.h"
#include "test/unit/lib/json_help.h"

static const struct schema_pattern *compiled(struct arena *arena, const char *source) {
    const struct schema_pattern *pattern = NULL;
    struct problem problem = {0};
    if (schema_pattern_compile(arena, source, strlen(source), &pattern, &problem) != OUTCOME_OK) {
        fail_msg("%s: %s", source, problem.text);
    }
    return pattern;
}

static void expressions_are_those_of_ecma_262(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *text;
        enum schema_match match;
    } cases[] = {
        {"", "", SCHEMA_MATCH},
        {"b", "abc", SCHEMA_MATCH},
        {"^abc$", "abc\n", SCHEMA_NO_MATCH},
        {"^.$", "\xF0\x9F\x98\x80", SCHEMA_MATCH},
        {"^\\v$", "\v", SCHEMA_MATCH},
        {"^\\v$", "\n", SCHEMA_NO_MATCH},
        {"^[\\s]$", "\xC2\xA0", SCHEMA_MATCH},
        {"^[\\S]$", "\xC2\xA0", SCHEMA_NO_MATCH},
        {"^[\\S]+$", "a\xC3\xA9\xF0\x9F\x98\x80", SCHEMA_MATCH},
        {"^[^\\s]$", "\xEF\xBB\xBF", SCHEMA_NO_MATCH},
        {"^\\ud83d\\ude00$", "\xF0\x9F\x98\x80", SCHEMA_MATCH},
        {"^[\\u{1F600}-\\u{1F64F}]$", "\xF0\x9F\x98\x80", SCHEMA_MATCH},
        {"^\\x41\\u0042$", "AB", SCHEMA_MATCH},
        {"^\\p{Letter}\\P{L}\\p{gc=Nd}$", "\xC3\xA9!7", SCHEMA_MATCH},
        {"^\\p{Script=Greek}$", "\xCE\xB1", SCHEMA_MATCH},
        {"^\\p{Script=Greek}$", "a", SCHEMA_NO_MATCH},
        {"^[[:alpha:]]$", ":]", SCHEMA_MATCH}, /* a class of : [ a l p h, and then ] */
        {"^[[:alpha:]]$", "b", SCHEMA_NO_MATCH},
        {"^(?<year>\\d{4})-\\k<year>$", "1999-1999", SCHEMA_MATCH},
        {"(?<=a)b(?!c)", "abd", SCHEMA_MATCH},
        {"[]", "", SCHEMA_NO_MATCH},
        {"^[^]$", "\n", SCHEMA_MATCH},
        {"^\\/\\-\\.$", "/-.", SCHEMA_MATCH},
    };
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t steps = SCHEMA_STEPS_MAX;
        struct schema_matcher matcher = {.arena = arena, .steps_left = &steps};
        const struct schema_pattern *pattern = compiled(arena, cases[i].pattern);
        if (schema_pattern_find(pattern, &matcher, cases[i].text, strlen(cases[i].text)) !=
            cases[i].match) {
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
        }
    }
    arena_free(arena);
}

static void what_is_none_is_refused(void **state) {
    (void)state;
    static const char *const sources[] = {
        "(",     ")",     "a\\",   "[a",     "*a",      "(*ACCEPT)", "(?R)",
        "(?1)",  "(?#a)", "(?i)a", "(?|a)",  "\\K",     "\\A",       "\\z",
        "\\Q",   "\\h",   "\\R",   "\\C",    "\\a",     "\\u12",     "\\xg0",
        "\\u{}", "\\p",   "\\p{",  "\\p{X}", "\\ud800", "(?<1)",     "\\u{110000}",
    };
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        const struct schema_pattern *pattern = NULL;
        struct problem problem = {0};
        if (schema_pattern_compile(arena, sources[i], strlen(sources[i]), &pattern, &problem) !=
            OUTCOME_INVALID) {
            fail_msg("%s was accepted", sources[i]);
        }
        assert_true(problem.text[0] != '\0');
    }
    arena_free(arena);
}

/* The classic traps, and one that only tries many starts. */
static void a_match_does_bounded_work(void **state) {
    (void)state;
    static const char *const sources[] = {"^(a+)+$", "^(a|a)*$", "^(a*)*$", "(a+)+$", "(.*)*x"};
    char text[4096];
    memset(text, 'a', sizeof text);
    memcpy(text + 40, "!", 1);
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        const struct schema_pattern *pattern = compiled(arena, sources[i]);
        for (size_t length = 41; length <= sizeof text; length *= 10) {
            struct arena *call = arena_new_on_heap(1 << 20);
            uint32_t steps = SCHEMA_STEPS_MAX;
            struct schema_matcher matcher = {.arena = call, .steps_left = &steps};
            enum schema_match match = schema_pattern_find(pattern, &matcher, text, length);
            assert_true(match == SCHEMA_MATCH_TOO_DEAR || match == SCHEMA_NO_MATCH ||
                        (match == SCHEMA_MATCH && sources[i][0] != '^'));
            assert_true(steps < SCHEMA_STEPS_MAX);
            assert_true(arena_bytes(call) <= 4 * PATTERN_HEAP_MAX_KIB * 1024);
            arena_free(call);
        }
    }
    arena_free(arena);
}

/* A check's steps pay for its dear matches, so there are no more than ten. */
static void dear_matches_run_out(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    const struct schema_pattern *pattern = compiled(arena, "^(a+)+$");
    uint32_t steps = SCHEMA_STEPS_MAX, paid = 0;
    struct schema_matcher matcher = {.arena = arena, .steps_left = &steps};
    const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
    for (int i = 0; i < 100; i++) {
        uint32_t before = steps;
        assert_int_equal(schema_pattern_find(pattern, &matcher, text, sizeof text - 1),
                         SCHEMA_MATCH_TOO_DEAR);
        paid += before - steps > SCHEMA_STEPS_MAX / 10;
    }
    assert_in_range(paid, 1, 10);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_are_those_of_ecma_262),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(a_match_does_bounded_work),
        cmocka_unit_test(dear_matches_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
