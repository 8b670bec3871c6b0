#include "test/unit/server/config_help.h"

#include <sys/socket.h>

static void the_published_limits_hold(void **state) {
    (void)state;
    static const struct {
        const char *yaml;
        bool taken;
    } tests[] = {
        {"limits: {memory: 1Mi}\n" UPSTREAM TOOL, true},
        {"limits: {memory: 1023Ki}\n" UPSTREAM TOOL, false},
        {"limits: {memory: 1024Gi}\n" UPSTREAM TOOL, true},
        {"limits: {memory: 1025Gi}\n" UPSTREAM TOOL, false},
        {"limits: {memory: 999999999999999Gi}\n" UPSTREAM TOOL, false},
        {"limits: {memory: 1e999}\n" UPSTREAM TOOL, false},
        {"limits: {request: 1Ki}\n" UPSTREAM TOOL, true},
        {"limits: {request: 1023}\n" UPSTREAM TOOL, false},
        {"limits: {response: 64Mi}\n" UPSTREAM TOOL, true},
        {"limits: {response: 67108865}\n" UPSTREAM TOOL, false},
        {"limits: {calls: 1}\n" UPSTREAM TOOL, true},
        {"limits: {calls: 0}\n" UPSTREAM TOOL, false},
        {"limits: {calls: 100000}\n" UPSTREAM TOOL, true},
        {"limits: {calls: 100001}\n" UPSTREAM TOOL, false},
        {UPSTREAM_WITH("timeout: 1ms") TOOL, true},
        {UPSTREAM_WITH("timeout: 0ms") TOOL, false},
        {UPSTREAM_WITH("timeout: 60m") TOOL, true},
        {UPSTREAM_WITH("timeout: 3600001ms") TOOL, false},
        {UPSTREAM_WITH("connections: 1") TOOL, true},
        {UPSTREAM_WITH("connections: 0") TOOL, false},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct config_error error;
        struct config *config =
            config_parse("test.yaml", tests[i].yaml, strlen(tests[i].yaml), &error);
        if (tests[i].taken != (config != NULL)) {
            fail_msg("%s\n%s", tests[i].yaml, error.text);
        }
        config_free(config);
    }
}

static void what_the_schema_refuses(void **state) {
    (void)state;
    static const struct refusal tests[] = {
        {"", "1: ", "empty"},
        {"a: b: c\n", "1: column", ""},
        {"[]\n", "1: ", ""},
        {"upstreams: {}\n" TOOL, "1: /upstreams", ""},
        {UPSTREAM, "1: ", "tools"},
        {UPSTREAM "tools: []\n", "2: /tools", ""},
        {UPSTREAM "tools:\n- name: t\n", "3: /tools/0", "request"},
        {UPSTREAM "tools:\n- {name: 'a b', request: {upstream: u, method: GET, path: /}}\n",
         "3: /tools/0/name", ""},
        {UPSTREAM TOOL_WITH("input: {}"), "2: /tools/0/input", "type"},
        {UPSTREAM TOOL_WITH("input: {type: string}"), "2: /tools/0/input/type", ""},
        {UPSTREAM TOOL_WITH("timeout: 10"), "2: /tools/0/timeout", "500ms"},
        {UPSTREAM TOOL_WITH("timeout: 10h"), "2: /tools/0/timeout", ""},
        {UPSTREAM TOOL_WITH("response: {keep: [a, a]}"), "2: /tools/0/response/keep", ""},
        {UPSTREAM REQUEST("method: HEAD, path: /"), "4: /tools/0/request/method", ""},
        {UPSTREAM REQUEST("method: get, path: /"), "4: /tools/0/request/method", ""},
        {UPSTREAM_WITH("tls: on") TOOL, "1: /upstreams/u/tls", ""},
        {UPSTREAM_WITH("http: 3") TOOL, "1: /upstreams/u/http", ""},
        {UPSTREAM_WITH("auth: {}") TOOL, "1: /upstreams/u/auth", ""},
        {AUTH("bearer: {env: A, file: b}"), "1: /upstreams/u/auth/bearer", ""},
        {"limits: {memory: 64MB}\n" UPSTREAM TOOL, "1: /limits/memory", "Ki, Mi or Gi"},
        {"limits: {memory: 64m}\n" UPSTREAM TOOL, "1: /limits/memory", "Ki, Mi or Gi"},
        {"limits: {calls: 1.5}\n" UPSTREAM TOOL, "1: /limits/calls", ""},
    };
    CHECK_REFUSALS(tests);
}

static void unknown_members(void **state) {
    (void)state;
    static const struct refusal tests[] = {
        {"limts: {}\n" UPSTREAM TOOL, "1: /limts: is no setting", "did you mean \"limits\"?"},
        {UPSTREAM REQUEST("methd: GET, path: /"), "4: /tools/0/request/methd: is no setting",
         "did you mean \"method\"?"},
        {UPSTREAM TOOL_WITH("response: {\n keep: [a],\n wibble: 1}"),
         "4: /tools/0/response/wibble: is no setting", "known are keep"},
        {UPSTREAM_WITH("Timeout: 1s") TOOL, "1: /upstreams/u/Timeout: is no setting",
         "did you mean \"timeout\"?"},
        {UPSTREAM_WITH("a/b~c: 1") TOOL, "1: /upstreams/u/a~1b~0c: is no setting", ""},
        /* Two at once. */
        {"limts: {}\n" UPSTREAM TOOL_WITH("titel: x"), "1: /limts",
         "\ntest.yaml:3: /tools/0/titel: is no setting; did you mean \"title\"?"},
    };
    CHECK_REFUSALS(tests);
}

#define URL(url) "upstreams: {u: {url: '" url "'}}\n" TOOL

static void urls(void **state) {
    (void)state;
    static const struct refusal tests[] = {
        {URL("http://example.com"), "1: /upstreams/u/url: must start with https://", "tls: off"},
        {URL("ftp://example.com"), "1: /upstreams/u/url: must start with https://", ""},
        {URL("HTTPS://example.com"), "1: /upstreams/u/url: must start with https://", ""},
        {URL("example.com"), "1: /upstreams/u/url: must start with https://", ""},
        {URL(""), "1: /upstreams/u/url: must start with https://", ""},
        {UPSTREAM_WITH("tls: off") TOOL, "1: /upstreams/u/url: says https://", ""},
        {URL("https://user:pw@example.com"), "1: /upstreams/u/url: must hold no user name", ""},
        {URL("https://@evil"), "1: /upstreams/u/url: must hold no user name", ""},
        {URL("https://example.com?a=b"), "1: /upstreams/u/url: must hold no query", ""},
        {URL("https://example.com/a?b"), "1: /upstreams/u/url: must hold no query", ""},
        {URL("https://example.com#a"), "1: /upstreams/u/url: must hold no fragment", ""},
        {URL("https://{to}/"), "1: /upstreams/u/url: takes no holes", ""},
        {URL("https://example.com/{to}"), "1: /upstreams/u/url: takes no holes", ""},
        {URL("https://"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https:///path"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://:443"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://a:"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://a:0"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://a:65536"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://a:80x"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://a:000000080"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://a b"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://a\\\\b"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://::1"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://[::1"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://[zz]"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://[::1]x"), "1: /upstreams/u/url: must name a host", ""},
        {URL("https://a//b"), "1: /upstreams/u/url: a path holds no empty", ""},
        {URL("https://a/../b"), "1: /upstreams/u/url: a path holds no \".\"", ""},
        {URL("https://a/b c"), "1: /upstreams/u/url: a path holds no character 0x20", ""},
    };
    CHECK_REFUSALS(tests);
    static const char *const good[] = {URL("https://a"),          URL("https://a:65535"),
                                       URL("https://a-1.b"),      URL("https://[::1]"),
                                       URL("https://1.2.3.4/v1"), URL("https://[::1]:1/")};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        config_free(load_text(good[i]));
    }
}

#define LISTEN(listen) "server: {listen: '" listen "'}\n" UPSTREAM TOOL

static void addresses(void **state) {
    (void)state;
    static const char refusal[] = "1: /server/listen: ";
    static const struct refusal tests[] = {
        {LISTEN(""), refusal, "127.0.0.1:8080"},
        {LISTEN("8080"), refusal, ""},
        {LISTEN(":8080"), refusal, ""},
        {LISTEN("localhost:8080"), refusal, "localhost"},
        {LISTEN("127.0.0.1"), refusal, ""},
        {LISTEN("127.0.0.1:"), refusal, ""},
        {LISTEN("127.0.0.1:65536"), refusal, ""},
        {LISTEN("127.0.0.1:-1"), refusal, ""},
        {LISTEN("127.0.0.1:80x"), refusal, ""},
        {LISTEN("1.2.3:80"), refusal, ""},
        {LISTEN("::1:80"), refusal, ""},
        {LISTEN("[::1]"), refusal, ""},
        {LISTEN("[127.0.0.1]:80"), refusal, ""},
        {LISTEN("[*]:80"), refusal, ""},
        {LISTEN("1111111111111111111111111111111111111111111111111:80"), refusal, ""},
        {"server: {path: mcp}\n" UPSTREAM TOOL, "1: /server/path: ", "starts with"},
        {"server: {path: '/{to}'}\n" UPSTREAM TOOL, "1: /server/path: ", "no holes"},
        {"server: {path: '/a?b'}\n" UPSTREAM TOOL, "1: /server/path: ", "\"?\""},
    };
    CHECK_REFUSALS(tests);
    static const struct {
        const char *yaml;
        sa_family_t family;
    } good[] = {{LISTEN("*:0"), AF_INET},
                {LISTEN("0.0.0.0:65535"), AF_INET},
                {LISTEN("[::]:1"), AF_INET6},
                {LISTEN("[::ffff:1.2.3.4]:1"), AF_INET6}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct config *config = load_text(good[i].yaml);
        assert_int_equal(config->server.listen.socket.ss_family, good[i].family);
        config_free(config);
    }
}

static const struct refusal broken_tools[] = {
    {"upstreams: {messages: {url: 'https://a'}}\ntools:\n"
     "- {name: t, request: {upstream: mesages, method: GET, path: /}}\n",
     "3: /tools/0/request/upstream: ", "did you mean \"messages\"?"},
    {"upstreams: {messages: {url: 'https://a'}}\n" TOOL,
     "2: /tools/0/request/upstream: ", "no upstream \"u\""},
    {UPSTREAM "tools:\n- {name: t, request: {upstream: u, method: GET, path: /}}\n"
              "- {name: s, request: {upstream: u, method: GET, path: /}}\n"
              "- {name: t, request: {upstream: u, method: GET, path: /}}\n",
     "5: /tools/2/name: ", "two tools"},
    {UPSTREAM REQUEST("method: GET, path: /, body: {}"), "4: /tools/0/request/body: ", "GET"},
    {UPSTREAM REQUEST("method: GET, path: 'https://{to}/'"),
     "4: /tools/0/request/path: ", "starts with"},
    {UPSTREAM REQUEST("method: GET, path: '/{opt}'"), "4: /tools/0/request/path: {opt}",
     "required"},
    {UPSTREAM REQUEST("method: GET, path: '/{nope-nope}'"),
     "4: /tools/0/request/path: ", "names no"},
    {UPSTREAM REQUEST("method: GET, path: /, query: {\n a: '{x'}"),
     "5: /tools/0/request/query/a: ", "closes"},
    {UPSTREAM REQUEST("method: POST, path: /, body: {a: [\n\n '{nope-nope}']}"),
     "6: /tools/0/request/body/a/0: ", "names no"},
    {UPSTREAM REQUEST("method: GET, path: /, headers: {Host: x}"),
     "4: /tools/0/request/headers/Host: ", "plateau sets"},
    {UPSTREAM REQUEST("method: GET, path: /, headers: {content-length: 1}"),
     "4: /tools/0/request/headers/content-length: ", "plateau sets"},
    {UPSTREAM REQUEST("method: GET, path: /, headers: {Transfer-Encoding: chunked}"),
     "4: /tools/0/request/headers/Transfer-Encoding: ", "plateau sets"},
    {UPSTREAM REQUEST("method: GET, path: /, headers: {Connection: close}"),
     "4: /tools/0/request/headers/Connection: ", "plateau sets"},
    {UPSTREAM REQUEST("method: GET, path: /, headers: {'X: a': x}"),
     "4: /tools/0/request/headers/X: a: ", "no header name"},
    {UPSTREAM REQUEST("method: GET, path: /, headers: {\"X\\r\\nY\": x}"),
     "4: /tools/0/request/headers/", "no header name"},
    {UPSTREAM REQUEST("method: GET, path: /, headers: {'': x}"),
     "4: /tools/0/request/headers/: ", "no header name"},
    {UPSTREAM REQUEST("method: GET, path: /, headers: {X-A: 1, x-a: 2}"),
     "4: /tools/0/request/headers/x-a: ", "twice"},
    {UPSTREAM REQUEST("method: GET, path: /, headers: {X-A: \"a\\nb\"}"),
     "4: /tools/0/request/headers/X-A: ", "control"},
    {UPSTREAM_WITH("auth: {bearer: {env: CONFIG_TEST}}")
         REQUEST("method: GET, path: /, headers: {authorization: x}"),
     "4: /tools/0/request/headers/authorization: ", "\"auth\" sets"},
    {UPSTREAM TOOL_WITH("idempotency: {header: 'a b'}"),
     "2: /tools/0/idempotency/header: ", "no header name"},
    {UPSTREAM TOOL_WITH("idempotency: {header: Expect}"),
     "2: /tools/0/idempotency/header: ", "plateau sets"},
    {UPSTREAM TOOL_WITH("title: \"a\\0b\""), "2: /tools/0/title: ", "U+0000"},
    {UPSTREAM TOOL_WITH("input: {type: object, properties: {a: {type: strin}}}"),
     "2: /tools/0/input/properties/a/type", ""},
    {UPSTREAM TOOL_WITH("input: {type: object, properties: {a: {pattern: '('}}}"),
     "2: /tools/0/input/properties/a/pattern", ""},
    {UPSTREAM TOOL_WITH(
         "input: {type: object, properties: {a: {$ref: 'http://169.254.169.254/'}}}"),
     "2: /tools/0/input/properties/a/$ref", ""},
    {UPSTREAM TOOL_WITH("input: {type: object, properties: {a: {$ref: 'file:///etc/passwd'}}}"),
     "2: /tools/0/input/properties/a/$ref", ""},
};

static void tools_that_cannot_work(void **state) {
    (void)state;
    setenv("CONFIG_TEST", "s3cret!", 1);
    CHECK_REFUSALS(broken_tools);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_schema_refuses),
        cmocka_unit_test(unknown_members),
        cmocka_unit_test(urls),
        cmocka_unit_test(addresses),
        cmocka_unit_test(tools_that_cannot_work),
        cmocka_unit_test(the_published_limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
