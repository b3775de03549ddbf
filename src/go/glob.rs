//! Patterns of paths beyond `path.Match`: gobwas/glob, doublestar and Git's wildmatch, each as one regular expression.
//!
//! | dialect | `*` | `**` | `?` | `{a,b}` | class |
//! |---|---|---|---|---|---|
//! | [`Dialect::Gobwas`] | no separator | anything | one, no separator | yes | `[!…]` |
//! | [`Dialect::Doublestar`] | no `/` | whole directories | one, no `/` | yes | `[!…]`, `[^…]` |
//! | [`Dialect::Wildmatch`] | anything | the same | anything | no | `[!…]`, `[^…]` |
//! | [`Dialect::WildmatchPath`] | no `/` | whole directories | one, no `/` | no | `[!…]`, `[^…]` |
//!
//! A regular expression keeps matching linear, whatever a pattern says.

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

/// The longest pattern that is read.
const MAX_PATTERN_BYTES: usize = 16 << 10;

/// Which library's patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// github.com/gobwas/glob, with a separator or none.
    Gobwas(Option<char>),
    /// github.com/bmatcuk/doublestar.
    Doublestar,
    /// Git's wildmatch as pathspecs use it.
    Wildmatch,
    /// Git's wildmatch with WM_PATHNAME, as `:(glob)` uses it.
    WildmatchPath,
}

/// A pattern that is not well formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPattern;

/// Compiles a pattern that must fit a whole text.
pub fn compile(pattern: &str, dialect: Dialect) -> Result<Regex, BadPattern> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(BadPattern);
    }
    let characters: Vec<char> = pattern.chars().collect();
    let mut reader = Reader {
        pattern: &characters,
        at: 0,
        dialect,
        out: String::from("^(?:"),
        depth: 0,
    };
    reader.read()?;
    reader.out.push_str(")$");
    RegexBuilder::new(&reader.out)
        .dot_matches_new_line(true)
        .build()
        .map_err(|_| BadPattern)
}

/// Whether a text fits a pattern; a pattern that is not well formed fits nothing.
pub fn matches(pattern: &str, text: &str, dialect: Dialect) -> bool {
    compile(pattern, dialect).is_ok_and(|regex| regex.is_match(text))
}

struct Reader<'p> {
    pattern: &'p [char],
    at: usize,
    dialect: Dialect,
    out: String,
    depth: u32,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.pattern.get(self.at).copied()
    }

    fn read(&mut self) -> Result<(), BadPattern> {
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '*' => self.star(),
                '?' => self.out.push_str(self.one()),
                '[' => self.class()?,
                '\\' => {
                    let escaped = self.peek().ok_or(BadPattern)?;
                    self.at += 1;
                    self.literal(escaped);
                }
                '{' if self.has_braces() => {
                    self.depth += 1;
                    self.out.push_str("(?:");
                }
                ',' if self.depth > 0 => self.out.push('|'),
                '}' if self.depth > 0 => {
                    self.depth -= 1;
                    self.out.push(')');
                }
                '}' if self.dialect == Dialect::Doublestar => return Err(BadPattern),
                c => self.literal(c),
            }
        }
        if self.depth > 0 {
            Err(BadPattern)
        } else {
            Ok(())
        }
    }

    fn has_braces(&self) -> bool {
        matches!(self.dialect, Dialect::Gobwas(_) | Dialect::Doublestar)
    }

    fn literal(&mut self, c: char) {
        self.out
            .push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
    }

    /// One character.
    fn one(&self) -> &'static str {
        match self.dialect {
            Dialect::Gobwas(None) | Dialect::Wildmatch => ".",
            Dialect::Gobwas(Some(_)) | Dialect::Doublestar | Dialect::WildmatchPath => "[^/]",
        }
    }

    fn star(&mut self) {
        let mut count = 1;
        while self.peek() == Some('*') {
            self.at += 1;
            count += 1;
        }
        let spans = match self.dialect {
            Dialect::Gobwas(_) => count > 1,
            Dialect::Wildmatch => true,
            Dialect::Doublestar | Dialect::WildmatchPath => count == 2 && self.is_whole_component(),
        };
        if !spans {
            let one = self.one();
            let _ = write!(self.out, "{one}*");
            return;
        }
        let is_path = matches!(self.dialect, Dialect::Doublestar | Dialect::WildmatchPath);
        if is_path && self.peek() == Some('/') {
            // `**/` is no directory, or any number of them.
            self.at += 1;
            self.out.push_str("(?:.*/)?");
        } else if self.dialect == Dialect::Doublestar && self.out.ends_with('/') {
            // `a/**` is `a`, too.
            self.out.pop();
            self.out.push_str("(?:/.*)?");
        } else {
            self.out.push_str(".*");
        }
    }

    /// Whether two stars are all that is between slashes.
    fn is_whole_component(&self) -> bool {
        let before = self.at.checked_sub(3).map(|i| self.pattern[i]);
        let starts = before.is_none_or(|c| matches!(c, '/' | '{' | ','));
        starts && self.peek().is_none_or(|c| matches!(c, '/' | '}' | ','))
    }

    fn class(&mut self) -> Result<(), BadPattern> {
        let negations: &[char] = match self.dialect {
            Dialect::Gobwas(_) => &['!'],
            _ => &['!', '^'],
        };
        let is_negated = self.peek().is_some_and(|c| negations.contains(&c));
        self.at += usize::from(is_negated);
        let mut ranges: Vec<(char, char)> = Vec::new();
        loop {
            let c = self.peek().ok_or(BadPattern)?;
            self.at += 1;
            if c == ']' && !ranges.is_empty() {
                break;
            }
            let low = self.member(c)?;
            let is_range = self.peek() == Some('-')
                && self.pattern.get(self.at + 1).is_some_and(|c| *c != ']');
            let high = if is_range {
                let next = self.pattern[self.at + 1];
                self.at += 2;
                self.member(next)?
            } else {
                low
            };
            if low > high {
                return Err(BadPattern);
            }
            ranges.push((low, high));
        }
        self.out.push_str(if is_negated { "[^" } else { "[" });
        for (low, high) in ranges {
            let (low, high) = (u32::from(low), u32::from(high));
            let _ = write!(self.out, "\\x{{{low:x}}}-\\x{{{high:x}}}");
        }
        if is_negated && self.one() != "." {
            self.out.push('/');
        }
        self.out.push(']');
        Ok(())
    }

    fn member(&mut self, c: char) -> Result<char, BadPattern> {
        if c != '\\' {
            return Ok(c);
        }
        let escaped = self.peek().ok_or(BadPattern)?;
        self.at += 1;
        Ok(escaped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str, dialect: Dialect) -> bool {
        matches(pattern, text, dialect)
    }

    #[test]
    fn gobwas_knows_its_separator() {
        let with = Dialect::Gobwas(Some('/'));
        let without = Dialect::Gobwas(None);
        assert!(!fits("a/*", "a/b/c", with));
        assert!(fits("a/*", "a/b/c", without));
        assert!(fits("a/**", "a/b/c", with));
        assert!(fits("team-{a,b}", "team-b", without));
        assert!(fits("[!a]x", "bx", with) && !fits("[!a]x", "ax", with));
        assert!(compile("[a", with).is_err());
        assert!(compile("{a", with).is_err());
    }

    #[test]
    fn doublestar_spans_directories() {
        let d = Dialect::Doublestar;
        assert!(fits("**/c.yaml", "c.yaml", d) && fits("**/c.yaml", "a/b/c.yaml", d));
        assert!(fits("cfg/**", "cfg", d) && fits("cfg/**", "cfg/a/b", d));
        assert!(!fits("cfg/*", "cfg/a/b", d));
        assert!(fits("cfg/{a,b}/*.yaml", "cfg/b/x.yaml", d));
    }

    #[test]
    fn wildmatch_crosses_slashes_unless_told() {
        assert!(fits("cfg/*.yaml", "cfg/a/b.yaml", Dialect::Wildmatch));
        assert!(!fits("cfg/*.yaml", "cfg/a/b.yaml", Dialect::WildmatchPath));
        assert!(fits("{a}", "{a}", Dialect::Wildmatch));
    }
}
