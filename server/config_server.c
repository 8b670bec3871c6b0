#include <arpa/inet.h>
#include <string.h>

#include "server/config_reader.h"

#define LISTEN_DEFAULT "127.0.0.1:8080"
#define PATH_DEFAULT "/mcp"
#define NAME_DEFAULT "plateau"

static bool set_ipv6(struct config_address *to, const char *host, uint16_t port) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (inet_pton(AF_INET6, host, &address.sin6_addr) != 1) {
        return false;
    }
    memcpy(&to->socket, &address, sizeof address);
    to->length = sizeof address;
    return true;
}

static bool set_ipv4(struct config_address *to, const char *host, uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (strcmp(host, "*") != 0 && inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        return false;
    }
    memcpy(&to->socket, &address, sizeof address);
    to->length = sizeof address;
    return true;
}

/* HOST:PORT, where an IPv6 address stands in brackets. */
static bool set_address(struct config_address *to, const char *listen) {
    char host[INET6_ADDRSTRLEN];
    const char *colon = strrchr(listen, ':');
    uint16_t port;
    if (!colon || !config_read_port(colon + 1, &port)) {
        return false;
    }
    size_t length = (size_t)(colon - listen);
    bool brackets = length >= 2 && listen[0] == '[' && listen[length - 1] == ']';
    if (brackets) {
        listen++;
        length -= 2;
    }
    if (length >= sizeof host) {
        return false;
    }
    memcpy(host, listen, length);
    host[length] = '\0';
    return brackets ? set_ipv6(to, host, port) : set_ipv4(to, host, port);
}

static void read_address(struct config_reader *reader, const struct json *listen,
                         const char *otherwise, struct config_address *address) {
    address->text = config_string(listen, otherwise);
    if (address->text && !set_address(address, address->text)) {
        config_complain(reader, listen,
                        "\"%.80s\" is no address to listen on; write it as 127.0.0.1:8080, "
                        "[::1]:8080 or *:8080",
                        address->text);
    }
}

void config_read_server(struct config_reader *reader) {
    struct config *config = reader->config;
    const struct json *server = json_member(reader->root, "server");
    const struct json *path = json_member(server, "path");
    read_address(reader, json_member(server, "listen"), LISTEN_DEFAULT, &config->server.listen);
    read_address(reader, json_member(server, "admin"), NULL, &config->server.admin);
    config->server.path = config_string(path, PATH_DEFAULT);
    config->server.name = config_string(json_member(server, "name"), NAME_DEFAULT);
    config->server.instructions = config_string(json_member(server, "instructions"), NULL);
    if (path) {
        config_check_path(reader, path, path->bytes);
    }
}

void config_read_limits(struct config_reader *reader) {
    struct config *config = reader->config;
    const struct json *limits = json_member(reader->root, "limits");
    const struct json *calls = json_member(limits, "calls");
    int64_t calls_max = 0;
    if (calls && !json_to_int64(calls, &calls_max)) {
        config_complain(reader, calls, "must be a whole number");
    }
    config->limits.calls_max = (uint32_t)calls_max;
    config->limits.memory_bytes =
        config_size(reader, json_member(limits, "memory"), MEMORY_BYTES_MIN, MEMORY_BYTES_MAX, 0);
    config->limits.request_bytes_max =
        (uint32_t)config_size(reader, json_member(limits, "request"), BODY_BYTES_MIN,
                              BODY_BYTES_MAX, REQUEST_BYTES_DEFAULT);
    config->limits.response_bytes_max =
        (uint32_t)config_size(reader, json_member(limits, "response"), BODY_BYTES_MIN,
                              BODY_BYTES_MAX, RESPONSE_BYTES_DEFAULT);
}
