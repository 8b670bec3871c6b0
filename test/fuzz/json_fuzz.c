/* Whatever is accepted is written and read again as the same value; whatever is not has a reason.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lib/json.h"

static void check_round_trip(struct arena *arena, const struct json *root) {
    struct text text = text_new(arena, SIZE_MAX / 2);
    const struct json *again = NULL;
    struct problem problem = {0};
    json_write(&text, root);
    if (text_failed(&text)) {
        return; /* the arena's budget */
    }
    enum outcome outcome =
        json_parse(arena, text.bytes, text.length, &json_limits_message, &again, &problem);
    if (outcome == OUTCOME_NO_MEMORY) {
        return;
    }
    const uint64_t seed[2] = {1, 2};
    if (outcome != OUTCOME_OK || !json_equal(root, again) ||
        json_hash(root, seed) != json_hash(again, seed)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new_on_heap((size_t)4 << 20);
    const struct json *root = NULL;
    struct problem problem = {0};
    enum outcome outcome =
        json_parse(arena, (const char *)data, size, &json_limits_message, &root, &problem);
    if (outcome == OUTCOME_OK) {
        check_round_trip(arena, root);
    } else if (root || (outcome != OUTCOME_NO_MEMORY && problem.text[0] == '\0') ||
               problem.at > size) {
        abort();
    }
    arena_free(arena);
    return 0;
}
