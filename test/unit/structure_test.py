"""The shape of the sources, as a test: sizes, and which folder may include which.

The limits keep a file readable in one sitting. The include law is the design's: lib knows nothing
of MCP or of libmicrohttpd, server nothing of the tests, and one module alone talks to libcurl.
"""

import pathlib
import re
import sys
import tempfile
import unittest

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 550
COLUMNS_MAX = 100
FOLDERS = ("lib", "server", "test")

# (files it is about, what they must not include, why)
INCLUDE_LAW = (
    (r"lib/", r"(server|test)/", "lib knows nothing of the server"),
    (r"server/", r"test/", "the server knows nothing of its tests"),
    (r"lib/", r"microhttpd\.h", "lib knows nothing of libmicrohttpd"),
    (r"(lib|server)/(?!upstream)", r"curl/", "only lib/upstream* talks to libcurl"),
    (r"server/", r"curl/", "only lib/upstream* talks to libcurl"),
    (r"lib/upstream\.h", r"curl/", "libcurl's types stay out of what others include"),
)

INCLUDE = re.compile(r'\s*#\s*include\s+["<]([^">]+)[">]')


def functions(lines):
    """(first line, name, length) of each function: clang-format puts its end alone in column 0."""
    start, opened = None, False
    for number, line in enumerate(lines, 1):
        if opened:
            if line == "}":
                head = " ".join(lines[start - 1 : number])
                yield start, re.search(r"(\w+)\s*\(", head).group(1), number - start + 1
                start, opened = None, False
        elif re.match(r"\w", line):
            start = number if "(" in line else None
            opened = start is not None and line.endswith("{") and "=" not in line
        elif start and line.endswith("{") and line.startswith(" "):
            opened = True
        elif start and line.endswith(";"):
            start = None


def check_sizes(path, lines):
    if len(lines) > FILE_LINES_MAX:
        yield f"{path}: {len(lines)} lines, at most {FILE_LINES_MAX}: split it by subject"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield f"{path}:{number}: {len(line)} columns, at most {COLUMNS_MAX}: ./dev format"
    for number, name, length in functions(lines):
        if length > FUNCTION_LINES_MAX:
            yield f"{path}:{number}: {name} has {length} lines, at most {FUNCTION_LINES_MAX}"


def check_includes(path, lines):
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        for about, forbidden, reason in INCLUDE_LAW if include else ():
            if re.match(about, path) and re.match(forbidden, include.group(1)):
                yield f"{path}:{number}: includes {include.group(1)}: {reason}"


def check_tree(root):
    files = [f for folder in FOLDERS for f in sorted((root / folder).rglob("*.[ch]"))]
    for file in files:
        path = file.relative_to(root).as_posix()
        lines = file.read_text(encoding="utf-8").splitlines()
        yield from check_sizes(path, lines)
        yield from check_includes(path, lines)


def function_of(lines):
    return ["int f(int a,", "      int b) {"] + ["    g();"] * (lines - 3) + ["}"]


class Structure(unittest.TestCase):
    def test_the_sources_keep_the_rules(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        self.assertTrue(list((root / "lib").glob("*.c")), "no sources found: is this the tree?")
        self.assertEqual(list(check_tree(root)), [])

    def test_each_size_is_tried_at_its_limit_and_past_it(self):
        cases = (
            (["x" * COLUMNS_MAX], 0),
            (["x" * (COLUMNS_MAX + 1)], 1),
            (["x"] * FILE_LINES_MAX, 0),
            (["x"] * (FILE_LINES_MAX + 1), 1),
            (function_of(FUNCTION_LINES_MAX), 0),
            (function_of(FUNCTION_LINES_MAX + 1), 1),
            (["struct s {"] + ["    int a;"] * 100 + ["};"], 0),
            (["static const int table[] = {"] + ["    1,"] * 100 + ["};"], 0),
            (["void f(int a,", "       int b);", ""] + function_of(FUNCTION_LINES_MAX + 1), 1),
        )
        for lines, expected in cases:
            with self.subTest(head=lines[0], count=len(lines)):
                self.assertEqual(len(list(check_sizes("lib/x.c", lines))), expected)

    def test_the_include_law(self):
        cases = (
            ("lib/arena.c", '#include "lib/arena.h"', 0),
            ("lib/arena.c", '#include "server/config.h"', 1),
            ("lib/arena.c", '#include "test/help.h"', 1),
            ("lib/arena.c", "#include <microhttpd.h>", 1),
            ("lib/arena.c", "#include <curl/curl.h>", 1),
            ("lib/upstream.c", "#include <curl/curl.h>", 0),
            ("lib/upstream_pool.c", "#include <curl/curl.h>", 0),
            ("lib/upstream_internal.h", "#include <curl/curl.h>", 0),
            ("lib/upstream.h", "#include <curl/curl.h>", 1),
            ("server/http.c", "#include <microhttpd.h>", 0),
            ("server/http.c", '#  include "test/help.h"', 1),
            ("server/main.c", "#include <curl/curl.h>", 1),
            ("server/upstream.c", "#include <curl/curl.h>", 1),
            ("test/unit/lib/arena_test.c", '#include "server/config.h"', 0),
        )
        for path, line, expected in cases:
            with self.subTest(path=path, line=line):
                self.assertEqual(bool(list(check_includes(path, [line]))), bool(expected))

    def test_a_tree_is_read_from_its_files(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "lib" / "deep").mkdir(parents=True)
            (root / "lib" / "deep" / "a.h").write_text("#include <microhttpd.h>\n")
            self.assertEqual(len(list(check_tree(root))), 1)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
