/* config_help: what the tests of the configuration share: the least there is, and how to say what
 * is refused. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/config.h"

/* The least there is, for cases about something else. The tool's name is t, the upstream's u. */
#define UPSTREAM "upstreams: {u: {url: 'https://example.com'}}\n"
#define UPSTREAM_WITH(more) "upstreams: {u: {url: 'https://example.com', " more "}}\n"
#define TOOL "tools: [{name: t, request: {upstream: u, method: POST, path: /}}]\n"
#define TOOL_WITH(more)                                                                            \
    "tools: [{name: t, request: {upstream: u, method: POST, path: /}, " more "}]\n"
#define REQUEST(request)                                                                           \
    "tools:\n- {name: t, input: {type: object, required: [to], properties: {to: {}, opt: {}}},\n"  \
    "   request: {upstream: u, " request "}}\n"
#define AUTH(auth) UPSTREAM_WITH("auth: {" auth "}") TOOL

static inline struct config *load_text(const char *yaml) {
    struct config_error error;
    struct config *config = config_parse("test.yaml", yaml, strlen(yaml), &error);
    if (!config) {
        fail_msg("%s\n%s", yaml, error.text);
    }
    return config;
}

static inline void write_file(const char *path, const char *text, size_t length) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
}

struct refusal {
    const char *yaml;
    const char *begins; /* the error, behind "test.yaml:" */
    const char *holds;
};

static inline void check_refusals(const struct refusal *tests, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct config_error error;
        struct config *config =
            config_parse("test.yaml", tests[i].yaml, strlen(tests[i].yaml), &error);
        if (config) {
            fail_msg("was taken:\n%s", tests[i].yaml);
        }
        assert_memory_equal(error.text, "test.yaml:", 10);
        if (strncmp(error.text + 10, tests[i].begins, strlen(tests[i].begins)) != 0 ||
            !strstr(error.text, tests[i].holds)) {
            fail_msg("%s\nis refused with: %s", tests[i].yaml, error.text);
        }
    }
}

#define CHECK_REFUSALS(tests) check_refusals((tests), sizeof(tests) / sizeof(tests)[0])
