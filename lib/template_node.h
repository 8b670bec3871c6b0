/* template_node: what a template is once compiled; shared by template.c, which compiles, and
 * template_render.c, which writes. Nobody else includes this. */
#pragma once

#include "lib/template.h"

enum template_place {
    TEMPLATE_PATH,
    TEMPLATE_QUERY,
    TEMPLATE_HEADER,
    TEMPLATE_JSON,
};

/* A piece of a string: either bytes, encoded for their place already, or a hole. */
struct template_part {
    struct template_part *next;
    const char *bytes; /* NULL: a hole */
    size_t length;
    const char *hole;            /* the argument's name */
    const struct json *fallback; /* its default, or NULL */
};

enum template_node_type {
    TEMPLATE_STRING,  /* parts, inserted as text */
    TEMPLATE_HOLE,    /* one part that stands alone: the argument with its type, or nothing */
    TEMPLATE_LITERAL, /* one part, written as it is */
    TEMPLATE_ARRAY,
    TEMPLATE_OBJECT, /* of a JSON value, or the parameters of a query */
};

struct template_node {
    struct template_node *next;  /* the sibling behind this one */
    struct template_node *first; /* of an array or object */
    struct template_part *parts;
    const char *name; /* of a member or parameter, written ready: "to": or to= */
    size_t name_length;
    enum template_node_type type;
};

struct template {
    enum template_place place;
    const struct template_node *root;
};

/* Adds the bytes, encoded for their place; for JSON without the quotes around them. */
void template_encode(struct text *text, enum template_place place, const char *bytes,
                     size_t length);

/* The bytes that a string, number, true or false stands for; false for anything else. */
CHECKED bool template_scalar(const struct json *value, const char **bytes, size_t *length);

/* True for "." and "..", also with their dots percent-encoded: a path segment that is none (RFC
 * 3986 section 5.2.4). */
bool template_is_dot_segment(const char *segment, size_t length);

/* True for C0 control characters and DEL. */
bool template_has_control(const char *bytes, size_t length);
