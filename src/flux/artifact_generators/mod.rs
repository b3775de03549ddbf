//! ArtifactGenerators: artifacts put together from parts of sources.
//!
//! Follows `validateSpec`, `buildArtifactRequests` and `builder.Build` of source-watcher at commit 825fa15, after
//! v2.2.1. Each artifact is a list of copies into an empty directory; what sources leave out by default is left out
//! of the artifact as well. What differs on purpose: links within an archive are refused. Cases: `ag-*`.

mod copy;
mod pattern;
mod staging;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Files, Kind, TreePath};
use crate::pipeline::Ignore;

pub use staging::Staging;

/// The sources of a generator, by alias.
pub type SourceFiles<'a> = IndexMap<String, &'a dyn Files>;

/// An artifact that was put together.
#[derive(Debug)]
pub struct Built {
    /// The namespace of the generator.
    pub namespace: String,
    /// The name of the ExternalArtifact.
    pub name: String,
    /// Its files, by path.
    pub files: IndexMap<String, Vec<u8>>,
}

/// One copy of an artifact.
#[derive(Debug, Clone)]
struct Copy {
    from: String,
    to: String,
    exclude: Vec<String>,
    strategy: String,
}

/// An artifact that is asked for.
#[derive(Debug, Clone)]
struct Order {
    name: String,
    copies: Vec<Copy>,
}

/// Builds every artifact of a generator.
///
/// Fails with [`Code::HostError`] where source-watcher does: on names that are not DNS names or are used twice, on
/// sources that are not known, on patterns that take nothing.
pub fn build(generator: &Json, sources: &SourceFiles<'_>) -> Result<Vec<Built>> {
    let namespace = text(generator, "/metadata/namespace");
    let namespace = if namespace.is_empty() {
        "default"
    } else {
        namespace
    };
    let written = orders(generator);
    validate(generator, &written)?;
    let orders = match text(generator, "/spec/pathPattern") {
        "" => written,
        path_pattern => pattern::orders(path_pattern, &written, sources)?,
    };
    let mut all = Vec::new();
    for order in orders {
        let mut staging = Staging::default();
        for copy in &order.copies {
            copy::apply(copy, sources, &mut staging).map_err(|error| {
                error.note(format!(
                    "in the copy from {:?} to {:?} of the artifact {:?}",
                    copy.from, copy.to, order.name
                ))
            })?;
        }
        all.push(Built {
            namespace: namespace.to_owned(),
            name: order.name,
            files: kept(staging),
        });
    }
    Ok(all)
}

/// What the archive holds of what was put together.
fn kept(staging: Staging) -> IndexMap<String, Vec<u8>> {
    let ignore = Ignore::defaults(&TreePath::root());
    let leaves_out = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        (1..=parts.len()).any(|count| {
            let kind = if count == parts.len() {
                Kind::File
            } else {
                Kind::Directory
            };
            TreePath::parse(&parts[..count].join("/"))
                .is_some_and(|path| ignore.leaves_out(&path, kind))
        })
    };
    staging
        .into_files()
        .into_iter()
        .filter(|(path, _)| !leaves_out(path))
        .collect()
}

fn wrong(words: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::HostError, words.into())
}

fn text<'j>(json: &'j Json, pointer: &str) -> &'j str {
    json.pointer(pointer)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

fn list<'j>(json: &'j Json, pointer: &str) -> impl Iterator<Item = &'j Json> {
    json.pointer(pointer)
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
}

fn orders(generator: &Json) -> Vec<Order> {
    let copy = |copy: &Json| Copy {
        from: text(copy, "/from").to_owned(),
        to: text(copy, "/to").to_owned(),
        exclude: list(copy, "/exclude")
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
        strategy: text(copy, "/strategy").to_owned(),
    };
    list(generator, "/spec/artifacts")
        .map(|artifact| Order {
            name: text(artifact, "/name").to_owned(),
            copies: list(artifact, "/copy").map(copy).collect(),
        })
        .collect()
}

fn validate(generator: &Json, orders: &[Order]) -> Result<()> {
    let mut aliases = IndexMap::new();
    for source in list(generator, "/spec/sources") {
        let alias = text(source, "/alias");
        if aliases.insert(alias, ()).is_some() {
            return Err(wrong(format!("two sources have the alias {alias:?}")));
        }
    }
    let mut names = IndexMap::new();
    for (order, artifact) in orders.iter().zip(list(generator, "/spec/artifacts")) {
        if names.insert(&order.name, ()).is_some() {
            return Err(wrong(format!(
                "two artifacts have the name {:?}",
                order.name
            )));
        }
        if text(generator, "/spec/pathPattern").is_empty() && !is_subdomain(&order.name) {
            return Err(wrong(format!(
                "the artifact's name {:?} is not a DNS name",
                order.name
            )));
        }
        let revision = text(artifact, "/revision");
        let alias = revision.strip_prefix('@').unwrap_or(revision);
        if !revision.is_empty() && !aliases.contains_key(alias) {
            return Err(wrong(format!(
                "the revision of {:?} names the source {alias:?}, which is not there",
                order.name
            )));
        }
    }
    Ok(())
}

/// A DNS name in lower case.
fn is_subdomain(text: &str) -> bool {
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        let ends = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        ends(bytes.first())
            && ends(bytes.last())
            && bytes
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}
