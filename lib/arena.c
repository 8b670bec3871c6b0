#include "lib/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/poison.h"

#define ALIGNMENT alignof(max_align_t)

/* One piece of memory, with what is handed out of it behind this header. */
struct chunk {
    struct chunk *older;
    size_t size; /* bytes, header included */
};

struct deferred {
    struct deferred *older;
    void (*function)(void *data);
    void *data;
};

struct arena {
    struct block_pool *pool; /* NULL: on the heap */
    struct chunk *newest;
    struct deferred *deferred; /* last one first */
    char *last;                /* what was handed out last: it can grow in place */
    size_t used;               /* of the newest chunk, header included */
    size_t bytes;              /* of all chunks */
    size_t bytes_max;
    bool exhausted;
};

static size_t aligned(size_t size) {
    return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/* Whole blocks that hold `size` bytes. */
static size_t blocks_of(size_t size) {
    return (size + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

static struct chunk *chunk_take(struct block_pool *pool, size_t size) {
    size_t blocks = blocks_of(size);
    struct chunk *chunk = pool ? block_pool_take(pool, blocks) : malloc(blocks * BLOCK_BYTES);
    if (chunk) {
        chunk->older = NULL;
        chunk->size = blocks * BLOCK_BYTES;
    }
    return chunk;
}

static void chunk_give(struct block_pool *pool, struct chunk *chunk) {
    unpoison(chunk, chunk->size);
    if (pool) {
        block_pool_give(pool, chunk, chunk->size / BLOCK_BYTES);
    } else {
        free(chunk);
    }
}

static void poison_rest(const struct arena *arena) {
    poison((char *)arena->newest + arena->used, arena->newest->size - arena->used);
}

static struct arena *arena_start(struct block_pool *pool, size_t bytes_max) {
    size_t head = aligned(sizeof(struct chunk)) + aligned(sizeof(struct arena));
    struct chunk *chunk = chunk_take(pool, head);
    if (!chunk) {
        return NULL;
    }
    struct arena *arena = (struct arena *)((char *)chunk + aligned(sizeof *chunk));
    *arena = (struct arena){
        .pool = pool,
        .newest = chunk,
        .used = head,
        .bytes = chunk->size,
        .bytes_max = bytes_max,
    };
    poison_rest(arena);
    return arena;
}

struct arena *arena_new(struct block_pool *pool, size_t bytes_max) {
    assert(pool);
    return arena_start(pool, bytes_max);
}

struct arena *arena_new_on_heap(size_t bytes_max) {
    return arena_start(NULL, bytes_max);
}

/* A new newest chunk with room for `size` bytes. On the heap chunks double, so that a large load
 * takes few. */
static bool arena_extend(struct arena *arena, size_t size) {
    size_t head = aligned(sizeof(struct chunk));
    if (size > SIZE_MAX / 2 || arena->bytes > arena->bytes_max) {
        return false;
    }
    size_t need = blocks_of(head + size) * BLOCK_BYTES;
    size_t room = arena->bytes_max - arena->bytes;
    if (need > room) {
        return false;
    }
    if (!arena->pool && need < arena->bytes && arena->bytes <= room) {
        need = arena->bytes;
    }
    struct chunk *chunk = chunk_take(arena->pool, need);
    if (!chunk) {
        return false;
    }
    chunk->older = arena->newest;
    arena->newest = chunk;
    arena->used = head;
    arena->bytes += chunk->size;
    poison_rest(arena);
    return true;
}

void *arena_alloc_raw(struct arena *arena, size_t size) {
    if (arena->exhausted) {
        return NULL;
    }
    size_t room = arena->newest->size - arena->used;
    /* Past the last aligned byte there is room for nothing; size may be anything up to SIZE_MAX. */
    if ((size > room || aligned(size) > room) && !arena_extend(arena, size)) {
        arena->exhausted = true;
        return NULL;
    }
    char *piece = (char *)arena->newest + arena->used;
    arena->used += aligned(size);
    arena->last = piece;
    unpoison(piece, size);
    return piece;
}

void *arena_alloc(struct arena *arena, size_t size) {
    void *piece = arena_alloc_raw(arena, size);
    return piece ? memset(piece, 0, size) : NULL;
}

/* The newest chunk, when `piece` is all that was handed out of it: a large piece that outgrew it
 * can give it back. */
static struct chunk *chunk_of_alone(const struct arena *arena, const char *piece) {
    bool alone = piece == (char *)arena->newest + aligned(sizeof(struct chunk));
    return alone && piece == arena->last && arena->newest->older ? arena->newest : NULL;
}

/* Gives back the chunk behind the newest one. */
static void drop_second(struct arena *arena, struct chunk *chunk) {
    arena->newest->older = chunk->older;
    arena->bytes -= chunk->size;
    chunk_give(arena->pool, chunk);
}

void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size) {
    assert(new_size >= old_size && (old || old_size == 0));
    if (arena->exhausted) {
        return NULL;
    }
    size_t end = arena->newest->size;
    size_t start = (size_t)((char *)old - (char *)arena->newest);
    if (old && old == arena->last && new_size <= end - start && aligned(new_size) <= end - start) {
        arena->used = start + aligned(new_size);
        unpoison(old, new_size);
        return old;
    }
    struct chunk *outgrown = old ? chunk_of_alone(arena, old) : NULL;
    void *grown = arena_alloc_raw(arena, new_size);
    if (grown && old_size > 0) {
        memcpy(grown, old, old_size);
    }
    if (grown && outgrown) {
        drop_second(arena, outgrown);
    }
    return grown; // NOLINT(clang-analyzer-unix.Malloc): what is freed is the chunk it grew out of
}

size_t arena_trim(struct arena *arena, void *piece, size_t old_size, size_t new_size) {
    assert(new_size <= old_size);
    if (piece != arena->last) {
        return old_size;
    }
    arena->used = (size_t)((char *)piece - (char *)arena->newest) + aligned(new_size);
    poison((char *)piece + new_size, old_size - new_size);
    return new_size;
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length) {
    char *copy = arena_alloc_raw(arena, length + 1);
    if (!copy) {
        return NULL;
    }
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    copy[length] = '\0';
    return copy;
}

bool arena_defer(struct arena *arena, void (*function)(void *data), void *data) {
    struct deferred *deferred = arena_alloc_raw(arena, sizeof *deferred);
    if (!deferred) {
        return false;
    }
    *deferred = (struct deferred){arena->deferred, function, data};
    arena->deferred = deferred;
    return true;
}

bool arena_exhausted(const struct arena *arena) {
    return arena->exhausted;
}

size_t arena_bytes(const struct arena *arena) {
    return arena->bytes;
}

void arena_free(struct arena *arena) {
    if (!arena) {
        return;
    }
    for (struct deferred *deferred = arena->deferred; deferred; deferred = deferred->older) {
        deferred->function(deferred->data);
    }
    /* The arena lies in the oldest chunk: what is needed is kept aside. */
    struct block_pool *pool = arena->pool;
    struct chunk *chunk = arena->newest;
    while (chunk) {
        struct chunk *older = chunk->older;
        chunk_give(pool, chunk);
        chunk = older;
    }
}
