//! ini files as the Go library that sops uses reads and writes them: sections, keys aligned by `=`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::document::{Branch, Branches, Comment, Entry, Item, Key, Text, Value, entry};
use super::{METADATA_KEY, StoreError, flatten, to_flat_text};

/// The section of keys before the first header.
const DEFAULT_SECTION: &str = "DEFAULT";

/// Reads sections. The comment of a section is the first item in it, that of a key stands after the key.
pub(super) fn read(bytes: &[u8]) -> Result<Branch, StoreError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = to_text(bytes);
    let mut reader = Reader {
        lines: text.split_inclusive('\n').collect(),
        next: 0,
        comment: String::new(),
        sections: vec![Section::new(DEFAULT_SECTION, 0)],
        counter: 0,
    };
    while let Some(line) = reader.line() {
        reader.take(line)?;
    }
    let mut sections = reader.sections;
    let mut branch: Branch = sections.drain(..).map(Section::into_item).collect();
    if let Cow::Owned(_) = text {
        branch.iter_mut().for_each(restore);
    }
    Ok(branch)
}

/// Where the characters begin that stand for bytes which are not UTF-8: the last ones that nothing uses.
const STRAY: u32 = 0x10_FF00;

/// Bytes as text. The library takes a file in any encoding; what is not UTF-8 is kept as characters that
/// nothing uses.
fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let stray = chunk.invalid().iter();
        text.extend(stray.filter_map(|byte| char::from_u32(STRAY + u32::from(*byte))));
    }
    text.into()
}

/// The bytes again.
fn from_text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c).checked_sub(STRAY).map(u8::try_from) {
            Some(Ok(byte)) => bytes.push(byte),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// Gives values and comments their bytes back.
fn restore(item: &mut Item) {
    let text = match item {
        Item::Comment(comment) => &mut comment.text,
        Item::Entry(entry) => match &mut entry.value {
            Value::Text(text) => text,
            Value::Branch(branch) => return branch.iter_mut().for_each(restore),
            _ => return,
        },
    };
    *text = Text::new(from_text(&String::from_utf8_lossy(text)));
}

struct Section {
    name: String,
    line: u32,
    comment: String,
    keys: Vec<IniKey>,
    /// Where each key is, so that many of them stay cheap.
    places: BTreeMap<String, usize>,
}

struct IniKey {
    name: String,
    value: String,
    comment: String,
    line: u32,
}

impl Section {
    fn new(name: &str, line: u32) -> Self {
        Self {
            name: name.to_owned(),
            line,
            comment: String::new(),
            keys: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    /// Sets a key; one that is there keeps its place and takes the new value and comment.
    fn set(&mut self, key: IniKey) {
        match self.places.get(&key.name) {
            Some(&place) => {
                let slot = &mut self.keys[place];
                slot.value = key.value;
                slot.comment = key.comment;
            }
            None => {
                self.places.insert(key.name.clone(), self.keys.len());
                self.keys.push(key);
            }
        }
    }

    fn into_item(self) -> Item {
        let mut branch = Branch::new();
        branch.extend(comment_item(&self.comment));
        for key in self.keys {
            branch.push(Item::Entry(Entry {
                key: Key::Text(key.name),
                value: Value::text(key.value),
                line: key.line,
            }));
            branch.extend(comment_item(&key.comment));
        }
        Item::Entry(Entry {
            key: Key::Text(self.name),
            value: Value::Branch(branch),
            line: self.line,
        })
    }
}

/// A comment without the signs it starts with.
fn comment_item(comment: &str) -> Option<Item> {
    let bare = match comment.as_bytes().first()? {
        b';' => comment.trim_start_matches([';', ' ']),
        b'#' => comment.trim_start_matches(['#', ' ']),
        _ => comment,
    };
    Some(Item::Comment(Comment::above(bare)))
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    next: usize,
    /// Comments that wait for the section or key they belong to.
    comment: String,
    sections: Vec<Section>,
    /// Counts the keys called `-`.
    counter: u32,
}

impl<'a> Reader<'a> {
    fn line(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.next).copied();
        self.next += 1;
        line
    }

    fn number(&self) -> u32 {
        u32::try_from(self.next).unwrap_or(u32::MAX)
    }

    fn fault(&self, phrase: &str) -> StoreError {
        StoreError::at(self.number(), phrase)
    }

    fn take(&mut self, line: &'a str) -> Result<(), StoreError> {
        let line = line.trim_start();
        match line.as_bytes().first() {
            None => Ok(()),
            Some(b'#' | b';') => {
                self.comment.push_str(line);
                Ok(())
            }
            Some(b'[') => self.section(line),
            Some(_) => self.key(line),
        }
    }

    fn take_comment(&mut self) -> String {
        std::mem::take(&mut self.comment).trim().to_owned()
    }

    fn section(&mut self, line: &str) -> Result<(), StoreError> {
        let close = line
            .rfind(']')
            .ok_or_else(|| self.fault("a section has no closing bracket"))?;
        let name = &line[1..close];
        if name.is_empty() {
            return Err(self.fault("a section has no name"));
        }
        if let Some(at) = line[close..].find(['#', ';']) {
            self.comment.push_str(&line[close + at..]);
        }
        let mut section = Section::new(name, self.number());
        section.comment = self.take_comment();
        self.sections.push(section);
        self.counter = 0;
        Ok(())
    }

    fn key(&mut self, line: &'a str) -> Result<(), StoreError> {
        let number = self.number();
        let (name, rest) = self.key_name(line)?;
        let mut name = name.to_owned();
        if name == "-" {
            self.counter += 1;
            name = format!("#{}", self.counter);
        }
        let value = self.value(rest)?;
        if name.is_empty() {
            return Err(StoreError::at(number, "a key has no name"));
        }
        let comment = self.take_comment();
        let section = self
            .sections
            .last_mut()
            .expect("the default section comes first");
        section.set(IniKey {
            name,
            value,
            comment,
            line: number,
        });
        Ok(())
    }

    fn key_name(&self, line: &'a str) -> Result<(&'a str, &'a str), StoreError> {
        let no_delimiter = || self.fault("the line has neither `=` nor `:`");
        let quote = match line.as_bytes() {
            [b'"', b'"', b'"', ..] if line.len() > 6 => "\"\"\"",
            [b'"', ..] => "\"",
            [b'`', ..] => "`",
            _ => "",
        };
        if quote.is_empty() {
            let at = line.find(['=', ':']).ok_or_else(no_delimiter)?;
            return Ok((line[..at].trim(), &line[at + 1..]));
        }
        let inner = &line[quote.len()..];
        let end = inner
            .find(quote)
            .ok_or_else(|| self.fault("a key has no closing quote"))?;
        let after = &inner[end + quote.len()..];
        let at = after.find(['=', ':']).ok_or_else(no_delimiter)?;
        Ok((inner[..end].trim(), &after[at + 1..]))
    }

    fn value(&mut self, rest: &str) -> Result<String, StoreError> {
        let line = rest.trim_start();
        let quote = match line.as_bytes() {
            [] => return Ok(String::new()),
            [b'"', b'"', b'"', _, ..] => "\"\"\"",
            [b'`', ..] => "`",
            _ => "",
        };
        if !quote.is_empty() {
            let inner = &line[quote.len()..];
            return match inner.rfind(quote) {
                Some(end) => Ok(inner[..end].to_owned()),
                None => self.quoted_lines(inner, quote),
            };
        }
        let line = line.trim();
        if let Some(start) = line.strip_suffix('\\') {
            return Ok(self.continued_lines(start));
        }
        let mut value = line;
        if let Some(at) = line.find(['#', ';']) {
            self.comment.push_str(&line[at..]);
            value = line[..at].trim();
        }
        Ok(without_quotes(value).to_owned())
    }

    /// The lines up to the one that holds the closing quote.
    fn quoted_lines(&mut self, first: &str, quote: &str) -> Result<String, StoreError> {
        let mut value = first.to_owned();
        let number = self.number();
        while let Some(line) = self.line() {
            let Some(end) = line.rfind(quote) else {
                value.push_str(line);
                continue;
            };
            value.push_str(&line[..end]);
            if let Some(at) = line[end..].find(['#', ';']) {
                self.comment.push_str(line[end + at..].trim());
            }
            return Ok(value);
        }
        Err(StoreError::at(number, "a value has no closing quote"))
    }

    fn continued_lines(&mut self, first: &str) -> String {
        let mut value = first.to_owned();
        while let Some(line) = self.line().map(str::trim).filter(|l| !l.is_empty()) {
            value.push_str(line);
            if !value.ends_with('\\') {
                break;
            }
            value.pop();
        }
        value
    }
}

/// A value without the quotes around it, when no such quote is inside.
fn without_quotes(value: &str) -> &str {
    let quoted = |quote: char| {
        let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(quote)).then_some(inner)
    };
    quoted('\'').or_else(|| quoted('"')).unwrap_or(value)
}

/// Takes the section of the metadata out; `None` when there is none.
pub(super) fn take_metadata(branches: &mut Branches) -> Option<Result<Branch, String>> {
    let section = match super::take_metadata(branches)? {
        Ok(section) => section,
        Err(fault) => return Some(Err(fault)),
    };
    let flat = section.into_iter().filter_map(|item| match item {
        Item::Entry(Entry {
            key,
            value: Value::Text(text),
            ..
        }) => {
            // Line breaks are escaped once more than the format needs.
            let text = String::from_utf8_lossy(&text).replace("\\n", "\n");
            Some((key.as_str().to_owned(), Value::text(text)))
        }
        Item::Entry(_) | Item::Comment(_) => None,
    });
    Some(flatten::unflatten(flat.collect()))
}

/// Adds metadata as a section of flat names.
pub(super) fn add_metadata(branches: &mut Branches, metadata: &Branch) {
    let flat = flatten::flatten(metadata).into_iter();
    let section = flat.map(|(name, text)| entry(name, Value::text(text.replace('\n', "\\n"))));
    let section = entry(METADATA_KEY, Value::Branch(section.collect()));
    if let Some(first) = branches.first_mut() {
        first.push(section);
    }
}

/// Writes the sections of every document. Fails for an entry that is none.
pub(super) fn write(branches: &Branches) -> Result<Vec<u8>, StoreError> {
    let sections = branches.iter().flatten().filter_map(|item| match item {
        Item::Entry(entry) => Some(entry),
        Item::Comment(_) => None,
    });
    let sections: Vec<&Entry> = sections.collect();
    let mut out = String::new();
    for (index, section) in sections.iter().enumerate() {
        let name = section.key.as_str();
        let Value::Branch(items) = &section.value else {
            let phrase = format!("`{name}` is not a section, and an ini file holds nothing else");
            return Err(StoreError::at(section.line, phrase));
        };
        write_section(&mut out, index, name, items)
            .map_err(|phrase| StoreError::at(section.line, phrase))?;
        let empty_default = index == 0
            && name.eq_ignore_ascii_case(DEFAULT_SECTION)
            && keys(items).next().is_none();
        if index + 1 < sections.len() && !empty_default {
            out.push('\n');
        }
    }
    Ok(from_text(&out))
}

fn keys(items: &Branch) -> impl Iterator<Item = &Entry> {
    items.iter().filter_map(|item| match item {
        Item::Entry(entry) => Some(entry),
        Item::Comment(_) => None,
    })
}

fn write_section(
    out: &mut String,
    index: usize,
    name: &str,
    items: &Branch,
) -> Result<(), &'static str> {
    let (comment, items) = match items.as_slice() {
        [Item::Comment(comment), rest @ ..] => (Some(comment), rest),
        rest => (None, rest),
    };
    if let Some(Comment { text, .. }) = comment {
        write_comment(out, &to_text(text), false)?;
    }
    if index > 0 || !name.eq_ignore_ascii_case(DEFAULT_SECTION) {
        out.push_str(&format!("[{name}]\n"));
    }
    let width = items.iter().map(|item| match item {
        Item::Entry(entry) => shown_key_width(entry.key.as_str()),
        Item::Comment(_) => 0,
    });
    let width = width.max().unwrap_or(0);
    let mut items = items.iter().peekable();
    while let Some(item) = items.next() {
        let Item::Entry(entry) = item else { continue };
        // The last of the comments after a key is the one that is written before it.
        let mut comment = None;
        while let Some(Item::Comment(Comment { text, .. })) = items.peek() {
            comment = Some(to_text(text));
            items.next();
        }
        if let Some(comment) = comment {
            write_comment(out, &comment, true)?;
        }
        let value = match &entry.value {
            Value::Text(text) => to_text(text),
            value => to_flat_text(value).into(),
        };
        write_key(out, entry.key.as_str(), &value, width);
    }
    Ok(())
}

/// Fails for an empty line in a comment of several, at which sops stops too.
fn write_comment(out: &mut String, comment: &str, trimmed: bool) -> Result<(), &'static str> {
    if comment.is_empty() {
        return Ok(());
    }
    if comment.split('\n').any(str::is_empty) {
        return Err("a comment of several lines has an empty one");
    }
    for line in comment.split('\n') {
        let (sign, text) = match line.as_bytes().first() {
            Some(b'#' | b';') => (&line[..1], line[1..].trim()),
            _ if trimmed => (";", line.trim()),
            _ => (";", line),
        };
        out.push_str(&format!("{sign} {text}\n"));
    }
    Ok(())
}

/// The width that alignment counts for a key.
fn shown_key_width(key: &str) -> usize {
    let quotes = if key.contains(['"', '=', ':']) {
        2
    } else if key.contains('`') {
        6
    } else {
        0
    };
    key.len() + quotes
}

fn write_key(out: &mut String, key: &str, value: &str, width: usize) {
    let key = if key.contains(['"', '=', ':']) {
        format!("`{key}`")
    } else if key.contains('`') {
        format!("\"\"\"{key}\"\"\"")
    } else {
        key.to_owned()
    };
    let value = if value.contains(['\n', '`']) {
        format!("\"\"\"{value}\"\"\"")
    } else if value.contains(['#', ';']) {
        format!("`{value}`")
    } else if value.trim().len() != value.len() {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    };
    let padding = " ".repeat(width.saturating_sub(key.len()));
    out.push_str(&format!("{key}{padding} = {value}\n"));
}
