//! Comments, attached as go-yaml v3 does.

use super::cursor::Position;
use super::scanner::Scanner;

/// A run of comment lines that belongs to one place.
#[derive(Debug)]
pub(super) struct Comment {}

impl Scanner<'_> {
    pub(super) fn scan_comments(&mut self, _before: Position) {
        self.cursor.skip_line_rest();
    }
    pub(super) fn promote_entry_comment(&mut self) {}
    pub(super) fn line_comment_token(&mut self) -> usize {
        0
    }
    pub(super) fn scan_line_comment_of(&mut self, _token: usize) {}
    pub(super) fn block_end_place(&mut self, place: Position, _before: Position) -> Position {
        place
    }
}
