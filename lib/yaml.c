#include "lib/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/json_names.h"

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    const struct json_limits *limits;
    struct problem *problem;
    const char *bytes; /* the whole file */
    size_t length;
    struct json_names names;
    uint32_t nodes;
};

static uint32_t line_of(const yaml_event_t *event) {
    return (uint32_t)event->start_mark.line + 1;
}

#define REFUSE(reader, line, ...)                                                                  \
    (problem_set((reader)->problem, __VA_ARGS__), (reader)->problem->at = (line), OUTCOME_INVALID)

/* ---- what libyaml refuses ---- */

static uint32_t line_of_offset(const struct reader *reader, size_t offset) {
    uint32_t line = 1;
    for (size_t i = 0; i < offset && i < reader->length; i++) {
        line += reader->bytes[i] == '\n';
    }
    return line;
}

/* True when a tab stands among the blanks that the line begins with: the usual reason for an
 * obscure error. */
static bool is_indented_by_tab(const struct reader *reader, uint32_t line) {
    const char *at = reader->bytes, *end = at + reader->length;
    while (--line > 0) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline) {
            return false;
        }
        at = newline + 1;
    }
    while (at < end && *at == ' ') {
        at++;
    }
    return at < end && *at == '\t';
}

static enum outcome refuse_syntax(struct reader *reader) {
    const yaml_parser_t *parser = &reader->parser;
    const char *what = parser->problem ? parser->problem : "this is not YAML";
    if (parser->error == YAML_MEMORY_ERROR) {
        return OUTCOME_NO_MEMORY;
    }
    if (parser->error == YAML_READER_ERROR) {
        return REFUSE(reader, line_of_offset(reader, parser->problem_offset),
                      "%s: the file must be UTF-8 without control characters", what);
    }
    uint32_t line = (uint32_t)parser->problem_mark.line + 1;
    size_t column = parser->problem_mark.column + 1;
    if (is_indented_by_tab(reader, line)) {
        return REFUSE(reader, line, "column %zu: a tab indents this line; YAML takes spaces only",
                      column);
    }
    if (!parser->context) {
        return REFUSE(reader, line, "column %zu: %s", column, what);
    }
    return REFUSE(reader, line, "column %zu: %s, %s that starts on line %zu", column, what,
                  parser->context, parser->context_mark.line + 1);
}

/* The next event; the caller deletes it, also after a failure. */
static enum outcome next_event(struct reader *reader, yaml_event_t *event) {
    memset(event, 0, sizeof *event);
    return yaml_parser_parse(&reader->parser, event) ? OUTCOME_OK : refuse_syntax(reader);
}

/* ---- scalars ---- */

static bool is_one_of(const char *bytes, size_t length, const char *const *words) {
    for (; *words; words++) {
        if (strlen(*words) == length && memcmp(bytes, *words, length) == 0) {
            return true;
        }
    }
    return false;
}

static size_t count_digits(const char *at, const char *end) {
    const char *start = at;
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return (size_t)(at - start);
}

/* A decimal number of the core schema, cut into what JSON calls its parts. */
struct decimal {
    const char *whole, *fraction, *exponent; /* the exponent with its e and sign */
    size_t whole_length, fraction_length, exponent_length;
    char sign; /* 0: none */
};

static bool read_decimal(const char *at, size_t length, struct decimal *decimal) {
    const char *end = at + length;
    *decimal = (struct decimal){0};
    if (at < end && (*at == '-' || *at == '+')) {
        decimal->sign = *at++;
    }
    decimal->whole = at;
    decimal->whole_length = count_digits(at, end);
    at += decimal->whole_length;
    if (at < end && *at == '.') {
        decimal->fraction = ++at;
        decimal->fraction_length = count_digits(at, end);
        at += decimal->fraction_length;
    }
    if (decimal->whole_length + decimal->fraction_length == 0) {
        return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        decimal->exponent = at++;
        at += at < end && (*at == '-' || *at == '+');
        size_t digits = count_digits(at, end);
        at += digits;
        decimal->exponent_length = (size_t)(at - decimal->exponent);
        if (digits == 0) {
            return false;
        }
    }
    return at == end;
}

static enum outcome write_decimal(struct reader *reader, struct json *node, const char *bytes,
                                  const struct decimal *decimal) {
    if (decimal->sign == '+' || (decimal->whole_length > 1 && decimal->whole[0] == '0')) {
        return REFUSE(reader, node->at,
                      "%.*s may be meant as text: write \"%.*s\" for text, or the number without "
                      "its leading %s",
                      (int)node->length, bytes, (int)node->length, bytes,
                      decimal->sign == '+' ? "+" : "zeros");
    }
    struct text text = text_new(reader->arena, JSON_NUMBER_CHARS_MAX + 2);
    text_add(&text, "-", decimal->sign == '-');
    text_add(&text, decimal->whole_length ? decimal->whole : "0",
             decimal->whole_length ? decimal->whole_length : 1);
    if (decimal->fraction_length > 0) {
        text_add_char(&text, '.');
        text_add(&text, decimal->fraction, decimal->fraction_length);
    }
    if (decimal->exponent) {
        text_add(&text, decimal->exponent, decimal->exponent_length);
    }
    node->type = JSON_NUMBER;
    node->bytes = text.bytes;
    node->length = (uint32_t)text.length;
    return text_failed(&text) ? OUTCOME_NO_MEMORY : OUTCOME_OK;
}

/* 0x1F and 0o17: written in decimals, since JSON has nothing else. */
static enum outcome write_based(struct reader *reader, struct json *node, const char *bytes,
                                int base) {
    errno = 0;
    unsigned long long value = strtoull(bytes + 2, NULL, base);
    if (errno == ERANGE) {
        return REFUSE(reader, node->at, "%.*s is larger than 64 bits; write it in decimals",
                      (int)node->length, bytes);
    }
    struct text text = text_new(reader->arena, JSON_NUMBER_CHARS_MAX);
    text_add_format(&text, "%llu", value);
    node->type = JSON_NUMBER;
    node->bytes = text.bytes;
    node->length = (uint32_t)text.length;
    return text_failed(&text) ? OUTCOME_NO_MEMORY : OUTCOME_OK;
}

/* The base of 0x1F and 0o17, else 0. `bytes` ends in a NUL. */
static int base_of(const char *bytes, size_t length) {
    if (length < 3 || bytes[0] != '0') {
        return 0;
    }
    if (bytes[1] == 'x' && strspn(bytes + 2, "0123456789abcdefABCDEF") == length - 2) {
        return 16;
    }
    return bytes[1] == 'o' && strspn(bytes + 2, "01234567") == length - 2 ? 8 : 0;
}

/* Gives an unquoted scalar its type by the core schema (YAML 1.2.2 section 10.3.2). `bytes` ends in
 * a NUL. */
static enum outcome resolve_plain(struct reader *reader, struct json *node, const char *bytes) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const no_numbers[] = {
        ".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
        "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL,
    };
    size_t length = node->length;
    struct decimal decimal;
    if (is_one_of(bytes, length, nulls)) {
        node->type = JSON_NULL;
    } else if (is_one_of(bytes, length, trues)) {
        node->type = JSON_TRUE;
    } else if (is_one_of(bytes, length, falses)) {
        node->type = JSON_FALSE;
    } else if (is_one_of(bytes, length, no_numbers)) {
        return REFUSE(reader, node->at, "%s is no number that JSON has; quote it if it is text",
                      bytes);
    } else if (length <= JSON_NUMBER_CHARS_MAX && base_of(bytes, length)) {
        return write_based(reader, node, bytes, base_of(bytes, length));
    } else if (length <= JSON_NUMBER_CHARS_MAX && read_decimal(bytes, length, &decimal)) {
        return write_decimal(reader, node, bytes, &decimal);
    }
    return OUTCOME_OK;
}

/* ---- nodes ---- */

static enum outcome refuse_reference(struct reader *reader, const yaml_event_t *event,
                                     const yaml_char_t *anchor, const yaml_char_t *tag) {
    if (anchor) {
        return REFUSE(reader, line_of(event),
                      "the anchor &%.80s is not supported; write the value out where it is needed",
                      (const char *)anchor);
    }
    return REFUSE(reader, line_of(event),
                  "the tag %.80s is not supported; a value's type follows from how it is written",
                  (const char *)tag);
}

/* A node in the tree, counted and bounded. */
static enum outcome make_node(struct reader *reader, const yaml_event_t *event, enum json_type type,
                              struct json **node) {
    if (reader->nodes == reader->limits->nodes_max) {
        (void)REFUSE(reader, line_of(event), "the file holds more than %u values",
                     reader->limits->nodes_max);
        return OUTCOME_TOO_LARGE;
    }
    reader->nodes++;
    *node = json_new(reader->arena, type);
    if (!*node) {
        return OUTCOME_NO_MEMORY;
    }
    (*node)->at = line_of(event);
    return OUTCOME_OK;
}

static enum outcome copy_scalar(struct reader *reader, const yaml_event_t *event,
                                const char **bytes, uint32_t *length) {
    size_t bytes_length = event->data.scalar.length;
    if (bytes_length > reader->limits->string_bytes_max) {
        (void)REFUSE(reader, line_of(event), "a string is longer than %u bytes",
                     reader->limits->string_bytes_max);
        return OUTCOME_TOO_LARGE;
    }
    *bytes = arena_copy(reader->arena, (const char *)event->data.scalar.value, bytes_length);
    *length = (uint32_t)bytes_length;
    return *bytes ? OUTCOME_OK : OUTCOME_NO_MEMORY;
}

static enum outcome read_scalar(struct reader *reader, const yaml_event_t *event,
                                struct json **node) {
    enum outcome outcome = make_node(reader, event, JSON_STRING, node);
    if (outcome == OUTCOME_OK) {
        outcome = copy_scalar(reader, event, &(*node)->bytes, &(*node)->length);
    }
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (outcome == OUTCOME_OK && plain) {
        outcome = resolve_plain(reader, *node, (*node)->bytes);
    }
    return outcome;
}

static enum outcome read_key(struct reader *reader, const yaml_event_t *event, const char **name,
                             uint32_t *name_length) {
    if (event->type != YAML_SCALAR_EVENT) {
        return event->type == YAML_ALIAS_EVENT
                   ? REFUSE(reader, line_of(event), "an alias is not supported")
                   : REFUSE(reader, line_of(event), "a key must be text, not a list or a map");
    }
    if (event->data.scalar.anchor || event->data.scalar.tag) {
        return refuse_reference(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
    }
    const char *value = (const char *)event->data.scalar.value;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        if (strcmp(value, "<<") == 0) {
            return REFUSE(reader, line_of(event),
                          "the merge key << is not supported; write its members out");
        }
        if (*value == '\0' || strcmp(value, "~") == 0) {
            return REFUSE(reader, line_of(event), "a key is missing before the \":\"");
        }
    }
    return copy_scalar(reader, event, name, name_length);
}

static enum outcome read_node(struct reader *reader, const yaml_event_t *event, unsigned depth,
                              struct json **node);

static enum outcome append(struct reader *reader, struct json *parent, struct json **last,
                           struct json *child) {
    if (parent->type == JSON_OBJECT && parent->length == reader->limits->members_max) {
        (void)REFUSE(reader, child->at, "a map holds more than %u members",
                     reader->limits->members_max);
        return OUTCOME_TOO_LARGE;
    }
    json_append(parent, last, child);
    return OUTCOME_OK;
}

static enum outcome read_element(struct reader *reader, struct json *array, struct json **last,
                                 unsigned depth, bool *end) {
    yaml_event_t event;
    struct json *child = NULL;
    enum outcome outcome = next_event(reader, &event);
    *end = outcome == OUTCOME_OK && event.type == YAML_SEQUENCE_END_EVENT;
    if (outcome == OUTCOME_OK && !*end) {
        outcome = read_node(reader, &event, depth + 1, &child);
        if (outcome == OUTCOME_OK) {
            outcome = append(reader, array, last, child);
        }
    }
    yaml_event_delete(&event);
    return outcome;
}

static enum outcome read_value(struct reader *reader, struct json *object, struct json **last,
                               unsigned depth, const struct json *key) {
    yaml_event_t event;
    struct json *child = NULL;
    enum outcome outcome = next_event(reader, &event);
    if (outcome == OUTCOME_OK) {
        outcome = read_node(reader, &event, depth + 1, &child);
    }
    if (outcome == OUTCOME_OK) {
        child->name = key->name;
        child->name_length = key->name_length;
        child->at = key->at;
        outcome = append(reader, object, last, child);
    }
    yaml_event_delete(&event);
    return outcome;
}

static enum outcome read_member(struct reader *reader, struct json *object, struct json **last,
                                unsigned depth, bool *end) {
    yaml_event_t event;
    struct json key = {0};
    enum outcome outcome = next_event(reader, &event);
    *end = outcome == OUTCOME_OK && event.type == YAML_MAPPING_END_EVENT;
    if (outcome == OUTCOME_OK && !*end) {
        key.at = line_of(&event);
        outcome = read_key(reader, &event, &key.name, &key.name_length);
    }
    yaml_event_delete(&event);
    if (outcome != OUTCOME_OK || *end) {
        return outcome;
    }
    return read_value(reader, object, last, depth, &key);
}

static enum outcome check_names(struct reader *reader, const struct json *object) {
    const struct json *repeated = NULL;
    if (!json_names_check(&reader->names, reader->arena, object, &repeated)) {
        return OUTCOME_NO_MEMORY;
    }
    if (!repeated) {
        return OUTCOME_OK;
    }
    return REFUSE(reader, repeated->at, "the key \"%.*s\" is there twice",
                  (int)(repeated->name_length < 80 ? repeated->name_length : 80), repeated->name);
}

static enum outcome read_children(struct reader *reader, struct json *parent, unsigned depth) {
    struct json *last = NULL;
    bool array = parent->type == JSON_ARRAY;
    for (bool end = false; !end;) {
        enum outcome outcome = array ? read_element(reader, parent, &last, depth, &end)
                                     : read_member(reader, parent, &last, depth, &end);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return array ? OUTCOME_OK : check_names(reader, parent);
}

/* Recursion is bounded by the limits' depth. */
static enum outcome read_node(struct reader *reader, const yaml_event_t *event, unsigned depth,
                              struct json **node) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    enum json_type type = JSON_ARRAY;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        type = JSON_OBJECT;
    } else {
        return REFUSE(reader, line_of(event),
                      "an alias is not supported; write the value out where it is needed");
    }
    if (anchor || tag) {
        return refuse_reference(reader, event, anchor, tag);
    }
    if (event->type == YAML_SCALAR_EVENT) {
        return read_scalar(reader, event, node);
    }
    if (depth >= reader->limits->depth_max) {
        (void)REFUSE(reader, line_of(event), "lists and maps nest deeper than %u",
                     reader->limits->depth_max);
        return OUTCOME_TOO_LARGE;
    }
    enum outcome outcome = make_node(reader, event, type, node);
    return outcome == OUTCOME_OK ? read_children(reader, *node, depth) : outcome;
}

/* ---- the document ---- */

/* Reads one event that must be of that type. */
static enum outcome expect(struct reader *reader, yaml_event_type_t type, const char *otherwise) {
    yaml_event_t event;
    enum outcome outcome = next_event(reader, &event);
    if (outcome == OUTCOME_OK && event.type != type) {
        outcome = REFUSE(reader, line_of(&event), "%s", otherwise);
    }
    yaml_event_delete(&event);
    return outcome;
}

static enum outcome read_document(struct reader *reader, struct json **root) {
    yaml_event_t event;
    enum outcome outcome = expect(reader, YAML_STREAM_START_EVENT, "this is not YAML");
    if (outcome == OUTCOME_OK) {
        outcome = expect(reader, YAML_DOCUMENT_START_EVENT, "the file is empty");
    }
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    outcome = next_event(reader, &event);
    if (outcome == OUTCOME_OK) {
        outcome = read_node(reader, &event, 0, root);
    }
    yaml_event_delete(&event);
    if (outcome == OUTCOME_OK) {
        outcome = expect(reader, YAML_DOCUMENT_END_EVENT, "the document does not end here");
    }
    if (outcome == OUTCOME_OK) {
        outcome = expect(reader, YAML_STREAM_END_EVENT,
                         "a second document starts here; the file must hold one");
    }
    return outcome;
}

enum outcome yaml_parse(struct arena *arena, const char *bytes, size_t length,
                        const struct json_limits *limits, const struct json **root,
                        struct problem *problem) {
    struct reader reader = {
        .arena = arena, .limits = limits, .problem = problem, .bytes = bytes, .length = length};
    struct json *document = NULL;
    problem->path[0] = '\0';
    if (!yaml_parser_initialize(&reader.parser)) {
        return OUTCOME_NO_MEMORY;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, length);
    enum outcome outcome = read_document(&reader, &document);
    yaml_parser_delete(&reader.parser);
    if (outcome == OUTCOME_OK) {
        *root = document;
    }
    return outcome;
}
