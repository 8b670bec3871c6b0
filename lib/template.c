#include "lib/template.h"

#include <stdio.h>
#include <string.h>

#include "lib/similar.h"
#include "lib/template_node.h"

/* A literal of a template is at most a body that somebody typed. */
#define LITERAL_BYTES_MAX JSON_STRING_BYTES_MAX

struct compiler {
    struct arena *arena;
    const struct json *schema;
    struct problem *problem;
    enum template_place place;
};

static enum outcome refuse(const struct compiler *compiler, const struct json *value) {
    compiler->problem->path[0] = '\0';
    compiler->problem->at = value->at;
    return OUTCOME_INVALID;
}

#define REFUSE(compiler, value, ...)                                                               \
    (problem_set((compiler)->problem, __VA_ARGS__), refuse((compiler), (value)))

static bool is_required(const struct json *schema, const char *name) {
    const struct json *required = json_member(schema, "required");
    if (!required || required->type != JSON_ARRAY) {
        return false;
    }
    for (const struct json *element = required->first; element; element = element->next) {
        if (json_string_is(element, name)) {
            return true;
        }
    }
    return false;
}

/* True when the property's schema says outright that it is no string, number or boolean. */
static bool is_structure(const struct json *property, bool arrays_allowed) {
    const struct json *type = json_member(property, "type");
    return json_string_is(type, "object") || json_string_is(type, "null") ||
           (json_string_is(type, "array") && !arrays_allowed);
}

static enum outcome refuse_unknown(const struct compiler *compiler, const struct json *value,
                                   const char *hole) {
    const struct json *properties = json_member(compiler->schema, "properties");
    struct similar similar = similar_to(hole, strlen(hole));
    if (properties && properties->type == JSON_OBJECT) {
        for (const struct json *property = properties->first; property; property = property->next) {
            similar_offer(&similar, property->name, property->name_length);
        }
    }
    if (!similar.best) {
        return REFUSE(compiler, value, "{%.80s} names no property of the tool's input", hole);
    }
    return REFUSE(compiler, value,
                  "{%.80s} names no property of the tool's input; did you mean {%.*s}?", hole,
                  (int)similar.best_length, similar.best);
}

/* Checks a hole against the input schema. `alone`: it is the whole of a parameter, header or JSON
 * value. */
static enum outcome check_hole(const struct compiler *compiler, const struct json *value,
                               struct template_part *part, bool alone) {
    const struct json *properties = json_member(compiler->schema, "properties");
    const struct json *property = json_member(properties, part->hole);
    if (!property) {
        return refuse_unknown(compiler, value, part->hole);
    }
    part->fallback = json_member(property, "default");
    if (alone && compiler->place == TEMPLATE_JSON) {
        return OUTCOME_OK;
    }
    bool arrays_allowed = alone && compiler->place == TEMPLATE_QUERY;
    if (is_structure(property, arrays_allowed)) {
        return REFUSE(compiler, value,
                      "{%.80s} becomes text here, so its type must be string, number, integer or "
                      "boolean%s",
                      part->hole, arrays_allowed ? ", or an array of these" : "");
    }
    if (!alone && !part->fallback && !is_required(compiler->schema, part->hole)) {
        return REFUSE(compiler, value,
                      "{%.80s} is needed here, so the tool's input must list it in \"required\" or "
                      "give it a \"default\"",
                      part->hole);
    }
    return OUTCOME_OK;
}

static enum outcome parse_hole(const struct compiler *compiler, const struct json *value,
                               const char *at, const char *end, struct template_part **part) {
    const char *close = memchr(at, '}', (size_t)(end - at));
    if (!close || memchr(at, '{', (size_t)(close - at))) {
        return REFUSE(compiler, value,
                      "a \"{\" opens a hole that no \"}\" closes; write \"{{\" for a brace");
    }
    if (close == at || memchr(at, '\0', (size_t)(close - at))) {
        return REFUSE(compiler, value,
                      "\"{}\" names no argument; write \"{{}}\" for a pair of braces");
    }
    *part = arena_alloc(compiler->arena, sizeof **part);
    char *name = arena_copy(compiler->arena, at, (size_t)(close - at));
    if (!name) {
        return OUTCOME_NO_MEMORY;
    }
    (*part)->hole = name;
    return OUTCOME_OK;
}

/* Reads bytes up to the next hole or the end, "{{" and "}}" undone. */
static enum outcome parse_literal(const struct compiler *compiler, const struct json *value,
                                  const char **at, const char *end, struct text *literal) {
    const char *byte = *at;
    for (; byte < end; byte++) {
        bool brace = *byte == '{' || *byte == '}';
        bool doubled = brace && byte + 1 < end && byte[1] == *byte;
        if (*byte == '{' && !doubled) {
            break;
        }
        if (*byte == '}' && !doubled) {
            return REFUSE(compiler, value, "a \"}\" closes no hole; write \"}}\" for a brace");
        }
        text_add_char(literal, *byte);
        byte += doubled;
    }
    *at = byte;
    return OUTCOME_OK;
}

static enum outcome make_literal(const struct compiler *compiler, const struct text *plain,
                                 struct template_part **part) {
    struct text encoded = text_new(compiler->arena, LITERAL_BYTES_MAX * 6);
    if (compiler->place == TEMPLATE_PATH) {
        text_add(&encoded, plain->bytes, plain->length); /* is a path already, and checked as one */
    } else if (plain->length > 0) {
        template_encode(&encoded, compiler->place, plain->bytes, plain->length);
    }
    text_add(&encoded, "", 0);
    *part = arena_alloc(compiler->arena, sizeof **part);
    if (text_failed(&encoded) || !*part) {
        return OUTCOME_NO_MEMORY;
    }
    (*part)->bytes = encoded.bytes;
    (*part)->length = encoded.length;
    return OUTCOME_OK;
}

/* Cuts a string into literals and holes. An empty string has no parts. */
static enum outcome parse_parts(const struct compiler *compiler, const struct json *value,
                                const char *bytes, size_t length, struct template_part **parts) {
    const char *at = bytes, *end = bytes + length;
    while (at < end) {
        struct template_part *part = NULL;
        struct text plain = text_new(compiler->arena, LITERAL_BYTES_MAX);
        enum outcome outcome = parse_literal(compiler, value, &at, end, &plain);
        if (outcome == OUTCOME_OK && plain.length > 0) {
            outcome = make_literal(compiler, &plain, &part);
        } else if (outcome == OUTCOME_OK && at < end) {
            outcome = parse_hole(compiler, value, at + 1, end, &part);
            at += outcome == OUTCOME_OK ? strlen(part->hole) + 2 : 0;
        }
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
        if (text_failed(&plain) || !part) {
            return OUTCOME_NO_MEMORY;
        }
        *parts = part;
        parts = &part->next;
    }
    return OUTCOME_OK;
}

/* Makes a node of a string: a literal, a hole that stands alone, or a string of both. */
static enum outcome compile_string(const struct compiler *compiler, const struct json *value,
                                   struct template_node *node) {
    struct template_part *parts = NULL;
    enum outcome outcome = parse_parts(compiler, value, value->bytes, value->length, &parts);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    bool alone = parts && !parts->next && !parts->bytes && compiler->place != TEMPLATE_PATH;
    for (struct template_part *part = parts; part; part = part->next) {
        outcome = part->bytes ? OUTCOME_OK : check_hole(compiler, value, part, alone);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    node->parts = parts;
    node->type = alone ? TEMPLATE_HOLE : TEMPLATE_STRING;
    return OUTCOME_OK;
}

/* A number, true, false (or null in JSON): written as it is. */
static enum outcome compile_literal(const struct compiler *compiler, const struct json *value,
                                    struct template_node *node) {
    struct text text = text_new(compiler->arena, LITERAL_BYTES_MAX);
    const char *bytes;
    size_t length;
    if (compiler->place == TEMPLATE_JSON) {
        json_write(&text, value);
    } else if (template_scalar(value, &bytes, &length)) {
        template_encode(&text, compiler->place, bytes, length);
    } else {
        return REFUSE(compiler, value, "must be a string, a number or a boolean");
    }
    struct template_part *part = arena_alloc(compiler->arena, sizeof *part);
    if (text_failed(&text) || !part) {
        return OUTCOME_NO_MEMORY;
    }
    *part = (struct template_part){.bytes = text.bytes, .length = text.length};
    node->parts = part;
    node->type = TEMPLATE_LITERAL;
    return OUTCOME_OK;
}

/* A member's or parameter's name takes no hole; it is kept as it is written out. */
static enum outcome compile_name(const struct compiler *compiler, const struct json *value,
                                 struct template_node *node) {
    struct template_part *parts = NULL;
    enum outcome outcome = parse_parts(compiler, value, value->name, value->name_length, &parts);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (parts && (!parts->bytes || parts->next)) {
        return REFUSE(compiler, value, "a name takes no hole; write \"{{\" for a brace");
    }
    bool json = compiler->place == TEMPLATE_JSON;
    struct text name = text_new(compiler->arena, LITERAL_BYTES_MAX * 6);
    text_add_string(&name, json ? "\"" : "");
    text_add(&name, parts ? parts->bytes : "", parts ? parts->length : 0);
    text_add_string(&name, json ? "\":" : "=");
    node->name = name.bytes;
    node->name_length = name.length;
    return text_failed(&name) ? OUTCOME_NO_MEMORY : OUTCOME_OK;
}

static enum outcome compile_value(const struct compiler *compiler, const struct json *value,
                                  struct template_node **made);

static void prepend_step(struct problem *problem, const struct json *child, unsigned index) {
    char step[PROBLEM_PATH_BYTES];
    if (child->name) {
        snprintf(step, sizeof step, "%.*s", (int)child->name_length, child->name);
    } else {
        snprintf(step, sizeof step, "%u", index);
    }
    problem_path_prepend(problem, step);
}

static enum outcome compile_children(const struct compiler *compiler, const struct json *value,
                                     struct template_node *node) {
    struct template_node **last = &node->first;
    unsigned index = 0;
    for (const struct json *child = value->first; child; child = child->next, index++) {
        enum outcome outcome = compile_value(compiler, child, last);
        if (outcome == OUTCOME_OK && child->name) {
            outcome = compile_name(compiler, child, *last);
        }
        if (outcome != OUTCOME_OK) {
            prepend_step(compiler->problem, child, index);
            return outcome;
        }
        last = &(*last)->next;
    }
    node->type = value->type == JSON_ARRAY ? TEMPLATE_ARRAY : TEMPLATE_OBJECT;
    return OUTCOME_OK;
}

/* Recursion is bounded by the depth of the configuration file. */
static enum outcome compile_value(const struct compiler *compiler, const struct json *value,
                                  struct template_node **made) {
    struct template_node *node = arena_alloc(compiler->arena, sizeof *node);
    if (!node) {
        return OUTCOME_NO_MEMORY;
    }
    *made = node;
    bool structure = value->type == JSON_ARRAY || value->type == JSON_OBJECT;
    if (structure && compiler->place == TEMPLATE_JSON) {
        return compile_children(compiler, value, node);
    }
    return value->type == JSON_STRING ? compile_string(compiler, value, node)
                                      : compile_literal(compiler, value, node);
}

static enum outcome finish(const struct compiler *compiler, const struct template_node *root,
                           const struct template **template) {
    struct template *made = arena_alloc(compiler->arena, sizeof *made);
    if (!made) {
        return OUTCOME_NO_MEMORY;
    }
    made->place = compiler->place;
    made->root = root;
    *template = made;
    return OUTCOME_OK;
}

/* pchar of RFC 3986 section 3.3, percent-encoded triplets aside. */
static bool is_path_character(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("-._~!$&'()*+,;=:@/", byte));
}

static bool is_hex(char byte) {
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

/* Checks the characters of a literal in a path. */
static enum outcome check_path_characters(const struct compiler *compiler, const struct json *path,
                                          const struct template_part *part) {
    for (size_t i = 0; i < part->length; i++) {
        char byte = part->bytes[i];
        if (byte == '?' || byte == '#') {
            return REFUSE(compiler, path, "a path holds no \"%c\"%s", byte,
                          byte == '?' ? "; list the parameters under \"query\"" : "");
        }
        if (byte == '%') {
            if (part->length - i < 3 || !is_hex(part->bytes[i + 1]) ||
                !is_hex(part->bytes[i + 2])) {
                return REFUSE(compiler, path,
                              "\"%%\" in a path must be followed by two "
                              "hexadecimal digits");
            }
        } else if (!is_path_character(byte)) {
            return REFUSE(compiler, path,
                          "a path holds no character 0x%02X as it is; percent-encode it",
                          (unsigned char)byte);
        }
    }
    return OUTCOME_OK;
}

/* Checks the segments that are known already: none may be empty (but the last) or lead elsewhere.
 */
static enum outcome check_path_segments(const struct compiler *compiler, const struct json *path,
                                        const struct template_part *part) {
    bool hole = false; /* in the segment at hand */
    for (; part; part = part->next) {
        const char *at = part->bytes, *end = at ? at + part->length : at;
        while (at && at < end) {
            const char *slash = memchr(at, '/', (size_t)(end - at));
            const char *stop = slash ? slash : end;
            bool whole = !hole && (slash || !part->next);
            if (whole && at == stop && at > part->bytes) {
                return REFUSE(compiler, path, "a path holds no empty segment (\"//\")");
            }
            if (whole && template_is_dot_segment(at, (size_t)(stop - at))) {
                return REFUSE(compiler, path, "a path holds no \".\" or \"..\" segment");
            }
            hole = hole && !slash;
            at = slash ? slash + 1 : end;
        }
        hole = hole || !part->bytes;
    }
    return OUTCOME_OK;
}

enum outcome template_compile_path(struct arena *arena, const struct json *path,
                                   const struct json *schema, const struct template **template,
                                   struct problem *problem) {
    struct compiler compiler = {arena, schema, problem, TEMPLATE_PATH};
    if (path->type != JSON_STRING || path->length == 0 || path->bytes[0] != '/') {
        return REFUSE(&compiler, path, "a path must be a string that starts with \"/\"");
    }
    struct template_node *root = NULL;
    enum outcome outcome = compile_value(&compiler, path, &root);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    for (const struct template_part *part = root->parts; part; part = part->next) {
        outcome = part->bytes ? check_path_characters(&compiler, path, part) : OUTCOME_OK;
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    outcome = check_path_segments(&compiler, path, root->parts);
    return outcome == OUTCOME_OK ? finish(&compiler, root, template) : outcome;
}

enum outcome template_compile_query(struct arena *arena, const struct json *query,
                                    const struct json *schema, const struct template **template,
                                    struct problem *problem) {
    struct compiler compiler = {arena, schema, problem, TEMPLATE_QUERY};
    if (query->type != JSON_OBJECT) {
        return REFUSE(&compiler, query, "a query must be a map of parameters to their values");
    }
    struct template_node *root = arena_alloc(arena, sizeof *root);
    if (!root) {
        return OUTCOME_NO_MEMORY;
    }
    enum outcome outcome = compile_children(&compiler, query, root);
    return outcome == OUTCOME_OK ? finish(&compiler, root, template) : outcome;
}

enum outcome template_compile_header(struct arena *arena, const struct json *value,
                                     const struct json *schema, const struct template **template,
                                     struct problem *problem) {
    struct compiler compiler = {arena, schema, problem, TEMPLATE_HEADER};
    if (value->type == JSON_STRING && template_has_control(value->bytes, value->length)) {
        return REFUSE(&compiler, value, "a header's value holds no control character");
    }
    struct template_node *root = NULL;
    enum outcome outcome = compile_value(&compiler, value, &root);
    return outcome == OUTCOME_OK ? finish(&compiler, root, template) : outcome;
}

enum outcome template_compile_json(struct arena *arena, const struct json *body,
                                   const struct json *schema, const struct template **template,
                                   struct problem *problem) {
    struct compiler compiler = {arena, schema, problem, TEMPLATE_JSON};
    struct template_node *root = NULL;
    enum outcome outcome = compile_value(&compiler, body, &root);
    return outcome == OUTCOME_OK ? finish(&compiler, root, template) : outcome;
}
