#include "test/unit/server/config_help.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include "lib/limits.h"

/* ---- what is read ---- */

static void defaults(void **state) {
    (void)state;
    struct config *config = load_text(UPSTREAM TOOL);
    const struct sockaddr_in *address = (const struct sockaddr_in *)&config->server.listen.socket;
    assert_int_equal(address->sin_family, AF_INET);
    assert_int_equal(ntohs(address->sin_port), 8080);
    assert_int_equal(ntohl(address->sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(config->server.listen.length, sizeof *address);
    assert_string_equal(config->server.listen.text, "127.0.0.1:8080");
    assert_string_equal(config->server.path, "/mcp");
    assert_string_equal(config->server.name, "plateau");
    assert_null(config->server.instructions);
    assert_int_equal(config->limits.memory_bytes, 0); /* found at start */
    assert_int_equal(config->limits.calls_max, 0);    /* as many as fit */
    assert_int_equal(config->limits.request_bytes_max, 64 << 10);
    assert_int_equal(config->limits.response_bytes_max, 256 << 10);
    const struct config_upstream *upstream = &config->upstreams[0];
    assert_int_equal(config->upstream_count, 1);
    assert_string_equal(upstream->name, "u");
    assert_string_equal(upstream->url, "https://example.com");
    assert_null(upstream->auth_header);
    assert_null(upstream->ca_file);
    assert_int_equal(upstream->http, CONFIG_HTTP_AUTO);
    assert_true(upstream->tls);
    assert_int_equal(upstream->timeout_ms, 10000);
    assert_int_equal(upstream->connections_max, 0);
    const struct config_tool *tool = &config->tools[0];
    assert_int_equal(config->tool_count, 1);
    assert_ptr_equal(tool->upstream, upstream);
    assert_string_equal(tool->method, "POST");
    assert_true(json_string_is(json_member(tool->input, "type"), "object"));
    assert_int_equal(json_member(tool->input, "additionalProperties")->type, JSON_FALSE);
    assert_non_null(tool->input_schema);
    assert_null(tool->title);
    assert_null(tool->query);
    assert_null(tool->body);
    assert_int_equal(tool->header_count, 0);
    assert_null(tool->idempotency_header);
    assert_int_equal(tool->response_keep_count, 0);
    assert_int_equal(tool->timeout_ms, 10000);
    config_free(config);
}

static const char whole[] =
    "server: {listen: '[::1]:0', path: /a/b, name: n, instructions: i}\n"
    "limits: {memory: 1Gi, calls: 7, request: 2Ki, response: 4096}\n"
    "upstreams:\n"
    "  one: {url: 'http://127.0.0.1:80/v1/', tls: off, http: 1.1, timeout: 2m}\n"
    "  two: {url: 'https://[::1]:8443', http: '2', connections: 9, timeout: 500ms, tls: {}}\n"
    "tools:\n"
    "- name: a.B-c_9\n"
    "  title: A\n"
    "  description: D\n"
    "  annotations: {readOnlyHint: true, title: T}\n"
    "  input: {type: object, required: [to], properties: {to: {type: string}}}\n"
    "  request:\n"
    "    upstream: two\n"
    "    method: PATCH\n"
    "    path: /x/{to}\n"
    "    query: {q: '{to}', n: 1}\n"
    "    headers: {X-To: '{to}', X-Version: 2}\n"
    "    body: {to: '{to}'}\n"
    "  idempotency: {header: Idempotency-Key}\n"
    "  response: {keep: [id, status]}\n"
    "  timeout: 3s\n"
    "- {name: b, request: {upstream: one, method: GET, path: /}}\n";

static void everything_that_can_be_set(void **state) {
    (void)state;
    struct config *config = load_text(whole);
    const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)&config->server.listen.socket;
    assert_int_equal(address->sin6_family, AF_INET6);
    assert_int_equal(address->sin6_port, 0);
    assert_int_equal(config->server.listen.length, sizeof *address);
    assert_string_equal(config->server.path, "/a/b");
    assert_string_equal(config->server.name, "n");
    assert_string_equal(config->server.instructions, "i");
    assert_int_equal(config->limits.memory_bytes, 1 << 30);
    assert_int_equal(config->limits.calls_max, 7);
    assert_int_equal(config->limits.request_bytes_max, 2048);
    assert_int_equal(config->limits.response_bytes_max, 4096);
    assert_string_equal(config->upstreams[0].url, "http://127.0.0.1:80/v1");
    assert_false(config->upstreams[0].tls);
    assert_int_equal(config->upstreams[0].http, CONFIG_HTTP_1);
    assert_int_equal(config->upstreams[0].timeout_ms, 120000);
    assert_int_equal(config->upstreams[1].http, CONFIG_HTTP_2);
    assert_int_equal(config->upstreams[1].timeout_ms, 500);
    assert_int_equal(config->upstreams[1].connections_max, 9);
    assert_true(config->upstreams[1].tls);
    const struct config_tool *tool = config_tool(config, "a.B-c_9", 7);
    assert_ptr_equal(tool, &config->tools[0]);
    assert_ptr_equal(tool->upstream, &config->upstreams[1]);
    assert_string_equal(tool->title, "A");
    assert_string_equal(tool->description, "D");
    assert_int_equal(tool->annotations->length, 2);
    assert_non_null(tool->path);
    assert_non_null(tool->query);
    assert_non_null(tool->body);
    assert_int_equal(tool->header_count, 2);
    assert_string_equal(tool->headers[1].name, "X-Version");
    assert_string_equal(tool->idempotency_header, "Idempotency-Key");
    assert_int_equal(tool->response_keep_count, 2);
    assert_string_equal(tool->response_keep[1], "status");
    assert_int_equal(tool->timeout_ms, 3000);
    assert_int_equal(config->tools[1].timeout_ms, 120000);
    config_free(config);
}

static void secrets_become_header_lines(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *header;
    } tests[] = {
        {AUTH("bearer: {env: CONFIG_TEST}"), "Authorization: Bearer s3cret!"},
        {AUTH("bearer: {file: secret}"), "Authorization: Bearer from file"},
        {AUTH("basic: {username: Aladdin, password: {file: sesame}}"),
         "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617 section 2 */
        {AUTH("basic: {username: test, password: {file: pound}}"),
         "Authorization: Basic dGVzdDoxMjPCow=="}, /* RFC 7617 section 2.1 */
        {AUTH("header: {name: X-Api-Key, value: {env: CONFIG_TEST}}"), "X-Api-Key: s3cret!"},
        {AUTH("header: {name: Authorization, value: {env: CONFIG_TEST}}"),
         "Authorization: s3cret!"},
    };
    setenv("CONFIG_TEST", "s3cret!", 1);
    write_file("secret", "from file\n", 10);
    write_file("sesame", "open sesame\r\n", 13);
    write_file("pound", "123\xC2\xA3", 5);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct config *config = load_text(tests[i].yaml);
        assert_string_equal(config->upstreams[0].auth_header, tests[i].header);
        config_free(config);
    }
}

static void relative_paths_start_at_the_file(void **state) {
    (void)state;
    static const char yaml[] = UPSTREAM_WITH("tls: {ca: ../ca.pem}") TOOL;
    mkdir("inner", 0700);
    write_file("ca.pem", "", 0);
    write_file("inner/test.yaml", yaml, sizeof yaml - 1);
    struct config_error error;
    struct config *config = config_load("inner/test.yaml", &error);
    assert_non_null(config);
    assert_string_equal(config->upstreams[0].ca_file, "inner/../ca.pem");
    assert_string_equal(config->file, "inner/test.yaml");
    config_free(config);
}

static void tools_are_found_by_name(void **state) {
    (void)state;
    enum { TOOLS = 1000 };
    struct arena *arena = arena_new_on_heap(4u << 20);
    struct text yaml = text_new(arena, 1u << 20);
    text_add_string(&yaml, UPSTREAM "tools:\n");
    for (unsigned i = 0; i < TOOLS; i++) {
        text_add_format(&yaml, "- {name: tool%u, request: {upstream: u, method: GET, path: /}}\n",
                        i * 7919 % TOOLS);
    }
    struct config *config = load_text(yaml.bytes);
    assert_int_equal(config->tool_count, TOOLS);
    for (size_t i = 0; i < TOOLS; i++) {
        const char *name = config->tools[i].name;
        assert_ptr_equal(config_tool(config, name, strlen(name)), &config->tools[i]);
    }
    assert_null(config_tool(config, "tool1000", 8));
    assert_null(config_tool(config, "tool", 4));
    assert_null(config_tool(config, "", 0));
    assert_null(config_tool(config, "TOOL1", 5));
    assert_null(config_tool(config, "tool1\0", 6));
    config_free(config);
    arena_free(arena);
}

/* ---- secrets ---- */

#define SECRET "hunter2-0123456789"

static void literal_secrets(void **state) {
    (void)state;
    static const struct refusal tests[] = {
        {AUTH("bearer: " SECRET), "1: /upstreams/u/auth/bearer: ", "{env: NAME}"},
        {AUTH("basic: {username: u, password: " SECRET "}"),
         "1: /upstreams/u/auth/basic/password: ", "{file: PATH}"},
        {AUTH("header: {name: X-Key, value: " SECRET "}"),
         "1: /upstreams/u/auth/header/value: ", "{env: NAME}"},
        {UPSTREAM_WITH("auth: " SECRET) TOOL, "1: /upstreams/u/auth: ", "{env: NAME}"},
        {AUTH("bearer: [" SECRET "]"), "1: /upstreams/u/auth/bearer: ", "{env: NAME}"},
        {AUTH("bearer: {env: " SECRET "}"), "1: /upstreams/u/auth/bearer/env: ", "the name of"},
    };
    CHECK_REFUSALS(tests);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct config_error error;
        assert_null(config_parse("test.yaml", tests[i].yaml, strlen(tests[i].yaml), &error));
        assert_null(strstr(error.text, "hunter2"));
    }
}

static void secrets_that_are_none(void **state) {
    (void)state;
    static const struct refusal missing[] = {
        {AUTH("bearer: {env: CONFIG_TEST_UNSET}"),
         "1: /upstreams/u/auth/bearer/env: ", "CONFIG_TEST_UNSET is not set"},
        {AUTH("bearer: {file: no-such-file}"),
         "1: /upstreams/u/auth/bearer/file: ", "no-such-file cannot be read: No such file"},
        {AUTH("bearer: {file: .}"), "1: /upstreams/u/auth/bearer/file: ", "is not a file"},
        {AUTH("bearer: {file: /dev/zero}"), "1: /upstreams/u/auth/bearer/file: ", "is not a file"},
        {UPSTREAM_WITH("tls: {ca: no-such-file}") TOOL,
         "1: /upstreams/u/tls/ca: ", "no-such-file cannot be read"},
        {UPSTREAM_WITH("tls: {ca: /dev/null}") TOOL, "1: /upstreams/u/tls/ca: ", "is not a file"},
    };
    CHECK_REFUSALS(missing);
    static const struct {
        const char *secret, *holds;
    } tests[] = {
        {"", "is empty"},
        {SECRET "\nX-Admin: 1", "control character"},
        {SECRET "\t", "control character"},
        {SECRET "\x7F", "control character"},
        {" " SECRET, "begins or ends with a space"},
        {SECRET " ", "begins or ends with a space"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        setenv("CONFIG_TEST", tests[i].secret, 1);
        write_file("secret", tests[i].secret, strlen(tests[i].secret));
        static const char *const yaml[] = {AUTH("bearer: {env: CONFIG_TEST}"),
                                           AUTH("bearer: {file: secret}")};
        for (size_t j = 0; j < 2; j++) {
            struct config_error error;
            assert_null(config_parse("test.yaml", yaml[j], strlen(yaml[j]), &error));
            assert_non_null(strstr(error.text, tests[i].holds));
            assert_null(strstr(error.text, "hunter2"));
        }
    }
}

static void a_secret_has_a_longest(void **state) {
    (void)state;
    static char secret[SECRET_BYTES_MAX + 2];
    static const char *const yaml[] = {AUTH("bearer: {env: CONFIG_TEST}"),
                                       AUTH("bearer: {file: secret}")};
    for (size_t length = SECRET_BYTES_MAX; length <= SECRET_BYTES_MAX + 1; length++) {
        memset(secret, 'x', length);
        setenv("CONFIG_TEST", secret, 1);
        write_file("secret", secret, length);
        for (size_t j = 0; j < 2; j++) {
            struct config_error error;
            struct config *config = config_parse("test.yaml", yaml[j], strlen(yaml[j]), &error);
            assert_int_equal(config != NULL, length == SECRET_BYTES_MAX);
            config_free(config);
        }
    }
}

/* ---- errors and files ---- */

static void an_error_never_overflows(void **state) {
    (void)state;
    struct arena *arena = arena_new_on_heap(4u << 20);
    struct text yaml = text_new(arena, 1u << 20);
    for (unsigned i = 0; i < 500; i++) {
        text_add_format(&yaml, "unknown-setting-%u: 1\n", i);
    }
    struct config_error error;
    assert_null(config_parse("test.yaml", yaml.bytes, yaml.length, &error));
    size_t length = strlen(error.text);
    assert_in_range(length, sizeof error.text - 400, sizeof error.text - 1);
    assert_non_null(strstr(error.text, "unknown-setting-3: "));
    assert_int_not_equal(error.text[length - 1], '\n');
    arena_free(arena);
}

static void files_that_cannot_be_read(void **state) {
    (void)state;
    struct config_error error;
    assert_null(config_load("none.yaml", &error));
    assert_string_equal(error.text, "none.yaml: cannot be read: No such file or directory");
    assert_null(config_load(".", &error));
    assert_string_equal(error.text, ".: is a folder, not a file");
    char *large = malloc(CONFIG_FILE_BYTES_MAX + 1);
    memset(large, '\n', CONFIG_FILE_BYTES_MAX + 1);
    memcpy(large, UPSTREAM TOOL, strlen(UPSTREAM TOOL));
    for (size_t more = 0; more <= 1; more++) {
        write_file("large.yaml", large, CONFIG_FILE_BYTES_MAX + more);
        struct config *config = config_load("large.yaml", &error);
        assert_int_equal(config != NULL, more == 0);
        config_free(config);
    }
    assert_string_equal(error.text, "large.yaml: is larger than 4 MiB");
    free(large);
}

static int enter_folder(void **state) {
    static char folder[] = "/tmp/config_test.XXXXXX";
    *state = mkdtemp(folder);
    return *state && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state) {
    static const char *const files[] = {"secret", "sesame",          "pound",
                                        "ca.pem", "inner/test.yaml", "large.yaml"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        unlink(files[i]);
    }
    rmdir("inner");
    return rmdir(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(everything_that_can_be_set),
        cmocka_unit_test(secrets_become_header_lines),
        cmocka_unit_test(relative_paths_start_at_the_file),
        cmocka_unit_test(tools_are_found_by_name),
        cmocka_unit_test(literal_secrets),
        cmocka_unit_test(secrets_that_are_none),
        cmocka_unit_test(a_secret_has_a_longest),
        cmocka_unit_test(an_error_never_overflows),
        cmocka_unit_test(files_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
