#include "server/memory_ledger.h"

#include <malloc.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/upstream_memory.h"
#include "server/client_memory.h"

static uint64_t pool_resident(const struct block_pool *pool) {
    return ledger_resident(block_pool_memory(pool), block_pool_bytes(pool));
}

static void add_pool(struct ledger *ledger, const char *name, struct block_pool *pool) {
    struct block_pool_usage usage = block_pool_usage(pool);
    ledger_add(ledger, (struct ledger_line){
                           .name = name,
                           .used_bytes = usage.blocks_used * BLOCK_BYTES,
                           .high_bytes = usage.blocks_used_high * BLOCK_BYTES,
                           .budget_bytes = usage.blocks * BLOCK_BYTES,
                           .resident_bytes = pool_resident(pool),
                       });
}

static void add_heap(struct ledger *ledger, const char *name, struct heap *heap) {
    struct heap_usage usage = heap_usage(heap);
    ledger_add(ledger, (struct ledger_line){
                           .name = name,
                           .used_bytes = usage.bytes_used,
                           .high_bytes = usage.bytes_used_high,
                           .budget_bytes = usage.bytes_reserved,
                           .resident_bytes = pool_resident(heap_pool(heap)),
                           .allocations = usage.allocations,
                       });
}

/* The C library's heap, which with one malloc arena (memory_ledger_prepare) ends at the break. */
static uint64_t libc_resident(void) {
    uintptr_t end = (uintptr_t)sbrk(0) / PAGE_BYTES * PAGE_BYTES;
    uintptr_t bytes = mallinfo2().arena / PAGE_BYTES * PAGE_BYTES;
    return bytes < end ? ledger_resident((const void *)(end - bytes), bytes) : 0;
}

/* What is left with the C library's allocator. */
static void add_libc(struct ledger *ledger, const struct server *server) {
    uint64_t configuration = arena_bytes(server->config->arena);
    ledger_add(ledger, (struct ledger_line){"configuration", configuration, configuration,
                                            configuration, libc_resident(), 0});
}

void memory_ledger_prepare(void) {
    mallopt(M_ARENA_MAX, 1);
}

void memory_ledger_read(const struct server *server, struct ledger *ledger) {
    *ledger = (struct ledger){.budget_bytes = server->plan.budget_bytes};
    add_pool(ledger, "arenas", server->pool);
    if (server->admin_pool) {
        add_pool(ledger, "admin", server->admin_pool);
    }
    add_heap(ledger, "libcurl", upstream_memory_curl());
    add_heap(ledger, "mbedtls", upstream_memory_tls());
    if (client_memory()) {
        add_heap(ledger, "clients", client_memory());
    }
    add_libc(ledger, server);
    (void)ledger_read_process(ledger); /* without /proc the lines are still worth showing */
}
