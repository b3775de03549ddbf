//! One object of a build.

use std::sync::Arc;

use compact_str::CompactString;

use super::res_id::effective_namespace;
use super::{Gvk, ResId, Scope};
use crate::diagnostic::{Code, Diagnostic, Place, Source};
use crate::yaml::{Node, Style, ValueError};

/// What an object was called before a step of the build renamed or moved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousId {
    /// The name.
    pub name: CompactString,
    /// The namespace that counted: see [`ResId::effective_namespace`].
    pub namespace: CompactString,
    /// The kind.
    pub kind: CompactString,
}

/// What a generated object does to one of the same id that is there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Behavior {
    /// Nothing was said; as [`Behavior::Create`].
    #[default]
    Unspecified,
    /// It must be the only one.
    Create,
    /// It takes the other's place.
    Replace,
    /// Its data is laid over the other's.
    Merge,
}

impl Behavior {
    /// Reads the name of a behavior; any other text is [`Behavior::Unspecified`], as in the reference.
    pub fn parse(name: &str) -> Self {
        match name {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }
}

/// Where an object or a change came from, as `buildMetadata` tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildOrigin {
    /// The file, from the directory that is built or the root of the remote repository.
    pub path: String,
    /// The remote repository.
    pub repo: String,
    /// The reference in the remote repository.
    pub reference: String,
    /// The file that configures the generator or transformer.
    pub configured_in: String,
    /// `apiVersion`, `kind`, `name` and `namespace` of the generator or transformer.
    pub configured_by: [String; 4],
}

/// What a build has to remember of an object beside its document.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// What it was called, oldest first.
    pub previous: Vec<PreviousId>,
    /// The prefixes that were added, oldest first.
    pub prefixes: Vec<CompactString>,
    /// The suffixes that were added, oldest first.
    pub suffixes: Vec<CompactString>,
    /// Whether a hash of the content is appended to the name.
    pub needs_hash: bool,
    /// Whether its document may hold what [`reread`](crate::yaml::reread) changes.
    pub may_reread: bool,
    /// The line of the file on which its document starts, when the hash depends on places.
    pub first_line: u32,
    /// What it does to one of the same id.
    pub behavior: Behavior,
    /// How many of its scalars were put in more than one place: see [`settle`](crate::yaml::settle).
    pub links: u32,
    /// The names of the `vars` that read from it.
    pub variables: Vec<CompactString>,
    /// Where it came from, when the build was asked to tell.
    pub origin: Option<Box<BuildOrigin>>,
    /// What changed it, when the build was asked to tell.
    pub transformations: Vec<BuildOrigin>,
}

impl History {
    /// Whether the reference would keep notes of it in the object's annotations.
    pub fn is_annotated(&self) -> bool {
        !self.previous.is_empty()
            || !self.prefixes.is_empty()
            || !self.suffixes.is_empty()
            || self.needs_hash
            || self.behavior != Behavior::Unspecified
            || self.origin.is_some()
    }

    /// Forgets what the reference keeps in the object's annotations.
    pub fn forget_notes(&mut self) {
        *self = Self {
            may_reread: self.may_reread,
            first_line: self.first_line,
            links: self.links,
            variables: std::mem::take(&mut self.variables),
            ..Self::default()
        };
    }
}

/// One object: its document, where it came from, and what happened to it in the build.
///
/// Group, version, kind, name and namespace are those of the document, also after it was changed.
#[derive(Debug, Clone)]
pub struct Resource {
    node: Node,
    gvk: Gvk,
    scope: Scope,
    source: Option<Arc<Source>>,
    history: History,
}

impl Resource {
    /// Builds an object from its document and the text it stands in.
    pub fn new(node: Node, source: Option<Arc<Source>>) -> Self {
        let gvk = gvk_of(&node);
        let scope = gvk.scope();
        Self {
            node,
            gvk,
            scope,
            source,
            history: History::default(),
        }
    }

    /// The document.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Changes the document, and keeps what the object knows of it right.
    ///
    /// Objects in a [`ResMap`](super::ResMap) are reached by its `iter_mut` or `update`, which keep its
    /// look-up right as well.
    pub fn change<R>(&mut self, change: impl FnOnce(&mut Node) -> R) -> R {
        let result = change(&mut self.node);
        self.refresh();
        result
    }

    /// Takes the document.
    pub fn into_node(self) -> Node {
        self.node
    }

    fn refresh(&mut self) {
        if text(&self.node, "kind") != self.gvk.kind
            || !is_api_version(&self.gvk, text(&self.node, "apiVersion"))
        {
            self.gvk = gvk_of(&self.node);
            self.scope = self.gvk.scope();
        }
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> &Gvk {
        &self.gvk
    }

    /// Where objects of its kind live.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Says where objects of its kind live, for a kind that is not built in.
    pub fn set_scope(&mut self, scope: Scope) {
        self.scope = scope;
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        &self.gvk.kind
    }

    /// `metadata.name`, or empty.
    pub fn name(&self) -> &str {
        self.metadata("name")
    }

    /// `metadata.namespace`, or empty.
    pub fn namespace(&self) -> &str {
        self.metadata("namespace")
    }

    /// The namespace that counts: see [`ResId::effective_namespace`].
    pub fn effective_namespace(&self) -> &str {
        effective_namespace(self.scope, self.namespace())
    }

    /// The identity.
    pub fn id(&self) -> ResId {
        ResId {
            gvk: self.gvk.clone(),
            namespace: self.namespace().into(),
            name: self.name().into(),
            scope: self.scope,
        }
    }

    /// The identity it had when it was read or generated.
    pub fn original_id(&self) -> ResId {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// The name it had when it was read or generated.
    pub fn original_name(&self) -> &str {
        self.history
            .previous
            .first()
            .map_or_else(|| self.name(), |p| &p.name)
    }

    /// The kind it had when it was read or generated.
    pub fn original_kind(&self) -> &str {
        self.history
            .previous
            .first()
            .map_or_else(|| self.kind(), |p| &p.kind)
    }

    /// The namespace that counted when it was read or generated.
    pub fn original_namespace(&self) -> &str {
        self.history
            .previous
            .first()
            .map_or_else(|| self.effective_namespace(), |p| &p.namespace)
    }

    /// Every identity it had before the present one, oldest first, under its present group and version.
    pub fn previous_ids(&self) -> impl Iterator<Item = ResId> {
        self.history.previous.iter().map(|previous| ResId {
            gvk: Gvk {
                kind: previous.kind.clone(),
                ..self.gvk.clone()
            },
            namespace: previous.namespace.clone(),
            name: previous.name.clone(),
            scope: self.scope,
        })
    }

    /// Remembers the present identity as a previous one; to be called before it changes.
    pub fn remember_id(&mut self) {
        let previous = PreviousId {
            name: self.name().into(),
            namespace: self.effective_namespace().into(),
            kind: self.gvk.kind.clone(),
        };
        self.note("previousNames", &previous.name);
        self.note("previousNamespaces", &previous.namespace);
        self.note("previousKinds", &previous.kind);
        self.history.previous.push(previous);
    }

    /// Remembers a text that is put before its name.
    pub fn remember_prefix(&mut self, text: &str) {
        self.note("prefixes", text);
        self.history.prefixes.push(text.into());
    }

    /// Remembers a text that is put after its name.
    pub fn remember_suffix(&mut self, text: &str) {
        self.note("suffixes", text);
        self.history.suffixes.push(text.into());
    }

    /// Whether its hash is that of its whole document, with places, styles and the reference's notes in it.
    pub fn is_hashed_whole(&self) -> bool {
        self.history.needs_hash && !matches!(self.kind(), "ConfigMap" | "Secret")
    }

    /// Adds to the list that the reference keeps in an annotation, where that is part of a hash.
    fn note(&mut self, list: &str, text: &str) {
        if !self.is_hashed_whole() {
            return;
        }
        let annotations = self
            .node
            .get_mut("metadata")
            .and_then(|n| n.get_mut("annotations"));
        let Some(annotations) = annotations.and_then(Node::as_mapping_mut) else {
            return;
        };
        let key = format!("internal.config.kubernetes.io/{list}");
        match annotations.get_mut(&key) {
            Some(value) => {
                let before = value.scalar_text().unwrap_or_default();
                *value = Node::string(format!("{before},{text}")).with_style(value.style());
            }
            None => {
                annotations.insert(key, Node::string(text).with_style(Style::SingleQuoted));
            }
        }
    }

    /// What the build remembers of it.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What the build remembers of it, to add to.
    pub fn history_mut(&mut self) -> &mut History {
        &mut self.history
    }

    /// Whether nothing is left of the document, which is how a patch deletes an object.
    pub fn is_empty(&self) -> bool {
        self.node.is_null()
            || self.node.as_mapping().is_some_and(|m| m.is_empty())
            || self.node.as_sequence().is_some_and(<[Node]>::is_empty)
    }

    /// The text it was read from, where there is one.
    pub fn source(&self) -> Option<&Arc<Source>> {
        self.source.as_ref()
    }

    /// The place of its document.
    pub fn place(&self) -> Option<Place> {
        let mark = self.node.mark();
        self.source
            .as_ref()
            .map(|s| s.place(mark.line, mark.column))
    }

    /// The place of a node of the document; that of the document for a node that a build made.
    pub fn place_of(&self, node: &Node) -> Option<Place> {
        let mark = node.mark();
        if mark.line == 0 {
            return self.place();
        }
        self.source
            .as_ref()
            .map(|s| s.place(mark.line, mark.column))
    }

    /// Tells of a value that cannot be written.
    pub fn value_error(&self, error: ValueError) -> Diagnostic {
        let found = match &self.source {
            Some(source) if error.mark.line > 0 => error.at(source),
            _ => Diagnostic::new(Code::YamlValue, error.kind.to_string()).at(self.place()),
        };
        found.note(format!("in {}", self.id()))
    }

    fn metadata(&self, key: &str) -> &str {
        self.node
            .lookup(&["metadata", key])
            .and_then(Node::scalar_text)
            .unwrap_or_default()
    }
}

fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    node.get(key)
        .and_then(Node::scalar_text)
        .unwrap_or_default()
}

fn gvk_of(node: &Node) -> Gvk {
    Gvk::new(text(node, "apiVersion"), text(node, "kind"))
}

fn is_api_version(gvk: &Gvk, api_version: &str) -> bool {
    match api_version.split_once('/') {
        Some((group, version)) => gvk.group == group && gvk.version == version,
        None => gvk.group.is_empty() && gvk.version == api_version,
    }
}
