#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/limits.h"
#include "lib/text.h"

/* The ways to add `length` bytes 'x'. */
static void by_bytes(struct text *text, const char *xs, size_t length) {
    text_add(text, xs, length);
}

static void by_string(struct text *text, const char *xs, size_t length) {
    (void)length;
    text_add_string(text, xs);
}

static void by_chars(struct text *text, const char *xs, size_t length) {
    for (size_t i = 0; i < length; i++) {
        text_add_char(text, xs[i]);
    }
}

static void by_format(struct text *text, const char *xs, size_t length) {
    text_add_format(text, "%.*s", (int)length, xs);
}

static void by_halves(struct text *text, const char *xs, size_t length) {
    text_reserve(text, length);
    text_add(text, xs, length / 2);
    text_add_format(text, "%s", xs + length / 2);
}

static void (*const ways[])(struct text *text, const char *xs,
                            size_t length) = {by_bytes, by_string, by_chars, by_format, by_halves};

/* Sizes around the first capacity, its double and what a block holds. */
static const size_t sizes[] = {0, 1, 2, 126, 127, 128, 129, 255, 256, 257, 1000, 4000};

static void every_way_adds_up_to_the_bound(void **state) {
    (void)state;
    char xs[4002];
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            size_t size = sizes[i];
            memset(xs, 'x', sizeof xs);
            xs[size] = '\0';
            struct arena *arena = arena_new_on_heap((size_t)1 << 20);
            struct text text = text_new(arena, size);
            ways[way](&text, xs, size);
            assert_false(text_failed(&text));
            assert_int_equal(text.length, size);
            assert_true(size == 0 || strcmp(text.bytes, xs) == 0);
            assert_true(text.capacity <= size + 1); /* the bound and the NUL */
            text_add_char(&text, 'y');
            assert_true(text_failed(&text));
            assert_true(text.too_large);
            assert_false(arena_exhausted(arena));
            assert_int_equal(text.length, size);
            assert_true(size == 0 || strcmp(text.bytes, xs) == 0);
            arena_free(arena);
        }
    }
}

static void every_way_fails_one_past_the_bound(void **state) {
    (void)state;
    char xs[4002];
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            size_t size = sizes[i] + 1;
            memset(xs, 'x', sizeof xs);
            xs[size] = '\0';
            struct arena *arena = arena_new_on_heap((size_t)1 << 20);
            struct text text = text_new(arena, size - 1);
            ways[way](&text, xs, size);
            assert_true(text_failed(&text));
            assert_true(text.too_large);
            assert_true(text.length <= size - 1);
            assert_true(!text.bytes || text.bytes[text.length] == '\0');
            arena_free(arena);
        }
    }
}

static void a_failure_sticks(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap((size_t)1 << 20);
    struct text text = text_new(arena, 4);
    text_add_string(&text, "abc");
    text_add_string(&text, "de"); /* one too many: nothing of it is added */
    assert_string_equal(text.bytes, "abc");
    text_add_char(&text, 'd'); /* would fit */
    text_add_string(&text, "");
    text_add_format(&text, "%d", 1);
    text_reserve(&text, 1);
    text_trim(&text);
    assert_true(text_failed(&text));
    assert_true(text.too_large);
    assert_string_equal(text.bytes, "abc");
    assert_int_equal(text.length, 3);
    arena_free(arena);
}

static void an_exhausted_arena_fails_its_texts(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(4, BLOCK_BYTES);
    for (size_t way = 0; way < sizeof ways / sizeof ways[0]; way++) {
        static char xs[3 * BLOCK_BYTES + 1];
        memset(xs, 'x', sizeof xs - 1);
        struct arena *arena = arena_new(pool, 2 * BLOCK_BYTES);
        struct text text = text_new(arena, SIZE_MAX / 2), other = text_new(arena, 10);
        text_add_string(&other, "other");
        text_add_string(&text, "abc");
        ways[way](&text, xs, sizeof xs - 1);
        assert_true(text_failed(&text));
        assert_false(text.too_large); /* it is not the text that was too large */
        assert_true(arena_exhausted(arena));
        assert_memory_equal(text.bytes, "abc", 3);
        assert_int_equal(text.bytes[text.length], '\0');
        assert_true(text_failed(&other));
        text_add_char(&other, '!');
        assert_string_equal(other.bytes, "other");
        arena_free(arena);
    }
    block_pool_free(pool);
}

static void sizes_do_not_wrap_around(void **state) {
    (void)state;
    static const struct {
        size_t bytes_max, bytes;
        bool too_large;
    } tests[] = {
        {100, SIZE_MAX, true},
        {100, SIZE_MAX - 3, true}, /* with the three that are there, 2^64 */
        {SIZE_MAX / 2, SIZE_MAX, true},
        {SIZE_MAX / 2, SIZE_MAX / 2 - 2, true},
        {SIZE_MAX / 2, SIZE_MAX / 2 - 3, false}, /* the arena's to refuse */
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct arena *arena = arena_new_on_heap(BLOCK_BYTES);
        struct text text = text_new(arena, tests[i].bytes_max);
        text_add_string(&text, "abc");
        text_reserve(&text, tests[i].bytes);
        assert_true(text_failed(&text));
        assert_int_equal(text.too_large, tests[i].too_large);
        assert_string_equal(text.bytes, "abc");
        arena_free(arena);
    }
}

static void nothing_is_something_once_it_was_added(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(BLOCK_BYTES);
    struct text text = text_new(arena, 10);
    text_trim(&text);
    assert_null(text.bytes);
    assert_int_equal(text.length, 0);
    text_add(&text, NULL, 0);
    assert_string_equal(text.bytes, "");
    text = text_new(arena, 10);
    text_add_format(&text, "%s", "");
    assert_string_equal(text.bytes, "");
    text = text_new(arena, 10);
    text_reserve(&text, 0);
    assert_string_equal(text.bytes, "");
    assert_false(text_failed(&text));
    arena_free(arena);
}

static void pieces_come_one_after_another(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(BLOCK_BYTES);
    struct text text = text_new(arena, 100);
    text_add_char(&text, '[');
    text_add(&text, "a\0b", 3); /* a NUL is a byte like others */
    text_add_format(&text, "%d%%%s%c", -7, "", '\0');
    text_add_string(&text, "\xC3\xA9]");
    assert_int_equal(text.length, 11);
    assert_memory_equal(text.bytes, "[a\0b-7%\0\xC3\xA9]", 12);
    arena_free(arena);
}

static void what_grows_keeps_its_bytes(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(64, BLOCK_BYTES);
    struct arena *arena = arena_new(pool, 64 * BLOCK_BYTES);
    struct text text = text_new(arena, SIZE_MAX / 2);
    for (size_t i = 0; i < 20000; i++) {
        if (i % 1000 == 0) {
            assert_non_null(arena_alloc(arena, 16)); /* so that it must move */
        }
        text_add_char(&text, (char)('a' + i % 23));
        assert_int_equal(text.bytes[text.length], '\0');
    }
    assert_false(text_failed(&text));
    assert_int_equal(text.length, 20000);
    for (size_t i = 0; i < 20000; i++) {
        assert_int_equal(text.bytes[i], 'a' + i % 23);
    }
    arena_free(arena);
    block_pool_free(pool);
}

/* With a piece behind it, whatever outgrows its room must move: 600 bytes do not, the 601st does.
 */
static void what_was_reserved_does_not_move(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(BLOCK_BYTES);
    struct text text = text_new(arena, 1000);
    text_reserve(&text, 600);
    assert_int_equal(text.length, 0);
    const char *place = text.bytes;
    assert_non_null(arena_alloc(arena, 16));
    for (size_t i = 0; i < 600; i++) {
        text_add_char(&text, 'x');
    }
    assert_ptr_equal(text.bytes, place);
    text_add_char(&text, 'x');
    assert_ptr_not_equal(text.bytes, place);
    assert_false(text_failed(&text));
    arena_free(arena);
}

static void a_trimmed_text_gives_its_room_back(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(BLOCK_BYTES);
    struct text text = text_new(arena, 1000);
    text_reserve(&text, 600);
    text_add_string(&text, "0123456789abcde"); /* 16 bytes with the NUL */
    text_trim(&text);
    assert_int_equal(text.capacity, 16);
    char *next = arena_alloc(arena, 1);
    assert_ptr_equal(next, text.bytes + 16);
    text_add_char(&text, 'f'); /* has to move, and may */
    assert_string_equal(text.bytes, "0123456789abcdef");
    assert_int_equal(*next, 0);
    size_t capacity = text.capacity;
    assert_non_null(arena_alloc(arena, 1));
    text_trim(&text); /* no longer the last */
    assert_int_equal(text.capacity, capacity);
    assert_false(text_failed(&text));
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_adds_up_to_the_bound),
        cmocka_unit_test(every_way_fails_one_past_the_bound),
        cmocka_unit_test(a_failure_sticks),
        cmocka_unit_test(an_exhausted_arena_fails_its_texts),
        cmocka_unit_test(sizes_do_not_wrap_around),
        cmocka_unit_test(nothing_is_something_once_it_was_added),
        cmocka_unit_test(pieces_come_one_after_another),
        cmocka_unit_test(what_grows_keeps_its_bytes),
        cmocka_unit_test(what_was_reserved_does_not_move),
        cmocka_unit_test(a_trimmed_text_gives_its_room_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
