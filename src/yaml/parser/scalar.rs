//! The text of plain, quoted and block scalars.

use std::borrow::Cow;

use super::cursor::{is_blank, to_u32};
use super::error::SyntaxError;
use super::options::Schema;
use super::scanner::{Result, Scanner};
use crate::yaml::Mark;

/// Line breaks between two lines of a scalar: the first, and what the empty lines after it stand for.
struct Breaks {
    first: &'static str,
    more: String,
}

impl Breaks {
    /// Appends what the breaks fold to: a space for a single one, else the empty lines.
    fn fold_into(&self, text: &mut String) {
        if self.first != "\n" {
            text.push_str(self.first);
        } else if self.more.is_empty() {
            text.push(' ');
        }
        text.push_str(&self.more);
    }
}

impl<'a> Scanner<'a> {
    /// Scans a plain scalar, over as many lines as are indented enough.
    pub(super) fn scan_plain(&mut self, in_flow: bool) -> Result<Cow<'a, str>> {
        let start = self.cursor.at();
        let mut end = self.plain_line(in_flow);
        let mut folded: Option<String> = None;
        while self.cursor.is_break(0) {
            let breaks = self.plain_breaks()?;
            self.key_allowed = true;
            if (!in_flow && i64::from(self.cursor.column()) <= self.indent)
                || self.cursor.byte() == b'#'
                || self.cursor.is_document_marker()
            {
                break;
            }
            let from = self.cursor.at();
            let to = self.plain_line(in_flow);
            if from == to {
                break;
            }
            let text = folded.get_or_insert_with(|| self.cursor.slice(start, end).to_owned());
            breaks.fold_into(text);
            text.push_str(self.cursor.slice(from, to));
            end = to;
            self.key_allowed = false;
        }
        Ok(folded.map_or_else(|| Cow::Borrowed(self.cursor.slice(start, end)), Cow::Owned))
    }

    /// Goes over what a line gives to a plain scalar and the blanks after it; returns its end.
    fn plain_line(&mut self, in_flow: bool) -> usize {
        let mut end = self.cursor.at();
        loop {
            let from = self.cursor.at();
            self.cursor.skip_plain_run(in_flow);
            if self.cursor.at() > from {
                end = self.cursor.at();
            }
            if !is_blank(self.cursor.byte()) {
                return end;
            }
            self.cursor.skip_blanks();
            if self.cursor.byte() == b'#' || self.cursor.is_break_or_end(0) {
                return end;
            }
        }
    }

    /// Takes line breaks, empty lines and the next line's indentation.
    fn plain_breaks(&mut self) -> Result<Breaks> {
        let first = self.cursor.take_break().unwrap_or("\n");
        let mut more = String::new();
        loop {
            while is_blank(self.cursor.byte()) {
                if self.cursor.byte() == b'\t' && i64::from(self.cursor.column()) <= self.indent {
                    let mark = self.cursor.mark();
                    return Err(SyntaxError::new(
                        mark,
                        "a tab indents here, where only spaces may",
                    ));
                }
                self.cursor.skip(1);
            }
            match self.cursor.take_break() {
                Some(line) => more.push_str(line),
                None => return Ok(Breaks { first, more }),
            }
        }
    }

    pub(super) fn scan_single_quoted(&mut self) -> Result<Cow<'a, str>> {
        self.scan_quoted(b'\'')
    }

    pub(super) fn scan_double_quoted(&mut self) -> Result<Cow<'a, str>> {
        self.scan_quoted(b'"')
    }

    fn scan_quoted(&mut self, quote: u8) -> Result<Cow<'a, str>> {
        let open = self.cursor.mark();
        self.cursor.skip(1);
        let start = self.cursor.at();
        if let Some(text) = self.quoted_on_one_line(quote) {
            return Ok(Cow::Borrowed(text));
        }
        self.cursor.rewind(start);
        self.quoted_with_escapes(quote, open).map(Cow::Owned)
    }

    /// The whole of a quoted scalar that stands in the text as it is; `None` when it does not.
    fn quoted_on_one_line(&mut self, quote: u8) -> Option<&'a str> {
        let start = self.cursor.at();
        loop {
            self.cursor.skip_quoted_run(quote);
            let byte = self.cursor.byte();
            if byte == quote {
                if quote == b'\'' && self.cursor.peek(1) == b'\'' {
                    return None;
                }
                let text = self.cursor.slice(start, self.cursor.at());
                self.cursor.skip(1);
                return Some(text);
            }
            let is_text = is_blank(byte) || (byte == b'\\' && quote == b'\'');
            if !is_text {
                return None;
            }
            self.cursor.skip(1);
        }
    }

    fn quoted_with_escapes(&mut self, quote: u8, open: Mark) -> Result<String> {
        let mut text = String::new();
        loop {
            if self.cursor.is_document_marker() {
                let message = "a document marker stands inside quotes that are not closed";
                return Err(SyntaxError::new(open, message));
            }
            if self.cursor.is_end() {
                return Err(SyntaxError::new(open, "these quotes are not closed"));
            }
            let joined = self.quoted_run(quote, open, &mut text)?;
            if self.cursor.byte() == quote {
                self.cursor.skip(1);
                return Ok(text);
            }
            self.quoted_blanks(joined, &mut text);
        }
    }

    /// Takes text up to a blank, a break or the closing quote. Returns whether an escaped line break ended it.
    fn quoted_run(&mut self, quote: u8, open: Mark, text: &mut String) -> Result<bool> {
        loop {
            let from = self.cursor.at();
            self.cursor.skip_quoted_run(quote);
            text.push_str(self.cursor.slice(from, self.cursor.at()));
            match self.cursor.byte() {
                b'\'' if quote == b'\'' && self.cursor.peek(1) == b'\'' => {
                    text.push('\'');
                    self.cursor.skip(2);
                }
                b'\\' if quote == b'\'' => {
                    text.push('\\');
                    self.cursor.skip(1);
                }
                b'\\' if self.cursor.is_break(1) => {
                    self.cursor.skip(1);
                    self.cursor.take_break();
                    return Ok(true);
                }
                b'\\' => text.push(self.scan_escape(open)?),
                _ => return Ok(false),
            }
        }
    }

    /// Takes blanks and line breaks within quotes, folding the breaks.
    fn quoted_blanks(&mut self, joined: bool, text: &mut String) {
        let from = self.cursor.at();
        self.cursor.skip_blanks();
        let first = if joined {
            ""
        } else if let Some(line) = self.cursor.take_break() {
            line
        } else {
            text.push_str(self.cursor.slice(from, self.cursor.at()));
            return;
        };
        let mut more = String::new();
        loop {
            self.cursor.skip_blanks();
            match self.cursor.take_break() {
                Some(line) => more.push_str(line),
                None => break,
            }
        }
        Breaks { first, more }.fold_into(text);
    }

    fn scan_escape(&mut self, open: Mark) -> Result<char> {
        let digits = match self.cursor.peek(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            letter => {
                let Some(character) = simple_escape(letter, self.schema) else {
                    let mark = self.cursor.mark();
                    return Err(SyntaxError::new(mark, "YAML has no such escape"));
                };
                self.cursor.skip(2);
                return Ok(character);
            }
        };
        let mark = self.cursor.mark();
        self.cursor.skip(2);
        let from = self.cursor.at();
        let code = self.cursor.text().get(from..from + digits);
        let code = code.filter(|c| c.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(code) = code else {
            let message = format!("this escape needs {digits} hexadecimal digits");
            return Err(SyntaxError::new(mark, message));
        };
        self.cursor.skip(digits);
        u32::from_str_radix(code, 16)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| {
                let _ = open;
                SyntaxError::new(mark, "this escape is no Unicode character")
            })
    }

    /// Scans a literal or folded block scalar.
    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<Cow<'a, str>> {
        let header = self.scan_block_header()?;
        let mut block = Block {
            indent: match header.indent {
                0 => 0,
                more => self.indent.max(0) + more,
            },
            text: String::new(),
            breaks: String::new(),
        };
        self.block_breaks(&mut block)?;
        let (mut last_break, mut after_blank) = ("", false);
        while self.cursor.indentation() == block.indent && !self.cursor.is_end() {
            let blank = is_blank(self.cursor.byte());
            if literal || after_blank || blank || last_break != "\n" {
                block.text.push_str(last_break);
            } else if block.breaks.is_empty() {
                block.text.push(' ');
            }
            block.text.push_str(&block.breaks);
            block.breaks.clear();
            after_blank = blank;
            let from = self.cursor.at();
            self.cursor.skip_line_rest();
            block
                .text
                .push_str(self.cursor.slice(from, self.cursor.at()));
            last_break = self.cursor.take_break().unwrap_or("");
            self.block_breaks(&mut block)?;
        }
        if header.chomp != Chomp::Strip {
            block.text.push_str(last_break);
        }
        if header.chomp == Chomp::Keep {
            block.text.push_str(&block.breaks);
        }
        Ok(Cow::Owned(block.text))
    }

    fn scan_block_header(&mut self) -> Result<BlockHeader> {
        let (open, start) = (self.cursor.mark(), self.cursor.at());
        self.cursor.skip(1);
        let mut header = BlockHeader {
            indent: 0,
            chomp: Chomp::Clip,
        };
        self.scan_chomp(&mut header);
        if self.cursor.byte().is_ascii_digit() {
            if self.cursor.byte() == b'0' {
                let message = "the indentation of a block text counts from 1";
                return Err(SyntaxError::new(open, message));
            }
            header.indent = i64::from(self.cursor.byte() - b'0');
            self.cursor.skip(1);
            if header.chomp == Chomp::Clip {
                self.scan_chomp(&mut header);
            }
        }
        self.cursor.skip_blanks();
        if self.cursor.byte() == b'#' {
            self.scan_line_comment(start);
            self.cursor.skip_line_rest();
        }
        if !self.cursor.is_break_or_end(0) {
            let mark = self.cursor.mark();
            let message = "a block text starts on the line after its `|` or `>`";
            return Err(SyntaxError::new(mark, message));
        }
        self.cursor.take_break();
        Ok(header)
    }

    fn scan_chomp(&mut self, header: &mut BlockHeader) {
        header.chomp = match self.cursor.byte() {
            b'+' => Chomp::Keep,
            b'-' => Chomp::Strip,
            _ => return,
        };
        self.cursor.skip(1);
    }

    /// Takes indentation and empty lines; finds the indentation from the first line that is not empty.
    fn block_breaks(&mut self, block: &mut Block) -> Result<()> {
        let mut widest = 0;
        loop {
            while (block.indent == 0 || self.cursor.indentation() < block.indent)
                && self.cursor.byte() == b' '
            {
                self.cursor.skip(1);
            }
            widest = widest.max(self.cursor.indentation());
            let within = block.indent == 0 || self.cursor.indentation() < block.indent;
            if within && self.cursor.byte() == b'\t' {
                return Err(SyntaxError::new(
                    Mark {
                        line: self.cursor.line(),
                        column: to_u32(usize::try_from(widest).unwrap_or(0)) + 1,
                    },
                    "a tab indents a block text, where only spaces may",
                ));
            }
            match self.cursor.take_break() {
                Some(line) => block.breaks.push_str(line),
                None => break,
            }
        }
        if block.indent == 0 {
            block.indent = widest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}

/// A block scalar on its way.
struct Block {
    /// 0 until it is known.
    indent: i64,
    text: String,
    /// Line breaks that are text only if more text follows.
    breaks: String,
}

struct BlockHeader {
    indent: i64,
    chomp: Chomp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

fn simple_escape(letter: u8, schema: Schema) -> Option<char> {
    Some(match letter {
        // YAML 1.2, so that JSON is YAML: PyYAML has it, go-yaml has not.
        b'/' if schema == Schema::Python => '/',
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0B',
        b'f' => '\x0C',
        b'r' => '\r',
        b'e' => '\x1B',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{A0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
