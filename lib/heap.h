/* heap: bounded, accounted memory for a library that allocates by itself (libcurl, mbedTLS).
 *
 * Owner: the process; one heap a library, so that each has its own budget and its own line in the
 * ledger. Any thread. What is freed is reused: small pieces lie in slabs of one size class, and an
 * empty slab goes back to the pool whole; larger ones are runs of pages, kept by length. So
 * fragmentation is bounded by the classes, and RSS by the pages that were in use at one time; a
 * page that a large piece never touches is never resident. Invariant: every block of the pool is
 * free, part of a slab, or part of a run (heap_check()). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/outcome.h"

struct block_pool;
struct heap;

struct heap_usage {
    size_t bytes_reserved;  /* the budget */
    size_t bytes_used;      /* blocks of slabs and runs that hold at least one piece */
    size_t bytes_used_high; /* most ever */
    size_t bytes_asked;     /* what was asked for, rounded to its size class */
    size_t pieces;          /* live now */
    size_t allocations;     /* ever */
    size_t refused;         /* ever: NULL was answered */
};

/* NULL when the address space cannot be had. */
struct heap *heap_new(size_t bytes);
void heap_free(struct heap *heap);

/* As malloc, calloc, realloc, free of C17 section 7.22.3; NULL over the budget. Aligned for any
 * type. A large piece of zeroes comes as fresh pages, not by writing them. */
CHECKED void *heap_malloc(struct heap *heap, size_t size);
CHECKED void *heap_calloc(struct heap *heap, size_t count, size_t size);
CHECKED void *heap_realloc(struct heap *heap, void *piece, size_t size);
void heap_release(struct heap *heap, void *piece);

struct heap_usage heap_usage(struct heap *heap);

/* True for a pointer into the heap's memory. */
bool heap_holds(const struct heap *heap, const void *piece);

/* The pool its memory is from: for who asks the kernel what of it is resident. */
const struct block_pool *heap_pool(const struct heap *heap);

/* True when the invariant holds; for tests. */
bool heap_check(struct heap *heap);
