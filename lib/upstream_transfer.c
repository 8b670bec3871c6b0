#include <assert.h>
#include <mbedtls/platform.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/upstream_internal.h"
#include "lib/upstream_memory.h"

/* CURLOPT_SSL_CTX_FUNCTION: every connection is handed the one chain that was parsed at start. */
static CURLcode share_ca_chain(CURL *easy, void *config, void *data) {
    (void)easy;
    struct transfer *transfer = data;
    mbedtls_ssl_conf_ca_chain(config, &transfer->shard->target->ca_chain, NULL);
    return CURLE_OK;
}

/* Once the handshake has verified it, nobody asks for the service's certificate again; it and its
 * parsed names are 2 KiB a connection. mbedTLS has no function for this, and its TLS 1.3 cannot be
 * built without keeping it. */
static void forget_peer_certificate(struct transfer *transfer) {
    struct curl_tlssessioninfo *info = NULL;
    if (curl_easy_getinfo(transfer->easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info ||
        info->backend != CURLSSLBACKEND_MBEDTLS || !info->internals) {
        return;
    }
    const mbedtls_ssl_context *context = info->internals;
    mbedtls_ssl_session *session = context->MBEDTLS_PRIVATE(session);
    if (session && session->MBEDTLS_PRIVATE(peer_cert)) {
        mbedtls_x509_crt_free(session->MBEDTLS_PRIVATE(peer_cert));
        mbedtls_free(session->MBEDTLS_PRIVATE(peer_cert));
        session->MBEDTLS_PRIVATE(peer_cert) = NULL;
    }
}

/* CURLOPT_PREREQFUNCTION: a connection stands, and the request is about to go out on it. From here
 * on the service may have seen it. Coming here again means that libcurl is about to send the
 * request a second time, because a reused connection died before the first byte of an answer: only
 * reading may be repeated. (A request with a body does not get this far, see refuse_to_rewind.) */
static int about_to_send(void *data, char *address, char *local, int port, int local_port) {
    (void)address, (void)local, (void)port, (void)local_port;
    struct transfer *transfer = data;
    if (transfer->connecting) {
        forget_peer_certificate(transfer);
    }
    transfer_connected(transfer);
    if (transfer->handed_over && strcmp(transfer->call->method, "GET") != 0) {
        transfer->resend_refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->handed_over = true;
    return CURL_PREREQFUNC_OK;
}

static size_t read_body(char *buffer, size_t size, size_t count, void *data) {
    struct transfer *transfer = data;
    size_t room = size * count, rest = transfer->call->body_length - transfer->body_read;
    size_t taken = rest < room ? rest : room;
    memcpy(buffer, transfer->call->body + transfer->body_read, taken);
    transfer->body_read += taken;
    return taken;
}

/* CURLOPT_SEEKFUNCTION: libcurl rewinds a body to send the request a second time, when a reused
 * connection died before the first byte of an answer. The service may have acted on the first; so,
 * never. */
static int refuse_to_rewind(void *data, curl_off_t offset, int origin) {
    struct transfer *transfer = data;
    return transfer->body_read == 0 && offset == 0 && origin == SEEK_SET ? CURL_SEEKFUNC_OK
                                                                         : CURL_SEEKFUNC_FAIL;
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *data) {
    struct transfer *transfer = data;
    text_add(&transfer->call->answer, bytes, size * count);
    return text_failed(&transfer->call->answer) ? CURL_WRITEFUNC_ERROR : size * count;
}

/* The value of header `name` in `line`, trimmed; its length is 0 when the line is another header's.
 */
static size_t header_value(const char *line, size_t length, const char *name, const char **value) {
    size_t name_length = strlen(name);
    if (length <= name_length || line[name_length] != ':' ||
        strncasecmp(line, name, name_length) != 0) {
        return 0;
    }
    const char *start = line + name_length + 1, *end = line + length;
    while (start < end && (*start == ' ' || *start == '\t')) {
        start++;
    }
    while (end > start && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' ')) {
        end--;
    }
    *value = start;
    return (size_t)(end - start);
}

/* Retry-After as seconds or as an HTTP date (RFC 9110 section 10.2.3); anything else counts as
 * absent. */
static uint32_t retry_after_seconds(const char *value, size_t length) {
    char copy[64];
    if (length == 0 || length >= sizeof copy) {
        return 0;
    }
    memcpy(copy, value, length);
    copy[length] = '\0';
    if (strspn(copy, "0123456789") == length) {
        return length <= 6 ? (uint32_t)strtoul(copy, NULL, 10) : 999999u;
    }
    time_t when = curl_getdate(copy, NULL), now = time(NULL);
    return when > now && when - now < 1000000 ? (uint32_t)(when - now) : 0;
}

static size_t take_header(char *line, size_t size, size_t count, void *data) {
    struct transfer *transfer = data;
    struct upstream_call *call = transfer->call;
    size_t length = size * count;
    const char *value;
    size_t value_length;
    if (length > 5 &&
        memcmp(line, "HTTP/", 5) == 0) { /* a new answer begins, perhaps after a 1xx */
        call->content_type[0] = '\0';
        call->announced_bytes = 0;
        call->retry_after_s = 0;
        const char *status = memchr(line, ' ', length);
        call->status = status ? (int)strtol(status, NULL, 10) : 0;
    } else if (header_value(line, length, "Content-Length", &value) > 0) {
        call->announced_bytes = strtoul(value, NULL, 10); /* the line ends in CRLF */
        if (call->announced_bytes > 0 && call->announced_bytes <= call->answer_bytes_max) {
            /* If it fails, take_answer() finds out. */
            text_reserve(&call->answer, call->announced_bytes);
        }
    } else if ((value_length = header_value(line, length, "Content-Type", &value)) > 0) {
        snprintf(call->content_type, sizeof call->content_type, "%.*s", (int)value_length, value);
    } else if ((value_length = header_value(line, length, "Retry-After", &value)) > 0) {
        call->retry_after_s = retry_after_seconds(value, value_length);
    }
    return length;
}

/* What is the same for every call is set once, when the handle is made. */
static void set_constant_options(struct transfer *transfer) {
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_SHARE, transfer->upstream->share);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not even from the environment */
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "plateau/" PLATEAU_VERSION);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPSTREAM_UPLOAD_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)UPSTREAM_RECEIVE_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)UPSTREAM_CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, share_ca_chain);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, socket_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->upstream);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, refuse_to_rewind);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
}

static struct transfer *pool_take(struct upstream *upstream) {
    struct transfer *transfer = upstream->pool;
    if (transfer) {
        upstream->pool = transfer->next;
        return transfer;
    }
    transfer = heap_calloc(upstream_memory_curl(), 1, sizeof *transfer);
    if (!transfer) {
        return NULL;
    }
    transfer->upstream = upstream;
    transfer->easy = curl_easy_init();
    if (!transfer->easy) {
        heap_release(upstream_memory_curl(), transfer);
        return NULL;
    }
    set_constant_options(transfer);
    return transfer;
}

static void pool_give(struct transfer *transfer) {
    transfer->call = NULL;
    transfer->next = transfer->upstream->pool;
    transfer->upstream->pool = transfer;
}

void transfer_pool_free(struct upstream *upstream) {
    while (upstream->pool) {
        struct transfer *transfer = upstream->pool;
        upstream->pool = transfer->next;
        curl_easy_cleanup(transfer->easy);
        heap_release(upstream_memory_curl(), transfer);
    }
}

/* The call's headers as libcurl's list, in the call's arena; libcurl reads it until the transfer
 * ends. */
static bool set_headers(struct transfer *transfer) {
    static struct curl_slist no_expect = {(char *)"Expect:", NULL};
    struct curl_slist *list = &no_expect;
    for (struct upstream_header *header = transfer->call->headers; header; header = header->next) {
        struct curl_slist *node = arena_alloc(transfer->call->arena, sizeof *node);
        if (!node) {
            return false;
        }
        *node =
            (struct curl_slist){(char *)(uintptr_t)header->line, list}; /* libcurl only reads it */
        list = node;
    }
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, list);
    return true;
}

static void set_protocol(struct transfer *transfer) {
    const struct upstream_target *target = transfer->shard->target;
    long version = target->http == UPSTREAM_HTTP_1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS;
    curl_easy_setopt(transfer->easy, CURLOPT_HTTP_VERSION, version);
    curl_easy_setopt(transfer->easy, CURLOPT_PIPEWAIT, target->http == UPSTREAM_HTTP_2 ? 1L : 0L);
    curl_easy_setopt(transfer->easy, CURLOPT_PROTOCOLS_STR, target->tls ? "https" : "http");
    if (target->ca_file) {
        curl_easy_setopt(transfer->easy, CURLOPT_CAINFO, target->ca_file);
    }
}

static bool set_call(struct transfer *transfer, uint64_t now_ms) {
    struct upstream_call *call = transfer->call;
    CURL *easy = transfer->easy;
    bool is_post = strcmp(call->method, "POST") == 0, is_get = strcmp(call->method, "GET") == 0;
    if (curl_easy_setopt(easy, CURLOPT_URL, call->url) != CURLE_OK || !set_headers(transfer)) {
        return false;
    }
    if (call->body || is_post) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_length);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    bool own_name = call->body || is_post ? !is_post : !is_get;
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, own_name ? call->method : NULL);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(call->deadline_ms - now_ms));
    set_protocol(transfer);
    return true;
}

static void list_insert(struct transfer *transfer) {
    struct upstream *upstream = transfer->upstream;
    transfer->previous = NULL;
    transfer->next = upstream->active;
    if (upstream->active) {
        upstream->active->previous = transfer;
    }
    upstream->active = transfer;
}

static void list_remove(struct transfer *transfer) {
    if (transfer->previous) {
        transfer->previous->next = transfer->next;
    } else {
        transfer->upstream->active = transfer->next;
    }
    if (transfer->next) {
        transfer->next->previous = transfer->previous;
    }
}

static void not_started(struct upstream *upstream, struct upstream_call *call, const char *why) {
    call->outcome = OUTCOME_NOT_SENT;
    upstream_explain(call, "%s", why);
    upstream_finish_call(upstream, call);
}

void transfer_start(struct shard *shard, struct upstream_call *call) {
    struct upstream *upstream = shard->target->upstream;
    uint64_t now_ms = clock_ms();
    if (call->deadline_ms <= now_ms) {
        not_started(upstream, call, "the call's time was up before a connection was free");
        return;
    }
    struct transfer *transfer = pool_take(upstream);
    if (!transfer) {
        not_started(upstream, call, "plateau is out of memory for another upstream call");
        return;
    }
    transfer->call = call;
    transfer->shard = shard;
    transfer->body_read = 0;
    transfer->handed_over = transfer->address_refused = transfer->resend_refused = false;
    transfer->error[0] = '\0';
    call->status = 0;
    call->answer = text_new(call->arena, call->answer_bytes_max);
    if (!set_call(transfer, now_ms) ||
        curl_multi_add_handle(shard->multi, transfer->easy) != CURLM_OK) {
        pool_give(transfer);
        not_started(upstream, call, "plateau is out of memory for another upstream call");
        return;
    }
    /* Counted now, so that a burst of calls does not open a connection each before the first
     * handshake is seen. */
    transfer->connecting = shard->target->http == UPSTREAM_HTTP_2
                               ? shard->open == 0
                               : shard->open - shard->closed_by_peer - shard->active <= 0;
    shard->connecting += transfer->connecting;
    shard->target->connecting += transfer->connecting;
    upstream->connecting += transfer->connecting;
    shard->active++;
    list_insert(transfer);
}

void transfer_connected(struct transfer *transfer) {
    if (transfer->connecting) {
        transfer->connecting = false;
        transfer->shard->connecting--;
        transfer->shard->target->connecting--;
        transfer->upstream->connecting--;
    }
}

/* The first connection has shown which protocol the service speaks. */
static void learn_protocol(struct transfer *transfer) {
    struct upstream_target *target = transfer->shard->target;
    long version = 0;
    if (target->http == UPSTREAM_HTTP_AUTO && transfer->handed_over &&
        curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version) == CURLE_OK &&
        version != 0) {
        target->http = version >= CURL_HTTP_VERSION_2_0 ? UPSTREAM_HTTP_2 : UPSTREAM_HTTP_1;
    }
}

static void describe_failure(const struct transfer *transfer, CURLcode code) {
    struct upstream_call *call = transfer->call;
    const char *name = transfer->shard->target->name;
    if (transfer->address_refused) {
        upstream_explain(
            call, "%s resolved to a private address, which its configuration does not allow", name);
    } else if (code == CURLE_SEND_FAIL_REWIND || transfer->resend_refused) {
        upstream_explain(call, "%s closed the connection after the request was sent", name);
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        upstream_explain(call, "plateau is stopping, and %s had not answered yet", name);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        upstream_explain(call, "%s did not answer in time", name);
    } else {
        upstream_explain(call, "%s: %s", name,
                         transfer->error[0] ? transfer->error : curl_easy_strerror(code));
    }
}

static enum outcome outcome_of(const struct transfer *transfer, CURLcode code) {
    const struct upstream_call *call = transfer->call;
    if (code == CURLE_OK) {
        return call->status >= 200 && call->status <= 299 ? OUTCOME_OK : OUTCOME_REFUSED;
    }
    if (!transfer->handed_over) {
        return OUTCOME_NOT_SENT;
    }
    if (code == CURLE_WRITE_ERROR && call->answer.too_large) {
        return OUTCOME_TOO_LARGE;
    }
    if (code == CURLE_WRITE_ERROR && arena_exhausted(call->arena)) {
        return OUTCOME_NO_MEMORY;
    }
    return OUTCOME_UNKNOWN;
}

/* Takes the handle back and settles the call. */
static void settle(struct transfer *transfer, enum outcome outcome) {
    struct upstream *upstream = transfer->upstream;
    struct upstream_call *call = transfer->call;
    transfer_connected(transfer);
    curl_multi_remove_handle(transfer->shard->multi, transfer->easy);
    transfer->shard->active--;
    list_remove(transfer);
    call->outcome = outcome;
    call->handed_over = transfer->handed_over;
    pool_give(transfer);
    upstream_finish_call(upstream, call);
}

void transfer_end(struct transfer *transfer, CURLcode code) {
    learn_protocol(transfer);
    enum outcome outcome = outcome_of(transfer, code);
    if (code != CURLE_OK) {
        describe_failure(transfer, code);
    }
    settle(transfer, outcome);
}

void transfer_abandon(struct transfer *transfer) {
    settle(transfer, transfer->handed_over ? OUTCOME_UNKNOWN : OUTCOME_CANCELLED);
}
