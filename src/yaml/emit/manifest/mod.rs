//! Writes a manifest as kustomize prints it: through JSON and go-yaml v2, in one pass.

use crate::go::float;
use crate::yaml::emit::analysis::{Analysis, Dialect, is_plainly_plain};
use crate::yaml::emit::error::{ValueError, ValueErrorKind};
use crate::yaml::emit::keys;
use crate::yaml::emit::resolve;
use crate::yaml::emit::scalar::{Layout, Line};
use crate::yaml::emit::value::Scalar;
use crate::yaml::{Entry, Node, Number, Tag, Value};

/// The columns of a step into a collection.
const STEP: usize = 2;

/// The column after which plain and quoted values are folded.
const WIDTH: usize = 80;

/// The longest key, in bytes, that stands on a line with its value.
const LONGEST_SIMPLE_KEY: usize = 128;

/// Appends one document as kustomize prints it, ending in a line break.
///
/// The reference takes a document from go-yaml v3 to JSON, and from JSON to go-yaml v2; so only types and texts
/// count, not style, comments or order: keys are sorted naturally, numbers are normalised, strings are quoted
/// where YAML 1.1 would read them as something else, and long lines fold. Fails for what JSON cannot hold:
/// infinities, keys that are no strings below the top level, a key that is set twice, a text that its tag does not
/// allow. Nothing is appended then.
///
/// ```
/// use prerender::yaml::{Node, Tag, write_manifest};
/// let mut node = Node::mapping();
/// let entries = node.as_mapping_mut().expect("just made");
/// entries.insert("size", Node::scalar(Tag::Int, "0x10"));
/// entries.insert("on", Node::string("yes"));
/// let mut out = Vec::new();
/// write_manifest(&mut out, &node).expect("all of it is JSON");
/// assert_eq!(out, b"\"on\": \"yes\"\nsize: 16\n");
/// ```
pub fn write_manifest(out: &mut Vec<u8>, node: &Node) -> Result<(), ValueError> {
    let start = out.len();
    let mut writer = Writer {
        line: Line { out, column: 0 },
        order: Vec::new(),
        scratch: Vec::new(),
    };
    let result = writer.document(node);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// How the entries of a collection start: the first one on a line of its own, or after an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    OwnLine,
    Inline,
}

struct Writer<'o> {
    line: Line<'o>,
    /// The order of the keys of each mapping that is being written, one after the other.
    order: Vec<u32>,
    scratch: Vec<u32>,
}

impl Writer<'_> {
    fn document(&mut self, node: &Node) -> Result<(), ValueError> {
        match node.value() {
            Value::Mapping(mapping) if !mapping.is_empty() => {
                check_top_keys(mapping.entries())?;
                self.mapping(mapping.entries(), 0, First::Inline)?;
            }
            Value::Sequence(items) if !items.is_empty() => {
                self.sequence(items, 0, First::Inline)?;
            }
            Value::Mapping(_) => self.line.put_ascii(b"{}"),
            Value::Sequence(_) => self.line.put_ascii(b"[]"),
            Value::Scalar(text) => self.scalar(node, text, STEP)?,
        }
        self.end_line();
        Ok(())
    }

    /// Ends the line, unless a literal block has already ended it.
    fn end_line(&mut self) {
        if self.line.column > 0 {
            self.line.put_break();
        }
    }

    fn start_entry(&mut self, indent: usize, first: First) {
        if first == First::OwnLine {
            self.end_line();
        }
        self.line.pad(indent);
    }

    fn mapping(
        &mut self,
        entries: &[Entry],
        indent: usize,
        mut first: First,
    ) -> Result<(), ValueError> {
        let base = self.sort_keys(entries)?;
        for index in 0..entries.len() {
            let entry = &entries[self.order[base + index] as usize];
            self.start_entry(indent, first);
            self.entry(entry, indent)?;
            first = First::OwnLine;
        }
        self.order.truncate(base);
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, indent: usize) -> Result<(), ValueError> {
        let key = key_text(entry);
        if self.simple_key(key) {
            self.line.put_byte(b':');
            return match entry.value.value() {
                // A sequence stands at the column of its key.
                Value::Sequence(items) if !items.is_empty() => {
                    self.sequence(items, indent, First::OwnLine)
                }
                _ => self.value(&entry.value, indent, First::OwnLine),
            };
        }
        self.line.put_ascii(b"? ");
        self.string(
            key,
            Layout {
                indent: indent + STEP,
                width: Some(WIDTH),
            },
        );
        self.start_entry(indent, First::OwnLine);
        self.line.put_byte(b':');
        self.value(&entry.value, indent, First::Inline)
    }

    fn sequence(
        &mut self,
        items: &[Node],
        indent: usize,
        mut first: First,
    ) -> Result<(), ValueError> {
        for item in items {
            self.start_entry(indent, first);
            self.line.put_byte(b'-');
            self.value(item, indent, First::Inline)?;
            first = First::OwnLine;
        }
        Ok(())
    }

    /// Writes a value after its `:` or `-`, which stands in a collection at `indent`.
    fn value(&mut self, node: &Node, indent: usize, first: First) -> Result<(), ValueError> {
        match node.value() {
            Value::Mapping(mapping) if !mapping.is_empty() => {
                self.mapping(mapping.entries(), indent + STEP, first)
            }
            Value::Sequence(items) if !items.is_empty() => {
                self.sequence(items, indent + STEP, first)
            }
            Value::Mapping(_) => {
                self.line.put_ascii(b" {}");
                Ok(())
            }
            Value::Sequence(_) => {
                self.line.put_ascii(b" []");
                Ok(())
            }
            Value::Scalar(text) => {
                self.line.put_byte(b' ');
                self.scalar(node, text, indent + STEP)
            }
        }
    }

    fn scalar(&mut self, node: &Node, text: &str, indent: usize) -> Result<(), ValueError> {
        let scalar = Scalar::for_json(node, text).map_err(|kind| ValueError {
            mark: node.mark(),
            kind,
        })?;
        match scalar {
            Scalar::String(text) => self.string(
                &text,
                Layout {
                    indent,
                    width: Some(WIDTH),
                },
            ),
            Scalar::Decimal(text) => self.line.put_ascii(text.as_bytes()),
            Scalar::Null => self.line.put_ascii(b"null"),
            Scalar::Bool(true) => self.line.put_ascii(b"true"),
            Scalar::Bool(false) => self.line.put_ascii(b"false"),
            Scalar::Int(value) => self.display(value),
            Scalar::Uint(value) => self.display(value),
            Scalar::Float(value) => self.float(value),
        }
        Ok(())
    }

    fn string(&mut self, text: &str, layout: Layout) {
        if is_plainly_plain(text) {
            return self.line.plain(text, layout);
        }
        if text.contains(NEXT_LINE) {
            return self.string(&fold_next_lines(text), layout);
        }
        let analysis = Analysis::of(text, Dialect::V2);
        if text.contains('\n') {
            if analysis.block {
                self.line.literal_header(text, 2);
                self.line.put_break();
                self.line.literal_lines(text, layout.indent);
            } else {
                self.line.double_quoted(text, layout);
            }
            return;
        }
        self.one_line(text, analysis, layout);
    }

    /// Writes a string that has no line feed.
    fn one_line(&mut self, text: &str, analysis: Analysis, layout: Layout) {
        if resolve::is_ambiguous(text, Dialect::V2) {
            self.line.double_quoted(text, layout);
        } else if analysis.plain {
            self.line.plain(text, layout);
        } else if analysis.single {
            self.line.single_quoted(text, layout);
        } else {
            self.line.double_quoted(text, layout);
        }
    }

    /// Writes a key that can stand before its `:`; `false`, with nothing written, for the others.
    fn simple_key(&mut self, key: &str) -> bool {
        if key.len() > LONGEST_SIMPLE_KEY {
            return false;
        }
        let whole = Layout {
            indent: 0,
            width: None,
        };
        if is_plainly_plain(key) {
            self.line.plain(key, whole);
            return true;
        }
        if key.contains(NEXT_LINE) {
            return self.simple_key(&fold_next_lines(key));
        }
        let analysis = Analysis::of(key, Dialect::V2);
        if !analysis.multiline {
            self.one_line(key, analysis, whole);
        }
        !analysis.multiline
    }

    fn display(&mut self, number: impl std::fmt::Display) {
        use std::io::Write as _;
        let start = self.line.out.len();
        write!(self.line.out, "{number}").expect("a Vec takes every byte");
        self.line.column += self.line.out.len() - start;
    }

    /// Writes a float: JSON writes whole numbers without a point, and v2 reads those as integers.
    fn float(&mut self, value: f64) {
        let out = &mut *self.line.out;
        let start = out.len();
        if value == 0.0 {
            out.push(b'0');
        } else if value.fract() == 0.0 && value.abs() < 1e21 {
            float::write_fixed(out, value);
            let digits = std::str::from_utf8(&out[start..]).expect("a float is ASCII");
            if matches!(Number::parse(digits), Some(Number::Float(_))) {
                out.truncate(start);
                float::write_general(out, value);
            }
        } else {
            float::write_general(out, value);
        }
        self.line.column += out.len() - start;
    }

    /// Appends the order of the entries to `order`, and returns where it starts.
    fn sort_keys(&mut self, entries: &[Entry]) -> Result<usize, ValueError> {
        let count = u32::try_from(entries.len()).expect("a document is smaller than 4 GiB");
        let base = self.order.len();
        self.order.extend(0..count);
        for entry in entries {
            if entry.key.scalar_text().is_none() || base > 0 && !matches!(entry.key.tag(), Tag::Str)
            {
                return Err(ValueError {
                    mark: entry.key.mark(),
                    kind: ValueErrorKind::KeyNotString,
                });
            }
        }
        let key = |index: u32| key_text(&entries[index as usize]);
        keys::sort(&mut self.order[base..], &mut self.scratch, &key);
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.order[base..]);
        match keys::duplicate(&mut self.scratch, &key) {
            None => Ok(base),
            Some((first, second)) => Err(ValueError {
                mark: entries[second as usize].key.mark(),
                kind: ValueErrorKind::DuplicateKey(entries[first as usize].key.mark()),
            }),
        }
    }
}

/// A character that JSON holds as it is, and that YAML takes for a line break.
const NEXT_LINE: char = '\u{85}';

/// Folds a text at its next lines, as go-yaml v2 does when it reads the JSON: one becomes a space, of several
/// the first goes and the others become line feeds, and spaces around them go.
fn fold_next_lines(text: &str) -> String {
    let mut lines = text.split(NEXT_LINE).peekable();
    let mut folded = String::with_capacity(text.len());
    folded.push_str(lines.next().unwrap_or_default().trim_end_matches(' '));
    let mut breaks = 0;
    while let Some(line) = lines.next() {
        breaks += 1;
        let mut body = line.trim_start_matches(' ');
        if lines.peek().is_some() {
            body = body.trim_end_matches(' ');
            if body.is_empty() {
                continue;
            }
        }
        match breaks {
            1 => folded.push(' '),
            more => folded.extend(std::iter::repeat_n('\n', more - 1)),
        }
        breaks = 0;
        folded.push_str(body);
    }
    folded
}

/// The text of a key; [`Writer::sort_keys`] has refused keys that are no scalars.
fn key_text(entry: &Entry) -> &str {
    entry.key.scalar_text().unwrap_or_default()
}

/// Refuses keys that go-yaml v3 cannot decode into the strings of the top level, where it takes the text of numbers
/// and booleans.
fn check_top_keys(entries: &[Entry]) -> Result<(), ValueError> {
    match entries
        .iter()
        .find(|e| matches!(e.key.tag(), Tag::Null | Tag::Merge | Tag::Binary))
    {
        None => Ok(()),
        Some(entry) => Err(ValueError {
            mark: entry.key.mark(),
            kind: ValueErrorKind::KeyNotString,
        }),
    }
}

#[cfg(test)]
mod tests;
