//! Who names which Secret, ConfigMap and Service, and who makes it: one index over the objects of a cluster.
//!
//! A Secret is made by an object, sealed or not, a SealedSecret or an ExternalSecret; where the keys cannot be
//! known, nothing is said of them. [`check`] reports what is named and not there.

mod archives;
mod credentials;
mod made;
mod named;
mod routes;

pub use made::{Provider, Thing};
pub use named::Named;

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::substitute::PLACEHOLDER;
use crate::yaml::Node;

/// What is made, by kind, namespace and name.
pub type MadeBy<'a> = BTreeMap<(Thing, String, String), Provider<'a>>;

/// The index of some objects.
pub struct References<'a> {
    /// The objects.
    pub(super) objects: &'a ResMap,
    /// What is made, and by whom.
    pub made: MadeBy<'a>,
    /// Keys that are named.
    pub named: Vec<Named<'a>>,
}

impl<'a> References<'a> {
    /// Reads the objects once.
    pub fn of(objects: &'a ResMap) -> Self {
        Self {
            objects,
            made: made::all(objects),
            named: objects.iter().flat_map(named::by).collect(),
        }
    }

    /// What makes a thing, where it is known.
    pub fn maker(&self, thing: Thing, namespace: &str, name: &str) -> Option<&Provider<'a>> {
        let key = (thing, namespace.to_owned(), name.to_owned());
        self.made.get(&key)
    }

    /// The objects of a kind.
    fn of_kind(&self, group: &str, kind: &str) -> impl Iterator<Item = &'a Resource> {
        let objects = self.objects.iter();
        objects.filter(move |object| object.gvk().is(group, kind))
    }
}

/// Reports what objects of one cluster say of each other and is not so.
pub fn check(objects: &ResMap) -> Report {
    let references = References::of(objects);
    let mut report = Report::default();
    report.findings.extend(
        references
            .named
            .iter()
            .filter_map(|named| absent(&references, named)),
    );
    routes::check(&references, &mut report);
    credentials::check(&references, &mut report);
    archives::check(&references, &mut report);
    report
}

/// A key that a Secret or ConfigMap does not have.
fn absent(references: &References<'_>, named: &Named<'_>) -> Option<Diagnostic> {
    let made = references.maker(named.thing, &named.namespace, &named.name)?;
    let keys = made.keys.as_ref()?;
    if named.is_optional || keys.contains(&named.key) || !is_known(&named.key) {
        return None;
    }
    let thing = named.thing.kind();
    let (name, key) = (&named.name, &named.key);
    let phrase = format!(
        "{} reads the key {key} of {thing}/{name}, which has no such key",
        named.by.id()
    );
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let note = match keys.is_empty() {
        true => format!("{} makes it without keys", made.by.id()),
        false => format!("{} makes it with {}", made.by.id(), keys.join(", ")),
    };
    Some(
        Diagnostic::new(Code::ReferenceMissing, phrase)
            .at(named.by.place_of(named.node))
            .note(note)
            .help("name one of its keys, or add the key where it is made"),
    )
}

/// Whether a string is what the cluster will hold: no variable and no placeholder is in it.
fn is_known(text: &str) -> bool {
    !text.contains("${") && !text.contains(PLACEHOLDER) && !text.is_empty()
}

/// A string below a node.
fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.lookup(path).and_then(Node::as_str)
}

/// The items of a list below a node.
fn list<'n>(node: &'n Node, path: &[&str]) -> &'n [Node] {
    let items = node.lookup(path).and_then(Node::as_sequence);
    items.unwrap_or_default()
}
