//! Looks for where things are applied: kustomizations that nothing names, and the objects of hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::argocd::applicationsets::entries;
use crate::diagnostic::{Report, Result};
use crate::files::{Files, Kind, TreePath};
use crate::flux::SYSTEM;
use crate::flux::kustomization::{GROUP, Id, Kustomization};
use crate::kube::Resource;
use crate::kustomize::KUSTOMIZATION_NAMES;
use crate::project::{NAMES as PROJECT_NAMES, Session, Sessions};
use crate::yaml::{self, Node, ParseOptions};

/// How many kustomizations may name each other in a row; the build has a limit of its own.
const MAX_NESTING: usize = 100;

/// What was found below a directory.
#[derive(Default)]
pub(super) struct DiscoveredFiles {
    /// Directories with a kustomization that is no component.
    kustomizations: BTreeSet<TreePath>,
    /// Directories with a kustomization, components too.
    described: BTreeSet<TreePath>,
    /// What a kustomization names, and its directory.
    named: BTreeMap<TreePath, TreePath>,
    /// Flux Kustomizations, and the file that each is in.
    flux: Vec<(TreePath, Kustomization)>,
    /// Files that may hold objects of Argo CD.
    pub(super) argocd: Vec<TreePath>,
    /// Projects that cannot be opened.
    pub(super) report: Report,
}

impl DiscoveredFiles {
    /// Walks a tree once. Hidden directories, links, and templates that are read elsewhere are left out.
    pub(super) fn below(sessions: &Sessions, directory: &TreePath) -> Result<Self> {
        let mut found = Self::default();
        let mut open = vec![(directory.clone(), sessions.of(directory)?)];
        while let Some((directory, session)) = open.pop() {
            let files = session.files();
            let left_out = session.template_directories();
            let real = files.real_path(&directory).ok();
            for name in files.list(&directory)? {
                let Some(path) = directory.join(&name).filter(|_| !name.starts_with('.')) else {
                    continue;
                };
                match files.kind(&path) {
                    Ok(Some(Kind::Directory)) => {
                        let is_link = is_link(files, real.as_ref(), &path, &name);
                        if left_out.contains(&path) || is_link {
                            continue;
                        }
                        match found.session_of(sessions, &session, &path) {
                            Ok(session) => open.push((path, session)),
                            Err(error) => found.report.push(error),
                        }
                    }
                    Ok(Some(Kind::File)) => found.look_at(files, &directory, &path, &name),
                    _ => {}
                }
            }
        }
        Ok(found)
    }

    /// The project of a directory: its own where it has one, else that of the directory above it.
    fn session_of(
        &self,
        sessions: &Sessions,
        above: &Arc<Session>,
        directory: &TreePath,
    ) -> Result<Arc<Session>> {
        let is_project = PROJECT_NAMES.iter().any(|name| {
            let path = directory.join(name);
            path.is_some_and(|path| matches!(sessions.disk().kind(&path), Ok(Some(Kind::File))))
        });
        match is_project {
            true => sessions.of(directory),
            false => Ok(Arc::clone(above)),
        }
    }

    fn look_at(&mut self, files: &dyn Files, directory: &TreePath, path: &TreePath, name: &str) {
        if KUSTOMIZATION_NAMES.contains(&name) {
            self.described.insert(directory.clone());
            // One that cannot be read is a root all the same: its build says what is wrong.
            let node = first_document(files, path).unwrap_or_else(Node::mapping);
            for named in named_by(&node, directory) {
                self.named.insert(named, directory.clone());
            }
            if node.get("kind").and_then(Node::as_str) != Some("Component") {
                self.kustomizations.insert(directory.clone());
            }
        } else if name.ends_with(".yaml") || name.ends_with(".yml") {
            self.look_for_objects(files, path);
        }
    }

    /// Reads a file that may hold objects of a host. One that does not parse is the build's to report.
    fn look_for_objects(&mut self, files: &dyn Files, path: &TreePath) {
        let Ok(file) = files.read(path) else {
            return;
        };
        let Ok(text) = std::str::from_utf8(&file.bytes) else {
            return;
        };
        if text.contains(entries::GROUP) {
            self.argocd.push(path.clone());
        }
        if !text.contains(GROUP) {
            return;
        }
        for node in yaml::parse(text, ParseOptions::default()).unwrap_or_default() {
            let resource = Resource::new(node, Some(Arc::clone(&file.source)));
            if Kustomization::is(&resource)
                && let Ok(read) = Kustomization::read(&resource, SYSTEM)
            {
                self.flux.push((path.clone(), read));
            }
        }
    }

    /// The directories that no kustomization names, in order.
    pub(super) fn roots(&self) -> impl Iterator<Item = &TreePath> {
        let all = self.kustomizations.iter();
        all.filter(|directory| !self.named.contains_key(*directory))
    }

    /// The directory that has to be applied so that a file is; `None` where nothing takes the file up.
    fn carrier(&self, file: &TreePath) -> Option<TreePath> {
        let directory = file.parent()?;
        let Some(mut at) = self.named.get(file) else {
            // Flux lists the files of a directory without a kustomization.
            return (!self.described.contains(&directory)).then_some(directory);
        };
        for _ in 0..MAX_NESTING {
            match self.named.get(at) {
                Some(above) => at = above,
                None => break,
            }
        }
        self.kustomizations.contains(at).then(|| at.clone())
    }

    /// Where Flux begins: the directories with Kustomizations that no other Kustomization applies.
    pub(super) fn flux_entries(&self, place: impl Fn(&str) -> Option<TreePath>) -> Vec<FluxEntry> {
        let mut carriers: BTreeMap<TreePath, Vec<(&Kustomization, TreePath)>> = BTreeMap::new();
        for (file, kustomization) in &self.flux {
            if let Some(carrier) = self.carrier(file) {
                let slot = carriers.entry(carrier).or_default();
                // Nothing lies within a file: a path that is not here is reported by what renders it.
                let directory = place(&kustomization.path).unwrap_or_else(|| file.clone());
                slot.push((kustomization, directory));
            }
        }
        let applies = |carrier: &TreePath, other: &TreePath| {
            let held = carriers.get(carrier).into_iter().flatten();
            carrier != other && held.clone().any(|(_, to)| other.is_within(to))
        };
        let mut left: BTreeSet<&TreePath> = carriers.keys().collect();
        let mut entries = Vec::new();
        while !left.is_empty() {
            let first =
                |at: &&&TreePath| !carriers.keys().any(|c| left.contains(c) && applies(c, at));
            // In a circle any one of them begins.
            let Some(entry) = left.iter().find(first).or(left.iter().next()).copied() else {
                break;
            };
            let mut reached = vec![entry];
            while let Some(at) = reached.pop() {
                if left.remove(at) {
                    reached.extend(left.iter().copied().filter(|other| applies(at, other)));
                }
            }
            entries.push(FluxEntry::of(entry, &carriers[entry]));
        }
        entries
    }
}

/// Where Flux begins.
pub(super) struct FluxEntry {
    /// The Kustomization that applies the directory.
    pub(super) kustomization: Kustomization,
    /// The directory.
    pub(super) directory: TreePath,
}

impl FluxEntry {
    /// The Kustomization in a directory that applies it, as `flux bootstrap` leaves it there; else one that
    /// sets nothing.
    fn of(carrier: &TreePath, held: &[(&Kustomization, TreePath)]) -> Self {
        let own = held.iter().find(|(_, to)| carrier.is_within(to));
        match own {
            Some((kustomization, directory)) => Self {
                kustomization: (*kustomization).clone(),
                directory: directory.clone(),
            },
            None => Self::at(carrier),
        }
    }

    /// A Kustomization that sets nothing, for a directory.
    pub(super) fn at(directory: &TreePath) -> Self {
        let id = Id {
            namespace: SYSTEM.to_owned(),
            name: SYSTEM.to_owned(),
        };
        Self {
            kustomization: Kustomization::of_path(id, directory.as_str()),
            directory: directory.clone(),
        }
    }
}

/// Whether a path leads elsewhere. What a template makes is no link, and has no path on disk.
fn is_link(files: &dyn Files, above: Option<&TreePath>, path: &TreePath, name: &str) -> bool {
    let here = above.and_then(|above| above.join(name));
    matches!((files.real_path(path), here), (Ok(there), Some(here)) if there != here)
}

/// The paths that a kustomization is made of.
fn named_by(node: &Node, directory: &TreePath) -> Vec<TreePath> {
    let lists = ["resources", "components", "bases"].map(|key| {
        let list = node.get(key).and_then(Node::as_sequence);
        list.unwrap_or_default()
    });
    let entries = lists.into_iter().flatten();
    entries
        .filter_map(Node::as_str)
        .filter_map(|path| directory.join(path))
        .collect()
}

fn first_document(files: &dyn Files, path: &TreePath) -> Option<Node> {
    let file = files.read(path).ok()?;
    let text = String::from_utf8_lossy(&file.bytes);
    yaml::parse_first(&text, ParseOptions::default()).ok()?
}
