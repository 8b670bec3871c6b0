#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/schema_uri.h"
#include "test/unit/lib/json_help.h"

#define BASE "http://a/b/c/d;p?q"

static void references_resolve_as_rfc_3986_shows(void **state) {
    (void)state;
    static const struct {
        const char *base, *reference, *target, *fragment;
    } cases[] = {
        /* Section 5.4.1 */
        {BASE, "g:h", "g:h", NULL},
        {BASE, "g", "http://a/b/c/g", NULL},
        {BASE, "./g", "http://a/b/c/g", NULL},
        {BASE, "g/", "http://a/b/c/g/", NULL},
        {BASE, "/g", "http://a/g", NULL},
        {BASE, "//g", "http://g", NULL},
        {BASE, "?y", "http://a/b/c/d;p?y", NULL},
        {BASE, "g?y", "http://a/b/c/g?y", NULL},
        {BASE, "#s", "http://a/b/c/d;p?q", "s"},
        {BASE, "g#s", "http://a/b/c/g", "s"},
        {BASE, "g?y#s", "http://a/b/c/g?y", "s"},
        {BASE, ";x", "http://a/b/c/;x", NULL},
        {BASE, "", "http://a/b/c/d;p?q", NULL},
        {BASE, ".", "http://a/b/c/", NULL},
        {BASE, "./", "http://a/b/c/", NULL},
        {BASE, "..", "http://a/b/", NULL},
        {BASE, "../", "http://a/b/", NULL},
        {BASE, "../g", "http://a/b/g", NULL},
        {BASE, "../..", "http://a/", NULL},
        {BASE, "../../g", "http://a/g", NULL},
        /* Section 5.4.2 */
        {BASE, "../../../g", "http://a/g", NULL},
        {BASE, "/./g", "http://a/g", NULL},
        {BASE, "/../g", "http://a/g", NULL},
        {BASE, "g.", "http://a/b/c/g.", NULL},
        {BASE, "..g", "http://a/b/c/..g", NULL},
        {BASE, "./../g", "http://a/b/g", NULL},
        {BASE, "g/./h", "http://a/b/c/g/h", NULL},
        {BASE, "g/../h", "http://a/b/c/h", NULL},
        {BASE, "g?y/../x", "http://a/b/c/g?y/../x", NULL},
        /* What schemas have */
        {"", "#/a%20b/%25", "", "/a b/%"},
        {"", "a.json", "a.json", NULL},
        {"http://h", "a", "http://h/a", NULL},
        {"http://h/x#y", "#z%zz", "http://h/x", "z%zz"},
        {"urn:uuid:1", "#/$defs/a", "urn:uuid:1", "/$defs/a"},
        {"urn:example:root", "urn:example:other#", "urn:example:other", ""},
    };
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *fragment = "untouched";
        const char *target =
            schema_uri_resolve(arena, cases[i].base, cases[i].reference, &fragment);
        assert_string_equal(target, cases[i].target);
        if (cases[i].fragment) {
            assert_string_equal(fragment, cases[i].fragment);
        } else {
            assert_null(fragment);
        }
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(references_resolve_as_rfc_3986_shows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
