//! dotenv files: `NAME=value` lines and `#` comments; nothing is quoted.

use super::super::document::{Branch, Comment, Entry, Item, Key, Text, Value};
use super::{StoreError, flatten, to_flat_text};

/// What metadata names start with.
const PREFIX: &str = "sops_";

/// Reads lines. A line break in a value is written `\n`; a carriage return belongs to the value.
pub(super) fn read(bytes: &[u8]) -> Result<Branch, StoreError> {
    let mut branch = Branch::new();
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        match line {
            [] => {}
            [b'#', comment @ ..] => {
                branch.push(Item::Comment(Comment::above(comment)));
            }
            line => branch.push(Item::Entry(read_line(line, number)?)),
        }
    }
    Ok(branch)
}

fn read_line(line: &[u8], number: u32) -> Result<Entry, StoreError> {
    let fault = |phrase| StoreError::at(number, phrase);
    let equals = line.iter().position(|b| *b == b'=');
    let equals = equals.ok_or_else(|| fault("the line has no `=`"))?;
    let key = std::str::from_utf8(&line[..equals]).map_err(|_| fault("a name is not UTF-8"))?;
    Ok(Entry {
        key: Key::Text(key.to_owned()),
        value: Value::Text(Text::new(replace(&line[equals + 1..], b"\\n", b"\n"))),
        line: number,
    })
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            result.extend_from_slice(to);
            rest = after;
        } else {
            result.push(*first);
            rest = after;
        }
    }
    result
}

/// Takes the metadata out of a document; `None` when there are none.
pub(super) fn take_metadata(branch: &mut Branch) -> Option<Result<Branch, String>> {
    let mut flat = Vec::new();
    branch.retain_mut(|item| {
        let Item::Entry(entry) = item else {
            return true;
        };
        let Some(name) = entry.key.as_str().strip_prefix(PREFIX) else {
            return true;
        };
        flat.push((
            name.to_owned(),
            std::mem::replace(&mut entry.value, Value::Null),
        ));
        false
    });
    (!flat.is_empty()).then(|| flatten::unflatten(flat))
}

/// Writes lines. Fails for a value that is a list or mapping.
pub(super) fn write(branch: &Branch) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::new();
    for item in branch {
        match item {
            Item::Comment(Comment { text, .. }) => {
                out.push(b'#');
                out.extend_from_slice(text);
            }
            Item::Entry(entry) => {
                out.extend_from_slice(entry.key.as_str().as_bytes());
                out.push(b'=');
                match &entry.value {
                    Value::Text(text) => out.extend_from_slice(&replace(text, b"\n", b"\\n")),
                    Value::List(_) | Value::Branch(_) => {
                        let phrase = format!(
                            "`{}` is not a single value, and a dotenv file holds nothing else",
                            entry.key.as_str()
                        );
                        return Err(StoreError::at(entry.line, phrase));
                    }
                    scalar => out.extend_from_slice(to_flat_text(scalar).as_bytes()),
                }
            }
        }
        out.push(b'\n');
    }
    Ok(out)
}

/// Adds metadata as flat names. Fails for a name of the document that starts as those do.
pub(super) fn add_metadata(branch: &mut Branch, metadata: &Branch) -> Result<(), StoreError> {
    if branch
        .iter()
        .any(|i| matches!(i, Item::Entry(e) if e.key.as_str().starts_with(PREFIX)))
    {
        return Err(StoreError::at(
            0,
            "a name starts with `sops_`, which is kept for metadata",
        ));
    }
    for (name, text) in flatten::flatten(metadata) {
        branch.push(super::super::document::entry(
            format!("{PREFIX}{name}"),
            Value::text(text),
        ));
    }
    Ok(())
}
