/* The inbox, the idempotency keys and the query: what they keep, and their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/messaging/idempotency.h"
#include "test/messaging/limits.h"
#include "test/messaging/messages.h"
#include "test/messaging/query.h"

static bool list_holds(const struct messages *m, const char *recipient, uint64_t limit,
                       const char *wanted) {
    struct message_filter filter = {.recipient = recipient};
    struct bytes json = {0};
    bool found;

    filter.recipient_size = recipient ? strlen(recipient) : 0;
    messages_list(m, &filter, limit, &json);
    found = strstr(json.data, wanted) != NULL;
    bytes_free(&json);
    return found;
}

static void the_inbox_holds_so_many_messages(void **state) {
    struct messages *m = messages_new();
    uint64_t number = 0;

    (void)state;
    for (uint64_t i = 0; i < MESSAGES_MAX; i++) {
        number = messages_add(m, i ? "bob" : "ann", 3, "x", 1);
    }
    assert_int_equal(number, MESSAGES_MAX);
    assert_true(list_holds(m, "ann", 1, "\"count\":1}"));
    assert_int_equal(messages_add(m, "bob", 3, "x", 1), MESSAGES_MAX + 1);
    assert_true(list_holds(m, "ann", 1, "{\"messages\":[],\"count\":0}"));
    assert_true(list_holds(m, NULL, 0, "{\"messages\":[],\"count\":100000}"));
    assert_true(list_holds(m, NULL, 1, "[{\"id\":\"m-100001\""));
    messages_free(m);
}

static void the_inbox_holds_so_many_bytes(void **state) {
    struct messages *m = messages_new();
    size_t size = 1024 * 1024;
    char *text = calloc(1, size);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    for (size_t i = 0; i < MESSAGES_BYTES_MAX / size; i++) {
        messages_add(m, "", 0, text, size);
    }
    assert_true(list_holds(m, NULL, 0, "\"count\":64}"));
    messages_add(m, "", 0, text, 1);
    assert_true(list_holds(m, NULL, 0, "\"count\":64}")); /* the first left for it */
    free(text);
    messages_free(m);
}

static enum idempotency_outcome begin(struct idempotency *keys, unsigned number, const char *body,
                                      struct idempotency_entry **entry) {
    char key[16];

    snprintf(key, sizeof key, "k%u", number);
    return idempotency_begin(keys, key, body, strlen(body), entry);
}

static void add_done(struct idempotency *keys, unsigned number, const char *answer, size_t size) {
    struct idempotency_entry *entry;

    assert_int_equal(begin(keys, number, "body", &entry), IDEMPOTENCY_CLAIMED);
    idempotency_complete(keys, entry, answer, size);
}

static void keys_go_through_their_life(void **state) {
    struct idempotency *keys = idempotency_new();
    struct idempotency_entry *entry;
    size_t size;

    (void)state;
    assert_int_equal(begin(keys, 1, "a", &entry), IDEMPOTENCY_CLAIMED);
    assert_int_equal(begin(keys, 1, "b", &entry), IDEMPOTENCY_MISMATCH);
    assert_int_equal(begin(keys, 1, "a", &entry), IDEMPOTENCY_IN_FLIGHT);
    idempotency_release(keys, entry);
    assert_int_equal(begin(keys, 1, "b", &entry), IDEMPOTENCY_CLAIMED);
    idempotency_complete(keys, entry, "answer", 6);
    assert_int_equal(begin(keys, 1, "b", &entry), IDEMPOTENCY_REPLAY);
    assert_string_equal(idempotency_answer(entry, &size), "answer");
    assert_int_equal(size, 6);
    assert_int_equal(begin(keys, 2, "b", &entry), IDEMPOTENCY_CLAIMED); /* freed with the rest */
    idempotency_free(keys);
}

static void so_many_keys_are_remembered(void **state) {
    struct idempotency *keys = idempotency_new();
    struct idempotency_entry *entry, *waiting;

    (void)state;
    assert_int_equal(begin(keys, IDEMPOTENCY_KEYS_MAX + 1, "body", &waiting), IDEMPOTENCY_CLAIMED);
    for (unsigned i = 0; i < IDEMPOTENCY_KEYS_MAX; i++) {
        add_done(keys, i, "x", 1);
    }
    assert_int_equal(begin(keys, 0, "body", &entry), IDEMPOTENCY_REPLAY);
    idempotency_complete(keys, waiting, "x", 1); /* the one past it: the oldest is forgotten */
    assert_int_equal(begin(keys, 1, "body", &entry), IDEMPOTENCY_REPLAY);
    assert_int_equal(begin(keys, 0, "body", &entry), IDEMPOTENCY_CLAIMED);
    idempotency_free(keys);
}

static void so_many_bytes_of_answers_are_remembered(void **state) {
    struct idempotency *keys = idempotency_new();
    struct idempotency_entry *entry;
    size_t size = 1024 * 1024;
    char *answer = calloc(1, size);
    unsigned fit = IDEMPOTENCY_BYTES_MAX / (1024 * 1024);

    (void)state;
    assert_non_null(answer);
    for (unsigned i = 0; i < fit; i++) {
        add_done(keys, i, answer, size);
    }
    assert_int_equal(begin(keys, 0, "body", &entry), IDEMPOTENCY_REPLAY);
    add_done(keys, fit, answer, 1);
    assert_int_equal(begin(keys, 0, "body", &entry), IDEMPOTENCY_CLAIMED);
    assert_int_equal(begin(keys, 1, "body", &entry), IDEMPOTENCY_REPLAY);
    free(answer);
    idempotency_free(keys);
}

static void queries_are_decoded(void **state) {
    static const struct {
        const char *target, *value;
    } cases[] = {
        {"/p", NULL},
        {"/p?", NULL},
        {"/p?a", NULL},
        {"/p?aa=1", NULL},
        {"/p?a=", ""},
        {"/p?a=1", "1"},
        {"/p?b=2&a=1", "1"},
        {"/p?a=1&a=2", "1"},
        {"/p?a=%41+%2b", "A +"},
        {"/p?a=%4", "%4"},
        {"/p?a=%", "%"},
        {"/p?a=%zz", "%zz"},
        {"/p?a=%c3%A9", "\xc3\xa9"},
        {"/p?a=1=2", "1=2"},
        {"/p&a=1?b=2", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = 0;
        char *value = query_value(cases[i].target, "a", &size);

        assert_int_equal(value == NULL, cases[i].value == NULL);
        if (value && cases[i].value) {
            assert_string_equal(value, cases[i].value);
            assert_int_equal(size, strlen(cases[i].value));
        }
        free(value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_inbox_holds_so_many_messages),
        cmocka_unit_test(the_inbox_holds_so_many_bytes),
        cmocka_unit_test(keys_go_through_their_life),
        cmocka_unit_test(so_many_keys_are_remembered),
        cmocka_unit_test(so_many_bytes_of_answers_are_remembered),
        cmocka_unit_test(queries_are_decoded),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
