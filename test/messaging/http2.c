/* http2: HTTP/2 on a connection (RFC 9113), by nghttp2. One exchange a stream; answers of one turn
 * of the event loop leave in one send. */
#include "test/messaging/connection.h"
#include "test/messaging/memory.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http2 {
    struct connection *connection;
    struct service *service;
    const struct options *options;
    nghttp2_session *session;
    LIST_HEAD(, exchange) exchanges;
    uint64_t requests;
    bool leaving; /* GOAWAY was sent: finish when the last stream is done */
    bool cut;     /* half an answer was sent: finish now */
};

static void end(struct exchange *x, enum ending ending);

static struct exchange *of_stream(nghttp2_session *session, int32_t stream) {
    return nghttp2_session_get_stream_user_data(session, stream);
}

static void forget(struct http2 *h, struct exchange *x) {
    LIST_REMOVE(x, of_channel);
    nghttp2_session_set_stream_user_data(h->session, x->stream, NULL);
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *state) {
    struct http2 *h = state;
    struct exchange *x;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    x = service_begin(h->service, h, frame->hd.stream_id, end);
    LIST_INSERT_HEAD(&h->exchanges, x, of_channel);
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, x);
    return 0;
}

static bool is_named(nghttp2_vec name, const char *wanted) {
    return name.len == strlen(wanted) && memcmp(name.base, wanted, name.len) == 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     nghttp2_rcbuf *name_buffer, nghttp2_rcbuf *value_buffer, uint8_t flags,
                     void *state) {
    struct exchange *x = of_stream(session, frame->hd.stream_id);
    nghttp2_vec name = nghttp2_rcbuf_get_buf(name_buffer);
    nghttp2_vec value = nghttp2_rcbuf_get_buf(value_buffer);
    const char *text = (const char *)value.base;

    (void)flags;
    (void)state;
    if (!x || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0; /* trailers */
    }
    if (is_named(name, ":method")) {
        exchange_method(x, text, value.len);
    } else if (is_named(name, ":path")) {
        exchange_target(x, text, value.len);
    } else if (!exchange_header(x, (const char *)name.base, name.len, text, value.len)) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream */
    }
    return 0;
}

/* After --max-requests-per-connection the peer is told to open no more streams here. */
static void count_request(struct http2 *h, int32_t stream) {
    uint64_t most = h->options->max_requests_per_connection;

    if (++h->requests == most) {
        nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR, NULL, 0);
        h->leaving = true;
    }
}

/* False: the connection was reset. */
static bool head_complete(struct http2 *h, struct exchange *x) {
    if (!x->target) {
        exchange_target(x, "", 0); /* CONNECT has none */
    }
    count_request(h, x->stream);
    if (!service_head(x)) {
        connection_reset(h->connection);
        return false;
    }
    return true;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *state) {
    struct http2 *h = state;
    struct exchange *x = of_stream(session, frame->hd.stream_id);

    if (!x || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)) {
        return 0;
    }
    connection_busy(h->connection);
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST &&
        !head_complete(h, x)) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM && !x->answered) {
        service_request(x);
        if (!connection_is_open(h->connection)) {
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t size, void *state) {
    struct exchange *x = of_stream(session, stream);

    (void)flags;
    (void)state;
    if (x && !x->answered && !exchange_body(x, data, size)) {
        service_refuse(x, 413, "too_large", "the body is larger than 1 MiB");
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *state) {
    struct exchange *x = of_stream(session, stream);

    (void)error;
    if (x) {
        forget(state, x);
        if (x->answered) {
            exchange_free(x);
        } else {
            service_abandon(x); /* the peer cancelled it */
        }
    }
    return 0;
}

static ssize_t read_answer(nghttp2_session *session, int32_t stream, uint8_t *bytes, size_t room,
                           uint32_t *flags, nghttp2_data_source *source, void *state) {
    struct http2 *h = state;
    struct exchange *x = source->ptr;
    size_t most = x->half ? x->answer.body.size / 2 : x->answer.body.size;
    size_t size = most - x->written < room ? most - x->written : room;

    (void)session;
    (void)stream;
    memcpy(bytes, x->answer.body.data + x->written, size);
    x->written += size;
    if (x->written == x->answer.body.size) {
        *flags = NGHTTP2_DATA_FLAG_EOF;
    } else if (x->half && x->written == most) {
        h->cut = true;
    }
    return (ssize_t)size;
}

static nghttp2_nv pair(const char *name, const char *value) {
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static void submit(struct http2 *h, struct exchange *x) {
    struct answer *answer = &x->answer;
    nghttp2_nv headers[3 + ANSWER_HEADERS_MAX];
    nghttp2_data_provider provider = {.source.ptr = x, .read_callback = read_answer};
    char status[16], length[24];
    size_t count = 0;

    snprintf(status, sizeof status, "%d", answer->status);
    snprintf(length, sizeof length, "%zu", answer->body.size);
    headers[count++] = pair(":status", status);
    headers[count++] = pair("content-type", answer->content_type);
    headers[count++] = pair("content-length", length);
    for (size_t i = 0; i < answer->header_count; i++) {
        headers[count++] = pair(answer->headers[i].name, answer->headers[i].value);
    }
    nghttp2_submit_response(h->session, x->stream, headers, count,
                            answer->body.size > 0 ? &provider : NULL);
}

/* The exchange itself goes when its stream closes. */
static void end(struct exchange *x, enum ending ending) {
    struct http2 *h = x->channel;
    struct connection *c = h->connection;

    x->answered = true;
    if (connection_end(c, ending)) {
        return;
    }
    if (ending == ENDING_RESET_STREAM || ending == ENDING_REFUSE_STREAM) {
        nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, x->stream,
                                  ending == ENDING_REFUSE_STREAM ? NGHTTP2_REFUSED_STREAM
                                                                 : NGHTTP2_INTERNAL_ERROR);
    } else {
        x->half = ending == ENDING_HALF_ANSWER;
        submit(h, x);
    }
    connection_busy(c);
    connection_touch(c);
}

static void input(void *state, const void *bytes, size_t size) {
    struct http2 *h = state;
    ssize_t taken = nghttp2_session_mem_recv(h->session, bytes, size);

    connection_touch(h->connection);
    if (taken < 0) {
        connection_finish(h->connection); /* does nothing where a fault ended it already */
    }
}

static void produce(void *state) {
    struct http2 *h = state;
    struct bytes frames = {0};
    const uint8_t *frame;
    ssize_t size = 0;
    size_t room = connection_room(h->connection);

    while (!h->cut && frames.size < room &&
           (size = nghttp2_session_mem_send(h->session, &frame)) > 0) {
        bytes_append(&frames, frame, (size_t)size);
    }
    if (frames.size > 0) {
        connection_write(h->connection, frames.data, frames.size);
    }
    bytes_free(&frames);
    if (size < 0 || h->cut || (h->leaving && LIST_EMPTY(&h->exchanges)) ||
        (!nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session))) {
        connection_finish(h->connection);
    }
}

static void leave(void *state) {
    struct http2 *h = state;

    if (LIST_EMPTY(&h->exchanges)) {
        nghttp2_session_terminate_session(h->session, NGHTTP2_NO_ERROR); /* GOAWAY */
        connection_touch(h->connection);
    }
}

static nghttp2_session *make_session(struct http2 *h) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return NULL;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    if (nghttp2_session_server_new(&session, callbacks, h) != 0) {
        session = NULL;
    }
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

static void free_http2(void *state) {
    struct http2 *h = state;

    nghttp2_session_del(h->session); /* calls nothing back */
    while (!LIST_EMPTY(&h->exchanges)) {
        struct exchange *x = LIST_FIRST(&h->exchanges);

        LIST_REMOVE(x, of_channel);
        service_abandon(x);
    }
    free(h);
}

static void *open_http2(struct connection *connection, struct service *service,
                        const struct options *options) {
    struct http2 *h = memory_new(sizeof *h);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options->max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, REQUEST_HEAD_BYTES_MAX},
    };

    h->connection = connection;
    h->service = service;
    h->options = options;
    h->session = make_session(h);
    if (!h->session ||
        nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
                                sizeof settings / sizeof settings[0]) != 0 ||
        nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0,
                                              CONNECTION_WINDOW_BYTES) != 0) {
        connection_reset(connection);
    }
    connection_touch(connection);
    return h;
}

const struct protocol protocol_http2 = {
    .open = open_http2,
    .input = input,
    .produce = produce,
    .leave = leave,
    .free = free_http2,
};
