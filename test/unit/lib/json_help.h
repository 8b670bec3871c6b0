/* json_help: what several tests of JSON and JSON Schema share. Include it behind cmocka.h. */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

#define TEST_ARENA_BYTES ((size_t)512 << 20)

/* The tree of a text that is known to be good. */
static inline const struct json *parsed(struct arena *arena, const char *text) {
    const struct json *root = NULL;
    struct problem problem = {0};
    size_t length = strlen(text);
    if (json_parse(arena, text, length, &json_limits_file, &root, &problem) != OUTCOME_OK) {
        fail_msg("%s: %s at %u", text, problem.text, problem.at);
    }
    return root;
}

/* A file's bytes in the arena; NULL when it cannot be read. */
static inline char *file_bytes(struct arena *arena, const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    char *bytes = NULL, piece[4096];
    size_t used = 0, got;
    while ((got = fread(piece, 1, sizeof piece, file)) > 0) {
        bytes = arena_grow(arena, bytes, used, used + got);
        assert_non_null(bytes);
        memcpy(bytes + used, piece, got);
        used += got;
    }
    fclose(file);
    *length = used;
    return bytes ? bytes : arena_copy(arena, "", 0);
}

/* PLATEAU_CORPORA/corpora/name; skips the test where the corpora are not at hand. */
static inline const char *corpus_path(char path[512], const char *name) {
    const char *corpora = getenv("PLATEAU_CORPORA");
    if (!corpora) {
        skip();
    }
    snprintf(path, 512, "%s/corpora/%s", corpora, name);
    return path;
}
