/* authority: whom a request or a socket address names. Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* Only bytes that host[:port] may consist of, and at least one (RFC 9110 section 7.2). */
bool authority_is_valid(const char *host);

/* host[:port] whose host is localhost, 127.0.0.1 or [::1]. */
bool authority_is_loopback(const char *host);

/* A socket address of 127.0.0.0/8 or ::1. */
bool authority_is_loopback_address(const struct sockaddr_storage *address);
