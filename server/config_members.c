#include <stdio.h>
#include <string.h>

#include "lib/similar.h"
#include "server/config_reader.h"

/* What a `$ref` of config.schema.json leads to: "#/$defs/NAME" is the only form there is. */
static const struct json *resolved(const struct json *root, const struct json *schema) {
    static const char definitions[] = "#/$defs/";
    const struct json *reference = json_member(schema, "$ref");
    size_t length = sizeof definitions - 1;
    if (!reference || reference->length <= length) {
        return schema;
    }
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(reference->length - length),
             reference->bytes + length);
    return json_member(json_member(root, "$defs"), name);
}

static void complain_unknown(struct config_reader *reader, const struct json *member,
                             const struct json *properties) {
    if (reader->error_full) {
        return;
    }
    struct similar similar = similar_to(member->name, member->name_length);
    for (const struct json *known = properties->first; known; known = known->next) {
        similar_offer(&similar, known->name, known->name_length);
    }
    if (similar.best) {
        config_complain(reader, member, "is no setting; did you mean \"%.*s\"?",
                        (int)similar.best_length, similar.best);
        return;
    }
    struct text names = text_new(reader->config->arena, 160);
    for (const struct json *known = properties->first; known; known = known->next) {
        text_add(&names, ", ", known == properties->first ? 0 : 2);
        text_add(&names, known->name, known->name_length);
    }
    config_complain(reader, member, "is no setting%s%s", text_failed(&names) ? "" : "; known are ",
                    text_failed(&names) ? "" : names.bytes);
}

static void check(struct config_reader *reader, const struct json *root, const struct json *schema,
                  const struct json *node) {
    schema = resolved(root, schema);
    const struct json *properties = json_member(schema, "properties");
    const struct json *others = json_member(schema, "additionalProperties");
    if (node->type == JSON_ARRAY && json_member(schema, "items")) {
        for (const struct json *element = node->first; element; element = element->next) {
            check(reader, root, json_member(schema, "items"), element);
        }
    }
    for (const struct json *member = node->type == JSON_OBJECT ? node->first : NULL; member;
         member = member->next) {
        const struct json *known = json_member(properties, member->name);
        if (known) {
            check(reader, root, known, member);
        } else if (others && others->type == JSON_OBJECT) {
            check(reader, root, others, member);
        } else if (properties && others) {
            complain_unknown(reader, member, properties);
        }
    }
}

void config_check_members(struct config_reader *reader, const struct json *schema) {
    check(reader, schema, schema, reader->root);
}

/* The schema of a member or an element, or NULL. */
static const struct json *schema_below(const struct json *root, const struct json *schema,
                                       const char *step) {
    schema = resolved(root, schema);
    const struct json *member = json_member(json_member(schema, "properties"), step);
    if (!member) {
        member = json_member(schema, "additionalProperties");
    }
    if (!member || member->type != JSON_OBJECT) {
        member = json_member(schema, "items");
    }
    return member;
}

void config_explain(const struct json *schema, struct problem *problem) {
    char step[PROBLEM_PATH_BYTES];
    const struct json *setting = schema;
    for (const char *path = config_next_step(problem->path, step); path && setting;
         path = config_next_step(path, step)) {
        setting = schema_below(schema, setting, step);
    }
    /* A $ref leads to how a value is written, which helps more than what it is for. */
    const struct json *description = json_member(resolved(schema, setting), "description");
    if (!setting || setting == schema || !description) {
        return;
    }
    const char *stop = memmem(description->bytes, description->length, ". ", 2);
    int length = stop ? (int)(stop - description->bytes) : (int)description->length - 1;
    char text[PROBLEM_TEXT_BYTES];
    memcpy(text, problem->text, sizeof text);
    problem_set(problem, "%s (%.*s)", text, length, description->bytes);
}
