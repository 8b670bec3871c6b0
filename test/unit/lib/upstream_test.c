#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/upstream.h"

/* A plain HTTP service that does one thing with every request; TLS and HTTP/2 are the flow tests'
 * part. */
struct service {
    int listener;
    unsigned port;
    const char *answer;   /* NULL: none */
    bool close_after;     /* each answer */
    unsigned answers_max; /* on one connection; then a request is read and the connection closed */
    bool echo;            /* answer with the request's body */
    atomic_uint received;
    pthread_t thread;
    atomic_bool stopping;
    atomic_uint serving; /* connections whose thread still looks at this */
};

static ssize_t read_request(int connection, char *buffer, size_t size) {
    size_t used = 0;
    while (used < size - 1) {
        ssize_t got = recv(connection, buffer + used, size - 1 - used, 0);
        if (got <= 0) {
            return -1;
        }
        used += (size_t)got;
        buffer[used] = '\0';
        const char *body = strstr(buffer, "\r\n\r\n"), *length = strstr(buffer, "Content-Length: ");
        size_t expected = length ? strtoul(length + 16, NULL, 10) : 0;
        if (body && used >= (size_t)(body + 4 - buffer) + expected) {
            return (ssize_t)used;
        }
    }
    return -1;
}

struct connection {
    struct service *service;
    int descriptor;
};

static void *serve_connection(void *data) {
    struct connection connection = *(struct connection *)data;
    struct service *service = connection.service;
    char request[4096], answer[sizeof request + 128];
    free(data);
    for (unsigned i = 0; read_request(connection.descriptor, request, sizeof request) > 0; i++) {
        atomic_fetch_add(&service->received, 1);
        if (service->answers_max && i >= service->answers_max) {
            break;
        }
        if (service->echo) {
            const char *body = strstr(request, "\r\n\r\n") + 4;
            snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                     strlen(body), body);
        }
        const char *text = service->echo ? answer : service->answer;
        if (text && send(connection.descriptor, text, strlen(text), MSG_NOSIGNAL) < 0) {
            break;
        }
        if (service->close_after) {
            break;
        }
    }
    close(connection.descriptor);
    atomic_fetch_sub(&service->serving, 1);
    return NULL;
}

static void *serve(void *data) {
    struct service *service = data;
    while (!atomic_load(&service->stopping)) {
        int descriptor = accept(service->listener, NULL, NULL);
        if (descriptor < 0) {
            break;
        }
        struct connection *connection = malloc(sizeof *connection);
        *connection = (struct connection){service, descriptor};
        pthread_t thread;
        atomic_fetch_add(&service->serving, 1);
        pthread_create(&thread, NULL, serve_connection, connection);
        pthread_detach(thread);
    }
    return NULL;
}

static void service_start(struct service *service) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    service->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(service->listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(service->listener, 512), 0);
    getsockname(service->listener, (struct sockaddr *)&address, &length);
    service->port = ntohs(address.sin_port);
    pthread_create(&service->thread, NULL, serve, service);
}

/* The upstream is gone by now, so each connection comes to its end. */
static void service_stop(struct service *service) {
    atomic_store(&service->stopping, true);
    shutdown(service->listener, SHUT_RDWR);
    pthread_join(service->thread, NULL);
    while (atomic_load(&service->serving) > 0) {
        usleep(1000);
    }
    close(service->listener);
}

/* One call and what it needs. */
struct sample {
    struct upstream_call call;
    struct arena *arena;
    char url[128];
    char body[64];
    sem_t done;
};

static void note_done(struct upstream_call *call) {
    struct sample *sample = call->data;
    sem_post(&sample->done);
}

static void sample_submit(struct sample *sample, struct upstream *upstream,
                          const struct upstream_target *target, unsigned port,
                          unsigned deadline_ms) {
    sem_init(&sample->done, 0, 0);
    snprintf(sample->url, sizeof sample->url, "http://127.0.0.1:%u/messages", port);
    if (!sample->arena) {
        sample->arena = arena_new_on_heap(1 << 20);
    }
    sample->call.target = target;
    sample->call.arena = sample->arena;
    sample->call.method = sample->call.method ? sample->call.method : "POST";
    sample->call.url = sample->url;
    sample->call.body = sample->body[0] != '\0' ? sample->body : NULL;
    sample->call.body_length = strlen(sample->body);
    if (sample->call.answer_bytes_max == 0) {
        sample->call.answer_bytes_max = 4096;
    }
    sample->call.deadline_ms = clock_ms() + deadline_ms;
    sample->call.done = note_done;
    sample->call.data = sample;
    if (sample->call.caller_fd == 0) {
        sample->call.caller_fd = -1;
    }
    upstream_submit(upstream, &sample->call);
}

static void sample_wait(struct sample *sample) {
    while (sem_wait(&sample->done) != 0) {
    }
}

static void sample_free(struct sample *sample) {
    arena_free(sample->arena);
    sem_destroy(&sample->done);
}

static struct upstream *make_upstream(const struct upstream_target **target,
                                      unsigned connections_max, bool private_addresses) {
    struct problem problem = {0};
    const struct upstream_limits limits = {256, 32 << 20, 32 << 20};
    struct upstream *upstream = upstream_new(&limits, &problem);
    assert_non_null(upstream);
    const struct upstream_target_options options = {
        .name = "messaging",
        .http = UPSTREAM_HTTP_1,
        .private_addresses = private_addresses,
        .connections_max = connections_max,
    };
    *target = upstream_target_add(upstream, &options, &problem);
    assert_non_null(*target);
    assert_true(upstream_start(upstream, &problem));
    return upstream;
}

#define OK_ANSWER                                                                                  \
    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: "                   \
    "9\r\n\r\n{\"id\":17}"

static void each_answer_has_its_outcome(void **state) {
    (void)state;
    static const struct {
        const char *answer;
        bool close_after;
        enum outcome outcome;
        int status;
        uint32_t retry_after_s;
        const char *body;
    } cases[] = {
        {OK_ANSWER, false, OUTCOME_OK, 201, 0, "{\"id\":17}"},
        {"HTTP/1.1 204 No Content\r\n\r\n", false, OUTCOME_OK, 204, 0, NULL},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", false, OUTCOME_REFUSED, 404, 0,
         "no"},
        {"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", false, OUTCOME_REFUSED,
         429, 7, NULL},
        {"HTTP/1.1 429 Slow\r\nRetry-After: -7\r\nContent-Length: 0\r\n\r\n", false,
         OUTCOME_REFUSED, 429, 0, NULL},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", false,
         OUTCOME_REFUSED, 302, 0, NULL},
        {"", true, OUTCOME_UNKNOWN, 0, 0, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", true, OUTCOME_UNKNOWN, 200, 0,
         "half"},
        {"\x16\x03\x01 garbage\r\n\r\n", true, OUTCOME_UNKNOWN, 0, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct upstream_target *target;
        struct service service = {.answer = cases[i].answer, .close_after = cases[i].close_after};
        struct sample sample = {.body = "{\"text\":\"hello\"}"};
        service_start(&service);
        struct upstream *upstream = make_upstream(&target, 4, true);
        sample_submit(&sample, upstream, target, service.port, 5000);
        sample_wait(&sample);
        assert_int_equal(sample.call.outcome, cases[i].outcome);
        assert_int_equal(sample.call.status, cases[i].status);
        assert_int_equal(sample.call.retry_after_s, cases[i].retry_after_s);
        assert_true(sample.call.handed_over);
        if (cases[i].body) {
            assert_string_equal(sample.call.answer.bytes, cases[i].body);
        } else {
            assert_int_equal(sample.call.answer.length, 0);
        }
        assert_int_equal(atomic_load(&service.received), 1);
        upstream_free(upstream);
        service_stop(&service);
        sample_free(&sample);
    }
}

static void an_answer_at_the_limit_fits_and_one_past_it_does_not(void **state) {
    (void)state;
    for (size_t limit = 8; limit <= 9; limit++) {
        const struct upstream_target *target;
        struct service service = {.answer = OK_ANSWER};
        struct sample sample = {.call.answer_bytes_max = limit};
        service_start(&service);
        struct upstream *upstream = make_upstream(&target, 4, true);
        sample_submit(&sample, upstream, target, service.port, 5000);
        sample_wait(&sample);
        assert_int_equal(sample.call.outcome, limit == 9 ? OUTCOME_OK : OUTCOME_TOO_LARGE);
        assert_int_equal(sample.call.status, 201);
        upstream_free(upstream);
        service_stop(&service);
        sample_free(&sample);
    }
}

static void an_exhausted_arena_is_told_from_a_lost_answer(void **state) {
    (void)state;
    const struct upstream_target *target;
    struct service service = {.answer = OK_ANSWER};
    struct sample sample = {.arena = arena_new_on_heap(BLOCK_BYTES)};
    service_start(&service);
    struct upstream *upstream = make_upstream(&target, 4, true);
    assert_non_null(arena_alloc(sample.arena, BLOCK_BYTES - 200)); /* what is left will not do */
    sample_submit(&sample, upstream, target, service.port, 5000);
    sample_wait(&sample);
    assert_true(sample.call.outcome == OUTCOME_NO_MEMORY ||
                sample.call.outcome == OUTCOME_NOT_SENT);
    assert_true(arena_exhausted(sample.arena));
    upstream_free(upstream);
    service_stop(&service);
    sample_free(&sample);
}

/* libcurl would send a POST twice when a reused connection dies before an answer. */
/* libcurl sends a request again when a reused connection dies before the first byte of an answer; a
 * body it would have to rewind for that, and where there is none it needs nothing. */
static void a_message_on_a_dying_connection_is_sent_once(void **state) {
    (void)state;
    static const struct {
        const char *method, *body;
        enum outcome outcome;
        unsigned received;
    } cases[] = {
        {"POST", "second", OUTCOME_UNKNOWN, 2}, {"POST", "", OUTCOME_UNKNOWN, 2},
        {"PUT", "second", OUTCOME_UNKNOWN, 2},  {"PUT", "", OUTCOME_UNKNOWN, 2},
        {"DELETE", "", OUTCOME_UNKNOWN, 2},     {"GET", "", OUTCOME_OK, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct upstream_target *target;
        struct service service = {.answer = OK_ANSWER, .answers_max = 1};
        struct sample first = {.body = "first"}, second = {.call.method = cases[i].method};
        snprintf(second.body, sizeof second.body, "%s", cases[i].body);
        service_start(&service);
        struct upstream *upstream = make_upstream(&target, 1, true);
        sample_submit(&first, upstream, target, service.port, 5000);
        sample_wait(&first);
        sample_submit(&second, upstream, target, service.port, 5000);
        sample_wait(&second);
        assert_int_equal(first.call.outcome, OUTCOME_OK);
        assert_int_equal(second.call.outcome, cases[i].outcome);
        assert_true(second.call.handed_over);
        assert_true(cases[i].outcome == OUTCOME_OK ||
                    strstr(second.call.problem, "after the request was sent"));
        assert_int_equal(atomic_load(&service.received), cases[i].received);
        upstream_free(upstream);
        service_stop(&service);
        sample_free(&first);
        sample_free(&second);
    }
}

static void nothing_is_sent_where_nobody_listens(void **state) {
    (void)state;
    const struct upstream_target *target;
    struct service service = {0};
    struct sample sample = {.body = "x"};
    service_start(&service);
    service_stop(&service); /* its port is free again, and closed */
    struct upstream *upstream = make_upstream(&target, 4, true);
    sample_submit(&sample, upstream, target, service.port, 5000);
    sample_wait(&sample);
    assert_int_equal(sample.call.outcome, OUTCOME_NOT_SENT);
    assert_false(sample.call.handed_over);
    assert_non_null(strstr(sample.call.problem, "messaging"));
    upstream_free(upstream);
    sample_free(&sample);
}

static void a_private_address_is_refused_before_the_connect(void **state) {
    (void)state;
    const struct upstream_target *target;
    struct service service = {.answer = OK_ANSWER};
    struct sample sample = {.body = "x"};
    service_start(&service);
    struct upstream *upstream = make_upstream(&target, 4, false);
    sample_submit(&sample, upstream, target, service.port, 5000);
    sample_wait(&sample);
    assert_int_equal(sample.call.outcome, OUTCOME_NOT_SENT);
    assert_non_null(strstr(sample.call.problem, "private address"));
    assert_int_equal(atomic_load(&service.received), 0);
    upstream_free(upstream);
    service_stop(&service);
    sample_free(&sample);
}

/* A service that never answers holds the only connection; the second call waits for it in vain. */
static void deadlines_end_sent_and_waiting_calls_apart(void **state) {
    (void)state;
    const struct upstream_target *target;
    struct service service = {.answer = NULL};
    struct sample sent = {.body = "sent"}, waiting = {.body = "waiting"};
    service_start(&service);
    struct upstream *upstream = make_upstream(&target, 1, true);
    sample_submit(&sent, upstream, target, service.port, 1000);
    while (atomic_load(&service.received) == 0) {
        usleep(1000);
    }
    sample_submit(&waiting, upstream, target, service.port, 200);
    sample_wait(&waiting);
    sample_wait(&sent);
    assert_int_equal(waiting.call.outcome, OUTCOME_NOT_SENT);
    assert_int_equal(sent.call.outcome, OUTCOME_UNKNOWN);
    assert_non_null(strstr(sent.call.problem, "in time"));
    assert_int_equal(atomic_load(&service.received), 1);
    upstream_free(upstream);
    service_stop(&service);
    sample_free(&sent);
    sample_free(&waiting);
}

static void a_stopped_upstream_ends_the_calls_it_has_and_those_that_come(void **state) {
    (void)state;
    const struct upstream_target *target;
    struct service service = {.answer = NULL};
    struct sample samples[3] = {{.body = "sent"}, {.body = "waits"}, {.body = "comes late"}};
    static const enum outcome outcomes[] = {OUTCOME_UNKNOWN, OUTCOME_NOT_SENT, OUTCOME_NOT_SENT};
    service_start(&service);
    struct upstream *upstream = make_upstream(&target, 1, true);
    sample_submit(&samples[0], upstream, target, service.port, 5000);
    while (atomic_load(&service.received) == 0) {
        usleep(1000);
    }
    sample_submit(&samples[1], upstream, target, service.port, 5000);
    upstream_stop(upstream);
    for (size_t i = 0; i < 3; i++) {
        if (i == 2) {
            sample_submit(&samples[2], upstream, target, service.port, 5000);
        }
        sample_wait(&samples[i]);
        assert_int_equal(samples[i].call.outcome, outcomes[i]);
        assert_non_null(strstr(samples[i].call.problem, "plateau is stopping"));
    }
    assert_int_equal(atomic_load(&service.received), 1);
    upstream_free(upstream);
    service_stop(&service);
    for (size_t i = 0; i < 3; i++) {
        sample_free(&samples[i]);
    }
}

static void a_waiting_call_ends_when_its_caller_hangs_up(void **state) {
    (void)state;
    const struct upstream_target *target;
    struct service service = {.answer = NULL};
    struct sample sent = {.body = "sent"}, waiting = {.body = "waiting"};
    int caller[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, caller), 0);
    service_start(&service);
    struct upstream *upstream = make_upstream(&target, 1, true);
    sample_submit(&sent, upstream, target, service.port, 60000);
    while (atomic_load(&service.received) == 0) {
        usleep(1000);
    }
    waiting.call.caller_fd = caller[0];
    sample_submit(&waiting, upstream, target, service.port, 60000);
    close(caller[1]);
    sample_wait(&waiting);
    assert_int_equal(waiting.call.outcome, OUTCOME_CANCELLED);
    upstream_free(upstream); /* which ends the other */
    sample_wait(&sent);
    assert_int_equal(sent.call.outcome, OUTCOME_UNKNOWN);
    service_stop(&service);
    sample_free(&sent);
    sample_free(&waiting);
    close(caller[0]);
}

enum { MANY = 200 };

static void each_of_many_calls_gets_its_own_answer(void **state) {
    (void)state;
    static struct sample samples[MANY];
    const struct upstream_target *target;
    struct service service = {.echo = true};
    service_start(&service);
    struct upstream *upstream = make_upstream(&target, 60, true);
    for (int i = 0; i < MANY; i++) {
        snprintf(samples[i].body, sizeof samples[i].body, "message %d", i);
        sample_submit(&samples[i], upstream, target, service.port, 30000);
    }
    for (int i = 0; i < MANY; i++) {
        sample_wait(&samples[i]);
        assert_int_equal(samples[i].call.outcome, OUTCOME_OK);
        assert_string_equal(samples[i].call.answer.bytes, samples[i].body);
    }
    assert_int_equal(atomic_load(&service.received), MANY);
    upstream_free(upstream);
    service_stop(&service);
    for (int i = 0; i < MANY; i++) {
        sample_free(&samples[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_outcome),
        cmocka_unit_test(an_answer_at_the_limit_fits_and_one_past_it_does_not),
        cmocka_unit_test(an_exhausted_arena_is_told_from_a_lost_answer),
        cmocka_unit_test(a_message_on_a_dying_connection_is_sent_once),
        cmocka_unit_test(nothing_is_sent_where_nobody_listens),
        cmocka_unit_test(a_private_address_is_refused_before_the_connect),
        cmocka_unit_test(deadlines_end_sent_and_waiting_calls_apart),
        cmocka_unit_test(a_stopped_upstream_ends_the_calls_it_has_and_those_that_come),
        cmocka_unit_test(a_waiting_call_ends_when_its_caller_hangs_up),
        cmocka_unit_test(each_of_many_calls_gets_its_own_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
