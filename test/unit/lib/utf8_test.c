#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

/* From a piece of just that size, so that AddressSanitizer sees a byte too many that is read. */
static bool is_valid(const char *bytes, size_t length) {
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    bool valid = utf8_is_valid(copy, length);
    free(copy);
    return valid;
}

/* RFC 3629, sections 3 and 4: each row of the grammar at its ends and one past them. Each stands
 * alone and among so many ASCII characters that it comes at every place of a word. */
static void sequences_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        bool valid;
    } tests[] = {
        {"", true},
        {"\x7F", true},
        {"\x80", false},
        {"\xBF", false},
        {"\xC0\x80", false}, /* overlong */
        {"\xC1\xBF", false},
        {"\xC2\x80", true},
        {"\xC2\x7F", false},
        {"\xC2\xC0", false},
        {"\xDF\xBF", true},
        {"\xDF", false},
        {"\xE0\x9F\xBF", false}, /* overlong */
        {"\xE0\xA0\x80", true},
        {"\xED\x9F\xBF", true},
        {"\xED\xA0\x80", false}, /* surrogates */
        {"\xED\xBF\xBF", false},
        {"\xED\xA0\xBD\xED\xB8\x80", false},
        {"\xEE\x80\x80", true},
        {"\xEF\xBF\xBF", true},
        {"\xE2\x82", false},
        {"\xE2\x82\x7F", false},
        {"\xE2\x28\xA1", false},
        {"\xF0\x8F\xBF\xBF", false}, /* overlong */
        {"\xF0\x90\x80\x80", true},
        {"\xF4\x8F\xBF\xBF", true},
        {"\xF4\x90\x80\x80", false}, /* past U+10FFFF */
        {"\xF5\x80\x80\x80", false},
        {"\xF8\x88\x80\x80\x80", false},
        {"\xFC\x84\x80\x80\x80\x80", false},
        {"\xFE", false},
        {"\xFF", false},
        {"\xF0\x9F\x98", false},
        {"\xF0\x9F\x98\x80\x80", false},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9D\x84\x9E", true},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        size_t length = strlen(tests[i].bytes);
        for (size_t before = 0; before <= 17; before++) {
            for (size_t behind = 0; behind <= 17; behind++) {
                char bytes[48];
                memset(bytes, 'a', sizeof bytes);
                memcpy(bytes + before, tests[i].bytes, length);
                assert_int_equal(is_valid(bytes, before + length + behind), tests[i].valid);
            }
        }
    }
}

/* A NUL is a character, and nothing behind the length counts. */
static void the_length_is_the_end(void **state) {
    (void)state;
    assert_true(utf8_is_valid("a\0b", 3));
    assert_false(utf8_is_valid("a\0\xFF", 3));
    assert_true(utf8_is_valid("a\0\xFF", 2));
    assert_false(utf8_is_valid("\xC3\xA9", 1)); /* the rest is there, but not ours */
    assert_true(utf8_is_valid(NULL, 0));
}

static size_t encode(uint32_t point, char *bytes) {
    if (point < 0x80) {
        bytes[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, point >>= 6) {
        bytes[i] = (char)(0x80 | (point & 0x3F));
    }
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    bytes[0] = (char)(leads[length] | point);
    return length;
}

static bool a_part_is_valid(const char *bytes, size_t length) {
    bool valid = false;
    for (size_t part = 1; part < length; part++) {
        valid = valid || utf8_is_valid(bytes, part) || utf8_is_valid(bytes + part, length - part);
    }
    return valid;
}

static void every_code_point_is_valid_and_its_parts_are_not(void **state) {
    (void)state;
    for (uint32_t point = 0; point < 0x120000; point++) {
        char bytes[4];
        size_t length = encode(point, bytes);
        bool expected = point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF);
        if (utf8_is_valid(bytes, length) != expected || a_part_is_valid(bytes, length)) {
            fail_msg("U+%04X", point);
        }
    }
}

/* How many strings of a length are valid is plain arithmetic: there are 0x80 characters of one
 * byte, 0x780 of two, 0xF000 of three and 0x100000 of four. */
static void no_other_bytes_are_valid(void **state) {
    (void)state;
    char bytes[4];
    size_t of_two = 0, of_three = 0, of_four = 0;
    for (uint32_t i = 0; i < 0x10000; i++) {
        bytes[0] = (char)(i >> 8);
        bytes[1] = (char)i;
        of_two += utf8_is_valid(bytes, 2);
    }
    assert_int_equal(of_two, 0x80 * 0x80 + 0x780);
    for (uint32_t i = 0; i < 0x1000000; i++) {
        bytes[0] = (char)(i >> 16);
        bytes[1] = (char)(i >> 8);
        bytes[2] = (char)i;
        of_three += utf8_is_valid(bytes, 3);
    }
    assert_int_equal(of_three, 0x80 * 0x80 * 0x80 + 2 * 0x80 * 0x780 + 0xF000);
    /* All leads and second bytes from 0xF0 on; of the third and fourth, only the ends. */
    static const unsigned char ends[] = {0x7F, 0x80, 0xBF, 0xC0};
    for (uint32_t i = 0xF000 * 16; i < 0x10000 * 16; i++) {
        bytes[0] = (char)(i >> 12);
        bytes[1] = (char)(i >> 4);
        bytes[2] = (char)ends[(i >> 2) & 3];
        bytes[3] = (char)ends[i & 3];
        of_four += utf8_is_valid(bytes, 4);
    }
    assert_int_equal(of_four, (0x100000 >> 12) * 2 * 2);
}

static void a_cut_is_between_characters(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t length_max, length;
    } tests[] = {
        {"", 0, 0},
        {"", 5, 0},
        {"abc", 0, 0},
        {"abc", 2, 2},
        {"abc", 3, 3},
        {"abc", 4, 3},
        {"abc", SIZE_MAX, 3},
        {"\xC3\xA9", 0, 0},
        {"\xC3\xA9", 1, 0},
        {"\xC3\xA9", 2, 2},
        {"a\xC3\xA9z", 1, 1},
        {"a\xC3\xA9z", 2, 1},
        {"a\xC3\xA9z", 3, 3},
        {"\xE2\x82\xAC\xE2\x82\xAC", 2, 0},
        {"\xE2\x82\xAC\xE2\x82\xAC", 3, 3},
        {"\xE2\x82\xAC\xE2\x82\xAC", 4, 3},
        {"\xE2\x82\xAC\xE2\x82\xAC", 5, 3},
        {"\xE2\x82\xAC\xE2\x82\xAC", 6, 6},
        {"z\xF0\x9F\x98\x80z", 4, 1},
        {"z\xF0\x9F\x98\x80z", 5, 5},
        {"z\xF0\x9F\x98\x80z", 6, 6},
        {"z\xF0\x9F\x98\x80", 4, 1},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        size_t length = strlen(tests[i].bytes);
        char bytes[16];
        memset(bytes, 0x80, sizeof bytes); /* behind the end is nothing of ours */
        memcpy(bytes, tests[i].bytes, length);
        assert_int_equal(utf8_cut(bytes, length, tests[i].length_max), tests[i].length);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_are_told_apart),
        cmocka_unit_test(the_length_is_the_end),
        cmocka_unit_test(every_code_point_is_valid_and_its_parts_are_not),
        cmocka_unit_test(no_other_bytes_are_valid),
        cmocka_unit_test(a_cut_is_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
