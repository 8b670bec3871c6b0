#include "server/memory_budget.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUDGET_BYTES_DEFAULT (UINT64_C(64) << 20)

uint64_t memory_budget_parse(const char *text) {
    char *unit;
    if (text[0] < '0' || text[0] > '9') {
        return 0;
    }
    uint64_t number = strtoull(text, &unit, 10);
    unsigned shift = strcmp(unit, "Ki") == 0   ? 10
                     : strcmp(unit, "Mi") == 0 ? 20
                     : strcmp(unit, "Gi") == 0 ? 30
                     : *unit == '\0'           ? 0
                                               : 64;
    return shift == 64 || number > (UINT64_MAX >> shift) ? 0 : number << shift;
}

static bool read_line(const char *path, char *line, int size) {
    FILE *file = fopen(path, "re");
    bool read = file && fgets(line, size, file);
    if (file) {
        fclose(file);
    }
    if (read) {
        line[strcspn(line, "\n")] = '\0';
    }
    return read;
}

/* The least limit written in `file` of the cgroup at `base` + `path` or of one above it; UINT64_MAX
 * when there is none. */
static uint64_t least_limit(const char *base, char *path, const char *file) {
    uint64_t least = UINT64_MAX;
    for (;;) {
        char name[PATH_MAX], line[64];
        if (snprintf(name, sizeof name, "%s%s/%s", base, path, file) < (int)sizeof name &&
            read_line(name, line, sizeof line)) {
            uint64_t limit = memory_budget_parse(line); /* "max" is no number */
            least = limit > 0 && limit < least ? limit : least;
        }
        char *slash = strrchr(path, '/');
        if (!slash) {
            return least;
        }
        *slash = '\0';
    }
}

static uint64_t machine_bytes(void) {
    return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Looks through /proc/self/cgroup: "0::/path" is v2, "9:memory:/path" v1 (cgroups(7)). */
static struct memory_budget cgroup_limit(const char *root) {
    struct memory_budget budget = {UINT64_MAX, NULL};
    char name[PATH_MAX], line[PATH_MAX];
    snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
    FILE *file = fopen(name, "re");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) {
            continue;
        }
        *path++ = '\0';
        bool v2 = controllers[1] == '\0', v1 = strcmp(controllers + 1, "memory") == 0;
        snprintf(name, sizeof name, "%s/sys/fs/cgroup%s", root, v1 ? "/memory" : "");
        uint64_t limit = v2   ? least_limit(name, path, "memory.max")
                         : v1 ? least_limit(name, path, "memory.limit_in_bytes")
                              : UINT64_MAX;
        if (limit < budget.bytes) {
            budget.bytes = limit;
            budget.source =
                v2 ? "the container's limit (cgroup v2)" : "the container's limit (cgroup v1)";
        }
    }
    if (file) {
        fclose(file);
    }
    if (budget.bytes >= machine_bytes()) {
        budget.source = NULL;
    }
    return budget;
}

struct memory_budget memory_budget_find(uint64_t configured_bytes, const char *root) {
    if (configured_bytes > 0) {
        return (struct memory_budget){configured_bytes, "limits.memory"};
    }
    struct memory_budget budget = cgroup_limit(root);
    if (budget.source) {
        return budget;
    }
    const char *request = getenv("PLATEAU_MEMORY_REQUEST");
    uint64_t bytes = request ? memory_budget_parse(request) : 0;
    if (bytes > 0) {
        return (struct memory_budget){bytes, "PLATEAU_MEMORY_REQUEST"};
    }
    return (struct memory_budget){BUDGET_BYTES_DEFAULT, "the default"};
}
