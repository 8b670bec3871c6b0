/* messages: the inbox. It holds the newest MESSAGES_MAX messages and MESSAGES_BYTES_MAX of
 * their texts; older ones leave it, and their ids are never used again.
 * Owner: the service. One thread. */
#pragma once

#include "test/messaging/bytes.h"

#include <stdint.h>

struct messages;

/* Which messages are meant; NULL: any. The strings are compared byte for byte. */
struct message_filter {
    const char *recipient;
    const char *text;
    size_t recipient_size;
    size_t text_size;
};

struct messages *messages_new(void);
void messages_free(struct messages *m);

/* Puts a copy into the inbox and returns its number. */
uint64_t messages_add(struct messages *m, const char *recipient, size_t recipient_size,
                      const char *text, size_t text_size);

/* Writes {"messages":[...],"count":n}: oldest first, of those that match the newest `limit`;
 * count is of all that match and are still held. */
void messages_list(const struct messages *m, const struct message_filter *filter, uint64_t limit,
                   struct bytes *json);

/* Writes the members of one message without the braces: "id":"m-000001","status":... */
void message_members(uint64_t number, const char *recipient, size_t recipient_size,
                     const char *text, size_t text_size, struct bytes *json);
