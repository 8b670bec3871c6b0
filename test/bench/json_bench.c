/* json_bench: what parsing costs, ours beside cJSON, for a small call and a large one.
 *
 * cJSON accepts leading zeros, control characters and invalid UTF-8, so a strict server needs a
 * scan before it. The least that such a scan costs is measured too: strings only, neither grammar
 * nor repeated names. cJSON's memory comes from an arena by its hooks, as ours does. Nanoseconds
 * are the best of several rounds; bytes are what is taken from the block pool for a document,
 * besides its text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_CJSON
#include <cjson/cJSON.h>
#endif

#include "lib/json_scan.h"
#include "lib/limits.h"

#define ROUNDS 9
#define ROUND_NS 50e6
#define ARENA_BYTES ((size_t)8 << 20)

struct document {
    const char *name, *text;
    size_t length;
    size_t bytes; /* out */
    struct block_pool *pool;
};

static double now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void must(bool good, const char *what) {
    if (!good) {
        fprintf(stderr, "json_bench: %s\n", what);
        exit(1);
    }
}

static void parse_ours(struct document *document) {
    struct arena *arena = arena_new(document->pool, ARENA_BYTES);
    const struct json *root = NULL;
    struct problem problem = {0};
    must(json_parse(arena, document->text, document->length, &json_limits_message, &root,
                    &problem) == OUTCOME_OK,
         problem.text);
    document->bytes = arena_bytes(arena);
    arena_free(arena);
}

static void scan_strings(struct document *document) {
    struct arena *arena = arena_new(document->pool, ARENA_BYTES);
    struct problem problem = {0};
    const char *bytes = NULL, *end = document->text + document->length;
    uint32_t length;
    struct json_scan scan = {document->text, document->text,       end,
                             arena,          &json_limits_message, &problem};
    while (scan.at < end) {
        if (*scan.at == '"') {
            must(json_scan_string(&scan, &bytes, &length) == OUTCOME_OK, problem.text);
        } else {
            scan.at++;
        }
    }
    document->bytes = 0; /* a scan needs none: what it unescaped here is not counted */
    arena_free(arena);
}

#ifdef HAVE_CJSON
static struct arena *cjson_arena;

static void *take(size_t size) {
    return arena_alloc_raw(cjson_arena, size);
}

static void leave(void *memory) {
    (void)memory;
}

static void parse_cjson(struct document *document) {
    cjson_arena = arena_new(document->pool, ARENA_BYTES);
    must(cJSON_ParseWithLength(document->text, document->length) != NULL, "cJSON refused");
    document->bytes = arena_bytes(cjson_arena);
    arena_free(cjson_arena);
}

static void scan_and_parse_cjson(struct document *document) {
    scan_strings(document);
    parse_cjson(document);
}
#endif

static void measure(const char *name, struct document *document, void (*parse)(struct document *)) {
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        unsigned count = 0;
        double start = now_ns(), spent;
        do {
            parse(document);
            count++;
            spent = now_ns() - start;
        } while (spent < ROUND_NS);
        best = spent / count < best ? spent / count : best;
    }
    printf("%-10s %6zu bytes  %-22s %9.0f ns  %6.0f MB/s  %8zu bytes taken\n", document->name,
           document->length, name, best, (double)document->length / best * 1e3, document->bytes);
}

/* A tools/call of some 500 bytes, as a client sends it. */
static const char call[] =
    "{\"jsonrpc\":\"2.0\",\"id\":42,\"method\":\"tools/"
    "call\",\"params\":{\"name\":\"send_message\","
    "\"arguments\":{\"to\":\"+4915112345678\",\"text\":\"Hello, the delivery of order 4711 has "
    "been "
    "moved to Thursday between 10 and 12. Please reply with YES if that suits you, or call us at "
    "the number you know. Sch\xC3\xB6ne Gr\xC3\xBC\xC3\x9F"
    "e!\\nYour shop\",\"kind\":\"sms\",\"silent\":false,"
    "\"priority\":3},\"_meta\":{\"progressToken\":\"a1b2c3d4-e5f6-7890-abcd-ef0123456789\","
    "\"client\":{\"name\":\"bench\",\"version\":\"1.0.0\"}}}}";

static char *many_calls(size_t bytes) {
    char *text = malloc(bytes + 2 * sizeof call);
    must(text != NULL, "out of memory");
    size_t used = 0;
    text[used++] = '[';
    while (used < bytes - sizeof call) {
        used += (size_t)sprintf(text + used, "%s%s", used > 1 ? "," : "", call);
    }
    strcpy(text + used, "]");
    return text;
}

int main(void) {
    struct block_pool *pool = block_pool_new(4096, BLOCK_BYTES);
    must(pool != NULL, "no memory");
#ifdef HAVE_CJSON
    cJSON_Hooks hooks = {take, leave};
    cJSON_InitHooks(&hooks);
#endif
    char *large = many_calls(65536);
    struct document documents[] = {
        {.name = "call", .text = call, .length = sizeof call - 1, .pool = pool},
        {.name = "large", .text = large, .length = strlen(large), .pool = pool},
    };
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        measure("plateau", &documents[i], parse_ours);
        measure("string scan alone", &documents[i], scan_strings);
#ifdef HAVE_CJSON
        measure("cJSON alone", &documents[i], parse_cjson);
        measure("string scan + cJSON", &documents[i], scan_and_parse_cjson);
#endif
    }
    free(large);
    block_pool_free(pool);
    return 0;
}
