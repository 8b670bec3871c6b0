"""Writes docs/configuration.md from server/config.schema.json.

    python3 docs/configuration.py            writes it
    python3 docs/configuration.py --check    fails when it is not what would be written

One table for each object of the schema, in the schema's order: what stands there is what plateau
checks the file against, so the two cannot differ.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "server" / "config.schema.json"
PAGE = ROOT / "docs" / "configuration.md"

INTRODUCTION = """\
<!-- Written by docs/configuration.py from server/config.schema.json. Change that, not this. -->
# The configuration file

{description}

- `plateau check FILE` says whether a file can be run, and what is wrong with it, by line.
- `server/config.schema.json` is the JSON Schema of the file. Editors complete and check with it;
  for the YAML language server, put this line first:
  `# yaml-language-server: $schema=PATH/config.schema.json`
- YAML 1.2, its core schema: `no` and `off` are text. Anchors, aliases, tags and merge keys are not
  supported.
- `examples/quickstart.yaml` is a whole one.

Members in **bold** are required.
"""


def resolved(schema, root):
    """The schema with what its $ref leads to below what it says itself."""
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].removeprefix("#/$defs/")
    return {**root["$defs"][name], **{k: v for k, v in schema.items() if k != "$ref"}}


def reference(schema):
    return schema.get("$ref", "").removeprefix("#/$defs/")


def kind(schema, root):
    """What a value may be, in few words."""
    name = reference(schema)
    schema = resolved(schema, root)
    if name in ("size", "duration", "secret"):
        return f"[{name}](#{name})"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"] if isinstance(value, str))
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("pattern") == "^off$":
        return "map or `off`"
    types = schema.get("type", "anything")
    words = {"object": "map", "array": "list", "integer": "whole number", "string": "text",
             "boolean": "`true` or `false`"}
    names = [types] if isinstance(types, str) else types
    text = " or ".join(words.get(one, one) for one in names)
    if types == "array":
        text += " of " + {"object": "maps", "string": "text"}[
            resolved(schema["items"], root)["type"]]
    if "minimum" in schema and "maximum" in schema:
        text += f", {schema['minimum']} to {schema['maximum']}"
    return text


def row(name, schema, required, root):
    shown = f"**`{name}`**" if name in required else f"`{name}`"
    default = f"`{schema['default']}`" if "default" in schema else ""
    text = resolved(schema, root)["description"].replace("|", "\\|")
    return f"| {shown} | {kind(schema, root)} | {default} | {text} |"


def section(path, schema, root):
    """The section of an object, then those of the objects in it."""
    yield f"\n## `{path}`\n" if path else ""
    if path:
        yield schema["description"] + "\n"
    required = schema.get("required", [])
    yield "| member | value | default | meaning |\n|---|---|---|---|"
    for name, member in schema["properties"].items():
        yield row(name, member, required, root)
    for name, member in schema["properties"].items():
        yield from sections_below(f"{path}.{name}" if path else name, member, root)


def sections_below(path, schema, root):
    if reference(schema) == "secret":
        return
    schema = resolved(schema, root)
    if "properties" in schema and schema.get("additionalProperties") is False:
        yield from section(path, schema, root)
    elif isinstance(schema.get("additionalProperties"), dict):
        named = resolved(schema["additionalProperties"], root)
        if "properties" in named:
            yield from section(f"{path}.NAME", named, root)
    elif "items" in schema and "properties" in resolved(schema["items"], root):
        yield from section(f"{path}[]", resolved(schema["items"], root), root)


def shared(name, root):
    schema = root["$defs"][name]
    yield f"\n## {name}\n"
    yield schema["description"]
    if "properties" in schema:
        yield "\n| member | value | default | meaning |\n|---|---|---|---|"
        for member, value in schema["properties"].items():
            yield row(member, value, [], root)


def page():
    root = json.loads(SCHEMA.read_text())
    lines = [INTRODUCTION.format(description=root["description"])]
    lines += section("", root, root)
    for name in ("size", "duration", "secret"):
        lines += shared(name, root)
    return "\n".join(line for line in lines if line) + "\n"


def main():
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != page():
            sys.exit("docs/configuration.md is stale: run python3 docs/configuration.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        PAGE.write_text(page())


if __name__ == "__main__":
    main()
