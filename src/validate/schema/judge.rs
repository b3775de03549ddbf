//! Judges one object. Values are never told: they may be secret.

use super::types::{Group, Kind, Number, Type};
use crate::diagnostic::{Code, Diagnostic, Report, nearest};
use crate::kube::Resource;
use crate::validate::walk::{self, Step};
use crate::yaml::{Mapping, Node, Tag, Value};

pub(super) struct Judge<'j> {
    group: &'static Group,
    resource: &'j Resource,
    report: &'j mut Report,
    path: Vec<Step<'j>>,
}

impl<'j> Judge<'j> {
    pub(super) fn new(
        group: &'static Group,
        resource: &'j Resource,
        report: &'j mut Report,
    ) -> Self {
        Self {
            group,
            resource,
            report,
            path: Vec::new(),
        }
    }

    /// Judges the whole object. `metadata` has no schema of its own.
    pub(super) fn object(&mut self, number: Number) {
        let node = self.resource.node();
        if node.as_mapping().is_some() {
            self.value(number, node);
        }
    }

    fn find(&mut self, code: Code, node: &Node, what: &str, help: Option<String>) {
        let path = walk::show(&self.path);
        let phrase = format!(
            "{} {what} in {}",
            if path.is_empty() { "it" } else { &path },
            self.resource.id()
        );
        let mut finding = Diagnostic::new(code, phrase).at(self.resource.place_of(node));
        if let Some(text) = help {
            finding = finding.help(text);
        }
        self.report.push(finding);
    }

    fn value(&mut self, number: Number, node: &'j Node) {
        let group = self.group;
        let wanted = group.get(number);
        if node.is_null() {
            if !wanted.nullable && wanted.kind.is_some() {
                self.find(
                    Code::SchemaType,
                    node,
                    "is null",
                    Some("leave the field out instead".to_owned()),
                );
            }
            return;
        }
        if is_filled_later(node) {
            return;
        }
        if wanted.int_or_string {
            if !matches!(node.tag(), Tag::Int | Tag::Str) {
                self.find(
                    Code::SchemaType,
                    node,
                    "must be a whole number or text",
                    None,
                );
            }
            return;
        }
        if let Some(kind) = wanted.kind.filter(|kind| !is_of(*kind, node)) {
            let what = format!("is {}, and must be {}", name_of(node), kind.as_str());
            let quotes = (kind == Kind::String && node.scalar_text().is_some())
                .then(|| "write it in quotes".to_owned());
            self.find(Code::SchemaType, node, &what, quotes);
            return;
        }
        match node.value() {
            Value::Mapping(mapping) => self.mapping(wanted, node, mapping),
            Value::Sequence(items) => self.sequence(wanted, node, items),
            Value::Scalar(text) => self.scalar(wanted, node, text),
        }
    }

    fn mapping(&mut self, wanted: &'static Type, node: &'j Node, mapping: &'j Mapping) {
        let is_closed = !wanted.open && wanted.values.is_none() && !wanted.properties.is_empty();
        for entry in mapping.entries() {
            let key = entry.key.scalar_text().unwrap_or_default();
            // The API server drops the status of what is applied.
            if key == "status" && self.path.is_empty() {
                continue;
            }
            self.path.push(Step::Key(key));
            match wanted.properties.get(key).copied().or(wanted.values) {
                Some(number) => self.value(number, &entry.value),
                None if is_closed => self.unknown(wanted, key, &entry.key),
                None => {}
            }
            self.path.pop();
        }
        for field in wanted.required.iter().filter(|f| !mapping.contains(f)) {
            self.find(Code::SchemaMissing, node, &format!("lacks {field}"), None);
        }
        self.alternatives(wanted, node, mapping);
        self.size(
            node,
            mapping.len(),
            "fields",
            wanted.min_properties,
            wanted.max_properties,
        );
    }

    fn unknown(&mut self, wanted: &Type, key: &str, node: &Node) {
        let near = nearest(key, wanted.properties.keys().map(String::as_str));
        let help = near.map_or_else(
            || {
                let known: Vec<&str> = wanted.properties.keys().map(String::as_str).collect();
                (known.len() <= 12).then(|| format!("known here: {}", known.join(", ")))
            },
            |near| Some(format!("did you mean {near}?")),
        );
        self.find(Code::SchemaUnknown, node, "is unknown", help);
    }

    fn alternatives(&mut self, wanted: &Type, node: &Node, mapping: &Mapping) {
        let there = |sets: &[Vec<String>]| {
            sets.iter()
                .filter(|set| set.iter().all(|f| mapping.contains(f)))
                .count()
        };
        let names = |sets: &[Vec<String>]| {
            sets.iter()
                .map(|set| set.join(" with "))
                .collect::<Vec<_>>()
                .join(", ")
        };
        if !wanted.exactly_one.is_empty() && there(&wanted.exactly_one) != 1 {
            let what = format!("must have exactly one of {}", names(&wanted.exactly_one));
            self.find(Code::SchemaMissing, node, &what, None);
        }
        if !wanted.at_least_one.is_empty() && there(&wanted.at_least_one) == 0 {
            let what = format!("must have one of {}", names(&wanted.at_least_one));
            self.find(Code::SchemaMissing, node, &what, None);
        }
    }

    fn sequence(&mut self, wanted: &'static Type, node: &'j Node, items: &'j [Node]) {
        if let Some(number) = wanted.items {
            for (index, item) in items.iter().enumerate() {
                self.path.push(Step::Index(index));
                self.value(number, item);
                self.path.pop();
            }
        }
        self.size(
            node,
            items.len(),
            "items",
            wanted.min_items,
            wanted.max_items,
        );
    }

    fn scalar(&mut self, wanted: &Type, node: &Node, text: &str) {
        if !wanted.one_of_values.is_empty()
            && !wanted.one_of_values.iter().any(|v| is_value(v, text))
        {
            let known: Vec<String> = wanted.one_of_values.iter().map(show).collect();
            let what = format!("must be one of {}", known.join(", "));
            let near = nearest(text, known.iter().map(String::as_str))
                .map(|n| format!("did you mean {n}?"));
            self.find(Code::SchemaValue, node, &what, near);
        }
        if wanted.kind == Some(Kind::String) {
            self.size(
                node,
                text.chars().count(),
                "characters",
                wanted.min_length,
                wanted.max_length,
            );
            self.pattern(wanted, node, text);
        }
        let Ok(number) = text.replace('_', "").parse::<f64>() else {
            return;
        };
        if let Some(least) = wanted.minimum.filter(|least| number < *least) {
            self.find(
                Code::SchemaValue,
                node,
                &format!("must be at least {least}"),
                None,
            );
        }
        if let Some(most) = wanted.maximum.filter(|most| number > *most) {
            self.find(
                Code::SchemaValue,
                node,
                &format!("must be at most {most}"),
                None,
            );
        }
    }

    fn pattern(&mut self, wanted: &Type, node: &Node, text: &str) {
        if let Some(regex) = wanted.regex().filter(|regex| !regex.is_match(text)) {
            self.find(
                Code::SchemaValue,
                node,
                &format!("does not have the form {regex}"),
                None,
            );
        }
    }

    fn size(
        &mut self,
        node: &Node,
        size: usize,
        of: &str,
        least: Option<usize>,
        most: Option<usize>,
    ) {
        if let Some(least) = least.filter(|least| size < *least) {
            self.find(
                Code::SchemaValue,
                node,
                &format!("has {size} {of}, and must have {least} or more"),
                None,
            );
        }
        if let Some(most) = most.filter(|most| size > *most) {
            self.find(
                Code::SchemaValue,
                node,
                &format!("has {size} {of}, and may have {most} at most"),
                None,
            );
        }
    }
}

/// Whether a value has a variable that Flux fills after the build: nobody knows it before.
fn is_filled_later(node: &Node) -> bool {
    node.scalar_text().is_some_and(|text| text.contains("${"))
}

/// Whether a node is of a JSON type, as kustomize would print it.
fn is_of(kind: Kind, node: &Node) -> bool {
    match kind {
        Kind::Object => node.tag() == Tag::Map,
        Kind::Array => node.tag() == Tag::Seq,
        Kind::String => matches!(node.tag(), Tag::Str | Tag::Timestamp | Tag::Binary),
        Kind::Integer => node.tag() == Tag::Int,
        Kind::Number => matches!(node.tag(), Tag::Int | Tag::Float),
        Kind::Boolean => node.tag() == Tag::Bool,
    }
}

fn name_of(node: &Node) -> &'static str {
    match node.tag() {
        Tag::Map => "a mapping",
        Tag::Seq => "a list",
        Tag::Int => "a whole number",
        Tag::Float => "a number",
        Tag::Bool => "true or false",
        Tag::Null => "null",
        Tag::Str | Tag::Timestamp | Tag::Binary | Tag::Merge | Tag::Custom => "text",
    }
}

fn is_value(wanted: &serde_json::Value, text: &str) -> bool {
    match wanted.as_str() {
        Some(wanted) => wanted == text,
        None => show(wanted) == text,
    }
}

fn show(value: &serde_json::Value) -> String {
    match value.as_str() {
        Some("") => "\"\"".to_owned(),
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}
