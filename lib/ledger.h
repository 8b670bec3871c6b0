/* ledger: where the process's memory is, one line a subsystem, beside what the kernel says it has.
 *
 * Filled on the caller's stack whenever somebody asks; nothing is kept, nothing costs a call
 * anything. What no line accounts for (stacks, libraries' own tables, the allocator's slack) is
 * "unaccounted": LEDGER_UNACCOUNTED_BYTES_MAX bounds it, and a test holds that. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"
#include "lib/text.h"

struct ledger_line {
    const char *name;        /* a metric's label: lower case, no spaces; static */
    uint64_t used_bytes;     /* held now */
    uint64_t high_bytes;     /* held at most at one time, ever */
    uint64_t budget_bytes;   /* no more than this is ever held; 0: no bound of its own */
    uint64_t resident_bytes; /* pages that are in memory, used or kept for the next use */
    uint64_t allocations;    /* ever; 0 where they are not counted */
};

struct ledger {
    struct ledger_line lines[LEDGER_LINES_MAX];
    unsigned count;
    uint64_t budget_bytes;   /* of the whole process */
    uint64_t rss_bytes;      /* resident set, VmRSS of proc_pid_status(5) */
    uint64_t rss_high_bytes; /* VmHWM */
};

void ledger_add(struct ledger *ledger, struct ledger_line line);

/* Fills in rss and rss_high, and adds the line "program": the pages of files that are mapped (code,
 * constants), which the kernel may drop. False, all zero, where /proc cannot be read. */
bool ledger_read_process(struct ledger *ledger);

/* Resident, and on no line. Negative when the kernel's own count lags behind (it is exact to some
 * 64 pages a processor). */
int64_t ledger_unaccounted(const struct ledger *ledger);

/* Pages of the mapping that are in memory, in bytes. `memory` is a page's start. Asks the kernel
 * (mincore(2)): some 3 us a MiB. */
uint64_t ledger_resident(const void *memory, size_t bytes);

/* The whole ledger, for people, for programs, and in the Prometheus text format (version 0.0.4). */
void ledger_write_text(struct text *text, const struct ledger *ledger);
void ledger_write_json(struct text *text, const struct ledger *ledger);
void ledger_write_metrics(struct text *text, const struct ledger *ledger);
