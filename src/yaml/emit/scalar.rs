//! Writes the text of a scalar in one of YAML's styles, at a column.

use super::analysis::is_separator;

/// Output whose last line's length is known.
pub(super) struct Line<'o> {
    pub(super) out: &'o mut Vec<u8>,
    /// The characters since the last line break.
    pub(super) column: usize,
}

/// Where a scalar may break its lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// The column of its further lines.
    pub(super) indent: usize,
    /// The column after which the next space becomes a line break; `None` to keep lines whole.
    pub(super) width: Option<usize>,
}

impl Line<'_> {
    /// Appends text without line breaks.
    pub(super) fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.column += text.chars().count();
    }

    /// Appends ASCII without line breaks.
    pub(super) fn put_ascii(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
        self.column += text.len();
    }

    pub(super) fn put_byte(&mut self, byte: u8) {
        self.out.push(byte);
        self.column += 1;
    }

    pub(super) fn put_break(&mut self) {
        self.out.push(b'\n');
        self.column = 0;
    }

    /// Appends spaces up to a column.
    pub(super) fn pad(&mut self, indent: usize) {
        if indent > self.column {
            self.out.resize(self.out.len() + indent - self.column, b' ');
            self.column = indent;
        }
    }

    /// Appends U+2028 or U+2029, which start a new line.
    fn put_separator(&mut self, separator: &[u8]) {
        self.out.extend_from_slice(separator);
        self.column = 0;
    }

    fn is_beyond(&self, width: Option<usize>) -> bool {
        width.is_some_and(|width| self.column > width)
    }

    /// Starts a further line of a scalar.
    fn fold(&mut self, indent: usize) {
        self.put_break();
        self.pad(indent);
    }

    /// Writes a text without line breaks as it is.
    pub(super) fn plain(&mut self, text: &str, layout: Layout) {
        if layout
            .width
            .is_none_or(|width| self.column + text.len() <= width)
        {
            return self.put(text);
        }
        let bytes = text.as_bytes();
        let mut start = 0;
        let mut after_space = false;
        while let Some(length) = bytes[start..].iter().position(|&b| b == b' ') {
            let space = start + length;
            self.put(&text[start..space]);
            after_space &= length == 0;
            if !after_space && self.is_beyond(layout.width) && bytes.get(space + 1) != Some(&b' ') {
                self.fold(layout.indent);
            } else {
                self.put_byte(b' ');
            }
            after_space = true;
            start = space + 1;
        }
        self.put(&text[start..]);
    }

    /// Writes a text in single quotes.
    pub(super) fn single_quoted(&mut self, text: &str, layout: Layout) {
        self.put_byte(b'\'');
        let (mut after_space, mut after_break) = (false, false);
        for (index, character) in text.char_indices() {
            let rest = &text.as_bytes()[index..];
            match character {
                ' ' => {
                    let inside = index > 0 && rest.get(1).is_some_and(|&next| next != b' ');
                    if inside && !after_space && self.is_beyond(layout.width) {
                        self.fold(layout.indent);
                    } else {
                        self.put_byte(b' ');
                    }
                    after_space = true;
                    continue;
                }
                '\u{2028}' | '\u{2029}' => {
                    self.put_separator(&rest[..3]);
                    after_break = true;
                    continue;
                }
                _ if after_break => self.pad(layout.indent),
                _ => {}
            }
            if character == '\'' {
                self.put_byte(b'\'');
            }
            self.out.extend_from_slice(&rest[..character.len_utf8()]);
            self.column += 1;
            (after_space, after_break) = (false, false);
        }
        self.put_byte(b'\'');
    }

    /// Writes a text in double quotes, with an escape for every character that is not printable.
    pub(super) fn double_quoted(&mut self, text: &str, layout: Layout) {
        self.put_byte(b'"');
        // go-yaml looks for a byte order mark at the start of the text, whichever character it asks about.
        let all = text.starts_with('\u{feff}');
        let mut after_space = false;
        let mut start = 0;
        for (index, character) in text.char_indices() {
            let next = index + character.len_utf8();
            if all || must_escape(character) {
                self.put(&text[start..index]);
                self.escape(character);
                start = next;
                after_space = false;
            } else if character == ' ' {
                self.put(&text[start..index]);
                start = next;
                if !after_space && index > 0 && next < text.len() && self.is_beyond(layout.width) {
                    self.fold(layout.indent);
                    if text.as_bytes()[next] == b' ' {
                        self.put_byte(b'\\');
                    }
                } else {
                    self.put_byte(b' ');
                }
                after_space = true;
            } else {
                after_space = false;
            }
        }
        self.put(&text[start..]);
        self.put_byte(b'"');
    }

    fn escape(&mut self, character: char) {
        let short = match character {
            '\0' => b'0',
            '\u{7}' => b'a',
            '\u{8}' => b'b',
            '\t' => b't',
            '\n' => b'n',
            '\u{b}' => b'v',
            '\u{c}' => b'f',
            '\r' => b'r',
            '\u{1b}' => b'e',
            '"' => b'"',
            '\\' => b'\\',
            '\u{85}' => b'N',
            '\u{a0}' => b'_',
            '\u{2028}' => b'L',
            '\u{2029}' => b'P',
            _ => return self.escape_code(u32::from(character)),
        };
        self.put_ascii(&[b'\\', short]);
    }

    fn escape_code(&mut self, code: u32) {
        let (letter, digits) = match code {
            0..=0xFF => (b'x', 2),
            0x100..=0xFFFF => (b'u', 4),
            _ => (b'U', 8),
        };
        self.put_ascii(&[b'\\', letter]);
        for place in (0..digits).rev() {
            let digit = code >> (4 * place) & 0xF;
            self.put_byte(b"0123456789ABCDEF"[digit as usize]);
        }
    }

    /// Writes the `|` of a literal block with its hints; `indent_hint` is the step of the document.
    pub(super) fn literal_header(&mut self, text: &str, indent_hint: u8) {
        let bytes = text.as_bytes();
        self.put_byte(b'|');
        if matches!(bytes[0], b' ' | b'\n') || is_separator(bytes) {
            self.put_byte(b'0' + indent_hint);
        }
        match final_break(bytes) {
            0 => self.put_byte(b'-'),
            width if width == bytes.len() || final_break(&bytes[..bytes.len() - width]) > 0 => {
                self.put_byte(b'+');
            }
            _ => {}
        }
    }

    /// Writes the lines of a literal block. They end in a line break when the text does.
    pub(super) fn literal_lines(&mut self, text: &str, indent: usize) {
        let bytes = text.as_bytes();
        let mut start = 0;
        self.column = 0;
        while start < bytes.len() {
            let rest = &bytes[start..];
            let end = rest
                .iter()
                .enumerate()
                .position(|(i, &b)| b == b'\n' || b == 0xE2 && is_separator(&rest[i..]))
                .unwrap_or(rest.len());
            if end > 0 {
                self.pad(indent);
                self.out.extend_from_slice(&rest[..end]);
                self.column += 1;
            }
            match rest.get(end) {
                Some(b'\n') => {
                    self.put_break();
                    start += end + 1;
                }
                Some(_) => {
                    self.put_separator(&rest[end..end + 3]);
                    start += end + 3;
                }
                None => return,
            }
        }
    }
}

/// The length of the line break that a text ends with; 0 when there is none.
fn final_break(bytes: &[u8]) -> usize {
    match bytes {
        [.., b'\n'] => 1,
        [.., 0xE2, 0x80, 0xA8 | 0xA9] => 3,
        _ => 0,
    }
}

/// Whether a character cannot stand in double quotes. Nothing above U+FFFF counts as printable.
fn must_escape(character: char) -> bool {
    match character {
        ' '..='~' => matches!(character, '"' | '\\'),
        '\u{a0}'..='\u{d7ff}' => matches!(character, '\u{2028}' | '\u{2029}'),
        '\u{e000}'..='\u{fffd}' => character == '\u{feff}',
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Line<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut Line {
            out: &mut out,
            column: 0,
        });
        String::from_utf8(out).unwrap()
    }

    const NARROW: Layout = Layout {
        indent: 2,
        width: Some(4),
    };
    const WHOLE: Layout = Layout {
        indent: 2,
        width: None,
    };

    #[test]
    fn folds_at_the_first_single_space_beyond_the_width() {
        let plain = |text| written(|line| line.plain(text, NARROW));
        assert_eq!(plain("abcd e"), "abcd e");
        assert_eq!(plain("abcde f"), "abcde\n  f");
        assert_eq!(plain("abcde  f g"), "abcde  f\n  g");
        assert_eq!(plain("éééé e"), "éééé e");
        let single = |text| written(|line| line.single_quoted(text, NARROW));
        assert_eq!(single("abcde f"), "'abcde\n  f'");
        assert_eq!(single("abcde "), "'abcde '");
        let double = |text| written(|line| line.double_quoted(text, NARROW));
        assert_eq!(double("abcde  f"), "\"abcde\n  \\ f\"");
        assert_eq!(double("abcde "), "\"abcde \"");
    }

    #[test]
    fn quotes() {
        assert_eq!(
            written(|l| l.single_quoted("it's ''", WHOLE)),
            "'it''s '''''"
        );
        assert_eq!(
            written(|l| l.single_quoted("a\u{2028}\u{2029}b€", WHOLE)),
            "'a\u{2028}\u{2029}  b€'"
        );
        assert_eq!(
            written(|l| l.single_quoted("a\u{2028}", WHOLE)),
            "'a\u{2028}'"
        );
        assert_eq!(
            written(|l| l.double_quoted("\"\\\0\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b}\u{1}", WHOLE)),
            r#""\"\\\0\a\b\t\n\v\f\r\e\x01""#
        );
        assert_eq!(
            written(|l| l.double_quoted("é\u{a0}\u{85}\u{2028}\u{2029}\u{7f}a\u{feff}🔒", WHOLE)),
            "\"é\u{a0}\\N\\L\\P\\x7Fa\\uFEFF\\U0001F512\""
        );
        assert_eq!(
            written(|l| l.double_quoted("\u{feff}a b", WHOLE)),
            r#""\uFEFF\x61\x20\x62""#
        );
    }

    #[test]
    fn literal_blocks() {
        let literal = |text| {
            written(|line| {
                line.literal_header(text, 2);
                line.put_break();
                line.literal_lines(text, 2);
            })
        };
        assert_eq!(literal("a\nb"), "|-\n  a\n  b");
        assert_eq!(literal("a\n\nb\n"), "|\n  a\n\n  b\n");
        assert_eq!(literal("a\n\n"), "|+\n  a\n\n");
        assert_eq!(literal("\n"), "|2+\n\n");
        assert_eq!(literal(" a\nb"), "|2-\n   a\n  b");
        assert_eq!(literal("\na"), "|2-\n\n  a");
        assert_eq!(literal("a\u{2028}b\n"), "|\n  a\u{2028}  b\n");
    }
}
