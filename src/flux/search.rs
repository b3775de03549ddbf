//! Looks for ConfigMaps and Secrets in the files of a tree, for variables that nothing applies.

use std::collections::BTreeMap;

use super::kustomization::Reference;
use super::variables::{Data, data_of};
use crate::diagnostic::{Place, Result};
use crate::files::{Files, Kind, RECORD, TreePath};
use crate::yaml::{self, Node, ParseOptions};

/// Directories that hold no manifests of a cluster.
const SKIPPED: [&str; 3] = [".git", "node_modules", ".venv"];

/// Where each ConfigMap and Secret of a tree is, by kind and name.
pub(super) struct Index(BTreeMap<(String, String), Vec<Candidate>>);

#[derive(Clone)]
struct Candidate {
    namespace: Option<String>,
    path: TreePath,
    document: usize,
    place: Place,
    /// Whether this program wrote it: a copy of what is elsewhere in the tree, as a rule.
    is_written: bool,
}

impl Index {
    /// Reads a tree, sealed files as they are: names are not sealed. Files that are no YAML are none of it.
    pub(super) fn of(files: &dyn Files) -> Result<Self> {
        let mut index = Self(BTreeMap::new());
        let mut open = vec![(TreePath::root(), false)];
        while let Some((directory, is_written)) = open.pop() {
            let names = files.list(&directory)?;
            // A tree that is written in place is no copy.
            let is_root = directory == TreePath::root();
            let is_written = is_written || (!is_root && names.iter().any(|name| name == RECORD));
            for name in names {
                let path = directory.join(&name).expect("a listed name stays below");
                match files.kind(&path) {
                    Ok(Some(Kind::Directory)) if SKIPPED.contains(&name.as_str()) => {}
                    Ok(Some(Kind::Directory)) if files.real_path(&path)? != path => {}
                    Ok(Some(Kind::Directory)) => open.push((path, is_written)),
                    Ok(Some(Kind::File)) if name.ends_with(".yaml") || name.ends_with(".yml") => {
                        index.look(files, &path, is_written);
                    }
                    _ => {}
                }
            }
        }
        for candidates in index.0.values_mut() {
            candidates.sort_by(|a, b| a.place.cmp(&b.place));
            // A template is read where it stands, and where it is written.
            candidates.dedup_by(|a, b| a.place == b.place);
        }
        Ok(index)
    }

    fn look(&mut self, files: &dyn Files, path: &TreePath, is_written: bool) {
        let Ok(file) = files.read(path) else {
            return;
        };
        let Ok(text) = std::str::from_utf8(&file.bytes) else {
            return;
        };
        let kinds = ["ConfigMap", "Secret"];
        let says = |line: &str, kind| line.starts_with("kind:") && line.contains(kind);
        let is_flow = |line: &str| line.starts_with('{');
        if !text
            .lines()
            .any(|l| is_flow(l) || kinds.iter().any(|k| says(l, k)))
        {
            return;
        }
        let documents = yaml::parse(text, ParseOptions::default()).unwrap_or_default();
        for (document, node) in documents.iter().enumerate() {
            let text = |keys: &[&str]| node.lookup(keys).and_then(Node::as_str);
            let (Some(kind), Some(name)) = (text(&["kind"]), text(&["metadata", "name"])) else {
                continue;
            };
            if kinds.contains(&kind) {
                let key = (kind.to_owned(), name.to_owned());
                self.0.entry(key).or_default().push(Candidate {
                    namespace: text(&["metadata", "namespace"]).map(str::to_owned),
                    path: path.clone(),
                    document,
                    place: file.source.place(node.mark().line, node.mark().column),
                    is_written,
                });
            }
        }
    }

    /// The place of an object of the same kind and name in another namespace.
    pub(super) fn namesake(&self, object: &Reference) -> Option<Place> {
        let key = (object.kind.clone(), object.id.name.clone());
        let is_elsewhere = |c: &&Candidate| {
            let namespace = c.namespace.as_ref();
            namespace.is_some_and(|namespace| *namespace != object.id.namespace)
        };
        let found = self.0.get(&key)?.iter().find(is_elsewhere)?;
        Some(found.place.clone())
    }

    /// The places of an object, and its data where there is one place only. Of several, those below
    /// the directory of the project count, those that name the namespace, and those that this program did not
    /// write. Fails where the file cannot be opened.
    pub(super) fn find(
        &self,
        opened: &dyn Files,
        project: Option<&TreePath>,
        object: &Reference,
    ) -> Result<(Vec<Place>, Option<Data>)> {
        let key = (object.kind.clone(), object.id.name.clone());
        let mut found = self.0.get(&key).cloned().unwrap_or_default();
        let is_exact = |c: &Candidate| c.namespace.as_ref() == Some(&object.id.namespace);
        found.retain(|c| is_exact(c) || c.namespace.is_none());
        prefer(&mut found, |c| project.is_some_and(|p| c.path.is_within(p)));
        prefer(&mut found, is_exact);
        prefer(&mut found, |c| !c.is_written);
        let places = found.iter().map(|c| c.place.clone()).collect();
        let [only] = found.as_slice() else {
            return Ok((places, None));
        };
        let file = opened.read(&only.path)?;
        let text = String::from_utf8_lossy(&file.bytes);
        let documents = yaml::parse(&text, ParseOptions::default()).unwrap_or_default();
        Ok((places, documents.get(only.document).and_then(data_of)))
    }
}

/// Keeps what is preferred, where there is any.
fn prefer(found: &mut Vec<Candidate>, is_preferred: impl Fn(&Candidate) -> bool) {
    if found.iter().any(&is_preferred) {
        found.retain(is_preferred);
    }
}
