#include "lib/problem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Drops a UTF-8 sequence that vsnprintf cut in two at the end of `text`. */
static void drop_half_character(char *text) {
    size_t end = strlen(text), start = end;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start == 0) {
        return;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (end - (start - 1) < needed) {
        text[start - 1] = '\0';
    }
}

void problem_set(struct problem *problem, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof problem->text) {
        drop_half_character(problem->text);
    }
}

/* Appends to a path of `used` bytes what fits of the one behind it: whole characters and escapes.
 */
static void append_path(char path[PROBLEM_PATH_BYTES], size_t used, const char *behind) {
    size_t rest = strlen(behind), room = PROBLEM_PATH_BYTES - 1 - used;
    bool cut = rest > room;
    rest = cut ? room : rest;
    memcpy(path + used, behind, rest);
    path[used + rest] = '\0';
    if (cut) {
        drop_half_character(path);
        rest = strlen(path);
        path[rest - (path[rest - 1] == '~')] = '\0';
    }
}

void problem_path_prepend(struct problem *problem, const char *step) {
    char path[PROBLEM_PATH_BYTES] = "/";
    size_t used = 1;
    for (; *step != '\0'; step++) {
        bool escape = *step == '~' || *step == '/';
        if (used + 1 + escape > sizeof path - 1) {
            break;
        }
        path[used++] = escape ? '~' : *step;
        if (escape) {
            path[used++] = *step == '~' ? '0' : '1';
        }
    }
    path[used] = '\0';
    if (*step == '\0') {
        append_path(path, used, problem->path);
    } else {
        drop_half_character(path); /* and what came behind is lost with it */
    }
    memcpy(problem->path, path, sizeof path);
}
