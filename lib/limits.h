/* limits: every bound plateau keeps, with its unit last in the name and its reason beside it.
 *
 * What an operator may choose is in the configuration; what stands here is either the default of
 * such a choice or a bound that nobody has needed to move. */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Memory. The kernel hands out pages of 4 KiB, which the heaps deal in. A call of a few hundred
 * bytes, with its tree, its request and its answer, needs some 2.8 KiB of arena: four of them share
 * three pages. */
#define PAGE_BYTES 4096u
#define BLOCK_BYTES 3072u

/* A problem's words: long enough for a sentence that quotes a name, a path and a value. */
#define PROBLEM_TEXT_BYTES 320u
#define PROBLEM_PATH_BYTES 128u

/* JSON, as it may arrive from outside. A tool's arguments nest a handful deep; 64 leaves room and
 * keeps the recursive descent within a few KiB of stack. Members and elements bound the tree: each
 * costs 48 bytes. */
#define JSON_DEPTH_MAX 64u
#define JSON_MEMBERS_MAX 1024u /* of one object */
#define JSON_NODES_MAX 65536u  /* of one document, elements and members together */
#define JSON_STRING_BYTES_MAX (1u << 20)
#define JSON_NUMBER_CHARS_MAX 256u  /* longer than any number that means something */
#define JSON_DIVISOR_DIGITS_MAX 18u /* of a multipleOf: its remainders fit 64 bits */
#define JSON_EXCERPT_BYTES                                                                         \
    48u /* of a value that an error quotes: some 40 characters tell which it is */

/* JSON of our own files (configuration, schemas, OpenAPI documents): read once, by an operator. */
#define JSON_FILE_DEPTH_MAX 256u
#define JSON_FILE_MEMBERS_MAX 65536u
#define JSON_FILE_NODES_MAX (4u << 20)

/* A pattern of a JSON Schema may backtrack this often at one start, and no further (PCRE2 match and
 * depth limits). What nearly every match needs comes first, on the stack; PCRE2's own first piece
 * of memory would be 20 KiB. */
#define PATTERN_MATCHES_MAX 100000u
#define PATTERN_MATCHES_CHEAP 512u
#define PATTERN_DEPTH_MAX 1000u
#define PATTERN_HEAP_MAX_KIB 64u
#define PATTERN_HEAP_CHEAP_KIB 3u
#define PATTERN_BYTES_MAX 65536u
#define PATTERN_GROUPS_NESTED_MAX 64u

/* A check of a value against a schema. A step is one schema applied to one value, some 50 ns: so a
 * check ends within a tenth of a second whatever it is given. Nested applications take some 500
 * bytes of the stack each; a value nests to JSON_DEPTH_MAX, a recursive schema to some three
 * applications for each level of it. */
#define SCHEMA_STEPS_MAX (1u << 20)
#define SCHEMA_NESTING_MAX 256u
#define SCHEMA_NESTING_STACK_BYTES 640u
#define SCHEMA_REASONS_NESTED_MAX 2u /* alternatives within alternatives, in a sentence */
#define SCHEMA_NODES_MAX (1u << 20)  /* of one compiled schema */
#define SCHEMA_SCRATCH_BYTES_MAX ((size_t)1 << 30) /* while one is compiled; all given back */

/* What the ledger may leave unaccounted: stacks (some 100 KiB a thread), tables made at start, what
 * the C library keeps of what was freed. */
#define LEDGER_UNACCOUNTED_BYTES_MAX (4u << 20)
#define LEDGER_LINES_MAX 8u /* subsystems; seven there are */

/* Log. A line is one write(2); a pipe takes up to 4096 bytes of it whole (POSIX, PIPE_BUF). */
#define LOG_LINE_BYTES_MAX 2048u

/* Upstream. A handshake costs 1 to 4 ms of CPU on the one upstream thread, so more of them at once
 * only hide the network's latency (32 x 4 ms covers 128 ms) while each holds some 50 KiB more than
 * a connection at rest. */
#define UPSTREAM_HANDSHAKES_MAX 32u
/* libcurl looks through the connections of a multi handle one by one for each transfer; so the
 * connections of an HTTP/1.1 upstream are spread over this many (docs/performance.md has the
 * measurement). */
#define UPSTREAM_SHARDS_MAX 32u
#define UPSTREAM_CONNECTIONS_PER_SHARD 48u
/* Streams of HTTP/2 on one shard, usually one connection. libcurl finds a stream in a hash of 63
 * chains, so with 1500 on one connection that search was a tenth of the CPU; services mostly allow
 * 100 to 128. */
#define UPSTREAM_STREAMS_PER_SHARD 64u
/* How often waiting calls are looked at for their deadline and their caller's hang-up. */
#define UPSTREAM_TICK_MS 100u
#define UPSTREAM_EVENTS_MAX 256u /* taken from epoll at once */
/* libcurl keeps a buffer for what is sent with each handle. Its default is 64 KiB (60 MiB more at
 * 1500 calls in flight) and its least 16 KiB, of which a page is touched; ours is built with a
 * smaller least (deps/curl.options). */
#define UPSTREAM_UPLOAD_BUFFER_BYTES 2048
#define UPSTREAM_RECEIVE_BUFFER_BYTES 16384 /* one a shard */
/* Address space for libcurl and mbedTLS that does not depend on the calls (the rest:
 * server/memory_plan.c). */
#define UPSTREAM_CURL_BYTES ((size_t)4 << 20)
#define UPSTREAM_TLS_BYTES ((size_t)8 << 20) /* CA chains, sessions, handshakes under way */
#define UPSTREAM_CONNECT_TIMEOUT_MS 5000
#define UPSTREAM_STACK_BYTES (256u * 1024u) /* mbedTLS needs some 20 KiB of it in a handshake */

/* The listener. A worker's stack holds one run of the steps; a connection's pool holds the
 * request's headers and the answer's. */
#define WORKER_STACK_BYTES (256u * 1024u)
#define CONNECTION_POOL_BYTES 4096u /* a bearer token of 2 KiB fits, with a dozen other headers */
/* What of that pool must be free before a call is taken on: its answer's head (some 200 bytes) is
 * made there, and a call whose answer cannot be sent must not be sent either. */
#define ANSWER_HEAD_BYTES 384u
#define HEADER_RECORD_BYTES 64u /* libmicrohttpd's own, for each header and query argument */
#define CONNECTIONS_SPARE                                                                          \
    64u /* beyond one for each call: idle ones, and those that will get a 503 */
#define CONNECTION_IDLE_S 75u /* as long as nginx keeps them */
/* What is read and forgotten of a body that turned out too large, so that its client gets to the
 * end of it and reads the 413; after that the connection is closed. */
#define BODY_DISCARD_BYTES_MAX (1u << 20)
#define REQUEST_BYTES_DEFAULT (64u << 10)
#define RESPONSE_BYTES_DEFAULT (256u << 10)
#define CALLS_MAX 100000u   /* of one process; config.schema.json says so too */
#define DESCRIPTORS_OWN 64u /* listeners, epolls, eventfds, log, libraries */
#define LISTEN_BACKLOG 4096u
#define RETRY_AFTER_S 1 /* of a 503: a slot is free again within one call's time */
#define DRAIN_MS 25000u /* below the 30 s that Kubernetes grants */

/* The admin listener: a scraper, a few probes, a person. Its arenas are its own, so that it answers
 * when the calls' pool is empty; the longest answer is /metrics. */
#define ADMIN_CONNECTIONS_MAX 16u
#define ADMIN_BLOCKS 256u
#define ADMIN_ANSWER_BYTES_MAX (32u << 10)
#define ADMIN_IDLE_S 60u
/* Address space of libmicrohttpd's heap that does not depend on the connections: daemons, and slabs
 * of the sizes that are seldom. */
#define CLIENT_MEMORY_BYTES (2u << 20)

/* An upstream's own words in a tool's result: enough for its error document, too little to flood a
 * model. */
#define ERROR_EXCERPT_BYTES_MAX 2048u
/* Around the two bodies in an arena: JSON nodes (48 bytes each), headers, URL, the answer's frame.
 */
#define CALL_OVERHEAD_BYTES (64u * 1024u)
#define URL_BYTES_MAX 8192u
#define HEADER_LINE_BYTES_MAX 4096u
#define TOOL_LIST_BYTES_MAX (16u << 20)

/* The configuration. A thousand tools with generous schemas make some 2 MiB of YAML; its tree,
 * templates and compiled schemas take about thirty times that, of which only what is used is taken.
 */
#define CONFIG_FILE_BYTES_MAX (4u << 20)
#define CONFIG_MEMORY_BYTES_MAX (256u << 20)
#define SECRET_BYTES_MAX 4000u /* its header line fits HEADER_LINE_BYTES_MAX */
#define TIMEOUT_MS_MAX 3600000u
#define MEMORY_BYTES_MIN (UINT64_C(1) << 20)
#define MEMORY_BYTES_MAX (UINT64_C(1) << 40)
#define BODY_BYTES_MIN 1024u
#define BODY_BYTES_MAX (64u << 20) /* of a request or an answer, as an operator may choose it */

static_assert(LOG_LINE_BYTES_MAX <= 4096, "a log line must reach a pipe whole");
static_assert(SCHEMA_NESTING_MAX * SCHEMA_NESTING_STACK_BYTES <= WORKER_STACK_BYTES - 64 * 1024,
              "the deepest check fits a worker's stack");
static_assert(JSON_MEMBERS_MAX <= JSON_NODES_MAX, "an object's members are nodes of its document");
