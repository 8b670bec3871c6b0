/* Every file of the JSON parsing test suite (Nicolas Seriot, "Parsing JSON is a minefield"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/unit/lib/json_help.h"

static enum outcome parse_file(const char *path, const struct json_limits *limits,
                               struct problem *problem) {
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    size_t length = 0;
    char *bytes = file_bytes(arena, path, &length);
    assert_non_null(bytes);
    /* A copy of exactly that size: AddressSanitizer traps a read past its end. */
    char *exact = malloc(length ? length : 1);
    memcpy(exact, bytes, length);
    const struct json *root = NULL;
    enum outcome outcome = json_parse(arena, exact, length, limits, &root, problem);
    assert_int_equal(outcome == OUTCOME_OK, root != NULL);
    free(exact);
    arena_free(arena);
    return outcome;
}

/* What RFC 8259 leaves open, and plateau accepts: numbers beyond a double, for they are not
 * computed with. */
static bool accepted_though_open(const char *name) {
    static const char *const names[] = {
        "i_number_double_huge_neg_exp.json", "i_number_huge_exp.json",
        "i_number_neg_int_huge_exp.json",    "i_number_pos_double_huge_exp.json",
        "i_number_real_neg_overflow.json",   "i_number_real_pos_overflow.json",
        "i_number_real_underflow.json",      "i_number_too_big_neg_int.json",
        "i_number_too_big_pos_int.json",     "i_number_very_big_negative_int.json",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void every_file_of_the_suite(void **state) {
    (void)state;
    char folder[512], path[1024];
    DIR *listing = opendir(corpus_path(folder, "json-parsing/test_parsing"));
    assert_non_null(listing);
    unsigned count = 0;
    for (struct dirent *entry; (entry = readdir(listing));) {
        const char *name = entry->d_name;
        if (!strstr(name, ".json")) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", folder, name);
        struct problem problem = {0};
        enum outcome outcome = parse_file(path, &json_limits_message, &problem);
        bool good = name[0] == 'y' || (name[0] == 'i' && accepted_though_open(name));
        if (strncmp(name, "y_object_duplicated_key", 23) == 0) {
            good = false; /* RFC 8259 section 4: names SHOULD be unique, and we insist */
        }
        if ((outcome == OUTCOME_OK) != good) {
            fail_msg("%s: %s", name, outcome == OUTCOME_OK ? "accepted" : problem.text);
        }
        assert_int_equal(problem.text[0] != '\0', outcome != OUTCOME_OK);
        count++;
    }
    closedir(listing);
    assert_true(count >= 318);
    print_message("json-parsing: %u files as expected\n", count);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_file_of_the_suite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
