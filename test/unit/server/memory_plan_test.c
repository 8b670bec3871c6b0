#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "server/memory_budget.h"
#include "server/memory_plan.h"

#define MIB (UINT64_C(1) << 20)

static struct memory_demand demand(uint64_t budget_bytes, unsigned http1, unsigned http2) {
    return (struct memory_demand){
        .budget_bytes = budget_bytes,
        .descriptors_max = 1 << 20,
        .workers = 2,
        .upstreams_http1 = http1,
        .upstreams_http2 = http2,
        .request_bytes_max = REQUEST_BYTES_DEFAULT,
        .response_bytes_max = RESPONSE_BYTES_DEFAULT,
        .ca_file_bytes = 1024,
    };
}

static uint64_t total(const struct memory_plan *plan) {
    uint64_t bytes = 0;
    for (int i = 0; i < MEMORY_LINES; i++) {
        bytes += plan->lines[i].count * plan->lines[i].bytes_each;
    }
    return bytes;
}

/* What the project holds itself to. */
static void the_promised_calls_fit(void **state) {
    (void)state;
    static const struct {
        unsigned http1, http2;
        uint64_t budget_bytes;
        uint32_t calls;
    } promises[] = {{1, 0, 64 * MIB, 1500}, {0, 1, 32 * MIB, 1500}, {0, 1, 192 * MIB, 10000}};
    for (size_t i = 0; i < sizeof promises / sizeof promises[0]; i++) {
        struct memory_plan plan;
        struct problem problem = {0};
        struct memory_demand asked =
            demand(promises[i].budget_bytes, promises[i].http1, promises[i].http2);
        assert_true(memory_plan_make(&asked, &plan, &problem));
        assert_true(plan.calls >= promises[i].calls);
    }
}

static void a_plan_adds_up_to_its_budget(void **state) {
    (void)state;
    for (uint64_t budget = 6 * MIB; budget < 2048 * MIB; budget = budget * 3 / 2) {
        for (unsigned kind = 1; kind <= 3; kind++) {
            struct memory_plan plan;
            struct problem problem = {0};
            struct memory_demand asked = demand(budget, kind & 1, kind >> 1);
            assert_true(memory_plan_make(&asked, &plan, &problem));
            assert_true(total(&plan) <= budget);
            assert_true(budget - total(&plan) < BLOCK_BYTES);
            uint64_t reserve = plan.lines[MEMORY_RESERVE].count * BLOCK_BYTES;
            assert_true(reserve + BLOCK_BYTES > plan.call_bytes_max);
        }
    }
}

static void one_call_more_than_fit_is_refused_in_words(void **state) {
    (void)state;
    struct memory_plan plan;
    struct problem problem = {0};
    struct memory_demand asked = demand(64 * MIB, 1, 0);
    assert_true(memory_plan_make(&asked, &plan, &problem));
    asked.calls = plan.calls;
    assert_true(memory_plan_make(&asked, &plan, &problem));
    asked.calls = plan.calls + 1;
    assert_false(memory_plan_make(&asked, &plan, &problem));
    assert_int_equal(plan.calls, asked.calls - 1); /* untouched */
    char words[64];
    snprintf(words, sizeof words, "which holds %u: lower", plan.calls);
    assert_non_null(strstr(problem.text, words));
    assert_non_null(strstr(problem.text, "raise limits.memory to 65Mi"));
}

static void what_it_asks_for_is_enough(void **state) {
    (void)state;
    struct memory_plan plan;
    struct problem problem = {0};
    struct memory_demand asked = demand(MIB, 1, 0);
    asked.calls = 2000;
    assert_false(memory_plan_make(&asked, &plan, &problem));
    asked.budget_bytes = memory_plan_least_bytes(&asked, 2000);
    assert_true(memory_plan_make(&asked, &plan, &problem));
    asked.budget_bytes--;
    assert_false(memory_plan_make(&asked, &plan, &problem));
}

static void too_little_for_one_call_is_refused(void **state) {
    (void)state;
    struct memory_plan plan;
    struct problem problem = {0};
    struct memory_demand asked = demand(2 * MIB, 1, 0);
    assert_false(memory_plan_make(&asked, &plan, &problem));
    assert_non_null(strstr(problem.text, "do not hold one call"));
}

static void descriptors_bound_the_calls_too(void **state) {
    (void)state;
    struct memory_plan plan;
    struct problem problem = {0};
    struct memory_demand asked = demand(64 * MIB, 1, 0);
    asked.descriptors_max = 1024;
    assert_true(memory_plan_make(&asked, &plan, &problem));
    assert_int_equal(2 * plan.calls + CONNECTIONS_SPARE + DESCRIPTORS_OWN, 1024);
    asked.calls = plan.calls + 1;
    assert_false(memory_plan_make(&asked, &plan, &problem));
    assert_non_null(strstr(problem.text, "ulimit -n"));
}

static void write_file(const char *root, const char *path, const char *text) {
    char name[512];
    snprintf(name, sizeof name, "%s%s", root, path);
    for (char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(name, 0700);
        *slash = '/';
    }
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void the_container_s_limit_is_found(void **state) {
    (void)state;
    char root[] = "/tmp/plateau-cgroup-XXXXXX", command[128];
    assert_non_null(mkdtemp(root));
    unsetenv("PLATEAU_MEMORY_REQUEST");
    assert_int_equal(memory_budget_find(0, root).bytes, 64 * MIB);

    write_file(root, "/proc/self/cgroup", "0::/kubepods/pod1\n");
    write_file(root, "/sys/fs/cgroup/kubepods/pod1/memory.max", "max\n");
    assert_int_equal(memory_budget_find(0, root).bytes, 64 * MIB);
    setenv("PLATEAU_MEMORY_REQUEST", "96Mi", 1);
    assert_int_equal(memory_budget_find(0, root).bytes, 96 * MIB);
    write_file(root, "/sys/fs/cgroup/kubepods/memory.max", "134217728\n"); /* the one above */
    assert_int_equal(memory_budget_find(0, root).bytes, 128 * MIB);
    assert_string_equal(memory_budget_find(0, root).source, "the container's limit (cgroup v2)");
    assert_int_equal(memory_budget_find(32 * MIB, root).bytes, 32 * MIB);
    unsetenv("PLATEAU_MEMORY_REQUEST");

    write_file(root, "/proc/self/cgroup", "9:memory:/docker/x\n8:cpu:/docker/x\n");
    write_file(root, "/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes",
               "9223372036854771712\n");
    assert_int_equal(memory_budget_find(0, root).bytes, 64 * MIB); /* as good as unlimited */
    write_file(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "100000000\n");
    assert_int_equal(memory_budget_find(0, root).bytes, 100000000);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): a folder of our own making
}

static void sizes_are_read_as_kubernetes_writes_them(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"64Mi", 64 * MIB},  {"1Gi", 1024 * MIB}, {"512Ki", MIB / 2}, {"67108864", 64 * MIB},
        {"max", 0},          {"-1", 0},           {"64M", 0},         {"", 0},
        {"99999999999Gi", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(memory_budget_parse(cases[i].text), cases[i].bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_promised_calls_fit),
        cmocka_unit_test(a_plan_adds_up_to_its_budget),
        cmocka_unit_test(one_call_more_than_fit_is_refused_in_words),
        cmocka_unit_test(what_it_asks_for_is_enough),
        cmocka_unit_test(too_little_for_one_call_is_refused),
        cmocka_unit_test(descriptors_bound_the_calls_too),
        cmocka_unit_test(the_container_s_limit_is_found),
        cmocka_unit_test(sizes_are_read_as_kubernetes_writes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
