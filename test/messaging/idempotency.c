#include "test/messaging/idempotency.h"

#include "test/messaging/limits.h"
#include "test/messaging/memory.h"

#include <mbedtls/sha256.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { BUCKETS = 1 << 16, FINGERPRINT_BYTES = 32 };

struct idempotency_entry {
    LIST_ENTRY(idempotency_entry) bucket;
    TAILQ_ENTRY(idempotency_entry) age;
    unsigned char fingerprint[FINGERPRINT_BYTES]; /* SHA-256 of the body */
    char *key;
    char *answer; /* NULL: in flight */
    size_t answer_size;
};

LIST_HEAD(bucket, idempotency_entry);
TAILQ_HEAD(ages, idempotency_entry);

struct idempotency {
    struct bucket buckets[BUCKETS];
    struct ages done; /* oldest first; those in flight are in no such list */
    size_t done_count;
    size_t bytes;
};

struct idempotency *idempotency_new(void) {
    struct idempotency *keys = memory_new(sizeof *keys);

    TAILQ_INIT(&keys->done);
    return keys;
}

static void forget(struct idempotency *keys, struct idempotency_entry *entry) {
    if (entry->answer) {
        TAILQ_REMOVE(&keys->done, entry, age);
        keys->done_count--;
        keys->bytes -= entry->answer_size;
    }
    LIST_REMOVE(entry, bucket);
    free(entry->key);
    free(entry->answer);
    free(entry);
}

void idempotency_free(struct idempotency *keys) {
    if (!keys) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        struct idempotency_entry *entry = LIST_FIRST(&keys->buckets[i]), *next;

        for (; entry; entry = next) {
            next = LIST_NEXT(entry, bucket);
            forget(keys, entry);
        }
    }
    free(keys);
}

/* FNV-1a. The keys come from our own tests, not from an attacker. */
static struct bucket *bucket_of(struct idempotency *keys, const char *key) {
    uint32_t hash = 2166136261u;

    for (; *key; key++) {
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    }
    return &keys->buckets[hash % BUCKETS];
}

enum idempotency_outcome idempotency_begin(struct idempotency *keys, const char *key,
                                           const void *body, size_t body_size,
                                           struct idempotency_entry **entry) {
    struct bucket *bucket = bucket_of(keys, key);
    unsigned char fingerprint[FINGERPRINT_BYTES];
    struct idempotency_entry *found;

    mbedtls_sha256(body, body_size, fingerprint, 0);
    LIST_FOREACH(found, bucket, bucket) {
        if (strcmp(found->key, key) != 0) {
            continue;
        }
        if (memcmp(found->fingerprint, fingerprint, sizeof fingerprint) != 0) {
            return IDEMPOTENCY_MISMATCH;
        }
        *entry = found;
        return found->answer ? IDEMPOTENCY_REPLAY : IDEMPOTENCY_IN_FLIGHT;
    }
    found = memory_new(sizeof *found);
    found->key = memory_copy(key, strlen(key));
    memcpy(found->fingerprint, fingerprint, sizeof fingerprint);
    LIST_INSERT_HEAD(bucket, found, bucket);
    *entry = found;
    return IDEMPOTENCY_CLAIMED;
}

static bool is_full(const struct idempotency *keys, size_t more) {
    return keys->done_count == IDEMPOTENCY_KEYS_MAX || keys->bytes + more > IDEMPOTENCY_BYTES_MAX;
}

void idempotency_complete(struct idempotency *keys, struct idempotency_entry *entry,
                          const char *answer, size_t answer_size) {
    struct idempotency_entry *oldest = TAILQ_FIRST(&keys->done), *next;

    for (; oldest && is_full(keys, answer_size); oldest = next) {
        next = TAILQ_NEXT(oldest, age);
        forget(keys, oldest);
    }
    entry->answer = memory_copy(answer, answer_size);
    entry->answer_size = answer_size;
    TAILQ_INSERT_TAIL(&keys->done, entry, age);
    keys->done_count++;
    keys->bytes += answer_size;
}

void idempotency_release(struct idempotency *keys, struct idempotency_entry *entry) {
    if (entry) {
        forget(keys, entry);
    }
}

const char *idempotency_answer(const struct idempotency_entry *entry, size_t *size) {
    *size = entry->answer_size;
    return entry->answer;
}
