#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "server/config_reader.h"

/* A secret, on its way into a header; wiped when it is there. */
struct secret {
    char bytes[SECRET_BYTES_MAX +
               2]; /* one more than allowed, to see that it is too long; and a NUL */
    size_t length;
};

static bool secret_from_env(struct config_reader *reader, const struct json *node,
                            struct secret *secret) {
    size_t name_length = strspn(node->bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                             "0123456789_");
    if (name_length == 0 || node->bytes[name_length] != '\0') {
        /* It may be the secret itself, so it is not shown. */
        config_complain(reader, node, "must be the name of an environment variable");
        return false;
    }
    const char *value = getenv(node->bytes);
    if (!value) {
        config_complain(reader, node, "the environment variable %.80s is not set", node->bytes);
        return false;
    }
    secret->length = strnlen(value, SECRET_BYTES_MAX + 1);
    memcpy(secret->bytes, value, secret->length);
    return true;
}

static bool secret_from_file(struct config_reader *reader, const struct json *node,
                             struct secret *secret) {
    const char *path = config_readable_file(reader, node);
    if (!path) {
        return false;
    }
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = file < 0 ? -1 : read(file, secret->bytes, SECRET_BYTES_MAX + 1);
    if (got < 0) {
        config_complain(reader, node, "%.200s cannot be read: %s", path, strerror(errno));
    } else {
        secret->length = (size_t)got;
    }
    if (file >= 0) {
        close(file);
    }
    while (
        got > 0 && secret->length > 0 &&
        (secret->bytes[secret->length - 1] == '\n' || secret->bytes[secret->length - 1] == '\r')) {
        secret->length--;
    }
    return got >= 0;
}

static bool has_control(const struct secret *secret) {
    for (size_t i = 0; i < secret->length; i++) {
        unsigned char byte = (unsigned char)secret->bytes[i];
        if (byte < 0x20 || byte == 0x7F) {
            return true;
        }
    }
    return false;
}

/* Reads {env: NAME} or {file: PATH}. False after a complaint, which never shows the secret. */
static bool read_secret(struct config_reader *reader, const struct json *source,
                        struct secret *secret) {
    const struct json *env = json_member(source, "env");
    const struct json *node = env ? env : json_member(source, "file");
    const char *kind = env ? "environment variable" : "file";
    bool found =
        env ? secret_from_env(reader, node, secret) : secret_from_file(reader, node, secret);
    if (!found) {
        return false;
    }
    secret->bytes[secret->length] = '\0';
    const char *wrong = NULL;
    if (secret->length == 0) {
        wrong = "is empty";
    } else if (secret->length > SECRET_BYTES_MAX) {
        wrong = "is too long for a header";
    } else if (has_control(secret)) {
        wrong = "holds a control character, such as a line break, which no header can carry";
    } else if (secret->bytes[0] == ' ' || secret->bytes[secret->length - 1] == ' ') {
        wrong = "begins or ends with a space";
    }
    if (wrong) {
        config_complain(reader, node, "the %s %.80s %s", kind, node->bytes, wrong);
    }
    return !wrong;
}

/* RFC 4648 section 4. */
static void add_base64(struct text *text, const char *bytes, size_t length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        uint32_t group = 0;
        size_t count = length - i < 3 ? length - i : 3;
        for (size_t j = 0; j < 3; j++) {
            group = group << 8 | (j < count ? (unsigned char)bytes[i + j] : 0);
        }
        text_add(text,
                 (char[]){digits[group >> 18], digits[group >> 12 & 63],
                          count > 1 ? digits[group >> 6 & 63] : '=',
                          count > 2 ? digits[group & 63] : '='},
                 4);
    }
}

/* True (after a complaint) where a secret's place holds anything but a map. */
static bool is_literal(struct config_reader *reader, const struct json *secret) {
    if (!secret || secret->type == JSON_OBJECT) {
        return false;
    }
    config_complain(reader, secret,
                    "a secret does not stand in this file; write {env: NAME} for an environment "
                    "variable or {file: PATH} for a file");
    return true;
}

bool config_holds_literal_secret(struct config_reader *reader) {
    bool found = false;
    const struct json *upstreams = json_member(reader->root, "upstreams");
    const struct json *node = upstreams && upstreams->type == JSON_OBJECT ? upstreams->first : NULL;
    for (; node; node = node->next) {
        const struct json *auth = json_member(node, "auth");
        found |= is_literal(reader, auth);
        found |= is_literal(reader, json_member(auth, "bearer"));
        found |= is_literal(reader, json_member(json_member(auth, "basic"), "password"));
        found |= is_literal(reader, json_member(json_member(auth, "header"), "value"));
    }
    return found;
}

static void add_basic(struct config_reader *reader, const struct json *basic,
                      const struct secret *secret, struct text *line) {
    const struct json *username = json_member(basic, "username");
    struct text pair = text_new(reader->config->arena, SECRET_BYTES_MAX * 2);
    if (strchr(username->bytes, ':')) {
        config_complain(reader, username, "must hold no colon (RFC 7617)");
        return;
    }
    text_reserve(&pair, username->length + 1 + secret->length); /* so that no copy is left behind */
    text_add_string(&pair, username->bytes);
    text_add_char(&pair, ':');
    text_add(&pair, secret->bytes, secret->length);
    text_add_string(line, "Authorization: Basic ");
    if (text_failed(&pair)) {
        config_complain(reader, username, "is too long");
        return;
    }
    add_base64(line, pair.bytes, pair.length);
    explicit_bzero(pair.bytes, pair.length);
}

static void add_header(struct config_reader *reader, const struct json *header,
                       const struct secret *secret, struct text *line) {
    const struct json *name = json_member(header, "name");
    if (config_check_header_name(reader, name, name->bytes)) {
        text_add_string(line, name->bytes);
        text_add_string(line, ": ");
        text_add(line, secret->bytes, secret->length);
    }
}

const char *config_auth_header(struct config_reader *reader, const struct json *auth) {
    const struct json *bearer = json_member(auth, "bearer");
    const struct json *basic = json_member(auth, "basic");
    const struct json *header = json_member(auth, "header");
    const struct json *source = bearer  ? bearer
                                : basic ? json_member(basic, "password")
                                        : json_member(header, "value");
    struct secret secret = {.length = 0};
    if (!auth || !read_secret(reader, source, &secret)) {
        explicit_bzero(&secret, sizeof secret);
        return NULL;
    }
    struct text line = text_new(reader->config->arena, HEADER_LINE_BYTES_MAX);
    text_reserve(&line, HEADER_LINE_BYTES_MAX); /* so that no copy is left behind */
    if (bearer) {
        text_add_string(&line, "Authorization: Bearer ");
        text_add(&line, secret.bytes, secret.length);
    } else if (basic) {
        add_basic(reader, basic, &secret, &line);
    } else {
        add_header(reader, header, &secret, &line);
    }
    explicit_bzero(&secret, sizeof secret);
    if (text_failed(&line)) {
        config_complain(reader, auth, "makes a header that is too long");
    }
    return line.bytes;
}
