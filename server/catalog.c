#include "server/catalog.h"

#include <string.h>

#include "lib/limits.h"
#include "lib/text.h"

static void add_member(struct text *text, const char *name, const char *value) {
    if (value) {
        text_add_format(text, ",\"%s\":", name);
        json_write_string(text, value, strlen(value));
    }
}

static void write_tool(struct text *text, const struct config_tool *tool) {
    text_add_string(text, "{\"name\":");
    json_write_string(text, tool->name, strlen(tool->name));
    add_member(text, "title", tool->title);
    add_member(text, "description", tool->description);
    text_add_string(text, ",\"inputSchema\":");
    json_write(text, tool->input);
    if (tool->annotations) {
        text_add_string(text, ",\"annotations\":");
        json_write(text, tool->annotations);
    }
    text_add_char(text, '}');
}

static void write_server_info(struct text *text, const struct config *config) {
    text_add_string(text, "{\"name\":");
    json_write_string(text, config->server.name, strlen(config->server.name));
    text_add_string(text, ",\"version\":\"" PLATEAU_VERSION "\"}");
}

static struct catalog_text result_meta(struct arena *arena, const struct config *config) {
    struct text text = text_new(arena, TOOL_LIST_BYTES_MAX);
    text_add_string(
        &text, ",\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":");
    write_server_info(&text, config);
    text_add_char(&text, '}');
    return (struct catalog_text){text.bytes, text.length};
}

/* How long a client may keep a list: it changes only when the configuration does. */
#define CACHE_MEMBERS ",\"ttlMs\":60000,\"cacheScope\":\"public\""

static struct catalog_text tools(struct arena *arena, const struct config *config,
                                 const struct catalog_text *meta) {
    struct text text = text_new(arena, TOOL_LIST_BYTES_MAX);
    text_add_string(&text, "{\"tools\":[");
    for (size_t i = 0; i < config->tool_count; i++) {
        if (i > 0) {
            text_add_char(&text, ',');
        }
        write_tool(&text, &config->tools[i]);
    }
    text_add_char(&text, ']');
    if (meta) {
        text_add_string(&text, CACHE_MEMBERS);
        text_add(&text, meta->bytes, meta->length);
    }
    text_add_char(&text, '}');
    return (struct catalog_text){text.bytes, text.length};
}

static struct catalog_text capabilities(struct arena *arena, const struct config *config) {
    struct text text = text_new(arena, TOOL_LIST_BYTES_MAX);
    text_add_string(&text, ",\"capabilities\":{\"tools\":{}},\"serverInfo\":");
    write_server_info(&text, config);
    add_member(&text, "instructions", config->server.instructions);
    text_add_char(&text, '}');
    return (struct catalog_text){text.bytes, text.length};
}

static struct catalog_text discover(struct arena *arena, const struct config *config,
                                    const struct catalog_text *meta) {
    struct text text = text_new(arena, TOOL_LIST_BYTES_MAX);
    text_add_string(
        &text,
        "{\"supportedVersions\":[\"2026-07-28\",\"2025-11-25\",\"2025-06-18\",\"2025-03-26\"],"
        "\"capabilities\":{\"tools\":{}}");
    add_member(&text, "instructions", config->server.instructions);
    text_add_string(&text, CACHE_MEMBERS);
    text_add(&text, meta->bytes, meta->length);
    text_add_char(&text, '}');
    return (struct catalog_text){text.bytes, text.length};
}

struct catalog *catalog_new(struct arena *arena, const struct config *config) {
    struct catalog *catalog = arena_alloc(arena, sizeof *catalog);
    if (!catalog) {
        return NULL;
    }
    catalog->result_meta = result_meta(arena, config);
    catalog->tools_legacy = tools(arena, config, NULL);
    catalog->tools_modern = tools(arena, config, &catalog->result_meta);
    catalog->capabilities = capabilities(arena, config);
    catalog->discover = discover(arena, config, &catalog->result_meta);
    return arena_exhausted(arena) ? NULL : catalog;
}
