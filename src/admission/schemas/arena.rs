//! The types of one product, read when they are asked for.

use std::io::Read as _;
use std::ops::Range;
use std::sync::OnceLock;

use flate2::read::ZlibDecoder;

use super::types::{Number, Type};
use crate::kube::Scope;

/// Types that refer to each other by number.
///
/// Built-in ones are lines of JSON, each parsed when it is first asked for; those of a CRD that was read are there
/// from the start.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    text: String,
    /// Where the lines of kinds end.
    kinds_end: usize,
    lines: Vec<Range<usize>>,
    types: Vec<OnceLock<Type>>,
}

/// A kind as the table of kinds has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) variant: &'a str,
    /// `group/version/Kind`, or `version/Kind` of the core group.
    pub(crate) name: &'a str,
    pub(crate) number: Number,
    pub(crate) scope: Scope,
}

impl Arena {
    /// Unpacks the types of a file that `.ci/compact_schemas.py` made.
    pub(super) fn unpack(packed: &[u8]) -> Self {
        let mut text = String::new();
        ZlibDecoder::new(packed)
            .read_to_string(&mut text)
            .expect("built-in schemas were packed by our own tool");
        let kinds_end = text.find("\n\n").map_or(0, |at| at + 1);
        let mut lines = Vec::new();
        let mut start = kinds_end + 1;
        for (at, _) in text
            .match_indices('\n')
            .skip_while(|(at, _)| *at <= kinds_end)
        {
            lines.push(start..at);
            start = at + 1;
        }
        let types = lines.iter().map(|_| OnceLock::new()).collect();
        Self {
            text,
            kinds_end,
            lines,
            types,
        }
    }

    /// Adds a type that was read from a CRD, and returns its number.
    pub(super) fn push(&mut self, kind: Type) -> Number {
        self.types.push(OnceLock::from(kind));
        self.types.len() - 1
    }

    /// A type.
    pub(crate) fn get(&self, number: Number) -> &Type {
        self.types[number].get_or_init(|| {
            serde_json::from_str(&self.text[self.lines[number].clone()])
                .expect("built-in schemas were written by our own tool")
        })
    }

    /// How many types there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.types.len()
    }

    /// Every kind of every variant.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.text[..self.kinds_end].lines().filter_map(row)
    }

    /// The kind of a variant by its full name.
    pub(super) fn find(&self, variant: &str, name: &str) -> Option<Row<'_>> {
        let line = format!("K {variant} {name} ");
        let kinds = &self.text[..self.kinds_end];
        let start = match kinds.starts_with(&line) {
            true => 0,
            false => kinds.find(&format!("\n{line}"))? + 1,
        };
        kinds[start..].lines().next().and_then(row)
    }
}

fn row(line: &str) -> Option<Row<'_>> {
    let mut words = line.strip_prefix("K ")?.split(' ');
    Some(Row {
        variant: words.next()?,
        name: words.next()?,
        number: words.next()?.parse().ok()?,
        scope: match words.next()? {
            "C" => Scope::Cluster,
            _ => Scope::Namespaced,
        },
    })
}
