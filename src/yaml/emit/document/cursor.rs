//! Where the output stands, and the comments that wait to be written.

use crate::yaml::emit::scalar::{Layout, Line};
use crate::yaml::parser::write_folded;

/// The style that a scalar is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarStyle {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

/// The end of the output: column, indentation and what go-yaml remembers about the last characters.
pub(super) struct Cursor<'o, 'n> {
    line: Line<'o>,
    step: usize,
    /// The column of the collection that is being written; `None` outside of the root.
    pub(super) indent: Option<usize>,
    /// Whether the last character separates.
    whitespace: bool,
    /// Whether the line holds nothing but indentation and indicators.
    indention: bool,
    /// The column of a foot comment that was just written: an entry at this column follows after an empty line.
    foot_column: Option<usize>,
    head: &'n str,
    line_end: &'n str,
    foot: &'n str,
    tail: &'n str,
    key_line_end: &'n str,
}

impl<'o, 'n> Cursor<'o, 'n> {
    pub(super) fn new(out: &'o mut Vec<u8>, step: usize) -> Self {
        Self {
            line: Line { out, column: 0 },
            step,
            indent: None,
            whitespace: true,
            indention: true,
            foot_column: None,
            head: "",
            line_end: "",
            foot: "",
            tail: "",
            key_line_end: "",
        }
    }

    /// Takes comments to be written by the steps to come; an empty text leaves what is waiting.
    pub(super) fn await_comments(
        &mut self,
        head: &'n str,
        line: &'n str,
        foot: &'n str,
        tail: &'n str,
    ) {
        for (slot, comment) in [
            (&mut self.head, head),
            (&mut self.line_end, line),
            (&mut self.foot, foot),
            (&mut self.tail, tail),
        ] {
            if !comment.is_empty() {
                *slot = comment;
            }
        }
    }

    /// Keeps a key's line comment until its value is known.
    pub(super) fn keep_key_comment(&mut self) {
        if !self.line_end.is_empty() {
            self.key_line_end = std::mem::take(&mut self.line_end);
        }
    }

    /// Lets a scalar carry its key's line comment, or writes it before a block.
    pub(super) fn release_key_comment(&mut self, scalar: bool) {
        if self.key_line_end.is_empty() {
            return;
        }
        if !scalar {
            let waiting =
                std::mem::replace(&mut self.line_end, std::mem::take(&mut self.key_line_end));
            self.line_comment();
            self.line_end = waiting;
        } else if self.line_end.is_empty() {
            self.line_end = std::mem::take(&mut self.key_line_end);
        }
    }

    /// Writes what waits before an entry: the foot comment of the last one, then its own head comment.
    pub(super) fn head_comment(&mut self) {
        let tail = std::mem::take(&mut self.tail);
        if !tail.is_empty() {
            self.start_line();
            self.comment(tail);
            self.foot_column = Some(self.indent.unwrap_or(0));
        }
        let head = std::mem::take(&mut self.head);
        if !head.is_empty() {
            self.start_line();
            self.comment(head);
        }
    }

    /// Writes what waits for the end of the line.
    pub(super) fn line_comment(&mut self) {
        let comment = std::mem::take(&mut self.line_end);
        if !comment.is_empty() {
            self.separate();
            self.comment(comment);
        }
    }

    /// Writes what waits for the end of a node.
    pub(super) fn foot_comment(&mut self) {
        let comment = std::mem::take(&mut self.foot);
        if !comment.is_empty() {
            self.start_line();
            self.comment(comment);
            self.foot_column = Some(self.indent.unwrap_or(0));
        }
    }

    /// Writes lines of a comment at the column, each with its sign.
    fn comment(&mut self, text: &str) {
        for (index, line) in text.split('\n').filter(|line| !line.is_empty()).enumerate() {
            if index > 0 {
                self.start_line();
            }
            if !line.starts_with('#') {
                self.line.put_ascii(b"# ");
            }
            self.line.put(line);
            self.line.put_break();
            self.indention = true;
        }
        self.whitespace = true;
    }

    /// Starts a line at the indentation, unless the output stands there already.
    pub(super) fn start_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        let column = self.line.column;
        if !self.indention || column > indent || column == indent && !self.whitespace {
            self.line_break();
        }
        if self.foot_column.take() == Some(indent) {
            self.line_break();
        }
        self.line.pad(indent);
        self.whitespace = true;
    }

    fn line_break(&mut self) {
        self.line.put_break();
        self.indention = true;
    }

    fn separate(&mut self) {
        if !self.whitespace {
            self.line.put_byte(b' ');
        }
    }

    /// Writes `-`, `?` or `:`, behind which a collection may start on the same line, or another indicator.
    pub(super) fn indicator(&mut self, indicator: &[u8], compact: bool) {
        self.separate();
        self.line.put_ascii(indicator);
        self.whitespace = false;
        self.indention &= compact;
    }

    /// Writes the colon of a simple key.
    pub(super) fn colon(&mut self) {
        self.line.put_byte(b':');
        self.whitespace = false;
        self.indention = false;
    }

    pub(super) fn tag(&mut self, tag: &str) {
        self.separate();
        self.line.put(tag);
        self.whitespace = false;
        self.indention = false;
    }

    /// Opens a collection without entries. Comments that wait for its first entry stand inside.
    pub(super) fn opening_bracket(&mut self, bracket: u8) {
        self.separate();
        self.line.put_byte(bracket);
        self.whitespace = true;
        self.indention = false;
    }

    pub(super) fn closing_bracket(&mut self, bracket: u8) {
        self.line.put_byte(bracket);
        self.whitespace = false;
        self.indention = false;
    }

    /// Steps into a collection of blocks: over the `- ` of an item, else to the next multiple of the step.
    pub(super) fn indent_collection(&mut self, in_item: bool) {
        self.indent = Some(self.indent.map_or(0, |indent| self.deeper(indent, in_item)));
    }

    /// Steps to the column of a scalar's further lines.
    pub(super) fn indent_scalar(&mut self, in_item: bool) {
        self.indent = Some(
            self.indent
                .map_or(self.step, |indent| self.deeper(indent, in_item)),
        );
    }

    fn deeper(&self, indent: usize, in_item: bool) -> usize {
        if in_item {
            indent + 2
        } else {
            (indent / self.step + 1) * self.step
        }
    }

    /// Writes the foot comment of a document and ends its last line.
    pub(super) fn end_document(&mut self) {
        self.foot_column = Some(0);
        self.foot_comment();
        self.foot_column = None;
        self.start_line();
    }

    /// Writes the text of a scalar in a style that can hold it.
    pub(super) fn scalar(&mut self, text: &str, style: ScalarStyle) {
        let layout = Layout {
            indent: self.indent.unwrap_or(0),
            width: None,
        };
        if style != ScalarStyle::Plain || !text.is_empty() {
            self.separate();
            self.whitespace = false;
        }
        self.indention = false;
        match style {
            ScalarStyle::Plain => self.line.plain(text, layout),
            ScalarStyle::Single => self.line.single_quoted(text, layout),
            ScalarStyle::Double => self.line.double_quoted(text, layout),
            ScalarStyle::Literal => self.literal(text, layout.indent),
            ScalarStyle::Folded => self.folded(text, layout.indent),
        }
    }

    /// Writes the comma between the items of a flow collection.
    pub(super) fn comma(&mut self) {
        self.line.put_byte(b',');
        self.whitespace = false;
        self.indention = false;
    }

    fn folded(&mut self, text: &str, indent: usize) {
        let written = write_folded(text);
        let mut lines = written.split('\n');
        self.line.put(lines.next().unwrap_or_default());
        self.line_comment();
        for line in lines {
            if self.line.column > 0 {
                self.line.put_break();
            } else if line.is_empty() {
                self.line.put_break();
                continue;
            }
            let line = line.strip_prefix("  ").unwrap_or(line);
            if !line.is_empty() {
                self.line.pad(indent);
                self.line.put(line);
            }
        }
        self.whitespace = true;
        self.indention = self.line.column == 0;
    }

    fn literal(&mut self, text: &str, indent: usize) {
        let hint = u8::try_from(self.step).expect("a step is at most 9");
        self.line.literal_header(text, hint);
        if self.line_end.is_empty() {
            self.line.put_break();
        } else {
            self.line_comment();
        }
        self.line.literal_lines(text, indent);
        self.whitespace = true;
        self.indention = self.line.column == 0;
    }
}
