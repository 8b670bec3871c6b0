#include <arpa/inet.h>
#include <string.h>

#include "lib/text.h"
#include "server/config_reader.h"

#define UPSTREAM_TIMEOUT_MS_DEFAULT 10000u

/* ---- the URL ---- */

/* A host as it may stand in a URL: a name of letters, digits, "-" and ".", an IPv4 address, or an
 * IPv6 one in brackets. */
static bool is_host(const char *host, size_t length) {
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    char copy[256];
    if (length == 0 || length >= sizeof copy) {
        return false;
    }
    memcpy(copy, host, length);
    copy[length] = '\0';
    if (copy[0] == '[' && copy[length - 1] == ']') {
        struct in6_addr address;
        copy[length - 1] = '\0';
        return inet_pton(AF_INET6, copy + 1, &address) == 1;
    }
    return copy[0] != '.' && copy[0] != '-' && strspn(copy, characters) == length;
}

static bool is_authority(const char *authority, size_t length) {
    const char *bracket = memchr(authority, ']', length);
    const char *from = bracket ? bracket : authority;
    const char *colon = memchr(from, ':', length - (size_t)(from - authority));
    if (!colon) {
        return is_host(authority, length);
    }
    char port[8];
    uint16_t number;
    size_t port_length = length - (size_t)(colon + 1 - authority);
    if (port_length >= sizeof port) {
        return false;
    }
    memcpy(port, colon + 1, port_length);
    port[port_length] = '\0';
    return config_read_port(port, &number) && number > 0 &&
           is_host(authority, (size_t)(colon - authority));
}

/* What is wrong with the URL as text, or NULL. */
static const char *url_fault(const struct json *url, const char *authority,
                             size_t authority_length) {
    if (memchr(authority, '@', authority_length)) {
        return "must hold no user name or password; write them under \"auth\"";
    }
    if (strchr(url->bytes, '?')) {
        return "must hold no query; write parameters under \"query\" of a tool's request";
    }
    if (strchr(url->bytes, '#')) {
        return "must hold no fragment (\"#\")";
    }
    if (strpbrk(url->bytes, "{}")) {
        return "takes no holes: no argument can choose the host";
    }
    if (!is_authority(authority, authority_length)) {
        return "must name a host, and at most a port from 1 to 65535 behind it";
    }
    return NULL;
}

/* Complains where scheme and TLS do not fit each other; returns the part behind the scheme, or
 * NULL. */
static const char *behind_scheme(struct config_reader *reader, const struct json *url, bool tls) {
    if (strncmp(url->bytes, "https://", 8) == 0) {
        if (!tls) {
            config_complain(reader, url, "says https:// but \"tls\" is off; drop one of the two");
        }
        return url->bytes + 8;
    }
    if (strncmp(url->bytes, "http://", 7) == 0) {
        if (tls) {
            config_complain(reader, url,
                            "must start with https://; only with \"tls: off\" it may be http://, "
                            "and then everything is sent in the clear");
        }
        return url->bytes + 7;
    }
    config_complain(reader, url, "must start with https://");
    return NULL;
}

/* The URL without a slash at its end; NULL after a complaint. */
static const char *read_url(struct config_reader *reader, const struct json *url, bool tls) {
    const char *authority = behind_scheme(reader, url, tls);
    if (!authority) {
        return NULL;
    }
    size_t authority_length = strcspn(authority, "/?#");
    const char *fault = url_fault(url, authority, authority_length);
    if (fault) {
        config_complain(reader, url, "%s", fault);
        return NULL;
    }
    const char *path = authority + authority_length;
    if (*path != '\0' && !config_check_path(reader, url, path)) {
        return NULL;
    }
    size_t length = strlen(url->bytes);
    char *copy = config_alloc(reader, length + 1);
    if (copy) {
        memcpy(copy, url->bytes, length - (url->bytes[length - 1] == '/'));
    }
    return copy;
}

/* ---- the rest ---- */

static enum config_http read_http(const struct json *http) {
    if (!http || json_string_is(http, "auto")) {
        return CONFIG_HTTP_AUTO;
    }
    return http->bytes[0] == '1' ? CONFIG_HTTP_1 : CONFIG_HTTP_2;
}

/* An address, or localhost, says by itself that it is meant; a name may lead anywhere, so inside
 * needs a word. */
static bool names_its_address(const char *url) {
    char host[64];
    struct in6_addr address;
    const char *start = strstr(url, "://") + 3;
    size_t length = *start == '[' ? strcspn(++start, "]") : strcspn(start, ":/");
    if (length >= sizeof host) {
        return false;
    }
    memcpy(host, start, length);
    host[length] = '\0';
    return strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &address) == 1 ||
           inet_pton(AF_INET6, host, &address) == 1;
}

static void read_upstream(struct config_reader *reader, const struct json *node,
                          struct config_upstream *upstream) {
    const struct json *tls = json_member(node, "tls");
    const struct json *ca = json_member(tls, "ca");
    const struct json *connections = json_member(node, "connections");
    int64_t connections_max = 0;
    upstream->name = node->name;
    upstream->tls = !json_string_is(tls, "off");
    upstream->url = read_url(reader, json_member(node, "url"), upstream->tls);
    const struct json *private_addresses = json_member(node, "private_addresses");
    upstream->private_addresses = private_addresses
                                      ? private_addresses->type == JSON_TRUE
                                      : upstream->url && names_its_address(upstream->url);
    upstream->ca_file = ca ? config_readable_file(reader, ca) : NULL;
    upstream->http = read_http(json_member(node, "http"));
    upstream->auth_header = config_auth_header(reader, json_member(node, "auth"));
    upstream->timeout_ms =
        config_duration(reader, json_member(node, "timeout"), UPSTREAM_TIMEOUT_MS_DEFAULT);
    if (connections && !json_to_int64(connections, &connections_max)) {
        config_complain(reader, connections, "must be a whole number");
    }
    upstream->connections_max = (uint32_t)connections_max;
}

void config_read_upstreams(struct config_reader *reader) {
    const struct json *map = json_member(reader->root, "upstreams");
    struct config_upstream *upstreams = config_alloc(reader, map->length * sizeof *upstreams);
    if (!upstreams) {
        return;
    }
    struct config_upstream *upstream = upstreams;
    for (const struct json *node = map->first; node; node = node->next) {
        read_upstream(reader, node, upstream++);
    }
    reader->config->upstreams = upstreams;
    reader->config->upstream_count = map->length;
}
