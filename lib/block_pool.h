/* block_pool: the memory of all calls, reserved once at start.
 *
 * Owner: the process. Any thread may take and give. Reserved is not resident: a block costs RSS
 * from its first use on, and the lowest free blocks are handed out first, so RSS follows the
 * high-water mark of blocks in use and never passes the pool's size. */
#pragma once

#include <stddef.h>

#include "lib/outcome.h"

struct block_pool;

struct block_pool_usage {
    size_t blocks;           /* reserved, in all */
    size_t blocks_used;      /* now */
    size_t blocks_used_high; /* most ever at one time */
    size_t takes_refused;    /* block_pool_take() that found nothing */
};

/* Reserves `blocks` blocks of `block_bytes` each (a multiple of 16). NULL when the address space
 * cannot be had. */
struct block_pool *block_pool_new(size_t blocks, size_t block_bytes);
void block_pool_free(struct block_pool *pool);

/* `blocks` blocks in one piece, not zeroed; NULL when there is no such piece free. */
CHECKED void *block_pool_take(struct block_pool *pool, size_t blocks);
void block_pool_give(struct block_pool *pool, void *piece, size_t blocks);

struct block_pool_usage block_pool_usage(struct block_pool *pool);

/* The size of the pool's memory, in bytes. */
size_t block_pool_bytes(const struct block_pool *pool);

/* Where the blocks begin, for who keeps a table beside them. */
char *block_pool_memory(const struct block_pool *pool);
