//! What kustomize makes of a value by writing it and reading it again before it prints it.
//!
//! Go's writer is not faithful in two cases: an absent value in a flow mapping comes back as `''`, and a
//! folded text comes back with other line breaks. Users' outputs depend on it, so it is done on purpose
//! (cases `flow-absent-value` and `folded-text-reread` of the kustomize room).

use super::options::ParseOptions;
use super::parse_first;
use crate::yaml::{Node, Style, Tag, Value};

/// Gives every folded text of a tree the line breaks that it comes back with, and makes strings of times in flow
/// collections, which Go puts in quotes there (case `time-in-a-flow-mapping-is-a-string`). A second time changes nothing.
pub fn reread(node: &mut Node) {
    within(node, Around::Block);
}

/// As [`reread`], for what stands in a collection of a style.
pub fn reread_in(node: &mut Node, style: Style) {
    let around = match style {
        Style::Flow => Around::Flow,
        _ => Around::Block,
    };
    within(node, around);
}

/// Whether a text may hold what [`reread`] changes.
pub fn may_reread(text: &str) -> bool {
    let is_time = |w: &[u8]| w[0].is_ascii_digit() && w[1] == b':' && w[2].is_ascii_digit();
    text.contains('>') || (text.contains(['{', '[']) && text.as_bytes().windows(3).any(is_time))
}

/// What a node stands in: Go folds no text within `{…}` and `[…]`.
#[derive(Clone, Copy, PartialEq)]
enum Around {
    Block,
    Flow,
}

fn within(node: &mut Node, around: Around) {
    let (style, tag) = (node.style(), node.tag());
    let inside = match style {
        Style::Flow => Around::Flow,
        _ => around,
    };
    match node.value_mut() {
        Value::Sequence(items) => items.iter_mut().for_each(|item| within(item, inside)),
        Value::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                within(&mut entry.value, inside);
            }
        }
        Value::Scalar(text) if style == Style::Folded => {
            let read = (around == Around::Block).then(|| folded(text)).flatten();
            if let Some(read) = read {
                *text = read.into();
            }
            node.set_style(Style::Literal);
        }
        Value::Scalar(text) if around == Around::Flow && tag == Tag::Timestamp => {
            if text.contains(':') {
                node.set_tag(Tag::Str);
            }
        }
        Value::Scalar(_) => {}
    }
}

/// The text that a folded scalar comes back with; `None` when it comes back as it is.
fn folded(text: &str) -> Option<String> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    if !body.contains(is_break) || !stays_folded(text) {
        return None;
    }
    let written = write_folded(text);
    // Go cannot read back a text that starts with a tab; ours stays as it is.
    let node = parse_first(&written, ParseOptions::DEFAULT).ok()??;
    node.scalar_text().map(str::to_owned)
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether Go writes a text as a folded one at all, and not in double quotes.
fn stays_folded(text: &str) -> bool {
    let is_special = |c: char| matches!(c, '\0'..='\x08' | '\x0B'..='\x1F' | '\x7F'..='\u{9F}' | '\u{FEFF}' | '\u{FFFE}'..);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let ends_line = characters.peek().is_none_or(|next| is_break(*next));
        if is_special(character) || (character == ' ' && ends_line) {
            return false;
        }
    }
    true
}

/// Writes a folded scalar as go-yaml v3 does: a single line break becomes two, unless the line before it or
/// the whole text starts with a blank.
pub(in crate::yaml) fn write_folded(text: &str) -> String {
    let is_blank = |c: char| c == ' ' || c == '\t';
    let text_starts_blank = text
        .trim_start_matches(is_break)
        .chars()
        .next()
        .is_none_or(is_blank);
    let mut written = String::from(">");
    if text.starts_with(|c: char| c == ' ' || is_break(c)) {
        written.push('2');
    }
    written.push_str(match text.strip_suffix(is_break) {
        None => "-",
        Some(body) if body.is_empty() || body.ends_with(is_break) => "+",
        Some(_) => "",
    });
    written.push('\n');
    let (mut line_is_new, mut line_starts_blank) = (true, true);
    for character in text.chars() {
        if is_break(character) {
            if !line_is_new && !line_starts_blank && character == '\n' && !text_starts_blank {
                written.push('\n');
            }
            line_is_new = true;
        } else if line_is_new {
            written.push_str("  ");
            line_starts_blank = is_blank(character);
            line_is_new = false;
        }
        written.push(character);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn folds_as_go_writes_and_reads() {
        let rows = [
            ("one line\n", None),
            ("a\nb\n", None),
            ("a\n b\n", Some("a\n\n b\n")),
            ("a\n\n", Some("a\n\n\n")),
            (" a\nb\nc", Some(" a\nb c")),
            ("a \n b\n", None),
        ];
        for (text, expected) in rows {
            let reread = folded(text).filter(|reread| reread != text);
            assert_eq!(reread.as_deref(), expected, "{text:?}");
        }
    }
}
