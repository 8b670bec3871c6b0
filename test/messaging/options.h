/* options: the command line. The strings are the command line's or the environment's
 * own and live as long as the process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *listen;                   /* "127.0.0.1:8443", "[::1]:0" */
    const char *ca_file;                  /* where the CA certificate is written */
    const char *token;                    /* what a POST must carry as its bearer token */
    int64_t delay_ms;                     /* before a POST /v1/messages is answered */
    int64_t idle_timeout_ms;              /* 0: never */
    uint32_t max_streams;                 /* HTTP/2, at once */
    uint64_t max_requests_per_connection; /* 0: without end */
    uint32_t huge_mib;                    /* size of the fault "huge_answer" */
    bool http1;
    bool plain;
    bool quiet;
    bool fail_handshake;
};

enum options_outcome { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_WRONG };

/* Says on stderr what is wrong, and prints the help to stdout where it was asked for. */
enum options_outcome options_parse(struct options *o, int count, char **arguments);
