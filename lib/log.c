#include "lib/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/limits.h"

static _Atomic uint64_t lines_lost;

uint64_t log_lost(void) {
    return atomic_load_explicit(&lines_lost, memory_order_relaxed);
}

static int write_head(char *line, size_t size, enum log_level level, const char *event) {
    static const char *const names[] = {"error", "warning", "info"};
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    char stamp[32];
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    return snprintf(line, size, "time=%s.%03ldZ level=%s event=%s", stamp, now.tv_nsec / 1000000,
                    names[level], event);
}

/* One line at a time, and none that would have to wait: a reader that has stopped must not stop the
 * calls. A pipe is ready (POLLOUT) when PIPE_BUF bytes fit, and a line is no longer. */
static void write_line(const char *line, size_t length) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};
    pthread_mutex_lock(&lock);
    bool fits = poll(&log, 1, 0) == 1 && (log.revents & POLLOUT);
    bool written = fits && write(STDERR_FILENO, line, length) == (ssize_t)length;
    pthread_mutex_unlock(&lock);
    if (!written) {
        atomic_fetch_add_explicit(&lines_lost, 1, memory_order_relaxed);
    }
}

void log_event(enum log_level level, const char *event, const char *format, ...) {
    char line[LOG_LINE_BYTES_MAX + 2];
    int used = write_head(line, LOG_LINE_BYTES_MAX, level, event);
    va_list arguments;
    va_start(arguments, format);
    if (*format != '\0' && used < (int)LOG_LINE_BYTES_MAX) {
        line[used++] = ' ';
        used += vsnprintf(line + used, LOG_LINE_BYTES_MAX - (size_t)used, format, arguments);
    }
    va_end(arguments);
    if (used >= (int)LOG_LINE_BYTES_MAX) {
        used = (int)LOG_LINE_BYTES_MAX - 1;
    }
    line[used++] = '\n';
    write_line(line, (size_t)used);
}

const char *log_quoted(char *buffer, unsigned size, const char *value) {
    unsigned used = 0, start = 1; /* of the character that is being written */
    buffer[used++] = '"';
    /* The longest escape, the closing quote and the NUL must still fit. */
    for (; *value != '\0' && used + 6 < size; value++) {
        unsigned char byte = (unsigned char)*value;
        start = (byte & 0xC0) == 0x80 ? start : used;
        if (byte == '"' || byte == '\\') {
            buffer[used++] = '\\';
            buffer[used++] = (char)byte;
        } else if (byte < 0x20 || byte == 0x7F) {
            used += (unsigned)snprintf(buffer + used, size - used, "\\x%02x", byte);
        } else {
            buffer[used++] = (char)byte;
        }
    }
    if (((unsigned char)*value & 0xC0) == 0x80) {
        used = start; /* no half character */
    }
    buffer[used++] = '"';
    buffer[used] = '\0';
    return buffer;
}
