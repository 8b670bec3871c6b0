/* clock: time that only goes forward. Any thread. */
#pragma once

#include <stdint.h>

/* Milliseconds since some moment before the start; CLOCK_MONOTONIC, so a changed wall clock moves
 * no deadline. */
uint64_t clock_ms(void);

/* The same in microseconds, for durations in logs and metrics. */
uint64_t clock_us(void);
