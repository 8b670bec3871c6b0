#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/cli.h"

#define GOOD                                                                                       \
    "upstreams: {u: {url: 'https://example.com'}}\n"                                               \
    "tools: [{name: t, request: {upstream: u, method: GET, path: /}}]\n"
#define BAD "upstreams: 1: 2\n"

static size_t runs;

static int run(const struct config *config) {
    assert_int_equal(config->tool_count, 1);
    runs++;
    return 7;
}

/* What the command line wrote; freed with free(). */
struct written {
    char *out, *err;
    size_t out_length, err_length;
    int status;
};

static struct written run_cli(char *const *argv) {
    struct written written = {0};
    struct cli cli = {open_memstream(&written.out, &written.out_length),
                      open_memstream(&written.err, &written.err_length), run};
    int argc = 0;
    while (argv[argc]) {
        argc++;
    }
    written.status = cli_main(&cli, argc, argv);
    fclose(cli.out);
    fclose(cli.err);
    return written;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int enter_folder(void **state) {
    static char folder[] = "/tmp/cli_test.XXXXXX";
    *state = mkdtemp(folder);
    if (!*state || chdir(folder) != 0) {
        return -1;
    }
    write_file("good.yaml", GOOD);
    write_file("bad.yaml", BAD);
    return 0;
}

static int leave_folder(void **state) {
    unlink("good.yaml");
    unlink("bad.yaml");
    return rmdir(*state);
}

static void what_arguments_do(void **state) {
    (void)state;
    static const struct {
        char *argv[6];
        int status;
        const char *out, *err; /* parts of what is written; NULL: nothing */
        size_t runs;
    } tests[] = {
        {{"plateau"}, CLI_USAGE, NULL, "usage: plateau COMMAND FILE", 0},
        {{"plateau", "--help"}, CLI_OK, "check FILE", NULL, 0},
        {{"plateau", "-h"}, CLI_OK, "run   FILE", NULL, 0},
        {{"plateau", "--version"}, CLI_OK, "plateau ", NULL, 0},
        {{"plateau", "run", "--help"}, CLI_OK, "usage: plateau run FILE", NULL, 0},
        {{"plateau", "check", "-h"}, CLI_OK, "usage: plateau check FILE", NULL, 0},
        {{"plateau", "check", "good.yaml"}, CLI_OK, "good.yaml: ok: 1 tool, 1 upstream\n", NULL, 0},
        {{"plateau", "check", "./good.yaml"}, CLI_OK, "./good.yaml: ok", NULL, 0},
        {{"plateau", "check", "bad.yaml"}, CLI_FAILED, NULL, "bad.yaml:1: column", 0},
        {{"plateau", "check", "none.yaml"}, CLI_FAILED, NULL, "none.yaml: cannot be read: No", 0},
        {{"plateau", "check", "."}, CLI_FAILED, NULL, ".: is a folder", 0},
        {{"plateau", "run", "good.yaml"}, 7, NULL, NULL, 1},
        {{"plateau", "run", "bad.yaml"}, CLI_FAILED, NULL, "bad.yaml:1: column", 0},
        {{"plateau", "check"}, CLI_USAGE, NULL, "takes one FILE, not 0", 0},
        {{"plateau", "run", "a", "b"}, CLI_USAGE, NULL, "takes one FILE, not 2", 0},
        {{"plateau", "run", "--fast"}, CLI_USAGE, NULL, "run has no option \"--fast\"", 0},
        {{"plateau", "chek", "good.yaml"}, CLI_USAGE, NULL, "did you mean \"check\"?", 0},
        {{"plateau", "good.yaml"}, CLI_USAGE, NULL, "no command \"good.yaml\"", 0},
        {{"plateau", "--nonsense"}, CLI_USAGE, NULL, "no option \"--nonsense\"", 0},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        runs = 0;
        struct written written = run_cli(tests[i].argv);
        bool out = tests[i].out ? strstr(written.out, tests[i].out) != NULL : !*written.out;
        bool err = tests[i].err ? strstr(written.err, tests[i].err) != NULL : !*written.err;
        if (!out || !err || written.status != tests[i].status || runs != tests[i].runs) {
            fail_msg("case %zu: status %d, runs %zu\nout: %s\nerr: %s", i, written.status, runs,
                     written.out, written.err);
        }
        free(written.out);
        free(written.err);
    }
}

static void every_library_has_its_version(void **state) {
    (void)state;
    static const char *const names[] = {"plateau", "libmicrohttpd", "libcurl", "mbedTLS",
                                        "nghttp2", "c-ares",        "PCRE2",   "libyaml"};
    struct written written = run_cli((char *[]){"plateau", "--version", NULL});
    char *line = written.out;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        assert_memory_equal(line, names[i], length);
        assert_int_equal(line[length], ' ');
        assert_in_range(line[length + 1], '0', 'z');
        line = strchr(line, '\n') + 1;
    }
    assert_int_equal(*line, '\0');
    free(written.out);
    free(written.err);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arguments_do),
        cmocka_unit_test(every_library_has_its_version),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
