#include "test/messaging/messages.h"

#include "test/messaging/limits.h"
#include "test/messaging/memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct message {
    char *bytes; /* the recipient, then the text */
    size_t recipient_size;
    size_t text_size;
    time_t received;
};

/* Numbers first..next-1 are held; number n lies at ring[n % MESSAGES_MAX]. */
struct messages {
    struct message *ring;
    uint64_t first;
    uint64_t next;
    size_t bytes;
};

struct messages *messages_new(void) {
    struct messages *m = memory_new(sizeof *m);

    m->ring = memory_new(MESSAGES_MAX * sizeof *m->ring);
    m->first = m->next = 1;
    return m;
}

static struct message *at(const struct messages *m, uint64_t number) {
    return &m->ring[number % MESSAGES_MAX];
}

static void drop_first(struct messages *m) {
    struct message *message = at(m, m->first++);

    m->bytes -= message->recipient_size + message->text_size;
    free(message->bytes);
}

void messages_free(struct messages *m) {
    if (m) {
        while (m->first < m->next) {
            drop_first(m);
        }
        free(m->ring);
        free(m);
    }
}

uint64_t messages_add(struct messages *m, const char *recipient, size_t recipient_size,
                      const char *text, size_t text_size) {
    size_t size = recipient_size + text_size;
    struct message *message;

    while (m->first < m->next &&
           (m->next - m->first == MESSAGES_MAX || m->bytes + size > MESSAGES_BYTES_MAX)) {
        drop_first(m);
    }
    message = at(m, m->next);
    message->bytes = memory_new(size + 1);
    memcpy(message->bytes, recipient, recipient_size);
    memcpy(message->bytes + recipient_size, text, text_size);
    message->recipient_size = recipient_size;
    message->text_size = text_size;
    message->received = time(NULL);
    m->bytes += size;
    return m->next++;
}

static bool same(const char *wanted, size_t wanted_size, const char *bytes, size_t size) {
    return !wanted || (wanted_size == size && memcmp(wanted, bytes, size) == 0);
}

static bool matches(const struct message *message, const struct message_filter *filter) {
    return same(filter->recipient, filter->recipient_size, message->bytes,
                message->recipient_size) &&
           same(filter->text, filter->text_size, message->bytes + message->recipient_size,
                message->text_size);
}

void message_members(uint64_t number, const char *recipient, size_t recipient_size,
                     const char *text, size_t text_size, struct bytes *json) {
    bytes_format(json, "\"id\":\"m-%06" PRIu64 "\",\"status\":\"queued\",\"recipient\":", number);
    bytes_json(json, recipient, recipient_size);
    bytes_text(json, ",\"text\":");
    bytes_json(json, text, text_size);
}

static void write_message(const struct message *message, uint64_t number, struct bytes *json) {
    char received[sizeof "2026-01-01T00:00:00Z"];
    struct tm utc;

    strftime(received, sizeof received, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&message->received, &utc));
    bytes_text(json, "{");
    message_members(number, message->bytes, message->recipient_size,
                    message->bytes + message->recipient_size, message->text_size, json);
    bytes_format(json, ",\"received\":\"%s\"}", received);
}

void messages_list(const struct messages *m, const struct message_filter *filter, uint64_t limit,
                   struct bytes *json) {
    uint64_t count = 0, start = m->next, listed = 0;

    for (uint64_t number = m->next; number > m->first; number--) {
        if (matches(at(m, number - 1), filter) && count++ < limit) {
            start = number - 1;
        }
    }
    bytes_text(json, "{\"messages\":[");
    for (uint64_t number = start; number < m->next; number++) {
        if (matches(at(m, number), filter)) {
            bytes_text(json, listed++ ? "," : "");
            write_message(at(m, number), number, json);
        }
    }
    bytes_format(json, "],\"count\":%" PRIu64 "}", count);
}
