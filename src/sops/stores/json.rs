//! JSON files: an object whose order and repeated keys are kept, written as Go writes it.

use super::super::document::{Branch, Element, Entry, Item, Key, Value};
use super::{MAX_DEPTH, StoreError};
use crate::go;

/// Reads any value and nothing after it.
pub(super) fn read_value(bytes: &[u8]) -> Result<Value, StoreError> {
    let mut reader = Reader::new(bytes);
    reader.blanks();
    let value = reader.value()?;
    reader.blanks();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.unexpected()),
    }
}

/// Reads an object and nothing after it.
pub(super) fn read(bytes: &[u8]) -> Result<Branch, StoreError> {
    let mut reader = Reader::new(bytes);
    reader.blanks();
    if reader.peek() != Some(b'{') {
        return Err(reader.fault("a JSON file that is sealed holds an object"));
    }
    let Value::Branch(branch) = reader.value()? else {
        return Err(reader.fault("a JSON file that is sealed holds an object"));
    };
    reader.blanks();
    match reader.peek() {
        None => Ok(branch),
        Some(_) => Err(reader.fault("there is text after the object")),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
            depth: 0,
        }
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fault(&self, phrase: &str) -> StoreError {
        StoreError::at(self.line, phrase)
    }

    fn unexpected(&self) -> StoreError {
        match self.peek() {
            None => self.fault("the file ends too early"),
            Some(byte) if byte.is_ascii_graphic() => {
                self.fault(&format!("`{}` does not belong here", char::from(byte)))
            }
            Some(_) => self.fault("a character does not belong here"),
        }
    }

    fn blanks(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.peek() {
            self.line += u32::from(byte == b'\n');
            self.at += 1;
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), StoreError> {
        if self.peek() != Some(wanted) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Value, StoreError> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, StoreError>,
    ) -> Result<Value, StoreError> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(&format!("the nesting is deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        self.at += 1;
        self.blanks();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value, StoreError> {
        let mut branch = Branch::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Branch(branch));
        }
        loop {
            self.blanks();
            let line = self.line;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected());
            }
            let key = Key::Text(self.string()?);
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            let value = self.value()?;
            branch.push(Item::Entry(Entry { key, value, line }));
            if self.ends(b'}')? {
                return Ok(Value::Branch(branch));
            }
        }
    }

    fn array(&mut self) -> Result<Value, StoreError> {
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            self.blanks();
            items.push(Element::Value(self.value()?));
            if self.ends(b']')? {
                return Ok(Value::List(items));
            }
        }
    }

    /// Whether a collection ends here; otherwise a comma leads to the next item.
    fn ends(&mut self, close: u8) -> Result<bool, StoreError> {
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(true);
        }
        self.expect(b',').map(|()| false)
    }

    fn word(&mut self) -> Result<Value, StoreError> {
        let words = [
            (&b"null"[..], Value::Null),
            (b"true", Value::Bool(true)),
            (b"false", Value::Bool(false)),
        ];
        for (word, value) in words {
            if self.bytes[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected())
    }

    fn number(&mut self) -> Result<Value, StoreError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).expect("digits are ASCII");
        // No integer is `-0`: it is how sops writes the float.
        if text != "-0"
            && let Ok(number) = text.parse()
        {
            return Ok(Value::Int(number));
        }
        let number: f64 = text
            .parse()
            .expect("the grammar of JSON numbers is that of floats");
        if number.is_finite() {
            Ok(Value::Float(number))
        } else {
            Err(self.fault("a number is beyond 64 bits"))
        }
    }

    fn digits(&mut self) -> Result<(), StoreError> {
        let rest = &self.bytes[self.at..];
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.unexpected());
        }
        self.at += count;
        Ok(())
    }

    /// Reads a string; what is not UTF-8 or half of a surrogate pair becomes U+FFFD, as in Go.
    fn string(&mut self) -> Result<String, StoreError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.bytes[self.at..];
            let plain = rest
                .iter()
                .position(|b| *b < b' ' || *b == b'"' || *b == b'\\');
            let plain = plain.ok_or_else(|| self.fault("a string has no closing quote"))?;
            text.push_str(&String::from_utf8_lossy(&rest[..plain]));
            self.at += plain;
            match rest[plain] {
                b'"' => {
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => {
                    let escaped = self.escape()?;
                    text.push(escaped);
                }
                _ => return Err(self.fault("a string holds a control character")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, StoreError> {
        let escape = self.bytes.get(self.at + 1).copied();
        self.at += 2;
        Ok(match escape {
            Some(sign @ (b'"' | b'\\' | b'/')) => char::from(sign),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.fault("a string holds an escape that JSON does not know")),
        })
    }

    fn unicode(&mut self) -> Result<char, StoreError> {
        let first = self.hex(self.at)?;
        self.at += 4;
        if let Some(plain) = char::from_u32(first) {
            return Ok(plain);
        }
        let follows = self.bytes[self.at..].starts_with(b"\\u");
        if (0xD800..0xDC00).contains(&first) && follows {
            let second = self.hex(self.at + 2)?;
            if (0xDC00..0xE000).contains(&second) {
                self.at += 6;
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&self, at: usize) -> Result<u32, StoreError> {
        let digits = self.bytes.get(at..at + 4);
        let digits = digits.filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let text = digits.and_then(|d| std::str::from_utf8(d).ok());
        text.and_then(|t| u32::from_str_radix(t, 16).ok())
            .ok_or_else(|| self.fault("a string holds an escape that JSON does not know"))
    }
}

/// Writes an object and a line break.
pub(super) fn write(branch: &Branch, indent: Option<usize>) -> Result<Vec<u8>, StoreError> {
    let mut writer = Writer::new(indent);
    writer.branch(branch)?;
    writer.out.push(b'\n');
    Ok(writer.out)
}

/// Writes any value, without a line break.
pub(super) fn write_value(value: &Value, indent: Option<usize>) -> Result<Vec<u8>, StoreError> {
    let mut writer = Writer::new(indent);
    writer.value(value)?;
    Ok(writer.out)
}

struct Writer {
    out: Vec<u8>,
    indent: Option<usize>,
    depth: usize,
}

impl Writer {
    fn new(indent: Option<usize>) -> Self {
        Self {
            out: Vec::new(),
            indent,
            depth: 0,
        }
    }

    fn line(&mut self) {
        self.out.push(b'\n');
        let (sign, count) = self.indent.map_or((b'\t', 1), |blanks| (b' ', blanks));
        self.out
            .extend(std::iter::repeat_n(sign, count * self.depth));
    }

    fn branch(&mut self, branch: &Branch) -> Result<(), StoreError> {
        let entries = branch.iter().filter_map(|item| match item {
            Item::Entry(entry) => Some(entry),
            Item::Comment(_) => None,
        });
        self.collection(b"{}", entries, |writer, entry| {
            go::json::write_string(&mut writer.out, entry.key.as_str());
            writer.out.extend_from_slice(b": ");
            writer.value(&entry.value)
        })
    }

    fn collection<T>(
        &mut self,
        signs: &[u8; 2],
        items: impl Iterator<Item = T>,
        write: impl Fn(&mut Self, T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.out.push(signs[0]);
        self.depth += 1;
        let mut empty = true;
        for item in items {
            if !empty {
                self.out.push(b',');
            }
            empty = false;
            self.line();
            write(self, item)?;
        }
        self.depth -= 1;
        if !empty {
            self.line();
        }
        self.out.push(signs[1]);
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), StoreError> {
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(value) => self.out.extend_from_slice(value.to_string().as_bytes()),
            Value::Int(number) => self.out.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(number) => {
                if !go::float::write_json(&mut self.out, *number) {
                    return Err(StoreError::at(
                        0,
                        "JSON has no number for an infinite value",
                    ));
                }
            }
            Value::Time(moment) => go::json::write_string(&mut self.out, moment.as_str()),
            Value::Text(text) => go::json::write_bytes(&mut self.out, text),
            Value::Branch(branch) => return self.branch(branch),
            Value::List(list) => {
                let values = list.iter().filter_map(|element| match element {
                    Element::Value(value) => Some(value),
                    Element::Comment(_) => None,
                });
                return self.collection(b"[]", values, Self::value);
            }
            Value::TooLarge => return Err(StoreError::at(0, "an integer is beyond 64 bits")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    fn rewrite(text: &str) -> Option<String> {
        let branch = read(text.as_bytes()).ok()?;
        String::from_utf8(write(&branch, None).ok()?).ok()
    }

    #[test]
    fn order_repeated_keys_and_escapes_are_kept() {
        let text = "{\"b\":1.0,\"a\":[true,null,{}],\"a\":\"\\u00e9\\ud83d\\ude00<\"}";
        let wanted = "{\n\t\"b\": 1,\n\t\"a\": [\n\t\ttrue,\n\t\tnull,\n\t\t{}\n\t],\n\t\"a\": \"é😀\\u003c\"\n}\n";
        assert_eq!(rewrite(text).as_deref(), Some(wanted));
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        let deep = "[".repeat(100_000);
        let deep = format!("{{\"a\":{deep}");
        for text in [
            "",
            "[]",
            "1",
            "{",
            "{\"a\":1",
            "{\"a\":1,}",
            "{a:1}",
            "{} x",
            "{\"a\":01}",
            "{\"a\":1e999}",
            "{\"a\":\"\n\"}",
            &deep,
        ] {
            assert_eq!(rewrite(text), None);
        }
    }
}
