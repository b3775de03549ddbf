//! Where the files of a Kustomization are: here, or in a repository that is not.

use std::collections::BTreeMap;

use super::kustomization::{Id, Kustomization, Reference};
use crate::files::TreePath;
use crate::kube::Resource;
use crate::yaml::Node;

/// The kinds that bring files from a repository.
const REPOSITORIES: [&str; 3] = ["GitRepository", "OCIRepository", "Bucket"];

/// What is known of the sources of a cluster.
#[derive(Debug)]
pub struct Sources {
    /// The source that this tree is.
    local: Option<Reference>,
    /// The directory that its paths count from.
    base: TreePath,
    /// Sources that the invoker says are directories of this tree.
    given: BTreeMap<Reference, TreePath>,
    /// The address of each repository that the cluster declares.
    addresses: BTreeMap<Reference, String>,
    /// What an ArtifactGenerator copies: from which source and directory, to which directory.
    copies: BTreeMap<Reference, Vec<Copied>>,
}

#[derive(Debug, Clone)]
struct Copied {
    from: Reference,
    directory: String,
    to: TreePath,
}

impl Sources {
    /// Starts with what the invoker says.
    pub fn new(given: BTreeMap<Reference, TreePath>) -> Self {
        Self {
            local: None,
            base: TreePath::root(),
            given,
            addresses: BTreeMap::new(),
            copies: BTreeMap::new(),
        }
    }

    /// Takes the source of a Kustomization as the one that this tree is, unless one is known.
    pub fn take_local(&mut self, source: Option<&Reference>) {
        if self.local.is_none() {
            self.local = source.cloned();
        }
    }

    /// Takes the directory that paths count from by one whose place is known, as far as they fit.
    pub fn take_base(&mut self, path: &str, directory: &TreePath) {
        self.base = base_of(path, directory).unwrap_or_else(TreePath::root);
    }

    /// Notes an object that declares a source.
    pub fn note(&mut self, resource: &Resource) {
        let id = Id {
            namespace: resource.namespace().to_owned(),
            name: resource.name().to_owned(),
        };
        let kind = resource.kind();
        if REPOSITORIES.contains(&kind) {
            let address = ["url", "endpoint"]
                .iter()
                .find_map(|key| resource.node().lookup(&["spec", key])?.as_str());
            let kind = kind.to_owned();
            let address = normal(address.unwrap_or_default());
            self.addresses.insert(Reference { kind, id }, address);
        } else if kind == "ArtifactGenerator" {
            self.note_generator(resource, &id.namespace);
        }
    }

    fn note_generator(&mut self, resource: &Resource, namespace: &str) {
        let text = |node: &Node, key: &str| node.get(key)?.as_str().map(str::to_owned);
        let list = |node: Option<&Node>| {
            node.and_then(Node::as_sequence)
                .unwrap_or_default()
                .to_vec()
        };
        let spec = resource.node().get("spec");
        let mut aliases = BTreeMap::new();
        for source in list(spec.and_then(|s| s.get("sources"))) {
            let alias = text(&source, "alias").unwrap_or_default();
            let id = Id {
                namespace: text(&source, "namespace").unwrap_or_else(|| namespace.to_owned()),
                name: text(&source, "name").unwrap_or_default(),
            };
            let kind = text(&source, "kind").unwrap_or_default();
            aliases.insert(alias, Reference { kind, id });
        }
        for artifact in list(spec.and_then(|s| s.get("artifacts"))) {
            let id = Id {
                namespace: namespace.to_owned(),
                name: text(&artifact, "name").unwrap_or_default(),
            };
            let mut copied = Vec::new();
            for copy in list(artifact.get("copy")) {
                let (from, to) = (text(&copy, "from"), text(&copy, "to"));
                copied.extend(copy_of(
                    &aliases,
                    &from.unwrap_or_default(),
                    &to.unwrap_or_default(),
                ));
            }
            let kind = "ExternalArtifact".to_owned();
            self.copies.insert(Reference { kind, id }, copied);
        }
    }

    /// The directory of a Kustomization below the root; `None` where its source is not here, or not yet known.
    pub fn directory(&self, kustomization: &Kustomization) -> Option<TreePath> {
        let path = &kustomization.path;
        let Some(source) = &kustomization.source else {
            return Some(below(&self.base, path));
        };
        if let Some(base) = self.given.get(source) {
            return Some(below(base, path));
        }
        if let Some(copies) = self.copies.get(source) {
            return self.copied(copies, path);
        }
        self.is_local(source).then(|| below(&self.base, path))
    }

    /// Guesses which source this tree is, from what the entry of the cluster applies: the first one that
    /// nothing here declares, as what brought the entry, else the first whose path is here.
    pub fn guess_local(
        &mut self,
        children: &[Kustomization],
        entry: &TreePath,
        is_here: &dyn Fn(&TreePath) -> bool,
    ) {
        if self.local.is_some() {
            return;
        }
        let mut bases: Vec<TreePath> =
            std::iter::successors(Some(entry.clone()), TreePath::parent).collect();
        bases.reverse();
        let base_here = |child: &Kustomization| {
            // The path of what was copied counts from the artifact; what it was copied from counts from here.
            let copied = child
                .source
                .as_ref()
                .and_then(|s| self.copies.get(s)?.first());
            let path = copied.map_or(&child.path, |copied| &copied.directory);
            let mut bases = bases.iter().filter(|_| !is_root(path));
            bases.find(|base| is_here(&below(base, path))).cloned()
        };
        let repositories = children.iter().filter_map(|child| {
            let source = child.source.as_ref()?;
            let copied = self.copies.get(source).and_then(|copies| copies.first());
            let source = copied.map_or(source, |copied| &copied.from);
            is_repository(source).then_some((child, source))
        });
        let undeclared = |(_, source): &(_, &Reference)| !self.addresses.contains_key(source);
        let here = |(child, _): &(&Kustomization, _)| base_here(child).is_some();
        let found = repositories.clone().find(undeclared);
        let found = found.or_else(|| repositories.clone().find(here));
        let Some((child, source)) = found else {
            return;
        };
        let (base, source) = (base_here(child), source.clone());
        self.base = base.unwrap_or_else(TreePath::root);
        self.local = Some(source);
    }

    fn is_local(&self, source: &Reference) -> bool {
        let Some(local) = &self.local else {
            return false;
        };
        let address = |reference| self.addresses.get(reference).filter(|a| !a.is_empty());
        local == source || address(local).is_some_and(|a| address(source) == Some(a))
    }

    /// Where a path of an artifact was copied from: the copy that names the longest part of it.
    fn copied(&self, copies: &[Copied], path: &str) -> Option<TreePath> {
        let wanted = below(&TreePath::root(), path);
        let fits = |c: &&Copied| wanted.is_within(&c.to);
        let copy = copies
            .iter()
            .filter(fits)
            .max_by_key(|c| c.to.as_str().len())?;
        let base = match self.given.get(&copy.from) {
            Some(base) => base.clone(),
            None if self.is_local(&copy.from) => self.base.clone(),
            None => return None,
        };
        base.join(&copy.directory)?
            .join(&wanted.relative_to(&copy.to))
    }
}

/// One entry of `copy`: `@ALIAS/DIR/**` to `@artifact/DIR/`.
fn copy_of(aliases: &BTreeMap<String, Reference>, from: &str, to: &str) -> Option<Copied> {
    let (alias, directory) = from.strip_prefix('@')?.split_once('/')?;
    let to = to.strip_prefix("@artifact")?;
    Some(Copied {
        from: aliases.get(alias)?.clone(),
        directory: directory
            .trim_end_matches('*')
            .trim_end_matches('/')
            .to_owned(),
        to: TreePath::parse(to.trim_start_matches('/'))?,
    })
}

/// Whether a source brings files from a repository, and not from another source.
pub(super) fn is_repository(source: &Reference) -> bool {
    REPOSITORIES.contains(&source.kind.as_str())
}

/// Whether a path is the root of its source.
pub(super) fn is_root(path: &str) -> bool {
    below(&TreePath::root(), path).as_str().is_empty()
}

/// The directory from which a path leads to a directory, when it can.
pub(super) fn base_of(path: &str, directory: &TreePath) -> Option<TreePath> {
    let path = below(&TreePath::root(), path);
    let base = directory.as_str().strip_suffix(path.as_str())?;
    let is_whole = base.is_empty() || base.ends_with('/') || path.as_str().is_empty();
    is_whole.then(|| TreePath::parse(base)).flatten()
}

/// A path of a spec below a directory: as in Flux, `..` cannot lead out of it.
pub(super) fn below(base: &TreePath, path: &str) -> TreePath {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    base.join(&parts.join("/")).expect("nothing in it climbs")
}

/// The address of a repository without what makes no difference.
fn normal(address: &str) -> String {
    let trimmed = address.trim_end_matches('/').trim_end_matches(".git");
    let bare = trimmed.split_once("://").map_or(trimmed, |(_, rest)| rest);
    let bare = bare.rsplit_once('@').map_or(bare, |(_, rest)| rest);
    bare.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{ParseOptions, parse};

    fn kustomization(kind: &str, name: &str, path: &str) -> Kustomization {
        let id = |name: &str| Id {
            namespace: "flux-system".to_owned(),
            name: name.to_owned(),
        };
        let mut read = Kustomization::of_path(id("x"), path);
        let kind = kind.to_owned();
        read.source = Some(Reference { kind, id: id(name) });
        read
    }

    #[test]
    fn the_root_of_a_source_is_where_its_paths_lead_from() {
        let directory = TreePath::parse("kubernetes/clusters/main").unwrap();
        let base = |path| base_of(path, &directory).map(|b| b.as_str().to_owned());
        assert_eq!(base("./clusters/main").as_deref(), Some("kubernetes"));
        assert_eq!(base("kubernetes/clusters/main").as_deref(), Some(""));
        assert_eq!(base("./ain"), None);
        assert_eq!(base("./").as_deref(), Some("kubernetes/clusters/main"));
    }

    #[test]
    fn paths_of_artifacts_are_those_of_what_was_copied() {
        let text = "
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: g, namespace: flux-system}
spec:
  sources: [{alias: mono, kind: GitRepository, name: flux-system}]
  artifacts:
  - name: apps
    copy:
    - {from: '@mono/apps/base/**', to: '@artifact/base/'}
    - {from: '@mono/apps/production/**', to: '@artifact/production/'}
";
        let node = parse(text, ParseOptions::default()).unwrap().remove(0);
        let mut sources = Sources::new(BTreeMap::new());
        sources.note(&Resource::new(node, None));
        let entry = kustomization("GitRepository", "flux-system", "clusters/production");
        sources.take_local(entry.source.as_ref());
        let found = sources.directory(&kustomization("ExternalArtifact", "apps", "./production"));
        assert_eq!(found.unwrap().as_str(), "apps/production");
        let other = kustomization("GitRepository", "other", "./x");
        assert_eq!(sources.directory(&other), None);
        let climbing = kustomization("GitRepository", "flux-system", "../../apps/../x");
        assert_eq!(sources.directory(&climbing).unwrap().as_str(), "x");
    }
}
