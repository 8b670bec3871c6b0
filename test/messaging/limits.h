/* limits: every bound of the embedded messaging service, each with its reason. Those that it shares
 * with plateau are in lib/limits.h. */
#pragma once

#define MESSAGES_MAX 100000                    /* what the inbox holds; older ones leave it */
#define MESSAGES_BYTES_MAX (64u * 1024 * 1024) /* the same, for long texts */
#define IDEMPOTENCY_KEYS_MAX 100000            /* as many as messages: each has one key at most */
#define IDEMPOTENCY_BYTES_MAX (64u * 1024 * 1024) /* the remembered answers, for long texts */
#define IDEMPOTENCY_KEY_BYTES_MAX 255             /* what well-known services allow */
#define RECIPIENT_BYTES_MAX 256                   /* longer than any address */
#define LIST_MESSAGES_DEFAULT 1000 /* one answer of GET /v1/messages; ?limit= changes it */

#define REQUEST_HEAD_BYTES_MAX (16u * 1024)   /* what common servers take */
#define REQUEST_HEADERS_MAX 100               /* the same */
#define REQUEST_BODY_BYTES_MAX (1024u * 1024) /* many times any text message */
#define PARSE_BYTES_MAX (8u * 1024 * 1024)    /* a body's JSON tree: 48 bytes a node */
#define CHUNK_LINE_BYTES_MAX 256              /* a chunk's size and extensions */
#define READ_AHEAD_BYTES_MAX (64u * 1024)     /* pipelined input kept while an answer waits */

#define RECEIVE_BYTES (64u * 1024)        /* one recv(): several TLS records */
#define WIRE_BYTES_HIGH (256u * 1024)     /* HTTP/2 makes no more frames above this */
#define BUFFER_KEPT_BYTES_MAX (8u * 1024) /* an emptied buffer larger than this is freed */

#define EVENTS_MAX 512     /* epoll events of one turn */
#define ACCEPT_PAUSE_MS 50 /* wait after "too many open files" */
#define FINISH_MS 10000    /* to send what is queued before our FIN */
#define LINGER_MS 1000     /* let the peer read our last bytes, then go */

#define STREAM_WINDOW_BYTES (64u * 1024)           /* HTTP/2: one request body under way */
#define CONNECTION_WINDOW_BYTES (4u * 1024 * 1024) /* HTTP/2: all of them together */
#define STREAMS_DEFAULT 2000 /* HTTP/2: 1500 calls on one connection, and more */

#define SLOW_MS 10000                   /* the fault "slow" */
#define HUGE_MIB_DEFAULT 8              /* the fault "huge_answer" */
#define HUGE_MIB_MAX 256                /* and what may be asked for */
#define ARMED_MAX 1000000000            /* requests that one armed fault may meet */
#define DELAY_MS_MAX (24 * 3600 * 1000) /* any delay: a day */

#define CERTIFICATE_DAYS 30               /* the process makes new ones at each start */
#define CERTIFICATE_BACKDATE_SECONDS 3600 /* a client's clock may run behind */
#define TICKET_SECONDS 86400              /* how long a client may resume a TLS session */
