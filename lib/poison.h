/* poison: marks memory that nobody may touch, so that AddressSanitizer traps a stale pointer.
 * Nothing otherwise. */
#pragma once

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define PLATEAU_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PLATEAU_ASAN 1
#endif
#endif

#ifdef PLATEAU_ASAN
#include <sanitizer/asan_interface.h>
static inline void poison(const void *memory, size_t size) {
    __asan_poison_memory_region(memory, size);
}
static inline void unpoison(const void *memory, size_t size) {
    __asan_unpoison_memory_region(memory, size);
}
#else
static inline void poison(const void *memory, size_t size) {
    (void)memory, (void)size;
}
static inline void unpoison(const void *memory, size_t size) {
    (void)memory, (void)size;
}
#endif
