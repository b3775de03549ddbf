//! From text to tokens.
//!
//! Block structure becomes explicit here: a line that is indented further opens a collection, one that is
//! indented less closes some, and a node that turns out to be followed by `:` was a key all along. For the
//! usual key, a scalar, the `:` is looked for at once; for the others the tokens since then wait in a queue.

use std::collections::VecDeque;

use super::comments::Comment;
use super::cursor::{Cursor, Position, is_blank, to_u32};
use super::error::SyntaxError;
use super::options::{ParseOptions, Schema};
use super::token::{Kind, Token};
use crate::yaml::{Mark, Style};

pub(super) type Result<T, E = Box<SyntaxError>> = std::result::Result<T, E>;

/// Flow collections within each other, and block collections within each other: go-yaml's limit. The tree
/// has a lower one, see [`MAX_DEPTH`](super::MAX_DEPTH).
pub(super) const MAX_NESTING: usize = 10_000;

/// An implicit key is at most so many characters before its `:` (YAML 1.2, 7.4.2).
const MAX_KEY_CHARACTERS: u32 = 1024;

/// How many tokens go-yaml knows when it comes to one: comments belong to tokens before them.
const LOOK_AHEAD: usize = 3;

/// A node that may turn out to be a key.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// The number of its first token.
    number: usize,
    mark: Mark,
    offset: usize,
    /// In its place nothing but a key may stand.
    required: bool,
}

#[derive(Debug)]
pub(super) struct Scanner<'a> {
    pub(super) cursor: Cursor<'a>,
    tokens: VecDeque<Token<'a>>,
    /// How many tokens have left the queue.
    taken: usize,
    ready: bool,
    /// The column of the innermost block collection, from 0; -1 outside of any.
    pub(super) indent: i64,
    outer_indents: Vec<i64>,
    /// One for the block context and one for each flow collection around.
    candidates: Vec<Option<Candidate>>,
    pub(super) key_allowed: bool,
    pub(super) first_line: u32,
    pub(super) schema: Schema,
    pub(super) comments: Option<Comments>,
}

/// What the scanner keeps for the comments' sake.
#[derive(Debug, Default)]
pub(super) struct Comments {
    pub(super) found: VecDeque<Comment>,
    /// The last token of the queue and the one before it.
    pub(super) last: [Option<PreviousToken>; 2],
}

/// A token as comments look back at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PreviousToken {
    pub(super) what: What,
    pub(super) offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    SequenceStart,
    Entry,
    FlowEntry,
    Value,
    Other,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, options: &ParseOptions) -> Self {
        let mut cursor = Cursor::new(text, options.first_line);
        cursor.skip_byte_order_mark();
        Self {
            cursor,
            tokens: VecDeque::with_capacity(16),
            taken: 0,
            ready: false,
            indent: -1,
            outer_indents: Vec::with_capacity(16),
            candidates: vec![None],
            key_allowed: true,
            first_line: options.first_line,
            schema: options.schema,
            comments: options.comments.then(Comments::default),
        }
    }

    /// The next token.
    pub(super) fn peek(&mut self) -> Result<&Token<'a>> {
        if !self.ready {
            self.fill()?;
            self.ready = true;
        }
        Ok(&self.tokens[0])
    }

    /// Takes the token that was peeked at.
    pub(super) fn take(&mut self) -> Token<'a> {
        self.ready = false;
        self.taken += 1;
        self.tokens
            .pop_front()
            .expect("a token is peeked at before it is taken")
    }

    /// The token that [`Self::peek`] returned last.
    pub(super) fn peeked(&self) -> Option<&Token<'a>> {
        self.tokens.front()
    }

    pub(super) fn in_flow(&self) -> bool {
        self.candidates.len() > 1
    }

    /// Scans until the first token of the queue is certain.
    fn fill(&mut self) -> Result<()> {
        let tokens = if self.comments.is_some() {
            LOOK_AHEAD
        } else {
            1
        };
        while self.tokens.len() < tokens || self.head_may_be_key()? {
            self.scan_token()?;
        }
        Ok(())
    }

    /// Scans as far ahead as go-yaml does: what follows a document is refused that far.
    pub(super) fn look_ahead(&mut self) -> Result<()> {
        while self.tokens.len() < LOOK_AHEAD {
            self.scan_token()?;
        }
        Ok(())
    }

    fn head_may_be_key(&mut self) -> Result<bool> {
        let level = self.tokens[0].key_level as usize;
        if level == 0 || level > self.candidates.len() {
            return Ok(false);
        }
        match self.candidates[level - 1] {
            Some(candidate) if candidate.number == self.taken => self.is_still_possible(level - 1),
            _ => Ok(false),
        }
    }

    /// Whether the candidate of a level can still become a key at the cursor; forgets it otherwise.
    fn is_still_possible(&mut self, level: usize) -> Result<bool> {
        let Some(candidate) = self.candidates[level] else {
            return Ok(false);
        };
        let column = self.cursor.column() + 1;
        if candidate.mark.line == self.cursor.line()
            && column <= candidate.mark.column + MAX_KEY_CHARACTERS
        {
            return Ok(true);
        }
        self.forget_candidate(level)?;
        Ok(false)
    }

    fn forget_candidate(&mut self, level: usize) -> Result<()> {
        match self.candidates[level].take() {
            Some(candidate) if candidate.required => Err(SyntaxError::new(
                candidate.mark,
                "a key without a `:` after it",
            )),
            _ => Ok(()),
        }
    }

    fn forget_innermost(&mut self) -> Result<()> {
        self.forget_candidate(self.candidates.len() - 1)
    }

    /// Notes that the token to be pushed next may start a key; returns its `key_level`.
    fn note_candidate(&mut self) -> Result<u32> {
        if !self.key_allowed {
            return Ok(0);
        }
        let level = self.candidates.len() - 1;
        self.forget_candidate(level)?;
        let column = i64::from(self.cursor.column());
        self.candidates[level] = Some(Candidate {
            number: self.taken + self.tokens.len(),
            mark: self.cursor.mark(),
            offset: self.cursor.at(),
            required: level == 0 && self.indent == column,
        });
        Ok(to_u32(level + 1))
    }

    pub(super) fn push(&mut self, kind: Kind<'a>, mark: Mark, offset: usize) {
        self.push_at_level(kind, mark, offset, 0);
    }

    fn push_at_level(&mut self, kind: Kind<'a>, mark: Mark, offset: usize, key_level: u32) {
        let token = Token {
            kind,
            mark,
            offset,
            key_level,
        };
        if let Some(comments) = &mut self.comments {
            comments.last = [Some(PreviousToken::of(&token)), comments.last[0]];
        }
        self.tokens.push_back(token);
    }

    /// Scans one more token, or the few that come with it.
    fn scan_token(&mut self) -> Result<()> {
        let before = self.cursor.position();
        self.skip_to_token(before)?;
        let column = i64::from(self.cursor.column());
        self.close_blocks(column, before);
        if self.cursor.is_end() {
            return self.scan_end();
        }
        if self.cursor.is_line_start() {
            if self.cursor.byte() == b'%' {
                self.start_document_part()?;
                return self.scan_directive();
            }
            if self.cursor.is_document_marker() {
                return self.scan_document_marker();
            }
        }
        let comment_token = self.line_comment_token();
        self.scan_content()?;
        self.scan_line_comment_of(comment_token);
        Ok(())
    }

    fn scan_content(&mut self) -> Result<()> {
        let in_flow = self.in_flow();
        let next_is_blank = self.cursor.is_blank_or_end(1);
        match self.cursor.byte() {
            b'[' => self.scan_flow_start(Kind::FlowSequenceStart),
            b'{' => self.scan_flow_start(Kind::FlowMappingStart),
            b']' => self.scan_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.scan_flow_end(Kind::FlowMappingEnd),
            b',' => self.scan_flow_entry(),
            b'-' if next_is_blank => self.scan_entry(),
            b'?' if in_flow || next_is_blank => self.scan_key(),
            b':' if in_flow || next_is_blank => self.scan_value(),
            b'*' | b'&' => {
                let level = self.note_candidate()?;
                self.key_allowed = false;
                let (mark, offset) = (self.cursor.mark(), self.cursor.at());
                let kind = self.scan_anchor()?;
                self.push_at_level(kind, mark, offset, level);
                Ok(())
            }
            b'!' => {
                let level = self.note_candidate()?;
                self.key_allowed = false;
                let (mark, offset) = (self.cursor.mark(), self.cursor.at());
                let kind = self.scan_tag()?;
                self.push_at_level(kind, mark, offset, level);
                Ok(())
            }
            style @ (b'|' | b'>') if !in_flow => self.scan_block(style == b'|'),
            quote @ (b'\'' | b'"') => self.scan_scalar(Some(quote)),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => Err(self.cannot_start()),
            _ => self.scan_scalar(None),
        }
    }

    fn cannot_start(&mut self) -> Box<SyntaxError> {
        let mark = self.cursor.mark();
        match self.cursor.byte() {
            b'\t' => SyntaxError::new(mark, "a tab indents here, where only spaces may"),
            _ => SyntaxError::new(mark, "a value cannot start with this character"),
        }
    }

    /// Scans a plain or quoted scalar, with the tokens of a key when it is one.
    fn scan_scalar(&mut self, quote: Option<u8>) -> Result<()> {
        let level = self.note_candidate()?;
        self.key_allowed = false;
        let (mark, offset) = (self.cursor.mark(), self.cursor.at());
        let in_flow = self.in_flow();
        let (text, style) = match quote {
            None => (self.scan_plain(in_flow)?, Style::Plain),
            Some(b'\'') => (self.scan_single_quoted()?, Style::SingleQuoted),
            Some(_) => (self.scan_double_quoted()?, Style::DoubleQuoted),
        };
        if level > 0 && self.comments.is_none() && self.is_key_end(mark, in_flow) {
            self.candidates[level as usize - 1] = None;
            self.open_block(i64::from(mark.column) - 1, Kind::MappingStart, mark, offset)?;
            self.push(Kind::Key, mark, offset);
            self.push(Kind::Scalar(text, style), mark, offset);
            let (mark, offset) = (self.cursor.mark(), self.cursor.at());
            self.push(Kind::Value, mark, offset);
            self.cursor.skip(1);
        } else {
            self.push_at_level(Kind::Scalar(text, style), mark, offset, level);
        }
        Ok(())
    }

    /// Whether a `:` that makes a key of the scalar follows on its line; goes to it if so.
    fn is_key_end(&mut self, start: Mark, in_flow: bool) -> bool {
        let mut ahead = 0;
        while is_blank(self.cursor.peek(ahead)) {
            ahead += 1;
        }
        if self.cursor.peek(ahead) != b':'
            || !(in_flow || self.cursor.is_blank_or_end(ahead + 1))
            || start.line != self.cursor.line()
        {
            return false;
        }
        self.cursor.skip(ahead);
        self.cursor.column() < start.column + MAX_KEY_CHARACTERS
    }

    /// Skips blanks, comments and line breaks.
    fn skip_to_token(&mut self, before: Position) -> Result<()> {
        loop {
            if self.key_allowed && !self.in_flow() {
                self.cursor.skip_spaces();
            } else {
                self.cursor.skip_blanks();
            }
            self.promote_entry_comment();
            if self.cursor.byte() == b'#' {
                if self.comments.is_some() {
                    self.scan_comments(before);
                } else {
                    self.cursor.skip_line_rest();
                }
            }
            if self.cursor.take_break().is_none() {
                return Ok(());
            }
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    /// Closes the block collections that a line at this column is not within.
    fn close_blocks(&mut self, column: i64, before: Position) {
        if self.in_flow() {
            return;
        }
        let (mut place, mut is_first) = (before, true);
        while self.indent > column {
            place = self.block_end_place(place, is_first);
            is_first = false;
            self.push(Kind::BlockEnd, place.mark, place.offset);
            self.indent = self
                .outer_indents
                .pop()
                .expect("every indent was pushed over an outer one");
        }
    }

    /// Opens a block collection when the column is further in than the one around.
    fn open_block(&mut self, column: i64, kind: Kind<'a>, mark: Mark, offset: usize) -> Result<()> {
        self.open_block_before(self.tokens.len(), column, kind, mark, offset)
    }

    fn open_block_before(
        &mut self,
        index: usize,
        column: i64,
        kind: Kind<'a>,
        mark: Mark,
        offset: usize,
    ) -> Result<()> {
        if self.in_flow() || self.indent >= column {
            return Ok(());
        }
        if self.outer_indents.len() >= MAX_NESTING {
            return Err(SyntaxError::limit(
                mark,
                "more than 10000 levels of indentation",
            ));
        }
        self.outer_indents.push(self.indent);
        self.indent = column;
        if index == self.tokens.len() {
            self.push(kind, mark, offset);
        } else {
            self.insert(index, kind, mark, offset);
        }
        Ok(())
    }

    fn insert(&mut self, index: usize, kind: Kind<'a>, mark: Mark, offset: usize) {
        let token = Token {
            kind,
            mark,
            offset,
            key_level: 0,
        };
        self.tokens.insert(index, token);
    }

    fn scan_end(&mut self) -> Result<()> {
        self.cursor.finish_line();
        self.start_document_part()?;
        let (mark, offset) = (self.cursor.mark(), self.cursor.at());
        self.push(Kind::StreamEnd, mark, offset);
        Ok(())
    }

    /// Ends all that is open, before a directive, a document marker or the end.
    fn start_document_part(&mut self) -> Result<()> {
        let here = self.cursor.position();
        self.close_blocks(-1, here);
        self.forget_innermost()?;
        self.key_allowed = false;
        Ok(())
    }

    fn scan_document_marker(&mut self) -> Result<()> {
        self.start_document_part()?;
        let kind = if self.cursor.byte() == b'-' {
            Kind::DocumentStart
        } else {
            Kind::DocumentEnd
        };
        self.push_indicator(kind, 3);
        Ok(())
    }

    fn push_indicator(&mut self, kind: Kind<'a>, length: usize) {
        let (mark, offset) = (self.cursor.mark(), self.cursor.at());
        self.cursor.skip(length);
        self.push(kind, mark, offset);
    }

    fn scan_flow_start(&mut self, kind: Kind<'a>) -> Result<()> {
        let level = self.note_candidate()?;
        let (mark, offset) = (self.cursor.mark(), self.cursor.at());
        if self.candidates.len() > MAX_NESTING {
            return Err(SyntaxError::limit(
                mark,
                "more than 10000 levels of `[` and `{`",
            ));
        }
        self.candidates.push(None);
        self.key_allowed = true;
        self.cursor.skip(1);
        self.push_at_level(kind, mark, offset, level);
        Ok(())
    }

    fn scan_flow_end(&mut self, kind: Kind<'a>) -> Result<()> {
        self.forget_innermost()?;
        if self.in_flow() {
            self.candidates.pop();
        }
        self.key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn scan_flow_entry(&mut self) -> Result<()> {
        self.forget_innermost()?;
        self.key_allowed = true;
        self.push_indicator(Kind::FlowEntry, 1);
        Ok(())
    }

    fn scan_entry(&mut self) -> Result<()> {
        self.start_block_part(Kind::SequenceStart, "a `-` cannot start an item here")?;
        self.forget_innermost()?;
        self.key_allowed = true;
        self.push_indicator(Kind::Entry, 1);
        Ok(())
    }

    fn scan_key(&mut self) -> Result<()> {
        self.start_block_part(Kind::MappingStart, "a `?` cannot start a key here")?;
        self.forget_innermost()?;
        self.key_allowed = !self.in_flow();
        self.push_indicator(Kind::Key, 1);
        Ok(())
    }

    fn scan_value(&mut self) -> Result<()> {
        let level = self.candidates.len() - 1;
        if self.is_still_possible(level)?
            && let Some(key) = self.candidates[level].take()
        {
            let index = key.number - self.taken;
            self.insert(index, Kind::Key, key.mark, key.offset);
            let column = i64::from(key.mark.column) - 1;
            self.open_block_before(index, column, Kind::MappingStart, key.mark, key.offset)?;
            self.key_allowed = false;
        } else {
            self.start_block_part(
                Kind::MappingStart,
                "a `:` cannot start a value here; a text with `: ` in it needs quotes",
            )?;
            self.key_allowed = !self.in_flow();
        }
        self.push_indicator(Kind::Value, 1);
        Ok(())
    }

    /// Opens the block collection of an indicator, where one may stand.
    fn start_block_part(&mut self, kind: Kind<'a>, refusal: &'static str) -> Result<()> {
        if self.in_flow() {
            return Ok(());
        }
        let (mark, offset) = (self.cursor.mark(), self.cursor.at());
        if !self.key_allowed {
            return Err(SyntaxError::new(mark, refusal));
        }
        self.open_block(i64::from(mark.column) - 1, kind, mark, offset)
    }

    fn scan_block(&mut self, literal: bool) -> Result<()> {
        self.forget_innermost()?;
        self.key_allowed = true;
        let (mark, offset) = (self.cursor.mark(), self.cursor.at());
        let text = self.scan_block_scalar(literal)?;
        let style = if literal {
            Style::Literal
        } else {
            Style::Folded
        };
        self.push(Kind::Scalar(text, style), mark, offset);
        Ok(())
    }
}

impl PreviousToken {
    fn of(token: &Token<'_>) -> Self {
        let what = match token.kind {
            Kind::SequenceStart => What::SequenceStart,
            Kind::Entry => What::Entry,
            Kind::FlowEntry => What::FlowEntry,
            Kind::Value => What::Value,
            _ => What::Other,
        };
        Self {
            what,
            offset: token.offset,
        }
    }
}
