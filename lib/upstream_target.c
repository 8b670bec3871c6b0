#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/upstream_internal.h"
#include "lib/upstream_version.h"

static bool load_ca_chain(struct upstream_target *target, const char *file,
                          struct problem *problem) {
    const char *path = file ? file : UPSTREAM_SYSTEM_CA_FILE;
    int failed = mbedtls_x509_crt_parse_file(&target->ca_chain, path);
    /* A positive result counts certificates of the bundle that this library does not know how to
     * read. */
    if (failed < 0 || target->ca_chain.version == 0) {
        problem_set(
            problem,
            "upstream %s: no CA certificate could be read from %s (mbedTLS error -0x%04x); %s",
            target->name, path, (unsigned)-failed,
            file ? "check the path, and that it is a PEM file"
                 : "install the package ca-certificates, or name a file under tls.ca");
        return false;
    }
    return true;
}

static bool add_shards(struct upstream_target *target, struct problem *problem) {
    unsigned calls = target->http == UPSTREAM_HTTP_2 ? target->upstream->calls_max
                                                     : (unsigned)target->connections_max;
    unsigned each = target->http == UPSTREAM_HTTP_2 ? UPSTREAM_STREAMS_PER_SHARD
                                                    : UPSTREAM_CONNECTIONS_PER_SHARD;
    unsigned wanted = (calls + each - 1) / each;
    wanted = wanted > UPSTREAM_SHARDS_MAX ? UPSTREAM_SHARDS_MAX : wanted;
    target->shards = calloc(wanted, sizeof *target->shards);
    while (target->shards && target->shard_count < wanted) {
        struct shard *shard = &target->shards[target->shard_count];
        shard->multi = curl_multi_init();
        if (!shard->multi) {
            break;
        }
        target->shard_count++;
        shard->target = target;
        socket_setup_shard(shard);
        /* libcurl's default follows the number of handles added, and closes connections as that
         * goes up and down. */
        curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, (long)target->connections_max);
        curl_multi_setopt(shard->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
        curl_multi_setopt(shard->multi, CURLMOPT_MAX_CONCURRENT_STREAMS,
                          (long)target->upstream->calls_max);
    }
    if (target->shard_count < wanted) {
        problem_set(problem, "upstream %s: no memory for its connection pools", target->name);
        return false;
    }
    return true;
}

const struct upstream_target *upstream_target_add(struct upstream *upstream,
                                                  const struct upstream_target_options *options,
                                                  struct problem *problem) {
    struct upstream_target *target = calloc(1, sizeof *target);
    if (!target) {
        problem_set(problem, "upstream %s: out of memory", options->name);
        return NULL;
    }
    target->upstream = upstream;
    target->name = strdup(options->name);
    if (!upstream_version().tls_is_mbedtls) {
        target->ca_file = strdup(options->ca_file ? options->ca_file : UPSTREAM_SYSTEM_CA_FILE);
    }
    target->http = options->tls ? options->http : UPSTREAM_HTTP_1;
    target->tls = options->tls;
    target->private_addresses = options->private_addresses;
    target->connections_max = (int)options->connections_max;
    mbedtls_x509_crt_init(&target->ca_chain);
    if ((target->tls && !load_ca_chain(target, options->ca_file, problem)) ||
        !add_shards(target, problem)) {
        target_free(target);
        return NULL;
    }
    target->next = upstream->targets;
    upstream->targets = target;
    return target;
}

void target_free(struct upstream_target *target) {
    if (!target) {
        return;
    }
    for (unsigned i = 0; i < target->shard_count; i++) {
        curl_multi_cleanup(target->shards[i].multi);
    }
    mbedtls_x509_crt_free(&target->ca_chain);
    free(target->shards);
    free(target->ca_file);
    free(target->name);
    free(target);
}

void target_enqueue(struct upstream_target *target, struct upstream_call *call) {
    call->next = NULL;
    if (target->waiting_last) {
        target->waiting_last->next = call;
    } else {
        target->waiting = call;
    }
    target->waiting_last = call;
}

static bool has_idle_connection(const struct shard *shard) {
    return shard->open - shard->closed_by_peer - shard->active > 0;
}

/* May one more connection be opened? While the protocol is not known, one shows it. */
static bool may_connect(const struct upstream_target *target) {
    if (target->http == UPSTREAM_HTTP_AUTO) {
        return target->connecting == 0;
    }
    return target->upstream->connecting < (int)UPSTREAM_HANDSHAKES_MAX &&
           target->open + target->connecting < target->connections_max;
}

/* HTTP/2: shards are filled one after the other, so that few connections carry all; within one,
 * libcurl itself finds a connection with a free stream or opens one more. Until a shard's first
 * connection stands, a single transfer connects and the others go elsewhere or wait for it, not for
 * handshakes of their own. */
static struct shard *choose_http2(struct upstream_target *target) {
    struct shard *emptiest = NULL;
    for (unsigned i = 0; i < target->shard_count; i++) {
        struct shard *shard = &target->shards[i];
        if (shard->connecting > 0 && shard->open <= shard->connecting) {
            continue;
        }
        if (shard->active < (int)UPSTREAM_STREAMS_PER_SHARD) {
            return shard;
        }
        if (!emptiest || shard->active < emptiest->active) {
            emptiest = shard;
        }
    }
    return emptiest;
}

static struct shard *choose_http1(struct upstream_target *target) {
    struct shard *emptiest = &target->shards[0];
    unsigned in_use = target->http == UPSTREAM_HTTP_AUTO ? 1 : target->shard_count;
    for (unsigned i = 0; i < in_use; i++) {
        unsigned index = (target->next_shard + i) % in_use;
        struct shard *shard = &target->shards[index];
        if (has_idle_connection(shard)) {
            target->next_shard = index + 1;
            return shard;
        }
        if (shard->active + shard->open < emptiest->active + emptiest->open) {
            emptiest = shard;
        }
    }
    return may_connect(target) ? emptiest : NULL;
}

void target_dispatch(struct upstream_target *target) {
    while (target->waiting) {
        struct shard *shard =
            target->http == UPSTREAM_HTTP_2 ? choose_http2(target) : choose_http1(target);
        if (!shard) {
            return;
        }
        struct upstream_call *call = target->waiting;
        target->waiting = call->next;
        if (!target->waiting) {
            target->waiting_last = NULL;
        }
        transfer_start(shard, call);
    }
}

void target_expire_waiting(struct upstream_target *target, uint64_t now_ms, bool all) {
    struct upstream_call *call = target->waiting;
    target->waiting = target->waiting_last = NULL;
    while (call) {
        struct upstream_call *next = call->next;
        struct pollfd caller = {.fd = call->caller_fd, .events = POLLRDHUP};
        if (all || call->deadline_ms <= now_ms) {
            call->outcome = OUTCOME_NOT_SENT;
            upstream_explain(
                call,
                all ? "plateau is stopping; the call was still waiting for a connection to %s"
                    : "no connection to %s was free before the call's time was up",
                target->name);
            upstream_finish_call(target->upstream, call);
        } else if (call->caller_fd >= 0 && poll(&caller, 1, 0) > 0) {
            call->outcome = OUTCOME_CANCELLED;
            upstream_finish_call(target->upstream, call);
        } else {
            target_enqueue(target, call);
        }
        call = next;
    }
}
