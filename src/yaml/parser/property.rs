//! Anchors, aliases, tags and directives.

use std::borrow::Cow;

use super::cursor::is_word;
use super::error::SyntaxError;
use super::scanner::{Result, Scanner};
use super::token::{Kind, TagName};
use crate::yaml::Mark;

impl<'a> Scanner<'a> {
    /// Scans `&name` or `*name`.
    pub(super) fn scan_anchor(&mut self) -> Result<Kind<'a>> {
        let mark = self.cursor.mark();
        let is_alias = self.cursor.byte() == b'*';
        self.cursor.skip(1);
        let name = self.scan_word();
        let ends = self.cursor.is_blank_or_end(0)
            || matches!(
                self.cursor.byte(),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            let message = if is_alias {
                "the name of an alias is letters, digits, `-` and `_`; a text that starts with `*` needs quotes"
            } else {
                "the name of an anchor is letters, digits, `-` and `_`; a text that starts with `&` needs quotes"
            };
            return Err(SyntaxError::new(mark, message));
        }
        Ok(if is_alias {
            Kind::Alias(name)
        } else {
            Kind::Anchor(name)
        })
    }

    fn scan_word(&mut self) -> &'a str {
        let from = self.cursor.at();
        while is_word(self.cursor.byte()) {
            self.cursor.skip(1);
        }
        self.cursor.slice(from, self.cursor.at())
    }

    /// Scans `!suffix`, `!handle!suffix`, `!<name>` or `!`.
    pub(super) fn scan_tag(&mut self) -> Result<Kind<'a>> {
        let mark = self.cursor.mark();
        let tag = if self.cursor.peek(1) == b'<' {
            self.cursor.skip(2);
            let rest = self.scan_uri("", mark)?;
            if self.cursor.byte() != b'>' {
                return Err(SyntaxError::new(
                    mark,
                    "a tag that starts with `!<` ends with `>`",
                ));
            }
            self.cursor.skip(1);
            TagName { handle: "", rest }
        } else {
            self.scan_short_tag(mark)?
        };
        if !self.cursor.is_blank_or_end(0) {
            let message = "a blank or the line's end must follow a tag; a text that starts with `!` needs quotes";
            return Err(SyntaxError::new(mark, message));
        }
        Ok(Kind::Tag(Box::new(tag)))
    }

    fn scan_short_tag(&mut self, mark: Mark) -> Result<TagName<'a>> {
        let handle = self.scan_handle();
        if handle.len() > 1 && handle.ends_with('!') {
            let rest = self.scan_uri("", mark)?;
            return Ok(TagName { handle, rest });
        }
        let rest = self.scan_uri(handle, mark)?;
        Ok(if rest.is_empty() {
            TagName {
                handle: "",
                rest: Cow::Borrowed("!"),
            }
        } else {
            TagName { handle: "!", rest }
        })
    }

    /// Scans `!`, `!word` or `!word!`.
    fn scan_handle(&mut self) -> &'a str {
        let from = self.cursor.at();
        self.cursor.skip(1);
        self.scan_word();
        if self.cursor.byte() == b'!' {
            self.cursor.skip(1);
        }
        self.cursor.slice(from, self.cursor.at())
    }

    /// Scans the rest of a tag's name after `head`, whose `!` is left out.
    fn scan_uri(&mut self, head: &'a str, mark: Mark) -> Result<Cow<'a, str>> {
        let start = self.cursor.at();
        let mut bytes = head.as_bytes().get(1..).unwrap_or_default().to_vec();
        while is_uri_byte(self.cursor.byte()) {
            if self.cursor.byte() == b'%' {
                bytes.push(self.scan_uri_escape(mark)?);
            } else {
                bytes.push(self.cursor.byte());
                self.cursor.skip(1);
            }
        }
        if head.is_empty() && self.cursor.at() == start {
            return Err(SyntaxError::new(mark, "a tag lacks its name"));
        }
        String::from_utf8(bytes)
            .map(Cow::Owned)
            .map_err(|_| SyntaxError::new(mark, "the `%` escapes of a tag are not UTF-8"))
    }

    fn scan_uri_escape(&mut self, mark: Mark) -> Result<u8> {
        let from = self.cursor.at() + 1;
        let code = self.cursor.text().get(from..from + 2);
        let byte = code
            .filter(|c| c.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|c| u8::from_str_radix(c, 16).ok());
        self.cursor.skip(3);
        byte.ok_or_else(|| SyntaxError::new(mark, "a `%` in a tag needs two hexadecimal digits"))
    }

    /// Scans `%YAML` or `%TAG` to the end of its line.
    pub(super) fn scan_directive(&mut self) -> Result<()> {
        let (mark, offset) = (self.cursor.mark(), self.cursor.at());
        self.cursor.skip(1);
        let name = self.scan_word();
        let kind = match name {
            "YAML" if self.cursor.is_blank_or_end(0) => self.scan_version(mark)?,
            "TAG" if self.cursor.is_blank_or_end(0) => self.scan_tag_directive(mark)?,
            _ => {
                let message = "a line that starts with `%` is a directive, and this one is unknown";
                return Err(SyntaxError::new(mark, message));
            }
        };
        self.cursor.skip_blanks();
        if self.cursor.byte() == b'#' {
            self.cursor.skip_line_rest();
        }
        if !self.cursor.is_break_or_end(0) {
            let message = "a directive ends with its line";
            return Err(SyntaxError::new(mark, message));
        }
        self.cursor.take_break();
        self.push(kind, mark, offset);
        Ok(())
    }

    fn scan_version(&mut self, mark: Mark) -> Result<Kind<'a>> {
        self.cursor.skip_blanks();
        let major = self.scan_version_number(mark)?;
        if self.cursor.byte() != b'.' {
            return Err(bad_version(mark));
        }
        self.cursor.skip(1);
        let minor = self.scan_version_number(mark)?;
        Ok(Kind::Version(major, minor))
    }

    fn scan_version_number(&mut self, mark: Mark) -> Result<u8> {
        let from = self.cursor.at();
        while self.cursor.byte().is_ascii_digit() {
            self.cursor.skip(1);
        }
        let digits = self.cursor.slice(from, self.cursor.at());
        if digits.len() > 2 {
            return Err(bad_version(mark));
        }
        digits.parse().map_err(|_| bad_version(mark))
    }

    fn scan_tag_directive(&mut self, mark: Mark) -> Result<Kind<'a>> {
        let bad = || SyntaxError::new(mark, "a `%TAG` line is a handle such as `!e!` and a prefix");
        self.cursor.skip_blanks();
        if self.cursor.byte() != b'!' {
            return Err(bad());
        }
        let handle = self.scan_handle();
        let is_handle = handle == "!" || (handle.len() > 1 && handle.ends_with('!'));
        if !is_handle || !matches!(self.cursor.byte(), b' ' | b'\t') {
            return Err(bad());
        }
        self.cursor.skip_blanks();
        let rest = self.scan_uri("", mark)?;
        if !self.cursor.is_blank_or_end(0) {
            return Err(bad());
        }
        Ok(Kind::TagDirective(Box::new(TagName { handle, rest })))
    }
}

fn bad_version(mark: Mark) -> Box<SyntaxError> {
    SyntaxError::new(mark, "a `%YAML` line needs a version such as 1.1")
}

fn is_uri_byte(byte: u8) -> bool {
    is_word(byte) || b";/?:@&=+$,.!~*'()[]%".contains(&byte)
}
