/* schema_uri: references of JSON Schema, resolved as RFC 3986 section 5.2 says. Part of schema. */
#pragma once

#include "lib/arena.h"
#include "lib/outcome.h"

/* The reference against its base, without its fragment; NULL when the arena is exhausted. Neither
 * is checked beyond what is needed to take it apart. *fragment is what stood behind "#",
 * percent-decoded; NULL when there was no "#". */
CHECKED const char *schema_uri_resolve(struct arena *arena, const char *base, const char *reference,
                                       const char **fragment);
