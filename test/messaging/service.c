#include "test/messaging/limits.h"
#include "test/messaging/memory.h"
#include "test/messaging/message_body.h"
#include "test/messaging/page.h"
#include "test/messaging/query.h"
#include "test/messaging/service_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char messages_path[] = "/v1/messages";

struct service *service_new(const struct options *options, struct timers *timers,
                            struct statistics *statistics) {
    struct service *service = memory_new(sizeof *service);

    service->options = options;
    service->timers = timers;
    service->statistics = statistics;
    service->messages = messages_new();
    service->keys = idempotency_new();
    return service;
}

void service_free(struct service *service) {
    struct exchange *next;

    if (!service) {
        return;
    }
    for (struct exchange *x = LIST_FIRST(&service->exchanges); x; x = next) {
        next = LIST_NEXT(x, of_service);
        exchange_free(x);
    }
    messages_free(service->messages);
    idempotency_free(service->keys);
    free(service);
}

struct exchange *service_begin(struct service *service, void *channel, int32_t stream,
                               void (*end)(struct exchange *x, enum ending ending)) {
    struct exchange *x = memory_new(sizeof *x);

    x->service = service;
    x->channel = channel;
    x->stream = stream;
    x->end = end;
    LIST_INSERT_HEAD(&service->exchanges, x, of_service);
    return x;
}

static void leave_flight(struct exchange *x) {
    if (x->posting) {
        x->posting = false;
        x->service->statistics->in_flight--;
    }
}

void exchange_free(struct exchange *x) {
    if (!x) {
        return;
    }
    leave_flight(x);
    idempotency_release(x->service->keys, x->claim);
    timers_stop(x->service->timers, &x->timer);
    LIST_REMOVE(x, of_service);
    free(x->method);
    free(x->target);
    free(x->authorization);
    free(x->idempotency_key);
    free(x->message.recipient);
    free(x->message.text);
    bytes_free(&x->body);
    bytes_free(&x->answer.body);
    free(x);
}

void service_abandon(struct exchange *x) {
    x->channel = NULL;
    if (x->timer.place == 0) {
        exchange_free(x);
    }
}

void service_end(struct exchange *x, enum ending ending) {
    if (x->posting && ending == ENDING_ANSWER && x->answer.status >= 400) {
        x->service->statistics->rejected++;
    }
    leave_flight(x);
    if (x->channel) {
        x->end(x, ending);
    } else {
        exchange_free(x);
    }
}

void service_refuse(struct exchange *x, int status, const char *code, const char *message) {
    answer_error(&x->answer, status, code, message);
    service_end(x, ENDING_ANSWER);
}

static bool authorised(const struct exchange *x) {
    static const char scheme[] = "Bearer ";
    const char *given = x->authorization;

    return given && strncasecmp(given, scheme, strlen(scheme)) == 0 &&
           strcmp(given + strlen(scheme), x->service->options->token) == 0;
}

static bool has_path(const struct exchange *x, const char *path) {
    size_t size = query_path_size(x->target);

    return strlen(path) == size && memcmp(x->target, path, size) == 0;
}

bool service_head(struct exchange *x) {
    struct service *service = x->service;
    struct statistics *statistics = service->statistics;

    statistics->requests++;
    if (strcmp(x->method, "POST") != 0 || !has_path(x, messages_path)) {
        return true;
    }
    x->posting = true;
    statistics->received++;
    statistics->in_flight++;
    if (statistics->in_flight > statistics->in_flight_max) {
        statistics->in_flight_max = statistics->in_flight;
    }
    if (authorised(x)) { /* one that is refused for its token uses up no fault */
        x->fault = fault_take(&service->faults);
    }
    if (x->fault.kind != FAULT_RESET_BEFORE_READ) {
        return true;
    }
    statistics->faults++;
    return false;
}

static struct answer *ok(struct exchange *x, const char *content_type) {
    x->answer.status = 200;
    x->answer.content_type = content_type;
    return &x->answer;
}

static void get_page(struct exchange *x) {
    struct answer *answer = ok(x, "text/html; charset=utf-8");

    answer_header(answer, "Content-Security-Policy", page_policy);
    page_write(&answer->body);
    service_end(x, ENDING_ANSWER);
}

static void get_messages(struct exchange *x) {
    struct message_filter filter = {0};
    size_t ignored;
    char *recipient = query_value(x->target, "recipient", &filter.recipient_size);
    char *text = query_value(x->target, "text", &filter.text_size);
    char *limit = query_value(x->target, "limit", &ignored);

    filter.recipient = recipient;
    filter.text = text;
    messages_list(x->service->messages, &filter,
                  limit ? strtoull(limit, NULL, 10) : LIST_MESSAGES_DEFAULT,
                  &ok(x, "application/json")->body);
    free(recipient);
    free(text);
    free(limit);
    service_end(x, ENDING_ANSWER);
}

static void get_stats(struct exchange *x) {
    const struct statistics *s = x->service->statistics;
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"received", s->received},
        {"applied", s->applied},
        {"replayed", s->replayed},
        {"rejected", s->rejected},
        {"faults", s->faults},
        {"in_flight", s->in_flight},
        {"in_flight_max", s->in_flight_max},
        {"requests", s->requests},
        {"connections", s->connections},
        {"connections_open", s->connections_open},
        {"handshakes", s->handshakes},
        {"resumed", s->resumed},
        {"http2", s->http2},
    };
    struct bytes *json = &ok(x, "application/json")->body;

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        bytes_format(json, "%c\"%s\":%" PRIu64, i ? ',' : '{', fields[i].name, fields[i].value);
    }
    bytes_text(json, "}\n");
    service_end(x, ENDING_ANSWER);
}

static void post_faults(struct exchange *x) {
    struct fault_queue *queue = &x->service->faults;
    struct problem problem;
    int status;

    if (!fault_body_parse(&x->body, queue, &status, &problem)) {
        service_refuse(x, status, status == 400 ? "bad_json" : "invalid", problem.text);
        return;
    }
    bytes_format(&ok(x, "application/json")->body, "{\"kind\":\"%s\",\"count\":%" PRIu64 "}\n",
                 fault_rule(queue->fault.kind)->name, queue->count);
    service_end(x, ENDING_ANSWER);
}

struct route {
    const char *path;
    const char *allow;
    void (*get)(struct exchange *x);
    void (*post)(struct exchange *x);
};

static const struct route routes[] = {
    {"/", "GET", get_page, NULL},
    {messages_path, "GET, POST", get_messages, post_message},
    {"/v1/stats", "GET", get_stats, NULL},
    {"/v1/faults", "POST", NULL, post_faults},
};

static void follow(const struct route *route, struct exchange *x) {
    bool get = strcmp(x->method, "GET") == 0, post = strcmp(x->method, "POST") == 0;

    if (get && route->get) {
        route->get(x);
    } else if (!post || !route->post) {
        answer_header(&x->answer, "Allow", route->allow);
        service_refuse(x, 405, "method_not_allowed", "this path does not know that method");
    } else if (!authorised(x)) {
        answer_header(&x->answer, "WWW-Authenticate", "Bearer");
        service_refuse(x, 401, "unauthorized",
                       "the Authorization header must be 'Bearer' and the service's token");
    } else {
        route->post(x);
    }
}

void service_request(struct exchange *x) {
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (has_path(x, routes[i].path)) {
            follow(&routes[i], x);
            return;
        }
    }
    service_refuse(x, 404, "not_found", "there is nothing at this path");
}
