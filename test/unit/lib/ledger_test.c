#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>

#include "lib/ledger.h"
#include "lib/limits.h"

static void what_no_line_has_is_unaccounted(void **state) {
    (void)state;
    struct ledger ledger = {.rss_bytes = 1000};
    assert_int_equal(ledger_unaccounted(&ledger), 1000);
    ledger_add(&ledger, (struct ledger_line){"one", 1, 2, 3, 600, 0});
    assert_int_equal(ledger_unaccounted(&ledger), 400);
    ledger_add(&ledger, (struct ledger_line){"two", 1, 2, 3, 500, 0});
    assert_int_equal(ledger_unaccounted(&ledger), -100);
}

static void only_touched_pages_are_resident(void **state) {
    (void)state;
    size_t pages = 3000; /* more than one question to the kernel */
    char *memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    (void)madvise(memory, pages * PAGE_BYTES, MADV_NOHUGEPAGE);
    assert_int_equal(ledger_resident(memory, pages * PAGE_BYTES), 0);
    static const size_t touched[] = {0, 7, 1023, 1024, 2048, 2999};
    size_t count = sizeof touched / sizeof touched[0];
    for (size_t i = 0; i < count; i++) {
        memory[touched[i] * PAGE_BYTES] = 1;
        assert_int_equal(ledger_resident(memory, pages * PAGE_BYTES), (i + 1) * PAGE_BYTES);
    }
    assert_int_equal(ledger_resident(memory, 2999 * PAGE_BYTES), (count - 1) * PAGE_BYTES);
    assert_int_equal(munmap(memory, pages * PAGE_BYTES), 0);
}

static void the_process_is_read(void **state) {
    (void)state;
    struct ledger ledger = {0};
    assert_true(ledger_read_process(&ledger));
    assert_true(ledger.rss_bytes >= 64 * 1024);
    assert_true(ledger.rss_high_bytes >= ledger.rss_bytes / 2);
    assert_int_equal(ledger.count, 1);
    assert_string_equal(ledger.lines[0].name, "program");
    assert_true(ledger.lines[0].resident_bytes <= ledger.rss_bytes);
}

static struct ledger example(void) {
    struct ledger ledger = {
        .budget_bytes = 64 << 20, .rss_bytes = 3 << 20, .rss_high_bytes = 4 << 20};
    ledger_add(&ledger, (struct ledger_line){"arenas", 1 << 20, 2 << 20, 8 << 20, 2 << 20, 77});
    ledger_add(&ledger, (struct ledger_line){"program", 1 << 19, 1 << 19, 0, 1 << 19, 0});
    return ledger;
}

/* What each way of writing the example must hold. */
static const struct {
    void (*write)(struct text *text, const struct ledger *ledger);
    const char *holds[4];
} forms[] = {
    {ledger_write_text,
     {"arenas               1.00       2.00       8.00       2.00\n",
      "program              0.50       0.50          -       0.50\n", "unaccounted",
      "RSS                             4.00      64.00       3.00\n"}},
    {ledger_write_json,
     {"{\"budget_bytes\":67108864,\"rss_bytes\":3145728,", "\"unaccounted_bytes\":524288,",
      "{\"name\":\"arenas\",\"used_bytes\":1048576,\"high_bytes\":2097152,",
      "\"resident_bytes\":524288,\"allocations\":0}]}\n"}},
    {ledger_write_metrics,
     {"plateau_memory_used_bytes{subsystem=\"arenas\"} 1048576\n",
      "plateau_memory_allocations_total{subsystem=\"arenas\"} 77\n",
      "plateau_memory_unaccounted_bytes 524288\n", "process_resident_memory_bytes 3145728\n"}},
};

static void it_is_written_in_three_ways(void **state) {
    (void)state;
    struct ledger ledger = example();
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct arena *arena = arena_new_on_heap(1 << 20);
        struct text text = text_new(arena, 1 << 16);
        forms[i].write(&text, &ledger);
        assert_false(text_failed(&text));
        for (size_t j = 0; j < sizeof forms[i].holds / sizeof forms[i].holds[0]; j++) {
            assert_non_null(strstr(text.bytes, forms[i].holds[j]));
        }
        arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_line_has_is_unaccounted),
        cmocka_unit_test(only_touched_pages_are_resident),
        cmocka_unit_test(the_process_is_read),
        cmocka_unit_test(it_is_written_in_three_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
