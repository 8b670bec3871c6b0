/* tls: the server side of TLS 1.2 and 1.3, with session tickets, and ALPN for h2 and http/1.1.
 * It knows no socket: what comes in and goes out are buffers, so that a connection needs one recv()
 * and one send() for whatever number of records.
 * Owner: main owns the settings, each connection its session. One thread. */
#pragma once

#include "test/messaging/bytes.h"
#include "test/messaging/certificate.h"
#include "test/messaging/options.h"
#include "test/messaging/statistics.h"

struct tls;
struct tls_session;

enum tls_outcome {
    TLS_OK,
    TLS_MORE,  /* all that came in is used up */
    TLS_ENDED, /* the peer closed, or broke the protocol */
};

/* NULL after it said on stderr what failed. All three outlive it. */
struct tls *tls_new(const struct options *options, struct certificate *certificate,
                    struct statistics *statistics);
void tls_free(struct tls *tls);

/* What is to be sent is appended to `wire`, which outlives the session. */
struct tls_session *tls_open(struct tls *tls, struct bytes *wire);
void tls_close(struct tls_session *session);

/* Hands over what was received. It stays the caller's and must be used up (until TLS_MORE or
 * TLS_ENDED) before the next call. */
void tls_receive(struct tls_session *session, const void *bytes, size_t size);
enum tls_outcome tls_handshake(struct tls_session *session);
bool tls_chose_http2(const struct tls_session *session);
/* With TLS_OK *size bytes were read, at least one. */
enum tls_outcome tls_read(struct tls_session *session, void *bytes, size_t room, size_t *size);
/* False: the session is broken. */
bool tls_write(struct tls_session *session, const void *bytes, size_t size);
void tls_say_goodbye(struct tls_session *session);
