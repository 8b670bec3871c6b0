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

void problem_path_prepend(struct problem *problem, const char *step) {
    char path[PROBLEM_PATH_BYTES];
    size_t used = 0;
    path[used++] = '/';
    for (; *step != '\0' && used + 2 < sizeof path; step++) {
        if (*step == '~' || *step == '/') {
            path[used++] = '~';
            path[used++] = *step == '~' ? '0' : '1';
        } else {
            path[used++] = *step;
        }
    }
    size_t rest = strlen(problem->path);
    bool cut = rest > sizeof path - 1 - used;
    if (cut) {
        rest = sizeof path - 1 - used;
    }
    memcpy(path + used, problem->path, rest);
    path[used + rest] = '\0';
    memcpy(problem->path, path, used + rest + 1);
    if (cut) {
        drop_half_character(problem->path);
    }
}
