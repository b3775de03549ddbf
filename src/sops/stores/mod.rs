//! Stores: one file a format. Each maps bytes to the document and back; none knows the cipher.

mod binary;
mod dotenv;
mod flatten;
mod ini;
mod json;
mod yaml;

use zeroize::Zeroizing;

use super::Format;
pub(super) use yaml::indent as yaml_indent;

use super::document::{Branch, Branches, Comment, Element, Item, Value, entry};
use crate::diagnostic::{Code, Diagnostic, Place};

/// The deepest nesting that is read: a walk takes stack for each level.
pub(super) const MAX_DEPTH: usize = crate::yaml::MAX_DEPTH;

/// What some editors put before a file, and no editor shows.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The key that holds the metadata in formats that nest.
pub(super) const METADATA_KEY: &str = "sops";

/// How documents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indents {
    /// Blanks for each level of YAML.
    pub yaml: usize,
    /// Blanks for each level of JSON; `None` for a tabulator.
    pub json: Option<usize>,
    /// The same for the JSON envelope of a binary file.
    pub json_binary: Option<usize>,
}

impl Indents {
    /// The same blanks for every format; 0 for what is usual in YAML.
    pub fn of_blanks(blanks: usize) -> Self {
        let blanks = blanks.min(MAX_INDENT);
        Self {
            yaml: yaml_indent(blanks),
            json: Some(blanks),
            json_binary: Some(blanks),
        }
    }
}

/// The widest indent of JSON: a hostile file could ask for gigabytes of blanks.
pub(super) const MAX_INDENT: usize = 64;

impl Default for Indents {
    fn default() -> Self {
        Self {
            yaml: 4,
            json: None,
            json_binary: None,
        }
    }
}

/// Why bytes are no document of a format, or a document cannot be written in one. Never a value.
#[derive(Debug)]
pub(super) struct StoreError {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) code: Code,
    pub(super) phrase: String,
}

impl StoreError {
    /// The form is wrong at a line; 0 for the file as a whole.
    pub(super) fn at(line: u32, phrase: impl Into<String>) -> Self {
        Self {
            line,
            column: 0,
            code: Code::SopsForm,
            phrase: phrase.into(),
        }
    }

    pub(super) fn to_diagnostic(&self, name: &str) -> Diagnostic {
        Diagnostic::new(self.code, self.phrase.as_str()).at(Place::new(
            name,
            self.line,
            self.column,
        ))
    }
}

/// Reads a plain file, or a sealed one with its metadata still among the entries.
pub(super) fn read_plain(bytes: &[u8], format: Format) -> Result<Branches, StoreError> {
    match format {
        Format::Yaml => yaml::read(bytes),
        Format::Json => Ok(vec![json::read(bytes)?]),
        Format::Dotenv => Ok(vec![dotenv::read(bytes)?]),
        Format::Ini => Ok(vec![ini::read(bytes)?]),
        Format::Binary => Ok(vec![binary::read(bytes)]),
    }
}

/// Reads a JSON value as Go's decoder does: a number by itself is a float. `None` for what is no value, and for a
/// list by itself, which sops refuses.
pub(super) fn read_json_value(bytes: &[u8]) -> Option<Value> {
    match json::read_value(bytes).ok()? {
        #[expect(clippy::cast_precision_loss, reason = "Go's decoder rounds as well")]
        Value::Int(number) => Some(Value::Float(number as f64)),
        Value::List(_) => None,
        value => Some(value),
    }
}

/// A value as a variable of a process holds it; `None` for a list or mapping.
pub(super) fn to_variable(value: &Value) -> Option<Zeroizing<Vec<u8>>> {
    match value {
        Value::List(_) | Value::Branch(_) => None,
        Value::Text(text) => Some(text.clone()),
        scalar => Some(Zeroizing::new(to_flat_text(scalar).into_bytes())),
    }
}

/// Refuses a document that sops would not read again: a key `<<` is written as a merge, which takes mappings alone.
pub(super) fn check_merges(branches: &Branches) -> Result<(), StoreError> {
    branches.first().map_or(Ok(()), check_merges_in)
}

fn check_merges_in(branch: &Branch) -> Result<(), StoreError> {
    branch.iter().try_for_each(|item| match item {
        Item::Entry(entry) if entry.key.as_str() == "<<" && !can_merge(&entry.value) => Err(
            StoreError::at(entry.line, "`<<` merges mappings, and this is none"),
        ),
        Item::Entry(entry) => check_merges_below(&entry.value),
        Item::Comment(_) => Ok(()),
    })
}

fn check_merges_below(value: &Value) -> Result<(), StoreError> {
    match value {
        Value::Branch(branch) => check_merges_in(branch),
        Value::List(list) => list.iter().try_for_each(|element| match element {
            Element::Value(value) => check_merges_below(value),
            Element::Comment(_) => Ok(()),
        }),
        _ => Ok(()),
    }
}

fn can_merge(value: &Value) -> bool {
    let is_branch = |element: &Element| !matches!(element, Element::Value(value) if !matches!(value, Value::Branch(_)));
    match value {
        Value::Branch(_) => true,
        Value::List(list) => list.iter().all(is_branch),
        _ => false,
    }
}

/// What a sealed file holds.
pub(super) struct Loaded {
    pub(super) branches: Branches,
    /// The metadata as a tree; `Err` when flat names contradict each other; `None` when there are none.
    pub(super) metadata: Option<Result<Branch, String>>,
}

/// Reads a sealed file and takes its metadata out.
pub(super) fn read_sealed(bytes: &[u8], format: Format) -> Result<Loaded, StoreError> {
    let mut branches = match format {
        Format::Binary => vec![json::read(bytes)?],
        other => read_plain(bytes, other)?,
    };
    let metadata = match format {
        Format::Dotenv => branches.first_mut().and_then(dotenv::take_metadata),
        Format::Ini => ini::take_metadata(&mut branches),
        Format::Yaml | Format::Json | Format::Binary => take_metadata(&mut branches),
    };
    Ok(Loaded { branches, metadata })
}

/// Takes the key `sops` out of every document; that of the first one counts.
fn take_metadata(branches: &mut Branches) -> Option<Result<Branch, String>> {
    let mut found = Vec::new();
    for (index, branch) in branches.iter_mut().enumerate() {
        branch.retain_mut(|item| match item {
            Item::Entry(entry) if entry.key.as_str() == METADATA_KEY => {
                if index == 0 {
                    found.push(std::mem::replace(&mut entry.value, Value::Null));
                }
                false
            }
            Item::Entry(_) | Item::Comment(_) => true,
        });
    }
    match (found.pop()?, found.is_empty()) {
        (_, false) => Some(Err("the key `sops` stands twice".to_owned())),
        (Value::Branch(branch), true) => Some(Ok(branch)),
        (_, true) => Some(Err("`sops` is not a mapping".to_owned())),
    }
}

/// Writes a plain document.
pub(super) fn write_plain(
    branches: &Branches,
    format: Format,
    indents: &Indents,
) -> Result<Vec<u8>, StoreError> {
    // All formats but YAML and JSON hold one document, and JSON takes the first, as in sops.
    let empty = Branch::new();
    let first = branches.first().unwrap_or(&empty);
    match format {
        Format::Yaml => yaml::write(branches, indents.yaml),
        Format::Json => json::write(first, indents.json),
        Format::Dotenv => dotenv::write(first),
        Format::Ini => ini::write(branches),
        Format::Binary => binary::write(branches),
    }
}

/// A text that sops loses in printing.
pub(super) struct Lost {
    pub(super) path: String,
    /// A comment belongs to it, and sops cannot print one at a value that it lost.
    pub(super) has_comment: bool,
}

/// Puts null in the place of each text that sops loses in printing a format.
pub(super) fn lose(branches: &mut Branches, format: Format) -> Vec<Lost> {
    let mut lost = Vec::new();
    if format == Format::Yaml {
        for branch in branches {
            lose_in(branch, "", &mut lost);
        }
    }
    lost
}

fn lose_in(branch: &mut Branch, above: &str, lost: &mut Vec<Lost>) {
    for item in branch {
        if let Item::Entry(entry) = item {
            let path = format!("{above}{}", entry.key.as_str());
            lose_value(&mut entry.value, &path, false, lost);
        }
    }
}

fn lose_value(value: &mut Value, path: &str, has_comment: bool, lost: &mut Vec<Lost>) {
    match value {
        Value::Text(text) if yaml::is_lost(text) => {
            lost.push(Lost {
                path: path.to_owned(),
                has_comment,
            });
            *value = Value::Null;
        }
        Value::Branch(branch) => lose_in(branch, &format!("{path}."), lost),
        Value::List(list) => lose_items(list, path, lost),
        _ => {}
    }
}

/// A comment belongs to the item after it, one before the first item to the list, one after the last item to that.
fn lose_items(list: &mut [Element], path: &str, lost: &mut Vec<Lost>) {
    let is_value = |element: &Element| matches!(element, Element::Value(_));
    let (first, last) = (
        list.iter().position(is_value),
        list.iter().rposition(is_value),
    );
    for index in 0..list.len() {
        let is_first = first == Some(index);
        let before = !is_first && index > 0 && !is_value(&list[index - 1]);
        let after = last == Some(index) && index + 1 < list.len();
        if let Element::Value(value) = &mut list[index] {
            lose_value(value, path, before || after, lost);
        }
    }
}

/// Writes a single value, as `--extract` prints one that is no text.
pub(super) fn write_value(
    value: &Value,
    format: Format,
    indents: &Indents,
) -> Result<Vec<u8>, StoreError> {
    match format {
        Format::Yaml => yaml::write_value(value),
        Format::Json => json::write_value(value, indents.json),
        Format::Ini => json::write_value(value, Some(0)),
        Format::Dotenv => Err(StoreError::at(0, "a dotenv file holds nothing but text")),
        Format::Binary => Err(StoreError::at(0, "a binary file has no parts to extract")),
    }
}

/// Writes a sealed document: the entries, and the metadata where the format has them.
pub(super) fn write_sealed(
    mut branches: Branches,
    metadata: Branch,
    format: Format,
    indents: &Indents,
) -> Result<Vec<u8>, StoreError> {
    match format {
        Format::Dotenv => {
            if let Some(first) = branches.first_mut() {
                dotenv::add_metadata(first, &metadata)?;
            }
        }
        Format::Ini => ini::add_metadata(&mut branches, &metadata),
        Format::Yaml | Format::Json | Format::Binary => {
            // Every document carries them, as in sops.
            for branch in &mut branches {
                branch.push(entry(METADATA_KEY, Value::Branch(metadata.clone())));
            }
        }
    }
    match format {
        Format::Binary => {
            let first = branches.first().map_or(&[][..], Vec::as_slice).to_vec();
            json::write(&first, indents.json_binary)
        }
        other => write_plain(&branches, other, indents),
    }
}

/// Whether a plain document has an entry where metadata would stand.
pub(super) fn has_metadata(branches: &Branches, format: Format) -> bool {
    let Some(first) = branches.first() else {
        return false;
    };
    first.iter().any(|item| match item {
        Item::Entry(entry) if format == Format::Dotenv => entry.key.as_str().starts_with("sops_"),
        Item::Entry(entry) => entry.key.as_str() == METADATA_KEY,
        Item::Comment(_) => false,
    })
}

/// A scalar as dotenv and ini files write it: Go's `%v`, a float always told from an integer.
fn to_flat_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => flat_float(*number),
        Value::Time(moment) => moment.to_seconds(),
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::TooLarge => String::new(),
        Value::List(_) | Value::Branch(_) => go_text(value),
    }
}

/// A collection as Go's `%v` prints the types that sops holds it in: ini files get nothing better.
fn go_text(value: &Value) -> String {
    let comment = |comment: &Comment| format!("{{{}}}", String::from_utf8_lossy(&comment.text));
    let joined = |items: Vec<String>| format!("[{}]", items.join(" "));
    match value {
        Value::List(list) => joined(
            list.iter()
                .map(|element| match element {
                    Element::Comment(text) => comment(text),
                    Element::Value(value) => go_text(value),
                })
                .collect(),
        ),
        Value::Branch(branch) => joined(
            branch
                .iter()
                .map(|item| match item {
                    Item::Comment(text) => format!("{{{} <nil>}}", comment(text)),
                    Item::Entry(entry) => {
                        format!("{{{} {}}}", entry.key.as_str(), go_text(&entry.value))
                    }
                })
                .collect(),
        ),
        Value::Float(number) => {
            let mut out = Vec::new();
            crate::go::float::write_general(&mut out, *number);
            String::from_utf8_lossy(&out).into_owned()
        }
        Value::Time(moment) => go_time(moment.as_str()),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::TooLarge | Value::Text(_) => {
            to_flat_text(value)
        }
    }
}

/// An RFC 3339 time as Go's `Time.String` prints it.
fn go_time(text: &str) -> String {
    let text = text.replacen('T', " ", 1);
    match text.strip_suffix('Z') {
        Some(bare) => format!("{bare} +0000 UTC"),
        None => {
            let (bare, zone) = text.split_at(text.len().saturating_sub(6));
            let zone = zone.replace(':', "");
            format!("{bare} {zone} {zone}")
        }
    }
}

fn flat_float(number: f64) -> String {
    let mut out = Vec::new();
    crate::go::float::write_general(&mut out, number);
    let text = String::from_utf8_lossy(&out).to_uppercase();
    match text.as_str() {
        "+INF" => "+Inf".to_owned(),
        _ if text.contains(['.', 'E']) => text,
        _ if number.is_finite() => format!("{text}.0"),
        // What Go prints for these with one decimal is the name itself.
        "-INF" => "-Inf".to_owned(),
        _ => "NaN".to_owned(),
    }
}
