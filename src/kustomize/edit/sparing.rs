//! Changes the lines that a change concerns, and no other.
//!
//! The fields before and after are compared. One that is the same keeps its lines byte for byte; of one that is not,
//! the items and entries that are the same do. New lines look as those that are there: indentation of lists, line
//! breaks, quotes. A comment on a line of its own is never lost: where the lines around it go, it stays.

use std::cmp::Reverse;

use crate::files::File;
use crate::yaml::{Entry, Mapping, Node, Style, Value};

use super::place::{self, Lines};
use super::same;
use super::style::{self, HouseStyle};

/// A file before the change.
pub(super) struct Original<'f> {
    pub(super) file: &'f File,
    /// The document as it is written; `None` for a file without one.
    pub(super) written: Option<&'f Node>,
    /// Its fields, under the names that they have.
    pub(super) fields: &'f Node,
}

/// Gives the text of a file with its fields changed; `None` where it is not a mapping of lines.
pub(super) fn rewrite(original: &Original<'_>, after: &Node) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(&original.file.bytes).ok()?;
    let written = original.written.filter(|node| !node.is_null());
    let empty = Node::mapping();
    let root = written.unwrap_or(&empty);
    if root.as_mapping().is_none() || (root.style() == Style::Flow && written.is_some()) {
        return None;
    }
    let lines = Lines::new(text);
    let first = root.mark().line.max(1) as usize;
    let end = match written {
        Some(_) => lines.document_end(first + 1),
        None => lines.count() + 1,
    };
    let mut editor = Editor {
        house: HouseStyle::of(written, text),
        lines,
        splices: Vec::new(),
    };
    if root.as_mapping().is_some_and(Mapping::is_empty) {
        let end = if text.is_empty() { 1 } else { end };
        editor.append(after.as_mapping()?, end, 0)?;
    } else {
        editor.rename(root, original.fields);
        editor.top(root, after, end)?;
    }
    Some(editor.finish().into_bytes())
}

/// A piece of the text, and what takes its place.
struct Splice {
    start: usize,
    end: usize,
    text: String,
}

/// Whether a mapping is the whole of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Top,
    Inner,
}

struct Editor<'t> {
    lines: Lines<'t>,
    house: HouseStyle,
    splices: Vec<Splice>,
}

impl Editor<'_> {
    fn finish(mut self) -> String {
        // What is put in comes first, then what replaces the most: it has all that is within it.
        let order =
            |splice: &Splice| (splice.start, splice.end > splice.start, Reverse(splice.end));
        self.splices.sort_by_key(order);
        let text = self.lines.text;
        let mut out = String::with_capacity(text.len() + 256);
        let mut at = 0;
        for splice in &self.splices {
            if splice.start < at {
                continue;
            }
            out.push_str(&text[at..splice.start]);
            // A line is added behind a last line without a line break.
            if splice.start == text.len() && !out.is_empty() && !out.ends_with('\n') {
                out.push_str(self.house.line_break);
            }
            out.push_str(&splice.text);
            at = splice.end;
        }
        out.push_str(&text[at..]);
        out
    }

    fn replace(&mut self, start: usize, end: usize, text: String) {
        self.splices.push(Splice { start, end, text });
    }

    fn insert(&mut self, at: usize, text: String) {
        self.replace(at, at, text);
    }

    /// Gives keys the case of letters in which the fields are named.
    fn rename(&mut self, written: &Node, fields: &Node) {
        match (written.value(), fields.value()) {
            (Value::Mapping(mapping), Value::Mapping(fields)) => {
                for entry in mapping.entries() {
                    let name = entry.key.scalar_text().unwrap_or_default();
                    let Some((known, value)) = named(fields, name) else {
                        continue;
                    };
                    // This is how manuals spell it.
                    let written = self
                        .lines
                        .key(&entry.key)
                        .filter(|(_, text)| *text != "fieldpath");
                    if let Some((start, text)) = written.filter(|(_, text)| *text != known) {
                        let known = style::scalar(&Node::string(known), Style::Plain);
                        let end = start + text.len();
                        self.replace(start, end, known.unwrap_or_else(|| text.to_owned()));
                    }
                    self.rename(&entry.value, value);
                }
            }
            (Value::Sequence(written), Value::Sequence(fields)) => {
                for (written, fields) in written.iter().zip(fields) {
                    self.rename(written, fields);
                }
            }
            _ => {}
        }
    }

    /// Changes the fields of a file.
    fn top(&mut self, written: &Node, is: &Node, limit: usize) -> Option<()> {
        let entries = written.as_mapping()?.entries();
        let is_changed = |entry: &Entry| {
            let name = entry.key.scalar_text().unwrap_or_default();
            named(is.as_mapping()?, name).filter(|(_, is)| !same::is_same(&entry.value, is))
        };
        // What is said once and meant in several places stays what it is where one of them changes.
        let has_anchor = |entry: &Entry| self.lines.has_anchor(entry, limit);
        if entries
            .iter()
            .any(|entry| is_changed(entry).is_some() && has_anchor(entry))
        {
            for (index, entry) in entries.iter().enumerate() {
                let next = entries.get(index + 1);
                let limit = next.map_or(limit, |next| next.key.mark().line as usize);
                let name = entry.key.scalar_text().unwrap_or_default();
                let known = named(is.as_mapping()?, name);
                if let Some((known, is)) = known.filter(|_| place::has_alias(entry)) {
                    self.replace_entry(entry, known, is, limit)?;
                }
            }
        }
        self.mapping(written, is, limit, Depth::Top)
    }

    /// Changes the entries of a mapping of lines. `None` where it has to be written anew.
    fn mapping(&mut self, written: &Node, is: &Node, limit: usize, depth: Depth) -> Option<()> {
        let entries = written.as_mapping()?.entries();
        let new = is.as_mapping()?;
        if written.style() == Style::Flow || (depth == Depth::Inner && new.is_empty()) {
            return None;
        }
        if depth == Depth::Inner && !place::is_in_order(written) {
            return None;
        }
        let mut last_end = limit;
        for (index, entry) in entries.iter().enumerate() {
            let next = entries.get(index + 1);
            let limit = next.map_or(limit, |next| next.key.mark().line as usize);
            let start = entry.key.mark().line as usize;
            let column = entry.key.mark().column;
            last_end = self.lines.content_end(start, limit, &entry.value, column);
            let name = entry.key.scalar_text().unwrap_or_default();
            let is_repeated = entries[index + 1..].iter().any(|e| is_key(e, name));
            match named(new, name) {
                // An empty field says nothing; it may stay.
                None if depth == Depth::Top && same::is_empty(&entry.value) => {}
                None => self.remove(entry, limit)?,
                Some(_) if is_repeated => {}
                Some((_, is)) if same::is_same(&entry.value, is) => {}
                Some((known, is)) => self.value(entry, known, is, limit)?,
            }
        }
        let is_written = |name: &str| entries.iter().any(|entry| is_key(entry, name));
        let added: Vec<Entry> = new
            .entries()
            .iter()
            .filter(|entry| !is_written(entry.key.scalar_text().unwrap_or_default()))
            .cloned()
            .collect();
        let column = entries.first()?.key.mark().column.saturating_sub(1) as usize;
        self.append(&Mapping::from_entries(added), last_end, column)
    }

    /// Adds entries before a line.
    fn append(&mut self, entries: &Mapping, line: usize, column: usize) -> Option<()> {
        let at = self.lines.start(line);
        let mut text = String::new();
        for (key, value) in entries.iter() {
            text.push_str(&" ".repeat(column));
            text.push_str(&self.house.entry(key, value, column)?);
        }
        if !text.is_empty() {
            self.insert(at, text);
        }
        Some(())
    }

    /// Takes the lines of an entry away, but for comments on lines of their own.
    fn remove(&mut self, entry: &Entry, limit: usize) -> Option<()> {
        let mark = entry.key.mark();
        if !self.lines.is_first(mark) {
            return None;
        }
        let start = mark.line as usize;
        let end = self
            .lines
            .content_end(start, limit, &entry.value, mark.column);
        let kept = self.lines.comments(start, end);
        self.replace(self.lines.start(start), self.lines.start(end), kept);
        Some(())
    }

    /// Changes the value of an entry.
    fn value(&mut self, entry: &Entry, name: &str, is: &Node, limit: usize) -> Option<()> {
        let written = &entry.value;
        let mark = self.splices.len();
        let done = match (written.value(), is.value()) {
            (Value::Scalar(_), Value::Scalar(_)) => self.token(written, is),
            (Value::Mapping(_), Value::Mapping(_)) | (Value::Sequence(_), Value::Sequence(_))
                if written.style() == Style::Flow =>
            {
                self.flow(written, is)
            }
            (Value::Mapping(_), Value::Mapping(_)) => {
                self.mapping(written, is, limit, Depth::Inner)
            }
            (Value::Sequence(_), Value::Sequence(_)) => self.sequence(written, is, limit),
            _ => None,
        };
        if done.is_some() {
            return Some(());
        }
        self.splices.truncate(mark);
        self.replace_entry(entry, name, is, limit)
    }

    /// Replaces a scalar on one line.
    fn token(&mut self, written: &Node, is: &Node) -> Option<()> {
        if written.is_null() {
            return None;
        }
        let end = self.lines.scalar_end(written)?;
        let start = self.lines.offset(written.mark());
        let text = style::scalar(is, written.style())?;
        self.replace(start, end, text);
        Some(())
    }

    /// Replaces a collection in braces or brackets.
    fn flow(&mut self, written: &Node, is: &Node) -> Option<()> {
        let end = self.lines.flow_end(written)?;
        let start = self.lines.offset(written.mark());
        self.replace(start, end, style::flow(is)?);
        Some(())
    }

    /// Writes an entry anew; comments on lines of their own go before it.
    fn replace_entry(&mut self, entry: &Entry, name: &str, is: &Node, limit: usize) -> Option<()> {
        let mark = entry.key.mark();
        let start = mark.line as usize;
        let end = self
            .lines
            .content_end(start, limit, &entry.value, mark.column);
        let column = mark.column.saturating_sub(1) as usize;
        let text = self.house.entry(name, is, column)?;
        let kept = self.lines.comments(start + 1, end);
        self.insert(self.lines.start(start), kept);
        let from = self.lines.offset(mark);
        self.replace(from, self.lines.start(end), text);
        Some(())
    }

    /// Changes the items of a list of lines. `None` where it has to be written anew.
    fn sequence(&mut self, written: &Node, is: &Node, limit: usize) -> Option<()> {
        let items = written.as_sequence()?;
        let is = is.as_sequence()?;
        if items.is_empty() || is.is_empty() || !place::is_in_order(written) {
            return None;
        }
        let list = List::new(&self.lines, written, items, limit)?;
        let mut previous_end = list.dashes[0];
        for step in steps(items, is) {
            match step {
                Step::Keep(_) => {}
                Step::Change(at, to) => {
                    self.item(&list, &items[at], at, &is[to])?;
                }
                Step::Remove(at) => {
                    let (start, end) = (list.dashes[at], list.ends[at]);
                    let kept = self.lines.comments(start, end);
                    self.replace(self.lines.start(start), self.lines.start(end), kept);
                }
                Step::Insert(to) => {
                    let text = self.house.item(&is[to], list.column)?;
                    let text = format!("{}{text}", " ".repeat(list.column));
                    self.insert(self.lines.start(previous_end), text);
                }
            }
            if let Step::Keep(at) | Step::Change(at, _) | Step::Remove(at) = step {
                previous_end = list.ends[at];
            }
        }
        Some(())
    }

    fn item(&mut self, list: &List, written: &Node, at: usize, is: &Node) -> Option<()> {
        let mark = self.splices.len();
        let limit = list.dashes.get(at + 1).copied().unwrap_or(list.limit);
        let done = match (written.value(), is.value()) {
            (Value::Scalar(_), Value::Scalar(_)) => self.token(written, is),
            (Value::Mapping(_), Value::Mapping(_)) if written.style() == Style::Flow => {
                self.flow(written, is)
            }
            (Value::Mapping(_), Value::Mapping(_)) => {
                self.mapping(written, is, limit, Depth::Inner)
            }
            _ => None,
        };
        if done.is_some() {
            return Some(());
        }
        self.splices.truncate(mark);
        let (start, end) = (list.dashes[at], list.ends[at]);
        let text = self.house.item(is, list.column)?;
        let kept = self.lines.comments(start, end);
        let text = format!("{kept}{}{text}", " ".repeat(list.column));
        self.replace(self.lines.start(start), self.lines.start(end), text);
        Some(())
    }
}

/// Where the items of a list stand.
struct List {
    /// The column of the dashes, from 0.
    column: usize,
    /// The line of each dash.
    dashes: Vec<usize>,
    /// The line behind each item.
    ends: Vec<usize>,
    limit: usize,
}

impl List {
    /// `None` where the first dash is not the first thing on its line.
    fn new(lines: &Lines<'_>, written: &Node, items: &[Node], limit: usize) -> Option<Self> {
        let column = written.mark().column.saturating_sub(1) as usize;
        let has_dash = |line: usize| {
            let text = lines.line(line);
            text.len() > column
                && text.as_bytes()[column] == b'-'
                && text[..column].trim().is_empty()
        };
        let mut dashes = Vec::with_capacity(items.len());
        let mut above = written.mark().line as usize;
        for item in items {
            let line = (above..=item.mark().line.max(written.mark().line) as usize)
                .rev()
                .find(|line| has_dash(*line))?;
            dashes.push(line);
            above = line + 1;
        }
        let ends = items.iter().enumerate().map(|(at, item)| {
            let limit = dashes.get(at + 1).copied().unwrap_or(limit);
            lines.content_end(dashes[at], limit, item, written.mark().column)
        });
        let ends = ends.collect();
        Some(Self {
            column,
            dashes,
            ends,
            limit,
        })
    }
}

/// What becomes of the items of a list, in order: positions before and after.
#[derive(Debug, Clone, Copy)]
enum Step {
    Keep(usize),
    Change(usize, usize),
    Remove(usize),
    Insert(usize),
}

/// The most pairs of items that are compared; longer lists are compared from both ends alone.
const MAX_PAIRS: usize = 4_000_000;

fn steps(was: &[Node], is: &[Node]) -> Vec<Step> {
    let start = was
        .iter()
        .zip(is)
        .take_while(|(a, b)| same::is_same(a, b))
        .count();
    let (was_rest, is_rest) = (&was[start..], &is[start..]);
    let end = was_rest
        .iter()
        .rev()
        .zip(is_rest.iter().rev())
        .take_while(|(a, b)| same::is_same(a, b))
        .count();
    let (was_rest, is_rest) = (
        &was_rest[..was_rest.len() - end],
        &is_rest[..is_rest.len() - end],
    );
    let mut steps: Vec<Step> = (0..start).map(Step::Keep).collect();
    let mut gap = (start, start);
    let close = |steps: &mut Vec<Step>, gap: (usize, usize), to: (usize, usize)| {
        let both = (to.0 - gap.0).min(to.1 - gap.1);
        steps.extend((0..both).map(|n| Step::Change(gap.0 + n, gap.1 + n)));
        steps.extend((gap.0 + both..to.0).map(Step::Remove));
        steps.extend((gap.1 + both..to.1).map(Step::Insert));
    };
    for (a, b) in common(was_rest, is_rest) {
        let (a, b) = (start + a, start + b);
        close(&mut steps, gap, (a, b));
        steps.push(Step::Keep(a));
        gap = (a + 1, b + 1);
    }
    close(&mut steps, gap, (was.len() - end, is.len() - end));
    steps.extend((was.len() - end..was.len()).map(Step::Keep));
    steps
}

/// The longest common subsequence of two lists, as pairs of positions.
fn common(was: &[Node], is: &[Node]) -> Vec<(usize, usize)> {
    if was.len().saturating_mul(is.len()) > MAX_PAIRS {
        return Vec::new();
    }
    let width = is.len() + 1;
    let mut lengths = vec![0_u32; (was.len() + 1) * width];
    for a in (0..was.len()).rev() {
        for b in (0..is.len()).rev() {
            lengths[a * width + b] = if same::is_same(&was[a], &is[b]) {
                lengths[(a + 1) * width + b + 1] + 1
            } else {
                lengths[(a + 1) * width + b].max(lengths[a * width + b + 1])
            };
        }
    }
    let (mut a, mut b) = (0, 0);
    let mut pairs = Vec::new();
    while a < was.len() && b < is.len() {
        if same::is_same(&was[a], &is[b]) {
            pairs.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if lengths[(a + 1) * width + b] >= lengths[a * width + b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    pairs
}

fn is_key(entry: &Entry, name: &str) -> bool {
    let key = entry.key.scalar_text().unwrap_or_default();
    key.eq_ignore_ascii_case(name)
}

/// A field by its name: as it is spelled, else in any case of letters.
fn named<'n>(fields: &'n Mapping, name: &str) -> Option<(&'n str, &'n Node)> {
    let exact = fields.iter().find(|(known, _)| *known == name);
    exact.or_else(|| {
        fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
    })
}
