#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/similar.h"

static void the_nearest_name_is_found(void **state) {
    (void)state;
    static const char *const names[] = {"method", "path", "query", "headers", "body", "to"};
    static const struct {
        const char *wanted, *best;
    } tests[] = {
        {"method", "method"},
        {"methd", "method"},
        {"Method", "method"},
        {"mehtod", "method"},
        {"methods", "method"},
        {"header", "headers"},
        {"pth", "path"},
        {"ot", "to"},
        {"url", NULL},
        {"x", NULL},
        {"", NULL},
        {"completely-different", NULL},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct similar similar = similar_to(tests[i].wanted, strlen(tests[i].wanted));
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            similar_offer(&similar, names[j], strlen(names[j]));
        }
        if (tests[i].best) {
            assert_non_null(similar.best);
            assert_string_equal(similar.best, tests[i].best);
            assert_int_equal(similar.best_length, strlen(tests[i].best));
        } else {
            assert_null(similar.best);
        }
    }
}

/* 64 bytes are compared, 65 are not. */
static void long_names_are_left_alone(void **state) {
    (void)state;
    char name[66];
    memset(name, 'a', sizeof name);
    for (size_t length = 64; length <= 65; length++) {
        struct similar similar = similar_to(name, length);
        similar_offer(&similar, name, length);
        assert_int_equal(similar.best != NULL, length == 64);
        similar = similar_to("a", 1);
        similar_offer(&similar, name, length);
        assert_null(similar.best);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_name_is_found),
        cmocka_unit_test(long_names_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
