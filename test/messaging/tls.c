#include "test/messaging/tls.h"

#include "test/messaging/limits.h"
#include "test/messaging/memory.h"

#include <mbedtls/net_sockets.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls {
    mbedtls_ssl_config settings;
    mbedtls_ssl_ticket_context tickets;
    struct statistics *statistics;
};

struct tls_session {
    mbedtls_ssl_context ssl;
    struct bytes *wire;
    const unsigned char *received;
    size_t received_size;
};

static const char *both[] = {"h2", "http/1.1", NULL};
static const char *http1_only[] = {"http/1.1", NULL};

/* P-256 first: the quickest of mbedTLS's curves, and what its key is on. */
static const uint16_t groups[] = {
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
    MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};

static int read_ticket(void *context, mbedtls_ssl_session *session, unsigned char *ticket,
                       size_t size) {
    struct tls *tls = context;
    int outcome = mbedtls_ssl_ticket_parse(&tls->tickets, session, ticket, size);

    tls->statistics->resumed += outcome == 0;
    return outcome;
}

static int write_ticket(void *context, const mbedtls_ssl_session *session, unsigned char *start,
                        const unsigned char *end, size_t *size, uint32_t *lifetime) {
    struct tls *tls = context;

    return mbedtls_ssl_ticket_write(&tls->tickets, session, start, end, size, lifetime);
}

static bool set_up(struct tls *tls, const struct options *options,
                   struct certificate *certificate) {
    mbedtls_ssl_config *settings = &tls->settings;

    if (mbedtls_ssl_config_defaults(settings, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        return false;
    }
    mbedtls_ssl_conf_rng(settings, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE);
    mbedtls_ssl_conf_groups(settings, groups);
    mbedtls_ssl_conf_session_tickets_cb(settings, write_ticket, read_ticket, tls);
    mbedtls_ssl_conf_tls13_key_exchange_modes(settings, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_ALL);
    return mbedtls_ssl_ticket_setup(&tls->tickets, mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE,
                                    MBEDTLS_CIPHER_AES_256_GCM, TICKET_SECONDS) == 0 &&
           mbedtls_ssl_conf_alpn_protocols(settings, options->http1 ? http1_only : both) == 0 &&
           mbedtls_ssl_conf_own_cert(settings, &certificate->leaf, &certificate->key) == 0;
}

struct tls *tls_new(const struct options *options, struct certificate *certificate,
                    struct statistics *statistics) {
    struct tls *tls = memory_new(sizeof *tls);

    tls->statistics = statistics;
    mbedtls_ssl_config_init(&tls->settings);
    mbedtls_ssl_ticket_init(&tls->tickets);
    if (!set_up(tls, options, certificate)) {
        fprintf(stderr, "messaging: TLS could not be set up\n");
        tls_free(tls);
        return NULL;
    }
    return tls;
}

void tls_free(struct tls *tls) {
    if (tls) {
        mbedtls_ssl_config_free(&tls->settings);
        mbedtls_ssl_ticket_free(&tls->tickets);
        free(tls);
    }
}

static int give(void *context, unsigned char *bytes, size_t size) {
    struct tls_session *session = context;
    size_t given = size < session->received_size ? size : session->received_size;

    if (given == 0) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    memcpy(bytes, session->received, given);
    session->received += given;
    session->received_size -= given;
    return (int)given;
}

static int take(void *context, const unsigned char *bytes, size_t size) {
    struct tls_session *session = context;

    bytes_append(session->wire, bytes, size);
    return (int)size;
}

struct tls_session *tls_open(struct tls *tls, struct bytes *wire) {
    struct tls_session *session = memory_new(sizeof *session);

    session->wire = wire;
    mbedtls_ssl_init(&session->ssl);
    if (mbedtls_ssl_setup(&session->ssl, &tls->settings) != 0) {
        tls_close(session);
        return NULL;
    }
    mbedtls_ssl_set_bio(&session->ssl, session, take, give, NULL);
    return session;
}

void tls_close(struct tls_session *session) {
    if (session) {
        mbedtls_ssl_free(&session->ssl);
        free(session);
    }
}

void tls_receive(struct tls_session *session, const void *bytes, size_t size) {
    session->received = bytes;
    session->received_size = size;
}

enum tls_outcome tls_handshake(struct tls_session *session) {
    int outcome = mbedtls_ssl_handshake(&session->ssl);

    if (outcome == 0) {
        return TLS_OK;
    }
    return outcome == MBEDTLS_ERR_SSL_WANT_READ ? TLS_MORE : TLS_ENDED;
}

bool tls_chose_http2(const struct tls_session *session) {
    const char *chosen = mbedtls_ssl_get_alpn_protocol(&session->ssl);

    return chosen && strcmp(chosen, "h2") == 0;
}

enum tls_outcome tls_read(struct tls_session *session, void *bytes, size_t room, size_t *size) {
    int outcome = mbedtls_ssl_read(&session->ssl, bytes, room);

    if (outcome > 0) {
        *size = (size_t)outcome;
        return TLS_OK;
    }
    return outcome == MBEDTLS_ERR_SSL_WANT_READ ? TLS_MORE : TLS_ENDED;
}

bool tls_write(struct tls_session *session, const void *bytes, size_t size) {
    const unsigned char *at = bytes;

    while (size > 0) {
        int written = mbedtls_ssl_write(&session->ssl, at, size);

        if (written <= 0) {
            return false;
        }
        at += written;
        size -= (size_t)written;
    }
    return true;
}

void tls_say_goodbye(struct tls_session *session) {
    (void)!mbedtls_ssl_close_notify(&session->ssl);
}
