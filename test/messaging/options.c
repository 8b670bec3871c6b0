#include "test/messaging/options.h"

#include "test/messaging/limits.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help_text[] =
    "messaging: a small HTTPS messaging service to try, test and measure against\n"
    "\n"
    "  --listen HOST:PORT   where it listens (127.0.0.1:8443; port 0: any free one)\n"
    "  --ca FILE            where the CA certificate is written (messaging-ca.pem)\n"
    "  --token TOKEN        bearer token a POST needs (or $MESSAGING_TOKEN; dev-token)\n"
    "  --delay-ms N         answer POST /v1/messages after N ms (0)\n"
    "  --http1              offer HTTP/1.1 only, no HTTP/2\n"
    "  --plain              HTTP/1.1 without TLS, for use behind a TLS front\n"
    "  --quiet              no line for each message\n"
    "  --max-streams N      HTTP/2 streams at once on a connection (2000)\n"
    "  --max-requests-per-connection N   then close it (0: never)\n"
    "  --idle-timeout-ms N  close a connection idle for so long (0: never)\n"
    "  --fail-handshake     drop each connection in its TLS handshake\n"
    "  --huge-mib N         size of the fault huge_answer (8)\n";

enum {
    LISTEN,
    CA,
    TOKEN,
    DELAY,
    HTTP1,
    PLAIN,
    QUIET,
    STREAMS,
    REQUESTS,
    IDLE,
    HANDSHAKE,
    HUGE_MIB,
    HELP
};

static const struct option names[] = {
    {"listen", required_argument, NULL, LISTEN},
    {"ca", required_argument, NULL, CA},
    {"token", required_argument, NULL, TOKEN},
    {"delay-ms", required_argument, NULL, DELAY},
    {"http1", no_argument, NULL, HTTP1},
    {"plain", no_argument, NULL, PLAIN},
    {"quiet", no_argument, NULL, QUIET},
    {"max-streams", required_argument, NULL, STREAMS},
    {"max-requests-per-connection", required_argument, NULL, REQUESTS},
    {"idle-timeout-ms", required_argument, NULL, IDLE},
    {"fail-handshake", no_argument, NULL, HANDSHAKE},
    {"huge-mib", required_argument, NULL, HUGE_MIB},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static bool number(int option, int64_t least, int64_t most, int64_t *value) {
    char *end;
    long long parsed;

    errno = 0;
    parsed = strtoll(optarg, &end, 10);
    if (errno != 0 || end == optarg || *end != '\0' || parsed < least || parsed > most) {
        fprintf(stderr, "messaging: --%s: '%s' is not a number from %lld to %lld\n",
                names[option].name, optarg, (long long)least, (long long)most);
        return false;
    }
    *value = parsed;
    return true;
}

static bool take_number(struct options *o, int option) {
    int64_t value;

    switch (option) {
    case DELAY:
        return number(option, 0, DELAY_MS_MAX, &o->delay_ms);
    case IDLE:
        return number(option, 0, DELAY_MS_MAX, &o->idle_timeout_ms);
    case STREAMS:
        if (!number(option, 1, 1000000, &value)) {
            return false;
        }
        o->max_streams = (uint32_t)value;
        return true;
    case REQUESTS:
        if (!number(option, 0, INT64_MAX, &value)) {
            return false;
        }
        o->max_requests_per_connection = (uint64_t)value;
        return true;
    default:
        if (!number(option, 1, HUGE_MIB_MAX, &value)) {
            return false;
        }
        o->huge_mib = (uint32_t)value;
        return true;
    }
}

static bool take(struct options *o, int option) {
    switch (option) {
    case LISTEN:
        o->listen = optarg;
        return true;
    case CA:
        o->ca_file = optarg;
        return true;
    case TOKEN:
        o->token = optarg;
        return true;
    case HTTP1:
        o->http1 = true;
        return true;
    case PLAIN:
        o->plain = true;
        return true;
    case QUIET:
        o->quiet = true;
        return true;
    case HANDSHAKE:
        o->fail_handshake = true;
        return true;
    default:
        return take_number(o, option);
    }
}

static enum options_outcome check(const struct options *o, int count, char **arguments) {
    if (optind < count) {
        fprintf(stderr, "messaging: '%s' is not an option; see --help\n", arguments[optind]);
        return OPTIONS_WRONG;
    }
    if (o->plain && o->fail_handshake) {
        fprintf(stderr, "messaging: --plain has no handshake for --fail-handshake to drop\n");
        return OPTIONS_WRONG;
    }
    if (o->token[0] == '\0') {
        fprintf(stderr, "messaging: the token is empty; give one with --token, "
                        "or unset MESSAGING_TOKEN\n");
        return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}

enum options_outcome options_parse(struct options *o, int count, char **arguments) {
    const char *token = getenv("MESSAGING_TOKEN");
    int option;

    *o = (struct options){
        .listen = "127.0.0.1:8443",
        .ca_file = "messaging-ca.pem",
        .token = token ? token : "dev-token",
        .max_streams = STREAMS_DEFAULT,
        .huge_mib = HUGE_MIB_DEFAULT,
    };
    while ((option = getopt_long(count, arguments, "", names, NULL)) != -1) {
        if (option == HELP) {
            fputs(help_text, stdout);
            return OPTIONS_HELP;
        }
        if (option == '?' || !take(o, option)) {
            return OPTIONS_WRONG;
        }
    }
    return check(o, count, arguments);
}
