#include "test/messaging/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p, size_t size) {
    if (!p) {
        fprintf(stderr, "messaging: out of memory: %zu bytes could not be had\n", size);
        exit(1);
    }
    return p;
}

void *memory_new(size_t size) {
    return checked(calloc(1, size ? size : 1), size);
}

void *memory_resize(void *old, size_t size) {
    return checked(realloc(old, size ? size : 1), size);
}

char *memory_copy(const char *bytes, size_t size) {
    char *copy = memory_new(size + 1);

    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}
