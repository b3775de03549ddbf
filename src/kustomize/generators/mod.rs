//! ConfigMaps and Secrets, made of texts and files.

pub(crate) mod chart;
mod sources;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use compact_str::CompactString;

use super::kustomization::{GeneratorArguments, GeneratorOptions};
use super::loader::Loader;
use super::{metadata, scalar};
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::kube::{Behavior, Resource};
use crate::yaml::{Node, Style};

/// The length of a line of base64 in the output of the reference.
const BASE64_LINE: usize = 70;

/// Which of the two is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Texts in `data`, other bytes in `binaryData`.
    ConfigMap,
    /// Everything in `data`, in base64.
    Secret,
}

/// Makes one object.
pub(super) fn generate(
    kind: Kind,
    arguments: &GeneratorArguments,
    global: Option<&GeneratorOptions>,
    loader: &Loader<'_>,
    source: &std::sync::Arc<Source>,
) -> Result<Resource> {
    let place = source.place(arguments.mark.line, arguments.mark.column);
    if arguments.name.is_empty() {
        return Err(Diagnostic::new(Code::FieldMissing, "the generator has no name").at(place));
    }
    let options = merged(arguments.options.as_ref(), global);
    let mut node = base(kind, arguments).with_mark(arguments.mark);
    let pairs = sources::load(arguments, loader, source)?;
    fill(kind, &mut node, pairs);
    metadata::set_map(&mut node, "labels", &options.labels);
    quote_labels(&mut node);
    metadata::set_map(&mut node, "annotations", &options.annotations);
    if options.immutable {
        set(&mut node, "immutable", Node::bool(true));
    }
    let mut resource = Resource::new(node, Some(std::sync::Arc::clone(source)));
    let history = resource.history_mut();
    history.needs_hash = !options.disable_name_suffix_hash;
    history.behavior = Behavior::parse(&arguments.behavior);
    Ok(resource)
}

/// Labels of a generated object are in single quotes, whatever they are: a number merged over one becomes a string.
fn quote_labels(node: &mut Node) {
    let labels = node.get_mut("metadata").and_then(|m| m.get_mut("labels"));
    let labels = labels.and_then(Node::as_mapping_mut);
    for entry in labels.into_iter().flat_map(|m| m.entries_mut()) {
        entry.value.set_style(Style::SingleQuoted);
    }
}

/// The options of one generator over those of all: its own labels and annotations win, and what is
/// switched on for all stays on.
pub(in crate::kustomize) fn merged(
    own: Option<&GeneratorOptions>,
    global: Option<&GeneratorOptions>,
) -> GeneratorOptions {
    let mut options = own.cloned().unwrap_or_default();
    let Some(global) = global else {
        return options;
    };
    for (all, ours) in [
        (&global.labels, &mut options.labels),
        (&global.annotations, &mut options.annotations),
    ] {
        for (name, value) in all {
            ours.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    options.disable_name_suffix_hash |= global.disable_name_suffix_hash;
    options.immutable |= global.immutable;
    options
}

fn base(kind: Kind, arguments: &GeneratorArguments) -> Node {
    let mut metadata = Node::mapping();
    set(
        &mut metadata,
        "name",
        scalar::string(arguments.name.clone()),
    );
    if !arguments.namespace.is_empty() {
        let namespace = scalar::string(arguments.namespace.clone());
        set(&mut metadata, "namespace", namespace);
    }
    let mut node = Node::mapping();
    set(&mut node, "apiVersion", Node::string("v1"));
    let name = match kind {
        Kind::ConfigMap => "ConfigMap",
        Kind::Secret => "Secret",
    };
    set(&mut node, "kind", Node::string(name));
    set(&mut node, "metadata", metadata);
    if kind == Kind::Secret {
        let secret_type = match &*arguments.secret_type {
            "" => "Opaque",
            other => other,
        };
        set(&mut node, "type", Node::string(secret_type));
    }
    node
}

fn fill(kind: Kind, node: &mut Node, pairs: std::collections::BTreeMap<CompactString, Vec<u8>>) {
    if kind == Kind::Secret {
        // A Secret without sources has an empty map, a ConfigMap none.
        set(node, "data", Node::mapping());
    }
    for (key, bytes) in pairs {
        let (field, value) = match (kind, String::from_utf8(bytes)) {
            (Kind::ConfigMap, Ok(text)) => ("data", text),
            (Kind::ConfigMap, Err(error)) => ("binaryData", base64_lines(error.as_bytes())),
            (Kind::Secret, Ok(text)) => ("data", base64_lines(text.as_bytes())),
            (Kind::Secret, Err(error)) => ("data", base64_lines(error.as_bytes())),
        };
        let map = node
            .as_mapping_mut()
            .expect("a generated object is a mapping");
        let map = map.get_or_insert_with(field, Node::mapping);
        let map = map.as_mapping_mut().expect("made as a mapping");
        // The keys are those of a map: none is there yet.
        scalar::push(map, &key, scalar::block_string(value));
    }
}

/// Base64, broken into lines where it is longer than one; then each line has an end, the last one too.
fn base64_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    if text.len() < BASE64_LINE {
        return text;
    }
    let mut lines = String::with_capacity(text.len() + text.len() / BASE64_LINE + 1);
    let mut rest = &*text;
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(BASE64_LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = tail;
    }
    lines
}

fn set(node: &mut Node, key: &str, value: Node) {
    let mapping = node
        .as_mapping_mut()
        .expect("a generated object is a mapping");
    mapping.insert(key, value);
}

#[cfg(test)]
mod tests {
    use super::base64_lines;

    #[test]
    fn base64_breaks_at_seventy() {
        assert_eq!(base64_lines(b"\xff\xfd"), "//0=");
        // 51 bytes make 68 digits, 52 make 72.
        assert_eq!(base64_lines(&[0; 51]), "A".repeat(68));
        assert_eq!(
            base64_lines(&[0; 52]),
            format!("{}\nA==\n", "A".repeat(70)).replace("A\nA==", "A\n==")
        );
    }
}
