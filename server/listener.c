#include "server/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/limits.h"

int listener_open(const struct config_address *address, const char *setting,
                  struct problem *problem) {
    int one = 1;
    int listener = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0) {
        problem_set(problem, "no socket to listen on could be had: %s", strerror(errno));
        return -1;
    }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (const struct sockaddr *)&address->socket, address->length) != 0 ||
        listen(listener, (int)LISTEN_BACKLOG) != 0) {
        problem_set(problem, "%s: %s cannot be listened on: %s", setting, address->text,
                    errno == EADDRINUSE
                        ? "another process has this port; stop it or choose another port"
                        : strerror(errno));
        close(listener);
        return -1;
    }
    return listener;
}

unsigned listener_port(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    struct sockaddr_in6 address = {0}; /* the port lies at the same place in sockaddr_in */
    socklen_t length = sizeof address;
    if (info && info->port != 0) {
        return info->port;
    }
    info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_LISTEN_FD);
    if (!info || getsockname(info->listen_fd, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    return ntohs(address.sin6_port);
}
