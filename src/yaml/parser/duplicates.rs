//! Keys that a mapping has twice.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{SyntaxError, SyntaxKind};
use super::options::{DuplicateKeys, Schema};
use super::scanner::Result;
use crate::yaml::{Entry, Tag};

/// Mappings up to this size are compared pair by pair, larger ones through a map.
const FEW: usize = 12;

/// Refuses or resolves repeated keys. Go's schema compares texts alone (`1` and `"1"` are the same key).
pub(super) fn settle(
    entries: &mut Vec<Entry>,
    policy: DuplicateKeys,
    schema: Schema,
) -> Result<()> {
    if policy == DuplicateKeys::Keep {
        return Ok(());
    }
    let Some((first, second)) = find(entries, schema) else {
        return Ok(());
    };
    if policy == DuplicateKeys::Refuse {
        let line = entries[first].key.mark().line;
        return Err(SyntaxError::of(
            SyntaxKind::DuplicateKey,
            entries[second].key.mark(),
            format!("this key is already in the mapping, at line {line}"),
        ));
    }
    keep_last(entries, schema);
    Ok(())
}

type Identity<'a> = (&'a str, Option<Tag>);

/// What makes a key the same as another; `None` for keys that are no scalars, or aliases.
fn identity(entry: &Entry, schema: Schema) -> Option<Identity<'_>> {
    let key = &entry.key;
    if key.tag() == Tag::Custom {
        return None;
    }
    let tag = (schema == Schema::Python).then(|| key.tag());
    key.scalar_text().map(|text| (text, tag))
}

fn find(entries: &[Entry], schema: Schema) -> Option<(usize, usize)> {
    if entries.len() <= FEW {
        return entries.iter().enumerate().find_map(|(second, entry)| {
            let key = identity(entry, schema)?;
            let first = entries[..second]
                .iter()
                .position(|earlier| identity(earlier, schema) == Some(key))?;
            Some((first, second))
        });
    }
    let mut seen = BTreeMap::new();
    entries.iter().enumerate().find_map(|(second, entry)| {
        let first = seen.insert(identity(entry, schema)?, second)?;
        Some((first, second))
    })
}

/// Adds the first entry of each key that is not there.
pub(super) fn add_missing(entries: &mut Vec<Entry>, others: impl Iterator<Item = Entry>) {
    let text_of = |entry: &Entry| identity(entry, Schema::Go).map(|(text, _)| text.to_owned());
    let mut seen: BTreeSet<String> = entries.iter().filter_map(text_of).collect();
    entries.extend(others.filter(|other| text_of(other).is_none_or(|text| seen.insert(text))));
}

/// Puts the last value of each key in the place of the first.
fn keep_last(entries: &mut Vec<Entry>, schema: Schema) {
    let mut places: BTreeMap<(String, Option<Tag>), usize> = BTreeMap::new();
    let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries.drain(..) {
        let key = identity(&entry, schema).map(|(text, tag)| (text.to_owned(), tag));
        match key.as_ref().and_then(|key| places.get(key)) {
            Some(place) => kept[*place].value = entry.value,
            None => {
                places.extend(key.map(|key| (key, kept.len())));
                kept.push(entry);
            }
        }
    }
    *entries = kept;
}
