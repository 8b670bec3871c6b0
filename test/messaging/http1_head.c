#include "test/messaging/http1_head.h"

#include "test/messaging/limits.h"

#include <string.h>
#include <strings.h>

struct part {
    const char *bytes;
    size_t size;
};

static bool is(struct part part, const char *wanted) {
    return strlen(wanted) == part.size && strncasecmp(part.bytes, wanted, part.size) == 0;
}

/* A token of RFC 9110 section 5.6.2. */
static bool is_token(struct part part) {
    for (size_t i = 0; i < part.size; i++) {
        unsigned char byte = (unsigned char)part.bytes[i];

        if (byte <= ' ' || byte > '~' || strchr("\"(),/:;<=>?@[\\]{}", byte)) {
            return false;
        }
    }
    return part.size > 0;
}

static bool is_visible(struct part part, bool spaces) {
    for (size_t i = 0; i < part.size; i++) {
        unsigned char byte = (unsigned char)part.bytes[i];
        bool space = byte == ' ' || byte == '\t';

        if (byte == 0x7f || (byte <= ' ' && !(space && spaces))) {
            return false;
        }
    }
    return true;
}

/* Cuts off what lies before the separator; false when it is not there. */
static bool cut(struct part *rest, char separator, struct part *before) {
    const char *found = memchr(rest->bytes, separator, rest->size);

    if (!found) {
        return false;
    }
    *before = (struct part){rest->bytes, (size_t)(found - rest->bytes)};
    rest->bytes = found + 1;
    rest->size -= before->size + 1;
    return true;
}

static struct part trimmed(struct part part) {
    while (part.size > 0 && (part.bytes[0] == ' ' || part.bytes[0] == '\t')) {
        part.bytes++;
        part.size--;
    }
    while (part.size > 0 &&
           (part.bytes[part.size - 1] == ' ' || part.bytes[part.size - 1] == '\t')) {
        part.size--;
    }
    return part;
}

static const char *read_request_line(struct part line, struct http1_head *head, struct exchange *x,
                                     int *status) {
    struct part method, target;

    if (!cut(&line, ' ', &method) || !cut(&line, ' ', &target) || !is_token(method) ||
        target.size == 0 || target.bytes[0] != '/' || !is_visible(target, false)) {
        return "the request line is not 'METHOD /path HTTP/1.1'";
    }
    head->old = is(line, "HTTP/1.0");
    if (!head->old && !is(line, "HTTP/1.1")) {
        *status = 505;
        return "this is HTTP/1.1 and HTTP/1.0 only";
    }
    exchange_method(x, method.bytes, method.size);
    exchange_target(x, target.bytes, target.size);
    return NULL;
}

static const char *read_length(struct part value, struct http1_head *head, int *status) {
    uint64_t length = 0;

    if (head->has_length) {
        return "Content-Length stands there twice";
    }
    if (value.size == 0 || value.size > 18) {
        return "Content-Length is not a length";
    }
    for (size_t i = 0; i < value.size; i++) {
        if (value.bytes[i] < '0' || value.bytes[i] > '9') {
            return "Content-Length is not a number";
        }
        length = length * 10 + (uint64_t)(value.bytes[i] - '0');
    }
    head->has_length = true;
    head->content_length = length;
    if (length > REQUEST_BODY_BYTES_MAX) {
        *status = 413;
        return "the body is larger than 1 MiB";
    }
    return NULL;
}

static const char *read_coding(struct part value, struct http1_head *head, int *status) {
    if (head->chunked || !is(value, "chunked")) {
        *status = 501;
        return "the only Transfer-Encoding known here is chunked";
    }
    head->chunked = true;
    return NULL;
}

static const char *read_expectation(struct part value, struct http1_head *head, int *status) {
    if (!is(value, "100-continue")) {
        *status = 417;
        return "the only expectation known here is 100-continue";
    }
    head->wait_continue = true;
    return NULL;
}

static const char *read_header(struct part name, struct part value, struct http1_head *head,
                               struct exchange *x, int *status) {
    if (!is_token(name)) {
        return "a header has a name with bytes that do not belong there";
    }
    if (!is_visible(value, true)) {
        return "a header has a control character in its value";
    }
    if (is(name, "content-length")) {
        return read_length(value, head, status);
    }
    if (is(name, "transfer-encoding")) {
        return read_coding(value, head, status);
    }
    if (is(name, "expect")) {
        return read_expectation(value, head, status);
    }
    if (is(name, "host")) {
        bool twice = head->has_host;

        head->has_host = true;
        return twice ? "Host stands there twice" : NULL;
    }
    if (is(name, "connection")) {
        head->close = head->close || is(value, "close");
    }
    return exchange_header(x, name.bytes, name.size, value.bytes, value.size)
               ? NULL
               : "a header that may stand there once stands there twice";
}

static const char *read_headers(struct part rest, struct http1_head *head, struct exchange *x,
                                int *status) {
    struct part line, name;
    size_t count = 0;

    while (cut(&rest, '\n', &line) && line.size > 1) {
        const char *wrong;

        if (line.bytes[line.size - 1] != '\r') {
            return "a line does not end in CR LF";
        }
        line.size--;
        if (++count > REQUEST_HEADERS_MAX) {
            *status = 431;
            return "there are more than 100 headers";
        }
        if (!cut(&line, ':', &name)) {
            return "a header has no colon";
        }
        wrong = read_header(name, trimmed(line), head, x, status);
        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}

const char *http1_head_parse(const char *bytes, size_t size, struct http1_head *head,
                             struct exchange *x, int *status) {
    struct part rest = {bytes, size}, line = {0};
    const char *wrong;

    *head = (struct http1_head){0};
    *status = 400;
    if (!cut(&rest, '\n', &line) || line.size == 0 || line.bytes[line.size - 1] != '\r') {
        return "the request line does not end in CR LF";
    }
    line.size--;
    wrong = read_request_line(line, head, x, status);
    if (!wrong) {
        wrong = read_headers(rest, head, x, status);
    }
    if (wrong) {
        return wrong;
    }
    if (!head->has_host && !head->old) {
        return "there is no Host header";
    }
    if (head->chunked && (head->has_length || head->old)) {
        return "Transfer-Encoding: chunked goes with neither Content-Length nor HTTP/1.0";
    }
    head->close = head->close || head->old;
    return NULL;
}
