#include "server/config_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- complaints ---- */

/* Writes the path from `at` down to `node` before what is in place->path; false when it is not
 * below. */
static bool prepend_path(const struct json *at, const struct json *node, struct problem *place) {
    if (at == node) {
        return true;
    }
    if (at->type != JSON_ARRAY && at->type != JSON_OBJECT) {
        return false;
    }
    unsigned index = 0;
    for (const struct json *child = at->first; child; child = child->next, index++) {
        if (prepend_path(child, node, place)) {
            char step[PROBLEM_PATH_BYTES];
            snprintf(step, sizeof step, "%u", index);
            problem_path_prepend(place, child->name ? child->name : step);
            return true;
        }
    }
    return false;
}

/* Adds "FILE:LINE: PATH: text", leaving out what is not known. A line that does not fit is dropped,
 * unless it is the first. */
static void add_line(struct config_reader *reader, const struct problem *place) {
    struct config_error *error = reader->error;
    char line[12] = "";
    reader->failed = true;
    if (place->at > 0) {
        snprintf(line, sizeof line, ":%u", place->at);
    }
    size_t room = sizeof error->text - reader->error_length;
    int length = snprintf(error->text + reader->error_length, room, "%s%s%s: %s%s%s",
                          reader->error_length > 0 ? "\n" : "", reader->config->file, line,
                          place->path, place->path[0] ? ": " : "", place->text);
    if (length >= 0 && (size_t)length < room) {
        reader->error_length += (size_t)length;
        return;
    }
    reader->error_full = true;
    if (reader->error_length > 0) {
        error->text[reader->error_length] = '\0';
    }
}

void config_complain(struct config_reader *reader, const struct json *node, const char *format,
                     ...) {
    if (reader->error_full) {
        return;
    }
    struct problem place = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(place.text, sizeof place.text, format, arguments);
    va_end(arguments);
    if (node) {
        place.at = node->at;
        prepend_path(reader->root, node, &place);
    }
    add_line(reader, &place);
}

bool config_accept(struct config_reader *reader, const struct json *node, enum outcome outcome,
                   const struct problem *problem) {
    if (outcome == OUTCOME_OK) {
        return true;
    }
    if (reader->error_full) {
        return false;
    }
    struct problem place = *problem;
    if (outcome == OUTCOME_NO_MEMORY) {
        problem_set(&place, "the configuration needs more than %u MiB of memory",
                    CONFIG_MEMORY_BYTES_MAX >> 20);
    }
    if (node) {
        place.at = place.at ? place.at : node->at;
        prepend_path(reader->root, node, &place);
    }
    add_line(reader, &place);
    return false;
}

void *config_alloc(struct config_reader *reader, size_t size) {
    void *memory = arena_alloc(reader->config->arena, size);
    if (!memory && !reader->failed) {
        config_accept(reader, NULL, OUTCOME_NO_MEMORY, &(struct problem){0});
    }
    return memory;
}

/* ---- values ---- */

const char *config_string(const struct json *node, const char *otherwise) {
    return node ? node->bytes : otherwise;
}

/* Digits of a pattern-checked text, and what stands behind them. */
static uint64_t leading_number(const struct json *node, const char **unit) {
    char *end;
    uint64_t number = strtoull(node->bytes, &end, 10);
    *unit = end;
    return number;
}

uint64_t config_size(struct config_reader *reader, const struct json *node, uint64_t least,
                     uint64_t most, uint64_t otherwise) {
    if (!node) {
        return otherwise;
    }
    int64_t whole = 0;
    uint64_t bytes;
    if (node->type == JSON_STRING) {
        const char *unit;
        bytes = leading_number(node, &unit);
        unsigned shift = *unit == 'G' ? 30 : *unit == 'M' ? 20 : *unit == 'K' ? 10 : 0;
        bytes = bytes > most >> shift ? UINT64_MAX : bytes << shift;
    } else if (json_to_int64(node, &whole) && whole >= 0) {
        bytes = (uint64_t)whole;
    } else {
        bytes = UINT64_MAX;
    }
    if (bytes < least || bytes > most) {
        config_complain(reader, node, "must be between %lluKi and %lluKi",
                        (unsigned long long)least >> 10, (unsigned long long)most >> 10);
        return otherwise;
    }
    return bytes;
}

uint32_t config_duration(struct config_reader *reader, const struct json *node,
                         uint32_t otherwise) {
    if (!node) {
        return otherwise;
    }
    const char *unit;
    uint64_t number = leading_number(node, &unit);
    uint64_t ms = number * (strcmp(unit, "ms") == 0 ? 1 : *unit == 's' ? 1000 : 60000);
    if (ms == 0 || ms > TIMEOUT_MS_MAX) {
        config_complain(reader, node, "must be between 1ms and %um", TIMEOUT_MS_MAX / 60000);
        return otherwise;
    }
    return (uint32_t)ms;
}

bool config_check_path(struct config_reader *reader, const struct json *node, const char *path) {
    const struct json text = {
        .type = JSON_STRING, .bytes = path, .length = (uint32_t)strlen(path), .at = node->at};
    const struct template *template;
    struct problem problem = {0};
    if (strpbrk(path, "{}")) {
        config_complain(reader, node, "takes no holes and no braces");
        return false;
    }
    enum outcome outcome =
        template_compile_path(reader->config->arena, &text, NULL, &template, &problem);
    return config_accept(reader, node, outcome, &problem);
}

bool config_check_header_name(struct config_reader *reader, const struct json *node,
                              const char *name) {
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char *const reserved[] = {
        "Host",       "Content-Length",  "Transfer-Encoding",
        "Connection", "Keep-Alive",      "TE",
        "Trailer",    "Upgrade",         "Proxy-Authorization",
        "Expect",     "Accept-Encoding", "Content-Type",
    };
    if (*name == '\0' || name[strspn(name, token)] != '\0') {
        config_complain(reader, node,
                        "\"%.80s\" is no header name: letters, digits and \"-\" make one", name);
        return false;
    }
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strcasecmp(name, reserved[i]) == 0) {
            config_complain(reader, node, "plateau sets the header %s itself; leave it out",
                            reserved[i]);
            return false;
        }
    }
    return true;
}

bool config_read_port(const char *digits, uint16_t *port) {
    size_t length = strlen(digits);
    if (length == 0 || length > 5 || strspn(digits, "0123456789") != length) {
        return false;
    }
    unsigned long number = strtoul(digits, NULL, 10);
    if (number > UINT16_MAX) {
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

/* ---- files ---- */

static const char *from_config_folder(struct config_reader *reader, const char *path) {
    const char *file = reader->config->file;
    const char *slash = strrchr(file, '/');
    if (*path == '/' || !slash) {
        return path;
    }
    size_t folder_length = (size_t)(slash - file) + 1;
    char *joined = config_alloc(reader, folder_length + strlen(path) + 1);
    if (joined) {
        memcpy(joined, file, folder_length);
        strcpy(joined + folder_length, path);
    }
    return joined;
}

const char *config_readable_file(struct config_reader *reader, const struct json *node) {
    const char *path = from_config_folder(reader, node->bytes);
    if (!path) {
        return NULL;
    }
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &status) != 0) {
        config_complain(reader, node, "%.200s cannot be read: %s", path, strerror(errno));
        path = NULL;
    } else if (!S_ISREG(status.st_mode)) {
        config_complain(reader, node, "%.200s is not a file", path);
        path = NULL;
    }
    if (file >= 0) {
        close(file);
    }
    return path;
}
