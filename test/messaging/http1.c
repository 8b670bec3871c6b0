/* http1: HTTP/1.1 on a connection (RFC 9112). One request at a time; pipelined ones wait in the
 * input buffer. */
#include "test/messaging/connection.h"
#include "test/messaging/http1_head.h"
#include "test/messaging/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum step {
    STEP_HEAD,
    STEP_BODY,
    STEP_CHUNK_LINE,
    STEP_CHUNK,
    STEP_CHUNK_END,
    STEP_TRAILER,
    STEP_ANSWER
};

struct http1 {
    struct connection *connection;
    struct service *service;
    const struct options *options;
    struct exchange *x; /* NULL in STEP_HEAD */
    enum step step;
    struct http1_head head;
    struct bytes input;
    size_t scanned; /* of the input: holds no end of a head */
    uint64_t left;  /* of the body or the chunk */
    uint64_t requests;
    bool close;     /* after this answer */
    bool advancing; /* http1_advance() is on the stack */
};

static void advance(struct http1 *h);
static void end(struct exchange *x, enum ending ending);

static void *open_http1(struct connection *connection, struct service *service,
                        const struct options *options) {
    struct http1 *h = memory_new(sizeof *h);

    h->connection = connection;
    h->service = service;
    h->options = options;
    return h;
}

static void free_http1(void *state) {
    struct http1 *h = state;

    if (h->x) {
        service_abandon(h->x);
    }
    bytes_free(&h->input);
    free(h);
}

static void leave(void *state) {
    struct http1 *h = state;

    if (!h->x) {
        connection_finish(h->connection);
    }
}

static void produce(void *state) {
    (void)state; /* answers are written whole when they are made */
}

static const char *reason(int status) {
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {302, "Found"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Other";
}

static void write_answer(struct http1 *h, const struct exchange *x, size_t body_size) {
    const struct answer *answer = &x->answer;
    struct bytes out = {0};

    bytes_format(&out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
                 answer->status, reason(answer->status), answer->content_type, answer->body.size);
    for (size_t i = 0; i < answer->header_count; i++) {
        bytes_format(&out, "%s: %s\r\n", answer->headers[i].name, answer->headers[i].value);
    }
    bytes_text(&out, h->close ? "Connection: close\r\n\r\n" : "\r\n");
    if (!x->method || strcmp(x->method, "HEAD") != 0) {
        bytes_append(&out, answer->body.data, body_size);
    }
    connection_write(h->connection, out.data, out.size);
    bytes_free(&out);
}

static void end(struct exchange *x, enum ending ending) {
    struct http1 *h = x->channel;
    struct connection *c = h->connection;
    bool half = ending == ENDING_HALF_ANSWER;

    if (ending == ENDING_RESET_STREAM || ending == ENDING_REFUSE_STREAM) {
        ending = ENDING_RESET; /* the connection is all the stream there is */
    }
    if (!connection_end(c, ending)) {
        write_answer(h, x, half ? x->answer.body.size / 2 : x->answer.body.size);
        if (half || h->close) {
            connection_finish(c);
        }
    }
    exchange_free(x);
    h->x = NULL;
    h->step = STEP_HEAD;
    connection_busy(c);
    advance(h);
}

/* The request cannot be read any further, so neither can the next. */
static void refuse(struct http1 *h, int status, const char *message) {
    h->close = true;
    h->step = STEP_ANSWER;
    service_refuse(h->x, status, status == 413 ? "too_large" : "bad_request", message);
}

static void begin(struct http1 *h) {
    h->x = service_begin(h->service, h, 0, end);
    h->requests++;
    h->close = h->options->max_requests_per_connection > 0 &&
               h->requests >= h->options->max_requests_per_connection;
}

static void complete(struct http1 *h) {
    h->step = STEP_ANSWER;
    service_request(h->x);
}

static void read_head(struct http1 *h, size_t size) {
    int status;
    const char *wrong;

    begin(h);
    wrong = http1_head_parse(h->input.data, size, &h->head, h->x, &status);
    bytes_consume(&h->input, size);
    if (wrong) {
        refuse(h, status, wrong);
        return;
    }
    h->close = h->close || h->head.close;
    if (!service_head(h->x)) {
        connection_reset(h->connection);
        return;
    }
    h->left = h->head.content_length;
    h->step = h->head.chunked ? STEP_CHUNK_LINE : STEP_BODY;
    if (h->head.wait_continue && (h->left > 0 || h->head.chunked)) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

        connection_write(h->connection, go_on, strlen(go_on));
    }
}

/* The steps: each returns false when it needs more input. */

static bool step_head(struct http1 *h) {
    size_t from = h->scanned > 3 ? h->scanned - 3 : 0;
    const char *found;

    if (h->input.size >= 2 && memcmp(h->input.data, "\r\n", 2) == 0) {
        bytes_consume(&h->input, 2); /* RFC 9112 section 2.2 */
        return true;
    }
    found = h->input.size > from ? memmem(h->input.data + from, h->input.size - from, "\r\n\r\n", 4)
                                 : NULL;
    if (found && (size_t)(found - h->input.data) <= REQUEST_HEAD_BYTES_MAX) {
        h->scanned = 0;
        read_head(h, (size_t)(found - h->input.data) + 4);
        return true;
    }
    h->scanned = h->input.size;
    if (h->input.size > REQUEST_HEAD_BYTES_MAX) {
        begin(h);
        refuse(h, 431, "the request's head is larger than 16 KiB");
    }
    return false;
}

/* Moves what there is of the body or chunk; true when it is complete. */
static bool take_body(struct http1 *h) {
    size_t size = h->left < h->input.size ? (size_t)h->left : h->input.size;

    if (!exchange_body(h->x, h->input.data, size)) {
        refuse(h, 413, "the body is larger than 1 MiB");
        return false;
    }
    bytes_consume(&h->input, size);
    h->left -= size;
    return h->left == 0;
}

static bool step_body(struct http1 *h) {
    if (!take_body(h)) {
        return false;
    }
    complete(h);
    return true;
}

/* A line of the chunked coding, CR LF included; false when it is not whole yet or wrong. */
static bool find_line(struct http1 *h, size_t *size) {
    const char *found = h->input.size ? memchr(h->input.data, '\n', h->input.size) : NULL;

    *size = found ? (size_t)(found - h->input.data) + 1 : h->input.size;
    if (*size > CHUNK_LINE_BYTES_MAX || (found && (*size < 2 || found[-1] != '\r'))) {
        refuse(h, 400, "a line of the chunked body is too long or does not end in CR LF");
        return false;
    }
    return found != NULL;
}

static bool step_chunk_line(struct http1 *h) {
    size_t size, digits = 0;
    char after;

    if (!find_line(h, &size)) {
        return false;
    }
    while (isxdigit((unsigned char)h->input.data[digits])) {
        digits++;
    }
    after = h->input.data[digits];
    if (digits == 0 || digits > 8 ||
        (after != ';' && after != '\r' && after != ' ' && after != '\t')) {
        refuse(h, 400, "a chunk has no size in hexadecimal digits");
        return false;
    }
    h->left = strtoull(h->input.data, NULL, 16);
    bytes_consume(&h->input, size);
    h->step = h->left > 0 ? STEP_CHUNK : STEP_TRAILER;
    return true;
}

static bool step_chunk(struct http1 *h) {
    if (!take_body(h)) {
        return false;
    }
    h->step = STEP_CHUNK_END;
    return true;
}

static bool step_chunk_end(struct http1 *h) {
    if (h->input.size < 2) {
        return false;
    }
    if (memcmp(h->input.data, "\r\n", 2) != 0) {
        refuse(h, 400, "a chunk does not end in CR LF");
        return false;
    }
    bytes_consume(&h->input, 2);
    h->step = STEP_CHUNK_LINE;
    return true;
}

/* Trailers are read and dropped. */
static bool step_trailer(struct http1 *h) {
    size_t size;

    if (!find_line(h, &size)) {
        return false;
    }
    bytes_consume(&h->input, size);
    if (size == 2) {
        complete(h);
    }
    return true;
}

static bool step_answer(struct http1 *h) {
    (void)h; /* the service has it */
    return false;
}

static void advance(struct http1 *h) {
    static bool (*const steps[])(struct http1 * h) = {
        [STEP_HEAD] = step_head,
        [STEP_BODY] = step_body,
        [STEP_CHUNK_LINE] = step_chunk_line,
        [STEP_CHUNK] = step_chunk,
        [STEP_CHUNK_END] = step_chunk_end,
        [STEP_TRAILER] = step_trailer,
        [STEP_ANSWER] = step_answer,
    };

    if (h->advancing) {
        return; /* an answer was given at once: the loop below goes on */
    }
    h->advancing = true;
    while (connection_is_open(h->connection) && steps[h->step](h)) {
    }
    h->advancing = false;
    if (h->input.size == 0) {
        bytes_clear(&h->input);
    }
    connection_pause(h->connection, h->x && h->input.size > READ_AHEAD_BYTES_MAX);
}

static void input(void *state, const void *bytes, size_t size) {
    struct http1 *h = state;

    bytes_append(&h->input, bytes, size);
    connection_busy(h->connection);
    advance(h);
}

const struct protocol protocol_http1 = {
    .open = open_http1,
    .input = input,
    .produce = produce,
    .leave = leave,
    .free = free_http1,
};
