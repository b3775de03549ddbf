//! CustomResourceDefinitions. `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation` v0.34, and what makes
//! a schema structural (`pkg/apiserver/schema/validation.go`). The cost of rules is not estimated.

use serde_json::Value;

use super::super::look::Look;
use super::super::meta;
use super::{one_of, twice};
use crate::admission::cel::{Environment, Program, Ty, check, type_of};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::schemas::schema_of;
use crate::admission::structural;
use crate::admission::verdict::Causes;
use crate::go::regexp;
use crate::kube::Scope;

/// How deep a schema is followed.
const DEEPEST: usize = 100;

/// A CustomResourceDefinition.
pub(super) fn definition(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    group(object, spec, &path, causes);
    names_of(spec, &path.field("names"), causes);
    match spec.text("scope") {
        "" => causes.required(&path.field("scope"), ""),
        _ => one_of(spec, "scope", &["Cluster", "Namespaced"], &path, causes),
    }
    let list = path.field("versions");
    let versions = spec.items("versions");
    if versions.iter().filter(|v| v.flag("storage")).count() != 1 {
        causes.invalid(
            &list,
            "must have exactly one version marked as storage version",
        );
    }
    for index in twice(versions.iter().map(|v| v.text("name"))) {
        causes.invalid(
            &list.index(index).field("name"),
            "must be unique among the versions",
        );
    }
    for (index, version) in versions.iter().enumerate() {
        self::version(version, &list.index(index), causes);
    }
    conversion(spec.at("conversion"), &path.field("conversion"), causes);
}

fn group(object: &Value, spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let group = spec.text("group");
    let place = path.field("group");
    meta::required_text(group, names::dns1123_subdomain, &place, causes);
    if !group.is_empty() && !group.contains('.') {
        causes.invalid(&place, "should be a domain with at least one dot");
    }
    let metadata = Path::ROOT.field("metadata");
    let wanted = format!("{}.{group}", spec.at("names").text("plural"));
    if object.at("metadata").text("name") != wanted {
        causes.invalid(
            &metadata.field("name"),
            "must be spec.names.plural, a dot and spec.group",
        );
        causes.help(format!("name it {wanted}"));
    }
    let is_protected = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|d| group == *d || group.ends_with(&format!(".{d}")));
    let annotations = metadata.field("annotations");
    let key = "api-approved.kubernetes.io";
    if is_protected && object.at("metadata").at("annotations").text(key).is_empty() {
        causes.required(
            &annotations.key(key),
            "groups of kubernetes.io and k8s.io need approval",
        );
    }
}

fn names_of(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let given = spec.at("names");
    meta::required_text(
        given.text("plural"),
        names::dns1035_label,
        &path.field("plural"),
        causes,
    );
    for field in ["singular", "kind", "listKind"] {
        let lower = given.text(field).to_ascii_lowercase();
        if !lower.is_empty() {
            meta::text(&lower, names::dns1035_label, &path.field(field), causes);
        } else if field == "kind" {
            causes.required(&path.field(field), "");
        }
    }
    if !given.text("kind").is_empty() && given.text("kind") == given.text("listKind") {
        causes.invalid(&path.field("listKind"), "and kind may not be the same");
    }
    for field in ["shortNames", "categories"] {
        let list = path.field(field);
        for (index, name) in given.words(field).into_iter().enumerate() {
            meta::text(name, names::dns1035_label, &list.index(index), causes);
        }
    }
}

fn version(version: &Value, path: &Path<'_>, causes: &mut Causes) {
    meta::text(
        version.text("name"),
        names::dns1035_label,
        &path.field("name"),
        causes,
    );
    let place = path.field("schema");
    let at = place.field("openAPIV3Schema");
    let schema = version.at("schema").at("openAPIV3Schema");
    if schema.is_null() {
        causes.required(&at, "schemas are required");
    } else {
        root(schema, &at, causes);
    }
    if version.has("deprecationWarning") && !version.flag("deprecated") {
        causes.invalid(&path.field("deprecationWarning"), "needs deprecated: true");
    }
    columns(version, &path.field("additionalPrinterColumns"), causes);
    scale(
        version.at("subresources").at("scale"),
        &path.field("subresources").field("scale"),
        causes,
    );
}

const COLUMN_TYPES: &[&str] = &["integer", "number", "string", "boolean", "date"];

fn columns(version: &Value, path: &Path<'_>, causes: &mut Causes) {
    for (index, column) in version.items("additionalPrinterColumns").iter().enumerate() {
        let at = path.index(index);
        if column.text("name").is_empty() {
            causes.required(&at.field("name"), "");
        }
        if !COLUMN_TYPES.contains(&column.text("type")) {
            causes.unsupported(&at.field("type"), COLUMN_TYPES);
        }
        let place = at.field("jsonPath");
        match column.text("jsonPath") {
            "" => causes.required(&place, ""),
            text if !text.starts_with('.') => {
                causes.invalid(&place, "must be a simple JSON path that starts with a dot");
            }
            _ => {}
        }
    }
}

fn scale(scale: &Value, path: &Path<'_>, causes: &mut Causes) {
    if scale.is_null() {
        return;
    }
    for (field, start) in [
        ("specReplicasPath", ".spec."),
        ("statusReplicasPath", ".status."),
    ] {
        let place = path.field(field);
        match scale.text(field) {
            "" => causes.required(&place, ""),
            text if !text.starts_with(start) => {
                causes.invalid(&place, format!("should be a JSON path below {start}"));
            }
            _ => {}
        }
    }
    let selector = scale.text("labelSelectorPath");
    if !selector.is_empty() && !selector.starts_with(".spec.") && !selector.starts_with(".status.")
    {
        causes.invalid(
            &path.field("labelSelectorPath"),
            "should be a JSON path below .spec or .status",
        );
    }
}

fn conversion(conversion: &Value, path: &Path<'_>, causes: &mut Causes) {
    one_of(conversion, "strategy", &["None", "Webhook"], path, causes);
    let webhook = conversion.at("webhook");
    let place = path.field("webhook");
    match conversion.text("strategy") {
        "Webhook" => {
            if webhook.at("clientConfig").is_null() {
                causes.required(&place.field("clientConfig"), "strategy Webhook needs it");
            }
            let versions = webhook.words("conversionReviewVersions");
            let at = place.field("conversionReviewVersions");
            if versions.is_empty() {
                causes.required(&at, "");
            } else if !versions.iter().any(|v| matches!(*v, "v1" | "v1beta1")) {
                causes.invalid(&at, "must include at least one of v1, v1beta1");
            }
        }
        _ if !webhook.is_null() => causes.forbidden(&place, "it needs strategy: Webhook"),
        _ => {}
    }
}

fn root(schema: &Value, path: &Path<'_>, causes: &mut Causes) {
    let kind = schema.text("type");
    match kind {
        "" => causes.required(&path.field("type"), "must not be empty at the root"),
        "object" => {}
        _ => causes.invalid(&path.field("type"), "must be object at the root"),
    }
    if schema.flag("nullable") {
        causes.forbidden(
            &path.field("nullable"),
            "nullable cannot be true at the root",
        );
    }
    let metadata = schema.at("properties").at("metadata");
    if !metadata.is_null() {
        let allowed = |name: &str| matches!(name, "type" | "properties" | "description");
        let fields = metadata
            .as_object()
            .into_iter()
            .flatten()
            .all(|(name, _)| allowed(name));
        let inner = metadata
            .entries("properties")
            .into_iter()
            .all(|(name, _)| matches!(name, "name" | "generateName"));
        if !fields || !inner {
            let place = path.field("properties");
            causes.forbidden(
                &place.key("metadata"),
                "only name and generateName may be narrowed, the rest is implied",
            );
        }
    }
    let mut walker = Walker { causes };
    walker.schema(schema, path, At::Spine, 0);
    if walker.causes.is_empty() {
        rules(schema, path, causes);
    }
}

/// Where in a schema a part is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Where types are.
    Spine,
    /// Below a logical junction, where there are only conditions.
    Junction,
}

struct Walker<'w> {
    causes: &'w mut Causes,
}

const TYPES: &[&str] = &["array", "boolean", "integer", "number", "object", "string"];

/// Fields of a schema that no CRD may have.
const NOT_SUPPORTED: &[&str] = &[
    "id",
    "additionalItems",
    "patternProperties",
    "definitions",
    "dependencies",
    "$ref",
];

/// Fields that a junction may not have.
const ON_THE_SPINE: &[&str] = &[
    "type",
    "additionalProperties",
    "nullable",
    "default",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "description",
    "title",
];

impl Walker<'_> {
    fn schema(&mut self, schema: &Value, path: &Path<'_>, at: At, depth: usize) {
        if depth > DEEPEST {
            self.causes.invalid(path, "nests too deep");
            return;
        }
        self.plain(schema, path);
        match at {
            At::Spine => self.spine(schema, path, depth),
            At::Junction => {
                let is_int_or_string = |s: &Value| matches!(s.text("type"), "integer" | "string");
                for field in ON_THE_SPINE.iter().filter(|f| schema.has(f)) {
                    if *field != "type" || !is_int_or_string(schema) {
                        self.causes.forbidden(
                            &path.field(field),
                            "it may not be below anyOf, oneOf, allOf and not",
                        );
                    }
                }
            }
        }
        self.children(schema, path, at, depth);
        for junction in ["allOf", "anyOf", "oneOf"] {
            let place = path.field(junction);
            for (index, part) in schema.items(junction).iter().enumerate() {
                self.schema(part, &place.index(index), At::Junction, depth + 1);
                self.on_spine(part, schema, &place.index(index));
            }
        }
        if schema.has("not") {
            self.schema(
                schema.at("not"),
                &path.field("not"),
                At::Junction,
                depth + 1,
            );
        }
    }

    fn plain(&mut self, schema: &Value, path: &Path<'_>) {
        for field in NOT_SUPPORTED.iter().filter(|f| schema.has(f)) {
            self.causes
                .forbidden(&path.field(field), "it is not supported");
        }
        if schema.flag("uniqueItems") {
            self.causes.forbidden(
                &path.field("uniqueItems"),
                "it cannot be true: use x-kubernetes-list-type: set",
            );
        }
        if schema.has("pattern") && regexp::compile(schema.text("pattern")).is_err() {
            self.causes.invalid(
                &path.field("pattern"),
                "must be a regular expression as Go reads it, without look-around",
            );
        }
        if schema.at("items").is_array() {
            self.causes.forbidden(
                &path.field("items"),
                "items must be a schema and not a list",
            );
        }
        if schema.has("properties") && schema.has("additionalProperties") {
            let message = "additionalProperties and properties exclude each other";
            self.causes
                .forbidden(&path.field("additionalProperties"), message);
        } else if schema.at("additionalProperties").as_bool() == Some(false) {
            self.causes
                .forbidden(&path.field("additionalProperties"), "it cannot be false");
        }
        if schema.at("x-kubernetes-preserve-unknown-fields").as_bool() == Some(false) {
            self.causes.invalid(
                &path.field("x-kubernetes-preserve-unknown-fields"),
                "must be true or left out",
            );
        }
    }

    fn spine(&mut self, schema: &Value, path: &Path<'_>, depth: usize) {
        let kind = schema.text("type");
        let place = path.field("type");
        let is_open = schema.flag("x-kubernetes-preserve-unknown-fields");
        let is_int_or_string = schema.flag("x-kubernetes-int-or-string");
        match kind {
            "" if depth > 0 && !is_open && !is_int_or_string => {
                self.causes
                    .required(&place, "must not be empty for specified object fields");
            }
            "" => {}
            _ if !TYPES.contains(&kind) => self.causes.unsupported(&place, TYPES),
            _ if is_int_or_string => self.causes.invalid(
                &place,
                "must be empty where x-kubernetes-int-or-string is true",
            ),
            _ => {}
        }
        if schema.flag("x-kubernetes-embedded-resource") {
            if kind != "object" {
                self.causes.invalid(
                    &place,
                    "must be object if x-kubernetes-embedded-resource is true",
                );
            }
            if schema.entries("properties").is_empty() && !is_open {
                let message =
                    "an embedded resource needs properties or x-kubernetes-preserve-unknown-fields";
                self.causes.required(&path.field("properties"), message);
            }
        }
        if kind == "array" && schema.at("items").is_null() {
            self.causes
                .required(&path.field("items"), "must be specified");
        }
        self.list(schema, path);
        self.default(schema, path);
    }

    fn list(&mut self, schema: &Value, path: &Path<'_>) {
        let kind = schema.text("x-kubernetes-list-type");
        let keys = path.field("x-kubernetes-list-map-keys");
        if !kind.is_empty() {
            one_of(
                schema,
                "x-kubernetes-list-type",
                &["atomic", "set", "map"],
                path,
                self.causes,
            );
            if schema.text("type") != "array" {
                self.causes.invalid(
                    &path.field("type"),
                    "must be array if x-kubernetes-list-type is specified",
                );
            }
        }
        let map = schema.text("x-kubernetes-map-type");
        if !map.is_empty() {
            one_of(
                schema,
                "x-kubernetes-map-type",
                &["atomic", "granular"],
                path,
                self.causes,
            );
            if schema.text("type") != "object" {
                self.causes.invalid(
                    &path.field("type"),
                    "must be object if x-kubernetes-map-type is specified",
                );
            }
        }
        let given = schema.words("x-kubernetes-list-map-keys");
        if !given.is_empty() && kind != "map" {
            self.causes.invalid(
                &path.field("x-kubernetes-list-type"),
                "must be map if x-kubernetes-list-map-keys is there",
            );
        }
        if kind != "map" {
            return;
        }
        if given.is_empty() {
            self.causes
                .required(&keys, "must not be empty if x-kubernetes-list-type is map");
        }
        let items = schema.at("items");
        let place = path.field("items");
        if items.text("type") != "object" {
            self.causes.invalid(
                &place.field("type"),
                "must be object if x-kubernetes-list-type is map",
            );
        }
        let properties = place.field("properties");
        for key in given {
            let property = items.at("properties").at(key);
            if property.is_null() {
                self.causes
                    .invalid(&keys, "must all be names of properties of the items");
            } else if !items.words("required").contains(&key) && !property.has("default") {
                let at = properties.key(key);
                self.causes.required(
                    &at.field("default"),
                    "a key of a list map has a default or is required",
                );
            }
        }
    }

    /// A default must fit its own schema.
    fn default(&mut self, schema: &Value, path: &Path<'_>) {
        if !schema.has("default") {
            return;
        }
        let own = schema_of(schema, Scope::Namespaced);
        let mut found = Causes::default();
        structural::validate(
            &own.arena,
            own.root,
            schema.at("default"),
            &Path::ROOT,
            &mut found,
        );
        if let Some(cause) = found.list.first() {
            let message = format!(
                "does not fit its own schema: {} {}",
                cause.field.as_str(),
                cause.message
            );
            self.causes.invalid(&path.field("default"), message);
        }
    }

    fn children(&mut self, schema: &Value, path: &Path<'_>, at: At, depth: usize) {
        let properties = path.field("properties");
        for (name, value) in schema.entries("properties") {
            let is_meta = depth == 0 && at == At::Spine && name == "metadata";
            if !is_meta {
                self.schema(value, &properties.key(name), at, depth + 1);
            }
        }
        for field in ["items", "additionalProperties"] {
            if schema.at(field).is_object() {
                self.schema(schema.at(field), &path.field(field), at, depth + 1);
            }
        }
    }

    /// What a junction narrows must have a type on the spine.
    fn on_spine(&mut self, part: &Value, spine: &Value, path: &Path<'_>) {
        let place = path.field("properties");
        for (name, value) in part.entries("properties") {
            let own = spine.at("properties").at(name);
            if own.is_null()
                && !spine.at("additionalProperties").is_object()
                && spine.has("properties")
            {
                self.causes.required(
                    &place.key(name),
                    "a field below a junction needs its type in properties",
                );
            } else if !own.is_null() {
                self.on_spine(value, own, &place.key(name));
            }
        }
    }
}

const REASONS: &[&str] = &[
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
];

/// Compiles the rules of a schema, each over the part that it stands at.
fn rules(schema: &Value, path: &Path<'_>, causes: &mut Causes) {
    part_rules(schema, true, path, causes, 0);
}

fn part_rules(
    schema: &Value,
    may_compare: bool,
    path: &Path<'_>,
    causes: &mut Causes,
    depth: usize,
) {
    if depth > DEEPEST {
        return;
    }
    let list = path.field("x-kubernetes-validations");
    for (index, rule) in schema.items("x-kubernetes-validations").iter().enumerate() {
        one_rule(rule, schema, may_compare, &list.index(index), causes);
    }
    let properties = path.field("properties");
    for (name, value) in schema.entries("properties") {
        part_rules(value, may_compare, &properties.key(name), causes, depth + 1);
    }
    let is_list_map = schema.text("x-kubernetes-list-type") == "map";
    if schema.at("items").is_object() {
        part_rules(
            schema.at("items"),
            may_compare && is_list_map,
            &path.field("items"),
            causes,
            depth + 1,
        );
    }
    if schema.at("additionalProperties").is_object() {
        part_rules(
            schema.at("additionalProperties"),
            may_compare,
            &path.field("additionalProperties"),
            causes,
            depth + 1,
        );
    }
}

fn one_rule(rule: &Value, schema: &Value, may_compare: bool, path: &Path<'_>, causes: &mut Causes) {
    let text = rule.text("rule");
    let place = path.field("rule");
    if text.trim().is_empty() {
        causes.required(&place, "rule is not specified");
        return;
    }
    if rule.has("message") && rule.text("message").trim().is_empty() {
        causes.invalid(&path.field("message"), "must be non-empty if specified");
    } else if text.trim().contains('\n') && !rule.has("message") && !rule.has("messageExpression") {
        causes.required(&path.field("message"), "a rule with line breaks needs one");
    }
    one_of(rule, "reason", REASONS, path, causes);
    field_path(
        rule.text("fieldPath"),
        schema,
        &path.field("fieldPath"),
        causes,
    );
    let own = schema_of(schema, Scope::Namespaced);
    let ty = type_of(&own.arena, own.root);
    let mut environment = Environment::default();
    environment.arena = Some(&own.arena);
    environment.declare("self", ty.clone());
    let old = if rule.flag("optionalOldSelf") {
        Ty::Optional(Box::new(ty))
    } else {
        ty
    };
    environment.declare("oldSelf", old);
    match Program::parse(text) {
        Err(error) => causes.invalid(&place, format!("does not compile: {error}")),
        Ok(program) => {
            match check(&program, &environment) {
                Err(error) => causes.invalid(&place, format!("does not compile: {error}")),
                Ok(Ty::Bool) => {}
                Ok(other) => causes.invalid(
                    &place,
                    format!("must evaluate to bool but is {}", other.name()),
                ),
            }
            if program.uses("oldSelf") && !may_compare {
                let message = "compares with oldSelf within a list whose items nothing tells apart";
                causes.invalid(&place, message);
            }
        }
    }
    let message = rule.text("messageExpression");
    if !message.is_empty() {
        let checked = Program::parse(message).and_then(|program| check(&program, &environment));
        match checked {
            Ok(Ty::String) => {}
            Ok(other) => causes.invalid(
                &path.field("messageExpression"),
                format!("must evaluate to string but is {}", other.name()),
            ),
            Err(error) => causes.invalid(
                &path.field("messageExpression"),
                format!("does not compile: {error}"),
            ),
        }
    }
}

/// A path of fields from the part that a rule stands at.
fn field_path(text: &str, schema: &Value, path: &Path<'_>, causes: &mut Causes) {
    if text.is_empty() || text.contains('[') {
        return;
    }
    let mut at = schema;
    let Some(steps) = text.strip_prefix('.') else {
        causes.invalid(path, "must be a valid path");
        return;
    };
    for step in steps.split('.') {
        let values = at.at("additionalProperties");
        at = match at.at("properties").at(step) {
            Value::Null => values,
            property => property,
        };
        if at.is_null() {
            causes.invalid(path, "must be a valid path of fields that the schema has");
            return;
        }
    }
}
