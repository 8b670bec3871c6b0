/* catalog: the answers that depend on the configuration alone, made once at load and served as
 * prepared bytes.
 *
 * Read-only once made; any thread. Each text is the JSON of a `result`. */
#pragma once

#include "lib/arena.h"
#include "server/config.h"

struct catalog_text {
    const char *bytes;
    size_t length;
};

struct catalog {
    struct catalog_text tools_legacy;
    struct catalog_text tools_modern;
    struct catalog_text discover;
    struct catalog_text capabilities; /* the members of initialize behind its protocolVersion */
    struct catalog_text result_meta;  /* the members that every 2026-07-28 result ends with */
};

/* In `arena`; NULL when it is exhausted. */
struct catalog *catalog_new(struct arena *arena, const struct config *config);
