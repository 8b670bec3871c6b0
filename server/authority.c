#include "server/authority.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

bool authority_is_valid(const char *host) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~[]:";
    return *host != '\0' && strspn(host, allowed) == strlen(host);
}

bool authority_is_loopback(const char *host) {
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    size_t length = strlen(host);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t name_length = strlen(names[i]);
        if (length >= name_length && strncasecmp(host, names[i], name_length) == 0) {
            const char *port = host + name_length;
            size_t digits = strspn(port + (*port == ':'), "0123456789");
            return length == name_length ||
                   (*port == ':' && digits <= 5 && name_length + 1 + digits == length);
        }
    }
    return false;
}

bool authority_is_loopback_address(const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET) {
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}
