/* query: the part of a target behind the '?' (application/x-www-form-urlencoded). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The value of that name, decoded, NUL-ended, the caller's to free(); NULL when it is not there.
 * `target` is a whole request target. A '%' without two hex digits stands for itself. */
char *query_value(const char *target, const char *name, size_t *size);

/* How long the path in front of the '?' is. */
size_t query_path_size(const char *target);
