#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <time.h>

#include "lib/clock.h"

static void time_does_not_go_back(void **state) {
    (void)state;
    uint64_t us = clock_us(), ms = clock_ms();
    for (int i = 0; i < 100000; i++) {
        uint64_t us_next = clock_us(), ms_next = clock_ms();
        assert_true(us_next >= us);
        assert_true(ms_next >= ms);
        us = us_next;
        ms = ms_next;
    }
}

static void milliseconds_and_microseconds_agree(void **state) {
    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint64_t before = clock_us(), ms = clock_ms(), after = clock_us();
        assert_in_range(ms, before / 1000, after / 1000);
    }
}

static uint64_t monotonic_ns(void) {
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Where the wall clock's changes do not reach. */
static void it_is_the_monotonic_clock(void **state) {
    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t before = monotonic_ns(), us = clock_us(), after = monotonic_ns();
        assert_in_range(us, before / 1000, after / 1000);
    }
}

/* A sleep is at least as long as was asked for, on whatever machine; how much longer is not said.
 */
static void time_passes(void **state) {
    (void)state;
    uint64_t us = clock_us(), ms = clock_ms();
    struct timespec left = {.tv_nsec = 5000000};
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &left, NULL), 0);
    assert_true(clock_us() - us >= 5000);
    assert_true(clock_ms() - ms >= 5);
}

static void *read_clock(void *data) {
    *(uint64_t *)data = clock_us();
    return NULL;
}

static void all_threads_share_one_time(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        uint64_t before = clock_us(), within = 0;
        assert_int_equal(pthread_create(&thread, NULL, read_clock, &within), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_in_range(within, before, clock_us());
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_does_not_go_back),
        cmocka_unit_test(milliseconds_and_microseconds_agree),
        cmocka_unit_test(it_is_the_monotonic_clock),
        cmocka_unit_test(time_passes),
        cmocka_unit_test(all_threads_share_one_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
