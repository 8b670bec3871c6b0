/* log: one line of logfmt an event, on stderr: time=... level=info event=ready
 * listening=127.0.0.1:8080
 *
 * Any thread; a line is one write(2), so lines never mix. A log that cannot be written to (a full
 * disk, a closed pipe) loses lines and nothing else; log_lost() counts them. Keep out: secrets,
 * arguments' values, whatever a caller or an upstream wrote, unless through log_quoted(). */
#pragma once

#include <stdarg.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

/* `event` is one word; `format` makes the rest, as "tool=%s outcome=%s". Cut at LOG_LINE_BYTES_MAX.
 */
__attribute__((format(printf, 3, 4))) void log_event(enum log_level level, const char *event,
                                                     const char *format, ...);

/* Writes `value` as a logfmt value that cannot break the line: in quotes, with quotes, backslashes
 * and control characters escaped, cut to fit `size`. Returns `buffer`. */
const char *log_quoted(char *buffer, unsigned size, const char *value);

/* Lines that could not be written so far. */
uint64_t log_lost(void);
