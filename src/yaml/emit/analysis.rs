//! What a text's characters allow: which of YAML's scalar styles can hold it unchanged.

use super::resolve::is_ambiguous;
use crate::yaml::{Schema, Style, Tag, resolve};

/// Which version of go-yaml judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// What prints a manifest; a tab needs double quotes.
    V2,
    /// What prints a SOPS document; a tab may stand in a literal block.
    V3,
}

/// The styles that a text can take outside flow collections. Double quotes hold everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Analysis {
    /// Whether there is a line break of any kind: such a key needs `? `.
    pub(super) multiline: bool,
    /// Whether it may stand plain, if it also reads back as a string.
    pub(super) plain: bool,
    /// Whether single quotes hold it.
    pub(super) single: bool,
    /// Whether a literal block holds it.
    pub(super) block: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Ordinary,
    Space,
    Break,
    Colon,
    Hash,
    Tab,
    /// Not printable, or a carriage return.
    Special,
    /// The first byte of a character that may be special or a break.
    Lead,
}

static CLASSES: [Class; 256] = {
    let mut table = [Class::Ordinary; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte {
            0x20 => Class::Space,
            0x0A => Class::Break,
            0x3A => Class::Colon,
            0x23 => Class::Hash,
            0x09 => Class::Tab,
            0x00..0x20 | 0x7F | 0xF0..=0xFF => Class::Special,
            0xC2 | 0xE2 | 0xEF => Class::Lead,
            _ => Class::Ordinary,
        };
        byte += 1;
    }
    table
};

#[derive(Default)]
struct Findings {
    indicator: bool,
    line_break: bool,
    special: bool,
    tab: bool,
    break_space: bool,
    space_break: bool,
}

/// Whether a literal block of a document that sops prints can hold a text.
pub fn fits_block(text: &str) -> bool {
    Analysis::of(text, Dialect::V3).block
}

/// The style in which go-yaml v3 writes a string outside flow collections.
pub fn style_of_string(text: &str) -> Style {
    let analysis = Analysis::of(text, Dialect::V3);
    if text.contains('\n') {
        return if analysis.block {
            Style::Literal
        } else {
            Style::DoubleQuoted
        };
    }
    if resolve(text, Schema::Go) != Tag::Str || is_ambiguous(text, Dialect::V3) {
        return Style::DoubleQuoted;
    }
    match (analysis.plain, analysis.single) {
        (true, _) => Style::Plain,
        (false, true) => Style::SingleQuoted,
        (false, false) => Style::DoubleQuoted,
    }
}

impl Analysis {
    /// Looks at every character of a text.
    pub(super) fn of(text: &str, dialect: Dialect) -> Self {
        let bytes = text.as_bytes();
        let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
            return Self {
                multiline: false,
                plain: true,
                single: true,
                block: false,
            };
        };
        let mut found = scan(bytes);
        found.special |= found.tab && dialect == Dialect::V2;
        let edge =
            first == b' ' || last == b' ' || starts_with_break(bytes) || ends_with_break(bytes);
        let quoted = found.special || found.tab || found.space_break || found.break_space;
        Self {
            multiline: found.line_break,
            plain: !(quoted
                || edge
                || found.line_break
                || found.indicator
                || starts_with_indicator(bytes)),
            single: !quoted,
            block: !(found.special || found.space_break || last == b' '),
        }
    }
}

fn scan(bytes: &[u8]) -> Findings {
    let mut found = Findings::default();
    let mut before = Class::Ordinary;
    for (index, &byte) in bytes.iter().enumerate() {
        let mut class = CLASSES[usize::from(byte)];
        match class {
            Class::Ordinary => {}
            Class::Space => found.break_space |= before == Class::Break,
            Class::Colon => found.indicator |= index > 0 && is_blank_or_end(bytes, index + 1),
            Class::Hash => {
                found.indicator |= matches!(before, Class::Space | Class::Break | Class::Tab);
            }
            Class::Tab => found.tab = true,
            Class::Special => {
                found.special = true;
                found.line_break |= byte == b'\r';
            }
            Class::Lead => {
                class = lead(&bytes[index..]);
                found.special |= class == Class::Special;
                found.line_break |= bytes[index..].starts_with("\u{85}".as_bytes());
            }
            Class::Break => {}
        }
        if class == Class::Break {
            found.line_break = true;
            found.space_break |= before == Class::Space;
        }
        // The rest of a character of several bytes leaves what it is.
        if !(0x80..0xC0).contains(&byte) {
            before = class;
        }
    }
    found
}

/// The class of a character that starts with 0xC2, 0xE2 or 0xEF.
fn lead(bytes: &[u8]) -> Class {
    match bytes {
        [0xC2, 0x80..=0x9F, ..] | [0xEF, 0xBB, 0xBF, ..] | [0xEF, 0xBF, 0xBE | 0xBF, ..] => {
            Class::Special
        }
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => Class::Break,
        _ => Class::Ordinary,
    }
}

/// Whether the line separator U+2028 or the paragraph separator U+2029 starts here: YAML 1.1 breaks lines there.
pub(super) fn is_separator(bytes: &[u8]) -> bool {
    matches!(bytes, [0xE2, 0x80, 0xA8 | 0xA9, ..])
}

fn starts_with_break(bytes: &[u8]) -> bool {
    bytes[0] == b'\n' || is_separator(bytes)
}

fn ends_with_break(bytes: &[u8]) -> bool {
    bytes.last() == Some(&b'\n') || is_separator(&bytes[bytes.len().saturating_sub(3)..])
}

fn is_blank_or_end(bytes: &[u8], index: usize) -> bool {
    matches!(bytes.get(index), None | Some(b' ' | b'\t'))
}

fn starts_with_indicator(bytes: &[u8]) -> bool {
    match bytes[0] {
        b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
        | b'"' | b'%' | b'@' | b'`' => true,
        b'?' | b':' => is_blank_or_end(bytes, 1),
        b'-' => is_blank_or_end(bytes, 1) || bytes.starts_with(b"---"),
        b'.' => bytes.starts_with(b"..."),
        _ => false,
    }
}

/// Whether a text is plain beyond doubt: no character in it can matter, whatever the dialect, and its first one
/// starts no number, boolean or null. Most texts of a manifest are.
pub(super) fn is_plainly_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((&first, rest)) = bytes.split_first() else {
        return false;
    };
    if !OPENS[usize::from(first)] {
        return false;
    }
    for (index, &byte) in rest.iter().enumerate() {
        match CLASSES[usize::from(byte)] {
            Class::Ordinary if byte < 0x80 => {}
            Class::Hash => {}
            Class::Colon if !is_blank_or_end(rest, index + 1) => {}
            Class::Space if !matches!(rest.get(index + 1), None | Some(b'#')) => {}
            _ => return false,
        }
    }
    true
}

/// The first characters that neither indicate anything nor open a word or number of YAML 1.1.
static OPENS: [bool; 256] = {
    let opening = b"abcdeghijklmpqrsuvwxzABCDEGHIJKLMPQRSUVWXZ_/$(\\^;=";
    let mut table = [false; 256];
    let mut index = 0;
    while index < opening.len() {
        table[opening[index] as usize] = true;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn styles(text: &str, dialect: Dialect) -> String {
        let Analysis {
            multiline,
            plain,
            single,
            block,
        } = Analysis::of(text, dialect);
        [(multiline, 'm'), (plain, 'p'), (single, 's'), (block, 'b')]
            .into_iter()
            .filter_map(|(is, letter)| is.then_some(letter))
            .collect()
    }

    #[test]
    fn which_styles_hold_a_text() {
        for (text, expected) in [
            ("", "ps"),
            ("plain", "psb"),
            ("a b", "psb"),
            ("a:b", "psb"),
            ("a#b", "psb"),
            ("-a", "psb"),
            ("?a", "psb"),
            (":a", "psb"),
            ("a,]", "psb"),
            ("it's", "psb"),
            ("é", "psb"),
            ("--", "psb"),
            ("a: b", "sb"),
            ("a:", "sb"),
            ("a #b", "sb"),
            ("#a", "sb"),
            ("- a", "sb"),
            ("-", "sb"),
            ("?", "sb"),
            ("---", "sb"),
            ("...a", "sb"),
            ("'a", "sb"),
            ("{a", "sb"),
            (" a", "sb"),
            ("a ", "s"),
            ("a\nb", "msb"),
            ("a\n b", "mb"),
            ("a \nb", "m"),
            ("a\n", "msb"),
            ("a\u{2028}b", "msb"),
            ("a\rb", "m"),
            ("a\u{85}b", "m"),
            ("a\u{7f}", ""),
            ("a\u{9f}", ""),
            ("a\u{a0}b", "psb"),
            ("\u{feff}a", ""),
            ("a\u{fffe}", ""),
            ("a\u{fffd}", "psb"),
            ("🔒", ""),
            ("a\u{0}", ""),
        ] {
            assert_eq!(styles(text, Dialect::V2), expected, "{text:?}");
        }
        assert_eq!(styles("a\tb", Dialect::V2), "");
        assert_eq!(styles("a\tb", Dialect::V3), "b");
    }

    #[test]
    fn what_is_plainly_plain_is_plain() {
        for text in [
            "app",
            "app.kubernetes.io/name",
            "a b",
            "a:b",
            "a#b",
            "/x",
            "(x)",
            "a-b_c=d,e[f]",
        ] {
            assert!(is_plainly_plain(text), "{text}");
            assert!(Analysis::of(text, Dialect::V2).plain, "{text}");
        }
        for text in [
            "", "a ", "a:", "a: b", "a #b", "1", "-a", "yes", "é", "a\tb", "a\n", "true", "~", "<<",
        ] {
            assert!(!is_plainly_plain(text), "{text}");
        }
    }
}
