#include "server/cli.h"

#include <mbedtls/version.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lib/similar.h"
#include "lib/upstream_version.h"
#include "server/plan_command.h"

#ifndef PLATEAU_VERSION
#define PLATEAU_VERSION "development"
#endif

struct command {
    const char *name;
    const char *arguments;
    const char *summary;
    const char *help;
    int (*function)(const struct cli *cli, const char *file); /* takes one FILE; or */
    int (*with_options)(const struct cli *cli, int argc, char *const *argv);
};

static int run_file(const struct cli *cli, const char *file);
static int check_file(const struct cli *cli, const char *file);

static const struct command commands[] = {
    {"run", "FILE", "serve the tools that the configuration FILE declares",
     "Reads and checks FILE, listens, and serves its tools until SIGTERM or SIGINT.\n"
     "On standard error a line with \"ready\" and \"listening=ADDRESS:PORT\" says when it may be\n"
     "called.\n",
     run_file, NULL},
    {"check", "FILE", "say whether the configuration FILE is right",
     "Reads FILE and the secrets it refers to, sees that its certificates' files can be read, and\n"
     "says what is wrong, by line. Nothing is sent. The exit status is 0 when it is right, else "
     "1.\n"
     "Whether its limits fit this machine, \"plateau plan FILE\" says.\n",
     check_file, NULL},
    {"plan", "[FILE]", "print what the memory is spent on, and how many calls fit",
     plan_command_help, NULL, plan_command},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

/* ---- the commands ---- */

static struct config *load(const struct cli *cli, const char *file) {
    struct config_error error;
    struct config *config = config_load(file, &error);
    if (!config) {
        fprintf(cli->err, "%s\n", error.text);
    }
    return config;
}

static int run_file(const struct cli *cli, const char *file) {
    struct config *config = load(cli, file);
    if (!config) {
        return CLI_FAILED;
    }
    int status = cli->run(config);
    config_free(config);
    return status;
}

static int check_file(const struct cli *cli, const char *file) {
    struct config *config = load(cli, file);
    if (!config) {
        return CLI_FAILED;
    }
    fprintf(cli->out, "%s: ok: %zu tool%s, %zu upstream%s\n", file, config->tool_count,
            config->tool_count == 1 ? "" : "s", config->upstream_count,
            config->upstream_count == 1 ? "" : "s");
    config_free(config);
    return CLI_OK;
}

static int print_version(const struct cli *cli) {
    char pcre2[64] = "?", mbedtls[18] = "?";
    struct upstream_version upstream = upstream_version();
    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    pcre2[strcspn(pcre2, " ")] = '\0'; /* its date follows */
    fprintf(cli->out, "plateau %s\n", PLATEAU_VERSION);
    fprintf(cli->out, "libmicrohttpd %s\n", MHD_get_version());
    if (upstream.tls_is_mbedtls) {
        fprintf(cli->out, "libcurl %s\n", upstream.curl);
    } else { /* of the system, with another TLS library */
        fprintf(cli->out, "libcurl %s (%s)\n", upstream.curl, upstream.tls);
    }
    mbedtls_version_get_string(mbedtls);
    fprintf(cli->out, "mbedTLS %s\n", mbedtls);
    fprintf(cli->out, "nghttp2 %s\n", upstream.http2 ? upstream.http2 : "none");
    fprintf(cli->out, "c-ares %s\n", upstream.c_ares ? upstream.c_ares : "none");
    fprintf(cli->out, "PCRE2 %s\n", pcre2);
    fprintf(cli->out, "libyaml %s\n", yaml_get_version_string());
    return CLI_OK;
}

/* ---- help ---- */

static void print_usage(FILE *stream) {
    fprintf(stream, "plateau puts REST APIs in the hands of AI agents, as an MCP server.\n\n"
                    "usage: plateau COMMAND FILE\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(stream, "  %-5s %-6s   %s\n", commands[i].name, commands[i].arguments,
                commands[i].summary);
    }
    fprintf(stream, "\n  --help          this text, or after a command what it does\n"
                    "  --version       the versions of plateau and its libraries\n");
}

static void print_command_usage(FILE *stream, const struct command *command) {
    fprintf(stream, "usage: plateau %s %s\n\n%s", command->name, command->arguments, command->help);
}

static bool is_help(const char *argument) {
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/* ---- dispatch ---- */

static const struct command *find_command(const char *name) {
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int refuse_command(const struct cli *cli, const char *name) {
    struct similar similar = similar_to(name, strlen(name));
    for (size_t i = 0; i < COMMANDS; i++) {
        similar_offer(&similar, commands[i].name, strlen(commands[i].name));
    }
    const char *kind = name[0] == '-' ? "option" : "command";
    fprintf(cli->err, "plateau: there is no %s \"%.80s\"", kind, name);
    if (similar.best) {
        fprintf(cli->err, "; did you mean \"%s\"?\n", similar.best);
    } else {
        fprintf(cli->err, "; \"plateau --help\" lists what there is\n");
    }
    return CLI_USAGE;
}

static int dispatch_command(const struct cli *cli, const struct command *command, int argc,
                            char *const *argv) {
    if (argc == 1 && is_help(argv[0])) {
        print_command_usage(cli->out, command);
        return CLI_OK;
    }
    if (command->with_options) {
        return command->with_options(cli, argc, argv);
    }
    if (argc > 0 && argv[0][0] == '-' && argv[0][1] != '\0') {
        fprintf(cli->err, "plateau: %s has no option \"%.80s\"\n", command->name, argv[0]);
        return CLI_USAGE;
    }
    if (argc != 1) {
        fprintf(cli->err, "plateau: %s takes one FILE, not %d\n", command->name, argc);
        print_command_usage(cli->err, command);
        return CLI_USAGE;
    }
    return command->function(cli, argv[0]);
}

int cli_main(const struct cli *cli, int argc, char *const *argv) {
    if (argc < 2) {
        print_usage(cli->err);
        return CLI_USAGE;
    }
    if (is_help(argv[1])) {
        print_usage(cli->out);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return print_version(cli);
    }
    const struct command *command = find_command(argv[1]);
    if (!command) {
        return refuse_command(cli, argv[1]);
    }
    return dispatch_command(cli, command, argc - 2, argv + 2);
}
