#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/limits.h"

/* The budget itself is the injected fault. */
static void every_budget_ends_cleanly(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(16, BLOCK_BYTES);
    for (size_t budget = 0; budget <= 10 * BLOCK_BYTES; budget += BLOCK_BYTES / 2) {
        struct arena *arena = arena_new(pool, budget);
        assert_non_null(arena);
        bool whole = true;
        for (size_t size = 16; size <= 4 * BLOCK_BYTES; size *= 4) {
            char *piece = arena_alloc(arena, size);
            assert_true(whole || !piece); /* a failure sticks */
            whole = whole && piece;
        }
        assert_int_equal(arena_exhausted(arena), !whole);
        arena_free(arena);
        assert_int_equal(block_pool_usage(pool).blocks_used, 0);
    }
    block_pool_free(pool);
}

static void memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(4, BLOCK_BYTES);
    for (int round = 0; round < 2; round++) { /* the second round meets used blocks */
        struct arena *arena = arena_new(pool, 4 * BLOCK_BYTES);
        for (size_t size = 1; size < 600; size += 37) {
            unsigned char *piece = arena_alloc(arena, size);
            assert_non_null(piece);
            assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++) {
                assert_int_equal(piece[i], 0);
            }
            memset(piece, 0xA5, size);
        }
        arena_free(arena);
    }
    block_pool_free(pool);
}

static void a_small_call_costs_one_block(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(4, BLOCK_BYTES);
    struct arena *arena = arena_new(pool, 4 * BLOCK_BYTES);
    assert_non_null(arena_alloc(arena, 2900));
    assert_int_equal(block_pool_usage(pool).blocks_used, 1);
    arena_free(arena);
    block_pool_free(pool);
}

static void the_last_piece_grows_in_place(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(8, BLOCK_BYTES);
    struct arena *arena = arena_new(pool, 8 * BLOCK_BYTES);
    char *piece = arena_grow(arena, NULL, 0, 10);
    strcpy(piece, "123456789");
    assert_ptr_equal(arena_grow(arena, piece, 10, 1000), piece);
    char *moved = arena_grow(arena, piece, 1000, 2 * BLOCK_BYTES);
    assert_ptr_not_equal(moved, piece);
    assert_string_equal(moved, "123456789");
    assert_null(arena_grow(arena, moved, 2 * BLOCK_BYTES, SIZE_MAX));
    assert_true(arena_exhausted(arena));
    arena_free(arena);
    block_pool_free(pool);
}

static void a_large_piece_that_grows_gives_its_old_place_back(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(128, BLOCK_BYTES);
    struct arena *arena = arena_new(pool, 64 * BLOCK_BYTES);
    char *piece = NULL;
    for (size_t size = BLOCK_BYTES; size <= 32 * BLOCK_BYTES; size *= 2) {
        piece = arena_grow(arena, piece, size == BLOCK_BYTES ? 0 : size / 2, size);
        assert_non_null(piece);
        memset(piece + size / 2, 'x', size / 2);
    }
    /* The first block, and the last size with its chunk's header. */
    assert_int_equal(block_pool_usage(pool).blocks_used, 1 + 33);
    assert_int_equal(arena_bytes(arena), 34 * BLOCK_BYTES);
    arena_free(arena);
    assert_int_equal(block_pool_usage(pool).blocks_used, 0);
    block_pool_free(pool);
}

static void the_last_piece_gives_back_what_it_does_not_use(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(BLOCK_BYTES);
    char *piece = arena_alloc(arena, 1000);
    assert_int_equal(arena_trim(arena, piece, 1000, 100), 100);
    char *next = arena_alloc(arena, 16);
    assert_int_equal(next - piece, 112);                      /* behind it, aligned */
    assert_int_equal(arena_trim(arena, piece, 100, 50), 100); /* no longer the last */
    arena_free(arena);
}

static char order[8];

static void note_order(void *data) {
    strcat(order, data);
}

static void deferred_actions_run_last_first(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(BLOCK_BYTES);
    order[0] = '\0';
    assert_true(arena_defer(arena, note_order, "a"));
    assert_true(arena_defer(arena, note_order, "b"));
    arena_free(arena);
    assert_string_equal(order, "ba");
    arena_free(NULL);
}

static void an_exhausted_arena_defers_nothing(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(BLOCK_BYTES);
    assert_null(arena_alloc(arena, BLOCK_BYTES));
    assert_false(arena_defer(arena, note_order, "x"));
    order[0] = '\0';
    arena_free(arena);
    assert_string_equal(order, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_budget_ends_cleanly),
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(a_small_call_costs_one_block),
        cmocka_unit_test(the_last_piece_grows_in_place),
        cmocka_unit_test(a_large_piece_that_grows_gives_its_old_place_back),
        cmocka_unit_test(the_last_piece_gives_back_what_it_does_not_use),
        cmocka_unit_test(deferred_actions_run_last_first),
        cmocka_unit_test(an_exhausted_arena_defers_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
