#include "test/messaging/connection.h"

#include "test/messaging/memory.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum phase { PHASE_HANDSHAKE, PHASE_OPEN, PHASE_FINISHING, PHASE_LINGERING, PHASE_DEAD };

struct connection {
    struct watcher watcher; /* first: epoll's pointer is ours */
    struct connections *all;
    LIST_ENTRY(connection) of_all;
    STAILQ_ENTRY(connection) of_touched;
    int descriptor;
    enum phase phase;
    bool touched; /* is in all->touched */
    bool paused;
    uint32_t watched;            /* epoll events asked for */
    struct tls_session *session; /* NULL: --plain */
    const struct protocol *protocol;
    void *state;        /* the protocol's; NULL in the handshake */
    struct bytes wire;  /* to be sent */
    size_t sent;        /* of it */
    struct timer timer; /* idle, then linger */
};

static struct connection *of_timer(struct timer *timer) {
    return (struct connection *)((char *)timer - offsetof(struct connection, timer));
}

void connection_touch(struct connection *c) {
    if (!c->touched) {
        c->touched = true;
        STAILQ_INSERT_TAIL(&c->all->touched, c, of_touched);
    }
}

/* Closes the socket now and leaves the rest to connections_settle(). */
static void die(struct connection *c) {
    if (c->phase != PHASE_DEAD) {
        c->phase = PHASE_DEAD;
        timers_stop(c->all->timers, &c->timer);
        close(c->descriptor);
        c->all->statistics->connections_open--;
        LIST_REMOVE(c, of_all);
        LIST_INSERT_HEAD(&c->all->dead, c, of_all);
    }
}

static void watch(struct connection *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = &c->watcher};

    if (events != c->watched) {
        c->watched = events;
        epoll_ctl(c->all->epoll, EPOLL_CTL_MOD, c->descriptor, &event);
    }
}

static void timer_over(struct timer *timer) {
    struct connection *c = of_timer(timer);

    if (c->phase == PHASE_OPEN) {
        c->protocol->leave(c->state);
    } else {
        die(c);
    }
}

void connection_busy(struct connection *c) {
    if (c->all->options->idle_timeout_ms > 0 && c->phase == PHASE_OPEN) {
        timers_start(c->all->timers, &c->timer, c->all->options->idle_timeout_ms, timer_over);
    }
}

bool connection_is_open(const struct connection *c) {
    return c->phase == PHASE_OPEN;
}

void connection_pause(struct connection *c, bool pause) {
    if (c->paused != pause) {
        c->paused = pause;
        connection_touch(c);
    }
}

size_t connection_room(const struct connection *c) {
    size_t waiting = c->wire.size - c->sent;

    return c->phase == PHASE_OPEN && waiting < WIRE_BYTES_HIGH ? WIRE_BYTES_HIGH - waiting : 0;
}

void connection_write(struct connection *c, const void *bytes, size_t size) {
    if (c->phase != PHASE_OPEN) {
        return;
    }
    if (!c->session) {
        bytes_append(&c->wire, bytes, size);
    } else if (!tls_write(c->session, bytes, size)) {
        die(c);
        return;
    }
    connection_touch(c);
}

void connection_finish(struct connection *c) {
    if (c->phase == PHASE_OPEN) {
        if (c->session) {
            tls_say_goodbye(c->session);
        }
        c->phase = PHASE_FINISHING;
        timers_start(c->all->timers, &c->timer, FINISH_MS, timer_over);
        connection_touch(c);
    }
}

void connection_reset(struct connection *c) {
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (c->phase != PHASE_DEAD) {
        setsockopt(c->descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        die(c);
    }
}

bool connection_end(struct connection *c, enum ending ending) {
    static const char garbage[] = "\xff\xfe\x00 this is no HTTP \x00\x01\x02\r\n\r\n";

    switch (ending) {
    case ENDING_RESET:
        connection_reset(c);
        return true;
    case ENDING_GARBAGE:
        connection_write(c, garbage, sizeof garbage - 1);
        connection_finish(c);
        return true;
    case ENDING_CLOSE:
        connection_finish(c);
        return true;
    default:
        return false;
    }
}

static void open_protocol(struct connection *c) {
    bool http2 = c->session && tls_chose_http2(c->session);

    c->phase = PHASE_OPEN;
    c->protocol = http2 ? &protocol_http2 : &protocol_http1;
    c->all->statistics->http2 += http2;
    c->state = c->protocol->open(c, c->all->service, c->all->options);
    connection_busy(c);
}

/* True when the handshake is done. */
static bool advance_handshake(struct connection *c) {
    enum tls_outcome outcome = tls_handshake(c->session);

    if (c->wire.size > 0) {
        connection_touch(c);
    }
    if (outcome == TLS_ENDED) {
        c->phase = PHASE_FINISHING; /* our alert is in the wire buffer */
        timers_start(c->all->timers, &c->timer, FINISH_MS, timer_over);
        connection_touch(c);
    }
    if (outcome != TLS_OK) {
        return false;
    }
    c->all->statistics->handshakes++;
    open_protocol(c);
    return true;
}

static void take_encrypted(struct connection *c, size_t size) {
    char *decrypted = c->all->decrypted;
    enum tls_outcome outcome = TLS_OK;

    tls_receive(c->session, c->all->received, size);
    if (c->phase == PHASE_HANDSHAKE && !advance_handshake(c)) {
        return;
    }
    while (outcome == TLS_OK && c->phase == PHASE_OPEN) {
        outcome = tls_read(c->session, decrypted, sizeof c->all->decrypted, &size);
        if (outcome == TLS_OK) {
            c->protocol->input(c->state, decrypted, size);
        }
    }
    if (outcome == TLS_ENDED && c->phase == PHASE_OPEN) {
        die(c);
    }
}

static void take(struct connection *c, size_t size) {
    if (c->phase == PHASE_HANDSHAKE && c->all->options->fail_handshake) {
        die(c);
    } else if (c->phase > PHASE_OPEN) {
        return; /* finishing: what the peer still says does not matter */
    } else if (c->session) {
        take_encrypted(c, size);
    } else {
        c->protocol->input(c->state, c->all->received, size);
    }
}

static void receive(struct connection *c) {
    ssize_t size = recv(c->descriptor, c->all->received, sizeof c->all->received, 0);

    if (size > 0) {
        take(c, (size_t)size);
    } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
        die(c);
    }
}

static void ready(struct watcher *watcher, uint32_t events) {
    struct connection *c = (struct connection *)watcher;

    if (c->phase == PHASE_DEAD) {
        return;
    }
    if (events & (EPOLLERR | EPOLLHUP)) {
        die(c);
        return;
    }
    if (events & EPOLLIN) {
        receive(c);
    } else if (events & EPOLLRDHUP) {
        die(c);
        return;
    }
    if (events & EPOLLOUT) {
        connection_touch(c);
    }
}

/* False: the socket takes no more for now, or the connection died. */
static bool send_wire(struct connection *c) {
    while (c->sent < c->wire.size) {
        ssize_t size =
            send(c->descriptor, c->wire.data + c->sent, c->wire.size - c->sent, MSG_NOSIGNAL);

        if (size < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                die(c);
            }
            return false;
        }
        c->sent += (size_t)size;
    }
    bytes_clear(&c->wire);
    c->sent = 0;
    return true;
}

static void settle(struct connection *c) {
    bool all_sent = true;

    do {
        if (c->phase == PHASE_OPEN) {
            c->protocol->produce(c->state);
        }
        if (c->phase == PHASE_DEAD || c->sent == c->wire.size) {
            break;
        }
        all_sent = send_wire(c);
    } while (all_sent);
    if (c->phase == PHASE_FINISHING && all_sent) {
        c->phase = PHASE_LINGERING;
        shutdown(c->descriptor, SHUT_WR);
        timers_start(c->all->timers, &c->timer, LINGER_MS, timer_over);
    }
    if (c->phase != PHASE_DEAD) {
        watch(c, (c->paused && c->phase == PHASE_OPEN ? 0u : EPOLLIN) | EPOLLRDHUP |
                     (all_sent ? 0u : EPOLLOUT));
    }
    c->touched = false; /* only now: what was written meanwhile was seen */
}

static void release(struct connection *c) {
    if (c->state) {
        c->protocol->free(c->state);
    }
    tls_close(c->session);
    bytes_free(&c->wire);
    LIST_REMOVE(c, of_all);
    free(c);
}

void connections_settle(struct connections *all) {
    while (!STAILQ_EMPTY(&all->touched)) {
        struct connection *c = STAILQ_FIRST(&all->touched);

        STAILQ_REMOVE_HEAD(&all->touched, of_touched);
        settle(c);
    }
    for (struct connection *c = LIST_FIRST(&all->dead), *next; c; c = next) {
        next = LIST_NEXT(c, of_all);
        release(c);
    }
}

void connections_free(struct connections *all) {
    while (!LIST_EMPTY(&all->all)) {
        die(LIST_FIRST(&all->all));
    }
    connections_settle(all);
}

void connection_accept(struct connections *all, int descriptor) {
    struct connection *c = memory_new(sizeof *c);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = &c->watcher};
    int on = 1;

    c->watcher.ready = ready;
    c->all = all;
    c->descriptor = descriptor;
    c->watched = event.events;
    LIST_INSERT_HEAD(&all->all, c, of_all);
    all->statistics->connections++;
    all->statistics->connections_open++;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->session = all->tls ? tls_open(all->tls, &c->wire) : NULL;
    if ((all->tls && !c->session) ||
        epoll_ctl(all->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        die(c);
        return;
    }
    if (!all->tls) {
        open_protocol(c);
    }
}
