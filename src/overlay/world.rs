//! The built objects that overlays look at, found once.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use minijinja::Value;

use super::Request;
use super::convert::to_value;
use super::definition::{Definition, Find, GroupKind};
use super::finder::{Finder, Where};
use super::language::Language;
use super::library::{ClusterMadeKind, Library};
use super::root::Root;
use super::target::OverlayTarget;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::{Gvk, Resource};
use crate::yaml::Node;

/// The root, its built objects by kind, and the targets found among them.
pub(super) struct RootObjects<'w, 'a> {
    pub(super) request: &'w Request<'a>,
    pub(super) root: Root,
    pub(super) language: &'w Language,
    by_kind: IndexMap<GroupKind, Vec<&'a Resource>>,
    each: RefCell<IndexMap<GroupKind, Vec<Rc<OverlayTarget<'a>>>>>,
}

impl<'w, 'a> RootObjects<'w, 'a> {
    /// Sorts the built objects by those kinds that the overlays in use look at.
    pub(super) fn new(
        request: &'w Request<'a>,
        root: Root,
        language: &'w Language,
        library: &Library,
    ) -> Self {
        let wanted = kinds(library);
        let mut by_kind: IndexMap<_, Vec<_>> = IndexMap::new();
        for resource in request.built {
            let gvk = resource.gvk();
            if wanted.contains(&(gvk.group.as_str(), gvk.kind.as_str())) {
                let kind = GroupKind {
                    group: gvk.group.to_string(),
                    kind: gvk.kind.to_string(),
                };
                by_kind.entry(kind).or_default().push(resource);
            }
        }
        Self {
            request,
            root,
            language,
            by_kind,
            each: RefCell::default(),
        }
    }

    /// The built objects of a kind.
    pub(super) fn objects(&self, kind: &GroupKind) -> &[&'a Resource] {
        self.by_kind.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The targets of a rule.
    pub(super) fn targets(
        &self,
        find: &Find,
        library: &Library,
    ) -> Result<Vec<Rc<OverlayTarget<'a>>>> {
        match find {
            Find::Each(kind) => self.each(kind, library),
            Find::Contains(finders) => {
                Ok(self.contained(finders)?.into_iter().map(Rc::new).collect())
            }
        }
    }

    fn each(&self, kind: &GroupKind, library: &Library) -> Result<Vec<Rc<OverlayTarget<'a>>>> {
        if let Some(found) = self.each.borrow().get(kind) {
            return Ok(found.clone());
        }
        let objects = self.objects(kind).iter().map(|r| Rc::new(self.target(r)));
        let mut targets: Vec<_> = objects.collect();
        for made in library.made.iter().filter(|m| m.kind == *kind) {
            self.add_made(made, &mut targets)?;
        }
        self.each.borrow_mut().insert(kind.clone(), targets.clone());
        Ok(targets)
    }

    fn target(&self, resource: &'a Resource) -> OverlayTarget<'a> {
        let host = &self.request.host;
        OverlayTarget::of_object(
            resource,
            &self.root,
            host.destination_namespace,
            host.substitute,
        )
    }

    fn add_made(
        &self,
        made: &ClusterMadeKind,
        targets: &mut Vec<Rc<OverlayTarget<'a>>>,
    ) -> Result<()> {
        let gvk = || Gvk {
            group: made.kind.group.as_str().into(),
            version: made.version.as_str().into(),
            kind: made.kind.kind.as_str().into(),
        };
        let here = &self.root.directory;
        for declared in self
            .request
            .config
            .declared
            .iter()
            .filter(|_| made.declared)
        {
            let (name, namespace) = (&declared.name, &declared.namespace);
            let place = declared.place.clone();
            let target = OverlayTarget::made(gvk(), name, namespace, Some(place.clone()));
            let is_it = |t: &&Rc<OverlayTarget<'_>>| t.name == *name && t.namespace == *namespace;
            if let Some(object) = targets.iter().find(is_it) {
                let mut phrase = format!(
                    "{} is declared under clusters, and is an object of the build too",
                    target.display()
                );
                if declared.root != *here {
                    phrase = format!(
                        "{phrase}: {} and {here} would both add its overlays",
                        declared.root
                    );
                }
                return Err(Diagnostic::new(Code::OverlayDeclared, phrase)
                    .at(place)
                    .via(object.place.clone())
                    .help("remove the entry: objects of the build are found by themselves"));
            }
            if declared.root == *here {
                targets.push(Rc::new(target));
            }
        }
        for found in self.found(&made.by)? {
            let is_new = !targets
                .iter()
                .any(|t| t.name == found.name && t.namespace == found.namespace);
            if is_new {
                let target =
                    OverlayTarget::made(gvk(), &found.name, &found.namespace, found.place.clone());
                targets.push(Rc::new(target));
            }
        }
        Ok(())
    }

    /// The first object that one of the finders fits.
    pub(super) fn contained(&self, finders: &[Finder]) -> Result<Option<OverlayTarget<'a>>> {
        for finder in finders {
            if let Some(found) = self.found(std::slice::from_ref(finder))?.into_iter().next() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Every object that one of the finders fits, under the name and namespace that the finder says.
    fn found(&self, finders: &[Finder]) -> Result<Vec<OverlayTarget<'a>>> {
        let mut all = Vec::new();
        let others = |kind: &GroupKind| -> Vec<Value> {
            let objects = self.objects(kind).iter();
            objects.map(|r| to_value(r.node())).collect()
        };
        for finder in finders {
            match &finder.place {
                Where::Objects(kind) => {
                    for resource in self.objects(kind) {
                        let object = to_value(resource.node());
                        if let Some(found) = finder.find(self.language, &object, &others)? {
                            let mut target = self.target(resource);
                            target.name = found.name.unwrap_or(target.name);
                            target.namespace = found.namespace.unwrap_or(target.namespace);
                            all.push(target);
                        }
                    }
                }
                Where::Field(field) => {
                    let entries = self
                        .root
                        .node
                        .get(field)
                        .and_then(Node::as_sequence)
                        .unwrap_or_default();
                    for entry in entries {
                        if let Some(found) =
                            finder.find(self.language, &to_value(entry), &others)?
                        {
                            let text = |key| {
                                entry
                                    .get(key)
                                    .and_then(Node::scalar_text)
                                    .unwrap_or_default()
                            };
                            let gvk = Gvk::new("", field);
                            let root = self.root.namespace.clone();
                            let namespace = root.or(found.namespace).unwrap_or_default();
                            all.push(OverlayTarget::made(gvk, text("name"), &namespace, None));
                        }
                    }
                }
            }
        }
        Ok(all)
    }

    /// What an overlay's files may read of other objects: those of the kinds that it declares.
    pub(super) fn reader(&self, definition: &Definition) -> Value {
        let mut read: IndexMap<(String, String), Value> = IndexMap::new();
        for kind in &definition.reads {
            let objects: Vec<_> = self
                .objects(kind)
                .iter()
                .map(|r| to_value(r.node()))
                .collect();
            read.insert((kind.group.clone(), kind.kind.clone()), objects.into());
        }
        let overlay = Arc::clone(&definition.name);
        Value::from_function(move |group: String, kind: String| {
            read.get(&(group, kind.clone())).cloned().ok_or_else(|| {
                let message = format!("{overlay} does not declare {kind} in reads");
                minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message)
            })
        })
    }

    /// Tells whether the build holds an object.
    pub(super) fn exists(&self) -> Value {
        let mut ids: IndexSet<[String; 4]> = IndexSet::new();
        for resource in self.request.built {
            let gvk = resource.gvk();
            let namespace = self
                .root
                .namespace
                .as_deref()
                .unwrap_or(resource.namespace());
            ids.insert(
                [
                    gvk.group.as_str(),
                    gvk.kind.as_str(),
                    resource.name(),
                    namespace,
                ]
                .map(str::to_owned),
            );
        }
        let destination = self
            .request
            .host
            .destination_namespace
            .unwrap_or_default()
            .to_owned();
        Value::from_function(
            move |group: String, kind: String, name: String, namespace: String| {
                let without = (namespace == destination)
                    .then(|| [group.clone(), kind.clone(), name.clone(), String::new()]);
                ids.contains(&[group, kind, name, namespace])
                    || without.is_some_and(|id| ids.contains(&id))
            },
        )
    }
}

/// Every kind that an overlay in use looks at.
fn kinds(library: &Library) -> IndexSet<(&str, &str)> {
    let mut kinds = IndexSet::new();
    for overlay in &library.overlays {
        let definition = &overlay.definition;
        for rule in &definition.rules {
            match &rule.find {
                Find::Each(kind) => {
                    kinds.insert((kind.group.as_str(), kind.kind.as_str()));
                }
                Find::Contains(finders) => {
                    kinds.extend(of(finders).map(|k| (k.group.as_str(), k.kind.as_str())));
                }
            }
        }
        let found = definition.finds.values();
        kinds.extend(
            found
                .flat_map(|f| of(f))
                .map(|k| (k.group.as_str(), k.kind.as_str())),
        );
        let others = definition
            .reads
            .iter()
            .chain(definition.covers.iter().map(|c| &c.kind));
        kinds.extend(others.map(|k| (k.group.as_str(), k.kind.as_str())));
    }
    for made in &library.made {
        kinds.extend(of(&made.by).map(|k| (k.group.as_str(), k.kind.as_str())));
    }
    kinds
}

fn of(finders: &[Finder]) -> impl Iterator<Item = &GroupKind> {
    finders.iter().flat_map(|f| {
        let own = match &f.place {
            Where::Objects(kind) => Some(kind),
            Where::Field(_) => None,
        };
        own.into_iter().chain(&f.reads)
    })
}
