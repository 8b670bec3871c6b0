#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "test/unit/lib/json_help.h"

static enum outcome parse(const char *text, size_t length, const struct json_limits *limits,
                          struct problem *problem) {
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    /* Exactly that many bytes on the heap: AddressSanitizer traps a read past the end. */
    char *exact = malloc(length ? length : 1);
    memcpy(exact, text, length);
    const struct json *root = NULL;
    enum outcome outcome = json_parse(arena, exact, length, limits, &root, problem);
    assert_int_equal(outcome == OUTCOME_OK, root != NULL);
    free(exact);
    arena_free(arena);
    return outcome;
}

static void errors_are_sentences_with_a_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *error;
        unsigned at;
    } cases[] = {
        {"", "a value was expected, but the text ends", 0},
        {" [", "a value was expected, but the text ends", 2},
        {"[1 2]", "a comma or ] was expected", 3},
        {"[1,]", "a value was expected", 3},
        {"{\"a\":1", "a comma or } was expected, but the text ends", 6},
        {"{\"a\" 1}", "a colon behind the member's name was expected", 5},
        {"{a:1}", "a member's name in double quotes was expected", 1},
        {"{\"a\":1,}", "a member's name in double quotes was expected", 7},
        {"{} {}", "the JSON text ends here, but more follows", 3},
        {"nul", "a value was expected: the only words are true, false and null", 0},
        {"01", "a number may not start with a zero that more digits follow", 0},
        {"-", "a digit was expected, but the text ends", 1},
        {"[1.]", "a digit was expected", 3},
        {"1e+", "a digit was expected, but the text ends", 3},
        {"\"a", "the text ends within a string: a closing quote is missing", 2},
        {"\"a\nb\"", "a control character stands in a string: write it as \\u000A", 2},
        {"\"\\x\"", "this is no escape that JSON knows: write the backslash itself as \\\\", 1},
        {"\"\\u12g4\"", "\\u must be followed by four hexadecimal digits", 1},
        {"\"a\\udc00\"",
         "this is half of a surrogate pair: \\u escapes above U+FFFF come in twos, high before low",
         2},
        {"\"\xff\"", "these bytes are not UTF-8", 1},
        {"\"\xc3\"", "these bytes are not UTF-8", 1},
        {"\"\xed\xa0\x80\"", "these bytes are not UTF-8", 1},
        {"\"\xf4\x90\x80\x80\"", "these bytes are not UTF-8", 1},
        {"\"\xe0\x9f\xbf\"", "these bytes are not UTF-8", 1},
        {"\xEF\xBB\xBF{}", "the text starts with a byte order mark, which JSON does not have", 0},
        {"{\"a\":1,\"\\u0061\":2}", "the member \"a\" is there twice in one object", 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        assert_int_equal(
            parse(cases[i].text, strlen(cases[i].text), &json_limits_message, &problem),
            OUTCOME_INVALID);
        assert_string_equal(problem.text, cases[i].error);
        assert_int_equal(problem.at, cases[i].at);
    }
}

static void strings_are_unescaped(void **state) {
    (void)state;
    static const struct {
        const char *text, *bytes;
        uint32_t length;
    } cases[] = {
        {"\"\"", "", 0},
        {"\"\\u0000a\"", "\0a", 2},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
        {"\"\\u00e9\\u20AC\\ud83D\\uDE00\"", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9},
        {"\"0123456789abcde\\n0123456789\"", "0123456789abcde\n0123456789", 26},
        {"\"01234567\xF4\x8F\xBF\xBF 01234567\"", "01234567\xF4\x8F\xBF\xBF 01234567", 21},
        {"\"\x7f\"", "\x7f", 1},
    };
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct json *string = parsed(arena, cases[i].text);
        assert_int_equal(string->length, cases[i].length);
        assert_memory_equal(string->bytes, cases[i].bytes, cases[i].length);
    }
    arena_free(arena);
}

static void a_string_without_escapes_points_into_the_text(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    const char *text = " {\"name\": \"value\", \"n\": 12.50}";
    const struct json *root = parsed(arena, text);
    assert_ptr_equal(root->first->name, text + 3);
    assert_ptr_equal(json_member(root, "name")->bytes, text + 11);
    assert_int_equal(json_member(root, "name")->at, 10);
    assert_ptr_equal(json_member(root, "n")->bytes, text + 24);
    assert_null(json_member(root, "Name"));
    assert_null(json_member(root->first, "name"));
    assert_null(json_member(NULL, "name"));
    assert_true(json_string_is(root->first, "value"));
    assert_false(json_string_is(root->first, "valu"));
    assert_false(json_string_is(NULL, ""));
    arena_free(arena);
}

/* `count` times `piece`, between two ends. */
static char *repeat(const char *start, const char *piece, size_t count, const char *end) {
    size_t length = strlen(piece), used = strlen(start);
    char *text = malloc(used + count * length + strlen(end) + 1);
    memcpy(text, start, used);
    for (size_t i = 0; i < count; i++, used += length) {
        memcpy(text + used, piece, length);
    }
    strcpy(text + used, end);
    return text;
}

static char *object_of(size_t members, bool repeated) {
    size_t used = 0;
    char *text = malloc(members * 32 + 16);
    text[used++] = '{';
    for (size_t i = 0; i < members; i++) {
        size_t name = repeated && i + 1 == members ? 0 : i;
        used += (size_t)sprintf(text + used, "%s\"member %zu\":0", i > 0 ? "," : "", name);
    }
    strcpy(text + used, "}");
    return text;
}

static void expect(char *text, enum outcome expected, const char *error) {
    struct problem problem = {0};
    assert_int_equal(parse(text, strlen(text), &json_limits_message, &problem), expected);
    assert_string_equal(problem.text, error);
    free(text);
}

static void each_limit_at_it_and_one_past_it(void **state) {
    (void)state;
    char *deep = repeat("", "[", JSON_DEPTH_MAX, "");
    expect(repeat(deep, "]", JSON_DEPTH_MAX, ""), OUTCOME_OK, "");
    free(deep);
    expect(repeat("", "[", JSON_DEPTH_MAX + 1, ""), OUTCOME_TOO_LARGE,
           "the text nests deeper than 64 levels");
    expect(repeat("", "[", 1 << 20, ""), OUTCOME_TOO_LARGE, "the text nests deeper than 64 levels");
    expect(object_of(JSON_MEMBERS_MAX, false), OUTCOME_OK, "");
    expect(object_of(JSON_MEMBERS_MAX + 1, false), OUTCOME_TOO_LARGE,
           "this object has more than 1024 members");
    /* One node is the array's. */
    expect(repeat("[0", ",0", JSON_NODES_MAX - 2, "]"), OUTCOME_OK, "");
    expect(repeat("[0", ",0", JSON_NODES_MAX - 1, "]"), OUTCOME_TOO_LARGE,
           "the text holds more than 65536 values, elements and members together");
    expect(repeat("\"", "a", JSON_STRING_BYTES_MAX, "\""), OUTCOME_OK, "");
    expect(repeat("\"", "a", JSON_STRING_BYTES_MAX + 1, "\""), OUTCOME_TOO_LARGE,
           "this string is 1048577 bytes long; at most 1048576 are allowed");
    expect(repeat("\"", "\\n", JSON_STRING_BYTES_MAX, "\""), OUTCOME_OK, "");
    expect(repeat("{\"", "a", JSON_STRING_BYTES_MAX + 1, "\":0}"), OUTCOME_TOO_LARGE,
           "this string is 1048577 bytes long; at most 1048576 are allowed");
    expect(repeat("", "1", JSON_NUMBER_CHARS_MAX, ""), OUTCOME_OK, "");
    expect(repeat("", "1", JSON_NUMBER_CHARS_MAX + 1, ""), OUTCOME_TOO_LARGE,
           "this number is 257 characters long; at most 256 are allowed");
}

static void repeated_names_are_found_in_objects_of_every_size(void **state) {
    (void)state;
    for (size_t members = 2; members <= 80; members++) {
        expect(object_of(members, false), OUTCOME_OK, "");
        expect(object_of(members, true), OUTCOME_INVALID,
               "the member \"member 0\" is there twice in one object");
    }
    /* Those of another object do not count, and a table that is used again is empty. */
    char *one = object_of(40, false), *two = repeat("[", one, 1, ","),
         *smaller = object_of(30, false);
    expect(repeat(two, smaller, 1, "]"), OUTCOME_OK, "");
    free(one), free(two), free(smaller);
}

static void eighty_thousand_members_take_memory_in_proportion(void **state) {
    (void)state;
    struct json_limits limits = json_limits_file;
    limits.members_max = 100000;
    char *text = object_of(80000, false);
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    const struct json *root = NULL;
    struct problem problem = {0};
    assert_int_equal(json_parse(arena, text, strlen(text), &limits, &root, &problem), OUTCOME_OK);
    assert_int_equal(root->length, 80000);
    /* Nodes of 48 bytes, a table of 8 bytes in at most four slots a member, and the chunks'
     * doubling. */
    assert_true(arena_bytes(arena) <= 80000 * (48 + 4 * 8) * 2);
    arena_free(arena);
    free(text);
    text = object_of(80000, true);
    assert_int_equal(parse(text, strlen(text), &limits, &problem), OUTCOME_INVALID);
    free(text);
}

static const char sample[] =
    "{\"jsonrpc\":\"2.0\",\"id\":-8999999999999999.25e+3,\"params\":{\"name\":"
    "\"send\",\"list\":[true,false,null,[],{},\"\\u00e9\\n\xC3\xA9\"]}}";

static void every_truncation_is_refused(void **state) {
    (void)state;
    struct problem problem = {0};
    const struct json *root = NULL;
    struct arena *arena = arena_new_on_heap(BLOCK_BYTES);
    assert_int_equal(json_parse(arena, NULL, 0, &json_limits_message, &root, &problem),
                     OUTCOME_INVALID);
    arena_free(arena);
    assert_int_equal(parse(sample, strlen(sample), &json_limits_message, &problem), OUTCOME_OK);
    for (size_t length = 0; length < strlen(sample); length++) {
        assert_int_equal(parse(sample, length, &json_limits_message, &problem), OUTCOME_INVALID);
    }
}

static void any_byte_may_be_changed_without_harm(void **state) {
    (void)state;
    char text[sizeof sample];
    for (size_t i = 0; i + 1 < sizeof sample; i++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(text, sample, sizeof sample);
            text[i] = (char)byte;
            struct problem first = {0}, second = {0};
            enum outcome outcome = parse(text, sizeof sample - 1, &json_limits_message, &first);
            assert_int_equal(parse(text, sizeof sample - 1, &json_limits_message, &second),
                             outcome);
            assert_string_equal(first.text, second.text);
            assert_int_equal(first.at, second.at);
        }
    }
}

/* The arena's budget is the injected fault. */
static void every_budget_ends_cleanly(void **state) {
    (void)state;
    char *members = object_of(200, false), *start = repeat("[", members, 1, "");
    char *text = repeat(start, ",\"0123456789 \\n\"", 300, "]");
    struct block_pool *pool = block_pool_new(64, BLOCK_BYTES);
    enum outcome outcome = OUTCOME_NO_MEMORY;
    size_t budget = 0;
    for (; outcome != OUTCOME_OK; budget += BLOCK_BYTES) {
        struct arena *arena = arena_new(pool, budget);
        const struct json *root = NULL;
        struct problem problem = {0};
        outcome = json_parse(arena, text, strlen(text), &json_limits_message, &root, &problem);
        assert_true(outcome == OUTCOME_OK || outcome == OUTCOME_NO_MEMORY);
        assert_int_equal(arena_exhausted(arena), outcome == OUTCOME_NO_MEMORY);
        assert_int_equal(root != NULL, outcome == OUTCOME_OK);
        arena_free(arena);
        assert_int_equal(block_pool_usage(pool).blocks_used, 0);
    }
    assert_true(budget > 8 * BLOCK_BYTES);
    block_pool_free(pool);
    free(members), free(start), free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_sentences_with_a_place),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(a_string_without_escapes_points_into_the_text),
        cmocka_unit_test(each_limit_at_it_and_one_past_it),
        cmocka_unit_test(repeated_names_are_found_in_objects_of_every_size),
        cmocka_unit_test(eighty_thousand_members_take_memory_in_proportion),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(any_byte_may_be_changed_without_harm),
        cmocka_unit_test(every_budget_ends_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
