#include "test/bench/load/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REQUESTS_DURATION_S = 600 }; /* where only a number of calls is given */

static const char *const kind_names[CALL_KINDS] = {"good",   "bad",  "oversized", "abort",
                                                   "health", "idle", "fault"};

static const char usage[] =
    "usage: bench_loader --url http://127.0.0.1:PORT/PATH [options]\n"
    "Drives a server with calls in a closed loop and checks every answer.\n"
    "  --connections N     connections kept open, one call at a time each (1)\n"
    "  --duration S        seconds measured after the warm-up (5; at most 600 with --requests)\n"
    "  --requests N        stop after N calls, those of the warm-up included\n"
    "  --warmup S          seconds before the measuring starts (1; 0 with --requests)\n"
    "  --mode mcp|post     tools/call of send_message, or POST of a message (mcp)\n"
    "  --era legacy|modern MCP 2025-11-25 or 2026-07-28 (legacy)\n"
    "  --think-ms N        pause between two calls of a connection (0)\n"
    "  --mix K=W,...       kinds of calls by weight: good, bad, oversized, abort, health,\n"
    "                      idle, fault (good=1)\n"
    "  --text-bytes N      length of a message's text (48)\n"
    "  --oversize-bytes N  length of an oversized call's text (131072)\n"
    "  --idle-ms N         how long an idle connection stays silent (1000)\n"
    "  --abort-ms N        an aborted call is closed at most so long after it was sent (100)\n"
    "  --timeout-ms N      give a call up after this long (30000)\n"
    "  --health-path PATH  what health probes ask for (/healthz)\n"
    "  --faults A,B,...    which faults; those of a connection hit all calls that share it over\n"
    "                      HTTP/2 (status_404,status_429,status_500,status_503)\n"
    "  --token TOKEN       bearer token to send (none)\n"
    "  --seed N            seed of the mix (1)\n"
    "  --json              the result as one line of JSON, after a line for each event\n";

const char *call_kind_name(enum call_kind kind) {
    return kind_names[kind];
}

static bool complain(const char *option, const char *value) {
    fprintf(stderr, "bench_loader: \"%s\" is no value for --%s; see --help.\n", value, option);
    return false;
}

static bool parse_number(const char *text, double top, double *out) {
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (errno || end == text || *end || !(value >= 0 && value <= top))
        return false;
    *out = value;
    return true;
}

/* A decimal number at *text, which is moved behind it. */
static bool take_unsigned(const char **text, unsigned top, unsigned *out) {
    char *end = NULL;
    unsigned long value = strtoul(*text, &end, 10);
    if (!isdigit((unsigned char)**text) || value > top)
        return false;
    *text = end;
    *out = (unsigned)value;
    return true;
}

static bool parse_url(struct load_options *o, const char *url) {
    static const char scheme[] = "http://";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    url += sizeof scheme - 1;
    size_t host = strspn(url, "0123456789.");
    unsigned port = 0;
    if (host >= sizeof o->host || url[host] != ':')
        return false;
    memcpy(o->host, url, host);
    o->host[host] = 0;
    url += host + 1;
    if (!take_unsigned(&url, UINT16_MAX, &port) || !port || strlen(url) >= sizeof o->path)
        return false;
    strcpy(o->path, *url ? url : "/");
    o->port = (uint16_t)port;
    return o->path[0] == '/';
}

/* The kind whose name and '=' begin the text; CALL_KINDS where there is none. */
static unsigned kind_named(const char *text) {
    unsigned kind = 0;
    for (; kind < CALL_KINDS; kind++) {
        size_t length = strlen(kind_names[kind]);
        if (strncmp(text, kind_names[kind], length) == 0 && text[length] == '=')
            break;
    }
    return kind;
}

static bool parse_mix(struct load_options *o, const char *text) {
    memset(o->weights, 0, sizeof o->weights);
    o->weight_sum = 0;
    while (*text) {
        unsigned weight, kind = kind_named(text);
        if (kind == CALL_KINDS)
            return false;
        text += strlen(kind_names[kind]) + 1;
        if (!take_unsigned(&text, 1000000, &weight))
            return false;
        o->weight_sum += weight - o->weights[kind];
        o->weights[kind] = weight;
        if (*text == ',')
            text++;
        else if (*text)
            return false;
    }
    return o->weight_sum > 0;
}

static bool parse_mode(struct load_options *o, const char *text) {
    o->mode = strcmp(text, "post") == 0 ? LOAD_POST : LOAD_MCP;
    return o->mode == LOAD_POST || strcmp(text, "mcp") == 0;
}

static bool parse_era(struct load_options *o, const char *text) {
    o->era = strcmp(text, "modern") == 0 ? LOAD_MODERN : LOAD_LEGACY;
    return o->era == LOAD_MODERN || strcmp(text, "legacy") == 0;
}

static const struct option long_options[] = {
    {"url", 1, NULL, 'u'},        {"connections", 1, NULL, 'c'},    {"duration", 1, NULL, 'd'},
    {"requests", 1, NULL, 'n'},   {"warmup", 1, NULL, 'w'},         {"mode", 1, NULL, 'm'},
    {"era", 1, NULL, 'e'},        {"think-ms", 1, NULL, 't'},       {"mix", 1, NULL, 'x'},
    {"text-bytes", 1, NULL, 'b'}, {"oversize-bytes", 1, NULL, 'o'}, {"idle-ms", 1, NULL, 'i'},
    {"abort-ms", 1, NULL, 'a'},   {"timeout-ms", 1, NULL, 'T'},     {"health-path", 1, NULL, 'p'},
    {"faults", 1, NULL, 'f'},     {"token", 1, NULL, 'k'},          {"seed", 1, NULL, 's'},
    {"json", 0, NULL, 'j'},       {"help", 0, NULL, 'h'},           {NULL, 0, NULL, 0},
};

static bool take_number(struct load_options *o, int letter, const char *value) {
    double number;
    if (!parse_number(value, 1e9, &number))
        return false;
    switch (letter) {
    case 'c':
        o->connections = (unsigned)number;
        return number >= 1 && number <= 60000;
    case 'd':
        o->duration_s = number;
        return true;
    case 'n':
        o->requests = (uint64_t)number;
        return number >= 1;
    case 'w':
        o->warmup_s = number;
        return true;
    case 't':
        o->think_ms = (unsigned)number;
        return true;
    case 'b':
        o->text_bytes = (unsigned)number;
        return number <= 1 << 20;
    case 'o':
        o->oversize_bytes = (unsigned)number;
        return number <= 64 << 20;
    case 'i':
        o->idle_ms = (unsigned)number;
        return true;
    case 'a':
        o->abort_ms = (unsigned)number;
        return true;
    case 'T':
        o->timeout_ms = (unsigned)number;
        return number >= 1;
    case 's':
        o->seed = (uint64_t)number;
        return number >= 1;
    default:
        return false;
    }
}

static bool take(struct load_options *o, int letter, const char *value) {
    switch (letter) {
    case 'u':
        return parse_url(o, value);
    case 'm':
        return parse_mode(o, value);
    case 'e':
        return parse_era(o, value);
    case 'x':
        return parse_mix(o, value);
    case 'p':
        o->health_path = value;
        return *value == '/';
    case 'f':
        o->faults = value;
        return *value != 0;
    case 'k':
        o->token = value;
        return true;
    default:
        return take_number(o, letter, value);
    }
}

bool options_parse(struct load_options *o, int argc, char **argv) {
    *o = (struct load_options){
        .connections = 1,
        .duration_s = -1,
        .warmup_s = -1,
        .idle_ms = 1000,
        .abort_ms = 100,
        .timeout_ms = 30000,
        .text_bytes = 48,
        .oversize_bytes = 128 * 1024,
        .health_path = "/healthz",
        .faults = "status_404,status_429,status_500,status_503",
        .weights = {[CALL_GOOD] = 1},
        .weight_sum = 1,
        .seed = 1,
    };
    int letter, at = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, &at)) != -1) {
        if (letter == '?')
            return false;
        if (letter == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (letter == 'j')
            o->json = true;
        else if (!take(o, letter, optarg))
            return complain(long_options[at].name, optarg);
    }
    if (o->duration_s < 0)
        o->duration_s = o->requests ? REQUESTS_DURATION_S : 5;
    if (o->warmup_s < 0)
        o->warmup_s = o->requests ? 0 : 1;
    if (!o->port || optind < argc) {
        fputs("bench_loader: --url http://ADDRESS:PORT/PATH is needed; see --help.\n", stderr);
        return false;
    }
    return true;
}
