/* schema_compiler: the state of one compilation, shared by schema_compile.c (keywords) and
 * schema_resolve.c (documents, identifiers, references).
 *
 * Everything grows in a scratch arena and is copied to its final place, exactly fitting, at the
 * end. The first failure sticks in `outcome`; what comes after it does nothing. Schema objects wait
 * in `nodes` until their turn comes, so no depth of nesting needs the processor's stack. */
#pragma once

#include "lib/schema_internal.h"

enum dialect {
    DIALECT_DRAFT_07 = 1,
    DIALECT_2020_12 = 2,
    DIALECT_ANY = 3,
};

struct vector {
    void *items;
    uint32_t count, capacity;
};

/* A schema with a URI of its own: a document, or what has an $id. */
struct resource {
    const char *uri;
    const struct json *json;
    const struct json *document; /* the root of the text it stands in */
    const char *document_uri;    /* "" for the schema that is compiled */
    enum dialect dialect;
    bool validates; /* its metaschema has the validation vocabulary */
};

struct alias {
    const char *uri;
    uint32_t resource;
};

struct anchor {
    const char *name;
    size_t name_length;
    uint32_t resource, node;
};

/* A $ref or $dynamicRef whose target is not known yet. */
struct pending {
    const struct json *reference;
    uint32_t node, rule;
};

struct slot {
    const struct json *json;
    uint32_t node;
};

struct compiler {
    struct arena *arena;   /* of the result */
    struct arena *scratch; /* of this compilation */
    const struct schema_documents *documents;
    struct problem *problem;
    enum outcome outcome;
    struct vector nodes, rules, lists, named, patterns, dynamic_anchors;
    struct vector resources, aliases, anchors, pending;
    uint32_t compiled;  /* of `nodes`, from the front: their rules are made */
    uint32_t resolved;  /* of `pending`, from the front */
    struct slot *slots; /* from a schema's JSON to its node: a hash table, at most half full */
    size_t slot_count;
};

#define VECTOR_AT(vector, type, index) (&((type *)(vector).items)[index])

/* Zeroed room for one more item; NULL after a failure. Pointers to items die with the next one. */
CHECKED void *vector_add(struct compiler *compiler, struct vector *vector, size_t item_bytes);

/* Notes what is wrong with `json`, which stands somewhere in the document of that resource. */
void compiler_fail(struct compiler *compiler, uint32_t resource, const struct json *json,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The node of that schema, made when it is met for the first time; SCHEMA_NONE after a failure.
 * `resource` is the one around it. */
uint32_t compiler_node(struct compiler *compiler, const struct json *json, uint32_t resource);

/* Takes a document in; its root's node. */
uint32_t compiler_document(struct compiler *compiler, const struct json *root, const char *uri,
                           enum dialect dialect);

/* Finds the target of the next pending reference. That may bring new nodes; when it brings a new
 * document, the reference stays pending until its nodes are compiled. */
void compiler_resolve_next(struct compiler *compiler);

/* Makes the rules of the next node. */
void compiler_compile_next(struct compiler *compiler);

/* Refuses references that lead back to themselves without looking into the value. */
void compiler_refuse_cycles(struct compiler *compiler);
