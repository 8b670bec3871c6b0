#include "lib/ledger.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/limits.h"

void ledger_add(struct ledger *ledger, struct ledger_line line) {
    assert(ledger->count < LEDGER_LINES_MAX);
    ledger->lines[ledger->count++] = line;
}

/* "VmRSS:     1234 kB" of proc_pid_status(5), in bytes; 0 when there is no such line. */
static uint64_t status_bytes(const char *status, const char *name) {
    const char *line = strstr(status, name);
    return line ? strtoull(line + strlen(name), NULL, 10) << 10 : 0;
}

bool ledger_read_process(struct ledger *ledger) {
    char status[4096];
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, status, sizeof status - 1);
    if (file >= 0) {
        close(file);
    }
    status[length > 0 ? length : 0] = '\0';
    ledger->rss_bytes = status_bytes(status, "\nVmRSS:");
    ledger->rss_high_bytes = status_bytes(status, "\nVmHWM:");
    uint64_t files = status_bytes(status, "\nRssFile:");
    ledger_add(ledger, (struct ledger_line){"program", files, files, 0, files, 0});
    return ledger->rss_bytes > 0;
}

int64_t ledger_unaccounted(const struct ledger *ledger) {
    int64_t rest = (int64_t)ledger->rss_bytes;
    for (unsigned i = 0; i < ledger->count; i++) {
        rest -= (int64_t)ledger->lines[i].resident_bytes;
    }
    return rest;
}

uint64_t ledger_resident(const void *memory, size_t bytes) {
    unsigned char pages[1024];
    uint64_t resident = 0;
    for (size_t at = 0; at < bytes;) {
        size_t rest = bytes - at, most = sizeof pages * PAGE_BYTES;
        size_t length = rest < most ? rest : most;
        if (mincore((char *)(uintptr_t)memory + at, length, pages) != 0) {
            return resident;
        }
        for (size_t i = 0; i < (length + PAGE_BYTES - 1) / PAGE_BYTES; i++) {
            resident += pages[i] & 1 ? PAGE_BYTES : 0;
        }
        at += length;
    }
    return resident;
}

static double mebibytes(uint64_t bytes) {
    return (double)bytes / (1 << 20);
}

void ledger_write_text(struct text *text, const struct ledger *ledger) {
    text_add_format(text, "%-14s %10s %10s %10s %10s   MiB\n", "", "used", "high", "budget",
                    "resident");
    for (unsigned i = 0; i < ledger->count; i++) {
        const struct ledger_line *line = &ledger->lines[i];
        text_add_format(text, "%-14s %10.2f %10.2f ", line->name, mebibytes(line->used_bytes),
                        mebibytes(line->high_bytes));
        if (line->budget_bytes > 0) {
            text_add_format(text, "%10.2f", mebibytes(line->budget_bytes));
        } else {
            text_add_format(text, "%10s", "-");
        }
        text_add_format(text, " %10.2f\n", mebibytes(line->resident_bytes));
    }
    text_add_format(text, "%-14s %32s %10.2f\n", "unaccounted", "",
                    (double)ledger_unaccounted(ledger) / (1 << 20));
    text_add_format(text, "%-14s %10s %10.2f %10.2f %10.2f\n", "RSS", "",
                    mebibytes(ledger->rss_high_bytes), mebibytes(ledger->budget_bytes),
                    mebibytes(ledger->rss_bytes));
}

void ledger_write_json(struct text *text, const struct ledger *ledger) {
    text_add_format(text,
                    "{\"budget_bytes\":%" PRIu64 ",\"rss_bytes\":%" PRIu64
                    ",\"rss_high_bytes\":%" PRIu64 ",\"unaccounted_bytes\":%" PRId64
                    ",\"subsystems\":[",
                    ledger->budget_bytes, ledger->rss_bytes, ledger->rss_high_bytes,
                    ledger_unaccounted(ledger));
    for (unsigned i = 0; i < ledger->count; i++) {
        const struct ledger_line *line = &ledger->lines[i];
        text_add_format(text,
                        "%s{\"name\":\"%s\",\"used_bytes\":%" PRIu64 ",\"high_bytes\":%" PRIu64
                        ",\"budget_bytes\":%" PRIu64 ",\"resident_bytes\":%" PRIu64
                        ",\"allocations\":%" PRIu64 "}",
                        i ? "," : "", line->name, line->used_bytes, line->high_bytes,
                        line->budget_bytes, line->resident_bytes, line->allocations);
    }
    text_add_string(text, "]}\n");
}

static const struct {
    const char *name, *type, *help;
    size_t member;
} families[] = {
    {"used_bytes", "gauge", "Memory a subsystem holds.", offsetof(struct ledger_line, used_bytes)},
    {"high_bytes", "gauge", "Most memory a subsystem held at one time.",
     offsetof(struct ledger_line, high_bytes)},
    {"budget_bytes", "gauge", "Bound of a subsystem's memory; 0: none of its own.",
     offsetof(struct ledger_line, budget_bytes)},
    {"resident_bytes", "gauge", "Pages of a subsystem that are in memory.",
     offsetof(struct ledger_line, resident_bytes)},
    {"allocations_total", "counter", "Pieces of memory a subsystem was given; 0: not counted.",
     offsetof(struct ledger_line, allocations)},
};

void ledger_write_metrics(struct text *text, const struct ledger *ledger) {
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        text_add_format(text, "# HELP plateau_memory_%s %s\n# TYPE plateau_memory_%s %s\n",
                        families[i].name, families[i].help, families[i].name, families[i].type);
        for (unsigned line = 0; line < ledger->count; line++) {
            uint64_t value;
            memcpy(&value, (const char *)&ledger->lines[line] + families[i].member, sizeof value);
            text_add_format(text, "plateau_memory_%s{subsystem=\"%s\"} %" PRIu64 "\n",
                            families[i].name, ledger->lines[line].name, value);
        }
    }
    text_add_format(text,
                    "# HELP plateau_memory_unaccounted_bytes Resident memory of no subsystem.\n"
                    "# TYPE plateau_memory_unaccounted_bytes gauge\n"
                    "plateau_memory_unaccounted_bytes %" PRId64 "\n"
                    "# HELP plateau_memory_limit_bytes Memory the process may use.\n"
                    "# TYPE plateau_memory_limit_bytes gauge\n"
                    "plateau_memory_limit_bytes %" PRIu64 "\n"
                    "# HELP process_resident_memory_bytes Resident memory size in bytes.\n"
                    "# TYPE process_resident_memory_bytes gauge\n"
                    "process_resident_memory_bytes %" PRIu64 "\n",
                    ledger_unaccounted(ledger), ledger->budget_bytes, ledger->rss_bytes);
}
