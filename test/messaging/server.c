#include "test/messaging/server.h"

#include "lib/limits.h"
#include "test/messaging/connection.h"
#include "test/messaging/memory.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    struct connections connections;
    struct watcher listening;
    struct watcher signalled;
    int listener;
    int signals;
    struct timer accept_pause;
    bool stopping;
    char address[64];
};

static struct server *of_member(void *member, size_t offset) {
    return (struct server *)(void *)((char *)member - offset);
}

static bool watch(struct server *server, int descriptor, struct watcher *watcher) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watcher};

    return epoll_ctl(server->connections.epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

static void pause_over(struct timer *timer) {
    struct server *server = of_member(timer, offsetof(struct server, accept_pause));

    watch(server, server->listener, &server->listening);
}

/* Out of descriptors: look away for a moment, or epoll would wake us for ever. */
static void pause_accepting(struct server *server) {
    epoll_ctl(server->connections.epoll, EPOLL_CTL_DEL, server->listener, NULL);
    timers_start(server->connections.timers, &server->accept_pause, ACCEPT_PAUSE_MS, pause_over);
}

static void on_listening(struct watcher *watcher, uint32_t events) {
    struct server *server = of_member(watcher, offsetof(struct server, listening));
    int descriptor;

    (void)events;
    while ((descriptor = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
           0) {
        connection_accept(&server->connections, descriptor);
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        pause_accepting(server);
    }
}

static void on_signal(struct watcher *watcher, uint32_t events) {
    (void)events;
    of_member(watcher, offsetof(struct server, signalled))->stopping = true;
}

/* Cuts "[::1]:0" or "127.0.0.1:0" into host and port. */
static bool split(const char *listen_at, char *host, size_t room, const char **port) {
    const char *colon = strrchr(listen_at, ':');
    size_t size = colon ? (size_t)(colon - listen_at) : 0;

    if (size >= 2 && listen_at[0] == '[' && listen_at[size - 1] == ']') {
        listen_at++;
        size -= 2;
    }
    if (size == 0 || size >= room || colon[1] == '\0') {
        return false;
    }
    memcpy(host, listen_at, size);
    host[size] = '\0';
    *port = colon + 1;
    return true;
}

static int listen_on(const struct addrinfo *address) {
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (descriptor < 0) {
        return -1;
    }
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(descriptor, address->ai_addr, address->ai_addrlen) != 0 ||
        listen(descriptor, LISTEN_BACKLOG) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

static void name_address(struct server *server) {
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    char host[48], port[8];

    if (getsockname(server->listener, (struct sockaddr *)&bound, &size) == 0 &&
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        snprintf(server->address, sizeof server->address,
                 bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    }
}

static bool open_listener(struct server *server, const char *listen_at) {
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found = NULL;
    const char *port;
    char host[64];

    if (!split(listen_at, host, sizeof host, &port) ||
        getaddrinfo(host, port, &wanted, &found) != 0) {
        fprintf(stderr, "messaging: --listen '%s' is not ADDRESS:PORT, such as 127.0.0.1:8443\n",
                listen_at);
        return false;
    }
    server->listener = listen_on(found);
    freeaddrinfo(found);
    if (server->listener < 0) {
        fprintf(stderr, "messaging: --listen %s: %s\n", listen_at, strerror(errno));
        return false;
    }
    name_address(server);
    return true;
}

static void raise_descriptor_limit(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool open_signals(struct server *server) {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    server->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return server->signals >= 0;
}

static bool open_loop(struct server *server) {
    server->connections.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->connections.epoll < 0 || !open_signals(server) ||
        !watch(server, server->listener, &server->listening) ||
        !watch(server, server->signals, &server->signalled)) {
        fprintf(stderr, "messaging: the event loop could not be set up: %s\n", strerror(errno));
        return false;
    }
    return true;
}

struct server *server_new(const struct options *options, struct timers *timers,
                          struct statistics *statistics, struct service *service, struct tls *tls) {
    struct server *server = memory_new(sizeof *server);
    struct connections *connections = &server->connections;

    connections->options = options;
    connections->timers = timers;
    connections->statistics = statistics;
    connections->service = service;
    connections->tls = tls;
    STAILQ_INIT(&connections->touched);
    server->listening.ready = on_listening;
    server->signalled.ready = on_signal;
    server->listener = server->signals = connections->epoll = -1;
    raise_descriptor_limit();
    if (!open_listener(server, options->listen) || !open_loop(server)) {
        server_free(server);
        return NULL;
    }
    return server;
}

static void close_descriptor(int descriptor) {
    if (descriptor >= 0) {
        close(descriptor);
    }
}

void server_free(struct server *server) {
    if (server) {
        connections_free(&server->connections);
        timers_stop(server->connections.timers, &server->accept_pause);
        close_descriptor(server->listener);
        close_descriptor(server->signals);
        close_descriptor(server->connections.epoll);
        free(server);
    }
}

const char *server_address(const struct server *server) {
    return server->address;
}

void server_run(struct server *server) {
    struct timers *timers = server->connections.timers;
    struct epoll_event events[EVENTS_MAX];

    while (!server->stopping) {
        int count =
            epoll_wait(server->connections.epoll, events, EVENTS_MAX, timers_wait_ms(timers));

        timers_tick(timers);
        for (int i = 0; i < count; i++) {
            struct watcher *watcher = events[i].data.ptr;

            watcher->ready(watcher, events[i].events);
        }
        timers_run(timers);
        connections_settle(&server->connections);
    }
}
