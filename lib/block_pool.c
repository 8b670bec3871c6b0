#include "lib/block_pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/poison.h"

#define WORD_BITS 64u

struct block_pool {
    pthread_mutex_t lock;
    char *memory;
    size_t block_bytes;
    size_t lowest_word; /* no word below this one has a free block */
    struct block_pool_usage usage;
    uint64_t taken[]; /* one bit a block; bits past the end are set */
};

static size_t words_of(size_t blocks) {
    return (blocks + WORD_BITS - 1) / WORD_BITS;
}

static bool is_taken(const struct block_pool *pool, size_t block) {
    return (pool->taken[block / WORD_BITS] >> (block % WORD_BITS)) & 1u;
}

static void mark(struct block_pool *pool, size_t block, size_t blocks, bool taken) {
    for (size_t i = block; i < block + blocks; i++) {
        assert(is_taken(pool, i) != taken);
        pool->taken[i / WORD_BITS] ^= UINT64_C(1) << (i % WORD_BITS);
    }
}

struct block_pool *block_pool_new(size_t blocks, size_t block_bytes) {
    size_t words = words_of(blocks);
    struct block_pool *pool = calloc(1, sizeof *pool + words * sizeof pool->taken[0]);
    if (!pool) {
        return NULL;
    }
    if (blocks > 0) {
        pool->memory = mmap(NULL, blocks * block_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (pool->memory == MAP_FAILED) {
            free(pool);
            return NULL;
        }
        /* A huge page would make 2 MiB resident for the first block's sake. */
        (void)madvise(pool->memory, blocks * block_bytes, MADV_NOHUGEPAGE);
        poison(pool->memory, blocks * block_bytes);
    }
    for (size_t i = blocks; i < words * WORD_BITS; i++) {
        pool->taken[i / WORD_BITS] |= UINT64_C(1) << (i % WORD_BITS);
    }
    pool->block_bytes = block_bytes;
    pool->usage.blocks = blocks;
    pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

void block_pool_free(struct block_pool *pool) {
    if (!pool) {
        return;
    }
    assert(pool->usage.blocks_used == 0);
    if (pool->memory) {
        unpoison(pool->memory, pool->usage.blocks * pool->block_bytes);
        munmap(pool->memory, pool->usage.blocks * pool->block_bytes);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* The first free block; pool->usage.blocks when there is none. */
static size_t find_one(struct block_pool *pool) {
    size_t words = words_of(pool->usage.blocks);
    while (pool->lowest_word < words && pool->taken[pool->lowest_word] == UINT64_MAX) {
        pool->lowest_word++;
    }
    if (pool->lowest_word == words) {
        return pool->usage.blocks;
    }
    return pool->lowest_word * WORD_BITS + (size_t)__builtin_ctzll(~pool->taken[pool->lowest_word]);
}

/* The first run of that many free blocks. */
static size_t find_run(struct block_pool *pool, size_t blocks) {
    size_t run = 0;
    for (size_t i = find_one(pool); i < pool->usage.blocks; i++) {
        if (i % WORD_BITS == 0 && pool->taken[i / WORD_BITS] == UINT64_MAX) {
            i += WORD_BITS - 1;
            run = 0;
        } else if (is_taken(pool, i)) {
            run = 0;
        } else if (++run == blocks) {
            return i + 1 - blocks;
        }
    }
    return pool->usage.blocks;
}

void *block_pool_take(struct block_pool *pool, size_t blocks) {
    assert(blocks > 0);
    char *piece = NULL;
    pthread_mutex_lock(&pool->lock);
    size_t block = blocks == 1 ? find_one(pool) : find_run(pool, blocks);
    if (block < pool->usage.blocks) {
        mark(pool, block, blocks, true);
        pool->usage.blocks_used += blocks;
        if (pool->usage.blocks_used > pool->usage.blocks_used_high) {
            pool->usage.blocks_used_high = pool->usage.blocks_used;
        }
        piece = pool->memory + block * pool->block_bytes;
    } else {
        pool->usage.takes_refused++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (piece) {
        unpoison(piece, blocks * pool->block_bytes);
    }
    return piece;
}

void block_pool_give(struct block_pool *pool, void *piece, size_t blocks) {
    size_t offset = (size_t)((char *)piece - pool->memory);
    assert(offset % pool->block_bytes == 0);
    size_t block = offset / pool->block_bytes;
    assert(block + blocks <= pool->usage.blocks);
    poison(piece, blocks * pool->block_bytes);
    pthread_mutex_lock(&pool->lock);
    mark(pool, block, blocks, false);
    pool->usage.blocks_used -= blocks;
    if (block / WORD_BITS < pool->lowest_word) {
        pool->lowest_word = block / WORD_BITS;
    }
    pthread_mutex_unlock(&pool->lock);
}

struct block_pool_usage block_pool_usage(struct block_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    struct block_pool_usage usage = pool->usage;
    pthread_mutex_unlock(&pool->lock);
    return usage;
}

char *block_pool_memory(const struct block_pool *pool) {
    return pool->memory;
}

size_t block_pool_bytes(const struct block_pool *pool) {
    return pool->usage.blocks * pool->block_bytes;
}
