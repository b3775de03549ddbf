//! The overlays of a project: what there is, what applies, what it adds, and a first project file.

use std::collections::{BTreeMap, BTreeSet};

pub use crate::overlay::{Form, Instance, Set, State, builtin_sets, list, rows, show, table};

use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::{Files, Kind, TreePath};
use crate::kube::ResMap;
use crate::kustomize;
use crate::overlay::{self, Config, Expansion, Surveyed, copy, survey};
use crate::yaml::{self, Node, ParseOptions};

use super::plain::{Options, Outside};
use super::project::Project;
use super::values::{Opener, Overrides, Templates, Values, project_values};

/// The names that kustomize looks for.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A root, and what is asked of its overlays. Sealed files are not opened: overlays do not need them.
pub struct Asked<'a> {
    /// The files.
    pub files: &'a dyn Files,
    /// The directory of the root.
    pub directory: &'a TreePath,
    /// Values over those of the project.
    pub overrides: &'a Overrides,
    /// Opens sealed values.
    pub opener: &'a Opener<'a>,
    /// Sets and overlays that are used besides the project's.
    pub names: &'a [String],
    /// Whether findings that are warnings are errors.
    pub strict: bool,
}

/// Tells which overlay applies to which target of a root, and why.
pub fn status(asked: &Asked<'_>) -> Result<(Vec<Instance>, Report)> {
    expanded(asked, |expansion, _| {
        Ok((expansion.instances.clone(), expansion.report.clone()))
    })
}

/// Writes the objects that overlays add, as the finished build has them.
pub fn added(asked: &Asked<'_>) -> Result<(Vec<u8>, Report)> {
    expanded(asked, |expansion, _| {
        let mut output = Vec::new();
        if let Some(view) = &expansion.view {
            let mut built = build(view, asked.directory)?;
            let added: Vec<_> = expansion.instances.iter().flat_map(|i| &i.adds).collect();
            built.retain(|r| added.iter().any(|id| id.is_same(&r.id())));
            built.write(&mut output)?;
        }
        Ok((output, expansion.report.clone()))
    })
}

/// A copy of what one overlay adds, as names and texts.
pub fn copies(
    asked: &Asked<'_>,
    name: &str,
    form: Form,
) -> Result<(Vec<(String, String)>, Report)> {
    let sets = builtin_sets()?;
    expanded(asked, |expansion, _| {
        let files = copy(&sets, expansion, asked.directory, name, form)?;
        Ok((files, expansion.report.clone()))
    })
}

fn build(files: &dyn Files, directory: &TreePath) -> Result<ResMap> {
    Ok(kustomize::build(files, directory, &Options::default(), &Outside::default())?.resources)
}

/// Builds a root, decides on its overlays, and gives both.
fn expanded<R>(
    asked: &Asked<'_>,
    then: impl FnOnce(&Expansion<'_>, &ResMap) -> Result<R>,
) -> Result<R> {
    let project = Project::find(asked.files, asked.directory)?;
    let mut config = project
        .as_ref()
        .map(|p| p.overlays.clone())
        .unwrap_or_default();
    config.merge(Config::of_names(asked.names.iter().map(String::as_str)));
    let Some(project) = &project else {
        return decided(asked, asked.files, &config, &Values::empty(), false, then);
    };
    let templates = Templates::of(project, asked.files)?;
    let values = project_values(
        project,
        &templates,
        asked.files,
        asked.overrides,
        asked.opener,
    )?;
    let view = templates.view(asked.files, &values, asked.opener)?;
    let is_whole = project.directory == *asked.directory;
    decided(asked, &view, &config, &values, is_whole, then)
}

fn decided<R>(
    asked: &Asked<'_>,
    files: &dyn Files,
    config: &Config,
    values: &Values,
    is_whole_project: bool,
    then: impl FnOnce(&Expansion<'_>, &ResMap) -> Result<R>,
) -> Result<R> {
    if config.is_empty() {
        return Err(Diagnostic::new(Code::OverlayConfig, format!("{} uses no overlay", asked.directory))
            .help("write `use: [cnpg@1]` under overlays in prerender.yaml, run `plugin init`, or pass --overlays cnpg@1"));
    }
    let built = build(files, asked.directory)?;
    let host = overlay::Host {
        strict: asked.strict,
        is_whole_project,
        ..overlay::Host::default()
    };
    let request = overlay::Request {
        files,
        directory: asked.directory,
        built: &built,
        config,
        values: values.context(),
        host,
    };
    then(&overlay::view(&request)?, &built)
}

/// Looks once at everything that a tree renders, and writes a project file for it.
///
/// Roots that do not build are told as warnings, and left out.
pub fn init(files: &dyn Files, directory: &TreePath) -> Result<(String, Report)> {
    let sets = builtin_sets()?;
    let set = sets.first().expect("there is a built-in set");
    let mut report = Report::default();
    let mut roots = Vec::new();
    for root in find_roots(files, directory)? {
        match build(files, &root) {
            Ok(built) => roots.push((root, built)),
            Err(error) => {
                let phrase = format!(
                    "{root} does not build, and is not looked at: {}",
                    error.phrase()
                );
                report.push(Diagnostic::warning(error.code(), phrase).at(error.place().cloned()));
            }
        }
    }
    move_to_targets(&mut roots);
    let surveyed: Vec<_> = roots
        .iter()
        .map(|(directory, built)| Surveyed { directory, built })
        .collect();
    Ok((survey(set, &surveyed)?, report))
}

/// The directories with a kustomization that no other kustomization names.
fn find_roots(files: &dyn Files, directory: &TreePath) -> Result<Vec<TreePath>> {
    let (mut found, mut named) = (Vec::new(), BTreeSet::new());
    let mut open = vec![directory.clone()];
    while let Some(directory) = open.pop() {
        for name in files.list(&directory)? {
            let Some(path) = directory.join(&name).filter(|_| !name.starts_with('.')) else {
                continue;
            };
            match files.kind(&path)? {
                Some(Kind::Directory) => open.push(path),
                Some(Kind::File) if KUSTOMIZATIONS.contains(&name.as_str()) => {
                    let node = kustomization(files, &path)?;
                    let list = |key| {
                        node.get(key)
                            .and_then(Node::as_sequence)
                            .unwrap_or_default()
                    };
                    for key in ["resources", "components", "bases"] {
                        named.extend(
                            list(key)
                                .iter()
                                .filter_map(Node::as_str)
                                .filter_map(|p| directory.join(p)),
                        );
                    }
                    if node.get("kind").and_then(Node::as_str) != Some("Component") {
                        found.push(directory.clone());
                    }
                }
                _ => {}
            }
        }
    }
    found.retain(|root| !named.contains(root));
    found.sort();
    Ok(found)
}

fn kustomization(files: &dyn Files, path: &TreePath) -> Result<Node> {
    let file = files.read(path)?;
    let text = String::from_utf8_lossy(&file.bytes);
    let node = yaml::parse_first(&text, ParseOptions::default())
        .map_err(|e| e.at(&file.source).or_at(Place::file(path.as_str())))?;
    Ok(node.unwrap_or_else(Node::mapping))
}

/// Gives objects without a namespace the one that a Flux Kustomization sets for their root.
fn move_to_targets(roots: &mut [(TreePath, ResMap)]) {
    let mut targets: BTreeMap<String, String> = BTreeMap::new();
    for resource in roots.iter().flat_map(|(_, built)| built) {
        let text = |key| {
            resource
                .node()
                .lookup(&["spec", key])
                .and_then(Node::as_str)
        };
        if resource
            .gvk()
            .is("kustomize.toolkit.fluxcd.io", "Kustomization")
            && let (Some(path), Some(namespace)) = (
                text("path").and_then(TreePath::parse),
                text("targetNamespace"),
            )
        {
            targets.insert(path.as_str().to_owned(), namespace.to_owned());
        }
    }
    for (directory, built) in roots {
        let Some(namespace) = targets.get(directory.as_str()) else {
            continue;
        };
        for resource in built
            .iter_mut()
            .filter(|r| r.scope() == crate::kube::Scope::Namespaced)
        {
            resource.change(|node| {
                if let Some(metadata) = node.get_mut("metadata").and_then(Node::as_mapping_mut) {
                    metadata.insert("namespace", Node::string(namespace.as_str()));
                }
            });
        }
    }
}
