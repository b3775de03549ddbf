//! A place in the text, with its line and column.

use crate::yaml::Mark;

/// Classes of bytes that end a run in some context.
const BLANK: u8 = 1;
const BREAK: u8 = 2;
const FLOW: u8 = 4;
const COLON: u8 = 8;
const WORD: u8 = 16;
const LEAD: u8 = 32;

static CLASSES: [u8; 256] = classes();

#[expect(
    clippy::cast_possible_truncation,
    reason = "a byte counts to 255, and constants know no other conversion"
)]
const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' => BLANK,
            // The end of the text reads as 0.
            b'\n' | b'\r' | 0 => BREAK,
            // May lead U+0085, U+2028 or U+2029, which break lines.
            0xC2 | 0xE2 => LEAD,
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => FLOW,
            b':' => COLON,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-' => WORD,
            _ => 0,
        };
        byte += 1;
    }
    table
}

fn class(byte: u8) -> u8 {
    CLASSES[byte as usize]
}

/// Whether a byte is a letter, a digit, `_` or `-`.
pub(super) fn is_word(byte: u8) -> bool {
    class(byte) == WORD
}

/// An offset in bytes with its line and column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) offset: usize,
    pub(super) mark: Mark,
}

/// A cursor over a text, which also knows line and column.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    line_start: usize,
    ascii: bool,
    /// The last place whose column was counted, and that column: lines that are not ASCII are counted once.
    counted: (usize, u32),
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, first_line: u32) -> Self {
        Self {
            text,
            at: 0,
            line: first_line,
            line_start: 0,
            ascii: text.is_ascii(),
            counted: (0, 0),
        }
    }

    /// Skips the mark that some editors put at the start of a file.
    pub(super) fn skip_byte_order_mark(&mut self) {
        if self.text.starts_with('\u{FEFF}') {
            self.at = '\u{FEFF}'.len_utf8();
            self.line_start = self.at;
        }
    }

    /// The offset in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes back to an offset on the same line.
    pub(super) fn rewind(&mut self, offset: usize) {
        self.at = offset;
    }

    /// The place as comments need it.
    pub(super) fn position(&mut self) -> Position {
        Position {
            offset: self.at,
            mark: self.mark(),
        }
    }

    /// The bytes since the line's start: its column, where only spaces came before.
    pub(super) fn indentation(&self) -> i64 {
        i64::try_from(self.at - self.line_start).unwrap_or(i64::MAX)
    }

    /// Ends the last line, when there is no break at the end of the text.
    pub(super) fn finish_line(&mut self) {
        if !self.is_line_start() {
            self.line += 1;
            self.line_start = self.at;
        }
    }

    pub(super) fn line(&self) -> u32 {
        self.line
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        &self.text[from..to]
    }

    /// The byte here, 0 at the end.
    pub(super) fn byte(&self) -> u8 {
        self.peek(0)
    }

    /// The byte some bytes ahead, 0 past the end.
    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn is_end(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(super) fn is_line_start(&self) -> bool {
        self.at == self.line_start
    }

    /// The column in characters, from 0.
    pub(super) fn column(&mut self) -> u32 {
        if self.ascii {
            return to_u32(self.at - self.line_start);
        }
        let (from, column) = if self.counted.0 >= self.line_start && self.counted.0 <= self.at {
            self.counted
        } else {
            (self.line_start, 0)
        };
        let ahead = &self.text.as_bytes()[from..self.at];
        let characters = ahead.iter().filter(|b| **b & 0xC0 != 0x80).count();
        self.counted = (self.at, column + to_u32(characters));
        self.counted.1
    }

    /// The place, counted from 1.
    pub(super) fn mark(&mut self) -> Mark {
        Mark {
            line: self.line,
            column: self.column() + 1,
        }
    }

    /// Goes on by bytes that hold no line break.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.byte() == b' ' {
            self.at += 1;
        }
    }

    /// Skips spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while is_blank(self.byte()) {
            self.at += 1;
        }
    }

    /// The length in bytes of the line break some bytes ahead; 0 when there is none.
    pub(super) fn break_length(&self, ahead: usize) -> usize {
        match self.peek(ahead) {
            b'\n' => 1,
            b'\r' if self.peek(ahead + 1) == b'\n' => 2,
            b'\r' => 1,
            0xC2 if self.peek(ahead + 1) == 0x85 => 2,
            0xE2 if self.peek(ahead + 1) == 0x80 && matches!(self.peek(ahead + 2), 0xA8 | 0xA9) => {
                3
            }
            _ => 0,
        }
    }

    pub(super) fn is_break(&self, ahead: usize) -> bool {
        self.break_length(ahead) > 0
    }

    /// Whether there is a line break or the end some bytes ahead.
    pub(super) fn is_break_or_end(&self, ahead: usize) -> bool {
        match class(self.peek(ahead)) {
            BREAK => true,
            LEAD => self.is_break(ahead),
            _ => false,
        }
    }

    /// Whether there is a blank, a line break or the end some bytes ahead.
    pub(super) fn is_blank_or_end(&self, ahead: usize) -> bool {
        match class(self.peek(ahead)) {
            BLANK | BREAK => true,
            LEAD => self.is_break(ahead),
            _ => false,
        }
    }

    /// Takes the line break here, if any, and returns what it stands for in a scalar.
    pub(super) fn take_break(&mut self) -> Option<&'static str> {
        let length = self.break_length(0);
        if length == 0 {
            return None;
        }
        let stands_for = match (self.byte(), self.peek(2)) {
            (0xE2, 0xA8) => "\u{2028}",
            (0xE2, _) => "\u{2029}",
            _ => "\n",
        };
        self.at += length;
        self.line += 1;
        self.line_start = self.at;
        Some(stands_for)
    }

    /// How many line breaks stand in the blanks just before.
    pub(super) fn breaks_before(&self) -> u32 {
        let mut before = self.text[..self.at].trim_end_matches([' ', '\t']);
        let mut breaks = 0;
        while let Some(rest) = before
            .strip_suffix("\r\n")
            .or_else(|| before.strip_suffix(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']))
        {
            before = rest.trim_end_matches([' ', '\t']);
            breaks += 1;
        }
        breaks
    }

    /// Skips to the end of the line.
    pub(super) fn skip_line_rest(&mut self) {
        loop {
            match class(self.byte()) {
                BREAK => return,
                LEAD if self.is_break(0) => return,
                _ => self.at += 1,
            }
        }
    }

    /// Whether `---` or `...` stands here as a line of its own.
    pub(super) fn is_document_marker(&self) -> bool {
        self.is_line_start()
            && matches!(self.byte(), b'-' | b'.')
            && self.peek(1) == self.byte()
            && self.peek(2) == self.byte()
            && self.is_blank_or_end(3)
    }

    /// Skips a run of a plain scalar: up to a blank, a break, or what ends the scalar.
    pub(super) fn skip_plain_run(&mut self, in_flow: bool) {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match class(*byte) {
                0 | WORD => {}
                BLANK | BREAK => return,
                FLOW if in_flow => return,
                COLON if self.is_blank_or_end(1) => return,
                LEAD if self.is_break(0) => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Skips a run of a quoted scalar: up to a blank, a break, the quote or a backslash.
    pub(super) fn skip_quoted_run(&mut self, quote: u8) {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match class(*byte) {
                BLANK | BREAK => return,
                LEAD if self.is_break(0) => return,
                _ if *byte == quote || *byte == b'\\' => return,
                _ => self.at += 1,
            }
        }
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Lines and columns beyond four thousand million are all the same to a reader.
pub(super) fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
