#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/limits.h"
#include "lib/schema_pattern.h"

struct schema_pattern {
    pcre2_code *code;
    bool anchored; /* a match is tried at the start of the text only */
};

static void free_code(void *code) {
    pcre2_code_free(code);
}

static enum outcome describe(int code, struct problem *problem) {
    PCRE2_UCHAR message[128];
    if (pcre2_get_error_message(code, message, sizeof message) < 0) {
        message[0] = '\0';
    }
    problem_set(problem, "is no regular expression: %s", (const char *)message);
    return code == PCRE2_ERROR_HEAP_FAILED ? OUTCOME_NO_MEMORY : OUTCOME_INVALID;
}

static enum outcome compile(struct schema_pattern *pattern, const struct text *rewritten,
                            struct problem *problem) {
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) {
        return OUTCOME_NO_MEMORY;
    }
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_set_parens_nest_limit(context, PATTERN_GROUPS_NESTED_MAX);
    uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
                       PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C;
    int error;
    PCRE2_SIZE offset;
    pattern->code = pcre2_compile((PCRE2_SPTR)rewritten->bytes, rewritten->length, options, &error,
                                  &offset, context);
    pcre2_compile_context_free(context);
    if (!pattern->code) {
        return describe(error, problem);
    }
    uint32_t all = 0;
    pcre2_pattern_info(pattern->code, PCRE2_INFO_ALLOPTIONS, &all);
    pattern->anchored = (all & PCRE2_ANCHORED) != 0;
    return OUTCOME_OK;
}

enum outcome schema_pattern_compile(struct arena *arena, const char *source, size_t length,
                                    const struct schema_pattern **pattern,
                                    struct problem *problem) {
    struct text rewritten = text_new(arena, PATTERN_BYTES_MAX);
    text_add(&rewritten, "", 0);
    enum outcome outcome = schema_pattern_rewrite(&rewritten, source, length, problem);
    if (outcome == OUTCOME_NO_MEMORY && rewritten.too_large) {
        problem_set(problem, "is a regular expression that is too long");
        return OUTCOME_INVALID;
    }
    struct schema_pattern *made = arena_alloc(arena, sizeof *made);
    if (outcome != OUTCOME_OK || !made) {
        return outcome != OUTCOME_OK ? outcome : OUTCOME_NO_MEMORY;
    }
    outcome = compile(made, &rewritten, problem);
    if (outcome != OUTCOME_OK) {
        return outcome;
    }
    if (!arena_defer(arena, free_code, made->code)) {
        pcre2_code_free(made->code);
        return OUTCOME_NO_MEMORY;
    }
    *pattern = made;
    return OUTCOME_OK;
}

/* Most texts are decided within a few steps and a few hundred bytes of memory, so that is all the
 * first try gets, and its memory is on the stack: a call keeps none of it while it waits. A text
 * that needs more gets more, from the arena, but the check pays for it, so that only a few may. */
struct allowance {
    uint32_t matches;       /* for all starts together */
    uint32_t matches_least; /* for one start */
    uint32_t heap_kib;
    uint32_t steps; /* what the check pays */
};

static const struct allowance cheap = {PATTERN_MATCHES_CHEAP, 64, PATTERN_HEAP_CHEAP_KIB, 8};
static const struct allowance dear[] = {
    {PATTERN_MATCHES_CHEAP * 16, 64, PATTERN_HEAP_MAX_KIB, SCHEMA_STEPS_MAX / 1000},
    {PATTERN_MATCHES_MAX * 10, 256, PATTERN_HEAP_MAX_KIB, SCHEMA_STEPS_MAX / 10},
};

/* Room for the first try: what PCRE2's frames may take, and its own state. */
struct room {
    _Alignas(max_align_t) char bytes[PATTERN_HEAP_CHEAP_KIB * 1024 + 1024];
    size_t used;
};

static void *take_from_room(PCRE2_SIZE size, void *data) {
    struct room *room = data;
    size_t aligned = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    if (aligned < size || aligned > sizeof room->bytes - room->used) {
        return NULL;
    }
    void *piece = room->bytes + room->used;
    room->used += aligned;
    return piece;
}

static void *take_from_arena(PCRE2_SIZE size, void *arena) {
    return arena_alloc_raw(arena, size);
}

/* Both end as a whole. */
static void leave(void *memory, void *data) {
    (void)memory, (void)data;
}

/* PCRE2's state of a match. */
struct state {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static bool make_state(struct state *state, void *(*take)(PCRE2_SIZE, void *), void *data) {
    pcre2_general_context *general = pcre2_general_context_create(take, leave, data);
    state->context = general ? pcre2_match_context_create(general) : NULL;
    state->data = general ? pcre2_match_data_create(1, general) : NULL;
    return state->context && state->data;
}

/* PCRE2's result; PCRE2_ERROR_MATCHLIMIT also when the check cannot pay. */
static int try_match(const struct schema_pattern *pattern, struct schema_matcher *matcher,
                     const struct state *state, const char *text, size_t length,
                     const struct allowance *allowance) {
    size_t price = allowance->steps + length / 16;
    if (price > *matcher->steps_left) {
        return PCRE2_ERROR_MATCHLIMIT;
    }
    *matcher->steps_left -= (uint32_t)price;
    size_t starts = pattern->anchored ? 1 : length + 1;
    size_t matches = allowance->matches / starts;
    matches = matches < allowance->matches_least ? allowance->matches_least : matches;
    matches = matches > PATTERN_MATCHES_MAX ? PATTERN_MATCHES_MAX : matches;
    pcre2_set_match_limit(state->context, (uint32_t)matches);
    pcre2_set_depth_limit(state->context, PATTERN_DEPTH_MAX);
    pcre2_set_heap_limit(state->context, allowance->heap_kib);
    return pcre2_match(pattern->code, (PCRE2_SPTR)text, length, 0, PCRE2_NO_UTF_CHECK, state->data,
                       state->context);
}

/* Kept apart, so that its room leaves the stack before a second try. */
__attribute__((noinline)) static int try_cheaply(const struct schema_pattern *pattern,
                                                 struct schema_matcher *matcher, const char *text,
                                                 size_t length) {
    struct room room;
    struct state state;
    room.used = 0;
    if (!make_state(&state, take_from_room, &room)) {
        return PCRE2_ERROR_HEAPLIMIT;
    }
    return try_match(pattern, matcher, &state, text, length, &cheap);
}

/* The second try and the third. */
static int try_dearly(const struct schema_pattern *pattern, struct schema_matcher *matcher,
                      const char *text, size_t length) {
    struct state state = {matcher->context, matcher->data};
    if (!state.data && !make_state(&state, take_from_arena, matcher->arena)) {
        return PCRE2_ERROR_NOMEMORY;
    }
    matcher->context = state.context;
    matcher->data = state.data;
    int result = PCRE2_ERROR_MATCHLIMIT;
    for (size_t i = 0; i < sizeof dear / sizeof dear[0]; i++) {
        result = try_match(pattern, matcher, &state, text, length, &dear[i]);
        if (result >= PCRE2_ERROR_NOMATCH) {
            break;
        }
    }
    return result;
}

enum schema_match schema_pattern_find(const struct schema_pattern *pattern,
                                      struct schema_matcher *matcher, const char *text,
                                      size_t length) {
    int result = try_cheaply(pattern, matcher, text, length);
    if (result < PCRE2_ERROR_NOMATCH) {
        result = try_dearly(pattern, matcher, text, length);
    }
    if (result >= 0) {
        return SCHEMA_MATCH;
    }
    if (result == PCRE2_ERROR_NOMATCH) {
        return SCHEMA_NO_MATCH;
    }
    return arena_exhausted(matcher->arena) ? SCHEMA_MATCH_NO_MEMORY : SCHEMA_MATCH_TOO_DEAR;
}
