#include "lib/json_names.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>

/* Up to here pairs are quicker than a table: most compare two lengths and nothing else. */
#define PAIRWISE_MAX 12u

static uint64_t rotate(uint64_t word, unsigned bits) {
    return word << bits | word >> (64 - bits);
}

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, section 2. */
static void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word) {
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t json_hash_bytes(const uint64_t seed[2], const char *bytes, size_t length) {
    uint64_t v[4] = {
        seed[0] ^ UINT64_C(0x736f6d6570736575),
        seed[1] ^ UINT64_C(0x646f72616e646f6d),
        seed[0] ^ UINT64_C(0x6c7967656e657261),
        seed[1] ^ UINT64_C(0x7465646279746573),
    };
    size_t left = length;
    for (; left >= 8; left -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        sip_word(v, le64toh(word));
    }
    uint64_t last = 0;
    memcpy(&last, bytes, left);
    sip_word(v, le64toh(last) | (uint64_t)length << 56);
    v[2] ^= 0xFF;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void json_seed(uint64_t seed[2]) {
    /* The address of a local variable is the kernel's choice of this run. */
    seed[0] = (uint64_t)(uintptr_t)&seed;
    seed[1] = ~seed[0];
    ssize_t got = getrandom(seed, 2 * sizeof seed[0], GRND_NONBLOCK);
    (void)got;
}

static bool same_name(const struct json *a, const struct json *b) {
    return a->name_length == b->name_length && memcmp(a->name, b->name, a->name_length) == 0;
}

static const struct json *repeated_in_pairs(const struct json *object) {
    for (const struct json *later = object->first; later; later = later->next) {
        for (const struct json *earlier = object->first; earlier != later;
             earlier = earlier->next) {
            if (same_name(earlier, later)) {
                return later;
            }
        }
    }
    return NULL;
}

/* Slots for that many members: a power of two, at most half full. */
static size_t slots_for(uint32_t members) {
    size_t slots = 64;
    while (slots < 2 * (size_t)members) {
        slots *= 2;
    }
    return slots;
}

/* An empty table of that many slots; a larger one that is there serves as well. */
static bool make_table(struct json_names *names, struct arena *arena, size_t slots) {
    if (names->size == 0) {
        json_seed(names->seed);
    }
    if (slots > names->size) {
        const struct json **table = arena_alloc_raw(arena, slots * sizeof table[0]);
        if (!table) {
            return false;
        }
        names->table = table;
        names->size = slots;
    }
    memset(names->table, 0, slots * sizeof names->table[0]);
    return true;
}

bool json_names_check(struct json_names *names, struct arena *arena, const struct json *object,
                      const struct json **repeated) {
    *repeated = NULL;
    if (object->length <= PAIRWISE_MAX) {
        *repeated = repeated_in_pairs(object);
        return true;
    }
    size_t slots = slots_for(object->length);
    if (!make_table(names, arena, slots)) {
        return false;
    }
    for (const struct json *member = object->first; member; member = member->next) {
        uint64_t hash = json_hash_bytes(names->seed, member->name, member->name_length);
        size_t slot = (size_t)hash & (slots - 1);
        while (names->table[slot] && !same_name(names->table[slot], member)) {
            slot = (slot + 1) & (slots - 1);
        }
        if (names->table[slot]) {
            *repeated = member;
            return true;
        }
        names->table[slot] = member;
    }
    return true;
}
