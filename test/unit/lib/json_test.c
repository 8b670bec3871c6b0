#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "test/unit/lib/json_help.h"

static const char *written(struct arena *arena, const struct json *value) {
    struct text text = text_new(arena, TEST_ARENA_BYTES);
    json_write(&text, value);
    assert_false(text_failed(&text));
    return text.bytes;
}

static void values_are_equal_whatever_their_spelling(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"1", "1.0", true},
        {"1", "\"1\"", false},
        {"0", "false", false},
        {"null", "false", false},
        {"\"a\"", "\"\\u0061\"", true},
        {"\"a\"", "\"a\\u0000\"", false},
        {"[]", "{}", false},
        {"[1,2]", "[1.0,20e-1]", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"{}", "{}", true},
        {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"a\":1,\"b\":2}", true},
        {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"b\":2,\"a\":1}", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false},
        {"{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":1e0}]}", true},
    };
    const uint64_t seed[2] = {3, 4};
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json *a = parsed(arena, cases[i].a), *b = parsed(arena, cases[i].b);
        assert_int_equal(json_equal(a, b), cases[i].equal);
        assert_int_equal(json_equal(b, a), cases[i].equal);
        assert_int_equal(json_hash(a, seed) == json_hash(b, seed), cases[i].equal);
    }
    arena_free(arena);
}

static void writing_keeps_every_digit(void **state) {
    (void)state;
    static const struct {
        const char *text, *compact;
    } cases[] = {
        {"8999999999999999", "8999999999999999"},
        {"1e400", "1e400"},
        {" 1.500E+05 ", "1.500E+05"},
        {"-0.0", "-0.0"},
        {"12345678901234567890123", "12345678901234567890123"},
        {"[ ]", "[]"},
        {"{ }", "{}"},
        {"{ \"b\" : [ 1 , true ] , \"a\" : { \"\" : null } }",
         "{\"b\":[1,true],\"a\":{\"\":null}}"},
        {"\"\\u0000\\u001f\\u0007\\b\\f\\n\\r\\t\\\"\\\\\\/\"",
         "\"\\u0000\\u001f\\u0007\\b\\f\\n\\r\\t\\\"\\\\/\""},
        {"\"0123456789\\n\\ud83d\\ude00 0123456789\"",
         "\"0123456789\\n\xF0\x9F\x98\x80 0123456789\""},
        {"[false,\"\x7f\"]", "[false,\"\x7f\"]"},
    };
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *compact = written(arena, parsed(arena, cases[i].text));
        assert_string_equal(compact, cases[i].compact);
        assert_string_equal(written(arena, parsed(arena, compact)), compact);
    }
    arena_free(arena);
}

/* At each distance from the end of a word of eight bytes. */
static void escapes_are_found_wherever_they_stand(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    static const char special[] = {'"', '\\', '\n', '\x1f', '\0'};
    for (size_t length = 1; length <= 24; length++) {
        for (size_t place = 0; place < length; place++) {
            for (size_t i = 0; i < sizeof special; i++) {
                char bytes[24];
                memset(bytes, '\xA3' - (int)i, sizeof bytes);
                memset(bytes, 'a', place);
                bytes[place] = special[i];
                memset(bytes + place + 1, '!', length - place - 1);
                struct text text = text_new(arena, TEST_ARENA_BYTES);
                json_write_string(&text, bytes, length);
                const struct json *string = parsed(arena, text.bytes);
                assert_int_equal(string->length, length);
                assert_memory_equal(string->bytes, bytes, length);
            }
        }
    }
    arena_free(arena);
}

static void writing_stops_at_the_limit(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    const struct json *value = parsed(arena, "{\"a\":[1,\"b\"]}");
    for (size_t bytes_max = 0; bytes_max <= 13; bytes_max++) {
        struct text text = text_new(arena, bytes_max);
        json_write(&text, value);
        assert_int_equal(text_failed(&text), bytes_max < 13);
    }
    arena_free(arena);
}

static void trees_can_be_built(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    struct json *object = json_new(arena, JSON_OBJECT), *last = NULL;
    static const char *const names[] = {"one", "two"};
    for (size_t i = 0; i < 2; i++) {
        struct json *member = json_new(arena, JSON_STRING);
        member->name = member->bytes = names[i];
        member->name_length = member->length = 3;
        json_append(object, &last, member);
    }
    assert_string_equal(written(arena, object), "{\"one\":\"one\",\"two\":\"two\"}");
    assert_true(json_equal(object, parsed(arena, "{\"two\":\"two\",\"one\":\"one\"}")));
    arena_free(arena);
    arena = arena_new_on_heap(BLOCK_BYTES);
    while (json_new(arena, JSON_NULL)) {
    }
    assert_true(arena_exhausted(arena));
    arena_free(arena);
}

static void excerpts_are_cut_at_a_character(void **state) {
    (void)state;
    static const char long_text[] = "0123456789012345678901234567890123456789012\xE2\x82\xAC"
                                    "6789";
    assert_string_equal(json_excerpt("ab\ncd\x7f", 6).text, "ab?cd?");
    assert_string_equal(json_excerpt("", 0).text, "");
    assert_string_equal(json_excerpt(long_text, 43).text,
                        "0123456789012345678901234567890123456789012");
    assert_string_equal(json_excerpt(long_text, 44 + 2).text,
                        "0123456789012345678901234567890123456789012...");
    assert_true(strlen(json_excerpt(long_text, sizeof long_text - 1).text) < JSON_EXCERPT_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_equal_whatever_their_spelling),
        cmocka_unit_test(writing_keeps_every_digit),
        cmocka_unit_test(escapes_are_found_wherever_they_stand),
        cmocka_unit_test(writing_stops_at_the_limit),
        cmocka_unit_test(trees_can_be_built),
        cmocka_unit_test(excerpts_are_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
