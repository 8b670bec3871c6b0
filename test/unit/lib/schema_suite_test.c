/* Every case of the JSON Schema Test Suite for 2020-12 and draft-07, remote documents from its own
 * folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/schema.h"
#include "test/unit/lib/json_help.h"

/* What is left out: a file's name, a group's description or NULL for all of them, and why. */
static const struct {
    const char *file, *group, *reason;
} not_run[] = {
    {"optional/format-assertion.json", NULL, "format is an annotation here"},
    {"optional/cross-draft.json", NULL, "draft 2019-09 is not supported"},
    {"optional/content.json", NULL, "contentEncoding and contentMediaType are annotations here"},
};

struct suite {
    const char *folder; /* the test suite's */
    const char *dialect;
    struct arena *documents; /* lives as long as the suite */
    unsigned cases, passed, groups_left_out;
};

static const struct json *parse_file(struct arena *arena, const char *path) {
    size_t length;
    char *bytes = file_bytes(arena, path, &length);
    const struct json *root = NULL;
    struct problem problem = {0};
    if (bytes && json_parse(arena, bytes, length, &json_limits_file, &root, &problem) != 0) {
        fail_msg("%s: %s at %u", path, problem.text, problem.at);
    }
    return root;
}

static const struct json *find_document(void *data, const char *uri) {
    struct suite *suite = data;
    static const struct {
        const char *start, *folder;
    } places[] = {
        {"http://localhost:1234/", "remotes"},
        {"https://json-schema.org/draft/2020-12/", "metaschemas/draft2020-12"},
        {"http://json-schema.org/draft-07/", "metaschemas/draft-07"},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        size_t length = strlen(places[i].start);
        if (strncmp(uri, places[i].start, length) == 0) {
            char path[1024];
            snprintf(path, sizeof path, "%s/%s/%s", suite->folder, places[i].folder, uri + length);
            return parse_file(suite->documents, path);
        }
    }
    return NULL;
}

/* The suite's schemas for draft-07 do not say that they are: the harness is to know. */
static const struct json *in_dialect(struct arena *arena, const struct json *schema,
                                     const char *dialect) {
    if (!dialect || schema->type != JSON_OBJECT || json_member(schema, "$schema")) {
        return schema;
    }
    struct json *object = json_new(arena, JSON_OBJECT), *first = json_new(arena, JSON_STRING);
    *object = *schema;
    first->name = "$schema";
    first->name_length = 7;
    first->bytes = dialect;
    first->length = (uint32_t)strlen(dialect);
    first->next = schema->first;
    object->first = first;
    object->length++;
    return object;
}

static void run_cases(struct suite *suite, const char *file, const struct json *group,
                      const struct schema *schema) {
    for (const struct json *test = json_member(group, "tests")->first; test; test = test->next) {
        struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
        struct problem problem = {0};
        enum outcome outcome = schema_check(schema, arena, json_member(test, "data"), &problem);
        bool valid = json_member(test, "valid")->type == JSON_TRUE;
        suite->cases++;
        if (outcome == (valid ? OUTCOME_OK : OUTCOME_INVALID) &&
            (problem.text[0] == '\0') == valid) {
            suite->passed++;
        } else {
            const struct json *of_group = json_member(group, "description");
            const struct json *of_test = json_member(test, "description");
            print_error("%s: %.*s: %.*s: expected %s, problem \"%s %s\"\n", file,
                        (int)of_group->length, of_group->bytes, (int)of_test->length,
                        of_test->bytes, valid ? "valid" : "invalid", problem.path, problem.text);
        }
        arena_free(arena);
    }
}

static bool left_out(struct suite *suite, const char *file, const struct json *description) {
    for (size_t i = 0; i < sizeof not_run / sizeof not_run[0]; i++) {
        if (strcmp(file, not_run[i].file) == 0 &&
            (!not_run[i].group || json_string_is(description, not_run[i].group))) {
            suite->groups_left_out++;
            print_message("not run: %s: %.*s (%s)\n", file, (int)description->length,
                          description->bytes, not_run[i].reason);
            return true;
        }
    }
    return false;
}

static void run_group(struct suite *suite, const char *file, const struct json *group) {
    const struct json *description = json_member(group, "description");
    if (left_out(suite, file, description)) {
        return;
    }
    struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
    struct schema_documents documents = {.find = find_document, .data = suite};
    const struct json *root = in_dialect(arena, json_member(group, "schema"), suite->dialect);
    const struct schema *schema = NULL;
    struct problem problem = {0};
    enum outcome outcome = schema_compile(arena, root, &documents, &schema, &problem);
    if (outcome == OUTCOME_OK) {
        run_cases(suite, file, group, schema);
    } else if (strstr(problem.text, "json-schema.org")) {
        /* The metaschemas are no part of the test suite. */
        suite->groups_left_out++;
        print_message("not run: %s: %.*s (the metaschema is not at hand)\n", file,
                      (int)description->length, description->bytes);
    } else {
        suite->cases += json_member(group, "tests")->length;
        print_error("%s: %.*s: %s at %s\n", file, (int)description->length, description->bytes,
                    problem.text, problem.path);
    }
    arena_free(arena);
}

static void run_folder(struct suite *suite, const char *tests, const char *within) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", suite->folder, tests, within);
    DIR *listing = opendir(path);
    if (!listing) {
        print_message("not at hand: %s\n", path);
        return;
    }
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (!strstr(entry->d_name, ".json")) {
            continue;
        }
        char file[512], whole[2048];
        snprintf(file, sizeof file, "%s%s", within, entry->d_name);
        snprintf(whole, sizeof whole, "%s/%s/%s", suite->folder, tests, file);
        struct arena *arena = arena_new_on_heap(TEST_ARENA_BYTES);
        for (const struct json *group = parse_file(arena, whole)->first; group;
             group = group->next) {
            run_group(suite, file, group);
        }
        arena_free(arena);
    }
    closedir(listing);
}

static void run_suite(const char *tests, const char *dialect, unsigned cases_least) {
    char folder[512];
    struct suite suite = {
        .folder = corpus_path(folder, "json-schema"),
        .dialect = dialect,
        .documents = arena_new_on_heap(TEST_ARENA_BYTES),
    };
    run_folder(&suite, tests, "");
    run_folder(&suite, tests, "optional/");
    arena_free(suite.documents);
    print_message("%s: %u passed of %u, %u groups not run\n", tests, suite.passed, suite.cases,
                  suite.groups_left_out);
    if (suite.cases == 0) {
        skip();
    }
    assert_int_equal(suite.passed, suite.cases);
    assert_true(suite.cases >= cases_least);
}

static void draft_2020_12(void **state) {
    (void)state;
    run_suite("tests/draft2020-12", NULL, 1200);
}

static void draft_07(void **state) {
    (void)state;
    run_suite("tests/draft7", "http://json-schema.org/draft-07/schema#", 900);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draft_2020_12),
        cmocka_unit_test(draft_07),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
