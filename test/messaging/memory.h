/* memory: malloc that never fails: it ends the program instead, which is right for
 * a test program and for nothing else. What is returned is the caller's, to free(). */
#pragma once

#include <stddef.h>

/* Zeroed. */
void *memory_new(size_t size);
/* As realloc(); what is added is not zeroed. */
void *memory_resize(void *old, size_t size);
/* A copy with a NUL behind it. */
char *memory_copy(const char *bytes, size_t size);
