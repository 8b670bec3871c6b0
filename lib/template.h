/* template: how arguments become a request, by structure and never by pasting text.
 *
 * "{to}" alone stands for the argument with its type; inside a longer string it is inserted as text
 * and encoded for its place. An argument can therefore fill a hole and nothing else: no host, no
 * further path segment, no header, no JSON member can come of it. "{{" and "}}" write a brace.
 * Checked when compiled, against the tool's input schema: each hole names a property; a hole in a
 * path or within a longer string is required or has a default, so that it cannot be absent. A hole
 * that stands alone in a member, an element, a query parameter or a header and is absent at a call
 * (and has no default) leaves that part out.
 *
 * A compiled template is read-only, lives in the arena it was compiled into, and is shared by all
 * threads. */
#pragma once

#include "lib/json.h"
#include "lib/outcome.h"
#include "lib/problem.h"
#include "lib/text.h"

struct template;

/* A path such as /rooms/{room}/send: starts with "/", holes may stand only behind it. `schema` is
 * the tool's input schema as JSON. OUTCOME_INVALID: the problem names the hole or the character. */
CHECKED enum outcome template_compile_path(struct arena *arena, const struct json *path,
                                           const struct json *schema,
                                           const struct template **template,
                                           struct problem *problem);
/* An object of query parameters: {limit: "{limit}", since: "{from}", format: json}. */
CHECKED enum outcome template_compile_query(struct arena *arena, const struct json *query,
                                            const struct json *schema,
                                            const struct template **template,
                                            struct problem *problem);
/* One header's value. Its name is the configuration's own and takes no hole. */
CHECKED enum outcome template_compile_header(struct arena *arena, const struct json *value,
                                             const struct json *schema,
                                             const struct template **template,
                                             struct problem *problem);
/* Any JSON value, holes in its strings (never in member names). */
CHECKED enum outcome template_compile_json(struct arena *arena, const struct json *body,
                                           const struct json *schema,
                                           const struct template **template,
                                           struct problem *problem);

/* Writes what the template makes of `arguments` (an object that passed the input schema, or NULL
 * for none).
 * Path: each hole percent-encoded (RFC 3986 section 2.3 leaves only unreserved characters); a
 * segment that would be empty, "." or ".." is refused.
 * Query: "?a=1&b=2", or nothing when all are left out; an array repeats its parameter.
 * Header: a control character in the value is refused (RFC 9110 section 5.5); *present is false
 * when it is left out (it may be NULL elsewhere).
 * JSON: compact, numbers digit for digit.
 * OUTCOME_INVALID: the problem's path names the argument, its text says why. OUTCOME_TOO_LARGE /
 * NO_MEMORY: of `text`. Any thread. */
CHECKED enum outcome template_render(const struct template *template, const struct json *arguments,
                                     struct text *text, bool *present, struct problem *problem);
