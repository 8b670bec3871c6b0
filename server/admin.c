#include "server/admin.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "lib/limits.h"
#include "server/authority.h"
#include "server/listener.h"
#include "server/memory_ledger.h"

/* One request: it lies in its own arena. */
struct question {
    const struct server *server;
    struct MHD_Connection *connection;
    struct arena *arena;
    unsigned status;
    const char *content_type;
    struct text answer;
};

static void healthz(struct question *question) {
    text_add_string(&question->answer, "ok\n");
}

static void readyz(struct question *question) {
    const struct server *server = question->server;
    if (atomic_load(&server->draining)) {
        question->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        text_add_format(&question->answer, "draining: %u calls in flight\n",
                        atomic_load(&server->calls_in_flight));
    } else {
        text_add_string(&question->answer, "ready\n");
    }
}

static bool wants_json(struct question *question) {
    const char *accept =
        MHD_lookup_connection_value(question->connection, MHD_HEADER_KIND, "Accept");
    const char *format =
        MHD_lookup_connection_value(question->connection, MHD_GET_ARGUMENT_KIND, "format");
    return format ? strcmp(format, "json") == 0 : accept && strstr(accept, "application/json");
}

static void debug_memory(struct question *question) {
    struct ledger ledger;
    memory_ledger_read(question->server, &ledger);
    if (wants_json(question)) {
        question->content_type = "application/json";
        ledger_write_json(&question->answer, &ledger);
    } else {
        ledger_write_text(&question->answer, &ledger);
    }
}

static void metrics(struct question *question) {
    const struct server *server = question->server;
    struct ledger ledger;
    question->content_type = "text/plain; version=0.0.4; charset=utf-8";
    text_add_format(
        &question->answer,
        "# HELP plateau_calls_in_flight Requests that have a slot.\n"
        "# TYPE plateau_calls_in_flight gauge\n"
        "plateau_calls_in_flight %u\n"
        "# HELP plateau_calls_in_flight_max Slots there are.\n"
        "# TYPE plateau_calls_in_flight_max gauge\n"
        "plateau_calls_in_flight_max %" PRIu32 "\n"
        "# HELP plateau_clients Connections of clients.\n"
        "# TYPE plateau_clients gauge\n"
        "plateau_clients %u\n"
        "# HELP plateau_clients_high Most connections of clients at one time.\n"
        "# TYPE plateau_clients_high gauge\n"
        "plateau_clients_high %u\n"
        "# HELP plateau_clients_max Connections of clients that are taken at one time.\n"
        "# TYPE plateau_clients_max gauge\n"
        "plateau_clients_max %" PRIu32 "\n"
        "# HELP plateau_requests_total Requests that were given a slot.\n"
        "# TYPE plateau_requests_total counter\n"
        "plateau_requests_total %" PRIu64 "\n"
        "# HELP plateau_requests_refused_total Requests that found no slot (503).\n"
        "# TYPE plateau_requests_refused_total counter\n"
        "plateau_requests_refused_total %" PRIu64 "\n",
        atomic_load(&server->calls_in_flight), server->plan.calls, atomic_load(&server->clients),
        atomic_load(&server->clients_high), server->plan.clients,
        atomic_load(&server->calls_started), atomic_load(&server->calls_refused));
    memory_ledger_read(server, &ledger);
    ledger_write_metrics(&question->answer, &ledger);
}

static const struct {
    const char *path;
    void (*answer)(struct question *question);
} pages[] = {
    {"/healthz", healthz},
    {"/readyz", readyz},
    {"/metrics", metrics},
    {"/debug/memory", debug_memory},
};

static void refuse(struct question *question, unsigned status, const char *sentence) {
    question->status = status;
    text_add_string(&question->answer, sentence);
}

/* A page of elsewhere must not read this through somebody's browser (DNS rebinding). */
static bool may_ask(const struct question *question) {
    const char *host = MHD_lookup_connection_value(question->connection, MHD_HEADER_KIND, "Host");
    return !authority_is_loopback_address(&question->server->config->server.admin.socket) ||
           (host && authority_is_loopback(host));
}

static void answer(struct question *question, const char *path, const char *method) {
    if (!may_ask(question)) {
        refuse(question, MHD_HTTP_FORBIDDEN, "The Host header names another host.\n");
        return;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        refuse(question, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n");
        return;
    }
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (strcmp(path, pages[i].path) == 0) {
            pages[i].answer(question);
            return;
        }
    }
    refuse(question, MHD_HTTP_NOT_FOUND,
           "There is /healthz, /readyz, /metrics and /debug/memory.\n");
}

static enum MHD_Result send_answer(struct question *question) {
    const struct text *text = &question->answer;
    if (text_failed(text)) {
        return MHD_NO; /* closes the connection: more at a time than the pool holds */
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer_static(text->length, text->bytes);
    if (!response) {
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", question->content_type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (question->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    }
    enum MHD_Result queued = MHD_queue_response(question->connection, question->status, response);
    MHD_destroy_response(response);
    return queued;
}

static struct question *new_question(struct server *server, struct MHD_Connection *connection) {
    struct arena *arena = arena_new(server->admin_pool, 2 * ADMIN_ANSWER_BYTES_MAX);
    struct question *question = arena ? arena_alloc(arena, sizeof *question) : NULL;
    if (!question) {
        arena_free(arena);
        return NULL;
    }
    *question = (struct question){
        .server = server,
        .connection = connection,
        .arena = arena,
        .status = MHD_HTTP_OK,
        .content_type = "text/plain; charset=utf-8",
        .answer = text_new(arena, ADMIN_ANSWER_BYTES_MAX),
    };
    return question;
}

/* libmicrohttpd's handler; answers when the request is whole, whatever its body holds. */
static enum MHD_Result take_request(void *data, struct MHD_Connection *connection, const char *path,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_size, void **context) {
    (void)version, (void)upload;
    struct server *server = data;
    if (!*context) {
        *context = new_question(server, connection);
        return *context ? MHD_YES : MHD_NO;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    struct question *question = *context;
    answer(question, path, method);
    return send_answer(question);
}

static void request_done(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why) {
    (void)data, (void)connection, (void)why;
    struct question *question = *context;
    if (question) {
        *context = NULL;
        arena_free(question->arena);
    }
}

bool admin_start(struct server *server, struct problem *problem) {
    const struct config_address *address = &server->config->server.admin;
    if (!address->text) {
        return true;
    }
    int listener = listener_open(address, "server.admin", problem);
    if (listener < 0) {
        return false;
    }
    server->admin_pool = block_pool_new(ADMIN_BLOCKS, BLOCK_BYTES);
    if (server->admin_pool) {
        server->admin = MHD_start_daemon(
            MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, take_request, server,
            MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_THREAD_STACK_SIZE,
            (size_t)WORKER_STACK_BYTES, MHD_OPTION_CONNECTION_LIMIT, ADMIN_CONNECTIONS_MAX,
            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_POOL_BYTES,
            MHD_OPTION_CONNECTION_TIMEOUT, ADMIN_IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, request_done,
            NULL, MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, MHD_OPTION_END);
    }
    if (!server->admin) {
        problem_set(problem, "server.admin: its thread could not be started: %m");
        close(listener);
        return false;
    }
    return true;
}

void admin_stop(struct server *server) {
    if (server->admin) {
        MHD_stop_daemon(server->admin);
        server->admin = NULL;
    }
    block_pool_free(server->admin_pool);
    server->admin_pool = NULL;
}
