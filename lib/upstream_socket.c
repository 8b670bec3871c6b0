#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/upstream_internal.h"

bool socket_setup(struct upstream *upstream, struct problem *problem) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    upstream->sockets_max = files.rlim_cur > INT32_MAX ? INT32_MAX : (int)files.rlim_cur;
    /* Reserved by calloc, resident only where descriptors are in use. */
    upstream->sockets = calloc((size_t)upstream->sockets_max, sizeof *upstream->sockets);
    upstream->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!upstream->sockets || upstream->epoll < 0) {
        problem_set(problem, "the upstream thread's epoll could not be set up: %m");
        return false;
    }
    return true;
}

static void watch(struct upstream *upstream, int descriptor, uint32_t events) {
    struct watched_socket *watched = &upstream->sockets[descriptor];
    if (watched->registered == events) {
        return;
    }
    struct epoll_event event = {
        .events = events,
        .data.u64 = (uint64_t)watched->generation << 32 | (uint32_t)descriptor,
    };
    int operation = watched->registered == 0 ? EPOLL_CTL_ADD
                    : events == 0            ? EPOLL_CTL_DEL
                                             : EPOLL_CTL_MOD;
    (void)epoll_ctl(upstream->epoll, operation, descriptor, &event);
    if (events & ~watched->registered & EPOLLIN) {
        watched->readable_round = upstream->round; /* not known: libcurl may look */
    }
    watched->registered = events;
}

static uint32_t events_of(int what) {
    uint32_t events = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) {
        events |= EPOLLIN;
    }
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) {
        events |= EPOLLOUT;
    }
    return events;
}

/* CURLMOPT_SOCKETFUNCTION. A socket that libcurl lets go of stays registered for reading: it is
 * most likely reused, and if the service closes it meanwhile we want to know. */
static int socket_wanted(CURL *easy, curl_socket_t descriptor, int what, void *data, void *unused) {
    (void)easy, (void)unused;
    struct shard *shard = data;
    struct upstream *upstream = shard->target->upstream;
    struct watched_socket *watched = &upstream->sockets[descriptor];
    watched->wanted = events_of(what);
    if (watched->closed_by_peer && watched->wanted) {
        watched->closed_by_peer = false;
        shard->closed_by_peer--;
    }
    if (what != CURL_POLL_REMOVE && watched->shard != shard) {
        watched->shard = shard; /* a descriptor libcurl opened for itself (name look-up) */
    }
    if (what == CURL_POLL_REMOVE) {
        if (watched->registered & EPOLLOUT) {
            watch(upstream, descriptor, EPOLLIN);
        }
    } else if ((watched->registered & watched->wanted) != watched->wanted ||
               (watched->registered & ~watched->wanted & EPOLLOUT)) {
        watch(upstream, descriptor, watched->wanted);
    }
    return 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int timer_wanted(CURLM *multi, long delay_ms, void *data) {
    (void)multi;
    struct shard *shard = data;
    shard->timer_ms = delay_ms < 0 ? NEVER : clock_ms() + (uint64_t)delay_ms;
    return 0;
}

void socket_setup_shard(struct shard *shard) {
    shard->timer_ms = NEVER;
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard);
}

void socket_run_timer(struct shard *shard) {
    int running;
    shard->timer_ms = NEVER; /* libcurl sets it anew if it still wants one */
    shard->touched = true;
    curl_multi_socket_action(shard->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

void socket_event(struct upstream *upstream, uint64_t data, uint32_t events) {
    int descriptor = (int)(uint32_t)data;
    struct watched_socket *watched = &upstream->sockets[descriptor];
    if (!watched->shard || watched->generation != (uint32_t)(data >> 32)) {
        return;
    }
    uint32_t failed = events & (EPOLLERR | EPOLLHUP);
    watched->readable_round = upstream->round;
    if (!(events & watched->wanted) && !(failed && watched->wanted)) {
        /* Nobody asked: an idle connection that the service closed, or bytes nobody waits for yet.
         * libcurl finds out when it looks at the connection next; until then epoll must not spin on
         * it. */
        if (watched->wanted == 0 && !watched->closed_by_peer) {
            watched->closed_by_peer = true;
            watched->shard->closed_by_peer++;
        }
        watch(upstream, descriptor, watched->wanted);
        return;
    }
    int mask = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (failed ? CURL_CSELECT_ERR : 0);
    int running;
    watched->shard->touched = true;
    curl_multi_socket_action(watched->shard->multi, descriptor, mask, &running);
}

static bool is_private_v4(uint32_t address) {
    return address >> 24 == 0 || address >> 24 == 10 || address >> 24 == 127 ||
           address >> 20 == 0xAC1 || address >> 16 == 0xC0A8 || address >> 16 == 0xA9FE ||
           address >> 22 == (0x64400000u >> 22) || address >> 28 >= 0xE;
}

/* Loopback, private, link-local, shared, multicast: RFC 6890's special-purpose addresses that lead
 * inside. */
static bool is_private(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        return is_private_v4(
            ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6) {
        return true;
    }
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(v6)) {
        uint32_t v4;
        memcpy(&v4, &v6->s6_addr[12], sizeof v4);
        return is_private_v4(ntohl(v4));
    }
    return IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_UNSPECIFIED(v6) || IN6_IS_ADDR_LINKLOCAL(v6) ||
           IN6_IS_ADDR_MULTICAST(v6) || (v6->s6_addr[0] & 0xFE) == 0xFC;
}

/* CURLOPT_OPENSOCKETFUNCTION: the last word on where a name leads, before a connect. */
curl_socket_t socket_open(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
    struct transfer *transfer = data;
    struct upstream *upstream = transfer->upstream;
    if (purpose == CURLSOCKTYPE_IPCXN && !transfer->shard->target->private_addresses &&
        is_private(&address->addr)) {
        transfer->address_refused = true;
        return CURL_SOCKET_BAD;
    }
    int descriptor = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (descriptor < 0) {
        return CURL_SOCKET_BAD;
    }
    if (descriptor >= upstream->sockets_max) {
        close(descriptor);
        return CURL_SOCKET_BAD;
    }
    struct watched_socket *watched = &upstream->sockets[descriptor];
    *watched = (struct watched_socket){
        .shard = transfer->shard,
        .generation = watched->generation + 1,
    };
    transfer->shard->open++;
    transfer->shard->target->open++;
    if (!transfer->connecting) {
        transfer->connecting = true;
        transfer->shard->connecting++;
        transfer->shard->target->connecting++;
        upstream->connecting++;
    }
    return descriptor;
}

/* CURLOPT_CLOSESOCKETFUNCTION */
int socket_close(void *data, curl_socket_t descriptor) {
    struct upstream *upstream = data;
    struct watched_socket *watched = &upstream->sockets[descriptor];
    struct shard *shard = watched->shard;
    if (shard) {
        shard->closed_by_peer -= watched->closed_by_peer;
        shard->open--;
        shard->target->open--;
        watched->shard = NULL;
        watched->registered = 0;
    }
    return close(descriptor);
}
