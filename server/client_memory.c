#include "server/client_memory.h"

#include <stdlib.h>

static struct heap *heap;

#ifdef WRAP_MALLOC

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *piece, size_t size);
void __real_free(void *piece);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *piece, size_t size);
void __wrap_free(void *piece);

bool client_memory_setup(size_t bytes) {
    if (!heap) {
        heap = heap_new(bytes);
    }
    return heap;
}

void *__wrap_malloc(size_t size) {
    return heap ? heap_malloc(heap, size) : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return heap ? heap_calloc(heap, count, size) : __real_calloc(count, size);
}

void *__wrap_realloc(void *piece, size_t size) {
    bool ours = heap && (!piece || heap_holds(heap, piece));
    return ours ? heap_realloc(heap, piece, size) : __real_realloc(piece, size);
}

void __wrap_free(void *piece) {
    if (heap && heap_holds(heap, piece)) {
        heap_release(heap, piece);
    } else {
        __real_free(piece);
    }
}

#else

bool client_memory_setup(size_t bytes) {
    (void)bytes;
    return true;
}

#endif

struct heap *client_memory(void) {
    return heap;
}
