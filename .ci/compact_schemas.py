#!/usr/bin/env python3
"""Compacts API schemas into src/admission/schemas/data/NAME.z.

usage: compact_schemas.py SOURCES OUTPUT_DIRECTORY

SOURCES holds a directory a file to make: `kubernetes/kubernetes.json.gz` (all minor versions in one file, as in
shared/data/openapi), and for everything else the CRDs of one product as YAML, or `VERSION/KIND.json.gz`
(`{group, version, kind, scope, schema}`) where several versions of a product are told apart.

A file is a zlib stream of lines. First one line a kind, `K VARIANT APIVERSION/KIND TYPE SCOPE`, where VARIANT is the
version of Kubernetes or of the product, or `-`, and SCOPE is N or C; then an empty line; then one type a line, as JSON.
Equal types of a file are written once, and are referred to by their number. Descriptions are dropped.
"""
import gzip
import json
import pathlib
import sys
import zlib

import yaml

PLAIN = (
    "type", "required", "enum", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems",
    "nullable", "default",
)
RENAMED = {
    "x-kubernetes-preserve-unknown-fields": "open",
    "x-kubernetes-embedded-resource": "embedded",
    "x-kubernetes-int-or-string": "intOrString",
    "x-kubernetes-list-type": "list",
    "x-kubernetes-list-map-keys": "keys",
    "x-kubernetes-map-type": "map",
    "x-kubernetes-validations": "rules",
}
# Types of Go that read themselves from JSON.
OWN_READERS = {
    "Quantity": "quantity", "Time": "time", "MicroTime": "time", "Duration": "duration", "IntOrString": "intOrString",
    "RawExtension": "any", "JSON": "any", "FieldsV1": "any", "JSONSchemaPropsOrArray": "any",
    "JSONSchemaPropsOrBool": "any", "JSONSchemaPropsOrStringArray": "any",
}
CLUSTER = set("""
    Namespace Node PersistentVolume ComponentStatus MutatingWebhookConfiguration ValidatingWebhookConfiguration
    ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
    CustomResourceDefinition APIService SelfSubjectReview TokenReview SelfSubjectAccessReview SelfSubjectRulesReview
    SubjectAccessReview CertificateSigningRequest ClusterTrustBundle FlowSchema PriorityLevelConfiguration StorageVersion
    IngressClass IPAddress ServiceCIDR RuntimeClass ClusterRole ClusterRoleBinding DeviceClass ResourceSlice
    DeviceTaintRule PriorityClass CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass
    StorageVersionMigration
""".split())


class Types:
    """The types of one file."""

    def __init__(self):
        self.lines, self.numbers, self.kinds = [], {}, []

    def number(self, node):
        text = json.dumps(node, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
        if text not in self.numbers:
            self.numbers[text] = len(self.lines)
            self.lines.append(text)
        return self.numbers[text]

    def add(self, schema):
        """The number of a CRD's schema, which is added with all that it holds unless it is there."""
        if schema is True:
            schema = {"x-kubernetes-preserve-unknown-fields": True}
        node = {key: schema[key] for key in PLAIN if key in schema}
        node.update({to: schema[key] for key, to in RENAMED.items() if schema.get(key)})
        if "properties" in schema:
            node["properties"] = {k: self.add(v) for k, v in schema["properties"].items()}
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict) or extra is True:
            node["values"] = self.add(extra)
        if "items" in schema:
            node["items"] = self.add(schema["items"])
        if "not" in schema:
            node["not"] = self.add(schema["not"])
        for field in ("oneOf", "anyOf", "allOf"):
            if field in schema:
                node[field] = [self.add(a) for a in schema[field]]
        return self.number(node)

    def write(self, path):
        kinds = sorted(set(self.kinds))
        text = "".join(f"K {' '.join(map(str, kind))}\n" for kind in kinds) + "\n" + "\n".join(self.lines) + "\n"
        path.write_bytes(zlib.compress(text.encode(), 9))


class Native(Types):
    """Kubernetes' own kinds: types refer to each other by number, and may do so in a circle."""

    def __init__(self, types):
        super().__init__()
        self.types, self.made = types, {}

    def named(self, number, **extra):
        """The number of a named type, with a default of its own where a field has one."""
        name = self.types[number].get("name", "").split(".")[-1]
        if name in OWN_READERS:
            return self.number({"go": OWN_READERS[name], **extra})
        if extra:
            self.named(number)
            body = json.loads(self.lines[self.made[number]])
            return self.number({**body, **extra})
        if number not in self.made:
            # A place is taken first, since a type may hold itself.
            self.made[number] = len(self.lines)
            self.lines.append("")
            self.lines[self.made[number]] = json.dumps(
                self.body(self.types[number]), separators=(",", ":"), ensure_ascii=False, sort_keys=True)
        return self.made[number]

    def body(self, schema):
        node = {key: schema[key] for key in PLAIN if key in schema and key != "required"}
        node.update({to: schema[key] for key, to in RENAMED.items() if schema.get(key)})
        if schema.get("required"):
            node["required"] = schema["required"]
        if "properties" in schema:
            node["properties"] = {k: self.reference(v) for k, v in schema["properties"].items()}
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            node["values"] = self.reference(extra)
        if "items" in schema:
            node["items"] = self.reference(schema["items"])
        return node

    def reference(self, schema):
        if isinstance(schema.get("$ref"), int):
            # A default of `{}` is what Go makes of a struct that is left out.
            extra = {k: schema[k] for k in ("default",) if schema.get(k) not in (None, {})}
            return self.named(schema["$ref"], **extra)
        return self.number(self.body(schema))


def native(path):
    data = json.loads(gzip.decompress(path.read_bytes()))
    types = Native(data["types"])
    for version, served in data["versions"].items():
        for kind, number in served["kinds"].items():
            name = kind.split("/")[-1]
            if name.endswith("List") or name in ("Status", "APIGroup", "APIVersions", "DeleteOptions", "WatchEvent"):
                continue
            types.kinds.append((version, kind, types.named(number), "C" if name in CLUSTER else "N"))
    return types


def product(directory):
    types = Types()
    for path in sorted(directory.glob("*.yaml")):
        for crd in yaml.load_all(path.read_text(), Loader):
            if not crd or crd.get("kind") != "CustomResourceDefinition":
                continue
            spec = crd["spec"]
            for version in (v for v in spec["versions"] if v["served"]):
                name = f"{spec['group']}/{version['name']}/{spec['names']['kind']}"
                number = types.add(version["schema"]["openAPIV3Schema"])
                types.kinds.append(("-", name, number, spec["scope"][0]))
    for path in sorted(directory.glob("*/*.json.gz")):
        kind = json.loads(gzip.decompress(path.read_bytes()))
        name = f"{kind['group']}/{kind['version']}/{kind['kind']}"
        types.kinds.append((path.parent.name, name, types.add(kind["schema"]), kind["scope"][0]))
    return types


class Loader(yaml.CSafeLoader):
    """YAML as Go reads it: `=` is text."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def main(source, target):
    for directory in sorted(p for p in pathlib.Path(source).iterdir() if p.is_dir()):
        whole = directory / "kubernetes.json.gz"
        types = native(whole) if whole.exists() else product(directory)
        types.write(pathlib.Path(target) / f"{directory.name}.z")
        groups = sorted({k[1].rsplit("/", 2)[0] for k in types.kinds if k[1].count("/") == 2})
        print(directory.name, len(types.kinds), len(types.lines), " ".join(groups))


if __name__ == "__main__":
    main(*sys.argv[1:])
