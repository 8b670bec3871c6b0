/* upstream_internal: what the files of the upstream module share; nobody else includes it.
 *
 * Everything here belongs to the upstream thread, but for `submitted`, `asleep`, `ending` and
 * `stopping`.
 *
 *     upstream.c           the thread: queue in, loop, calls out
 *     upstream_target.c    a service: its CA chain, its shards, which of them takes the next call
 *     upstream_transfer.c  one call on one easy handle: options, callbacks, what became of it
 *     upstream_socket.c    libcurl's sockets and timers in epoll
 *     upstream_syscall.c   the system calls libcurl is spared */
#pragma once

#include <curl/curl.h>
#include <mbedtls/x509_crt.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/limits.h"
#include "lib/upstream.h"

#define NEVER UINT64_MAX

/* Part of a target's connections: one multi handle. A call is one transfer on one shard. */
struct shard {
    CURLM *multi;
    struct upstream_target *target;
    uint64_t timer_ms;  /* when libcurl wants to be called; NEVER */
    int open;           /* sockets */
    int closed_by_peer; /* of those: idle, and known to be of no use any more */
    int active;         /* transfers */
    int connecting;     /* of those, the ones that (may) open a connection */
    bool touched;       /* transfers may have ended since the last look */
};

struct transfer {
    CURL *easy;
    struct upstream *upstream;
    struct upstream_call *call;
    struct shard *shard;
    struct transfer *next, *previous; /* in the list of active ones; next: in the pool */
    struct curl_slist *headers;       /* in the call's arena */
    size_t body_read;                 /* bytes libcurl took of the body */
    bool connecting;                  /* counted in upstream->connecting */
    bool handed_over;
    bool address_refused;
    bool resend_refused; /* libcurl was kept from sending the request again */
    char error[CURL_ERROR_SIZE];
};

struct upstream_target {
    struct upstream *upstream;
    struct upstream_target *next;
    char *name;
    char *ca_file; /* for a libcurl that is not built with mbedTLS; NULL: with it */
    mbedtls_x509_crt ca_chain;
    enum upstream_http http; /* AUTO becomes one of the others with the first connection */
    bool tls, private_addresses;
    int connections_max;
    struct shard *shards;
    unsigned shard_count;
    unsigned next_shard;
    int open;       /* sockets of all shards */
    int connecting; /* of all shards */
    struct upstream_call *waiting, *waiting_last;
};

/* What epoll knows of a descriptor. Kept registered between transfers, so that a reused connection
 * costs no epoll_ctl. */
struct watched_socket {
    struct shard *shard;     /* NULL: not one of ours */
    uint32_t registered;     /* events in epoll */
    uint32_t wanted;         /* events libcurl asked for; 0: idle in its pool */
    bool closed_by_peer;     /* counted in the shard */
    uint64_t readable_round; /* the round of epoll_wait in which data was last known to be there */
    uint32_t generation; /* so that an event of a descriptor's former life is not taken for its new
                            one's */
};

struct upstream {
    uint32_t calls_max;
    struct upstream_target *targets;
    CURLSH *share;
    struct transfer *pool; /* idle easy handles, the last used first */
    struct transfer *active;
    int connecting; /* of all targets */
    struct upstream_call *finished, *finished_last;
    struct watched_socket *sockets; /* by descriptor */
    int sockets_max;
    struct pollfd *callers; /* scratch of the hang-up sweep */
    struct transfer **callers_of;
    uint64_t next_tick_ms;
    uint64_t round; /* epoll_wait() calls so far */
    struct upstream_batch batch;
    int epoll, wake;
    pthread_t thread;
    bool started;
    _Atomic(struct upstream_call *) submitted; /* a stack; anybody pushes */
    atomic_bool asleep;
    atomic_bool ending; /* calls end at once; the thread still takes them */
    atomic_bool stopping;
};

/* upstream.c */
/* Keeps the sentence in the call's arena as its problem. */
__attribute__((format(printf, 2, 3))) void upstream_explain(struct upstream_call *call,
                                                            const char *format, ...);
void upstream_finish_call(struct upstream *upstream, struct upstream_call *call);

/* upstream_target.c */
void target_enqueue(struct upstream_target *target, struct upstream_call *call);
/* Starts waiting calls for as long as a shard may take one. */
void target_dispatch(struct upstream_target *target);
/* Ends waiting calls whose deadline has passed or (all = true) every one. */
void target_expire_waiting(struct upstream_target *target, uint64_t now_ms, bool all);
void target_free(struct upstream_target *target);

/* upstream_transfer.c */
void transfer_start(struct shard *shard, struct upstream_call *call);
void transfer_end(struct transfer *transfer, CURLcode code);
void transfer_abandon(struct transfer *transfer);
void transfer_pool_free(struct upstream *upstream);
void transfer_connected(struct transfer *transfer);

/* upstream_socket.c */
bool socket_setup(struct upstream *upstream, struct problem *problem);
void socket_setup_shard(struct shard *shard);
void socket_event(struct upstream *upstream, uint64_t data, uint32_t events);
void socket_run_timer(struct shard *shard);
curl_socket_t socket_open(void *data, curlsocktype purpose, struct curl_sockaddr *address);
int socket_close(void *data, curl_socket_t descriptor);

/* upstream_syscall.c */
void syscall_on_this_thread(struct upstream *upstream);
