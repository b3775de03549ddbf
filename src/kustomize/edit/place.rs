//! Where things stand in the text of a kustomization: lines, ends of entries, the extent of a value.

use crate::yaml::{Entry, Mark, Node, Style, Value};

/// A text and the starts of its lines.
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    starts: Vec<usize>,
}

/// The byte order mark, which no column counts.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let first = if text.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len_utf8()
        } else {
            0
        };
        let mut starts = vec![first];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, starts }
    }

    /// The number of lines, from 1; a last line without a line break counts.
    pub(super) fn count(&self) -> usize {
        let last = self.starts.last().copied().unwrap_or(0);
        self.starts.len() - usize::from(last == self.text.len() && self.starts.len() > 1)
    }

    /// Where a line starts; the end of the text behind the last one.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts
            .get(line - 1)
            .copied()
            .unwrap_or(self.text.len())
    }

    /// A line without its line break.
    pub(super) fn line(&self, line: usize) -> &'t str {
        let text = &self.text[self.start(line)..self.start(line + 1)];
        text.strip_suffix('\n')
            .map_or(text, |t| t.strip_suffix('\r').unwrap_or(t))
    }

    /// Where a mark stands.
    pub(super) fn offset(&self, mark: Mark) -> usize {
        let line = self.line(mark.line as usize);
        let column = mark.column.saturating_sub(1) as usize;
        let within = line
            .char_indices()
            .nth(column)
            .map_or(line.len(), |(at, _)| at);
        self.start(mark.line as usize) + within
    }

    /// Whether nothing but blanks stands before a mark on its line.
    pub(super) fn is_first(&self, mark: Mark) -> bool {
        let start = self.start(mark.line as usize);
        self.text[start..self.offset(mark)].trim().is_empty()
    }

    /// The line behind the last one of what starts on a line and holds a node, before a limit: comments and blank lines
    /// at its end belong to what follows, but not those of a block text.
    pub(super) fn content_end(
        &self,
        start: usize,
        limit: usize,
        node: &Node,
        column: u32,
    ) -> usize {
        let is_block = ends_in_block(node);
        let is_content = |line: &usize| {
            let text = self.line(*line);
            let trimmed = text.trim();
            let indent = text.len() - text.trim_start().len();
            let is_comment = trimmed.starts_with('#') && !(is_block && indent >= column as usize);
            !trimmed.is_empty() && !is_comment
        };
        let last = (start..limit).rev().find(is_content);
        last.unwrap_or(start) + 1
    }

    /// The comments on lines of their own between two lines, each with its line break.
    pub(super) fn comments(&self, from: usize, to: usize) -> String {
        let own = (from..to).filter(|line| self.line(*line).trim_start().starts_with('#'));
        own.map(|line| format!("{}\n", self.line(line))).collect()
    }

    /// The line behind the first document, where it starts on a line.
    pub(super) fn document_end(&self, first: usize) -> usize {
        let is_marker = |line: &usize| {
            let text = self.line(*line);
            ["---", "..."].iter().any(|marker| {
                text.strip_prefix(marker)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
            })
        };
        (first..=self.count())
            .find(is_marker)
            .unwrap_or(self.count() + 1)
    }

    /// Where a scalar on one line ends.
    pub(super) fn scalar_end(&self, node: &Node) -> Option<usize> {
        let start = self.offset(node.mark());
        let line = self.line(node.mark().line as usize);
        let rest = &line[start - self.start(node.mark().line as usize)..];
        let length = match node.style() {
            Style::DoubleQuoted => double_quoted(rest)?,
            Style::SingleQuoted => single_quoted(rest)?,
            Style::Plain => {
                let end = rest.find(" #").or(rest.find("\t#")).unwrap_or(rest.len());
                let token = rest[..end].trim_end();
                (Some(token) == node.scalar_text()).then_some(token.len())?
            }
            Style::Literal | Style::Folded | Style::Flow => return None,
        };
        Some(start + length)
    }

    /// Where a key on one line starts, and how it is spelled.
    pub(super) fn key(&self, key: &Node) -> Option<(usize, &'t str)> {
        let start = self.offset(key.mark());
        let rest = &self.text[start..self.start(key.mark().line as usize + 1)];
        let end = match key.style() {
            Style::DoubleQuoted => return None,
            Style::SingleQuoted => return None,
            _ => rest.find(':')?,
        };
        Some((start, rest[..end].trim_end()))
    }

    /// Whether an anchor may stand in the lines of an entry.
    pub(super) fn has_anchor(&self, entry: &Entry, limit: usize) -> bool {
        let start = entry.key.mark().line as usize;
        (start..limit).any(|line| {
            let mut words = self.line(line).split([' ', '[', '{', ',']);
            words.any(|word| word.starts_with('&') && word.len() > 1)
        })
    }

    /// Where a flow collection ends; `None` where a comment stands in it.
    pub(super) fn flow_end(&self, node: &Node) -> Option<usize> {
        let start = self.offset(node.mark());
        let rest = &self.text[start..];
        let mut depth = 0_usize;
        let mut at = 0;
        while at < rest.len() {
            match rest.as_bytes()[at] {
                b'"' => at += double_quoted(&rest[at..])? - 1,
                b'\'' => at += single_quoted(&rest[at..])? - 1,
                b'#' => return None,
                b'[' | b'{' => depth += 1,
                b']' | b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(start + at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }
}

fn double_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    let end = text.bytes().enumerate().skip(1).find(|(_, byte)| {
        let is_end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_end
    });
    Some(end?.0 + 1)
}

fn single_quoted(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\'', Some(b'\'')) => at += 2,
            (b'\'', _) => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Whether the last scalar of a node is a block text.
fn ends_in_block(node: &Node) -> bool {
    match node.value() {
        Value::Scalar(_) => matches!(node.style(), Style::Literal | Style::Folded),
        Value::Sequence(items) => items.last().is_some_and(ends_in_block),
        Value::Mapping(mapping) => mapping
            .entries()
            .last()
            .is_some_and(|e| ends_in_block(&e.value)),
    }
}

/// Whether what a node holds stands behind it and in order: an alias stands for what is elsewhere.
pub(super) fn is_in_order(node: &Node) -> bool {
    let mut last = node.mark();
    in_order(node, &mut last)
}

/// Whether an alias stands in an entry.
pub(super) fn has_alias(entry: &Entry) -> bool {
    let mut last = entry.key.mark();
    !in_order(&entry.value, &mut last)
}

fn in_order(node: &Node, last: &mut Mark) -> bool {
    let mark = node.mark();
    if mark < *last {
        return false;
    }
    *last = mark;
    match node.value() {
        Value::Scalar(_) => true,
        Value::Sequence(items) => items.iter().all(|item| in_order(item, last)),
        Value::Mapping(mapping) => mapping
            .entries()
            .iter()
            .all(|entry| in_order(&entry.key, last) && in_order(&entry.value, last)),
    }
}

/// The last entry of a mapping with a name, in any case of letters.
pub(super) fn entry<'n>(node: &'n Node, name: &str) -> Option<&'n Entry> {
    let entries = node.as_mapping()?.entries();
    let is_name = |entry: &&Entry| {
        let key = entry.key.scalar_text().unwrap_or_default();
        key.eq_ignore_ascii_case(name)
    };
    entries.iter().rfind(is_name)
}
