#include "lib/heap.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/block_pool.h"
#include "lib/limits.h"
#include "lib/poison.h"

/* Steps of a quarter of a power of two, of an eighth from 2 KiB on: at most a fifth of a piece is
 * lost to rounding. All are multiples of 16. libcurl's handle (5.5 KiB) and mbedTLS's output buffer
 * (3 KiB) are small pieces by this: they are used to their last byte. */
static const uint16_t class_bytes[] = {16,   32,   48,   64,   80,   96,   112,  128,  160,  192,
                                       224,  256,  320,  384,  448,  512,  640,  768,  896,  1024,
                                       1280, 1536, 1792, 2048, 2304, 2560, 2816, 3072, 3328, 3584,
                                       3840, 4096, 4608, 5120, 5632, 6144, 6656, 7168, 7680, 8192};
#define CLASSES (sizeof class_bytes / sizeof class_bytes[0])
#define SMALL_BYTES_MAX 8192u
#define RUN_CACHE_BLOCKS_MAX                                                                       \
    16u /* runs up to this length are kept by length; longer ones are rare */

/* A slab holds some ten pieces or more, so that little of it is left over at its end. */
static unsigned slab_blocks(unsigned class) {
    return class_bytes[class] <= 1024 ? 4 : 16;
}

/* What a block is, by its place in the pool. */
struct block {
    uint16_t index;  /* within its slab or run */
    uint16_t blocks; /* of its run; 0: a slab */
};

struct free_piece {
    struct free_piece *next;
};

/* At the start of its own memory. */
struct slab {
    struct slab *next, *previous; /* among those of its class with room */
    struct free_piece *free;
    uint16_t class;
    uint16_t used;
    uint16_t untouched; /* pieces never handed out lie from this one on: their pages are not touched
                           before */
    uint16_t capacity;
};

struct heap {
    pthread_mutex_t lock;
    struct block_pool *pool;
    char *base;
    size_t blocks;
    struct slab *with_room[CLASSES];
    struct free_piece *runs[RUN_CACHE_BLOCKS_MAX + 1]; /* free, by length */
    struct heap_usage usage;
    struct block map[];
};

#define SLAB_HEAD ((sizeof(struct slab) + 15u) & ~(size_t)15u)

struct heap *heap_new(size_t bytes) {
    size_t blocks = bytes / PAGE_BYTES;
    struct heap *heap = calloc(1, sizeof *heap + blocks * sizeof heap->map[0]);
    if (!heap) {
        return NULL;
    }
    heap->pool = block_pool_new(blocks, PAGE_BYTES);
    if (!heap->pool) {
        free(heap);
        return NULL;
    }
    heap->base = block_pool_memory(heap->pool);
    heap->blocks = blocks;
    heap->usage.bytes_reserved = blocks * PAGE_BYTES;
    pthread_mutex_init(&heap->lock, NULL);
    return heap;
}

static size_t block_of(const struct heap *heap, const void *piece) {
    size_t block = (size_t)((const char *)piece - heap->base) / PAGE_BYTES;
    assert(block < heap->blocks);
    return block;
}

/* Gives every cached run back to the pool, so that its blocks can be had in another length. */
static void drop_cached_runs(struct heap *heap) {
    for (size_t blocks = 1; blocks <= RUN_CACHE_BLOCKS_MAX; blocks++) {
        while (heap->runs[blocks]) {
            struct free_piece *run = heap->runs[blocks];
            unpoison(run, sizeof *run);
            heap->runs[blocks] = run->next;
            block_pool_give(heap->pool, run, blocks);
        }
    }
}

/* Gives back the empty slabs that were kept. */
static void drop_empty_slabs(struct heap *heap) {
    for (size_t i = 0; i < CLASSES; i++) {
        struct slab *slab = heap->with_room[i];
        if (slab && slab->used == 0) { /* the only one of its class: see small_give() */
            heap->with_room[i] = NULL;
            heap->usage.bytes_used -= (size_t)slab_blocks(slab->class) * PAGE_BYTES;
            block_pool_give(heap->pool, slab, slab_blocks(slab->class));
        }
    }
}

static void *take_blocks(struct heap *heap, size_t blocks) {
    void *piece = block_pool_take(heap->pool, blocks);
    if (!piece) {
        drop_cached_runs(heap);
        drop_empty_slabs(heap);
        piece = block_pool_take(heap->pool, blocks);
    }
    return piece;
}

static void note_blocks(struct heap *heap, const void *piece, size_t blocks, bool is_slab) {
    size_t first = block_of(heap, piece);
    for (size_t i = 0; i < blocks; i++) {
        heap->map[first + i] = (struct block){
            .index = (uint16_t)i,
            .blocks = is_slab ? 0 : (uint16_t)blocks,
        };
    }
}

static void count_bytes(struct heap *heap, size_t bytes) {
    heap->usage.bytes_used += bytes;
    if (heap->usage.bytes_used > heap->usage.bytes_used_high) {
        heap->usage.bytes_used_high = heap->usage.bytes_used;
    }
}

/* --- small pieces ------------------------------------------------------------------------------
 */

static unsigned class_of(size_t size) {
    if (size <= 128) {
        return size == 0 ? 0 : (unsigned)((size - 1) / 16);
    }
    /* Four classes to each doubling from 128 on, eight from 2048 on. */
    unsigned doubling = 63u - (unsigned)__builtin_clzll(size - 1); /* 7 for 129..256 */
    unsigned steps = doubling < 11 ? 2u : 3u;
    unsigned step = (unsigned)((size - 1) >> (doubling - steps)) & ((1u << steps) - 1);
    return doubling < 11 ? 8u + (doubling - 7u) * 4u + step : 24u + (doubling - 11u) * 8u + step;
}

static void list_push(struct heap *heap, struct slab *slab) {
    slab->previous = NULL;
    slab->next = heap->with_room[slab->class];
    if (slab->next) {
        slab->next->previous = slab;
    }
    heap->with_room[slab->class] = slab;
}

static void list_remove(struct heap *heap, struct slab *slab) {
    if (slab->previous) {
        slab->previous->next = slab->next;
    } else {
        heap->with_room[slab->class] = slab->next;
    }
    if (slab->next) {
        slab->next->previous = slab->previous;
    }
}

static struct slab *slab_new(struct heap *heap, unsigned class) {
    size_t blocks = slab_blocks(class), bytes = blocks * PAGE_BYTES;
    struct slab *slab = take_blocks(heap, blocks);
    if (!slab) {
        return NULL;
    }
    *slab = (struct slab){
        .class = (uint16_t) class,
        .capacity = (uint16_t)((bytes - SLAB_HEAD) / class_bytes[class]),
    };
    poison((char *)slab + SLAB_HEAD, bytes - SLAB_HEAD);
    note_blocks(heap, slab, blocks, true);
    count_bytes(heap, bytes);
    list_push(heap, slab);
    return slab;
}

static void *small_take(struct heap *heap, unsigned class) {
    struct slab *slab = heap->with_room[class] ? heap->with_room[class] : slab_new(heap, class);
    if (!slab) {
        return NULL;
    }
    struct free_piece *piece = slab->free;
    if (piece) {
        unpoison(piece, class_bytes[class]);
        slab->free = piece->next;
    } else {
        piece = (struct free_piece *)((char *)slab + SLAB_HEAD +
                                      (size_t)slab->untouched++ * class_bytes[class]);
        unpoison(piece, class_bytes[class]);
    }
    if (++slab->used == slab->capacity) {
        list_remove(heap, slab);
    }
    return piece;
}

static void small_give(struct heap *heap, struct slab *slab, struct free_piece *piece) {
    piece->next = slab->free;
    slab->free = piece;
    poison(piece, class_bytes[slab->class]);
    if (slab->used-- == slab->capacity) {
        list_push(heap, slab);
    }
    /* The last slab with room of a class stays, so that one piece coming and going does not make
     * and unmake it. */
    if (slab->used == 0 && (slab->next || slab->previous)) {
        list_remove(heap, slab);
        heap->usage.bytes_used -= (size_t)slab_blocks(slab->class) * PAGE_BYTES;
        block_pool_give(heap->pool, slab, slab_blocks(slab->class));
    }
}

/* --- runs of pages -----------------------------------------------------------------------------
 */

static void *run_take(struct heap *heap, size_t blocks) {
    struct free_piece *run = NULL;
    if (blocks <= RUN_CACHE_BLOCKS_MAX && heap->runs[blocks]) {
        run = heap->runs[blocks];
        unpoison(run, blocks * PAGE_BYTES);
        heap->runs[blocks] = run->next;
    } else {
        run = blocks <= UINT16_MAX ? take_blocks(heap, blocks) : NULL;
        if (run) {
            note_blocks(heap, run, blocks, false);
        }
    }
    if (run) {
        count_bytes(heap, blocks * PAGE_BYTES);
    }
    return run;
}

static void run_give(struct heap *heap, struct free_piece *run, size_t blocks) {
    heap->usage.bytes_used -= blocks * PAGE_BYTES;
    /* Most large pieces only ever touch their first page; what one of them did touch beyond is not
     * kept. Large pieces come and go with connections, not with calls, so the system call does not
     * count. */
    if (blocks > 1 && blocks <= RUN_CACHE_BLOCKS_MAX) {
        (void)madvise((char *)run + PAGE_BYTES, (blocks - 1) * PAGE_BYTES, MADV_DONTNEED);
    }
    if (blocks <= RUN_CACHE_BLOCKS_MAX) {
        run->next = heap->runs[blocks];
        heap->runs[blocks] = run;
        poison(run, blocks * PAGE_BYTES);
    } else {
        (void)madvise(run, blocks * PAGE_BYTES, MADV_DONTNEED);
        block_pool_give(heap->pool, run, blocks);
    }
}

/* --- the four functions ------------------------------------------------------------------------
 */

static size_t blocks_of(size_t size) {
    return (size + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* The bytes a piece really has. */
static size_t piece_bytes(const struct heap *heap, const void *piece) {
    const struct block *block = &heap->map[block_of(heap, piece)];
    if (block->blocks > 0) {
        return (size_t)block->blocks * PAGE_BYTES;
    }
    const char *start = heap->base + (block_of(heap, piece) - block->index) * PAGE_BYTES;
    return class_bytes[((const struct slab *)(const void *)start)->class];
}

void *heap_malloc(struct heap *heap, size_t size) {
    void *piece = NULL;
    pthread_mutex_lock(&heap->lock);
    if (size <= SMALL_BYTES_MAX) {
        piece = small_take(heap, class_of(size));
    } else if (size <= heap->usage.bytes_reserved) {
        piece = run_take(heap, blocks_of(size));
    }
    if (piece) {
        heap->usage.bytes_asked += piece_bytes(heap, piece);
        heap->usage.pieces++;
        heap->usage.allocations++;
    } else {
        heap->usage.refused++;
    }
    pthread_mutex_unlock(&heap->lock);
    return piece;
}

void *heap_calloc(struct heap *heap, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return NULL;
    }
    void *piece = heap_malloc(heap, bytes);
    if (!piece) {
        return NULL;
    }
    if (bytes <= SMALL_BYTES_MAX) {
        return memset(piece, 0, bytes);
    }
    /* Pages the kernel has yet to give read as zero, and cost nothing until they are written to. */
    if (madvise(piece, blocks_of(bytes) * PAGE_BYTES, MADV_DONTNEED) != 0) {
        memset(piece, 0, bytes);
    }
    return piece;
}

void *heap_realloc(struct heap *heap, void *piece, size_t size) {
    if (!piece) {
        return heap_malloc(heap, size);
    }
    pthread_mutex_lock(&heap->lock);
    size_t have = piece_bytes(heap, piece);
    pthread_mutex_unlock(&heap->lock);
    if (size <= have && size > have / 2) {
        return piece;
    }
    void *moved = heap_malloc(heap, size);
    if (moved) {
        memcpy(moved, piece, size < have ? size : have);
        heap_release(heap, piece);
    }
    return moved;
}

void heap_release(struct heap *heap, void *piece) {
    if (!piece) {
        return;
    }
    pthread_mutex_lock(&heap->lock);
    size_t first = block_of(heap, piece);
    const struct block block = heap->map[first];
    heap->usage.bytes_asked -= piece_bytes(heap, piece);
    heap->usage.pieces--;
    if (block.blocks > 0) {
        assert(block.index == 0);
        run_give(heap, piece, block.blocks);
    } else {
        char *start = heap->base + (first - block.index) * PAGE_BYTES;
        small_give(heap, (struct slab *)(void *)start, piece);
    }
    pthread_mutex_unlock(&heap->lock);
}

struct heap_usage heap_usage(struct heap *heap) {
    pthread_mutex_lock(&heap->lock);
    struct heap_usage usage = heap->usage;
    pthread_mutex_unlock(&heap->lock);
    return usage;
}

bool heap_holds(const struct heap *heap, const void *piece) {
    uintptr_t at = (uintptr_t)piece, base = (uintptr_t)heap->base;
    return at >= base && at - base < heap->blocks * PAGE_BYTES;
}

const struct block_pool *heap_pool(const struct heap *heap) {
    return heap->pool;
}

bool heap_check(struct heap *heap) {
    bool holds = true;
    pthread_mutex_lock(&heap->lock);
    size_t cached = 0;
    for (size_t blocks = 1; blocks <= RUN_CACHE_BLOCKS_MAX; blocks++) {
        for (struct free_piece *run = heap->runs[blocks]; run;) {
            unpoison(run, sizeof *run);
            struct free_piece *next = run->next;
            poison(run, sizeof *run);
            cached += blocks;
            run = next;
        }
    }
    for (size_t i = 0; i < CLASSES; i++) {
        for (struct slab *slab = heap->with_room[i]; slab; slab = slab->next) {
            holds = holds && slab->class == i && slab->used < slab->capacity &&
                    slab->untouched <= slab->capacity;
        }
    }
    size_t used = block_pool_usage(heap->pool).blocks_used;
    holds = holds && (used - cached) * PAGE_BYTES == heap->usage.bytes_used;
    pthread_mutex_unlock(&heap->lock);
    return holds;
}

void heap_free(struct heap *heap) {
    if (!heap) {
        return;
    }
    drop_cached_runs(heap);
    drop_empty_slabs(heap);
    block_pool_free(heap->pool);
    pthread_mutex_destroy(&heap->lock);
    free(heap);
}
