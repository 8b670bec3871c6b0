#include "server/accept.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/limits.h"
#include "server/call.h"
#include "server/listener.h"

/* libmicrohttpd's handler: once with the headers, once for each part of the body, once at its end,
 * and once more when a suspended connection is resumed. */
static enum MHD_Result take_request(void *data, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_size, void **context) {
    (void)version;
    struct server *server = data;
    struct call *call = *context;
    if (!call) {
        call = admit(server, connection, method, url);
        if (!call) {
            atomic_fetch_add_explicit(&server->calls_refused, 1, memory_order_relaxed);
            return MHD_queue_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, server->busy);
        }
        *context = call;
        call_run(call);
    } else if (*upload_size > 0) {
        if (!call_receive(call, upload, *upload_size)) {
            return MHD_NO;
        }
        *upload_size = 0;
    } else {
        call_run(call);
    }
    return MHD_YES;
}

static void request_done(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why) {
    (void)data, (void)connection, (void)why;
    struct call *call = *context;
    if (call) {
        *context = NULL;
        reset(call);
    }
}

static void client_came_or_left(void *data, struct MHD_Connection *connection, void **context,
                                enum MHD_ConnectionNotificationCode what) {
    (void)connection, (void)context;
    struct server *server = data;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        atomic_fetch_sub(&server->clients, 1);
        return;
    }
    unsigned clients = atomic_fetch_add(&server->clients, 1) + 1;
    unsigned high = atomic_load(&server->clients_high);
    while (high < clients && !atomic_compare_exchange_weak(&server->clients_high, &high, clients)) {
    }
}

static struct MHD_Response *make_busy(void) {
    static const char text[] =
        "{\"error\":\"All calls this server can hold are in use; try again after a second.\"}";
    struct MHD_Response *busy = MHD_create_response_from_buffer_static(sizeof text - 1, text);
    if (busy) {
        MHD_add_response_header(busy, "Content-Type", "application/json");
        MHD_add_response_header(busy, "Retry-After", "1");
    }
    return busy;
}

bool accept_start(struct server *server, struct problem *problem) {
    int listener = listener_open(&server->config->server.listen, "server.listen", problem);
    if (listener < 0) {
        return false;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned connections = server->plan.clients;
    server->busy = make_busy();
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, take_request,
        server, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)(cores > 1 ? cores : 1), MHD_OPTION_THREAD_STACK_SIZE, (size_t)WORKER_STACK_BYTES,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_POOL_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_IDLE_S,
        MHD_OPTION_NOTIFY_COMPLETED, request_done, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        client_came_or_left, server, MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, MHD_OPTION_END);
    if (!server->busy || !server->daemon) {
        problem_set(problem, "the listener's threads could not be started: %s", strerror(errno));
        close(listener);
        return false;
    }
    return true;
}

void accept_quiesce(struct server *server) {
    MHD_socket listener = MHD_quiesce_daemon(server->daemon);
    if (listener != MHD_INVALID_SOCKET) {
        close(listener);
    }
}

void accept_stop(struct server *server) {
    if (server->daemon) {
        MHD_stop_daemon(server->daemon);
        server->daemon = NULL;
    }
    if (server->busy) {
        MHD_destroy_response(server->busy);
        server->busy = NULL;
    }
}
