/* memory_budget: how much memory the process may have, when the configuration does not say. */
#pragma once

#include <stdint.h>

struct memory_budget {
    uint64_t bytes;
    const char
        *source; /* for people: "limits.memory", "the container's limit (cgroup v2)"; static */
};

/* The first that is there: `configured_bytes` (0: none); the memory limit of the process's cgroup,
 * v2 or v1, or of one above it; PLATEAU_MEMORY_REQUEST from the environment ("64Mi" or bytes, as
 * the downward API hands it down); 64 MiB. A limit as large as the machine's memory limits nothing
 * and is passed over. `root` is "" but in tests: a folder with proc/ and sys/ of its own. */
struct memory_budget memory_budget_find(uint64_t configured_bytes, const char *root);

/* "64Mi", "1Gi", "512Ki" or plain bytes; 0 when it is none of these. */
uint64_t memory_budget_parse(const char *text);
