"""docs/configuration.md is what config.schema.json makes of it, and each setting is described."""

import json
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def properties(schema, path=""):
    """(path, schema) of each property, at any depth."""
    for name, member in schema.get("properties", {}).items():
        yield f"{path}/{name}", member
        yield from properties(member, f"{path}/{name}")
    for name, member in schema.get("$defs", {}).items():
        yield f"{path}/$defs/{name}", member
        yield from properties(member, f"{path}/$defs/{name}")


def objects(schema, path=""):
    if schema.get("properties"):
        yield path, schema
    for name, member in properties(schema, path):
        if member.get("properties"):
            yield name, member


class ConfigurationPage(unittest.TestCase):
    def setUp(self):
        self.schema = json.loads((ROOT / "server/config.schema.json").read_text())

    def test_page_is_not_stale(self):
        run = subprocess.run([sys.executable, "-B", ROOT / "docs/configuration.py", "--check"],
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_every_setting_is_described(self):
        for path, member in properties(self.schema):
            self.assertRegex(member.get("description", ""), r"\.$", path)

    def test_unknown_members_are_refused(self):
        for path, member in objects(self.schema):
            if path != "/$defs/tool/input":  # a JSON Schema of the operator's own
                self.assertIs(member.get("additionalProperties"), False, path)

    def test_page_names_every_setting(self):
        page = (ROOT / "docs/configuration.md").read_text()
        for path, schema in objects(self.schema):
            if path != "/$defs/tool/input":
                for name in schema["properties"]:
                    self.assertTrue(f"`{name}`" in page, f"{path}/{name}")


if __name__ == "__main__":
    unittest.main()
