//! Writes nodes as Go's `encoding/json` does.

use std::io::Write as _;

use super::error::{ValueError, ValueErrorKind};
use super::value::Scalar;
use crate::go::{float, json};
use crate::yaml::{Entry, Node, Tag, Value};

/// The form of a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonStyle<'a> {
    /// Keys sorted by their bytes and no white space, as Go writes a map: what kustomize hashes. A key that is set
    /// twice is an error.
    Sorted,
    /// Keys sorted, and each level on lines of its own, as Go's `MarshalIndent` writes a map.
    SortedLines {
        /// What each level is indented by.
        indent: &'a str,
    },
    /// Keys in their order, which may repeat, and each level on lines of its own: what sops prints.
    Ordered {
        /// What each level is indented by; sops takes a tab unless configured.
        indent: &'a str,
    },
}

/// Appends a node as JSON, without a final line break.
///
/// Numbers and strings have Go's forms: `1e+21`, `1e-7`, `\u003c` for `<`. An empty string and an absent key are not
/// the same here; whoever hashes an object decides which of them it has. Fails as
/// [`write_manifest`](super::write_manifest) does, for keys at every level; nothing is appended then.
///
/// ```
/// use prerender::yaml::{JsonStyle, Node, write_json};
/// let mut node = Node::mapping();
/// let entries = node.as_mapping_mut().expect("just made");
/// entries.insert("kind", Node::string("<a>"));
/// entries.insert("data", Node::sequence(vec![Node::int(1), Node::null()]));
/// let mut out = Vec::new();
/// write_json(&mut out, &node, JsonStyle::Sorted).expect("all of it is JSON");
/// assert_eq!(out, br#"{"data":[1,null],"kind":"\u003ca\u003e"}"#);
/// ```
pub fn write_json(out: &mut Vec<u8>, node: &Node, style: JsonStyle<'_>) -> Result<(), ValueError> {
    let start = out.len();
    let result = Writer {
        out,
        style,
        depth: 0,
    }
    .value(node);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

struct Writer<'o, 's> {
    out: &'o mut Vec<u8>,
    style: JsonStyle<'s>,
    depth: usize,
}

impl Writer<'_, '_> {
    fn value(&mut self, node: &Node) -> Result<(), ValueError> {
        match node.value() {
            Value::Scalar(text) => self.scalar(node, text),
            Value::Sequence(items) => self.collection(b"[]", items.len(), |writer, index| {
                writer.value(&items[index])
            }),
            Value::Mapping(mapping) => {
                let entries = mapping.entries();
                match self.style {
                    JsonStyle::Ordered { .. } => {
                        self.collection(b"{}", entries.len(), |w, i| w.entry(&entries[i]))
                    }
                    JsonStyle::Sorted | JsonStyle::SortedLines { .. } => {
                        let sorted = sorted(entries)?;
                        self.collection(b"{}", sorted.len(), |w, i| w.entry(sorted[i]))
                    }
                }
            }
        }
    }

    fn collection(
        &mut self,
        brackets: &[u8; 2],
        count: usize,
        mut write: impl FnMut(&mut Self, usize) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.out.push(brackets[0]);
        self.depth += 1;
        for index in 0..count {
            if index > 0 {
                self.out.push(b',');
            }
            self.start_line();
            write(self, index)?;
        }
        self.depth -= 1;
        if count > 0 {
            self.start_line();
        }
        self.out.push(brackets[1]);
        Ok(())
    }

    fn start_line(&mut self) {
        if let JsonStyle::Ordered { indent } | JsonStyle::SortedLines { indent } = self.style {
            self.out.push(b'\n');
            for _ in 0..self.depth {
                self.out.extend_from_slice(indent.as_bytes());
            }
        }
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), ValueError> {
        let key = key_text(entry)?;
        json::write_string(self.out, key);
        self.out.extend_from_slice(match self.style {
            JsonStyle::Ordered { .. } | JsonStyle::SortedLines { .. } => b": ",
            JsonStyle::Sorted => b":",
        });
        self.value(&entry.value)
    }

    fn scalar(&mut self, node: &Node, text: &str) -> Result<(), ValueError> {
        let fail = |kind| ValueError {
            mark: node.mark(),
            kind,
        };
        match Scalar::for_json(node, text).map_err(fail)? {
            Scalar::Null => self.out.extend_from_slice(b"null"),
            Scalar::Bool(value) => {
                self.out
                    .extend_from_slice(if value { b"true" } else { b"false" });
            }
            Scalar::Decimal(digits) => self.out.extend_from_slice(digits.as_bytes()),
            Scalar::Int(value) => write!(self.out, "{value}").expect("a Vec takes every byte"),
            Scalar::Uint(value) => write!(self.out, "{value}").expect("a Vec takes every byte"),
            Scalar::Float(value) => {
                let written = float::write_json(self.out, value);
                debug_assert!(written, "a scalar's float is finite");
            }
            Scalar::String(text) => json::write_string(self.out, &text),
        }
        Ok(())
    }
}

fn key_text(entry: &Entry) -> Result<&str, ValueError> {
    match entry.key.scalar_text() {
        Some(text) if entry.key.tag() == Tag::Str => Ok(text),
        _ => Err(ValueError {
            mark: entry.key.mark(),
            kind: ValueErrorKind::KeyNotString,
        }),
    }
}

fn sorted(entries: &[Entry]) -> Result<Vec<&Entry>, ValueError> {
    let mut keyed = Vec::with_capacity(entries.len());
    for entry in entries {
        keyed.push((key_text(entry)?, entry));
    }
    keyed.sort_by_key(|(key, _)| *key);
    match keyed.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        None => Ok(keyed.into_iter().map(|(_, entry)| entry).collect()),
        Some(pair) => Err(ValueError {
            mark: pair[1].1.key.mark(),
            kind: ValueErrorKind::DuplicateKey(pair[0].1.key.mark()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Mapping;

    fn entry(key: &str, value: Node) -> Entry {
        Entry {
            key: Node::string(key),
            value,
        }
    }

    fn object(entries: Vec<Entry>) -> Node {
        Node::new(Value::Mapping(Mapping::from_entries(entries)), Tag::Map)
    }

    fn written(node: &Node, style: JsonStyle<'_>) -> Result<String, ValueErrorKind> {
        let mut out = Vec::new();
        write_json(&mut out, node, style).map_err(|e| e.kind)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn sorted_and_compact() {
        let node = object(vec![
            entry("b", Node::sequence(vec![])),
            entry("a10", Node::bool(true)),
            entry("B", Node::mapping()),
            entry("a9", Node::scalar(Tag::Float, "1.0")),
        ]);
        assert_eq!(
            written(&node, JsonStyle::Sorted).unwrap(),
            r#"{"B":{},"a10":true,"a9":1,"b":[]}"#
        );
    }

    #[test]
    fn ordered_and_indented_with_keys_that_repeat() {
        let inner = object(vec![entry("x", Node::int(-1)), entry("x", Node::null())]);
        let node = object(vec![
            entry("z", Node::sequence(vec![inner, Node::mapping()])),
            entry("a", Node::string("")),
        ]);
        assert_eq!(
            written(&node, JsonStyle::Ordered { indent: "\t" }).unwrap(),
            "{\n\t\"z\": [\n\t\t{\n\t\t\t\"x\": -1,\n\t\t\t\"x\": null\n\t\t},\n\t\t{}\n\t],\n\t\"a\": \"\"\n}"
        );
    }

    #[test]
    fn scalars() {
        for (tag, text, expected) in [
            (Tag::Int, "0x10", "16"),
            (Tag::Int, "18446744073709551615", "18446744073709551615"),
            (Tag::Float, "1e21", "1e+21"),
            (Tag::Float, "1e-7", "1e-7"),
            (Tag::Bool, "TRUE", "true"),
            (Tag::Null, "~", "null"),
            (Tag::Timestamp, "2024-01-01", "\"2024-01-01T00:00:00Z\""),
            (Tag::Str, "a\tb\u{2028}", "\"a\\tb\\u2028\""),
        ] {
            assert_eq!(
                written(&Node::scalar(tag, text), JsonStyle::Sorted).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn refusals() {
        let twice = object(vec![entry("a", Node::null()), entry("a", Node::null())]);
        assert!(matches!(
            written(&twice, JsonStyle::Sorted),
            Err(ValueErrorKind::DuplicateKey(_))
        ));
        let infinite = Node::scalar(Tag::Float, ".inf");
        assert_eq!(
            written(&infinite, JsonStyle::Sorted),
            Err(ValueErrorKind::NotFinite)
        );
        let number_key = object(vec![Entry {
            key: Node::int(1),
            value: Node::null(),
        }]);
        assert_eq!(
            written(&number_key, JsonStyle::Ordered { indent: "\t" }),
            Err(ValueErrorKind::KeyNotString)
        );
    }
}
