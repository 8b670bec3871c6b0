#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/heap.h"
#include "lib/limits.h"

static void every_size_is_served_zeroed_and_aligned(void **state) {
    (void)state;
    struct heap *heap = heap_new(4 << 20);
    for (int round = 0; round < 2; round++) { /* the second meets used memory */
        for (size_t size = 0; size <= 3 * PAGE_BYTES; size += size < 2100 ? 1 : 509) {
            unsigned char *piece = heap_calloc(heap, 1, size);
            assert_non_null(piece);
            assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++) {
                assert_int_equal(piece[i], 0);
            }
            memset(piece, 0xA5, size);
            heap_release(heap, piece);
        }
        assert_true(heap_check(heap));
    }
    assert_int_equal(heap_usage(heap).pieces, 0);
    assert_int_equal(heap_usage(heap).bytes_asked, 0);
    heap_free(heap);
}

static void a_piece_past_the_budget_is_refused_and_nothing_breaks(void **state) {
    (void)state;
    struct heap *heap = heap_new(16 * PAGE_BYTES);
    void *half = heap_malloc(heap, 8 * PAGE_BYTES), *rest = heap_malloc(heap, 8 * PAGE_BYTES);
    assert_non_null(half);
    assert_non_null(rest);
    assert_null(heap_malloc(heap, 1));
    assert_null(heap_malloc(heap, SIZE_MAX));
    assert_null(heap_calloc(heap, SIZE_MAX / 2, 3));
    assert_int_equal(heap_usage(heap).refused, 2);
    heap_release(heap, rest);
    void *small = heap_malloc(heap, 1); /* out of the run that was kept for its length */
    assert_non_null(small);
    assert_true(heap_check(heap));
    heap_release(heap, small);
    heap_release(heap, half);
    heap_free(heap);
}

static void realloc_keeps_what_was_written(void **state) {
    (void)state;
    struct heap *heap = heap_new(1 << 20);
    char *piece = NULL;
    for (size_t size = 1; size < 70000; size = size * 3 + 1) {
        char *grown = heap_realloc(heap, piece, size);
        assert_non_null(grown);
        for (size_t i = 0; piece && i < size / 3; i++) {
            assert_int_equal(grown[i], (char)i);
        }
        for (size_t i = 0; i < size; i++) {
            grown[i] = (char)i;
        }
        piece = grown;
    }
    piece = heap_realloc(heap, piece, 10);
    assert_int_equal(piece[9], 9);
    heap_release(heap, piece);
    assert_true(heap_check(heap));
    heap_free(heap);
}

static size_t pages_resident(const void *memory, size_t pages) {
    unsigned char *resident = calloc(pages, 1);
    assert_int_equal(mincore((void *)(uintptr_t)memory, pages * PAGE_BYTES, resident), 0);
    size_t count = 0;
    for (size_t i = 0; i < pages; i++) {
        count += resident[i] & 1;
    }
    free(resident);
    return count;
}

/* mbedTLS asks for 16 KiB of zeroes and a connection of short messages uses the first page. */
static void a_large_buffer_costs_the_pages_it_touches(void **state) {
    (void)state;
    struct heap *heap = heap_new(1 << 20);
    for (int round = 0; round < 3; round++) {
        char *buffer = heap_calloc(heap, 1, 16800);
        assert_non_null(buffer);
        memset(buffer, 1, 300);
        assert_int_equal(pages_resident(buffer, 5), 1);
        heap_release(heap, buffer);
    }
    heap_free(heap);
}

/* Random traffic twice over: the second time needs no more than the first. */
static void what_is_freed_is_reused(void **state) {
    (void)state;
    enum { LIVE = 400 };
    static void *live[LIVE];
    struct heap *heap = heap_new(8 << 20);
    size_t high = 0;
    for (int round = 0; round < 2; round++) {
        unsigned seed = 7;
        for (int step = 0; step < 100000; step++) {
            unsigned slot = (unsigned)rand_r(&seed) % LIVE;
            unsigned kind = (unsigned)rand_r(&seed) % 100;
            size_t size = (unsigned)rand_r(&seed) % (kind < 90 ? 600u : 20000u);
            heap_release(heap, live[slot]);
            live[slot] = heap_malloc(heap, size);
            assert_non_null(live[slot]);
            memset(live[slot], (int)slot, size);
        }
        assert_true(heap_check(heap));
        for (int i = 0; i < LIVE; i++) {
            heap_release(heap, live[i]);
            live[i] = NULL;
        }
        if (round == 0) {
            high = heap_usage(heap).bytes_used_high;
        }
    }
    assert_int_equal(heap_usage(heap).bytes_used_high, high);
    assert_int_equal(heap_usage(heap).pieces, 0);
    heap_free(heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_served_zeroed_and_aligned),
        cmocka_unit_test(a_piece_past_the_budget_is_refused_and_nothing_breaks),
        cmocka_unit_test(realloc_keeps_what_was_written),
        cmocka_unit_test(a_large_buffer_costs_the_pages_it_touches),
        cmocka_unit_test(what_is_freed_is_reused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
