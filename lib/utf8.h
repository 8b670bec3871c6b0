/* utf8: is it text? (RFC 3629) Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True when the bytes are well-formed UTF-8: no overlong forms, no surrogates, nothing past
 * U+10FFFF. */
bool utf8_is_valid(const char *bytes, size_t length);

/* The longest prefix of at most `length_max` bytes that does not cut a character of valid UTF-8 in
 * two. */
size_t utf8_cut(const char *bytes, size_t length, size_t length_max);
