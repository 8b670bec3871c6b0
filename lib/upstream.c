#include "lib/upstream.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/upstream_internal.h"
#include "lib/upstream_memory.h"

#define WAKE_EVENT UINT64_MAX

struct upstream *upstream_new(const struct upstream_limits *limits, struct problem *problem) {
    uint32_t calls_max = limits->calls_max;
    struct upstream *upstream = calloc(1, sizeof *upstream);
    if (!upstream || !upstream_memory_setup(limits->curl_bytes, limits->tls_bytes)) {
        problem_set(problem, "libcurl and mbedTLS could not be given their memory");
        free(upstream);
        return NULL;
    }
    upstream->calls_max = calls_max;
    upstream->epoll = -1;
    upstream->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    upstream->share = curl_share_init();
    upstream->callers = calloc(calls_max, sizeof *upstream->callers);
    upstream->callers_of = calloc(calls_max, sizeof *upstream->callers_of);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_EVENT};
    if (upstream->wake < 0 || !upstream->share || !upstream->callers || !upstream->callers_of ||
        !socket_setup(upstream, problem) ||
        epoll_ctl(upstream->epoll, EPOLL_CTL_ADD, upstream->wake, &event) != 0) {
        problem_set(problem, "the upstream thread could not be set up: %m");
        upstream_free(upstream);
        return NULL;
    }
    /* Names and TLS sessions are known to all shards; one thread, so no locks. */
    curl_share_setopt(upstream->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(upstream->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return upstream;
}

void upstream_on_batch(struct upstream *upstream, struct upstream_batch batch) {
    upstream->batch = batch;
}

void upstream_submit(struct upstream *upstream, struct upstream_call *call) {
    struct upstream_call *head = atomic_load_explicit(&upstream->submitted, memory_order_relaxed);
    do {
        call->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&upstream->submitted, &head, call,
                                                    memory_order_seq_cst, memory_order_relaxed));
    /* Only a sleeping thread needs the system call; it looks at the queue once more before it
     * sleeps. */
    if (atomic_exchange(&upstream->asleep, false)) {
        uint64_t one = 1;
        (void)!write(upstream->wake, &one, sizeof one);
    }
}

void upstream_explain(struct upstream_call *call, const char *format, ...) {
    char sentence[PROBLEM_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    const char *copy = arena_copy(call->arena, sentence, strlen(sentence));
    call->problem = copy ? copy : "no memory is left to say what went wrong";
}

void upstream_finish_call(struct upstream *upstream, struct upstream_call *call) {
    call->next = NULL;
    if (upstream->finished_last) {
        upstream->finished_last->next = call;
    } else {
        upstream->finished = call;
    }
    upstream->finished_last = call;
}

/* Calls arrive on a stack, the last one first; they are served in the order they came. */
static void take_submitted(struct upstream *upstream) {
    struct upstream_call *call = atomic_exchange(&upstream->submitted, NULL), *ordered = NULL;
    while (call) {
        struct upstream_call *next = call->next;
        call->next = ordered;
        ordered = call;
        call = next;
    }
    while (ordered) {
        struct upstream_call *next = ordered->next;
        ordered->outcome = OUTCOME_UNKNOWN;
        ordered->problem = "";
        ordered->handed_over = false;
        /* The target was handed out as const: nobody but this thread may change it. */
        target_enqueue((struct upstream_target *)(uintptr_t)ordered->target, ordered);
        ordered = next;
    }
}

static void collect_ended(struct shard *shard) {
    int left;
    CURLMsg *message;
    shard->touched = false;
    while ((message = curl_multi_info_read(shard->multi, &left))) {
        if (message->msg == CURLMSG_DONE) {
            struct transfer *transfer;
            CURLcode code = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
            transfer_end(transfer, code);
        }
    }
}

/* Runs what is due on every shard and returns when the next timer is. */
static uint64_t run_shards(struct upstream *upstream) {
    uint64_t next_ms = NEVER, now_ms = clock_ms();
    for (struct upstream_target *target = upstream->targets; target; target = target->next) {
        target_dispatch(target);
        for (unsigned i = 0; i < target->shard_count; i++) {
            struct shard *shard = &target->shards[i];
            if (shard->timer_ms <= now_ms) {
                socket_run_timer(shard);
            }
            if (shard->touched) {
                collect_ended(shard);
            }
        }
        target_dispatch(target); /* connections may have become free */
        for (unsigned i = 0; i < target->shard_count; i++) {
            if (target->shards[i].timer_ms < next_ms) {
                next_ms = target->shards[i].timer_ms;
            }
        }
    }
    return next_ms;
}

static void deliver_finished(struct upstream *upstream) {
    struct upstream_call *call = upstream->finished;
    if (!call) {
        return;
    }
    upstream->finished = upstream->finished_last = NULL;
    if (upstream->batch.begin) {
        upstream->batch.begin();
    }
    while (call) {
        struct upstream_call *next = call->next; /* done() may end the call's memory */
        call->done(call);
        call = next;
    }
    if (upstream->batch.end) {
        upstream->batch.end();
    }
}

/* A call whose caller left is ended unless a message is already on its way: that one is seen
 * through, so that the log says what became of it, and its connection stays usable. */
static bool may_abandon(const struct transfer *transfer) {
    return !transfer->handed_over || strcmp(transfer->call->method, "GET") == 0;
}

static void look_for_hangups(struct upstream *upstream) {
    nfds_t count = 0;
    for (struct transfer *transfer = upstream->active; transfer; transfer = transfer->next) {
        if (transfer->call->caller_fd >= 0 && may_abandon(transfer) &&
            count < upstream->calls_max) {
            upstream->callers[count].fd = transfer->call->caller_fd;
            upstream->callers[count].events = POLLRDHUP;
            upstream->callers_of[count++] = transfer;
        }
    }
    if (count == 0 || poll(upstream->callers, count, 0) <= 0) {
        return;
    }
    for (nfds_t i = 0; i < count; i++) {
        if (upstream->callers[i].revents & (POLLRDHUP | POLLHUP | POLLERR)) {
            transfer_abandon(upstream->callers_of[i]);
        }
    }
}

static bool has_work(const struct upstream *upstream) {
    for (struct upstream_target *target = upstream->targets; target; target = target->next) {
        if (target->waiting) {
            return true;
        }
    }
    return upstream->active != NULL;
}

static void tick(struct upstream *upstream, uint64_t now_ms) {
    if (now_ms < upstream->next_tick_ms) {
        return;
    }
    upstream->next_tick_ms = now_ms + UPSTREAM_TICK_MS;
    for (struct upstream_target *target = upstream->targets; target; target = target->next) {
        target_expire_waiting(target, now_ms, false);
    }
    look_for_hangups(upstream);
}

static int sleep_ms(const struct upstream *upstream, uint64_t next_timer_ms) {
    uint64_t now_ms = clock_ms();
    uint64_t next_ms = next_timer_ms;
    if (has_work(upstream) && upstream->next_tick_ms < next_ms) {
        next_ms = upstream->next_tick_ms;
    }
    if (next_ms == NEVER) {
        return -1;
    }
    return next_ms <= now_ms ? 0 : next_ms - now_ms > 60000 ? 60000 : (int)(next_ms - now_ms);
}

static void wait_for_events(struct upstream *upstream, int timeout_ms) {
    struct epoll_event events[UPSTREAM_EVENTS_MAX];
    atomic_store(&upstream->asleep, true);
    if (atomic_load(&upstream->submitted) || atomic_load(&upstream->stopping)) {
        timeout_ms = 0;
    }
    upstream->round++;
    int count = epoll_wait(upstream->epoll, events, UPSTREAM_EVENTS_MAX, timeout_ms);
    atomic_store(&upstream->asleep, false);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == WAKE_EVENT) {
            uint64_t ignored;
            (void)!read(upstream->wake, &ignored, sizeof ignored);
        } else {
            socket_event(upstream, events[i].data.u64, events[i].events);
        }
    }
}

static void end_all(struct upstream *upstream) {
    while (upstream->active) {
        transfer_end(upstream->active, CURLE_ABORTED_BY_CALLBACK);
    }
    for (struct upstream_target *target = upstream->targets; target; target = target->next) {
        target_expire_waiting(target, 0, true);
    }
}

static void *upstream_thread(void *data) {
    struct upstream *upstream = data;
    syscall_on_this_thread(upstream);
    while (!atomic_load(&upstream->stopping)) {
        take_submitted(upstream);
        if (atomic_load(&upstream->ending)) {
            end_all(upstream);
        }
        uint64_t next_timer_ms = run_shards(upstream);
        tick(upstream, clock_ms());
        deliver_finished(upstream);
        wait_for_events(upstream, sleep_ms(upstream, next_timer_ms));
    }
    take_submitted(upstream);
    end_all(upstream);
    deliver_finished(upstream);
    return NULL;
}

bool upstream_start(struct upstream *upstream, struct problem *problem) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, UPSTREAM_STACK_BYTES);
    int failed = pthread_create(&upstream->thread, &attributes, upstream_thread, upstream);
    pthread_attr_destroy(&attributes);
    if (failed) {
        problem_set(problem, "the upstream thread could not be started: %s", strerror(failed));
        return false;
    }
    upstream->started = true;
    return true;
}

void upstream_stop(struct upstream *upstream) {
    if (upstream) {
        uint64_t one = 1;
        atomic_store(&upstream->ending, true);
        (void)!write(upstream->wake, &one, sizeof one);
    }
}

void upstream_free(struct upstream *upstream) {
    if (!upstream) {
        return;
    }
    if (upstream->started) {
        uint64_t one = 1;
        atomic_store(&upstream->stopping, true);
        (void)!write(upstream->wake, &one, sizeof one);
        pthread_join(upstream->thread, NULL);
    }
    transfer_pool_free(upstream);
    while (upstream->targets) {
        struct upstream_target *target = upstream->targets;
        upstream->targets = target->next;
        target_free(target);
    }
    if (upstream->share) {
        curl_share_cleanup(upstream->share);
    }
    if (upstream->wake >= 0) {
        close(upstream->wake);
    }
    if (upstream->epoll >= 0) {
        close(upstream->epoll);
    }
    free(upstream->sockets);
    free(upstream->callers);
    free(upstream->callers_of);
    free(upstream);
}
