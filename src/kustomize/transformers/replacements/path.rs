//! The field paths of replacements: `spec.containers.[name=app].image`.
//!
//! Parts are separated by `.`, with `\.` for a dot in a name and `[a.b]` around one with dots. `[key=value]`
//! picks the items of a list whose key holds a match of the regular expression, `[=value]` items that are
//! values themselves, `*` every item, and a number one of them.

use regex::Regex;

use super::structured;
use crate::diagnostic::{Code, nearest};
use crate::go::regexp;
use crate::kustomize::fault::Fault;
use crate::kustomize::scalar;
use crate::yaml::{self, Node, Schema, Style, Tag, Value, WriteOptions};

/// What is done where a field is missing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Missing<'v> {
    /// Nothing.
    Skip,
    /// It is made, of the same sort as this value.
    Make(&'v Node),
}

/// What is done where a path goes on below a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strings {
    /// It is an error.
    Refuse,
    /// What it holds is read, and what is set there is lost: kyaml of v5.8 does so, `yaml/match.go`.
    SetInVain,
}

/// A path of a target.
#[derive(Debug)]
pub(super) struct Path(Vec<Part>);

#[derive(Debug)]
enum Part {
    Field(String, Strings),
    Index(usize),
    Every,
    Item {
        key: String,
        text: String,
        matcher: Matcher,
    },
    /// A part in brackets without `=`.
    Malformed(String),
}

#[derive(Debug)]
enum Matcher {
    Text(String),
    Expression(Regex),
    Malformed(String),
}

impl Matcher {
    fn new(text: &str) -> Self {
        if regexp::is_literal(text) {
            return Self::Text(text.to_owned());
        }
        match regexp::compile(text) {
            Ok(regex) => Self::Expression(regex),
            Err(error) => Self::Malformed(error.to_string()),
        }
    }

    fn is_match(&self, node: &Node) -> Result<bool, Fault> {
        let written = written(node);
        match self {
            Self::Text(text) => Ok(written.contains(text.as_str())),
            Self::Expression(regex) => Ok(regex.is_match(&written)),
            Self::Malformed(error) => {
                let phrase = format!("a value in brackets is no regular expression: {error}");
                Err(Fault::new(Code::ReplacementInvalid, node, phrase))
            }
        }
    }
}

/// How go-yaml v3 writes a node: a quoted scalar with its quotes.
fn written(node: &Node) -> String {
    let plain = node.scalar_text().filter(|text| {
        let is_plain = matches!(node.style(), Style::Plain | Style::Flow);
        is_plain
            && (node.tag() != Tag::Str || yaml::resolve(text, Schema::Go) == Tag::Str)
            && !text.contains('\n')
    });
    if let Some(text) = plain {
        return text.trim().to_owned();
    }
    let mut out = Vec::new();
    match yaml::write_document(&mut out, node, &WriteOptions::default()) {
        Ok(()) => String::from_utf8_lossy(&out).trim().to_owned(),
        Err(_) => node.scalar_text().unwrap_or_default().trim().to_owned(),
    }
}

impl Path {
    /// Takes the parts of a path.
    pub(super) fn new(parts: &[String], strings: Strings) -> Self {
        Self(parts.iter().map(|part| Part::new(part, strings)).collect())
    }

    /// Calls `set` with every field that the path leads to.
    ///
    /// Fails where a list is expected and is none, and where a mapping is expected and is none.
    pub(super) fn visit(
        &self,
        node: &mut Node,
        missing: Missing<'_>,
        set: &mut dyn FnMut(&mut Node) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        visit(&self.0, node, missing, set)
    }
}

impl Part {
    fn new(text: &str, strings: Strings) -> Self {
        if let Some(index) = text
            .parse::<i64>()
            .ok()
            .and_then(|n| usize::try_from(n).ok())
        {
            return Self::Index(index);
        }
        if !is_bracketed(text) {
            return match text {
                "*" => Self::Every,
                _ => Self::Field(text.to_owned(), strings),
            };
        }
        match key_and_value(text) {
            Some((key, value)) => Self::Item {
                matcher: Matcher::new(value),
                key: key.to_owned(),
                text: value.to_owned(),
            },
            None => Self::Malformed(text.to_owned()),
        }
    }
}

type Set<'s> = dyn FnMut(&mut Node) -> Result<(), Fault> + 's;

fn visit(
    parts: &[Part],
    node: &mut Node,
    missing: Missing<'_>,
    set: &mut Set<'_>,
) -> Result<(), Fault> {
    let Some((part, rest)) = parts.split_first() else {
        return set(node);
    };
    match part {
        Part::Field(name, strings) => visit_field((name, *strings), rest, node, missing, set),
        Part::Index(index) => visit_index(*index, rest, node, missing, set),
        Part::Every => items(node)?
            .iter_mut()
            .try_for_each(|item| visit(rest, item, missing, set)),
        Part::Item { key, text, matcher } => {
            visit_items(key, text, matcher, rest, node, missing, set)
        }
        Part::Malformed(text) => Err(malformed(node, text)),
    }
}

fn malformed(node: &Node, text: &str) -> Fault {
    let phrase = format!("{text} picks no item of a list");
    Fault::new(Code::ReplacementInvalid, node, phrase).help("write [key=value]")
}

fn visit_field(
    (name, strings): (&str, Strings),
    rest: &[Part],
    node: &mut Node,
    missing: Missing<'_>,
    set: &mut Set<'_>,
) -> Result<(), Fault> {
    if scalar::is_null(node) {
        // What is put into null gets lost in the reference.
        let mut lost = Node::mapping();
        return match missing {
            Missing::Skip => Ok(()),
            Missing::Make(_) => visit_field((name, strings), rest, &mut lost, missing, set),
        };
    }
    let Some(mapping) = node.as_mapping_mut() else {
        return Err(Fault::wrong_sort(node, "a mapping"));
    };
    match (mapping.position(name), missing) {
        (Some(at), _) => {
            let field = &mut mapping.entries_mut()[at].value;
            let is_string = field.scalar_text().is_some() && !scalar::is_null(field);
            if is_string && strings == Strings::SetInVain && !rest.is_empty() {
                let text = field.scalar_text().unwrap_or_default();
                let mut held = structured::parsed(text).unwrap_or_else(|| field.clone());
                return visit(rest, &mut held, missing, set);
            }
            visit(rest, field, missing, set)
        }
        (None, Missing::Skip) => Ok(()),
        (None, Missing::Make(value)) => {
            scalar::push(mapping, name, made_for(rest, value));
            let last = mapping.len() - 1;
            visit(rest, &mut mapping.entries_mut()[last].value, missing, set)
        }
    }
}

/// A new node that the rest of a path can lead through, or that takes the value.
fn made_for(rest: &[Part], value: &Node) -> Node {
    match rest.first() {
        Some(Part::Index(_) | Part::Item { .. } | Part::Malformed(_)) => Node::sequence(Vec::new()),
        Some(Part::Field(name, _)) if !name.is_empty() => Node::mapping(),
        Some(Part::Every) => Node::mapping(),
        Some(Part::Field(..)) | None => match value.value() {
            Value::Scalar(_) => scalar::untagged(""),
            Value::Sequence(_) => Node::sequence(Vec::new()),
            Value::Mapping(_) => Node::mapping(),
        },
    }
}

/// The items of a list; none of null.
fn items(node: &mut Node) -> Result<&mut [Node], Fault> {
    if scalar::is_null(node) {
        return Ok(&mut []);
    }
    if node.as_sequence().is_none() {
        return Err(Fault::wrong_sort(node, "a list"));
    }
    Ok(node
        .as_sequence_mut()
        .map_or(&mut [][..], |items| &mut items[..]))
}

fn visit_index(
    index: usize,
    rest: &[Part],
    node: &mut Node,
    missing: Missing<'_>,
    set: &mut Set<'_>,
) -> Result<(), Fault> {
    if let (true, Missing::Make(_)) = (scalar::is_null(node), missing) {
        return visit_index(index, rest, &mut Node::sequence(Vec::new()), missing, set);
    }
    let length = items(node)?.len();
    if let (Missing::Make(value), true, Some(items)) =
        (missing, length == index, node.as_sequence_mut())
    {
        items.push(made_for(rest, value));
    }
    if let Some(item) = items(node)?.get_mut(index) {
        return visit(rest, item, missing, set);
    }
    let phrase = format!("there is no item {index}: the list has {length}");
    Err(Fault::new(Code::ReplacementMissing, node, phrase))
}

fn visit_items(
    key: &str,
    text: &str,
    matcher: &Matcher,
    rest: &[Part],
    node: &mut Node,
    missing: Missing<'_>,
    set: &mut Set<'_>,
) -> Result<(), Fault> {
    if visit_matches(key, matcher, rest, items(node)?, missing, set)? {
        return Ok(());
    }
    let Missing::Make(_) = missing else {
        return Ok(());
    };
    // What is put into null gets lost in the reference.
    let mut lost = Vec::new();
    let list = node.as_sequence_mut().unwrap_or(&mut lost);
    let made = if key.is_empty() {
        scalar::untagged(text)
    } else {
        let mut made = Node::mapping();
        if let Some(mapping) = made.as_mapping_mut() {
            scalar::push(mapping, key, scalar::untagged(text));
        }
        made
    };
    list.push(made);
    let last = list.len() - 1;
    if visit_matches(key, matcher, rest, &mut list[last..], missing, set)? {
        return Ok(());
    }
    let phrase = format!("no item has a {key} that matches {text}, and none can be made of it");
    Err(Fault::new(Code::ReplacementInvalid, node, phrase))
}

/// Visits the items that match; false when nothing was found in them.
fn visit_matches(
    key: &str,
    matcher: &Matcher,
    rest: &[Part],
    items: &mut [Node],
    missing: Missing<'_>,
    set: &mut Set<'_>,
) -> Result<bool, Fault> {
    let mut is_found = false;
    for item in items {
        if key.is_empty() {
            // What follows in the path does not count here.
            if matcher.is_match(item)? {
                is_found = true;
                set(item)?;
            }
            continue;
        }
        let Some(value) = item.as_mapping().and_then(|mapping| mapping.get(key)) else {
            continue;
        };
        if matcher.is_match(value)? {
            visit(rest, item, missing, &mut |field| {
                is_found = true;
                set(field)
            })?;
        }
    }
    Ok(is_found)
}

/// Finds the one field that a path of a source leads to.
///
/// Fails where a list or mapping is expected and is none, and on `*`.
pub(super) fn look_up<'n>(node: &'n Node, parts: &[String]) -> Result<Option<&'n Node>, Fault> {
    let mut node = node;
    for part in parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
        match step(node, part)? {
            Some(next) => node = next,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// As [`look_up`], to change the field; `None` on what fails there.
pub(super) fn look_up_mut<'n>(node: &'n mut Node, parts: &[String]) -> Option<&'n mut Node> {
    let mut node = node;
    for part in parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty()) {
        let next: *const Node = step(node, part).ok()??;
        let is_next = |child: &&mut Node| std::ptr::eq::<Node>(&**child, next);
        node = match node.value_mut() {
            Value::Sequence(items) => items.iter_mut().find(is_next)?,
            Value::Mapping(mapping) => {
                let values = mapping.entries_mut().iter_mut().map(|e| &mut e.value);
                values.into_iter().find(is_next)?
            }
            Value::Scalar(_) => return None,
        };
    }
    Some(node)
}

fn step<'n>(node: &'n Node, part: &str) -> Result<Option<&'n Node>, Fault> {
    let list = || match node.value() {
        Value::Sequence(items) => Ok(&items[..]),
        _ if scalar::is_null(node) => Ok(&[][..]),
        _ => Err(Fault::wrong_sort(node, "a list")),
    };
    if let Ok(index) = part.parse::<i64>() {
        let Ok(index) = usize::try_from(index) else {
            let phrase = format!("index {index} cannot be negative");
            return Err(Fault::new(Code::ReplacementInvalid, node, phrase));
        };
        return Ok(list()?.get(index));
    }
    match part {
        "-" => Ok(list()?.last()),
        "*" => {
            let phrase = "the field of a source cannot be many: * is for targets";
            Err(Fault::new(Code::ReplacementInvalid, node, phrase))
        }
        part if is_bracketed(part) => {
            let (key, value) = key_and_value(part).ok_or_else(|| malformed(node, part))?;
            Ok(list()?.iter().find(|item| has(item, key, value)))
        }
        _ if scalar::is_null(node) => Ok(None),
        name => match node.as_mapping() {
            Some(mapping) => Ok(mapping.get(name)),
            None => Err(Fault::wrong_sort(node, "a mapping")),
        },
    }
}

fn has(item: &Node, key: &str, value: &str) -> bool {
    let field = if key.is_empty() {
        Some(item)
    } else {
        item.as_mapping().and_then(|mapping| mapping.get(key))
    };
    field.is_some_and(|field| field.scalar_text().unwrap_or_default() == value)
}

/// Splits a path into its parts; those in brackets keep them when they hold `=`.
pub(super) fn split(path: &str) -> Vec<String> {
    let mut pieces = split_at_dots(path).into_iter();
    let mut parts = Vec::new();
    while let Some(mut part) = pieces.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            parts.push(part);
            continue;
        }
        for piece in pieces.by_ref() {
            part.push('.');
            part.push_str(&piece);
            if piece.ends_with(']') {
                break;
            }
        }
        if !part.contains('=') {
            part = part.trim_matches(['[', ']']).to_owned();
        }
        parts.push(part);
    }
    parts
}

fn split_at_dots(path: &str) -> Vec<String> {
    let path = path.strip_prefix('.').unwrap_or(path);
    let mut parts: Vec<String> = Vec::new();
    for piece in path.split('.') {
        match parts.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push('.');
                last.push_str(piece);
            }
            None => parts.push(piece.to_owned()),
        }
    }
    parts
}

fn is_bracketed(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// Splits `[key=value]`.
fn key_and_value(part: &str) -> Option<(&str, &str)> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    inner.strip_prefix('[').unwrap_or(inner).split_once('=')
}

/// Says which name was probably meant where a path stops.
pub(super) fn nearest_part(node: &Node, parts: &[String]) -> Option<String> {
    let mut node = node;
    for part in parts {
        match step(node, part) {
            Ok(Some(next)) => node = next,
            Ok(None) => {
                let near = nearest(part, node.as_mapping()?.iter().map(|(key, _)| key))?;
                return Some(format!("did you mean {near} instead of {part}?"));
            }
            Err(_) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn splits_paths() {
        let cases: [(&str, &[&str]); 8] = [
            ("a.b.c", &["a", "b", "c"]),
            (r"a.b\.c", &["a", "b.c"]),
            ("a.[name=x.y].b", &["a", "[name=x.y]", "b"]),
            (
                "metadata.annotations.[a.b/c]",
                &["metadata", "annotations", "a.b/c"],
            ),
            ("a.[b].c", &["a", "[b]", "c"]),
            (".a", &["a"]),
            ("a.0.*", &["a", "0", "*"]),
            ("a.[x.y", &["a", "x.y"]),
        ];
        for (path, parts) in cases {
            assert_eq!(split(path), parts, "{path}");
        }
    }
}
