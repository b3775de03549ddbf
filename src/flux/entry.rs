//! Where a cluster begins: the Kustomizations of a file, or a directory.

use super::kustomization::{Id, Kustomization};
use super::render::Renderer;
use super::sources::{base_of, below, is_repository, is_root};
use super::variables::Objects;
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result, Source};
use crate::files::TreePath;
use crate::kube::Resource;
use crate::yaml::{self, ParseOptions};

/// The namespace and name of what `flux bootstrap` makes.
pub const SYSTEM: &str = "flux-system";

/// Reads the Kustomizations of a file; those without a namespace are taken to be in `namespace`.
///
/// Fails with [`Code::FluxMissing`] where there is none, and as [`Kustomization::read`] does.
pub fn entries_of_file(
    bytes: &[u8],
    source: Source,
    namespace: &str,
) -> Result<Vec<Kustomization>, Report> {
    let place = Place::file(&*source.path);
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Diagnostic::new(Code::YamlSyntax, "the file is not UTF-8").at(place.clone())
    })?;
    let source = std::sync::Arc::new(source);
    let documents = yaml::parse(text, ParseOptions::default()).map_err(|e| e.at(&source))?;
    let mut found = Vec::new();
    let mut report = Report::default();
    for node in documents {
        let resource = Resource::new(node, Some(std::sync::Arc::clone(&source)));
        if Kustomization::is(&resource) {
            match Kustomization::read(&resource, namespace) {
                Ok(read) => found.push(read),
                Err(refused) => report.findings.extend(refused.findings),
            }
        }
    }
    if !report.is_empty() {
        return Err(report);
    }
    if found.is_empty() {
        let phrase = "the file holds no Kustomization of Flux";
        return Err(Diagnostic::new(Code::FluxMissing, phrase).at(place).into());
    }
    Ok(found)
}

/// The Kustomization that applies a directory: one in what the directory renders to, as `flux bootstrap`
/// leaves it there, or one that sets nothing.
pub fn entry_of_path(
    renderer: &Renderer<'_>,
    directory: &TreePath,
) -> Result<Kustomization, Report> {
    let id = Id {
        namespace: SYSTEM.to_owned(),
        name: SYSTEM.to_owned(),
    };
    let bare = Kustomization::of_path(id, directory.as_str());
    let rendered = renderer.render(&bare, directory, &Objects::default())?;
    let resources = rendered.landed.resources;
    let mut read = Vec::new();
    for resource in resources.iter().filter(|r| Kustomization::is(r)) {
        read.push(Kustomization::read(resource, SYSTEM)?);
    }
    let is_exact = |k: &Kustomization| leads_to(k, &TreePath::root(), directory);
    let files = renderer.files();
    // Where the source is a part of the repository, the path counts from a directory above this one.
    let is_below = |k: &Kustomization| {
        let base = base_of(&k.path, directory).filter(|base| leads_to(k, base, directory));
        let elsewhere =
            TreePath::parse(&k.path).is_some_and(|p| matches!(files.kind(&p), Ok(Some(_))));
        base.is_some() && !elsewhere
    };
    let found = read.iter().find(|k| is_exact(k));
    let found = found.or_else(|| read.iter().find(|k| is_below(k)));
    Ok(found.cloned().unwrap_or(bare))
}

/// Whether the path of a Kustomization, whose source is a repository, leads from one directory to another.
fn leads_to(kustomization: &Kustomization, base: &TreePath, directory: &TreePath) -> bool {
    let source = kustomization.source.as_ref();
    source.is_some_and(is_repository)
        && !is_root(&kustomization.path)
        && below(base, &kustomization.path) == *directory
}
