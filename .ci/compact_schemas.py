#!/usr/bin/env python3
"""Compacts the OpenAPI schemas of CRDs into src/validate/schema/data/GROUP.json.

usage: compact_schemas.py DIRECTORY_OF_SCHEMAS OUTPUT_DIRECTORY

Input files are named GROUP_VERSION_KIND.json. Texts and rules that are not judged are dropped; equal
sub-schemas of a group are written once, one a line, and are referred to by their number.
"""
import json
import pathlib
import sys

KEPT = (
    "type", "required", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "maxProperties", "nullable",
)


class Group:
    def __init__(self):
        self.types, self.numbers, self.kinds = [], {}, {}

    def add(self, schema):
        """The number of a schema, which is added with all that it holds unless it is there."""
        if schema is True:
            schema = {"x-kubernetes-preserve-unknown-fields": True}
        node = {key: schema[key] for key in KEPT if key in schema}
        if schema.get("x-kubernetes-preserve-unknown-fields"):
            node["open"] = True
        if schema.get("x-kubernetes-int-or-string"):
            node["intOrString"] = True
            node.pop("pattern", None)
        if schema.get("x-kubernetes-embedded-resource"):
            node["open"] = True
        if "properties" in schema:
            node["properties"] = {k: self.add(v) for k, v in sorted(schema["properties"].items())}
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict) or extra is True:
            node["values"] = self.add(extra)
        if "items" in schema:
            node["items"] = self.add(schema["items"])
        for field in ("oneOf", "anyOf"):
            alternatives = [sorted(a["required"]) for a in schema.get(field, []) if "required" in a]
            if alternatives and len(alternatives) == len(schema[field]):
                node[field] = alternatives
        text = json.dumps(node, separators=(",", ":"), ensure_ascii=False)
        if text not in self.numbers:
            self.numbers[text] = len(self.types)
            self.types.append(text)
        return self.numbers[text]


def main(source, target):
    groups = {}
    for path in sorted(pathlib.Path(source).glob("*.json")):
        name, version, kind = path.stem.rsplit("_", 2)
        group = groups.setdefault(name, Group())
        group.kinds[f"{version}/{kind}"] = group.add(json.loads(path.read_text()))
    for name, group in groups.items():
        kinds = json.dumps(group.kinds, separators=(",", ":"))
        types = ",\n".join(group.types)
        (pathlib.Path(target) / f"{name}.json").write_text(f'{{"kinds":{kinds},"types":[\n{types}\n]}}\n')


if __name__ == "__main__":
    main(*sys.argv[1:])
