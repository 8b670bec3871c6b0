#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/lib/json_help.h"

#define DIGITS_OF_NINES "99999999999999999999999999999999999999999999999999"

static void numbers_compare_by_value(void **state) {
    (void)state;
    /* Groups of equal numbers, in rising order. */
    static const char *const groups[][4] = {
        {"-1e" DIGITS_OF_NINES "1", "-10e" DIGITS_OF_NINES "0"},
        {"-1e" DIGITS_OF_NINES "0"},
        {"-1e400", "-10e399"},
        {"-2"},
        {"-1.5", "-15e-1"},
        {"-1", "-1.0", "-0.1e1"},
        {"-1e-400"},
        {"0", "-0", "0.000", "0e" DIGITS_OF_NINES},
        {"1e-" DIGITS_OF_NINES "1", "0.1e-" DIGITS_OF_NINES "0"},
        {"1e-" DIGITS_OF_NINES},
        {"1E-400", "0.01e-398"},
        {"0.3"},
        {"0.30000000000000004"},
        {"1", "1.0", "10e-1", "0.0001e+4"},
        {"100", "1e2", "1E+2", "100.00"},
        {"9007199254740992", "9007199254740992.0"},
        {"9007199254740993"},
        {"1e400"},
        {"1.0000000001e400"},
        {"1e999999999999", "10e999999999998", "0.1e1000000000000"},
        {"1e1099511627775", "10e1099511627774"},
        {"1e1099511627776", "10e1099511627775", "0.01e1099511627778"},
        {"1e1099511627777", "0.1e1099511627778", "100e1099511627775"},
        {"1e" DIGITS_OF_NINES, "0.1e1"
                               "00000000000000000000000000000000000000000000000000"},
        {"1.1e" DIGITS_OF_NINES},
    };
    enum { GROUPS = sizeof groups / sizeof groups[0], EACH = 4 };
    const uint64_t seed[2] = {1, 2};
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (int i = 0; i < GROUPS * EACH; i++) {
        for (int j = 0; j < GROUPS * EACH; j++) {
            if (!groups[i / EACH][i % EACH] || !groups[j / EACH][j % EACH]) {
                continue;
            }
            const struct json *a = parsed(arena, groups[i / EACH][i % EACH]);
            const struct json *b = parsed(arena, groups[j / EACH][j % EACH]);
            int expected = (i / EACH > j / EACH) - (i / EACH < j / EACH);
            int compared = json_number_compare(a, b);
            assert_int_equal((compared > 0) - (compared < 0), expected);
            assert_int_equal(json_equal(a, b), expected == 0);
            assert_true(expected != 0 || json_hash(a, seed) == json_hash(b, seed));
        }
    }
    arena_free(arena);
}

static void whole_numbers_that_fit_become_integers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool whole, fits;
        int64_t value;
    } cases[] = {
        {"0", true, true, 0},
        {"-0.0e99999999999999999999", true, true, 0},
        {"1.0", true, true, 1},
        {"1e2", true, true, 100},
        {"-120e-1", true, true, -12},
        {"1.5", false, false, 0},
        {"1e-1", false, false, 0},
        {"1e-99999999999999999999999", false, false, 0},
        {"9223372036854775807", true, true, INT64_MAX},
        {"9223372036854775808", true, false, 0},
        {"-9223372036854775808", true, true, INT64_MIN},
        {"-9223372036854775809", true, false, 0},
        {"9999999999999999999", true, false, 0},
        {"1e18", true, true, 1000000000000000000},
        {"1e19", true, false, 0},
        {"1e99999999999999999999999", true, false, 0},
    };
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json *number = parsed(arena, cases[i].text);
        int64_t value = 4711;
        assert_int_equal(json_number_is_whole(number), cases[i].whole);
        assert_int_equal(json_to_int64(number, &value), cases[i].fits);
        assert_int_equal(value, cases[i].fits ? cases[i].value : 4711);
    }
    arena_free(arena);
}

static void multiples_are_exact(void **state) {
    (void)state;
    static const struct {
        const char *number, *divisor;
        bool multiple;
    } cases[] = {
        {"0", "7", true},
        {"10", "2", true},
        {"7", "2", false},
        {"-4", "2", true},
        {"4.5", "1.5", true},
        {"35", "1.5", false},
        {"0.0075", "0.0001", true},
        {"0.00751", "0.0001", false},
        {"1e308", "0.5", true},
        {"1e308", "3", false},
        {"1e99999999999999999999", "1024", true},
        {"1e9", "1024", false},
        {"1e10", "1024", true},
        {"3e99999999999999999999", "0.000000003", true},
        {"1e99999999999999999999", "0.000000003", false},
        {"1e-99999999999999999999", "1", false},
        {"1", "1e-99999999999999999999", true},
        {"123456789012345678901234567890", "10", true},
        {"1000000000000000000000000000007", "999999999999999999", false},
        {"999999999999999999000000000000000000", "999999999999999999", true},
        {"0.3", "0.1", true},
    };
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json *number = parsed(arena, cases[i].number);
        const struct json *divisor = parsed(arena, cases[i].divisor);
        if (json_number_is_multiple(number, divisor) != cases[i].multiple) {
            fail_msg("%s by %s", cases[i].number, cases[i].divisor);
        }
    }
    assert_int_equal(json_number_digits(parsed(arena, "-0.00")), 0);
    assert_int_equal(json_number_digits(parsed(arena, "-0.0120300e7")), 4);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_compare_by_value),
        cmocka_unit_test(whole_numbers_that_fit_become_integers),
        cmocka_unit_test(multiples_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
