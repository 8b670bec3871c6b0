#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "server/client_memory.h"

#define HEAP_BYTES ((size_t)1 << 20)

/* This program is linked as plateau is, so its own malloc is the one that is tried. */
static char *before;

static int reserve(void **state) {
    (void)state;
    before = malloc(100);
    return before && client_memory_setup(HEAP_BYTES) ? 0 : 1;
}

static struct heap *heap_or_skip(void) {
    if (!client_memory()) {
        skip(); /* a sanitizer's build keeps its own malloc */
    }
    return client_memory();
}

static void what_is_allocated_comes_from_the_heap(void **state) {
    (void)state;
    struct heap *heap = heap_or_skip();
    size_t pieces = heap_usage(heap).pieces;
    char *piece = malloc(100), *zeroes = calloc(10, 10);
    assert_true(heap_holds(heap, piece) && heap_holds(heap, zeroes));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(zeroes[i], 0);
    }
    memset(piece, 'x', 100);
    piece = realloc(piece, 5000);
    assert_true(heap_holds(heap, piece));
    assert_int_equal(piece[99], 'x');
    free(piece);
    free(zeroes);
    free(NULL);
    assert_int_equal(heap_usage(heap).pieces, pieces);
    assert_true(heap_check(heap));
}

static void what_came_from_elsewhere_goes_back_there(void **state) {
    (void)state;
    struct heap *heap = heap_or_skip();
    size_t pieces = heap_usage(heap).pieces;
    assert_false(heap_holds(heap, before));
    strcpy(before, "from before");
    before = realloc(before, 200);
    assert_false(heap_holds(heap, before));
    assert_string_equal(before, "from before");
    char *copy = strdup("libc calls its own malloc");
    assert_false(heap_holds(heap, copy));
    free(copy);
    free(before);
    assert_int_equal(heap_usage(heap).pieces, pieces);
}

static bool was_had(void *piece) {
    bool had = piece != NULL;
    free(piece);
    return had;
}

static void it_has_an_end(void **state) {
    (void)state;
    struct heap *heap = heap_or_skip();
    char *pieces[HEAP_BYTES / 4096];
    size_t count = 0;
    while (count < sizeof pieces / sizeof pieces[0] && (pieces[count] = malloc(4096))) {
        count++;
    }
    assert_in_range(count, 200, sizeof pieces / sizeof pieces[0] - 1);
    volatile size_t many = SIZE_MAX / 8; /* more than the compiler would let through */
    assert_false(was_had(malloc(4096)));
    assert_false(was_had(realloc(NULL, 4096)));
    assert_false(was_had(calloc(many, 16)));
    assert_true(heap_usage(heap).refused > 0);
    while (count > 0) {
        free(pieces[--count]);
    }
    char *again = malloc(4096);
    assert_non_null(again);
    free(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_allocated_comes_from_the_heap),
        cmocka_unit_test(what_came_from_elsewhere_goes_back_there),
        cmocka_unit_test(it_has_an_end),
    };
    return cmocka_run_group_tests(tests, reserve, NULL);
}
