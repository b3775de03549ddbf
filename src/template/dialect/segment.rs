//! Cuts a text at its marks and applies whitespace control, as Jinja2's lexer does.

use std::ops::Range;

use super::Fault;
use super::token::{Token, end_of_token};
use crate::template::settings::Settings;

/// A stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Text that is printed as it stands.
    Data(Range<usize>),
    /// Blanks or a comment that are not printed.
    Dropped(Range<usize>),
    /// The inside of a statement.
    Statement(Range<usize>),
    /// The inside of a printed expression.
    Variable(Range<usize>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Comment,
    Block,
    Variable,
    LineStatement,
    LineComment,
}

/// Cuts a text. Fails where a mark is not closed.
pub(super) fn split(source: &str, settings: &Settings) -> Result<Vec<Segment>, Fault> {
    let end = if settings.keep_trailing_newline {
        source.len()
    } else {
        source.len() - usize::from(source.ends_with('\n'))
    };
    let mut splitter = Splitter {
        source: &source[..end],
        settings,
        marks: marks(settings),
        segments: Vec::new(),
        at: 0,
        line_starting: true,
    };
    while splitter.step()? {}
    Ok(splitter.segments)
}

/// The opening marks; where two start at one byte, the longer one counts.
fn marks(settings: &Settings) -> Vec<(&str, Mark)> {
    let d = &settings.delimiters;
    let mut marks = vec![
        (d.variable[0].as_str(), Mark::Variable),
        (d.comment[0].as_str(), Mark::Comment),
        (d.block[0].as_str(), Mark::Block),
    ];
    marks.extend(
        settings
            .line_statement_prefix
            .iter()
            .map(|p| (p.as_str(), Mark::LineStatement)),
    );
    marks.extend(
        settings
            .line_comment_prefix
            .iter()
            .map(|p| (p.as_str(), Mark::LineComment)),
    );
    marks.sort_by_key(|(mark, _)| std::cmp::Reverse(mark.len()));
    marks
}

struct Splitter<'a> {
    source: &'a str,
    settings: &'a Settings,
    marks: Vec<(&'a str, Mark)>,
    segments: Vec<Segment>,
    at: usize,
    /// Whether the byte at `at` starts a line, as far as `lstrip_blocks` knows.
    line_starting: bool,
}

impl Splitter<'_> {
    fn push(&mut self, segment: fn(Range<usize>) -> Segment, range: Range<usize>) {
        if !range.is_empty() {
            self.segments.push(segment(range));
        }
    }

    /// Takes text up to the next mark, and what the mark opens. False at the end.
    fn step(&mut self) -> Result<bool, Fault> {
        let Some((start, mark, length)) = self.next_mark() else {
            self.push(Segment::Data, self.at..self.source.len());
            return Ok(false);
        };
        let inside = start + length;
        if mark == Mark::Block
            && let Some(after) = self.raw_tag(inside, "raw")
        {
            self.leave_data(start, mark, inside);
            self.line_starting = self.source[..after].ends_with('\n');
            self.at = after;
            return self.raw().map(|()| true);
        }
        self.leave_data(start, mark, inside);
        match mark {
            Mark::Comment => self.comment(start, inside)?,
            Mark::LineComment => {
                let end = self.source[inside..]
                    .find('\n')
                    .map_or(self.source.len(), |n| inside + n);
                self.push(Segment::Dropped, start..end);
                self.at = end;
                self.line_starting = false;
            }
            Mark::LineStatement => self.line_statement(inside)?,
            Mark::Block | Mark::Variable => self.tag(mark, start, inside)?,
        }
        Ok(true)
    }

    fn next_mark(&self) -> Option<(usize, Mark, usize)> {
        let rest = &self.source[self.at..];
        let first: Vec<char> = self
            .marks
            .iter()
            .filter_map(|(m, _)| m.chars().next())
            .collect();
        rest.match_indices(&first[..]).find_map(|(index, _)| {
            let here = &rest[index..];
            let (mark, kind) = self.marks.iter().find(|(mark, kind)| {
                here.starts_with(mark) && self.may_start(*kind, self.at + index)
            })?;
            Some((self.at + index, *kind, mark.len()))
        })
    }

    /// Line statements start a line; line comments start one, or follow blanks or text.
    fn may_start(&self, kind: Mark, at: usize) -> bool {
        let line = self.source[..at].rfind('\n').map_or(0, |n| n + 1);
        kind != Mark::LineStatement || self.source[line..at].trim().is_empty()
    }

    /// Prints the text before a mark, less what its sign or `lstrip_blocks` takes away.
    fn leave_data(&mut self, start: usize, mark: Mark, inside: usize) {
        let text = &self.source[self.at..start];
        let kept = match self.source.as_bytes().get(inside) {
            _ if matches!(mark, Mark::LineStatement | Mark::LineComment) => {
                text.trim_end_matches([' ', '\t', '\u{b}']).len()
            }
            Some(b'-') => text.trim_end().len(),
            Some(b'+') => text.len(),
            _ if mark != Mark::Variable && self.settings.lstrip_blocks => self.without_indent(text),
            _ => text.len(),
        };
        self.push(Segment::Data, self.at..self.at + kept);
        self.push(Segment::Dropped, self.at + kept..start);
    }

    /// The length of the text without the blanks of its last line, when there is nothing else in it.
    fn without_indent(&self, text: &str) -> usize {
        let line = text.rfind('\n').map_or(0, |n| n + 1);
        let starts_a_line = line > 0 || self.line_starting;
        if starts_a_line && text[line..].trim().is_empty() {
            line
        } else {
            text.len()
        }
    }

    fn comment(&mut self, start: usize, inside: usize) -> Result<(), Fault> {
        let close = &self.settings.delimiters.comment[1];
        // The sign after the opening mark is no part of the comment.
        let body = inside + self.sign(inside);
        let found = self.source[body..]
            .find(close.as_str())
            .ok_or_else(|| Fault::new(start, "this comment is not closed"))?;
        let close_at = body + found;
        let sign = self.source[body..close_at].chars().next_back();
        let after = self.after_close(close_at + close.len(), sign, true);
        self.push(Segment::Dropped, start..after);
        self.at = after;
        Ok(())
    }

    fn sign(&self, at: usize) -> usize {
        usize::from(matches!(self.source.as_bytes().get(at), Some(b'-' | b'+')))
    }

    /// Where text goes on after a closing mark, and whether that starts a line.
    fn after_close(&mut self, end: usize, sign: Option<char>, trims: bool) -> usize {
        let rest = &self.source[end..];
        let skip = match sign {
            Some('-') => rest.len() - rest.trim_start().len(),
            Some('+') if trims => 0,
            _ if trims && self.settings.trim_blocks => usize::from(rest.starts_with('\n')),
            _ => 0,
        };
        self.line_starting = self.source[..end + skip].ends_with('\n');
        end + skip
    }

    /// The inside of a tag ends at the first closing mark outside strings and brackets.
    fn tag(&mut self, mark: Mark, start: usize, inside: usize) -> Result<(), Fault> {
        let block = mark == Mark::Block;
        let d = &self.settings.delimiters;
        let close = if block { &d.block[1] } else { &d.variable[1] };
        let body = inside + self.sign(inside);
        let mut at = body;
        let mut open: Vec<&'static str> = Vec::new();
        loop {
            if at >= self.source.len() {
                let what = if block { "statement" } else { "expression" };
                return Err(Fault::new(
                    start,
                    format!("this {what} is not closed by {close}"),
                ));
            }
            let rest = &self.source[at..];
            if open.is_empty() {
                let signs: &[char] = if block { &['-', '+'] } else { &['-'] };
                let sign = rest.chars().next().filter(|c| signs.contains(c));
                let unsigned = sign.map_or(rest, |_| &rest[1..]);
                let signed = sign.is_some() && unsigned.starts_with(close.as_str());
                if signed || rest.starts_with(close.as_str()) {
                    let sign = sign.filter(|_| signed);
                    let end = at + usize::from(signed) + close.len();
                    let after = self.after_close(end, sign, block);
                    let kind = if block {
                        Segment::Statement
                    } else {
                        Segment::Variable
                    };
                    self.segments.push(kind(body..at));
                    self.push(Segment::Dropped, end..after);
                    self.at = after;
                    return Ok(());
                }
            }
            let (end, token) = end_of_token(self.source, at)?;
            if let Some(Token::Operator(operator)) = token {
                balance(&mut open, operator, at)?;
            }
            at = end;
        }
    }

    fn line_statement(&mut self, inside: usize) -> Result<(), Fault> {
        let mut at = inside + self.sign(inside);
        let body = at;
        let mut open = Vec::new();
        while at < self.source.len() {
            if open.is_empty() && self.source[at..].starts_with('\n') {
                break;
            }
            if open.is_empty() && self.source[at..].starts_with([' ', '\t']) {
                at += 1;
                continue;
            }
            let (end, token) = end_of_token(self.source, at)?;
            if let Some(Token::Operator(operator)) = token {
                balance(&mut open, operator, at)?;
            }
            at = end;
        }
        self.segments.push(Segment::Statement(body..at));
        let after = at + usize::from(self.source[at..].starts_with('\n'));
        self.push(Segment::Dropped, at..after);
        self.at = after;
        self.line_starting = true;
        Ok(())
    }

    /// The end of a `raw` or `endraw` tag whose inside starts here.
    fn raw_tag(&self, inside: usize, name: &str) -> Option<usize> {
        let close = self.settings.delimiters.block[1].as_str();
        let body = &self.source[inside + self.sign(inside)..];
        let rest = body.trim_start().strip_prefix(name)?.trim_start();
        let end = |rest: &str| self.source.len() - rest.len();
        if let Some(rest) = rest.strip_prefix('-').and_then(|r| r.strip_prefix(close)) {
            return Some(end(rest.trim_start()));
        }
        let unsigned = rest.strip_prefix('+').filter(|_| name == "endraw");
        if let Some(rest) = unsigned.and_then(|r| r.strip_prefix(close)) {
            return Some(end(rest));
        }
        let rest = rest.strip_prefix(close)?;
        let trims = name == "endraw" && self.settings.trim_blocks;
        Some(end(rest) + usize::from(trims && rest.starts_with('\n')))
    }

    /// Prints what stands up to `endraw`.
    fn raw(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let open = self.settings.delimiters.block[0].as_str();
        let mut from = start;
        while let Some(found) = self.source[from..].find(open) {
            let tag = from + found;
            if let Some(after) = self.raw_tag(tag + open.len(), "endraw") {
                self.leave_data(tag, Mark::Block, tag + open.len());
                self.push(Segment::Dropped, tag..after);
                self.line_starting = self.source[..after].ends_with('\n');
                self.at = after;
                return Ok(());
            }
            from = tag + open.len();
        }
        Err(Fault::new(start, "this raw block has no endraw"))
    }
}

fn balance(open: &mut Vec<&'static str>, operator: &'static str, at: usize) -> Result<(), Fault> {
    match operator {
        "(" => open.push(")"),
        "[" => open.push("]"),
        "{" => open.push("}"),
        ")" | "]" | "}" => match open.pop() {
            Some(wanted) if wanted == operator => {}
            Some(wanted) => {
                return Err(Fault::new(
                    at,
                    format!("{operator} stands where {wanted} is expected"),
                ));
            }
            None => return Err(Fault::new(at, format!("{operator} closes nothing"))),
        },
        _ => {}
    }
    Ok(())
}
