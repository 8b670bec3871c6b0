#include "lib/upstream_memory.h"

#include <curl/curl.h>
#include <mbedtls/platform.h>
#include <string.h>

static struct heap *curl_heap, *tls_heap;

static void *curl_malloc(size_t size) {
    return heap_malloc(curl_heap, size);
}

static void curl_release(void *piece) {
    heap_release(curl_heap, piece);
}

static void *curl_realloc(void *piece, size_t size) {
    return heap_realloc(curl_heap, piece, size);
}

static void *curl_calloc(size_t count, size_t size) {
    return heap_calloc(curl_heap, count, size);
}

static char *curl_strdup(const char *string) {
    size_t size = strlen(string) + 1;
    char *copy = heap_malloc(curl_heap, size);
    return copy ? memcpy(copy, string, size) : NULL;
}

static void *tls_calloc(size_t count, size_t size) {
    return heap_calloc(tls_heap, count, size);
}

static void tls_release(void *piece) {
    heap_release(tls_heap, piece);
}

bool upstream_memory_setup(size_t curl_bytes, size_t tls_bytes) {
    if (curl_heap) {
        return true;
    }
    curl_heap = heap_new(curl_bytes);
    tls_heap = heap_new(tls_bytes);
    if (!curl_heap || !tls_heap || mbedtls_platform_set_calloc_free(tls_calloc, tls_release) != 0) {
        return false;
    }
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_release, curl_realloc,
                                curl_strdup, curl_calloc) == CURLE_OK;
}

struct heap *upstream_memory_curl(void) {
    return curl_heap;
}

struct heap *upstream_memory_tls(void) {
    return tls_heap;
}
