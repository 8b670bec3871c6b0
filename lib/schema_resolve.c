/* Documents, identifiers and references of a schema (2020-12 core sections 8.2 and 9; draft-07 core
 * section 8). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/schema_compiler.h"
#include "lib/schema_uri.h"

void *vector_add(struct compiler *compiler, struct vector *vector, size_t item_bytes) {
    if (compiler->outcome != OUTCOME_OK) {
        return NULL;
    }
    if (vector->count == vector->capacity) {
        uint32_t capacity = vector->capacity ? vector->capacity * 2 : 16;
        void *grown = arena_grow(compiler->scratch, vector->items, vector->count * item_bytes,
                                 capacity * item_bytes);
        if (!grown) {
            compiler->outcome = OUTCOME_NO_MEMORY;
            return NULL;
        }
        vector->items = grown;
        vector->capacity = capacity;
    }
    char *item = (char *)vector->items + vector->count++ * item_bytes;
    return memset(item, 0, item_bytes);
}

/* Puts the steps from `from` to `target` into the problem's path. Only failures look for it. */
static bool find_path(const struct json *from, const struct json *target, struct problem *problem) {
    if (from == target) {
        return true;
    }
    if (from->type != JSON_ARRAY && from->type != JSON_OBJECT) {
        return false;
    }
    uint32_t index = 0;
    for (const struct json *child = from->first; child; child = child->next, index++) {
        if (find_path(child, target, problem)) {
            char step[PROBLEM_PATH_BYTES];
            if (from->type == JSON_OBJECT) {
                snprintf(step, sizeof step, "%.*s", (int)child->name_length, child->name);
            } else {
                snprintf(step, sizeof step, "%u", index);
            }
            problem_path_prepend(problem, step);
            return true;
        }
    }
    return false;
}

void compiler_fail(struct compiler *compiler, uint32_t resource, const struct json *json,
                   const char *format, ...) {
    if (compiler->outcome != OUTCOME_OK) {
        return;
    }
    char text[PROBLEM_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const struct resource *in = VECTOR_AT(compiler->resources, struct resource, resource);
    bool elsewhere = in->document_uri[0] != '\0';
    problem_set(compiler->problem, "%s%s%s%s", text, elsewhere ? " (in the document " : "",
                in->document_uri, elsewhere ? ")" : "");
    compiler->problem->path[0] = '\0';
    (void)find_path(in->document, json, compiler->problem);
    compiler->problem->at = json->at;
    compiler->outcome = OUTCOME_INVALID;
}

/* From JSON to node */

static struct slot *slot_of(struct slot *slots, size_t count, const struct json *json) {
    uint64_t hash = (uint64_t)(uintptr_t)json * UINT64_C(0x9E3779B97F4A7C15);
    size_t slot = (size_t)(hash >> 32) & (count - 1);
    while (slots[slot].json && slots[slot].json != json) {
        slot = (slot + 1) & (count - 1);
    }
    return &slots[slot];
}

static void make_slots(struct compiler *compiler) {
    size_t count = compiler->slot_count ? compiler->slot_count * 2 : 64;
    struct slot *slots = arena_alloc(compiler->scratch, count * sizeof *slots);
    if (!slots) {
        compiler->outcome = OUTCOME_NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < compiler->slot_count; i++) {
        if (compiler->slots[i].json) {
            *slot_of(slots, count, compiler->slots[i].json) = compiler->slots[i];
        }
    }
    compiler->slots = slots;
    compiler->slot_count = count;
}

static uint32_t known_node(const struct compiler *compiler, const struct json *json) {
    if (compiler->slot_count == 0) {
        return SCHEMA_NONE;
    }
    const struct slot *slot = slot_of(compiler->slots, compiler->slot_count, json);
    return slot->json ? slot->node : SCHEMA_NONE;
}

/* Identifiers */

static uint32_t resource_named(const struct compiler *compiler, const char *uri) {
    for (uint32_t i = 0; i < compiler->aliases.count; i++) {
        const struct alias *alias = VECTOR_AT(compiler->aliases, struct alias, i);
        if (strcmp(alias->uri, uri) == 0) {
            return alias->resource;
        }
    }
    return SCHEMA_NONE;
}

static void add_alias(struct compiler *compiler, const char *uri, uint32_t resource,
                      const struct json *id) {
    uint32_t other = resource_named(compiler, uri);
    if (other != SCHEMA_NONE) {
        if (other != resource) {
            compiler_fail(compiler, resource, id, "two schemas have this $id");
        }
        return;
    }
    struct alias *alias = vector_add(compiler, &compiler->aliases, sizeof *alias);
    if (alias) {
        *alias = (struct alias){uri, resource};
    }
}

static const char *string_copy(struct compiler *compiler, const struct json *string) {
    const char *copy = arena_copy(compiler->scratch, string->bytes, string->length);
    if (!copy) {
        compiler->outcome = OUTCOME_NO_MEMORY;
    }
    return copy;
}

/* Whether one of the metaschema's vocabularies is the one that validates. */
static bool has_validation(const struct json *metaschema) {
    const struct json *vocabulary = json_member(metaschema, "$vocabulary");
    return !vocabulary ||
           json_member(vocabulary, "https://json-schema.org/draft/2020-12/vocab/validation");
}

static void read_dialect(struct compiler *compiler, uint32_t index, const struct json *schema) {
    struct resource *resource = VECTOR_AT(compiler->resources, struct resource, index);
    if (schema->type != JSON_STRING) {
        compiler_fail(compiler, index, schema, "must be a string: the dialect's URI");
        return;
    }
    resource->validates = true;
    if (json_string_is(schema, "https://json-schema.org/draft/2020-12/schema") ||
        json_string_is(schema, "https://json-schema.org/draft/2020-12/schema#")) {
        resource->dialect = DIALECT_2020_12;
        return;
    }
    if (json_string_is(schema, "http://json-schema.org/draft-07/schema#") ||
        json_string_is(schema, "http://json-schema.org/draft-07/schema")) {
        resource->dialect = DIALECT_DRAFT_07;
        return;
    }
    const char *uri = string_copy(compiler, schema);
    const struct schema_documents *documents = compiler->documents;
    const struct json *metaschema = uri && documents ? documents->find(documents->data, uri) : NULL;
    const struct json *of_metaschema = json_member(metaschema, "$schema");
    if (json_string_is(of_metaschema, "https://json-schema.org/draft/2020-12/schema")) {
        resource->dialect = DIALECT_2020_12;
        resource->validates = has_validation(metaschema);
        return;
    }
    compiler_fail(compiler, index, schema,
                  "is no dialect that is known here: use "
                  "https://json-schema.org/draft/2020-12/schema or "
                  "http://json-schema.org/draft-07/schema#");
}

static uint32_t add_resource(struct compiler *compiler, const struct resource *like) {
    struct resource *resource = vector_add(compiler, &compiler->resources, sizeof *resource);
    if (!resource) {
        return SCHEMA_NONE;
    }
    *resource = *like;
    uint32_t index = compiler->resources.count - 1;
    const struct json *schema = json_member(like->json, "$schema");
    if (schema) {
        read_dialect(compiler, index, schema);
    }
    return index;
}

/* The resource that `json` belongs to: its own when it has an $id. */
static uint32_t enter_resource(struct compiler *compiler, const struct json *json,
                               uint32_t around) {
    const struct json *id = json_member(json, "$id");
    const struct resource *outer = VECTOR_AT(compiler->resources, struct resource, around);
    bool draft_07 = outer->dialect == DIALECT_DRAFT_07;
    if (!id || (draft_07 && json_member(json, "$ref"))) {
        return around;
    }
    if (id->type != JSON_STRING) {
        compiler_fail(compiler, around, id, "must be a string: the schema's URI");
        return around;
    }
    if (draft_07 && id->length > 0 && id->bytes[0] == '#') {
        return around; /* an anchor */
    }
    const char *fragment, *reference = string_copy(compiler, id);
    const char *uri =
        reference ? schema_uri_resolve(compiler->scratch, outer->uri, reference, &fragment) : NULL;
    if (!uri) {
        compiler->outcome = OUTCOME_NO_MEMORY;
        return around;
    }
    uint32_t own = around;
    if (outer->json == json) {
        VECTOR_AT(compiler->resources, struct resource, around)->uri = uri;
    } else {
        struct resource like = *outer;
        like.uri = uri;
        like.json = json;
        own = add_resource(compiler, &like);
    }
    if (own != SCHEMA_NONE) {
        add_alias(compiler, uri, own, id);
    }
    return own;
}

static void add_anchor(struct compiler *compiler, uint32_t resource, uint32_t node,
                       const char *name, size_t length) {
    struct anchor *anchor = vector_add(compiler, &compiler->anchors, sizeof *anchor);
    if (anchor) {
        *anchor = (struct anchor){name, length, resource, node};
    }
}

static void read_anchors(struct compiler *compiler, const struct json *json, uint32_t resource,
                         uint32_t node) {
    const struct resource *in = VECTOR_AT(compiler->resources, struct resource, resource);
    if (in->dialect == DIALECT_DRAFT_07) {
        const struct json *id = json_member(json, "$id");
        bool plain = id && id->type == JSON_STRING && id->length > 1 && id->bytes[0] == '#';
        if (plain && !json_member(json, "$ref")) {
            add_anchor(compiler, resource, node, id->bytes + 1, id->length - 1);
        }
        return;
    }
    static const char *const keywords[] = {"$anchor", "$dynamicAnchor"};
    for (int dynamic = 0; dynamic < 2; dynamic++) {
        const struct json *name = json_member(json, keywords[dynamic]);
        if (!name) {
            continue;
        }
        if (name->type != JSON_STRING) {
            compiler_fail(compiler, resource, name, "must be a string: the anchor's name");
            return;
        }
        add_anchor(compiler, resource, node, name->bytes, name->length);
        struct schema_dynamic_anchor *anchor =
            dynamic ? vector_add(compiler, &compiler->dynamic_anchors, sizeof *anchor) : NULL;
        if (anchor) {
            *anchor = (struct schema_dynamic_anchor){name, resource, node};
        }
    }
}

static uint32_t add_node(struct compiler *compiler, const struct json *json, uint32_t around) {
    if (compiler->nodes.count == SCHEMA_NODES_MAX) {
        compiler_fail(compiler, around, json, "the schema is too large: it has more than %u parts",
                      SCHEMA_NODES_MAX);
    }
    if (2 * ((size_t)compiler->nodes.count + 1) > compiler->slot_count) {
        make_slots(compiler);
    }
    struct schema_node *node = vector_add(compiler, &compiler->nodes, sizeof *node);
    if (!node) {
        return SCHEMA_NONE;
    }
    uint32_t index = compiler->nodes.count - 1;
    *slot_of(compiler->slots, compiler->slot_count, json) = (struct slot){json, index};
    *node = (struct schema_node){.json = json, .resource = around};
    if (json->type == JSON_OBJECT) {
        node->resource = enter_resource(compiler, json, around);
        if (compiler->outcome == OUTCOME_OK) {
            read_anchors(compiler, json, node->resource, index);
        }
    }
    return index;
}

uint32_t compiler_node(struct compiler *compiler, const struct json *json, uint32_t resource) {
    if (compiler->outcome != OUTCOME_OK) {
        return SCHEMA_NONE;
    }
    if (json->type != JSON_OBJECT && json->type != JSON_TRUE && json->type != JSON_FALSE) {
        compiler_fail(compiler, resource, json,
                      "must be a schema (an object, true or false), not %s",
                      schema_type_name(json->type));
        return SCHEMA_NONE;
    }
    uint32_t known = known_node(compiler, json);
    return known != SCHEMA_NONE ? known : add_node(compiler, json, resource);
}

uint32_t compiler_document(struct compiler *compiler, const struct json *root, const char *uri,
                           enum dialect dialect) {
    struct resource like = {
        .uri = uri,
        .json = root,
        .document = root,
        .document_uri = uri,
        .dialect = dialect,
        .validates = true,
    };
    uint32_t resource = add_resource(compiler, &like);
    if (resource == SCHEMA_NONE) {
        return SCHEMA_NONE;
    }
    add_alias(compiler, uri, resource, root);
    return compiler_node(compiler, root, resource);
}

/* References */

static void load_document(struct compiler *compiler, const char *uri, uint32_t from,
                          const struct json *reference) {
    const struct schema_documents *documents = compiler->documents;
    const struct json *root = documents ? documents->find(documents->data, uri) : NULL;
    if (!root) {
        compiler_fail(compiler, from, reference,
                      "leads to %s, which is not at hand: nothing is ever fetched",
                      json_excerpt(uri, strlen(uri)).text);
        return;
    }
    enum dialect dialect = VECTOR_AT(compiler->resources, struct resource, from)->dialect;
    (void)compiler_document(compiler, root, uri, dialect);
}

/* The step of a JSON Pointer (RFC 6901 section 4) up to the next slash, taken from `json`. */
static const struct json *take_step(const struct json *json, const char *step, size_t length) {
    char name[1024];
    size_t used = 0;
    for (size_t i = 0; i < length && used < sizeof name - 1; i++) {
        bool escape =
            step[i] == '~' && i + 1 < length && (step[i + 1] == '0' || step[i + 1] == '1');
        name[used++] = escape ? (step[++i] == '0' ? '~' : '/') : step[i];
    }
    name[used] = '\0';
    if (json->type == JSON_OBJECT) {
        return json_member(json, name);
    }
    if (json->type != JSON_ARRAY || used == 0 || used > 9 || strspn(name, "0123456789") != used) {
        return NULL;
    }
    unsigned long index = 0;
    for (size_t i = 0; i < used; i++) {
        index = index * 10 + (unsigned long)(name[i] - '0');
    }
    const struct json *element = json->first;
    while (element && index-- > 0) {
        element = element->next;
    }
    return element;
}

/* Where the JSON Pointer leads; *resource becomes that of the innermost schema it passes through.
 */
static const struct json *follow_pointer(const struct compiler *compiler, const char *pointer,
                                         uint32_t *resource) {
    const struct json *json = VECTOR_AT(compiler->resources, struct resource, *resource)->json;
    while (json && *pointer == '/') {
        const char *end = strchrnul(pointer + 1, '/');
        json = take_step(json, pointer + 1, (size_t)(end - pointer - 1));
        pointer = end;
        uint32_t node = json ? known_node(compiler, json) : SCHEMA_NONE;
        if (node != SCHEMA_NONE) {
            *resource = VECTOR_AT(compiler->nodes, struct schema_node, node)->resource;
        }
    }
    return json;
}

static uint32_t find_anchor(const struct compiler *compiler, uint32_t resource, const char *name) {
    for (uint32_t i = 0; i < compiler->anchors.count; i++) {
        const struct anchor *anchor = VECTOR_AT(compiler->anchors, struct anchor, i);
        if (anchor->resource == resource && strlen(name) == anchor->name_length &&
            memcmp(anchor->name, name, anchor->name_length) == 0) {
            return anchor->node;
        }
    }
    return SCHEMA_NONE;
}

/* The node that the fragment leads to. */
static uint32_t find_target(struct compiler *compiler, const struct pending *pending,
                            uint32_t resource, const char *fragment, bool anchor) {
    uint32_t from = VECTOR_AT(compiler->nodes, struct schema_node, pending->node)->resource;
    uint32_t node = SCHEMA_NONE;
    if (anchor) {
        node = find_anchor(compiler, resource, fragment);
    } else {
        const struct json *target = follow_pointer(compiler, fragment, &resource);
        node = target ? compiler_node(compiler, target, resource) : SCHEMA_NONE;
    }
    if (node == SCHEMA_NONE) {
        compiler_fail(compiler, from, pending->reference, "leads nowhere: there is no such schema");
    }
    return node;
}

/* The dynamic anchor that stands at that node; SCHEMA_NONE when there is none of that name. */
static uint32_t dynamic_anchor_at(const struct compiler *compiler, uint32_t node,
                                  const char *name) {
    for (uint32_t i = 0; name && i < compiler->dynamic_anchors.count; i++) {
        const struct schema_dynamic_anchor *anchor =
            VECTOR_AT(compiler->dynamic_anchors, struct schema_dynamic_anchor, i);
        if (anchor->node == node && json_string_is(anchor->name, name)) {
            return i;
        }
    }
    return SCHEMA_NONE;
}

static void set_target(struct compiler *compiler, uint32_t rule_index, uint32_t target,
                       const char *anchor_name) {
    struct schema_rule *rule = VECTOR_AT(compiler->rules, struct schema_rule, rule_index);
    uint32_t anchor = dynamic_anchor_at(compiler, target, anchor_name);
    if (rule->kind == RULE_DYNAMIC_REF && anchor != SCHEMA_NONE) {
        rule->dynamic.node = target;
        rule->dynamic.anchor = anchor;
    } else {
        rule->kind = RULE_REF;
        rule->node = target;
    }
}

void compiler_resolve_next(struct compiler *compiler) {
    const struct pending pending =
        *VECTOR_AT(compiler->pending, struct pending, compiler->resolved);
    uint32_t from = VECTOR_AT(compiler->nodes, struct schema_node, pending.node)->resource;
    const char *base = VECTOR_AT(compiler->resources, struct resource, from)->uri;
    const char *fragment = NULL, *reference = string_copy(compiler, pending.reference);
    const char *uri =
        reference ? schema_uri_resolve(compiler->scratch, base, reference, &fragment) : NULL;
    if (!uri) {
        compiler->outcome = OUTCOME_NO_MEMORY;
        return;
    }
    uint32_t resource = resource_named(compiler, uri);
    if (resource == SCHEMA_NONE) {
        /* Its identifiers are known once its nodes were compiled; until then the reference waits.
         */
        load_document(compiler, uri, from, pending.reference);
        return;
    }
    bool anchor = fragment && *fragment != '\0' && *fragment != '/';
    uint32_t target = find_target(compiler, &pending, resource, fragment ? fragment : "", anchor);
    if (target != SCHEMA_NONE) {
        set_target(compiler, pending.rule, target, anchor ? fragment : NULL);
        compiler->resolved++;
    }
}
