/* timers: what is to happen later, as one binary heap for all connections, so that
 * thousands of delayed answers cost no thread each. One thread. Times are
 * microseconds of the monotonic clock, read once a turn of the event loop.
 *
 *     for (;;) {
 *         epoll_wait(..., timers_wait_ms(t));
 *         timers_tick(t);
 *         handle the events: timers_start(), timers_stop()
 *         timers_run(t);
 *     } */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct timers;

/* Lives inside what it belongs to; all zero is one that does not run. It must be
 * stopped before its memory goes. */
struct timer {
    int64_t deadline_us;
    size_t place; /* in the heap, from 1; 0: does not run */
    void (*fire)(struct timer *timer);
};

struct timers *timers_new(void);
void timers_free(struct timers *t);

/* Reads the clock. */
void timers_tick(struct timers *t);
/* Starts it anew from the last tick; `fire` is called once, from timers_run(). */
void timers_start(struct timers *t, struct timer *timer, int64_t delay_ms,
                  void (*fire)(struct timer *timer));
void timers_stop(struct timers *t, struct timer *timer);
/* Calls all that are due at the last tick. They may start and stop timers. */
void timers_run(struct timers *t);
/* For epoll_wait: milliseconds until the first, rounded up; -1 when there is none. */
int timers_wait_ms(const struct timers *t);
