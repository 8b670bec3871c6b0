#include "test/bench/load/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 * 1024,
    ANSWER_BYTES_MAX = 4 * 1024 * 1024, /* more is an error of the server under test */
    EVENTS_AT_ONCE = 256,
    OPENINGS_PER_S = 2000, /* a slower start than a SYN flood, whose retries would be measured */
    PAUSE_AFTER_ERROR_US = 50 * 1000, /* so that refusals do not become the load */
    DRAIN_US = 15 * 1000 * 1000,
};

enum phase { RESTING, CONNECTING, SENDING, WAITING, DONE };

struct connection {
    int fd; /* -1: none */
    enum phase phase;
    bool watches_write;
    bool idle; /* RESTING as an idle call, not between two calls */
    struct call call;
    char *out, *in;
    size_t out_size, out_bytes, out_sent;
    size_t in_size, in_bytes;
};

struct client {
    const struct load_options *o;
    struct tally *t;
    struct sockaddr_in to;
    int epoll_fd;
    struct connection *connections;
    uint64_t *due_us; /* by connection: when it acts without being called; 0 never */
    uint64_t now_us, random, issued;
    unsigned done;
    bool stopping;
};

static uint64_t clock_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U;
}

static double cpu_us(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static uint64_t draw(struct client *l, uint64_t below) {
    l->random ^= l->random << 13;
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;
    return below ? l->random % below : 0;
}

static void set_due(struct client *l, struct connection *c, uint64_t delay_us) {
    l->due_us[c - l->connections] = delay_us ? l->now_us + delay_us : 0;
}

static void watch(struct client *l, struct connection *c, int operation, bool write) {
    struct epoll_event event = {.events = EPOLLIN | (write ? (uint32_t)EPOLLOUT : 0U),
                                .data.u32 = (uint32_t)(c - l->connections)};
    epoll_ctl(l->epoll_fd, operation, c->fd, &event);
    c->watches_write = write;
}

static void close_connection(struct connection *c, bool reset) {
    if (c->fd < 0)
        return;
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(c->fd);
    c->fd = -1;
}

static void rest(struct client *l, struct connection *c, uint64_t delay_us) {
    c->phase = RESTING;
    set_due(l, c, delay_us ? delay_us : 1);
}

static void end_call(struct client *l, struct connection *c, const char *error,
                     const struct answer *answer) {
    tally_end_call(l->t, &c->call, l->now_us, error, answer);
    uint64_t pause_us = l->o->think_ms * UINT64_C(1000);
    c->in_bytes = 0;
    c->idle = false;
    rest(l, c, error && pause_us < PAUSE_AFTER_ERROR_US ? PAUSE_AFTER_ERROR_US : pause_us);
}

static void fail_call(struct client *l, struct connection *c, const char *error) {
    close_connection(c, false);
    end_call(l, c, error, NULL);
}

/* The server closed on us, which some calls are made to provoke. */
static void lose(struct client *l, struct connection *c, const char *error) {
    enum call_kind kind = c->call.kind;
    if (c->phase == RESTING) {
        close_connection(c, false);
        return;
    }
    bool expected = kind == CALL_OVERSIZED || kind == CALL_ABORT;
    fail_call(l, c, expected ? NULL : error);
}

static void send_more(struct client *l, struct connection *c) {
    size_t left = c->call.cut_bytes - c->out_sent;
    ssize_t sent = send(c->fd, c->out + c->out_sent, left, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        /* An answer may lie before the reset: a server may refuse before it has read it all. */
        if (c->call.kind == CALL_GOOD)
            lose(l, c, "reset_while_sending");
        else
            lose(l, c, NULL);
        return;
    }
    if (sent > 0)
        c->out_sent += (size_t)sent;
    bool all = c->out_sent == c->call.cut_bytes;
    if (c->watches_write == all)
        watch(l, c, EPOLL_CTL_MOD, !all);
    if (!all)
        return;
    c->phase = WAITING;
    if (c->call.kind == CALL_ABORT)
        set_due(l, c, 1 + draw(l, l->o->abort_ms * UINT64_C(1000)));
}

static void open_connection(struct client *l, struct connection *c) {
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        fail_call(l, c, "no_socket");
        return;
    }
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    l->t->connections_opened++;
    c->phase = CONNECTING;
    if (connect(c->fd, (struct sockaddr *)&l->to, sizeof l->to) && errno != EINPROGRESS)
        fail_call(l, c, "not_connected");
    else
        watch(l, c, EPOLL_CTL_ADD, true);
}

static void begin_sending(struct client *l, struct connection *c) {
    if (c->call.kind == CALL_IDLE) {
        if (c->watches_write)
            watch(l, c, EPOLL_CTL_MOD, false);
        c->idle = true;
        rest(l, c, l->o->idle_ms * UINT64_C(1000));
        return;
    }
    c->phase = SENDING;
    send_more(l, c);
}

static void connected(struct client *l, struct connection *c) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        fail_call(l, c, "not_connected");
    else
        begin_sending(l, c);
}

static enum call_kind pick_kind(struct client *l) {
    uint64_t at = draw(l, l->o->weight_sum);
    unsigned kind = 0;
    while (at >= l->o->weights[kind])
        at -= l->o->weights[kind++];
    return (enum call_kind)kind;
}

static unsigned pick_variant(struct client *l, enum call_kind kind) {
    if (kind == CALL_BAD)
        return (unsigned)draw(l, l->o->mode == LOAD_MCP ? BAD_VARIANTS : 1);
    return (unsigned)draw(l, kind == CALL_ABORT ? ABORT_VARIANTS : 1000);
}

static void finish(struct client *l, struct connection *c) {
    close_connection(c, false);
    c->phase = DONE;
    set_due(l, c, 0);
    l->done++;
}

static void start_call(struct client *l, struct connection *c) {
    if (l->o->requests && l->issued == l->o->requests)
        l->stopping = true;
    if (l->stopping) {
        finish(l, c);
        return;
    }
    enum call_kind kind = l->o->weight_sum > l->o->weights[CALL_GOOD] ? pick_kind(l) : CALL_GOOD;
    c->call = (struct call){.kind = kind, .number = ++l->issued, .started_us = l->now_us};
    if (kind != CALL_GOOD)
        c->call.variant = pick_variant(l, kind);
    l->t->issued[kind]++;
    c->out_bytes = request_build(l->o, &c->call, &c->out, &c->out_size);
    c->out_sent = c->in_bytes = 0;
    set_due(l, c, l->o->timeout_ms * UINT64_C(1000));
    if (c->fd < 0)
        open_connection(l, c);
    else
        begin_sending(l, c);
}

static void come_due(struct client *l, struct connection *c) {
    if (c->phase == RESTING) {
        if (c->idle) {
            c->idle = false;
            tally_end_call(l->t, &c->call, l->now_us, NULL, NULL);
        }
        start_call(l, c);
    } else if (c->call.kind == CALL_ABORT && c->phase == WAITING) {
        close_connection(c, c->call.number & 1);
        end_call(l, c, NULL, NULL);
    } else
        fail_call(l, c, "timeout");
}

static void take_answer(struct client *l, struct connection *c, const struct answer *answer) {
    const char *error = answer_check(l->o, &c->call, answer);
    bool extra = answer->total_bytes != c->in_bytes, unsent = c->out_sent < c->out_bytes;
    if (!error && extra)
        error = "extra_bytes";
    if (answer->closes || extra || unsent || c->call.kind == CALL_ABORT)
        close_connection(c, unsent);
    else if (c->watches_write)
        watch(l, c, EPOLL_CTL_MOD, false);
    end_call(l, c, error, answer);
    if (!error && !l->o->think_ms)
        start_call(l, c);
}

static bool make_room(struct connection *c) {
    if (c->in_size - c->in_bytes >= READ_BYTES / 2)
        return true;
    if (c->in_size >= ANSWER_BYTES_MAX)
        return false;
    c->in_size = c->in_size ? c->in_size * 2 : READ_BYTES;
    c->in = realloc(c->in, c->in_size);
    return c->in;
}

static void read_more(struct client *l, struct connection *c) {
    struct answer answer;
    if (!make_room(c)) {
        fail_call(l, c, "answer_too_long");
        return;
    }
    ssize_t got = recv(c->fd, c->in + c->in_bytes, c->in_size - c->in_bytes, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        bool begun = c->in_bytes > 0;
        lose(l, c, got < 0 ? "reset" : begun ? "answer_cut_short" : "closed_without_answer");
        return;
    }
    if (c->phase == RESTING) {
        tally_end_call(l->t, &c->call, l->now_us, "unasked_bytes", NULL);
        close_connection(c, false);
        return;
    }
    c->in_bytes += (size_t)got;
    switch (answer_parse(c->in, c->in_bytes, &answer)) {
    case ANSWER_COMPLETE:
        take_answer(l, c, &answer);
        break;
    case ANSWER_MALFORMED:
        fail_call(l, c, "malformed_answer");
        break;
    case ANSWER_PARTIAL:
        break;
    }
}

static void serve(struct client *l, struct connection *c, uint32_t events) {
    if (c->fd < 0)
        return;
    if (c->phase == CONNECTING) {
        connected(l, c);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_more(l, c);
    else if (c->phase == SENDING)
        send_more(l, c);
}

static void turn(struct client *l, int wait_ms) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(l->epoll_fd, events, EVENTS_AT_ONCE, wait_ms);
    l->now_us = clock_us();
    for (int i = 0; i < count; i++)
        serve(l, &l->connections[events[i].data.u32], events[i].events);
}

static void look_at_clock(struct client *l) {
    for (unsigned i = 0; i < l->o->connections; i++) {
        struct connection *c = &l->connections[i];
        bool due = l->due_us[i] && l->due_us[i] <= l->now_us;
        if (due || (l->stopping && c->phase == RESTING))
            come_due(l, c);
    }
}

static void announce(const struct load_options *o, const char *event) {
    if (!o->json)
        return;
    printf("{\"event\":\"%s\"}\n", event);
    fflush(stdout);
}

/* Opens the window after the warm-up and shuts it once, at its end. */
static void follow_window(struct client *l, uint64_t begin_us, uint64_t end_us) {
    static uint64_t opened_us;
    static double cpu_before_us;
    bool over = l->now_us >= end_us || (l->o->requests && l->done == l->o->connections);
    if (!opened_us && l->now_us >= begin_us) {
        opened_us = l->now_us;
        cpu_before_us = cpu_us();
        l->t->measuring = true;
        announce(l->o, "measuring");
    }
    if (!l->t->measuring || !over)
        return;
    announce(l->o, "measured");
    l->t->measuring = false;
    l->t->window_s = (double)(l->now_us - opened_us) / 1e6;
    l->t->cpu_us = cpu_us() - cpu_before_us;
    l->stopping = true;
}

static bool prepare(struct client *l) {
    l->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(l->o->port)};
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->connections = calloc(l->o->connections, sizeof *l->connections);
    l->due_us = calloc(l->o->connections, sizeof *l->due_us);
    if (inet_pton(AF_INET, l->o->host, &l->to.sin_addr) != 1 || l->epoll_fd < 0 ||
        !l->connections || !l->due_us) {
        fputs("bench_loader: the address is wrong, or memory or descriptors are out.\n", stderr);
        return false;
    }
    l->now_us = clock_us();
    for (unsigned i = 0; i < l->o->connections; i++) {
        l->connections[i].fd = -1;
        rest(l, &l->connections[i], 1 + i * (UINT64_C(1000000) / OPENINGS_PER_S));
    }
    return true;
}

bool client_run(const struct load_options *o, struct tally *t) {
    struct client l = {.o = o, .t = t, .random = o->seed * UINT64_C(0x9E3779B97F4A7C15)};
    if (!prepare(&l))
        return false;
    uint64_t begin_us = l.now_us + (uint64_t)(o->warmup_s * 1e6);
    uint64_t end_us = begin_us + (uint64_t)(o->duration_s * 1e6), looked_us = 0;
    int tick_ms = o->think_ms || o->weight_sum > o->weights[CALL_GOOD] ? 2 : 10;
    while (l.done < o->connections && l.now_us < end_us + DRAIN_US) {
        turn(&l, tick_ms);
        if (l.now_us - looked_us >= (uint64_t)tick_ms * 500) {
            look_at_clock(&l);
            looked_us = l.now_us;
        }
        follow_window(&l, begin_us, end_us);
    }
    for (unsigned i = 0; i < o->connections; i++) {
        struct connection *c = &l.connections[i];
        if (c->phase != DONE)
            fail_call(&l, c, "unanswered_at_the_end");
        free(c->out);
        free(c->in);
    }
    free(l.connections);
    free(l.due_us);
    close(l.epoll_fd);
    return true;
}
