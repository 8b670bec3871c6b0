#include "server/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/yaml.h"
#include "server/config_reader.h"

/* ---- the published schema ---- */

const char *config_next_step(const char *path, char step[PROBLEM_PATH_BYTES]) {
    size_t length = 0;
    if (*path != '/') {
        return NULL;
    }
    for (path++; *path != '\0' && *path != '/' && length + 1 < PROBLEM_PATH_BYTES; path++) {
        char byte = *path;
        if (byte == '~' && (path[1] == '0' || path[1] == '1')) {
            byte = *++path == '0' ? '~' : '/';
        }
        step[length++] = byte;
    }
    step[length] = '\0';
    return path;
}

/* The node that a JSON Pointer leads to, or the last one on the way: for its line. */
static const struct json *node_at(const struct json *node, const char *path) {
    char step[PROBLEM_PATH_BYTES];
    const struct json *child = node;
    while (child && (path = config_next_step(path, step))) {
        node = child;
        child = node->type == JSON_OBJECT ? json_member(node, step) : NULL;
        if (node->type == JSON_ARRAY) {
            child = node->first;
            for (unsigned long i = strtoul(step, NULL, 10); child && i > 0; i--) {
                child = child->next;
            }
        }
    }
    return child ? child : node;
}

static void check_schema_in(struct config_reader *reader, struct arena *scratch) {
    const struct json *text = NULL;
    const struct schema *schema = NULL;
    struct problem problem = {0};
    size_t length = (size_t)(config_schema_end - config_schema_bytes);
    enum outcome outcome =
        json_parse(scratch, config_schema_bytes, length, &json_limits_file, &text, &problem);
    if (outcome == OUTCOME_OK) {
        outcome = schema_compile(scratch, text, NULL, &schema, &problem);
    }
    if (outcome == OUTCOME_OK) {
        config_check_members(reader, text);
        outcome =
            reader->failed ? OUTCOME_OK : schema_check(schema, scratch, reader->root, &problem);
    }
    problem.at = node_at(reader->root, problem.path)->at;
    if (outcome == OUTCOME_INVALID) {
        config_explain(text, &problem);
    }
    config_accept(reader, NULL, outcome, &problem);
}

/* Checks the tree against config.schema.json, which is compiled for this and gone afterwards. */
static void check_schema(struct config_reader *reader) {
    struct arena *scratch = arena_new_on_heap(CONFIG_MEMORY_BYTES_MAX);
    if (scratch) {
        check_schema_in(reader, scratch);
    } else {
        config_accept(reader, NULL, OUTCOME_NO_MEMORY, &(struct problem){0});
    }
    arena_free(scratch);
}

/* ---- the tree ---- */

/* U+0000 would cut a string short where it becomes a C string. Recursion is bounded by the file's
 * depth. */
static void check_strings(struct config_reader *reader, const struct json *node) {
    bool name = node->name && memchr(node->name, '\0', node->name_length);
    if (name || (node->type == JSON_STRING && memchr(node->bytes, '\0', node->length))) {
        config_complain(reader, node, "must not hold U+0000");
        return;
    }
    if (node->type == JSON_ARRAY || node->type == JSON_OBJECT) {
        for (const struct json *child = node->first; child; child = child->next) {
            check_strings(reader, child);
        }
    }
}

static void read_tree(struct config_reader *reader) {
    check_strings(reader, reader->root);
    if (reader->failed || config_holds_literal_secret(reader)) {
        return;
    }
    check_schema(reader);
    if (reader->failed) {
        return;
    }
    config_read_server(reader);
    config_read_limits(reader);
    config_read_upstreams(reader);
    if (reader->config->upstreams) {
        config_read_tools(reader);
    }
}

static struct config *new_config(const char *file) {
    struct arena *arena = arena_new_on_heap(CONFIG_MEMORY_BYTES_MAX);
    struct config *config = arena ? arena_alloc(arena, sizeof *config) : NULL;
    if (config) {
        config->arena = arena;
        config->file = arena_copy(arena, file, strlen(file));
    }
    if (!config || !config->file) {
        arena_free(arena);
        return NULL;
    }
    return config;
}

struct config *config_parse(const char *file, const char *bytes, size_t length,
                            struct config_error *error) {
    struct config *config = new_config(file);
    struct config_reader reader = {.config = config, .error = error};
    struct problem problem = {0};
    error->text[0] = '\0';
    if (!config) {
        snprintf(error->text, sizeof error->text, "%s: there is no memory to read it", file);
        return NULL;
    }
    enum outcome outcome =
        yaml_parse(config->arena, bytes, length, &json_limits_file, &reader.root, &problem);
    if (config_accept(&reader, NULL, outcome, &problem)) {
        read_tree(&reader);
    }
    if (reader.failed) {
        config_free(config);
        return NULL;
    }
    return config;
}

/* ---- the file ---- */

/* Reads the whole file into memory that the caller frees; NULL after writing the error. */
static char *read_file(const char *file, size_t *length, struct config_error *error) {
    char *bytes = NULL;
    FILE *stream = fopen(file, "re");
    struct stat status;
    if (!stream || fstat(fileno(stream), &status) != 0) {
        snprintf(error->text, sizeof error->text, "%s: cannot be read: %s", file, strerror(errno));
    } else if (S_ISDIR(status.st_mode)) {
        snprintf(error->text, sizeof error->text, "%s: is a folder, not a file", file);
    } else if (!(bytes = malloc(CONFIG_FILE_BYTES_MAX + 1))) {
        snprintf(error->text, sizeof error->text, "%s: there is no memory to read it", file);
    } else {
        *length = fread(bytes, 1, CONFIG_FILE_BYTES_MAX + 1, stream);
        bool whole = !ferror(stream) && *length <= CONFIG_FILE_BYTES_MAX;
        if (!whole) {
            snprintf(error->text, sizeof error->text, "%s: %s", file,
                     ferror(stream) ? "cannot be read" : "is larger than 4 MiB");
            free(bytes);
            bytes = NULL;
        }
    }
    if (stream) {
        fclose(stream);
    }
    return bytes;
}

struct config *config_load(const char *file, struct config_error *error) {
    size_t length = 0;
    char *bytes = read_file(file, &length, error);
    struct config *config = bytes ? config_parse(file, bytes, length, error) : NULL;
    free(bytes);
    return config;
}

void config_free(struct config *config) {
    if (config) {
        arena_free(config->arena);
    }
}
