//! Comments, attached where go-yaml v3 attaches them.
//!
//! A comment on the line of a token is that token's. Lines of comments are the head of what follows, or the
//! foot of what came before: the foot when an empty line follows and nothing but a line break stands
//! between, or when the next line is indented less. The scanner finds and classes comments; the composer
//! gathers those that belong to a token when it comes to it.

use super::cursor::{Position, is_blank};
use super::scanner::{PreviousToken, Scanner, What};
use super::token::{Kind, Token};
use crate::yaml::{self, Node, Tag};

/// go-yaml looks so many bytes ahead for the next line of a comment.
const LOOK_AHEAD: usize = 512;

/// Comment text that belongs to one place.
#[derive(Debug)]
pub(super) struct Comment {
    role: Role,
    text: String,
    /// It goes to the first event of a token that starts here or later.
    token: usize,
    /// Where it starts; the column counts from 1.
    start: Position,
    /// The end of the search that found it; 0 for a line comment.
    end: usize,
    /// The start of the search that found it.
    scan: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Head,
    Line,
    Foot,
}

impl Scanner<'_> {
    fn last_token(&self) -> PreviousToken {
        let last = self.comments.as_ref().and_then(|c| c.last[0]);
        last.unwrap_or(PreviousToken {
            what: What::Other,
            offset: 0,
        })
    }

    fn note_comment(&mut self, comment: Comment) {
        if let Some(comments) = &mut self.comments {
            comments.found.push_back(comment);
        }
    }

    /// The token that a comment on the line of the coming token belongs to: that token, but for `:` and `,`.
    pub(super) fn line_comment_token(&self) -> usize {
        let separator = if self.in_flow() { b',' } else { b':' };
        if self.comments.is_some() && self.cursor.byte() == separator {
            self.last_token().offset
        } else {
            self.cursor.at()
        }
    }

    /// Takes a comment after a token, on its line. An item's `-` has none: its comment is the item's head.
    pub(super) fn scan_line_comment_of(&mut self, token: usize) {
        if self.comments.is_some() && self.last_token().what != What::Entry {
            self.scan_line_comment(token);
        }
    }

    pub(super) fn scan_line_comment(&mut self, token: usize) {
        if self.comments.is_none() || self.cursor.breaks_before() > 0 {
            return;
        }
        let blanks = (0..LOOK_AHEAD).take_while(|at| is_blank(self.cursor.peek(*at)));
        let blanks = blanks.count();
        if blanks == LOOK_AHEAD || self.cursor.peek(blanks) != b'#' {
            return;
        }
        self.cursor.skip(blanks);
        let start = self.cursor.position();
        self.cursor.skip_line_rest();
        self.note_comment(Comment {
            role: Role::Line,
            text: self.cursor.slice(start.offset, self.cursor.at()).to_owned(),
            token,
            start,
            end: 0,
            scan: 0,
        });
    }

    /// Makes the comment after a list's key the head of its first item, once the item has come.
    pub(super) fn promote_entry_comment(&mut self) {
        let here = self.cursor.at();
        let line = self.cursor.line();
        let at_break = self.comments.is_some() && self.cursor.is_break(0);
        let Some(comments) = &mut self.comments else {
            return;
        };
        let [Some(last), Some(before)] = comments.last else {
            return;
        };
        if before.what != What::SequenceStart || last.what != What::Entry || at_break {
            return;
        }
        if let Some(comment) = comments.found.back_mut()
            && comment.role == Role::Line
        {
            comment.role = Role::Head;
            if comment.start.mark.line + 1 == line {
                comment.token = here;
            }
        }
    }

    /// Where the end of a block stands: before comments that are indented like the block, which are its own.
    pub(super) fn block_end_place(&self, place: Position, first: bool) -> Position {
        let mut place = place;
        if first {
            place.offset = place.offset.saturating_sub(1);
        }
        let Some(comments) = &self.comments else {
            return place;
        };
        let mut stop = place.offset;
        for comment in comments.found.iter().rev() {
            if comment.end < stop {
                break;
            }
            if i64::from(comment.start.mark.column) == self.indent + 1 {
                place = comment.start;
            }
            stop = comment.scan;
        }
        place
    }

    /// Takes lines of comments, from a `#` on.
    pub(super) fn scan_comments(&mut self, before: Position) {
        let first_line = before.mark.line == self.first_line;
        let mut search = Search::new(self, before, first_line);
        let mut ahead = 0;
        let mut column = self.cursor.position().mark.column - 1;
        let mut line = self.cursor.line();
        let mut after_empty = false;
        while ahead < LOOK_AHEAD {
            column += 1;
            let byte = self.cursor.peek(ahead);
            if is_blank(byte) {
                ahead += 1;
                continue;
            }
            let here = Position {
                offset: self.cursor.at() + ahead,
                mark: yaml::Mark { line, column },
            };
            let closes = self.in_flow() && matches!(byte, b']' | b'}');
            if closes || self.cursor.is_break_or_end(ahead) {
                if closes || !after_empty {
                    let is_end = self.cursor.at() + ahead >= self.cursor.text().len();
                    search.end_paragraph(self, here, closes, is_end);
                }
                if !self.cursor.is_break(ahead) {
                    break;
                }
                search.no_empty_line_yet = false;
                after_empty = true;
                column = 0;
                line += 1;
                ahead += 1;
                continue;
            }
            search.leave_block(self, here);
            if byte != b'#' {
                break;
            }
            search.start_line(here);
            after_empty = false;
            self.take_comment_line(ahead, &mut search.text);
            // go-yaml goes on behind the first byte of the line break, on the comment's own line.
            ahead = 1;
            column = 0;
            line = self.cursor.line();
        }
        search.finish(self, ahead);
    }

    /// Goes over line breaks and blanks to a comment and takes it.
    fn take_comment_line(&mut self, ahead: usize, text: &mut String) {
        let from = self.cursor.at() + ahead;
        while self.cursor.at() < from {
            if self.cursor.take_break().is_none() {
                self.cursor.skip(1);
            }
        }
        self.cursor.skip_line_rest();
        text.push_str(self.cursor.slice(from, self.cursor.at()));
    }

    fn comment_indent(&self) -> i64 {
        self.indent.max(0)
    }
}

/// A search for lines of comments.
struct Search {
    text: String,
    scan: usize,
    token: usize,
    start: Position,
    after_value: bool,
    no_empty_line_yet: bool,
    /// The line where a comment starts that can be a foot.
    foot_line: Option<u32>,
}

impl Search {
    fn new(scanner: &mut Scanner<'_>, before: Position, on_first_line: bool) -> Self {
        let breaks = scanner.cursor.breaks_before();
        let here = scanner.cursor.position();
        let mut token = scanner.last_token();
        if token.what == What::FlowEntry {
            let second = scanner.comments.as_ref().and_then(|c| c.last[1]);
            token = second.unwrap_or(token);
        }
        let shift = if breaks == 0 && here.mark.column > 2 {
            2
        } else {
            1
        };
        Self {
            text: String::new(),
            scan: before.offset,
            token: token.offset,
            start: Position {
                offset: 0,
                mark: yaml::Mark::default(),
            },
            after_value: token.what == What::Value,
            no_empty_line_yet: breaks <= 1,
            foot_line: (!on_first_line).then(|| (here.mark.line + shift).saturating_sub(breaks)),
        }
    }

    /// At an empty line, the end of the text or of a flow collection: what came up to here may be a foot.
    fn end_paragraph(
        &mut self,
        scanner: &mut Scanner<'_>,
        here: Position,
        closes: bool,
        is_end: bool,
    ) {
        let dedented = self.is_dedented(scanner);
        let is_foot = self.foot_line == Some(self.start.mark.line) && !self.after_value;
        if closes || self.no_empty_line_yet && (is_foot || dedented) {
            if dedented && !self.text.is_empty() {
                // It is not about the token before it.
                self.token = self.start.offset;
            }
            self.push_foot(scanner, here);
        } else if !self.text.is_empty() && !is_end {
            self.text.push('\n');
        }
    }

    /// At text that is indented less than the block: what came up to here is a foot.
    fn leave_block(&mut self, scanner: &mut Scanner<'_>, here: Position) {
        let column = i64::from(here.mark.column);
        if column - 1 < scanner.comment_indent() && here.mark.column != self.start.mark.column {
            self.push_foot(scanner, here);
        }
    }

    fn is_dedented(&self, scanner: &Scanner<'_>) -> bool {
        i64::from(self.start.mark.column) - 1 < scanner.comment_indent()
    }

    fn push_foot(&mut self, scanner: &mut Scanner<'_>, here: Position) {
        if self.text.is_empty() {
            return;
        }
        scanner.note_comment(Comment {
            role: Role::Foot,
            text: std::mem::take(&mut self.text),
            token: self.token,
            start: self.start,
            end: here.offset,
            scan: self.scan,
        });
        self.scan = here.offset;
        self.token = here.offset;
    }

    fn start_line(&mut self, here: Position) {
        if self.text.is_empty() {
            self.start = here;
        } else {
            self.text.push('\n');
        }
    }

    fn finish(self, scanner: &mut Scanner<'_>, ahead: usize) {
        if self.text.is_empty() {
            return;
        }
        scanner.note_comment(Comment {
            role: Role::Head,
            text: self.text,
            token: self.start.offset,
            start: self.start,
            end: (scanner.cursor.at() + ahead).saturating_sub(1),
            scan: self.scan,
        });
    }
}

/// Comments on their way to the next event.
#[derive(Debug, Default)]
pub(super) struct PendingComments {
    head: String,
    line: String,
    foot: String,
    /// What stood before the `-` of an item that is a collection: the collection's, not its first key's.
    stem: Option<String>,
}

impl PendingComments {
    /// Gathers the comments that belong to a token or to what stands before it.
    pub(super) fn gather(&mut self, scanner: &mut Scanner<'_>) {
        let (offset, is_block_end) = match scanner.peeked() {
            Some(token) => (token.offset, is_block_end(token)),
            None => return,
        };
        let Some(comments) = &mut scanner.comments else {
            return;
        };
        while let Some(comment) = comments.found.front() {
            // The head of what follows a block stays for that.
            if offset < comment.token || (comment.role == Role::Head && is_block_end) {
                return;
            }
            let slot = match comment.role {
                Role::Head => &mut self.head,
                Role::Line => &mut self.line,
                Role::Foot => &mut self.foot,
            };
            if !slot.is_empty() {
                slot.push('\n');
            }
            slot.push_str(&comment.text);
            comments.found.pop_front();
        }
    }

    /// Gives what is held to an event.
    pub(super) fn take(&mut self) -> yaml::Comments {
        self.stem = None;
        yaml::Comments {
            head: std::mem::take(&mut self.head),
            line: std::mem::take(&mut self.line),
            foot: std::mem::take(&mut self.foot),
        }
    }

    pub(super) fn head_length(&self) -> usize {
        self.head.len()
    }

    /// Sets the head's first part aside for a collection.
    pub(super) fn split_stem(&mut self, length: usize) {
        let rest = self.head.get(length + 1..).unwrap_or_default().to_owned();
        self.head.truncate(length);
        self.stem = Some(std::mem::replace(&mut self.head, rest));
    }

    pub(super) fn take_stem(&mut self) -> String {
        self.stem.take().unwrap_or_default()
    }

    /// Takes the document's part of the head: what stands before its last empty line.
    pub(super) fn take_document_head(&mut self) -> String {
        let bytes = self.head.as_bytes();
        let last = bytes.len().saturating_sub(1);
        for at in (1..bytes.len()).rev().filter(|at| bytes[*at] == b'\n') {
            let end = if at == last {
                at
            } else if bytes[at - 1] == b'\n' {
                at - 1
            } else {
                continue;
            };
            let rest = self.head[at + 1..].to_owned();
            self.head.truncate(end);
            return std::mem::replace(&mut self.head, rest);
        }
        String::new()
    }

    /// Takes the foot of a document; comments before its end that nothing follows count as one.
    pub(super) fn take_document_foot(&mut self) -> String {
        let comments = self.take();
        if comments.foot.is_empty() {
            comments.head
        } else {
            comments.foot
        }
    }
}

fn is_block_end(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::BlockEnd)
}

/// Attaches comments, if there are any.
pub(super) fn attach(node: &mut Node, comments: yaml::Comments) {
    if !comments.head.is_empty() || !comments.line.is_empty() || !comments.foot.is_empty() {
        *node.comments_mut() = comments;
    }
}

/// Gives the root of a document what stands around the document.
pub(super) fn attach_to_document(root: &mut Node, head: String, foot: String) {
    for (text, slot) in [(head, Role::Head), (foot, Role::Foot)] {
        if text.is_empty() {
            continue;
        }
        let comments = root.comments_mut();
        if slot == Role::Head {
            let own = std::mem::replace(&mut comments.head, text);
            join(&mut comments.head, &own);
        } else {
            join(&mut comments.foot, &text);
        }
    }
}

fn join(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

/// Moves the feet of a key and its value to the keys that they follow.
pub(super) fn settle_feet(entries: &mut [yaml::Entry], is_block: bool) {
    let Some((entry, earlier)) = entries.split_last_mut() else {
        return;
    };
    if is_block && let Some(before) = earlier.last_mut() {
        let foot = take_foot(&mut entry.key);
        set_foot(&mut before.key, foot);
    }
    if entry.key.comments().is_none_or(|c| c.foot.is_empty()) {
        let foot = take_foot(&mut entry.value);
        set_foot(&mut entry.key, foot);
    }
}

fn take_foot(node: &mut Node) -> String {
    match node.comments() {
        Some(comments) if !comments.foot.is_empty() => {
            std::mem::take(&mut node.comments_mut().foot)
        }
        _ => String::new(),
    }
}

fn set_foot(node: &mut Node, foot: String) {
    if !foot.is_empty() {
        node.comments_mut().foot = foot;
    }
}

/// Gives a collection its comments: its head, and what stands at its end.
pub(super) fn attach_to_collection(node: &mut Node, head: String, end: yaml::Comments) {
    let mut comments = yaml::Comments { head, ..end };
    let is_block = node.style() != yaml::Style::Flow;
    if node.tag() == Tag::Map
        && is_block
        && let Some(last) = node
            .as_mapping_mut()
            .and_then(|m| m.entries_mut().last_mut())
    {
        let foot = std::mem::take(&mut comments.foot);
        set_foot(&mut last.key, foot);
    }
    attach(node, comments);
}
