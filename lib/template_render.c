#include <string.h>

#include "lib/template_node.h"

struct render {
    const struct json *arguments;
    struct text *text;
    struct problem *problem;
    enum template_place place;
};

static bool is_unreserved(unsigned char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static void percent_encode(struct text *text, const char *bytes, size_t length) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0, start = 0; i <= length; i++) {
        if (i < length && is_unreserved((unsigned char)bytes[i])) {
            continue;
        }
        text_add(text, bytes + start, i - start);
        start = i + 1;
        if (i < length) {
            unsigned char byte = (unsigned char)bytes[i];
            text_add(text, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
        }
    }
}

/* A JSON string without its quotes. */
static void json_escape(struct text *text, const char *bytes, size_t length) {
    size_t start = text->length;
    json_write_string(text, bytes, length);
    if (!text_failed(text)) {
        text->length -= 2;
        memmove(text->bytes + start, text->bytes + start + 1, text->length - start);
        text->bytes[text->length] = '\0';
    }
}

void template_encode(struct text *text, enum template_place place, const char *bytes,
                     size_t length) {
    switch (place) {
    case TEMPLATE_PATH:
    case TEMPLATE_QUERY:
        percent_encode(text, bytes, length);
        break;
    case TEMPLATE_HEADER:
        text_add(text, bytes, length);
        break;
    case TEMPLATE_JSON:
        json_escape(text, bytes, length);
        break;
    }
}

bool template_scalar(const struct json *value, const char **bytes, size_t *length) {
    switch (value->type) {
    case JSON_STRING:
    case JSON_NUMBER:
        *bytes = value->bytes;
        *length = value->length;
        return true;
    case JSON_TRUE:
        *bytes = "true";
        *length = 4;
        return true;
    case JSON_FALSE:
        *bytes = "false";
        *length = 5;
        return true;
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return false;
}

bool template_is_dot_segment(const char *segment, size_t length) {
    size_t dots = 0;
    for (; length > 0; dots++) {
        bool encoded =
            length >= 3 && segment[0] == '%' && segment[1] == '2' && (segment[2] | 0x20) == 'e';
        if (segment[0] != '.' && !encoded) {
            return false;
        }
        size_t step = encoded ? 3 : 1;
        segment += step;
        length -= step;
    }
    return dots == 1 || dots == 2;
}

bool template_has_control(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte < 0x20 || byte == 0x7F) {
            return true;
        }
    }
    return false;
}

/* The argument, else its default, else NULL. */
static const struct json *value_of(const struct render *render, const struct template_part *part) {
    const struct json *value = json_member(render->arguments, part->hole);
    return value ? value : part->fallback;
}

static enum outcome refuse(const struct render *render, const struct template_part *part,
                           const char *text) {
    const struct json *value = value_of(render, part);
    render->problem->path[0] = '\0';
    render->problem->at = value ? value->at : 0;
    problem_path_prepend(render->problem, part->hole);
    problem_set(render->problem, "%s", text);
    return OUTCOME_INVALID;
}

/* Writes a string, number or boolean as text. */
static enum outcome write_scalar(const struct render *render, const struct template_part *part,
                                 const struct json *value) {
    const char *bytes;
    size_t length;
    if (!value) {
        return refuse(render, part, "is missing, and the request cannot be made without it");
    }
    if (!template_scalar(value, &bytes, &length)) {
        return refuse(render, part,
                      "must be a string, a number or a boolean, because it becomes text");
    }
    if (render->place == TEMPLATE_PATH && template_has_control(bytes, length)) {
        return refuse(render, part,
                      "must hold no control character, because it becomes part of "
                      "a URL's path");
    }
    if (render->place == TEMPLATE_HEADER && template_has_control(bytes, length)) {
        return refuse(render, part,
                      "must hold no control character such as a line break, because "
                      "it becomes an HTTP header");
    }
    if (render->place == TEMPLATE_QUERY && memchr(bytes, '\0', length)) {
        return refuse(render, part, "must not hold U+0000, because it becomes part of a URL");
    }
    template_encode(render->text, render->place, bytes, length);
    return OUTCOME_OK;
}

static enum outcome write_parts(const struct render *render, const struct template_part *part) {
    for (; part; part = part->next) {
        if (part->bytes) {
            text_add(render->text, part->bytes, part->length);
            continue;
        }
        enum outcome outcome = write_scalar(render, part, value_of(render, part));
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

/* Checks the segment that was written from `start` on, if an argument had a part in it. */
static enum outcome end_segment(const struct render *render, const struct template_part *hole,
                                size_t start) {
    if (!hole || text_failed(render->text)) {
        return OUTCOME_OK;
    }
    const char *segment = render->text->bytes + start;
    size_t length = render->text->length - start;
    if (length == 0) {
        return refuse(render, hole,
                      "must not be empty, because it becomes a segment of a URL's "
                      "path");
    }
    if (template_is_dot_segment(segment, length)) {
        return refuse(render, hole,
                      "must not be \".\" or \"..\", because it becomes a segment of a "
                      "URL's path");
    }
    return OUTCOME_OK;
}

static enum outcome write_path(const struct render *render, const struct template_part *part) {
    enum outcome outcome = OUTCOME_OK;
    const struct template_part *hole = NULL; /* the latest of this segment */
    size_t start = render->text->length;     /* of this segment */
    for (; part && outcome == OUTCOME_OK; part = part->next) {
        if (!part->bytes) {
            hole = part;
            outcome = write_scalar(render, part, value_of(render, part));
            continue;
        }
        for (size_t i = 0; i < part->length && outcome == OUTCOME_OK; i++) {
            if (part->bytes[i] == '/') {
                outcome = end_segment(render, hole, start);
                hole = NULL;
                start = render->text->length + 1;
            }
            text_add_char(render->text, part->bytes[i]);
        }
    }
    return outcome == OUTCOME_OK ? end_segment(render, hole, start) : outcome;
}

static void start_parameter(const struct render *render, const struct template_node *node,
                            size_t query_start) {
    text_add_char(render->text, render->text->length == query_start ? '?' : '&');
    text_add(render->text, node->name, node->name_length);
}

/* A parameter that is one argument: absent or null leaves it out, an array repeats it. */
static enum outcome write_parameter(const struct render *render, const struct template_node *node,
                                    size_t query_start) {
    const struct json *value = value_of(render, node->parts);
    if (!value || value->type == JSON_NULL) {
        return OUTCOME_OK;
    }
    if (value->type != JSON_ARRAY) {
        start_parameter(render, node, query_start);
        return write_scalar(render, node->parts, value);
    }
    for (const struct json *element = value->first; element; element = element->next) {
        start_parameter(render, node, query_start);
        enum outcome outcome = write_scalar(render, node->parts, element);
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

static enum outcome write_query(const struct render *render, const struct template_node *node) {
    size_t start = render->text->length;
    for (; node; node = node->next) {
        enum outcome outcome;
        if (node->type == TEMPLATE_HOLE) {
            outcome = write_parameter(render, node, start);
        } else {
            start_parameter(render, node, start);
            outcome = write_parts(render, node->parts);
        }
        if (outcome != OUTCOME_OK) {
            return outcome;
        }
    }
    return OUTCOME_OK;
}

/* Blanks around a field's value are no part of it (RFC 9110 section 5.5). */
static void trim(struct text *text, size_t start) {
    if (text_failed(text) || !text->bytes) {
        return;
    }
    while (text->length > start && text->bytes[text->length - 1] == ' ') {
        text->length--;
    }
    size_t blanks = 0;
    while (start + blanks < text->length && text->bytes[start + blanks] == ' ') {
        blanks++;
    }
    text->length -= blanks;
    memmove(text->bytes + start, text->bytes + start + blanks, text->length - start);
    text->bytes[text->length] = '\0';
}

static enum outcome write_header(const struct render *render, const struct template_node *node) {
    if (node->type == TEMPLATE_HOLE) {
        const struct json *value = value_of(render, node->parts);
        if (!value || value->type == JSON_NULL) {
            return OUTCOME_OK;
        }
    }
    size_t start = render->text->length;
    enum outcome outcome = write_parts(render, node->parts);
    if (outcome == OUTCOME_OK) {
        trim(render->text, start);
    }
    return outcome;
}

/* Recursion is bounded by the depth of the configuration file. */
static enum outcome write_value(const struct render *render, const struct template_node *node) {
    struct text *text = render->text;
    enum outcome outcome = OUTCOME_OK;
    switch (node->type) {
    case TEMPLATE_LITERAL:
        text_add(text, node->parts->bytes, node->parts->length);
        return OUTCOME_OK;
    case TEMPLATE_HOLE:
        json_write(text, value_of(render, node->parts));
        return OUTCOME_OK;
    case TEMPLATE_STRING:
        text_add_char(text, '"');
        outcome = write_parts(render, node->parts);
        text_add_char(text, '"');
        return outcome;
    case TEMPLATE_ARRAY:
    case TEMPLATE_OBJECT:
        break;
    }
    text_add_char(text, node->type == TEMPLATE_ARRAY ? '[' : '{');
    const char *comma = "";
    for (const struct template_node *child = node->first; child && outcome == OUTCOME_OK;
         child = child->next) {
        if (child->type == TEMPLATE_HOLE && !value_of(render, child->parts)) {
            continue;
        }
        text_add_string(text, comma);
        text_add(text, child->name ? child->name : "", child->name_length);
        outcome = write_value(render, child);
        comma = ",";
    }
    text_add_char(text, node->type == TEMPLATE_ARRAY ? ']' : '}');
    return outcome;
}

static enum outcome write_template(const struct render *render, const struct template_node *root) {
    switch (render->place) {
    case TEMPLATE_PATH:
        return write_path(render, root->parts);
    case TEMPLATE_QUERY:
        return write_query(render, root->first);
    case TEMPLATE_HEADER:
        return write_header(render, root);
    case TEMPLATE_JSON:
        break;
    }
    if (root->type == TEMPLATE_HOLE && !value_of(render, root->parts)) {
        return OUTCOME_OK;
    }
    return write_value(render, root);
}

enum outcome template_render(const struct template *template, const struct json *arguments,
                             struct text *text, bool *present, struct problem *problem) {
    struct render render = {arguments, text, problem, template->place};
    size_t start = text->length;
    enum outcome outcome = write_template(&render, template->root);
    if (outcome == OUTCOME_OK && text_failed(text)) {
        problem->path[0] = '\0';
        problem->at = 0;
        problem_set(problem, "the request would become larger than %zu bytes", text->bytes_max);
        outcome = text->too_large ? OUTCOME_TOO_LARGE : OUTCOME_NO_MEMORY;
    }
    if (outcome != OUTCOME_OK) {
        text->length = start;
        if (text->bytes) {
            text->bytes[start] = '\0';
        }
        return outcome;
    }
    if (present) {
        *present = text->length > start;
    }
    return OUTCOME_OK;
}
