/* schema: JSON Schema 2020-12 (and draft-07, by $schema), compiled once, evaluated in the arena of
 * a call.
 *
 * A compiled schema is read-only and shared by all threads; it lives in the arena it was compiled
 * into, and ends with it (compiled patterns by a deferred action).
 * Refused at compile time: keywords of the vocabulary that are misused, references that leave the
 * document (unless a map resolves them), endless recursion, patterns that do not compile. Nothing
 * is ever fetched.
 * Evaluation does bounded work: patterns have match and depth limits, recursion is bounded by the
 * instance's depth. */
#pragma once

#include "lib/arena.h"
#include "lib/json.h"
#include "lib/outcome.h"
#include "lib/problem.h"

struct schema;

/* Where a $ref to another document may lead: returns its root, or NULL. `data` is the caller's. */
struct schema_documents {
    const struct json *(*find)(void *data, const char *uri);
    void *data;
};

/* Compiles `root` into `arena` (the tree must live as long). `documents` may be NULL: no other
 * document is known. OUTCOME_INVALID: the problem's path leads to the keyword, `at` is that node's.
 * One thread. */
CHECKED enum outcome schema_compile(struct arena *arena, const struct json *root,
                                    const struct schema_documents *documents,
                                    const struct schema **schema, struct problem *problem);

/* Checks `value`; scratch memory comes from `arena`. OUTCOME_INVALID: the problem's path leads to
 * the value that is wrong, its text says in a sentence for a model what was wrong and what would be
 * right. Any thread. */
CHECKED enum outcome schema_check(const struct schema *schema, struct arena *arena,
                                  const struct json *value, struct problem *problem);
