/* Input: a template, a newline, arguments, both JSON. Whatever they are, a path keeps to its
 * segments and a body is JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_BYTES (4u << 20)

typedef enum outcome compile_function(struct arena *arena, const struct json *value,
                                      const struct json *schema, const struct template **template,
                                      struct problem *problem);

static void expect(bool holds) {
    if (!holds) {
        abort();
    }
}

static const struct json *parse(struct arena *arena, const char *bytes, size_t length) {
    const struct json *root = NULL;
    struct problem problem = {0};
    return json_parse(arena, bytes, length, &json_limits_message, &root, &problem) == OUTCOME_OK
               ? root
               : NULL;
}

static size_t count(const char *bytes, size_t length, char wanted) {
    size_t found = 0;
    for (size_t i = 0; i < length; i++) {
        found += bytes[i] == wanted;
    }
    return found;
}

static void check_written(compile_function *compile, struct arena *arena,
                          const struct json *template, const struct text *text) {
    const char *bytes = text->bytes ? text->bytes : "";
    if (compile == template_compile_path) {
        /* A literal's slash cannot be doubled, so the number of segments is the template's. */
        expect(bytes[0] == '/');
        expect(count(bytes, text->length, '/') == count(template->bytes, template->length, '/'));
        expect(count(bytes, text->length, '?') + count(bytes, text->length, '#') == 0);
        expect(!strstr(bytes, "/../") && !strstr(bytes, "/./") && !strstr(bytes, "//"));
    } else if (compile == template_compile_query) {
        expect(text->length == 0 || bytes[0] == '?');
        expect(count(bytes, text->length, '#') == 0 && count(bytes, text->length, ' ') == 0);
    } else if (compile == template_compile_header) {
        expect(count(bytes, text->length, '\n') + count(bytes, text->length, '\r') == 0);
        expect(strlen(bytes) == text->length);
    } else {
        const struct json *root;
        struct problem problem = {0};
        expect(text->length == 0 || json_parse(arena, bytes, text->length, &json_limits_file, &root,
                                               &problem) != OUTCOME_INVALID);
    }
}

static void try(compile_function *compile, struct arena *arena, const struct json *template,
                const struct json *arguments) {
    static const char schema[] =
        "{\"required\":[\"to\",\"n\"],\"properties\":{\"to\":{},\"n\":{\"type\":\"number\"},"
        "\"d\":{\"default\":\"x\"},\"o\":{},\"l\":{\"type\":\"array\"}}}";
    const struct template *compiled = NULL;
    struct problem problem = {0};
    struct text text = text_new(arena, ARENA_BYTES);
    bool present = false;
    const struct json *input = parse(arena, schema, sizeof schema - 1);
    if (!input || compile(arena, template, input, &compiled, &problem) != OUTCOME_OK) {
        return;
    }
    if (template_render(compiled, arguments, &text, &present, &problem) == OUTCOME_OK) {
        expect(present == (text.length > 0));
        check_written(compile, arena, template, &text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static compile_function *const compilers[] = {template_compile_path, template_compile_query,
                                                  template_compile_header, template_compile_json};
    const char *bytes = (const char *)data;
    const char *newline = size > 0 ? memchr(bytes, '\n', size) : NULL;
    struct arena *arena = arena_new_on_heap(ARENA_BYTES);
    if (newline && arena) {
        size_t first = (size_t)(newline - bytes);
        const struct json *template = parse(arena, bytes, first);
        const struct json *arguments = parse(arena, newline + 1, size - first - 1);
        for (size_t i = 0; template && i < sizeof compilers / sizeof compilers[0]; i++) {
            try(compilers[i], arena, template, arguments);
        }
    }
    arena_free(arena);
    return 0;
}
