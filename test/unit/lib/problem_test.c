#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/outcome.h"
#include "lib/problem.h"

#define TEXT_MAX (PROBLEM_TEXT_BYTES - 1)
#define PATH_MAX_BYTES (PROBLEM_PATH_BYTES - 1)

static void the_text_is_written_and_nothing_else(void **state) {
    (void)state;
    struct problem problem = {.path = "/a", .at = 7};
    problem_set(&problem, "%s is %d, not %c%%", "it", -1, 'x');
    assert_string_equal(problem.text, "it is -1, not x%");
    problem_set(&problem, "%s", "shorter");
    assert_string_equal(problem.text, "shorter");
    problem_set(&problem, "%s", "");
    assert_string_equal(problem.text, "");
    assert_string_equal(problem.path, "/a");
    assert_int_equal(problem.at, 7);
}

/* So many 'a', then `tail`: what is kept of the tail. */
static void a_long_text_is_cut_between_characters(void **state) {
    (void)state;
    static const struct {
        size_t as;
        const char *tail, *kept;
    } tests[] = {
        {TEXT_MAX - 1, "b", "b"},
        {TEXT_MAX, "", ""},
        {TEXT_MAX, "b", ""},
        {TEXT_MAX, "bcdef", ""},
        {TEXT_MAX - 2, "\xC3\xA9", "\xC3\xA9"},
        {TEXT_MAX - 2, "\xC3\xA9z", "\xC3\xA9"}, /* cut, and the character is whole */
        {TEXT_MAX - 1, "\xC3\xA9", ""},
        {TEXT_MAX - 3, "\xE2\x82\xAC", "\xE2\x82\xAC"},
        {TEXT_MAX - 3, "\xE2\x82\xACz", "\xE2\x82\xAC"},
        {TEXT_MAX - 2, "\xE2\x82\xAC", ""},
        {TEXT_MAX - 1, "\xE2\x82\xAC", ""},
        {TEXT_MAX - 4, "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
        {TEXT_MAX - 4, "\xF0\x9F\x98\x80z", "\xF0\x9F\x98\x80"},
        {TEXT_MAX - 3, "\xF0\x9F\x98\x80", ""},
        {TEXT_MAX - 2, "\xF0\x9F\x98\x80", ""},
        {TEXT_MAX - 1, "\xF0\x9F\x98\x80", ""},
        {TEXT_MAX - 3, "\xC3\xA9\xC3\xA9", "\xC3\xA9"}, /* only the half one goes */
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        char as[PROBLEM_TEXT_BYTES] = "", expected[PROBLEM_TEXT_BYTES + 8];
        memset(as, 'a', tests[i].as);
        snprintf(expected, sizeof expected, "%s%s", as, tests[i].kept);
        struct problem problem = {.path = "/a", .at = 7};
        problem_set(&problem, "%s%s", as, tests[i].tail);
        assert_string_equal(problem.text, expected);
        assert_string_equal(problem.path, "/a");
        assert_int_equal(problem.at, 7);
    }
}

/* RFC 6901, section 3: "~" is "~0" and "/" is "~1"; what is in the path already stays. */
static void steps_are_escaped(void **state) {
    (void)state;
    static const struct {
        const char *path, *step, *result;
    } tests[] = {
        {"", "a", "/a"},
        {"", "", "/"},
        {"/b", "", "//b"},
        {"/b/0", "a", "/a/b/0"},
        {"", "~", "/~0"},
        {"", "/", "/~1"},
        {"", "~1", "/~01"},
        {"", "a/b~c", "/a~1b~0c"},
        {"/~01", "/~", "/~1~0/~01"},
        {"", "m\xC3\xA9tier \"%\"", "/m\xC3\xA9tier \"%\""},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct problem problem = {.text = "words", .at = 7};
        strcpy(problem.path, tests[i].path);
        problem_path_prepend(&problem, tests[i].step);
        assert_string_equal(problem.path, tests[i].result);
        assert_string_equal(problem.text, "words");
        assert_int_equal(problem.at, 7);
    }
}

/* "/s" before a path of so many 'a' and a tail: what is kept of the tail. */
static void a_long_path_loses_its_end(void **state) {
    (void)state;
    static const struct {
        size_t as;
        const char *tail, *kept;
    } tests[] = {
        {PATH_MAX_BYTES - 3, "b", "b"},
        {PATH_MAX_BYTES - 2, "", ""},
        {PATH_MAX_BYTES - 2, "b", ""},
        {PATH_MAX_BYTES - 3, "bc", "b"},
        {PATH_MAX_BYTES - 4, "\xC3\xA9", "\xC3\xA9"},
        {PATH_MAX_BYTES - 4, "\xC3\xA9z", "\xC3\xA9"},
        {PATH_MAX_BYTES - 3, "\xC3\xA9", ""},
        {PATH_MAX_BYTES - 4, "\xE2\x82\xAC", ""},
        {PATH_MAX_BYTES - 5, "\xE2\x82\xAC", "\xE2\x82\xAC"},
        {PATH_MAX_BYTES - 5, "\xF0\x9F\x98\x80", ""},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        char as[PROBLEM_PATH_BYTES] = "", expected[PROBLEM_PATH_BYTES + 8];
        memset(as, 'a', tests[i].as);
        snprintf(expected, sizeof expected, "/s%s%s", as, tests[i].kept);
        struct problem problem = {.text = "words", .at = 7};
        int length = snprintf(problem.path, sizeof problem.path, "%s%s", as, tests[i].tail);
        assert_in_range(length, 0, PATH_MAX_BYTES);
        problem_path_prepend(&problem, "s");
        assert_string_equal(problem.path, expected);
        assert_string_equal(problem.text, "words");
        assert_int_equal(problem.at, 7);
    }
}

/* One step of so many bytes: whole while there is room for it and one escape, then only its
 * beginning. An escape is not cut in two, wherever it comes to lie. */
static void a_long_step_loses_its_end(void **state) {
    (void)state;
    static const struct {
        const char *first, *byte, *escaped, *path;
    } tests[] = {
        {"", "a", "a", ""},       {"", "a", "a", "/inner"}, {"", "/", "~1", ""},
        {"b", "/", "~1", ""},     {"", "~", "~0", ""},      {"b", "~", "~0", ""},
        {"b", "~", "~0", "/b/0"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        for (size_t bytes = 1; bytes < 2 * PROBLEM_PATH_BYTES; bytes++) {
            char step[2 * PROBLEM_PATH_BYTES + 2] = "", all[5 * PROBLEM_PATH_BYTES] = "/";
            strcat(step, tests[i].first);
            strcat(all, tests[i].first);
            for (size_t j = 0; j < bytes; j++) {
                strcat(step, tests[i].byte);
                strcat(all, tests[i].escaped);
            }
            strcat(all, tests[i].path);
            struct problem problem = {0};
            strcpy(problem.path, tests[i].path);
            problem_path_prepend(&problem, step);
            size_t used = strlen(problem.path), whole = strlen(all);
            assert_in_range(used, whole < PATH_MAX_BYTES ? whole : PATH_MAX_BYTES - 1,
                            PATH_MAX_BYTES);
            size_t same = used < PATH_MAX_BYTES || whole <= PATH_MAX_BYTES ? used : used - 1;
            assert_memory_equal(problem.path, all, same);
            if (tests[i].path[0] == '\0') {
                size_t rest = used - 1 - strlen(tests[i].first);
                assert_int_equal(rest % strlen(tests[i].escaped), 0);
            }
        }
    }
}

/* What a caller names its members must not make our answer invalid UTF-8. */
static void a_cut_step_ends_with_a_whole_character(void **state) {
    (void)state;
    static const struct {
        const char *path, *character;
        size_t characters, kept;
    } cases[] = {
        {"", "\xC3\xA9", 100, 63},    {"/inner", "\xC3\xA9", 100, 63},
        {"", "\xE2\x98\x83", 50, 42}, {"", "\xF0\x9F\x98\x80", 50, 31},
        {"/inner", "a", 130, 126},    {"", "a", 126, 126},
        {"", "a", 127, 126},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char step[512] = "", expected[512] = "/";
        for (size_t n = 0; n < cases[i].characters; n++) {
            strcat(step, cases[i].character);
        }
        for (size_t n = 0; n < cases[i].kept; n++) {
            strcat(expected, cases[i].character);
        }
        struct problem problem = {0};
        strcpy(problem.path, cases[i].path);
        problem_path_prepend(&problem, step);
        assert_string_equal(problem.path, expected);
    }
}

static void an_escape_is_not_cut_in_two(void **state) {
    (void)state;
    struct problem problem = {0};
    memset(problem.path, 'a', sizeof problem.path - 4);
    strcat(problem.path, "~1");
    problem_path_prepend(&problem, "s");
    assert_int_equal(problem.path[strlen(problem.path) - 1], 'a');
}

static void steps_come_from_the_inside_out(void **state) {
    (void)state;
    struct problem problem = {0};
    problem_path_prepend(&problem, "name");
    problem_path_prepend(&problem, "0");
    problem_path_prepend(&problem, "users");
    assert_string_equal(problem.path, "/users/0/name");
    char expected[PROBLEM_PATH_BYTES] = "";
    for (int i = 0; i < 100; i++) { /* the outermost steps are the ones that stay */
        problem_path_prepend(&problem, "x");
    }
    for (size_t i = 0; i < PATH_MAX_BYTES; i++) {
        expected[i] = i % 2 ? 'x' : '/';
    }
    assert_string_equal(problem.path, expected);
}

static void outcomes_have_names(void **state) {
    (void)state;
    static const struct {
        enum outcome outcome;
        const char *name;
    } tests[] = {
        {OUTCOME_OK, "ok"},
        {OUTCOME_INVALID, "invalid"},
        {OUTCOME_TOO_LARGE, "too_large"},
        {OUTCOME_NO_MEMORY, "no_memory"},
        {OUTCOME_NOT_SENT, "not_sent"},
        {OUTCOME_REFUSED, "refused"},
        {OUTCOME_UNKNOWN, "unknown"},
        {OUTCOME_CANCELLED, "cancelled"},
    };
    size_t count = sizeof tests / sizeof tests[0];
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(tests[i].outcome, i); /* none between them that is not tried */
        assert_string_equal(outcome_name(tests[i].outcome), tests[i].name);
    }
    assert_string_equal(outcome_name((enum outcome)count), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_written_and_nothing_else),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(steps_are_escaped),
        cmocka_unit_test(a_long_path_loses_its_end),
        cmocka_unit_test(a_long_step_loses_its_end),
        cmocka_unit_test(a_cut_step_ends_with_a_whole_character),
        cmocka_unit_test(an_escape_is_not_cut_in_two),
        cmocka_unit_test(steps_come_from_the_inside_out),
        cmocka_unit_test(outcomes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
