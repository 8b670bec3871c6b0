#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test/messaging/timers.h"

enum { MANY = 5000 };

static struct timer timers[MANY];
static struct timers *heap;
static int64_t last_us;
static size_t fired;

static void note(struct timer *timer) {
    assert_int_equal(timer->place, 0);
    assert_true(timer->deadline_us >= last_us);
    last_us = timer->deadline_us;
    fired++;
}

static void note_and_restart(struct timer *timer) {
    fired++;
    timers_start(heap, timer, 60000, note_and_restart);
}

static int set_up(void **state) {
    (void)state;
    heap = timers_new();
    last_us = INT64_MIN;
    fired = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    timers_free(heap);
    return 0;
}

static void all_fire_in_order_and_the_stopped_do_not(void **state) {
    size_t stopped = 0;

    (void)state;
    srandom(7);
    for (size_t i = 0; i < MANY; i++) {
        /* Some start twice: the second deadline counts. */
        timers_start(heap, &timers[i % (MANY - 100)], -(random() % 10000), note);
    }
    for (size_t i = 0; i < MANY; i += 3) {
        stopped += timers[i].place != 0;
        timers_stop(heap, &timers[i]);
        timers_stop(heap, &timers[i]); /* twice is nothing */
    }
    timers_run(heap);
    assert_int_equal(fired, MANY - 100 - stopped);
    assert_int_equal(timers_wait_ms(heap), -1);
}

static void what_is_not_due_waits(void **state) {
    (void)state;
    assert_int_equal(timers_wait_ms(heap), -1);
    timers_start(heap, &timers[0], 60000, note);
    timers_run(heap);
    assert_int_equal(fired, 0);
    assert_int_equal(timers_wait_ms(heap), 60000); /* since the clock was read: no tick between */
    timers_start(heap, &timers[1], 0, note_and_restart);
    assert_int_equal(timers_wait_ms(heap), 0);
    timers_run(heap);
    assert_int_equal(fired, 1); /* and it waits again */
    assert_int_not_equal(timers[1].place, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_fire_in_order_and_the_stopped_do_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_due_waits, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
