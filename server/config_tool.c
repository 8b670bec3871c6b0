#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/similar.h"
#include "server/config_reader.h"

static void complain_upstream(struct config_reader *reader, const struct json *name) {
    const struct config *config = reader->config;
    struct similar similar = similar_to(name->bytes, name->length);
    for (size_t i = 0; i < config->upstream_count && !reader->error_full; i++) {
        similar_offer(&similar, config->upstreams[i].name, strlen(config->upstreams[i].name));
    }
    if (similar.best) {
        config_complain(reader, name, "there is no upstream \"%.80s\"; did you mean \"%.80s\"?",
                        name->bytes, similar.best);
    } else {
        config_complain(reader, name, "there is no upstream \"%.80s\" under \"upstreams\"",
                        name->bytes);
    }
}

static const struct config_upstream *find_upstream(struct config_reader *reader,
                                                   const struct json *name) {
    const struct config *config = reader->config;
    for (size_t i = 0; i < config->upstream_count; i++) {
        if (json_string_is(name, config->upstreams[i].name)) {
            return &config->upstreams[i];
        }
    }
    complain_upstream(reader, name);
    return NULL;
}

/* ---- headers ---- */

/* True when the upstream's "auth" sets the header itself. */
static bool is_auth_header(const struct config_upstream *upstream, const char *name) {
    if (!upstream || !upstream->auth_header) {
        return false;
    }
    size_t length = strcspn(upstream->auth_header, ":");
    return strlen(name) == length && strncasecmp(upstream->auth_header, name, length) == 0;
}

static bool check_header(struct config_reader *reader, const struct config_tool *tool,
                         const struct json *node, const char *name) {
    if (!config_check_header_name(reader, node, name)) {
        return false;
    }
    if (is_auth_header(tool->upstream, name)) {
        config_complain(reader, node, "the upstream's \"auth\" sets this header; leave it out");
        return false;
    }
    assert(tool->headers || tool->header_count == 0);
    for (size_t i = 0; i < tool->header_count; i++) {
        if (strcasecmp(tool->headers[i].name, name) == 0) {
            config_complain(reader, node, "the header %.80s is there twice", name);
            return false;
        }
    }
    return true;
}

static void read_headers(struct config_reader *reader, const struct json *map,
                         struct config_tool *tool) {
    struct config_header *headers =
        map ? config_alloc(reader, map->length * sizeof *headers) : NULL;
    tool->headers = headers;
    for (const struct json *node = headers ? map->first : NULL; node; node = node->next) {
        struct problem problem = {0};
        struct config_header *header = &headers[tool->header_count];
        if (!check_header(reader, tool, node, node->name)) {
            continue;
        }
        header->name = node->name;
        enum outcome outcome = template_compile_header(reader->config->arena, node, tool->input,
                                                       &header->value, &problem);
        tool->header_count += config_accept(reader, node, outcome, &problem);
    }
}

/* ---- the request ---- */

typedef enum outcome compile_function(struct arena *arena, const struct json *value,
                                      const struct json *schema, const struct template **template,
                                      struct problem *problem);

static const struct template *compile(struct config_reader *reader, const struct json *node,
                                      const struct config_tool *tool, compile_function *function) {
    const struct template *template = NULL;
    struct problem problem = {0};
    if (node) {
        enum outcome outcome =
            function(reader->config->arena, node, tool->input, &template, &problem);
        config_accept(reader, node, outcome, &problem);
    }
    return template;
}

static void read_request(struct config_reader *reader, const struct json *request,
                         struct config_tool *tool) {
    const struct json *body = json_member(request, "body");
    tool->upstream = find_upstream(reader, json_member(request, "upstream"));
    tool->method = config_string(json_member(request, "method"), NULL);
    tool->path = compile(reader, json_member(request, "path"), tool, template_compile_path);
    tool->query = compile(reader, json_member(request, "query"), tool, template_compile_query);
    tool->body = compile(reader, body, tool, template_compile_json);
    read_headers(reader, json_member(request, "headers"), tool);
    if (body && strcmp(tool->method, "GET") == 0) {
        config_complain(reader, body,
                        "a GET request takes no body; write parameters under \"query\"");
    }
}

/* ---- the input ---- */

/* {"type": "object", "additionalProperties": false}: the input of a tool that declares none. */
static const struct json *no_arguments(struct config_reader *reader) {
    static const char text[] = "{\"type\":\"object\",\"additionalProperties\":false}";
    const struct json *root = NULL;
    struct problem problem = {0};
    enum outcome outcome = json_parse(reader->config->arena, text, sizeof text - 1,
                                      &json_limits_file, &root, &problem);
    config_accept(reader, NULL, outcome, &problem);
    return root;
}

static bool read_input(struct config_reader *reader, const struct json *input,
                       struct config_tool *tool) {
    struct problem problem = {0};
    tool->input = input ? input : no_arguments(reader);
    if (!tool->input) {
        return false;
    }
    enum outcome outcome =
        schema_compile(reader->config->arena, tool->input, NULL, &tool->input_schema, &problem);
    return config_accept(reader, input, outcome, &problem);
}

static void read_keep(struct config_reader *reader, const struct json *keep,
                      struct config_tool *tool) {
    const char **names = keep ? config_alloc(reader, keep->length * sizeof *names) : NULL;
    tool->response_keep = names;
    for (const struct json *name = names ? keep->first : NULL; name; name = name->next) {
        names[tool->response_keep_count++] = name->bytes;
    }
}

static void read_tool(struct config_reader *reader, const struct json *node,
                      struct config_tool *tool) {
    tool->name = json_member(node, "name")->bytes;
    tool->title = config_string(json_member(node, "title"), NULL);
    tool->description = config_string(json_member(node, "description"), NULL);
    tool->annotations = json_member(node, "annotations");
    if (!read_input(reader, json_member(node, "input"), tool)) {
        return; /* what the holes may name is not known */
    }
    read_request(reader, json_member(node, "request"), tool);
    const struct json *key = json_member(json_member(node, "idempotency"), "header");
    if (key && check_header(reader, tool, key, key->bytes)) {
        tool->idempotency_header = key->bytes;
    }
    read_keep(reader, json_member(json_member(node, "response"), "keep"), tool);
    tool->timeout_ms = config_duration(reader, json_member(node, "timeout"),
                                       tool->upstream ? tool->upstream->timeout_ms : 0);
}

/* ---- the index by name ---- */

static int compare_names(const char *a, size_t a_length, const char *b, size_t b_length) {
    if (a_length != b_length) {
        return a_length < b_length ? -1 : 1;
    }
    return memcmp(a, b, a_length);
}

/* Tools of one name stay in the file's order: they lie in one array. */
static int compare_tools(const void *a, const void *b) {
    const struct config_tool *left = *(const struct config_tool *const *)a;
    const struct config_tool *right = *(const struct config_tool *const *)b;
    int order = compare_names(left->name, strlen(left->name), right->name, strlen(right->name));
    return order ? order : (left > right) - (left < right);
}

static const struct json *element(const struct json *array, size_t index) {
    const struct json *node = array->first;
    while (node && index-- > 0) {
        node = node->next;
    }
    return node;
}

static void index_tools(struct config_reader *reader, const struct json *array) {
    struct config *config = reader->config;
    const struct config_tool **sorted = config_alloc(reader, config->tool_count * sizeof *sorted);
    if (!sorted) {
        return;
    }
    for (size_t i = 0; i < config->tool_count; i++) {
        sorted[i] = &config->tools[i];
    }
    qsort(sorted, config->tool_count, sizeof *sorted, compare_tools);
    for (size_t i = 1; i < config->tool_count && !reader->error_full; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
            const struct json *node = element(array, (size_t)(sorted[i] - config->tools));
            config_complain(reader, json_member(node, "name"),
                            "there are two tools of the name %s; names must differ",
                            sorted[i]->name);
        }
    }
    config->tools_by_name = sorted;
}

void config_read_tools(struct config_reader *reader) {
    const struct json *array = json_member(reader->root, "tools");
    struct config_tool *tools = config_alloc(reader, array->length * sizeof *tools);
    if (!tools) {
        return;
    }
    struct config_tool *tool = tools;
    for (const struct json *node = array->first; node; node = node->next) {
        read_tool(reader, node, tool++);
    }
    reader->config->tools = tools;
    reader->config->tool_count = array->length;
    index_tools(reader, array);
}

const struct config_tool *config_tool(const struct config *config, const char *name,
                                      size_t name_length) {
    size_t low = 0, high = config->tool_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct config_tool *tool = config->tools_by_name[middle];
        int order = compare_names(name, name_length, tool->name, strlen(tool->name));
        if (order == 0) {
            return tool;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
