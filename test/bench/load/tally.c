#include "test/bench/load/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct tally_error *error_named(struct tally *t, const char *name) {
    for (unsigned i = 0; i < TALLY_ERRORS - 1; i++) {
        struct tally_error *e = &t->kinds[i];
        if (!e->count)
            snprintf(e->name, sizeof e->name, "%s", name);
        if (strcmp(e->name, name) == 0)
            return e;
    }
    strcpy(t->kinds[TALLY_ERRORS - 1].name, "other");
    return &t->kinds[TALLY_ERRORS - 1];
}

static void take_sample(struct tally_error *e, const struct call *call,
                        const struct answer *answer) {
    int used = snprintf(e->sample, sizeof e->sample, "call %" PRIu64 " (%s %u)", call->number,
                        call_kind_name(call->kind), call->variant);
    if (!answer)
        return;
    used += snprintf(e->sample + used, sizeof e->sample - (size_t)used, ": %d ", answer->status);
    size_t room = sizeof e->sample - 1 - (size_t)used;
    size_t bytes = answer->body_bytes < room ? answer->body_bytes : room;
    for (size_t i = 0; i < bytes; i++) {
        char c = answer->body[i];
        e->sample[used++] = c >= ' ' && c < 127 ? c : '.';
    }
    e->sample[used] = 0;
}

void tally_end_call(struct tally *t, const struct call *call, uint64_t now_us, const char *error,
                    const struct answer *answer) {
    if (t->measuring)
        t->window_calls++;
    if (error) {
        struct tally_error *e = error_named(t, error);
        t->errors++;
        if (!e->count++)
            take_sample(e, call, answer);
        return;
    }
    t->right[call->kind]++;
    if (t->measuring && call->kind == CALL_GOOD)
        histogram_record(&t->good, now_us - call->started_us);
}

static void print_quoted(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void print_errors(const struct tally *t, bool json) {
    const char *between = "";
    for (unsigned i = 0; i < TALLY_ERRORS; i++) {
        const struct tally_error *e = &t->kinds[i];
        if (!e->count)
            continue;
        if (json) {
            printf("%s{\"kind\":\"%s\",\"count\":%" PRIu64 ",\"sample\":", between, e->name,
                   e->count);
            print_quoted(e->sample);
            putchar('}');
            between = ",";
        } else
            printf("  error %-20s %10" PRIu64 "  first: %s\n", e->name, e->count, e->sample);
    }
}

static void print_kinds(const struct tally *t, bool json) {
    const char *between = "";
    for (unsigned k = 0; k < CALL_KINDS; k++) {
        if (!t->issued[k])
            continue;
        const char *name = call_kind_name(k);
        if (json)
            printf("%s\"%s\":{\"issued\":%" PRIu64 ",\"right\":%" PRIu64 "}", between, name,
                   t->issued[k], t->right[k]);
        else
            printf("  %s: %" PRIu64 " issued, %" PRIu64 " right\n", name, t->issued[k],
                   t->right[k]);
        between = json ? "," : "";
    }
}

static void print_json(const struct tally *t, double rate, double cpu_us) {
    printf("{\"event\":\"result\",\"calls\":%" PRIu64 ",\"seconds\":%.3f,\"calls_per_s\":%.1f,"
           "\"good\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"connections_opened\":%" PRIu64
           ",\"loader_cpu_us_per_call\":%.2f,\"latency_us\":{",
           t->window_calls, t->window_s, rate, t->good.total, t->errors, t->connections_opened,
           cpu_us);
    printf("\"p50\":%" PRIu64 ",\"p90\":%" PRIu64 ",\"p99\":%" PRIu64 ",\"max\":%" PRIu64
           "},\"kinds\":{",
           histogram_percentile(&t->good, 50), histogram_percentile(&t->good, 90),
           histogram_percentile(&t->good, 99), t->good.max_us);
    print_kinds(t, true);
    fputs("},\"error_kinds\":[", stdout);
    print_errors(t, true);
    puts("]}");
}

void tally_print(const struct tally *t, bool json) {
    double rate = t->window_s > 0 ? (double)t->window_calls / t->window_s : 0;
    double cpu_us = t->window_calls ? t->cpu_us / (double)t->window_calls : 0;
    if (json) {
        print_json(t, rate, cpu_us);
        return;
    }
    printf("%" PRIu64 " calls in %.2f s, %.0f a second, %" PRIu64 " errors, %" PRIu64
           " connections opened\n",
           t->window_calls, t->window_s, rate, t->errors, t->connections_opened);
    printf("  latency ms: p50 %.1f, p90 %.1f, p99 %.1f, max %.1f; the loader took %.1f us a call\n",
           (double)histogram_percentile(&t->good, 50) / 1e3,
           (double)histogram_percentile(&t->good, 90) / 1e3,
           (double)histogram_percentile(&t->good, 99) / 1e3, (double)t->good.max_us / 1e3, cpu_us);
    print_kinds(t, false);
    print_errors(t, false);
}
