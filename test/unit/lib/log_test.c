#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/log.h"

/* While stderr is another's, no assertion is made: its words would go there. */
static int own_stderr;
static int reader; /* of the pipe that stderr is meanwhile */
static char captured[2 << 20];

static void stderr_becomes(int descriptor) {
    own_stderr = dup(STDERR_FILENO);
    dup2(descriptor, STDERR_FILENO);
    close(descriptor);
}

static void stderr_again(void) {
    dup2(own_stderr, STDERR_FILENO);
    close(own_stderr);
}

static void capture(void) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    reader = ends[0];
    stderr_becomes(ends[1]);
}

/* What was written since capture(), in `captured`; its length. */
static size_t capture_end(void) {
    stderr_again();
    size_t used = 0;
    ssize_t got;
    while ((got = read(reader, captured + used, sizeof captured - 1 - used)) > 0) {
        used += (size_t)got;
    }
    close(reader);
    captured[used] = '\0';
    return used;
}

static void assert_matches(const char *text, const char *pattern) {
    regex_t expression;
    assert_int_equal(regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&expression, text, 0, NULL, 0) != 0) {
        fail_msg("\"%s\" is not /%s/", text, pattern);
    }
    regfree(&expression);
}

#define STAMP "^time=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "

static void an_event_is_one_line(void **state) {
    (void)state;
    static const struct {
        enum log_level level;
        const char *event, *value, *expected;
    } tests[] = {
        {LOG_LEVEL_ERROR, "failed", "a", STAMP "level=error event=failed key=a n=-5\n$"},
        {LOG_LEVEL_WARNING, "slow", "50%", STAMP "level=warning event=slow key=50% n=-5\n$"},
        {LOG_LEVEL_INFO, "ready", "", STAMP "level=info event=ready key= n=-5\n$"},
    };
    uint64_t lost = log_lost();
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        capture();
        log_event(tests[i].level, tests[i].event, "key=%s n=%d", tests[i].value, -5);
        capture_end();
        assert_matches(captured, tests[i].expected);
    }
    assert_int_equal(log_lost(), lost);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-zero-length"

static void an_event_may_say_no_more_than_its_name(void **state) {
    (void)state;
    capture();
    log_event(LOG_LEVEL_INFO, "one", "");
    log_event(LOG_LEVEL_INFO, "two", "");
    capture_end();
    char *second = strchr(captured, '\n');
    assert_non_null(second);
    assert_matches(second + 1, STAMP "level=info event=two\n$");
    second[1] = '\0';
    assert_matches(captured, STAMP "level=info event=one\n$");
}

/* An event is one word of ours; if it were ever longer than a line, the line is cut all the same.
 */
static void an_event_longer_than_a_line_is_cut(void **state) {
    (void)state;
    static char event[2 * LOG_LINE_BYTES_MAX];
    memset(event, 'e', sizeof event - 1);
    for (int details = 0; details <= 1; details++) {
        capture();
        if (details) {
            log_event(LOG_LEVEL_INFO, event, "key=%d", 1);
        } else {
            log_event(LOG_LEVEL_INFO, event, "");
        }
        assert_int_equal(capture_end(), LOG_LINE_BYTES_MAX);
        assert_matches(captured, STAMP "level=info event=e+\n$");
    }
}

#pragma GCC diagnostic pop

static size_t line_with(int details) {
    static char as[2 * LOG_LINE_BYTES_MAX];
    memset(as, 'a', sizeof as);
    capture();
    log_event(LOG_LEVEL_INFO, "long", "%.*s|", details - 1, as);
    return capture_end();
}

/* The line's feed is one of its bytes. */
static void a_line_is_cut_at_its_bound(void **state) {
    (void)state;
    size_t head = line_with(1) - 2;
    int room = (int)(LOG_LINE_BYTES_MAX - head - 1);
    for (int details = room - 2; details <= room + 3; details++) {
        size_t length = line_with(details);
        assert_int_equal(length, details <= room ? head + (size_t)details + 1 : LOG_LINE_BYTES_MAX);
        assert_int_equal(captured[length - 1], '\n');
        assert_int_equal(captured[length - 2], details <= room ? '|' : 'a');
        assert_int_equal(strlen(captured), length);
        assert_ptr_equal(strchr(captured, '\n'), captured + length - 1);
    }
    assert_int_equal(line_with(2 * (int)LOG_LINE_BYTES_MAX), LOG_LINE_BYTES_MAX);
}

/* UTC, whatever the zone: between the moment before and the one after, to the millisecond. */
static void the_time_is_now_and_utc(void **state) {
    (void)state;
    static const char *const zones[] = {"UTC0", "XXX-9:30", "YYY+11"};
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        tzset();
        struct timespec before, after;
        capture();
        clock_gettime(CLOCK_REALTIME, &before);
        log_event(LOG_LEVEL_INFO, "now", "key=%d", 1);
        clock_gettime(CLOCK_REALTIME, &after);
        capture_end();
        struct tm utc = {0};
        const char *fraction = strptime(captured, "time=%Y-%m-%dT%H:%M:%S", &utc);
        assert_non_null(fraction);
        assert_int_equal(fraction[0], '.');
        int64_t ms = (int64_t)timegm(&utc) * 1000 + strtol(fraction + 1, NULL, 10);
        assert_true(ms >= (int64_t)before.tv_sec * 1000 + before.tv_nsec / 1000000);
        assert_true(ms <= (int64_t)after.tv_sec * 1000 + after.tv_nsec / 1000000);
    }
    unsetenv("TZ");
    tzset();
}

static void a_quoted_value_cannot_break_the_line(void **state) {
    (void)state;
    static const struct {
        const char *value, *quoted;
    } tests[] = {
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a=\"b\"", "\"a=\\\"b\\\"\""},
        {"\\", "\"\\\\\""},
        {"x\nevent=forged", "\"x\\x0aevent=forged\""},
        {"\x01\x1F \x7E\x7F", "\"\\x01\\x1f ~\\x7f\""},
        {"\r\t\x1B[31m", "\"\\x0d\\x09\\x1b[31m\""},
        {"m\xC3\xA9tier \xE2\x82\xAC", "\"m\xC3\xA9tier \xE2\x82\xAC\""},
        {"100%s", "\"100%s\""},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        char buffer[64];
        assert_ptr_equal(log_quoted(buffer, sizeof buffer, tests[i].value), buffer);
        assert_string_equal(buffer, tests[i].quoted);
    }
}

/* At every size there is: closed, within the buffer, and a start of the value that ends with a
 * whole escape. */
static void a_quoted_value_is_cut_between_characters(void **state) {
    (void)state;
    static const struct {
        unsigned size;
        const char *value, *quoted;
    } tests[] = {
        {16, "aaaaaaaa\xC3\xA9\xC3\xA9", "\"aaaaaaaa\""},
        {17, "aaaaaaaa\xC3\xA9\xC3\xA9", "\"aaaaaaaa\xC3\xA9\""},
        {16, "aaaaaaa\xE2\x98\x83z", "\"aaaaaaa\""},
        {17, "aaaaaaa\xE2\x98\x83z", "\"aaaaaaa\xE2\x98\x83\""},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        char buffer[32];
        assert_string_equal(log_quoted(buffer, tests[i].size, tests[i].value), tests[i].quoted);
    }
}

static void a_quoted_value_is_cut_to_fit(void **state) {
    (void)state;
    static const struct {
        const char *value, *unit; /* the value is ten units; one of them, escaped */
    } tests[] = {
        {"aaaaaaaaaa", "a"},
        {"\"\"\"\"\"\"\"\"\"\"", "\\\""},
        {"\\\\\\\\\\\\\\\\\\\\", "\\\\"},
        {"\n\n\n\n\n\n\n\n\n\n", "\\x0a"},
        {"\x7F\x7F\x7F\x7F\x7F\x7F\x7F\x7F\x7F\x7F", "\\x7f"},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        size_t unit = strlen(tests[i].unit), whole = 10 * unit + 2, kept = 0;
        for (unsigned size = 8; size <= whole + 8; size++) {
            char buffer[64];
            memset(buffer, '#', sizeof buffer);
            log_quoted(buffer, size, tests[i].value);
            size_t length = strnlen(buffer, size);
            assert_true(length < size);
            for (size_t j = length + 1; j < sizeof buffer; j++) {
                assert_int_equal(buffer[j], '#');
            }
            assert_int_equal(buffer[0], '"');
            assert_int_equal(buffer[length - 1], '"');
            assert_int_equal((length - 2) % unit, 0);
            for (size_t j = 0; j < length - 2; j += unit) {
                assert_memory_equal(buffer + 1 + j, tests[i].unit, unit);
            }
            assert_true(length >= kept); /* more room never keeps less */
            assert_true(length > unit + 1 || size < 8);
            kept = length;
            /* Room for one more of the longest escapes is all that may be left unused. */
            assert_true(length == whole || size - length <= 5 + unit);
        }
        assert_int_equal(kept, whole);
    }
}

static void fill(int descriptor) {
    static const char bytes[4096];
    size_t size = sizeof bytes;
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    while (size > 0) {
        if (write(descriptor, bytes, size) < 0) {
            size /= 2;
        }
    }
    fcntl(descriptor, F_SETFL, 0); /* from now on, a write would wait for ever */
}

static void a_line_that_cannot_be_written_is_counted(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* as the server does */
    uint64_t lost = log_lost();

    int full_disk = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full_disk >= 0);
    stderr_becomes(full_disk);
    log_event(LOG_LEVEL_INFO, "lost", "on=%s", "a full disk");
    stderr_again();
    assert_int_equal(log_lost(), lost + 1);

    capture();
    close(reader);
    log_event(LOG_LEVEL_INFO, "lost", "in=%s", "a closed pipe");
    stderr_again();
    assert_int_equal(log_lost(), lost + 2);

    capture();
    close(STDERR_FILENO);
    log_event(LOG_LEVEL_INFO, "lost", "without=%s", "stderr");
    assert_int_equal(capture_end(), 0);
    assert_int_equal(log_lost(), lost + 3);
}

/* A reader that has stopped stops nobody: were the line waited for, this would never end. */
static void a_full_pipe_is_not_waited_for(void **state) {
    (void)state;
    static char drained[1 << 16];
    uint64_t lost = log_lost();
    capture();
    fill(STDERR_FILENO);
    log_event(LOG_LEVEL_INFO, "lost", "n=%d", 1);
    log_event(LOG_LEVEL_INFO, "lost", "n=%d", 2);
    uint64_t lost_when_full = log_lost();
    ssize_t got = read(reader, drained, sizeof drained);
    log_event(LOG_LEVEL_INFO, "back", "n=%d", 3);
    capture_end();
    assert_true(got > 4096);
    assert_int_equal(lost_when_full, lost + 2);
    assert_int_equal(log_lost(), lost + 2);
    const char *line = memmem(captured, sizeof captured, "time=", 5);
    assert_non_null(line);
    assert_matches(line, STAMP "level=info event=back n=3\n$");
}

enum { THREADS = 4, LINES = 400 };

static void *write_lines(void *data) {
    char fill_bytes[120];
    unsigned thread = *(unsigned *)data;
    memset(fill_bytes, (int)('a' + thread), sizeof fill_bytes);
    for (unsigned line = 0; line < LINES; line++) {
        log_event(LOG_LEVEL_INFO, "line", "thread=%u line=%u fill=%.*s.", thread, line,
                  (int)(line % sizeof fill_bytes), fill_bytes);
    }
    return NULL;
}

/* The pipe is read only when all is said, so it also fills: a line is there, whole, or counted. */
static void lines_of_threads_do_not_mix(void **state) {
    (void)state;
    unsigned numbers[THREADS], next[THREADS] = {0};
    pthread_t threads[THREADS];
    uint64_t lost = log_lost(), written = 0;
    capture();
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, write_lines, &numbers[i]) != 0) {
            abort();
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    capture_end();
    for (char *line = captured, *end; *line != '\0'; line = end + 1, written++) {
        unsigned thread, number;
        int used = 0;
        end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        // NOLINTNEXTLINE(cert-err34-c): numbers that this test wrote
        assert_int_equal(sscanf(line, "time=%*24s level=info event=line thread=%u line=%u fill=%n",
                                &thread, &number, &used),
                         2);
        assert_true(used > 0 && thread < THREADS);
        const char run[] = {(char)('a' + thread), '\0'};
        assert_int_equal(strspn(line + used, run), number % 120);
        assert_string_equal(line + used + number % 120, ".");
        assert_in_range(number, next[thread], LINES - 1); /* in its thread's order */
        next[thread] = number + 1;
    }
    assert_true(written > 0);
    assert_int_equal(written + (log_lost() - lost), THREADS * LINES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_one_line),
        cmocka_unit_test(an_event_may_say_no_more_than_its_name),
        cmocka_unit_test(an_event_longer_than_a_line_is_cut),
        cmocka_unit_test(a_line_is_cut_at_its_bound),
        cmocka_unit_test(the_time_is_now_and_utc),
        cmocka_unit_test(a_quoted_value_cannot_break_the_line),
        cmocka_unit_test(a_quoted_value_is_cut_between_characters),
        cmocka_unit_test(a_quoted_value_is_cut_to_fit),
        cmocka_unit_test(a_line_that_cannot_be_written_is_counted),
        cmocka_unit_test(a_full_pipe_is_not_waited_for),
        cmocka_unit_test(lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
