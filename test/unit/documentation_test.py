"""The documentation, as a test: its links lead somewhere, the files it names exist, and the
configuration that the README shows can be run."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)#\s]+)?(?:#([^)\s]+))?\)")
NAMED = re.compile(r"`((?:lib|server|test|docs|deps|examples|\.ci)/[\w./-]*(?:\.\w+|/))`")
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
GENERATED = re.compile(r"(^|/)(build|node_modules|\.git)/")


def pages():
    found = [p for p in ROOT.rglob("*.md") if not GENERATED.search(p.relative_to(ROOT).as_posix())]
    return sorted(found)


def anchors(text):
    """The fragments that a Markdown page's headings make."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def dead_links(page, text):
    for target, fragment in LINK.findall(text):
        if re.match(r"\w+:", target):
            continue
        file = page.parent / target if target else page
        if not file.exists():
            yield f"{page.name}: {target} does not exist"
        elif fragment and fragment not in anchors(file.read_text(encoding="utf-8")):
            yield f"{page.name}: {target} has no heading #{fragment}"


def missing_files(page, text):
    for name in NAMED.findall(text):
        if "NAME" not in name and not (ROOT / name).exists():
            yield f"{page.name}: {name} does not exist"


class Documentation(unittest.TestCase):
    def test_links_and_files_exist(self):
        self.assertIn(ROOT / "README.md", pages())
        wrong = []
        for page in pages():
            text = page.read_text(encoding="utf-8")
            wrong += [*dead_links(page, text), *missing_files(page, text)]
        self.assertEqual(wrong, [])

    def test_what_is_wrong_is_seen(self):
        readme = ROOT / "README.md"
        for text in ("[x](nowhere.md)", "[x](CONTRIBUTING.md#nowhere)", "[x](#nowhere)"):
            self.assertEqual(len(list(dead_links(readme, text))), 1, text)
        self.assertEqual(len(list(missing_files(readme, "`lib/nowhere.c`"))), 1)

    def test_the_readme_configuration_can_be_run(self):
        examples = YAML.findall((ROOT / "README.md").read_text(encoding="utf-8"))
        self.assertTrue(examples)
        for example in examples:
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(example)
                file.flush()
                done = subprocess.run(
                    [os.environ["PLATEAU_BIN"], "check", file.name],
                    env=dict(os.environ, MESSAGING_TOKEN="token"),
                    capture_output=True,
                    text=True,
                )
                self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
