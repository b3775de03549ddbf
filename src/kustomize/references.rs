//! Name references: an object that names another follows when the other's name changes.
//!
//! Once at the root of a build, every field that may hold a name is compared with what objects were called
//! before. Candidates are found by name and namespace, so that the cost grows with the references and not
//! with the square of the objects.

use std::hash::{BuildHasherDefault, DefaultHasher};

use compact_str::CompactString;
use indexmap::{IndexMap, IndexSet};

use super::fault::Fault;
use super::fieldspec::{self, FieldSpec, Missing, NameReference, row};
use super::{metadata, scalar};
use crate::diagnostic::{Code, Result};
use crate::kube::{Gvk, NO_NAMESPACE, ResMap, Resource, Scope};
use crate::yaml::{Node, Value};

type Hashing = BuildHasherDefault<DefaultHasher>;
type Map<K, V> = IndexMap<K, V, Hashing>;

/// Follows every name that changed.
///
/// Fails with [`Code::ReferenceAmbiguous`] when a name may mean objects that are called differently now.
pub(super) fn follow(resources: &mut ResMap, references: &[NameReference]) -> Result<()> {
    refuse_blank_namespaces(resources)?;
    // The fields are walked also when nothing was renamed: a value in the way of a path is an error.
    let targets = Targets::of(resources);
    let mut fields_of: Map<(CompactString, Gvk), Vec<(&NameReference, FieldSpec)>> = Map::default();
    for (position, resource) in resources.iter_mut().enumerate() {
        let kind: CompactString = resource.original_kind().into();
        let gvk = resource.gvk().clone();
        let fields = fields_of
            .entry((kind, gvk))
            .or_insert_with_key(|(kind, gvk)| fields_for(kind, gvk, references));
        if !fields.is_empty() {
            follow_in(resource, position, fields, &targets)?;
        }
    }
    Ok(())
}

/// Refuses a RoleBinding with a ServiceAccount in a namespace that is no text.
fn refuse_blank_namespaces(resources: &ResMap) -> Result<()> {
    for resource in resources.iter().filter(|r| r.kind() == "RoleBinding") {
        let subjects = resource.node().get("subjects").and_then(Node::as_sequence);
        for subject in subjects.into_iter().flatten() {
            let is_account = subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount");
            let blank = subject.get("namespace").filter(|n| n.as_str().is_none());
            if let Some(blank) = blank.filter(|_| is_account) {
                let phrase = "the namespace of a ServiceAccount must be a text";
                return Err(Fault::new(Code::FieldType, blank, phrase).of(resource));
            }
        }
    }
    Ok(())
}

/// The fields of a kind that may name another object. The rows are chosen by the original kind, and lead
/// to a field whatever the present one is.
fn fields_for<'a>(
    kind: &str,
    gvk: &Gvk,
    references: &'a [NameReference],
) -> Vec<(&'a NameReference, FieldSpec)> {
    let original = Gvk {
        kind: kind.into(),
        ..gvk.clone()
    };
    let rows = references.iter().flat_map(|reference| {
        let fields = reference.referrers.iter();
        fields.map(move |field| (reference, field))
    });
    rows.filter(|(_, field)| field.selects(&original))
        .map(|(reference, field)| {
            let anyway = FieldSpec {
                path: field.path.clone(),
                ..row("", "", "", "", field.create)
            };
            (reference, anyway)
        })
        .collect()
}

fn follow_in(
    resource: &mut Resource,
    position: usize,
    fields: &[(&NameReference, FieldSpec)],
    targets: &Targets,
) -> Result<()> {
    let referrer = Referrer::new(resource.node(), &targets.known[position]);
    for (reference, field) in fields {
        let search = Search {
            referrer: &referrer,
            targets,
            target: Gvk {
                group: (&*reference.group).into(),
                version: (&*reference.version).into(),
                kind: (&*reference.kind).into(),
            },
            is_role: field.path.ends_with("roleRef/name"),
        };
        fieldspec::apply(resource, [field], Missing::Skip, |node| search.set(node))?;
    }
    Ok(())
}

/// What is known of an object: its name does not change while references are followed.
#[derive(Debug)]
struct ReferrerIdentity {
    name: CompactString,
    namespace: CompactString,
    /// The namespace that counts.
    effective: CompactString,
    original_namespace: CompactString,
    gvk: Gvk,
    scope: Scope,
    previous_kinds: Vec<CompactString>,
    prefixes: Vec<CompactString>,
    suffixes: Vec<CompactString>,
}

impl ReferrerIdentity {
    fn of(resource: &Resource) -> Self {
        let history = resource.history();
        let mut previous_kinds: Vec<CompactString> = Vec::new();
        for previous in &history.previous {
            if !previous_kinds.contains(&previous.kind) {
                previous_kinds.push(previous.kind.clone());
            }
        }
        Self {
            name: resource.name().into(),
            namespace: resource.namespace().into(),
            effective: resource.effective_namespace().into(),
            original_namespace: resource.original_namespace().into(),
            gvk: resource.gvk().clone(),
            scope: resource.scope(),
            previous_kinds,
            prefixes: history.prefixes.clone(),
            suffixes: history.suffixes.clone(),
        }
    }

    /// Whether it was, under one of its names, of the kind that is selected.
    fn was(&self, selector: &Gvk) -> bool {
        let fits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        fits(&selector.group, &self.gvk.group)
            && fits(&selector.version, &self.gvk.version)
            && self
                .previous_kinds
                .iter()
                .any(|kind| fits(&selector.kind, kind))
    }
}

/// The objects that had other names, by these names.
struct Targets {
    known: Vec<ReferrerIdentity>,
    /// Positions by a previous name.
    by_name: Map<CompactString, Vec<usize>>,
    /// Positions by a previous name and the present namespace that counts.
    by_namespace: Map<(CompactString, CompactString), Vec<usize>>,
    /// Positions by a previous name and the original namespace that counted.
    by_original: Map<(CompactString, CompactString), Vec<usize>>,
    /// The present namespaces (that count, and as written) of objects by their original one.
    moved: Map<CompactString, IndexSet<(CompactString, CompactString), Hashing>>,
}

impl Targets {
    fn of(resources: &ResMap) -> Self {
        let mut targets = Self {
            known: Vec::with_capacity(resources.len()),
            by_name: Map::default(),
            by_namespace: Map::default(),
            by_original: Map::default(),
            moved: Map::default(),
        };
        for (position, resource) in resources.iter().enumerate() {
            targets.add(position, resource);
        }
        targets
    }

    fn add(&mut self, position: usize, resource: &Resource) {
        let known = ReferrerIdentity::of(resource);
        let mut last: Option<&CompactString> = None;
        for previous in &resource.history().previous {
            if last == Some(&previous.name) {
                continue;
            }
            last = Some(&previous.name);
            add_once(
                self.by_name.entry(previous.name.clone()).or_default(),
                position,
            );
            let key = (previous.name.clone(), known.effective.clone());
            add_once(self.by_namespace.entry(key).or_default(), position);
            let key = (previous.name.clone(), known.original_namespace.clone());
            add_once(self.by_original.entry(key).or_default(), position);
        }
        let moved = self
            .moved
            .entry(resource.original_namespace().into())
            .or_default();
        moved.insert((known.effective.clone(), known.namespace.clone()));
        self.known.push(known);
    }
}

fn add_once(positions: &mut Vec<usize>, position: usize) {
    if positions.last() != Some(&position) {
        positions.push(position);
    }
}

/// The object whose references are followed.
struct Referrer<'a> {
    known: &'a ReferrerIdentity,
    /// The namespaces in which a RoleBinding names ServiceAccounts.
    account_namespaces: IndexSet<CompactString, Hashing>,
    /// Group and kind of `roleRef`.
    role: Option<Gvk>,
}

impl<'a> Referrer<'a> {
    fn new(node: &Node, known: &'a ReferrerIdentity) -> Self {
        Self {
            known,
            account_namespaces: account_namespaces(node, &known.gvk.kind),
            role: role_of(node),
        }
    }
}

fn account_namespaces(node: &Node, kind: &str) -> IndexSet<CompactString, Hashing> {
    let mut namespaces = IndexSet::default();
    if kind != "RoleBinding" {
        return namespaces;
    }
    let subjects = node.get("subjects").and_then(Node::as_sequence);
    for subject in subjects.into_iter().flatten() {
        let text = |key| subject.get(key).and_then(Node::scalar_text);
        if let (Some(namespace), Some("ServiceAccount")) = (text("namespace"), text("kind")) {
            namespaces.insert(namespace.into());
        }
    }
    namespaces
}

fn role_of(node: &Node) -> Option<Gvk> {
    let role = node.get("roleRef").filter(|r| !r.is_null())?;
    let text = |key| role.get(key).map(|n| n.scalar_text().unwrap_or_default());
    Some(Gvk {
        group: text("apiGroup")?.into(),
        version: CompactString::default(),
        kind: text("kind")?.into(),
    })
}

/// One field of one object that may name an object of one kind.
struct Search<'a> {
    referrer: &'a Referrer<'a>,
    targets: &'a Targets,
    target: Gvk,
    is_role: bool,
}

impl Search<'_> {
    fn set(&self, node: &mut Node) -> Result<(), Fault> {
        if node.is_null() {
            return Ok(());
        }
        match node.value_mut() {
            Value::Scalar(_) => self.set_scalar(node),
            Value::Mapping(_) => self.set_mapping(node),
            Value::Sequence(items) => items.iter_mut().try_for_each(|item| self.set_item(item)),
        }
    }

    fn set_item(&self, node: &mut Node) -> Result<(), Fault> {
        match node.value() {
            _ if node.is_null() => Ok(()),
            Value::Scalar(_) => self.set_scalar(node),
            Value::Mapping(_) => self.set_mapping(node),
            Value::Sequence(_) => Err(Fault::wrong_sort(node, "a name or a mapping")),
        }
    }

    fn set_scalar(&self, node: &mut Node) -> Result<(), Fault> {
        let old = node.scalar_text().unwrap_or_default();
        let candidates = self.reachable(old);
        if let Some(found) = self.select(node, old, candidates, false)? {
            let new = &self.targets.known[found].name;
            if new != old {
                scalar::set_untagged(node, new.clone());
            }
        }
        Ok(())
    }

    /// Follows a mapping of name and namespace, such as a subject of a role binding.
    fn set_mapping(&self, node: &mut Node) -> Result<(), Fault> {
        let Some(name) = node.get("name") else {
            let phrase = "a field spec for names leads to a mapping without a name";
            return Err(Fault::new(Code::FieldMissing, node, phrase));
        };
        let old: CompactString = name.scalar_text().unwrap_or_default().into();
        let namespace = node
            .get("namespace")
            .map(|n| n.scalar_text().unwrap_or_default());
        let candidates = match namespace {
            Some(namespace) => self.in_namespace(&old, namespace),
            None => self.reachable(&old),
        };
        let Some(found) = self.select(node, &old, candidates, true)? else {
            return Ok(());
        };
        let new = &self.targets.known[found];
        if new.name == old && new.namespace.is_empty() {
            return Ok(());
        }
        metadata::set_field(node.as_mapping_mut(), "name", &new.name);
        if !new.namespace.is_empty() {
            metadata::set_field(node.as_mapping_mut(), "namespace", &new.namespace);
        }
        Ok(())
    }

    /// The objects with this previous name that the referrer may name at all, in order.
    fn reachable(&self, name: &str) -> Vec<usize> {
        let by_name = || self.targets.by_name.get(name).cloned().unwrap_or_default();
        if self.referrer.known.scope == Scope::Cluster {
            return by_name();
        }
        let own = &self.referrer.known.effective;
        let mut found = self.of_namespace(name, own);
        found.extend(self.of_namespace(name, NO_NAMESPACE));
        for namespace in &self.referrer.account_namespaces {
            if namespace != own {
                let there = self.of_namespace(name, namespace);
                let as_written = |p: &usize| self.targets.known[*p].namespace == *namespace;
                found.extend(there.into_iter().filter(as_written));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn of_namespace(&self, name: &str, namespace: &str) -> Vec<usize> {
        let key = (CompactString::from(name), CompactString::from(namespace));
        let found = self.targets.by_namespace.get(&key);
        found.cloned().unwrap_or_default()
    }

    fn of_original_namespace(&self, name: &str, namespace: &str) -> Vec<usize> {
        let key = (CompactString::from(name), CompactString::from(namespace));
        let found = self.targets.by_original.get(&key);
        found.cloned().unwrap_or_default()
    }

    /// Whether the referrer may name an object at all.
    fn is_reachable(&self, known: &ReferrerIdentity) -> bool {
        self.referrer.known.scope == Scope::Cluster
            || known.effective == self.referrer.known.effective
            || known.effective == NO_NAMESPACE
            || (known.namespace == known.effective
                && self.referrer.account_namespaces.contains(&known.namespace))
    }

    /// The reachable objects that were in a namespace; where nothing reachable was, those that are.
    fn in_namespace(&self, name: &str, namespace: &str) -> Vec<usize> {
        if namespace == NO_NAMESPACE {
            return Vec::new();
        }
        let mut found = if self.is_known(namespace) {
            self.of_original_namespace(name, namespace)
        } else {
            self.of_namespace(name, namespace)
        };
        found.retain(|p| self.is_reachable(&self.targets.known[*p]));
        found
    }

    /// Whether any object that the referrer may name was in a namespace.
    fn is_known(&self, namespace: &str) -> bool {
        let Some(now) = self.targets.moved.get(namespace) else {
            return false;
        };
        let own = &self.referrer.known.effective;
        self.referrer.known.scope == Scope::Cluster
            || now.iter().any(|(effective, written)| {
                effective == own
                    || effective == NO_NAMESPACE
                    || self.referrer.account_namespaces.contains(written)
            })
    }

    /// Picks the object that a name means.
    fn select(
        &self,
        node: &Node,
        old: &str,
        mut candidates: Vec<usize>,
        with_namespace: bool,
    ) -> Result<Option<usize>, Fault> {
        let known = |p: &usize| &self.targets.known[*p];
        candidates.retain(|p| self.fits(known(p)));
        if let [one] = candidates[..] {
            return Ok(Some(one));
        }
        candidates.retain(|p| self.has_same_affixes(known(p), true));
        if candidates.len() > 1 {
            candidates.retain(|p| self.has_same_affixes(known(p), false));
        }
        let Some(&first) = candidates.first() else {
            return Ok(None);
        };
        let is_same = |p: &usize| {
            known(p).name == known(&first).name
                && (!with_namespace || known(p).namespace == known(&first).namespace)
        };
        if candidates.iter().all(is_same) {
            return Ok(Some(first));
        }
        Err(self.ambiguous(node, old, &candidates))
    }

    /// Whether an object was of the kind that is named, and is where the referrer can name it.
    fn fits(&self, known: &ReferrerIdentity) -> bool {
        let role = self.referrer.role.as_ref().filter(|_| self.is_role);
        known.was(&self.target) && role.is_none_or(|role| known.was(role)) && self.is_near(known)
    }

    fn is_near(&self, known: &ReferrerIdentity) -> bool {
        self.referrer.known.scope == Scope::Cluster
            || known.scope == Scope::Cluster
            || known.gvk.kind == "ServiceAccount"
            || known.effective == self.referrer.known.effective
    }

    /// Whether an object got the same prefixes and suffixes as the referrer, as far as both go; with
    /// `allow_empty`, none fits all.
    fn has_same_affixes(&self, known: &ReferrerIdentity, allow_empty: bool) -> bool {
        let ours = self.referrer.known;
        let fits = |a: &[CompactString], b: &[CompactString]| {
            (allow_empty && (a.is_empty() || b.is_empty())) || have_same_end(a, b)
        };
        fits(&ours.prefixes, &known.prefixes) && fits(&ours.suffixes, &known.suffixes)
    }

    fn ambiguous(&self, node: &Node, old: &str, candidates: &[usize]) -> Fault {
        let names = candidates.iter().map(|p| {
            let known = &self.targets.known[*p];
            format!("{}/{}", known.gvk.kind, known.name)
        });
        let names: Vec<String> = names.collect();
        let phrase = format!("the name {old} may mean {}", names.join(" or "));
        Fault::new(Code::ReferenceAmbiguous, node, phrase)
            .help("give the objects different names, or prefix the referrer together with the one it means")
    }
}

/// Whether one list is the end of the other; an empty one is only the end of an empty one.
fn have_same_end(a: &[CompactString], b: &[CompactString]) -> bool {
    let (short, long) = if a.len() > b.len() { (b, a) } else { (a, b) };
    if short.is_empty() {
        return long.is_empty();
    }
    long.ends_with(short)
}

#[cfg(test)]
mod tests {
    use super::have_same_end;

    #[test]
    fn chains_are_compared_from_the_end() {
        let list = |texts: &[&str]| texts.iter().map(|t| (*t).into()).collect::<Vec<_>>();
        assert!(have_same_end(&list(&["a", "b"]), &list(&["b"])));
        assert!(!have_same_end(&list(&["a", "b"]), &list(&["a"])));
        assert!(!have_same_end(&[], &list(&["a"])));
        assert!(have_same_end(&[], &[]));
    }
}
