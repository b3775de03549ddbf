//! Reads a file of manifests: splits it into documents, expands lists, and checks what every object must
//! have.

use std::collections::VecDeque;
use std::sync::Arc;

use rayon::prelude::*;

use super::patches::comments::may_have_schema;
use super::patches::through_json::{self, ReadFrom};
use super::{hash, metadata};
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::files::File;
use crate::kube::Resource;
use crate::yaml::{
    self, DuplicateKeys, Entry, Mapping, Node, ParseOptions, Reread, Style, SyntaxKind, Tag, Value,
};

/// Reads every object of a file.
///
/// Fails with [`Code::YamlSyntax`] and its like, or [`Code::ManifestInvalid`].
pub(super) fn read(file: &File) -> Result<Vec<Resource>> {
    read_text(text_of(file)?, &file.source, 1)
}

/// Reads every object of a text that starts at a line of a file.
pub(super) fn read_text(
    text: &str,
    source: &Arc<Source>,
    first_line: u32,
) -> Result<Vec<Resource>> {
    let nodes = nodes_of(text, source, first_line)?;
    let resources = expand_lists(nodes, source)?;
    let may_reread = yaml::may_reread(text);
    let first_lines = first_lines_of_hashed(text, source, first_line)?;
    Ok(resources
        .into_iter()
        .map(|node| {
            // In the items of a list, which the reference reads from JSON, a time that is merged becomes a string.
            let may_reread = may_reread || node.style() == Style::Flow;
            let mut resource = Resource::new(node, Some(Arc::clone(source)));
            metadata::read_history(&mut resource);
            resource.history_mut().may_reread = may_reread;
            if resource.is_hashed_whole() {
                let line = resource.node().mark().line;
                let start = first_lines.iter().rfind(|first| **first <= line);
                resource.history_mut().first_line = start.copied().unwrap_or(first_line);
            }
            resource
        })
        .collect())
}

/// The lines on which the documents of a text start, where an object may ask for a hash that depends on it.
fn first_lines_of_hashed(text: &str, source: &Source, first_line: u32) -> Result<Vec<u32>> {
    if !hash::may_be_asked_for(text) {
        return Ok(Vec::new());
    }
    let pieces = split(text, source, first_line)?;
    Ok(pieces.iter().map(|piece| piece.first_line).collect())
}

/// The text of a file. Fails with [`Code::YamlSyntax`] when it is not UTF-8.
pub(super) fn text_of(file: &File) -> Result<&str> {
    std::str::from_utf8(&file.bytes).map_err(|error| {
        let line = file.bytes[..error.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1;
        Diagnostic::new(Code::YamlSyntax, "this is not UTF-8")
            .at(file.source.place(u32::try_from(line).unwrap_or(0), 0))
    })
}

/// Reads the first document of each piece of a text, as the reference does: it splits the text at lines
/// that start with `---`, whatever they are part of, and decodes one document of each piece.
fn nodes_of(text: &str, source: &Source, first_line: u32) -> Result<Vec<Node>> {
    let unix;
    let text = if text.contains("\r\n") {
        unix = text.replace("\r\n", "\n");
        &unix
    } else {
        text
    };
    let pieces = split(text, source, first_line)?;
    let is_single = pieces.len() == 1;
    let read = |piece: &Piece<'_>| first_document(piece, source, is_single);
    let documents: Vec<Result<Option<Node>>> = if is_single || text.len() < PARALLEL_BYTES {
        pieces.iter().map(read).collect()
    } else {
        pieces.par_iter().map(read).collect()
    };
    let mut nodes = Vec::with_capacity(documents.len());
    for document in documents {
        let Some(node) = document? else {
            continue;
        };
        if is_single && is_bare_list(&node) {
            nodes.extend(take_items(node));
        } else {
            nodes.push(node);
        }
    }
    Ok(nodes)
}

/// From so many bytes on, the pieces of a text are read in parallel: less is done before threads are there.
const PARALLEL_BYTES: usize = 512 << 10;

/// A part of a text between two separators.
struct Piece<'a> {
    text: &'a str,
    first_line: u32,
}

fn split<'a>(text: &'a str, source: &Source, first_line: u32) -> Result<Vec<Piece<'a>>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut line = first_line;
    let mut search = 0;
    while let Some(found) = text[search..].find("\n---") {
        let separator = search + found;
        let after = separator + "\n---".len();
        let Some(length) = text[after..].find('\n') else {
            break;
        };
        let next_line = lines_in(&text[start..=separator]);
        let rest = text[after..after + length].trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            let phrase = "a line that starts with --- separates documents, and nothing but a comment may follow it";
            return Err(
                Diagnostic::new(Code::YamlSyntax, phrase).at(source.place(line + next_line, 1))
            );
        }
        pieces.push(Piece {
            text: &text[start..=separator],
            first_line: line,
        });
        start = after + length + 1;
        search = start;
        line += next_line + 1;
    }
    pieces.push(Piece {
        text: &text[start..],
        first_line: line,
    });
    Ok(pieces)
}

fn lines_in(text: &str) -> u32 {
    let count = text.bytes().filter(|b| *b == b'\n').count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn first_document(piece: &Piece<'_>, source: &Source, is_single: bool) -> Result<Option<Node>> {
    let options = ParseOptions {
        // The reference reads a schema from comments, and hashes them; nothing else needs them.
        comments: may_have_schema(piece.text) || hash::may_be_asked_for(piece.text),
        reread: Reread::AsKustomize,
        first_line: piece.first_line,
        ..ParseOptions::default()
    };
    let document = match yaml::parse_first(piece.text, options) {
        Err(error) if error.kind == SyntaxKind::DuplicateKey => {
            keys_twice(piece.text, options, is_single)
                .map(Some)
                .ok_or(error)
        }
        read => read,
    };
    let document = document.map_err(|error| error.at(source))?;
    Ok(document.filter(|n| !n.is_null()))
}

/// Reads a document with keys that stand twice: the reference refuses them when it prints the object, if they are
/// still there then, and when it expands a list that is not the only document of a file.
fn keys_twice(text: &str, options: ParseOptions, is_single: bool) -> Option<Node> {
    let options = ParseOptions {
        duplicate_keys: DuplicateKeys::Keep,
        ..options
    };
    let node = yaml::parse_first(text, options).ok()??;
    if kind_of(&node).ends_with("List") && !(is_single && is_bare_list(&node)) {
        return None;
    }
    Some(with_annotations_once(node))
}

/// Merges annotations that an object has twice, as the reference does when it sets them anew: the first mapping that
/// has a key counts, and within one mapping the last.
fn with_annotations_once(mut object: Node) -> Node {
    if let Some(items) = object.get_mut("items").and_then(Node::as_sequence_mut) {
        let taken = std::mem::take(items);
        *items = taken.into_iter().map(with_annotations_once).collect();
    }
    let Some(metadata) = object.get_mut("metadata").and_then(Node::as_mapping_mut) else {
        return object;
    };
    let mut merged: Option<Mapping> = None;
    let is_annotations = |entry: &Entry| entry.key.scalar_text() == Some("annotations");
    for entry in metadata.entries().iter().filter(|e| is_annotations(e)) {
        let mut own = Mapping::default();
        for (key, value) in entry.value.as_mapping().into_iter().flat_map(Mapping::iter) {
            own.insert(key, value.clone());
        }
        let merged = merged.get_or_insert_default();
        for Entry { key, value } in own.into_entries() {
            merged.get_or_insert_with(key.scalar_text().unwrap_or_default(), || value);
        }
    }
    if let Some(merged) = merged {
        metadata
            .entries_mut()
            .retain(|entry| !is_annotations(entry));
        let annotations = Node::new(Value::Mapping(merged), Tag::Map);
        metadata.insert("annotations", annotations);
    }
    object
}

/// Whether a file is one list of the kinds that are unwrapped as soon as they are read.
fn is_bare_list(node: &Node) -> bool {
    matches!(kind_of(node), "List" | "ResourceList")
        && (node.get("items").is_some() || node.get("functionConfig").is_some())
}

fn take_items(mut node: Node) -> Vec<Node> {
    let items = node.get_mut("items").and_then(Node::as_sequence_mut);
    items.map(std::mem::take).unwrap_or_default()
}

fn kind_of(node: &Node) -> &str {
    node.get("kind")
        .and_then(Node::scalar_text)
        .unwrap_or_default()
}

/// Replaces each list by its items. Items come after what was beside their list, as in the reference.
fn expand_lists(nodes: Vec<Node>, source: &Source) -> Result<Vec<Node>> {
    let mut queue = VecDeque::with_capacity(nodes.len());
    accept(nodes, source, &mut queue)?;
    let mut result = Vec::with_capacity(queue.len());
    while let Some(node) = queue.pop_front() {
        if !kind_of(&node).ends_with("List") {
            result.push(node);
            continue;
        }
        match node.get("items") {
            None => result.push(node),
            Some(items) if items.is_null() => {}
            Some(items) if items.as_sequence().is_none() => {
                let phrase = format!("items of {} must be a list", kind_of(&node));
                return Err(invalid(&phrase, items, source));
            }
            Some(_) => {
                for mut item in take_items(node) {
                    yaml::reread(&mut item);
                    through_json::types(&mut item, ReadFrom::Json)
                        .map_err(|fault| fault.in_source(source))?;
                    let inner = if is_bare_list(&item) {
                        take_items(item)
                    } else {
                        vec![item]
                    };
                    accept(inner, source, &mut queue)?;
                }
            }
        }
    }
    Ok(result)
}

/// Adds what is an object to the queue, leaves out what is empty, refuses the rest.
fn accept(nodes: Vec<Node>, source: &Source, queue: &mut VecDeque<Node>) -> Result<()> {
    for node in nodes {
        if is_empty(&node) {
            continue;
        }
        check(&node, source)?;
        queue.push_back(node);
    }
    Ok(())
}

fn is_empty(node: &Node) -> bool {
    node.is_null()
        || node.as_mapping().is_some_and(Mapping::is_empty)
        || node.as_sequence().is_some_and(<[Node]>::is_empty)
}

/// Refuses what is no object: it needs a kind, and a name unless it is a list.
fn check(node: &Node, source: &Source) -> Result<()> {
    if node.as_mapping().is_none() {
        return Err(invalid("this is not an object", node, source)
            .help("a manifest has apiVersion, kind and metadata"));
    }
    let kind = kind_of(node);
    if kind.is_empty() {
        return Err(invalid("the object has no kind", node, source));
    }
    if kind.ends_with("List") {
        return Ok(());
    }
    let name = node.lookup(&["metadata", "name"]);
    let has_name =
        name.is_some_and(|n| !n.is_null() && n.scalar_text().is_some_and(|t| !t.is_empty()));
    if has_name {
        return Ok(());
    }
    // `name: {{ name }}` is a mapping to YAML.
    Err(match name.filter(|n| n.scalar_text().is_none()) {
        Some(name) => {
            let phrase = format!("metadata.name of the {kind} must be text");
            invalid(&phrase, name, source)
                .help("put it in quotes; if this is a template, it was not rendered")
        }
        None => invalid(&format!("the {kind} has no metadata.name"), node, source),
    })
}

fn invalid(phrase: &str, node: &Node, source: &Source) -> Diagnostic {
    let mark = node.mark();
    Diagnostic::new(Code::ManifestInvalid, phrase).at(source.place(mark.line, mark.column))
}
