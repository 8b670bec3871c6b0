/* arena: the memory of one call.
 *
 * Owner: the call being served; one thread at a time, so never locked. It may be handed from one
 * thread to another with the call.
 * Lifetime: every pointer handed out dies at arena_free(), all together; what is not memory (a
 * file, a lease) is ended before that by arena_defer().
 * Memory: blocks of the pool, up to a budget; the arena itself lives in its first block, so a small
 * call costs one block and no malloc.
 * Keep out: anything libcurl or libmicrohttpd may touch after the reply.
 *
 *     arena_new -> arena_alloc ... arena_exhausted? -> arena_free */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/block_pool.h"
#include "lib/outcome.h"

struct arena;

/* An arena that takes up to `bytes_max` of the pool (at least one block); NULL when the pool has
 * none free. */
CHECKED struct arena *arena_new(struct block_pool *pool, size_t bytes_max);

/* An arena over malloc, for what is loaded once (configuration, schemas) and for tests; NULL when
 * out of memory. */
CHECKED struct arena *arena_new_on_heap(size_t bytes_max);

/* Zeroed, aligned for any type. NULL when over the budget or the pool is empty, and NULL from then
 * on: a chain of calls may be checked once, at its end. */
CHECKED void *arena_alloc(struct arena *arena, size_t size);

/* The same, not zeroed. */
CHECKED void *arena_alloc_raw(struct arena *arena, size_t size);

/* Grows the piece `old` from old_size to new_size bytes: in place when it was the last one handed
 * out and there is room behind it, else by a copy. `old` may be NULL with old_size 0. New bytes are
 * not zeroed. */
CHECKED void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size);

/* Gives back what `piece` does not use behind new_size bytes, if it was the last one handed out;
 * returns the size it has from now on. */
size_t arena_trim(struct arena *arena, void *piece, size_t old_size, size_t new_size);

/* A copy with a NUL behind it. */
CHECKED char *arena_copy(struct arena *arena, const char *bytes, size_t length);

/* Runs function(data) at arena_free(), last deferred first. False when the arena is exhausted: then
 * nothing was deferred, and the caller ends it itself. */
CHECKED bool arena_defer(struct arena *arena, void (*function)(void *data), void *data);

/* True from the first allocation that failed on. */
bool arena_exhausted(const struct arena *arena);

/* Bytes taken from the pool, headers included. */
size_t arena_bytes(const struct arena *arena);

/* Deferred actions, then every block back to the pool. NULL is allowed. Under AddressSanitizer the
 * memory is poisoned until it is handed out again, so that a stale pointer traps. */
void arena_free(struct arena *arena);
