#include "lib/schema_uri.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/text.h"

struct piece {
    const char *at;
    size_t length;
    bool present;
};

/* RFC 3986 section 3, as far as resolution needs it; none of the pieces holds its delimiters. */
struct uri {
    struct piece scheme, authority, path, query;
};

static struct piece piece_of(const char *at, const char *end) {
    return (struct piece){at, (size_t)(end - at), true};
}

static const char *find_any(const char *at, const char *end, const char *delimiters) {
    while (at < end && !strchr(delimiters, *at)) {
        at++;
    }
    return at;
}

static struct uri take_apart(const char *at, const char *end) {
    struct uri uri = {0};
    const char *colon = find_any(at, end, ":/?");
    if (colon < end && *colon == ':' && colon > at) {
        uri.scheme = piece_of(at, colon);
        at = colon + 1;
    }
    if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
        const char *stop = find_any(at + 2, end, "/?");
        uri.authority = piece_of(at + 2, stop);
        at = stop;
    }
    const char *stop = find_any(at, end, "?");
    uri.path = piece_of(at, stop);
    if (stop < end) {
        uri.query = piece_of(stop + 1, end);
    }
    return uri;
}

/* Section 5.2.4, into `to`, of which it keeps what was there before. */
static void add_without_dots(struct text *to, const char *path, size_t length) {
    size_t kept = to->length;
    const char *at = path, *end = path + length;
    while (at < end) {
        const char *start = at + (*at == '/');
        const char *stop = find_any(start, end, "/");
        size_t segment = (size_t)(stop - start);
        bool up = segment == 2 && start[0] == '.' && start[1] == '.';
        if (up) {
            while (to->length > kept && to->bytes[to->length - 1] != '/') {
                to->length--;
            }
            to->length -= to->length > kept;
        } else if (!(segment == 1 && start[0] == '.')) {
            text_add(to, at, (size_t)(stop - at));
            at = stop;
            continue;
        }
        if (stop == end) {
            text_add_char(to, '/');
        }
        at = stop;
    }
}

/* Section 5.2.3: the base's path up to its last slash, and the reference's. */
static void add_merged(struct text *to, struct arena *arena, const struct uri *base,
                       const struct piece *path) {
    size_t kept = base->path.length;
    while (kept > 0 && base->path.at[kept - 1] != '/') {
        kept--;
    }
    struct text merged = text_new(arena, SIZE_MAX / 2);
    if (base->authority.present && base->path.length == 0) {
        text_add_char(&merged, '/');
    }
    text_add(&merged, base->path.at, kept);
    text_add(&merged, path->at, path->length);
    if (!text_failed(&merged)) {
        add_without_dots(to, merged.bytes, merged.length);
    }
}

/* Section 5.2.2. */
static void add_target(struct text *to, struct arena *arena, const struct uri *base,
                       const struct uri *reference) {
    bool own_authority = reference->scheme.present || reference->authority.present;
    const struct uri *place = own_authority ? reference : base;
    const struct piece *scheme = reference->scheme.present ? &reference->scheme : &base->scheme;
    if (scheme->present) {
        text_add(to, scheme->at, scheme->length);
        text_add_char(to, ':');
    }
    if (place->authority.present) {
        text_add_string(to, "//");
        text_add(to, place->authority.at, place->authority.length);
    }
    const struct piece *query = &reference->query, *path = &reference->path;
    if (!own_authority && path->length == 0) {
        text_add(to, base->path.at, base->path.length);
        query = query->present ? query : &base->query;
    } else if (own_authority || *path->at == '/') {
        add_without_dots(to, path->at, path->length);
    } else {
        add_merged(to, arena, base, path);
    }
    if (query->present) {
        text_add_char(to, '?');
        text_add(to, query->at, query->length);
    }
}

static int hexadecimal_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static const char *percent_decoded(struct arena *arena, const char *at) {
    char *decoded = arena_copy(arena, at, strlen(at)), *to = decoded;
    while (to && *at) {
        int high = *at == '%' ? hexadecimal_digit(at[1]) : -1;
        int low = high >= 0 ? hexadecimal_digit(at[2]) : -1;
        *to++ = low >= 0 ? (char)(high * 16 + low) : *at;
        at += low >= 0 ? 3 : 1;
    }
    if (to) {
        *to = '\0';
    }
    return decoded;
}

const char *schema_uri_resolve(struct arena *arena, const char *base, const char *reference,
                               const char **fragment) {
    const char *hash = strchrnul(reference, '#');
    *fragment = *hash == '#' ? percent_decoded(arena, hash + 1) : NULL;
    struct uri of_base = take_apart(base, strchrnul(base, '#'));
    struct uri of_reference = take_apart(reference, hash);
    struct text target = text_new(arena, SIZE_MAX / 2);
    text_add(&target, "", 0);
    add_target(&target, arena, &of_base, &of_reference);
    if (text_failed(&target)) {
        return NULL;
    }
    target.bytes[target.length] = '\0'; /* dots may have taken some of it back */
    return target.bytes;
}
