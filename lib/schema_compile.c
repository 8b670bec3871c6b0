#include <string.h>

#include "lib/limits.h"
#include "lib/schema_compiler.h"

/* Cycles */

/* The k-th schema that a rule applies to the same value; SCHEMA_NONE behind the last one. */
static uint32_t same_value_target(const struct compiler *compiler, const struct schema_rule *rule,
                                  uint32_t k) {
    switch (rule->kind) {
    case RULE_REF:
    case RULE_NOT:
        return k == 0 ? rule->node : SCHEMA_NONE;
    case RULE_DYNAMIC_REF:
        return k == 0 ? rule->dynamic.node : SCHEMA_NONE;
    case RULE_ALL_OF:
    case RULE_ANY_OF:
    case RULE_ONE_OF:
        return k < rule->list.count ? *VECTOR_AT(compiler->lists, uint32_t, rule->list.first + k)
                                    : SCHEMA_NONE;
    case RULE_DEPENDENT_SCHEMAS:
        return k < rule->list.count
                   ? VECTOR_AT(compiler->named, struct schema_named, rule->list.first + k)->node
                   : SCHEMA_NONE;
    default:
        return SCHEMA_NONE;
    }
}

/* A branch may be absent in the middle, so it cannot end at the first that is. */
static uint32_t branch_target(const struct schema_rule *rule, uint32_t k) {
    return k == 0 ? rule->branch.condition : k == 1 ? rule->branch.then : rule->branch.otherwise;
}

/* One node on the way from where the search began. */
struct visit {
    uint32_t node;
    uint32_t rule; /* of the node's, and within it: */
    uint32_t target;
};

/* The next target of the visited node; SCHEMA_NONE when there are no more. */
static uint32_t next_target(const struct compiler *compiler, struct visit *visit) {
    const struct schema_node *node = VECTOR_AT(compiler->nodes, struct schema_node, visit->node);
    while (visit->rule < node->rules) {
        const struct schema_rule *rule =
            VECTOR_AT(compiler->rules, struct schema_rule, node->first_rule + visit->rule);
        while (rule->kind == RULE_IF && visit->target < 3) {
            uint32_t target = branch_target(rule, visit->target++);
            if (target != SCHEMA_NONE) {
                return target;
            }
        }
        uint32_t target = same_value_target(compiler, rule, visit->target);
        if (target != SCHEMA_NONE) {
            visit->target++;
            return target;
        }
        visit->rule++;
        visit->target = 0;
    }
    return SCHEMA_NONE;
}

enum { UNSEEN, OPEN, CLOSED };

/* Depth first from one node; `states` keeps what is known of each. */
static void search_from(struct compiler *compiler, unsigned char *states, struct visit *path,
                        uint32_t start) {
    uint32_t depth = 0;
    path[depth++] = (struct visit){.node = start};
    states[start] = OPEN;
    while (depth > 0) {
        uint32_t target = next_target(compiler, &path[depth - 1]);
        if (target == SCHEMA_NONE) {
            states[path[--depth].node] = CLOSED;
        } else if (states[target] == OPEN) {
            const struct schema_node *node =
                VECTOR_AT(compiler->nodes, struct schema_node, path[depth - 1].node);
            compiler_fail(compiler, node->resource, node->json,
                          "leads back to itself without looking into the value: it would never "
                          "end");
            return;
        } else if (states[target] == UNSEEN) {
            states[target] = OPEN;
            path[depth++] = (struct visit){.node = target};
        }
    }
}

void compiler_refuse_cycles(struct compiler *compiler) {
    uint32_t nodes = compiler->nodes.count;
    unsigned char *states = arena_alloc(compiler->scratch, nodes);
    struct visit *path = arena_alloc_raw(compiler->scratch, nodes * sizeof *path);
    if (!states || !path) {
        compiler->outcome = OUTCOME_NO_MEMORY;
        return;
    }
    for (uint32_t i = 0; i < nodes && compiler->outcome == OUTCOME_OK; i++) {
        if (states[i] == UNSEEN) {
            search_from(compiler, states, path, i);
        }
    }
}

/* The whole */

static void compile_all(struct compiler *compiler, const struct json *root) {
    (void)compiler_document(compiler, root, "", DIALECT_2020_12);
    while (compiler->outcome == OUTCOME_OK) {
        if (compiler->compiled < compiler->nodes.count) {
            compiler_compile_next(compiler);
        } else if (compiler->resolved < compiler->pending.count) {
            compiler_resolve_next(compiler);
        } else {
            break;
        }
    }
    if (compiler->outcome == OUTCOME_OK) {
        compiler_refuse_cycles(compiler);
    }
}

static const void *settle(struct compiler *compiler, const struct vector *vector,
                          size_t item_bytes) {
    size_t bytes = vector->count * item_bytes;
    void *settled = arena_alloc_raw(compiler->arena, bytes);
    if (settled && bytes > 0) {
        memcpy(settled, vector->items, bytes);
    }
    return settled;
}

static const struct schema *settle_all(struct compiler *compiler) {
    struct schema *schema = arena_alloc(compiler->arena, sizeof *schema);
    if (schema) {
        *schema = (struct schema){
            .nodes = settle(compiler, &compiler->nodes, sizeof(struct schema_node)),
            .rules = settle(compiler, &compiler->rules, sizeof(struct schema_rule)),
            .lists = settle(compiler, &compiler->lists, sizeof(uint32_t)),
            .named = settle(compiler, &compiler->named, sizeof(struct schema_named)),
            .patterns =
                settle(compiler, &compiler->patterns, sizeof(const struct schema_pattern *)),
            .anchors =
                settle(compiler, &compiler->dynamic_anchors, sizeof(struct schema_dynamic_anchor)),
            .anchor_count = compiler->dynamic_anchors.count,
        };
    }
    if (arena_exhausted(compiler->arena)) {
        compiler->outcome = OUTCOME_NO_MEMORY;
    }
    return schema;
}

enum outcome schema_compile(struct arena *arena, const struct json *root,
                            const struct schema_documents *documents, const struct schema **schema,
                            struct problem *problem) {
    struct compiler compiler = {
        .arena = arena,
        .scratch = arena_new_on_heap(SCHEMA_SCRATCH_BYTES_MAX),
        .documents = documents,
        .problem = problem,
    };
    if (!compiler.scratch) {
        return OUTCOME_NO_MEMORY;
    }
    compile_all(&compiler, root);
    const struct schema *settled = compiler.outcome == OUTCOME_OK ? settle_all(&compiler) : NULL;
    if (compiler.outcome == OUTCOME_OK) {
        *schema = settled;
    }
    arena_free(compiler.scratch);
    return compiler.outcome;
}
