#include "test/messaging/timers.h"

#include "test/messaging/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

struct timers {
    int64_t now_us;
    struct timer **heap; /* from 1, so that place 0 means "does not run" */
    size_t count;
    size_t capacity;
};

static int64_t clock_us(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct timers *timers_new(void) {
    struct timers *t = memory_new(sizeof *t);

    t->capacity = 1024;
    t->heap = memory_new(t->capacity * sizeof(struct timer *));
    t->now_us = clock_us();
    return t;
}

void timers_free(struct timers *t) {
    if (t) {
        free(t->heap);
        free(t);
    }
}

void timers_tick(struct timers *t) {
    t->now_us = clock_us();
}

static void put(struct timers *t, size_t place, struct timer *timer) {
    t->heap[place] = timer;
    timer->place = place;
}

static void rise(struct timers *t, size_t place, struct timer *timer) {
    while (place > 1 && t->heap[place / 2]->deadline_us > timer->deadline_us) {
        put(t, place, t->heap[place / 2]);
        place /= 2;
    }
    put(t, place, timer);
}

static void sink(struct timers *t, size_t place, struct timer *timer) {
    for (size_t child; (child = place * 2) <= t->count; place = child) {
        if (child < t->count && t->heap[child + 1]->deadline_us < t->heap[child]->deadline_us) {
            child++;
        }
        if (t->heap[child]->deadline_us >= timer->deadline_us) {
            break;
        }
        put(t, place, t->heap[child]);
    }
    put(t, place, timer);
}

void timers_stop(struct timers *t, struct timer *timer) {
    size_t place = timer->place;
    struct timer *last;

    if (place == 0) {
        return;
    }
    timer->place = 0;
    last = t->heap[t->count--];
    if (last == timer) {
        return;
    }
    if (place > 1 && t->heap[place / 2]->deadline_us > last->deadline_us) {
        rise(t, place, last);
    } else {
        sink(t, place, last);
    }
}

void timers_start(struct timers *t, struct timer *timer, int64_t delay_ms,
                  void (*fire)(struct timer *timer)) {
    timers_stop(t, timer);
    timer->deadline_us = t->now_us + delay_ms * 1000;
    timer->fire = fire;
    if (t->count + 1 == t->capacity) {
        t->capacity *= 2;
        t->heap = memory_resize(t->heap, t->capacity * sizeof(struct timer *));
    }
    rise(t, ++t->count, timer);
}

void timers_run(struct timers *t) {
    while (t->count > 0 && t->heap[1]->deadline_us <= t->now_us) {
        struct timer *first = t->heap[1];

        timers_stop(t, first);
        first->fire(first);
    }
}

int timers_wait_ms(const struct timers *t) {
    int64_t wait_ms;

    if (t->count == 0) {
        return -1;
    }
    wait_ms = (t->heap[1]->deadline_us - t->now_us + 999) / 1000;
    if (wait_ms <= 0) {
        return 0;
    }
    return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}
