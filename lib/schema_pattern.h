/* schema_pattern: regular expressions of JSON Schema (ECMA-262, Unicode mode), run by PCRE2.
 *
 * The expression is first rewritten: what the two dialects write alike and mean differently is
 * spelled out, and what only PCRE2 knows (recursion, verbs, \K) is refused. A match does bounded
 * work in memory of the call's arena, and mallocs nothing. */
#pragma once

#include <stdint.h>

#include "lib/arena.h"
#include "lib/json.h"
#include "lib/outcome.h"
#include "lib/problem.h"

struct schema_pattern;

/* What the matches of one check share. */
struct schema_matcher {
    struct arena *arena;
    uint32_t *steps_left; /* of the check: a match draws from them */
    void *context, *data; /* PCRE2's, made with the first match that is dear */
};

enum schema_match {
    SCHEMA_MATCH,
    SCHEMA_NO_MATCH,
    SCHEMA_MATCH_TOO_DEAR, /* a limit was hit */
    SCHEMA_MATCH_NO_MEMORY,
};

/* Compiles `source`, a string. The pattern lives in the arena and ends with it; read-only, any
 * thread. OUTCOME_INVALID: the problem's text says what is wrong with the expression. */
CHECKED enum outcome schema_pattern_compile(struct arena *arena, const char *source, size_t length,
                                            const struct schema_pattern **pattern,
                                            struct problem *problem);

/* Whether the expression is found anywhere in the text, which is UTF-8. */
enum schema_match schema_pattern_find(const struct schema_pattern *pattern,
                                      struct schema_matcher *matcher, const char *text,
                                      size_t length);

/* Rewrites the expression from ECMA-262 to PCRE2. */
CHECKED enum outcome schema_pattern_rewrite(struct text *rewritten, const char *source,
                                            size_t length, struct problem *problem);
