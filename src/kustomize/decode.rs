//! Reads configuration as Go's `encoding/json` does, with a place for every mistake.
//!
//! Field names are matched without regard to case, `null` leaves a field as it is, the type of a value
//! must be right (no number for a text), and unknown fields are errors where the reference is strict.
//! [`record!`](record) declares a struct and how it is read.

use std::collections::BTreeMap;

use compact_str::{CompactString, format_compact};

use super::scalar::truth;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source, nearest};
use crate::yaml::{Mapping, Mark, Node, Number, Style, Tag, Value};

/// How strictly a document is read, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoder<'a> {
    /// The text that the nodes were read from.
    pub(crate) source: &'a Source,
    /// Whether unknown fields are errors.
    pub(crate) strict: bool,
}

impl Decoder<'_> {
    /// Reads a value.
    pub(crate) fn read<T: Decode>(self, node: &Node) -> Result<T> {
        let mut value = T::default();
        value.decode(node, self)?;
        Ok(value)
    }

    /// The place of a node.
    pub(crate) fn place(self, node: &Node) -> Place {
        let mark = node.mark();
        self.source.place(mark.line, mark.column)
    }

    fn wrong_type(self, node: &Node, wanted: &str) -> Diagnostic {
        let is = name_of_type(node);
        let error = Diagnostic::new(
            Code::FieldType,
            format!("this must be {wanted}, but it is {is}"),
        )
        .at(self.place(node));
        if wanted == TEXT && matches!(node.value(), Value::Scalar(_)) {
            error.help("put it in quotes")
        } else {
            error
        }
    }
}

const TEXT: &str = "text";

fn name_of_type(node: &Node) -> &'static str {
    match node.tag() {
        Tag::Null => "null",
        Tag::Bool => "a boolean",
        Tag::Int => "an integer",
        Tag::Float => "a number",
        Tag::Str | Tag::Timestamp | Tag::Binary | Tag::Merge | Tag::Custom => TEXT,
        Tag::Seq => "a list",
        Tag::Map => "a mapping",
    }
}

/// What can be read from a node.
pub(crate) trait Decode: Default {
    /// Reads `node` into this value; `null` leaves it as it is.
    fn decode(&mut self, node: &Node, decoder: Decoder<'_>) -> Result<()>;
}

/// A value and the place of its node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Located<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it stands.
    pub(crate) mark: Mark,
}

impl<T> std::ops::Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Decode> Decode for Located<T> {
    fn decode(&mut self, node: &Node, decoder: Decoder<'_>) -> Result<()> {
        self.mark = node.mark();
        self.value.decode(node, decoder)
    }
}

impl Decode for CompactString {
    fn decode(&mut self, node: &Node, decoder: Decoder<'_>) -> Result<()> {
        match (node.tag(), node.scalar_text()) {
            (Tag::Null, _) => Ok(()),
            (Tag::Bool | Tag::Int | Tag::Float, Some(text)) if !decoder.strict => {
                *self = text_of_scalar(node, text);
                Ok(())
            }
            (Tag::Str | Tag::Timestamp | Tag::Binary | Tag::Merge | Tag::Custom, Some(text)) => {
                *self = text.into();
                Ok(())
            }
            _ => Err(decoder.wrong_type(node, TEXT)),
        }
    }
}

impl Decode for bool {
    fn decode(&mut self, node: &Node, decoder: Decoder<'_>) -> Result<()> {
        match (node.is_null(), node.as_bool()) {
            (true, _) => {}
            (false, Some(value)) => *self = value,
            (false, None) => return Err(decoder.wrong_type(node, "true or false")),
        }
        Ok(())
    }
}

impl Decode for i64 {
    fn decode(&mut self, node: &Node, decoder: Decoder<'_>) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        let value = node.scalar_text().and_then(|text| match node.tag() {
            Tag::Int => integer(text),
            Tag::Float => integral(text),
            _ => None,
        });
        *self = value.ok_or_else(|| decoder.wrong_type(node, "an integer"))?;
        Ok(())
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(&mut self, node: &Node, decoder: Decoder<'_>) -> Result<()> {
        if node.is_null() {
            *self = None;
            return Ok(());
        }
        self.get_or_insert_default().decode(node, decoder)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(&mut self, node: &Node, decoder: Decoder<'_>) -> Result<()> {
        self.clear();
        if node.is_null() {
            return Ok(());
        }
        let items = node
            .as_sequence()
            .ok_or_else(|| decoder.wrong_type(node, "a list"))?;
        for item in items {
            self.push(decoder.read(item)?);
        }
        Ok(())
    }
}

impl<T: Decode> Decode for BTreeMap<CompactString, T> {
    fn decode(&mut self, node: &Node, decoder: Decoder<'_>) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        let mapping = node
            .as_mapping()
            .ok_or_else(|| decoder.wrong_type(node, "a mapping"))?;
        for (key, value) in mapping.iter() {
            self.insert(key.into(), decoder.read(value)?);
        }
        Ok(())
    }
}

/// A node as it is.
#[derive(Debug, Clone)]
pub(crate) struct Raw(pub(crate) Node);

impl Default for Raw {
    fn default() -> Self {
        Self(Node::null())
    }
}

impl Decode for Raw {
    fn decode(&mut self, node: &Node, _: Decoder<'_>) -> Result<()> {
        self.0 = node.clone();
        Ok(())
    }
}

/// Returns the mapping of a record, or `None` for null.
pub(crate) fn record_of<'a>(node: &'a Node, decoder: Decoder<'_>) -> Result<Option<&'a Mapping>> {
    if node.is_null() {
        return Ok(None);
    }
    let mapping = node.as_mapping();
    mapping
        .map(Some)
        .ok_or_else(|| decoder.wrong_type(node, "a mapping"))
}

/// The error for a field that a record does not have.
pub(crate) fn unknown_field(
    key: &Node,
    known: impl IntoIterator<Item = &'static str>,
    decoder: Decoder<'_>,
) -> Diagnostic {
    let name = key.scalar_text().unwrap_or_default();
    let error =
        Diagnostic::new(Code::FieldUnknown, format!("unknown field {name}")).at(decoder.place(key));
    match nearest(name, known) {
        Some(near) => error.help(format!("did you mean {near}?")),
        None => error,
    }
}

/// Declares a struct that is read from a mapping, and its field names.
///
/// Each struct gets a `mark`: the place of its mapping.
macro_rules! record {
    ($(#[$meta:meta])* pub(crate) struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $type:ty = $json:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default)]
        pub(crate) struct $name {
            /// Where it stands.
            pub(crate) mark: $crate::yaml::Mark,
            $($(#[$field_meta])* pub(crate) $field: $type,)*
        }

        impl $crate::kustomize::decode::Decode for $name {
            fn decode(
                &mut self,
                node: &$crate::yaml::Node,
                decoder: $crate::kustomize::decode::Decoder<'_>,
            ) -> $crate::diagnostic::Result<()> {
                use $crate::kustomize::decode::{Decode, record_of, unknown_field};
                let Some(mapping) = record_of(node, decoder)? else {
                    return Ok(());
                };
                self.mark = node.mark();
                for entry in mapping.entries() {
                    let key = entry.key.scalar_text().unwrap_or_default();
                    $(if key.eq_ignore_ascii_case($json) {
                        Decode::decode(&mut self.$field, &entry.value, decoder)
                            .map_err(|error| error.note(concat!("in field ", $json)))?;
                        continue;
                    })*
                    if decoder.strict {
                        return Err(unknown_field(&entry.key, [$($json),*], decoder));
                    }
                }
                Ok(())
            }
        }
    };
}
pub(crate) use record;

/// Declares a record that is written too: see [`encode`](super::encode). A field that is written when it is empty has
/// `always` after its name.
macro_rules! written_record {
    ($(#[$meta:meta])* pub(crate) struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $type:ty = $json:literal $($always:ident)?,)*
    }) => {
        $crate::kustomize::decode::record! {
            $(#[$meta])* pub(crate) struct $name {
                $($(#[$field_meta])* $field: $type = $json,)*
            }
        }

        impl $crate::kustomize::encode::Encode for $name {
            fn node(&self) -> $crate::yaml::Node {
                use $crate::kustomize::encode::record_node;
                let fields = [$(
                    (!self.$field.is_omitted() $(|| stringify!($always) == "always")?)
                        .then(|| ($json, self.$field.node())),
                )*];
                record_node(fields.into_iter().flatten())
            }

            fn is_omitted(&self) -> bool {
                false
            }
        }
    };
}
pub(crate) use written_record;

/// Resolves plain scalars as go-yaml v2 does, which reads `kustomization.yaml` and its like: `yes`, `no`,
/// `on` and `off` are booleans there, and as keys the texts `true` and `false`.
pub(crate) fn resolve_as_yaml_1_1(node: &mut Node) {
    if let Some(truth) = truth_of(node) {
        *node = Node::bool(truth).with_mark(node.mark());
        return;
    }
    match node.value_mut() {
        Value::Sequence(items) => items.iter_mut().for_each(resolve_as_yaml_1_1),
        Value::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                if let Some(truth) = truth_of(&entry.key) {
                    let key = Node::string(if truth { "true" } else { "false" });
                    entry.key = key.with_mark(entry.key.mark());
                }
                resolve_as_yaml_1_1(&mut entry.value);
            }
        }
        Value::Scalar(_) => {}
    }
}

/// The boolean that YAML 1.1 sees in a plain text.
fn truth_of(node: &Node) -> Option<bool> {
    if node.style() != Style::Plain {
        return None;
    }
    truth::of(node.as_str()?)
}

/// A number or boolean where a text is wanted: the configuration of a plugin may hold one.
fn text_of_scalar(node: &Node, text: &str) -> CompactString {
    match (node.tag(), node.as_bool(), Number::parse(text)) {
        (Tag::Bool, Some(value), _) => format_compact!("{value}"),
        (_, _, Some(Number::Int(value))) => format_compact!("{value}"),
        (_, _, Some(Number::Uint(value))) => format_compact!("{value}"),
        (_, _, Some(Number::Float(value))) => {
            let mut text = Vec::new();
            crate::go::float::write_general(&mut text, value);
            String::from_utf8_lossy(&text).into()
        }
        _ => text.into(),
    }
}

fn integer(text: &str) -> Option<i64> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// The integer that a number without a fraction stands for: Go's JSON writes `1.0` as `1`.
fn integral(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok()?;
    let exact = number.fract() == 0.0 && number.abs() < 9e15;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "exact: it has no fraction and is small"
    )]
    exact.then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::{integer, integral};

    #[test]
    fn integers_of_every_base() {
        let cases = [
            ("12", 12),
            ("-0x1F", -31),
            ("017", 15),
            ("0o17", 15),
            ("1_000", 1000),
            ("0b11", 3),
            ("0", 0),
        ];
        for (text, value) in cases {
            assert_eq!(integer(text), Some(value), "{text}");
        }
        assert_eq!(integral("1e3"), Some(1000));
        assert_eq!(integral("1.5"), None);
    }
}
