#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/json_names.h"
#include "lib/json_scan.h"
#include "lib/limits.h"

/* Nodes are taken from the arena a few at a time: fewer calls, and little left over at the end. */
#define NODES_AT_ONCE 8u

/* A container whose end has not come yet. */
struct level {
    struct json *container;
    struct json *last;
};

struct parser {
    struct json_scan scan;
    enum outcome outcome; /* of an add_node that failed */
    struct json *root;
    const char *name; /* of the member whose value comes next; NULL in an array */
    uint32_t name_length;
    uint32_t nodes;
    struct json *spare;
    uint32_t spares;
    uint32_t depth; /* levels that are open */
    struct json_names names;
    struct level levels[JSON_FILE_DEPTH_MAX];
};

enum outcome json_refuse(struct json_scan *scan, enum outcome outcome, const char *at,
                         const char *format, ...) {
    char text[PROBLEM_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    problem_set(scan->problem, "%s", text);
    scan->problem->at = (uint32_t)(at - scan->start);
    return outcome;
}

/* `expected` as in "a comma or } was expected". */
static enum outcome refuse(struct parser *parser, const char *expected) {
    struct json_scan *scan = &parser->scan;
    return json_refuse(scan, OUTCOME_INVALID, scan->at, "%s was expected%s", expected,
                       scan->at == scan->end ? ", but the text ends" : "");
}

static void skip_space(struct json_scan *scan) {
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r')) {
        scan->at++;
    }
}

static struct json *take_node(struct parser *parser) {
    if (parser->spares == 0) {
        parser->spare = arena_alloc_raw(parser->scan.arena, NODES_AT_ONCE * sizeof(struct json));
        if (!parser->spare) {
            return NULL;
        }
        parser->spares = NODES_AT_ONCE;
    }
    parser->spares--;
    return parser->spare++;
}

static void attach(struct parser *parser, struct json *node) {
    if (parser->depth == 0) {
        parser->root = node;
        return;
    }
    struct level *level = &parser->levels[parser->depth - 1];
    if (level->last) {
        level->last->next = node;
    } else {
        level->container->first = node;
    }
    level->last = node;
    level->container->length++;
}

/* A new node in its place in the tree; NULL, and an outcome, when there can be none. */
static struct json *add_node(struct parser *parser, enum json_type type) {
    struct json_scan *scan = &parser->scan;
    if (parser->nodes == scan->limits->nodes_max) {
        parser->outcome =
            json_refuse(scan, OUTCOME_TOO_LARGE, scan->at,
                        "the text holds more than %u values, elements and members together",
                        scan->limits->nodes_max);
        return NULL;
    }
    struct json *node = take_node(parser);
    if (!node) {
        parser->outcome = OUTCOME_NO_MEMORY;
        return NULL;
    }
    parser->nodes++;
    *node = (struct json){
        .name = parser->name,
        .name_length = parser->name_length,
        .at = (uint32_t)(scan->at - scan->start),
        .type = type,
    };
    attach(parser, node);
    return node;
}

static enum outcome open_container(struct parser *parser, enum json_type type) {
    struct json_scan *scan = &parser->scan;
    if (parser->depth == scan->limits->depth_max) {
        return json_refuse(scan, OUTCOME_TOO_LARGE, scan->at,
                           "the text nests deeper than %u levels", scan->limits->depth_max);
    }
    struct json *node = add_node(parser, type);
    if (!node) {
        return parser->outcome;
    }
    parser->levels[parser->depth++] = (struct level){.container = node};
    scan->at++;
    return OUTCOME_OK;
}

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

/* Behind the number at `at`; NULL when the grammar of RFC 8259 section 6 breaks, and *broken says
 * where. */
static const char *number_end(const char *at, const char *end, const char **broken) {
    at += *at == '-';
    *broken = at;
    const char *whole = at;
    at = skip_digits(at, end);
    if (at == whole || (*whole == '0' && at - whole > 1)) {
        return NULL;
    }
    if (at < end && *at == '.') {
        *broken = ++at;
        const char *fraction = at;
        at = skip_digits(at, end);
        if (at == fraction) {
            return NULL;
        }
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        *broken = at;
        const char *exponent = at;
        at = skip_digits(at, end);
        if (at == exponent) {
            return NULL;
        }
    }
    return at;
}

static enum outcome read_number(struct parser *parser) {
    struct json_scan *scan = &parser->scan;
    const char *broken, *start = scan->at, *behind = number_end(start, scan->end, &broken);
    if (!behind) {
        bool zero = broken < scan->end && *broken == '0';
        scan->at = broken;
        return zero ? json_refuse(scan, OUTCOME_INVALID, broken,
                                  "a number may not start with a zero that more digits follow")
                    : refuse(parser, "a digit");
    }
    if (behind - start > JSON_NUMBER_CHARS_MAX) {
        return json_refuse(scan, OUTCOME_TOO_LARGE, start,
                           "this number is %zu characters long; at most %u are allowed",
                           (size_t)(behind - start), JSON_NUMBER_CHARS_MAX);
    }
    struct json *node = add_node(parser, JSON_NUMBER);
    if (!node) {
        return parser->outcome;
    }
    node->bytes = start;
    node->length = (uint32_t)(behind - start);
    scan->at = behind;
    return OUTCOME_OK;
}

static enum outcome read_string(struct parser *parser) {
    struct json *node = add_node(parser, JSON_STRING);
    return node ? json_scan_string(&parser->scan, &node->bytes, &node->length) : parser->outcome;
}

static enum outcome read_word(struct parser *parser, const char *word, enum json_type type) {
    struct json_scan *scan = &parser->scan;
    size_t length = strlen(word);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0) {
        return json_refuse(scan, OUTCOME_INVALID, scan->at,
                           "a value was expected: the only words are true, false and null");
    }
    if (!add_node(parser, type)) {
        return parser->outcome;
    }
    scan->at += length;
    return OUTCOME_OK;
}

/* One scalar, or the opening of a container. */
static enum outcome read_value(struct parser *parser) {
    if (parser->scan.at == parser->scan.end) {
        return refuse(parser, "a value");
    }
    switch (*parser->scan.at) {
    case '{':
        return open_container(parser, JSON_OBJECT);
    case '[':
        return open_container(parser, JSON_ARRAY);
    case '"':
        return read_string(parser);
    case 't':
        return read_word(parser, "true", JSON_TRUE);
    case 'f':
        return read_word(parser, "false", JSON_FALSE);
    case 'n':
        return read_word(parser, "null", JSON_NULL);
    case '-':
    case '0' ... '9':
        return read_number(parser);
    default:
        return refuse(parser, "a value");
    }
}

/* The member's name and its colon; the value comes next. */
static enum outcome read_name(struct parser *parser) {
    struct json_scan *scan = &parser->scan;
    struct json *object = parser->levels[parser->depth - 1].container;
    if (scan->at == scan->end || *scan->at != '"') {
        return refuse(parser, "a member's name in double quotes");
    }
    if (object->length == scan->limits->members_max) {
        return json_refuse(scan, OUTCOME_TOO_LARGE, scan->at,
                           "this object has more than %u members", scan->limits->members_max);
    }
    enum outcome outcome = json_scan_string(scan, &parser->name, &parser->name_length);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != ':') {
        return refuse(parser, "a colon behind the member's name");
    }
    scan->at++;
    skip_space(scan);
    return OUTCOME_OK;
}

static enum outcome close_container(struct parser *parser) {
    const struct json *container = parser->levels[parser->depth - 1].container, *repeated = NULL;
    if (container->type == JSON_OBJECT &&
        !json_names_check(&parser->names, parser->scan.arena, container, &repeated)) {
        return OUTCOME_NO_MEMORY;
    }
    if (repeated) {
        const char *at = parser->scan.start + repeated->at;
        return json_refuse(&parser->scan, OUTCOME_INVALID, at,
                           "the member \"%s\" is there twice in one object",
                           json_excerpt(repeated->name, repeated->name_length).text);
    }
    parser->scan.at++;
    parser->depth--;
    return OUTCOME_OK;
}

/* What stands behind a value or an opening bracket: closes what ends here, and goes on to where the
 * next value starts. *more is false at the end of the text. */
static enum outcome read_between(struct parser *parser, bool *more) {
    struct json_scan *scan = &parser->scan;
    for (;;) {
        skip_space(scan);
        *more = parser->depth > 0;
        if (!*more) {
            return OUTCOME_OK;
        }
        const struct level *level = &parser->levels[parser->depth - 1];
        bool object = level->container->type == JSON_OBJECT;
        char next = scan->at < scan->end ? *scan->at : '\0';
        if (next == (object ? '}' : ']')) {
            enum outcome outcome = close_container(parser);
            if (outcome != OUTCOME_OK) {
                return outcome;
            }
            continue;
        }
        if (level->last) {
            if (next != ',') {
                return refuse(parser, object ? "a comma or }" : "a comma or ]");
            }
            scan->at++;
            skip_space(scan);
        }
        if (object) {
            return read_name(parser);
        }
        parser->name = NULL;
        parser->name_length = 0;
        return OUTCOME_OK;
    }
}

static enum outcome parse(struct parser *parser) {
    struct json_scan *scan = &parser->scan;
    skip_space(scan);
    if (scan->at == scan->start && scan->end - scan->at >= 3 &&
        memcmp(scan->at, "\xEF\xBB\xBF", 3) == 0) {
        return json_refuse(scan, OUTCOME_INVALID, scan->at,
                           "the text starts with a byte order mark, which JSON does not have");
    }
    bool more = true;
    while (more) {
        enum outcome outcome = read_value(parser);
        if (outcome == OUTCOME_OK) {
            outcome = read_between(parser, &more);
        }
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    if (scan->at < scan->end) {
        return json_refuse(scan, OUTCOME_INVALID, scan->at,
                           "the JSON text ends here, but more follows");
    }
    return OUTCOME_OK;
}

enum outcome json_parse(struct arena *arena, const char *bytes, size_t length,
                        const struct json_limits *limits, const struct json **root,
                        struct problem *problem) {
    assert(limits->depth_max <= JSON_FILE_DEPTH_MAX);
    /* Its levels are written before they are read; clearing 4 KiB for each message would cost more
     * than most parses. */
    struct parser parser;
    bytes = length > 0 ? bytes : ""; /* an empty body may have no address */
    parser.scan = (struct json_scan){bytes, bytes, bytes + length, arena, limits, problem};
    parser.root = NULL;
    parser.name = NULL;
    parser.name_length = parser.nodes = parser.spares = parser.depth = 0;
    parser.names = (struct json_names){0};
    if (length > UINT32_MAX) {
        return json_refuse(&parser.scan, OUTCOME_TOO_LARGE, bytes, "the text is longer than 4 GiB");
    }
    enum outcome outcome = parse(&parser);
    if (outcome == OUTCOME_OK) {
        *root = parser.root;
    }
    return outcome;
}
