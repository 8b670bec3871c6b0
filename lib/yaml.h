/* yaml: a YAML file as the tree that JSON makes, so that everything behind it knows one kind of
 * tree.
 *
 * YAML 1.2 with its core schema (section 10.3): null, true, false and numbers where they stand
 * unquoted, strings otherwise; so "no" and "off" are strings, and a JSON file is read as it is.
 * Numbers keep their digits. Strings and names end in a NUL that their length does not count (and
 * may hold others). A key that stands unquoted is its text, whatever it looks like: 200: is the
 * name "200". Refused, with a sentence: anchors, aliases, tags, merge keys, keys that are no
 * scalars, a key that is there twice, more than one document, .inf and .nan (JSON has neither), and
 * numbers that are easily meant as text: 0049 and +49. Keep out: the call path. It allocates, and
 * it is for files that an operator wrote. */
#pragma once

#include "lib/arena.h"
#include "lib/json.h"
#include "lib/outcome.h"
#include "lib/problem.h"

/* Reads exactly one document into `arena`; `bytes` may go afterwards. Each node's `at` is its line,
 * a member's that of its key. OUTCOME_INVALID, OUTCOME_TOO_LARGE (a limit): the problem's `at` is
 * the line, and its text names the column where that helps. *root is untouched on failure. One
 * thread. */
CHECKED enum outcome yaml_parse(struct arena *arena, const char *bytes, size_t length,
                                const struct json_limits *limits, const struct json **root,
                                struct problem *problem);
