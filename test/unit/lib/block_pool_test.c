#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/block_pool.h"
#include "lib/poison.h"

#define BYTES_EACH 48u
#define NOWHERE SIZE_MAX

static void *block_at(const struct block_pool *pool, size_t block) {
    return block_pool_memory(pool) + block * BYTES_EACH;
}

/* Which block that is, NOWHERE for NULL. */
static size_t number_of(const struct block_pool *pool, const void *piece) {
    if (!piece) {
        return NOWHERE;
    }
    size_t offset = (size_t)((const char *)piece - block_pool_memory(pool));
    assert_int_equal(offset % BYTES_EACH, 0);
    return offset / BYTES_EACH;
}

static void take_all(struct block_pool *pool) {
    for (size_t i = 0; i < block_pool_usage(pool).blocks; i++) {
        assert_int_equal(number_of(pool, block_pool_take(pool, 1)), i);
    }
}

/* The sizes around the words of the bit map. */
static void a_pool_holds_its_blocks_and_not_one_more(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 63, 64, 65, 127, 128, 129, 200};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t blocks = sizes[i];
        struct block_pool *pool = block_pool_new(blocks, BYTES_EACH);
        assert_non_null(pool);
        assert_int_equal(block_pool_bytes(pool), blocks * BYTES_EACH);
        assert_null(block_pool_take(pool, blocks + 1));
        void *all = block_pool_take(pool, blocks);
        assert_ptr_equal(all, block_pool_memory(pool));
        memset(all, 0xA5, blocks * BYTES_EACH);
        assert_null(block_pool_take(pool, 1));
        block_pool_give(pool, all, blocks);
        take_all(pool);
        assert_null(block_pool_take(pool, 1));
        assert_int_equal(block_pool_usage(pool).blocks_used, blocks);
        for (size_t block = 0; block < blocks; block++) {
            block_pool_give(pool, block_at(pool, block), 1);
        }
        assert_int_equal(block_pool_usage(pool).blocks_used, 0);
        assert_int_equal(block_pool_usage(pool).takes_refused, 3);
        block_pool_free(pool);
    }
}

static void a_pool_of_none_refuses(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(0, BYTES_EACH);
    assert_non_null(pool);
    assert_int_equal(block_pool_bytes(pool), 0);
    assert_null(block_pool_take(pool, 1));
    assert_null(block_pool_take(pool, 2));
    assert_int_equal(block_pool_usage(pool).takes_refused, 2);
    block_pool_free(pool);
    block_pool_free(NULL);
}

static void more_than_the_address_space_is_refused(void **state) {
    (void)state;
    assert_null(block_pool_new(2, (size_t)1 << 60));
}

static void the_lowest_free_block_comes_first(void **state) {
    (void)state;
    static const size_t given[] = {129, 70, 64, 3, 63, 0}, lowest_first[] = {0, 3, 63, 64, 70, 129};
    struct block_pool *pool = block_pool_new(130, BYTES_EACH);
    take_all(pool);
    for (size_t i = 0; i < 6; i++) { /* whatever is given, it is the next to be taken */
        block_pool_give(pool, block_at(pool, given[i]), 1);
        assert_int_equal(number_of(pool, block_pool_take(pool, 1)), given[i]);
    }
    for (size_t i = 0; i < 6; i++) {
        block_pool_give(pool, block_at(pool, given[i]), 1);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(number_of(pool, block_pool_take(pool, 1)), lowest_first[i]);
    }
    assert_null(block_pool_take(pool, 1));
    block_pool_give(pool, block_pool_memory(pool), 130);
    block_pool_free(pool);
}

/* All 200 blocks are taken but those of `ranges`. */
static void a_run_is_the_first_that_is_long_enough(void **state) {
    (void)state;
    static const struct {
        struct {
            size_t first, blocks;
        } ranges[3];
        size_t wanted, found;
    } tests[] = {
        {{{10, 2}, {20, 3}}, 2, 10},
        {{{10, 2}, {20, 3}}, 3, 20},
        {{{10, 2}, {20, 3}}, 4, NOWHERE}, /* five are free, and not in one piece */
        {{{10, 1}, {12, 1}, {14, 2}}, 2, 14},
        {{{62, 4}}, 4, 62}, /* across two words */
        {{{62, 4}}, 5, NOWHERE},
        {{{63, 66}}, 66, 63}, /* a whole word within */
        {{{63, 66}}, 67, NOWHERE},
        {{{63, 1}, {128, 1}}, 2, NOWHERE},       /* a full word between */
        {{{60, 4}, {128, 3}, {140, 7}}, 7, 140}, /* a full word is passed over */
        {{{60, 4}, {128, 3}, {140, 7}}, 5, 140}, /* and what was before it is not counted */
        {{{0, 3}, {197, 3}}, 3, 0},
        {{{0, 2}, {197, 3}}, 3, 197}, /* the end */
        {{{0, 2}, {197, 3}}, 4, NOWHERE},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct block_pool *pool = block_pool_new(200, BYTES_EACH);
        take_all(pool);
        size_t free_blocks = 0;
        for (size_t j = 0; j < 3 && tests[i].ranges[j].blocks > 0; j++) {
            size_t blocks = tests[i].ranges[j].blocks;
            block_pool_give(pool, block_at(pool, tests[i].ranges[j].first), blocks);
            free_blocks += blocks;
        }
        void *piece = block_pool_take(pool, tests[i].wanted);
        assert_int_equal(number_of(pool, piece), tests[i].found);
        if (piece) {
            memset(piece, 0xA5, tests[i].wanted * BYTES_EACH);
            free_blocks -= tests[i].wanted;
        }
        assert_int_equal(block_pool_usage(pool).blocks_used, 200 - free_blocks);
        while (block_pool_take(pool, 1)) {
            free_blocks--;
        }
        assert_int_equal(free_blocks, 0);
        block_pool_give(pool, block_pool_memory(pool), 200);
        block_pool_free(pool);
    }
}

static void usage_is_counted(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(8, BYTES_EACH);
    /* Each take is of so many blocks; a give returns the piece of that step. */
    static const struct {
        size_t take, give_step, used, high, refused;
    } steps[] = {
        {3, NOWHERE, 3, 3, 0}, {5, NOWHERE, 8, 8, 0}, {1, NOWHERE, 8, 8, 1}, {0, 0, 5, 8, 1},
        {4, NOWHERE, 5, 8, 2}, {2, NOWHERE, 7, 8, 2}, {0, 5, 5, 8, 2},       {3, NOWHERE, 8, 8, 2},
        {0, 1, 3, 8, 2},       {0, 7, 0, 8, 2},       {9, NOWHERE, 0, 8, 3},
    };
    void *pieces[sizeof steps / sizeof steps[0]] = {0};
    assert_int_equal(block_pool_usage(pool).blocks, 8);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].take > 0) {
            pieces[i] = block_pool_take(pool, steps[i].take);
        } else {
            size_t step = steps[i].give_step;
            block_pool_give(pool, pieces[step], steps[step].take);
        }
        struct block_pool_usage usage = block_pool_usage(pool);
        assert_int_equal(usage.blocks, 8);
        assert_int_equal(usage.blocks_used, steps[i].used);
        assert_int_equal(usage.blocks_used_high, steps[i].high);
        assert_int_equal(usage.takes_refused, steps[i].refused);
    }
    block_pool_free(pool);
}

static void what_is_reserved_costs_what_was_touched(void **state) {
    (void)state;
    enum { PAGE = 4096, PAGES = 1024 };
    struct block_pool *pool = block_pool_new(PAGES, PAGE);
    for (int round = 0; round < 50; round++) { /* never more than three at one time */
        char *one = block_pool_take(pool, 1), *two = block_pool_take(pool, 2);
        memset(one, 1, PAGE);
        memset(two, 2, (size_t)2 * PAGE);
        assert_int_equal(one[PAGE - 1], 1);
        block_pool_give(pool, one, 1);
        block_pool_give(pool, two, 2);
    }
    unsigned char resident[PAGES];
    assert_int_equal(mincore(block_pool_memory(pool), (size_t)PAGES * PAGE, resident), 0);
    size_t count = 0;
    for (size_t i = 0; i < PAGES; i++) {
        count += resident[i] & 1;
    }
    assert_int_equal(count, 3);
    block_pool_free(pool);
}

static void a_stale_pointer_traps_under_asan(void **state) {
    (void)state;
#ifdef PLATEAU_ASAN
    struct block_pool *pool = block_pool_new(3, BYTES_EACH);
    char *memory = block_pool_memory(pool);
    assert_true(__asan_address_is_poisoned(memory));
    char *piece = block_pool_take(pool, 2);
    assert_ptr_equal(piece, memory);
    assert_null(__asan_region_is_poisoned(piece, (size_t)2 * BYTES_EACH));
    assert_true(__asan_address_is_poisoned(piece + (size_t)2 * BYTES_EACH));
    block_pool_give(pool, piece, 2);
    for (size_t i = 0; i < (size_t)2 * BYTES_EACH; i++) {
        assert_true(__asan_address_is_poisoned(piece + i));
    }
    block_pool_free(pool);
#else
    skip();
#endif
}

enum { THREADS = 4, ROUNDS = 5000, SHARED_BLOCKS = 9, MOST = 3 };

struct taker {
    struct block_pool *pool;
    unsigned char stamp; /* its own: who reads another's shares a block with it */
    size_t taken, refused, spoilt;
};

/* cmocka's assertions belong to the main thread: here faults are counted. */
static void *take_and_give(void *data) {
    struct taker *taker = data;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t blocks = 1 + (round + taker->stamp) % MOST;
        unsigned char *piece = block_pool_take(taker->pool, blocks);
        if (!piece) {
            taker->refused++;
            sched_yield();
            continue;
        }
        taker->taken++;
        memset(piece, taker->stamp, blocks * BYTES_EACH);
        if (round % 8 == 0) {
            sched_yield();
        }
        for (size_t i = 0; i < blocks * BYTES_EACH; i++) {
            taker->spoilt += piece[i] != taker->stamp;
        }
        block_pool_give(taker->pool, piece, blocks);
    }
    return NULL;
}

static void threads_never_share_a_block(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(SHARED_BLOCKS, BYTES_EACH);
    struct taker takers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        takers[i] = (struct taker){.pool = pool, .stamp = (unsigned char)(i + 1)};
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &takers[i]), 0);
    }
    size_t taken = 0, refused = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(takers[i].spoilt, 0);
        taken += takers[i].taken;
        refused += takers[i].refused;
    }
    struct block_pool_usage usage = block_pool_usage(pool);
    assert_int_equal(taken + refused, (size_t)THREADS * ROUNDS);
    assert_int_equal(usage.takes_refused, refused);
    assert_int_equal(usage.blocks_used, 0);
    assert_in_range(usage.blocks_used_high, MOST, SHARED_BLOCKS);
    take_all(pool); /* none was lost */
    block_pool_give(pool, block_pool_memory(pool), SHARED_BLOCKS);
    block_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_holds_its_blocks_and_not_one_more),
        cmocka_unit_test(a_pool_of_none_refuses),
        cmocka_unit_test(more_than_the_address_space_is_refused),
        cmocka_unit_test(the_lowest_free_block_comes_first),
        cmocka_unit_test(a_run_is_the_first_that_is_long_enough),
        cmocka_unit_test(usage_is_counted),
        cmocka_unit_test(what_is_reserved_costs_what_was_touched),
        cmocka_unit_test(a_stale_pointer_traps_under_asan),
        cmocka_unit_test(threads_never_share_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
