/* The input is an array: a schema, and values to check against it. Compiling and checking end, and
 * say why when they refuse. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/schema.h"

static void check_all(const struct schema *schema, const struct json *first) {
    for (const struct json *value = first; value; value = value->next) {
        struct arena *arena = arena_new_on_heap((size_t)4 << 20);
        struct problem problem = {0};
        enum outcome outcome = schema_check(schema, arena, value, &problem);
        if ((outcome == OUTCOME_OK) != (problem.text[0] == '\0')) {
            abort();
        }
        arena_free(arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new_on_heap((size_t)16 << 20);
    const struct json *root = NULL;
    const struct schema *schema = NULL;
    struct problem problem = {0};
    if (json_parse(arena, (const char *)data, size, &json_limits_message, &root, &problem) ==
            OUTCOME_OK &&
        root->type == JSON_ARRAY && root->first) {
        enum outcome outcome = schema_compile(arena, root->first, NULL, &schema, &problem);
        if (outcome == OUTCOME_OK) {
            check_all(schema, root->first);
        } else if (schema || (outcome == OUTCOME_INVALID && problem.text[0] == '\0')) {
            abort();
        }
    }
    arena_free(arena);
    return 0;
}
