//! Where a cluster begins: the Kustomizations of a file, or a directory.

use super::kustomization::{Id, Kustomization};
use super::render::Renderer;
use super::sources::Sources;
use super::variables::Objects;
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result, Source};
use crate::files::TreePath;
use crate::kube::Resource;
use crate::yaml::{self, ParseOptions};

/// The namespace and name of what `flux bootstrap` makes.
pub(super) const SYSTEM: &str = "flux-system";

/// Reads the Kustomizations of a file.
///
/// Fails with [`Code::FluxMissing`] where there is none, and as [`Kustomization::read`] does.
pub fn entries_of_file(bytes: &[u8], source: Source) -> Result<Vec<Kustomization>, Report> {
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
            match Kustomization::read(&resource, SYSTEM) {
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
    let (resources, _) = renderer.render(&bare, directory, &Objects::default())?;
    for resource in resources.iter().filter(|r| Kustomization::is(r)) {
        let read = Kustomization::read(resource, SYSTEM)?;
        let mut sources = Sources::default();
        sources.take_local(read.source.as_ref());
        if sources.directory(&read).as_ref() == Some(directory) {
            return Ok(read);
        }
    }
    Ok(bare)
}
