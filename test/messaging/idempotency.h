/* idempotency: which Idempotency-Key was used with which body, and what the first answer was
 * (draft-ietf-httpapi-idempotency-key-header-07, section 2.6). Only requests that were applied
 * are remembered: a refused one may be tried again with its key. The oldest are forgotten at
 * IDEMPOTENCY_KEYS_MAX and IDEMPOTENCY_BYTES_MAX; those in flight never are.
 * Owner: the service. One thread. */
#pragma once

#include <stddef.h>

struct idempotency;
struct idempotency_entry;

enum idempotency_outcome {
    IDEMPOTENCY_CLAIMED,   /* the key is new, and the caller's until it completes or releases it */
    IDEMPOTENCY_REPLAY,    /* done before with this body: see idempotency_answer() */
    IDEMPOTENCY_IN_FLIGHT, /* being done now with this body */
    IDEMPOTENCY_MISMATCH,  /* used with another body */
};

struct idempotency *idempotency_new(void);
void idempotency_free(struct idempotency *keys);

/* Looks the key up and claims it when it is new. *entry is the table's own: with CLAIMED it stays
 * valid until complete or release, with REPLAY until the next call of any of these. */
enum idempotency_outcome idempotency_begin(struct idempotency *keys, const char *key,
                                           const void *body, size_t body_size,
                                           struct idempotency_entry **entry);
/* Remembers the answer (copied) to a claimed key. */
void idempotency_complete(struct idempotency *keys, struct idempotency_entry *entry,
                          const char *answer, size_t answer_size);
/* Forgets a claimed key. NULL: none was claimed. */
void idempotency_release(struct idempotency *keys, struct idempotency_entry *entry);

const char *idempotency_answer(const struct idempotency_entry *entry, size_t *size);
