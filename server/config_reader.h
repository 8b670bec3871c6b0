/* config_reader: what the files that read the configuration share. Nobody else includes it.
 *
 * A reader goes on after a complaint, so that one run shows several things that are wrong; whether
 * there was one is asked once, at the end. The tree has passed config.schema.json by then, so types
 * are as that says. */
#pragma once

#include "server/config.h"

struct config_reader {
    struct config *config;   /* being made */
    const struct json *root; /* of the file; its strings end in a NUL and hold none */
    struct config_error *error;
    size_t error_length;
    bool failed;
    bool error_full; /* a line did not fit: further complaints cost nothing and are dropped */
};

/* Adds a line: file, line and path of the node (NULL: the file as a whole), and the sentence. */
__attribute__((format(printf, 3, 4))) void
config_complain(struct config_reader *reader, const struct json *node, const char *format, ...);

/* Adds the problem, whose path starts at `node`, if the outcome is one. Returns true when it is
 * OUTCOME_OK. */
bool config_accept(struct config_reader *reader, const struct json *node, enum outcome outcome,
                   const struct problem *problem);

/* Memory of the configuration's arena; NULL (after a complaint) when there is none. */
void *config_alloc(struct config_reader *reader, size_t size);

/* The string, or `otherwise` where the node is NULL. */
const char *config_string(const struct json *node, const char *otherwise);

/* "64Mi" or a number of bytes; `otherwise` where the node is NULL or was complained about. */
uint64_t config_size(struct config_reader *reader, const struct json *node, uint64_t least,
                     uint64_t most, uint64_t otherwise);

/* "500ms", "10s" or "2m" in milliseconds; `otherwise` likewise. */
uint32_t config_duration(struct config_reader *reader, const struct json *node, uint32_t otherwise);

/* Complains unless `path` is a URL's path (RFC 3986 section 3.3) without holes. `node` is where it
 * stands. */
bool config_check_path(struct config_reader *reader, const struct json *node, const char *path);

/* Complains unless the name is one that a header may have here (RFC 9110 section 5.1): a token, and
 * none that plateau or the connection needs for itself. */
bool config_check_header_name(struct config_reader *reader, const struct json *node,
                              const char *name);

/* A port of a URL or an address: decimal digits, up to 65535. */
CHECKED bool config_read_port(const char *digits, uint16_t *port);

/* The path, from the configuration file's folder on if it is relative; NULL after a complaint, also
 * when it is no regular file that can be read. */
const char *config_readable_file(struct config_reader *reader, const struct json *node);

/* ---- the parts; each fills its part of reader->config ---- */

void config_read_server(struct config_reader *reader);
void config_read_limits(struct config_reader *reader);
void config_read_upstreams(struct config_reader *reader);
void config_read_tools(struct config_reader *reader);

/* The header line that the upstream's "auth" asks for; NULL where there is none, or after a
 * complaint. */
const char *config_auth_header(struct config_reader *reader, const struct json *auth);

/* True, after a complaint for each, where somebody wrote a secret itself. Asked before the file is
 * checked against its schema, so that no error can quote it; expects nothing of the tree. */
bool config_holds_literal_secret(struct config_reader *reader);

/* Complains about each member that config.schema.json does not know, with the name that was
 * probably meant: what a schema's evaluation would report one at a time, and without the hint. */
void config_check_members(struct config_reader *reader, const struct json *schema);

/* Adds what config.schema.json says of the setting that the problem's path leads to. */
void config_explain(const struct json *schema, struct problem *problem);

/* Reads one step of a JSON Pointer (RFC 6901); returns what follows, or NULL at its end. */
const char *config_next_step(const char *path, char step[PROBLEM_PATH_BYTES]);

/* config.schema.json, as it was when the program was built. */
extern const char config_schema_bytes[];
extern const char config_schema_end[];
