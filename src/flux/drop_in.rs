//! What the program `flux` makes of a Kustomization: not quite what the controller does.
//!
//! Follows flux2 `internal/build/build.go` (v2.9.5): the kustomization is written as the controller writes it, less
//! what `.sourceignore` files at the path and below, the patterns of sources and `--ignore-paths` name; variables
//! are those of `substitute` alone, and a missing one is empty unless asked otherwise; nothing is opened, and sealed
//! values of Secrets are masked; every object has its owner's labels. With `-r` the children follow all objects of
//! their parent, whatever they depend on and whether or not they are suspended.
//!
//! Differs on purpose: a Kustomization that applies itself by way of another is one error, where the original
//! never ends. Pinned by the cases `cli-*` of the Flux recordings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::finish::{OwnerLabels, label};
use super::kustomization::{Id, Kustomization, Reference};
use super::mask::mask;
use super::render::VERSION_LABEL;
use super::variables::{Given, Objects, variables};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::files::{Files, Kind, TreePath};
use crate::generators::Outside;
use crate::kube::{ResMap, Resource};
use crate::kustomize::{LoadRestriction, Options, Order};
use crate::pipeline::{Flux, Host, Ignore, Request, Root};
use crate::project::Session;
use crate::secrets::{Opener, Secrets};
use crate::substitute::Strictness;
use crate::values::Overrides;

/// How deep Kustomizations may apply Kustomizations.
const MAX_DEPTH: usize = 32;

/// What `flux build kustomization` is asked for.
pub struct Builder {
    /// The files below the root.
    pub disk: Arc<dyn Files>,
    /// Patterns of `--ignore-paths`, one a line.
    pub ignored: String,
    /// Whether a variable that does not exist is an error.
    pub strictness: Strictness,
    /// The directories of sources: `-r` where there are any to follow.
    pub local_sources: Option<BTreeMap<Reference, TreePath>>,
}

impl Builder {
    /// Builds a Kustomization whose files are in a directory, and with `-r` what it applies.
    pub fn build(
        &self,
        kustomization: &Kustomization,
        directory: &TreePath,
    ) -> Result<Vec<Resource>, Report> {
        self.build_below(kustomization, directory, &mut Vec::new())
    }

    fn build_below(
        &self,
        kustomization: &Kustomization,
        directory: &TreePath,
        above: &mut Vec<Id>,
    ) -> Result<Vec<Resource>, Report> {
        above.push(kustomization.id.clone());
        let mut objects = self.one(kustomization, directory)?.into_resources();
        let mut below = Vec::new();
        if let Some(sources) = &self.local_sources {
            for object in objects.iter().filter(|o| Kustomization::is(o)) {
                let child = Kustomization::read(object, "")?;
                if child.id != kustomization.id {
                    refuse_circle(&child, above)?;
                    let directory = directory_of(&child, sources)?;
                    below.extend(self.build_below(&child, &directory, above)?);
                }
            }
        }
        above.pop();
        objects.extend(below);
        Ok(objects)
    }

    fn one(&self, kustomization: &Kustomization, directory: &TreePath) -> Result<ResMap, Report> {
        let missing = || {
            let phrase = format!("{directory} does not exist");
            Diagnostic::new(Code::FileMissing, phrase).at(kustomization.place.clone())
        };
        if self.disk.kind(directory)? != Some(Kind::Directory) {
            return Err(missing().into());
        }
        let host = self.host(kustomization, directory)?;
        let outside = Outside::default();
        let opener = Arc::new(Opener::new(Default::default));
        let overrides = Overrides::default();
        let request = Request {
            directory,
            build: Options {
                load_restriction: LoadRestriction::None,
                managed_by_label: false,
                order: Order::Fifo,
                level: None,
                version_label: Some(VERSION_LABEL),
            },
            outside: &outside,
            opener: Arc::clone(&opener),
            secrets: Secrets::Keep,
            overrides: &overrides,
            overlays: &[],
            strict: false,
            host: Some(&host),
        };
        let session = Session::open(Arc::clone(&self.disk), directory, &overrides, &opener)?;
        let mut resources = Root::new(&request, &session).landed()?.resources;
        label(kustomization, &mut resources, OwnerLabels::Add);
        for object in resources.iter_mut() {
            mask(object)?;
        }
        Ok(resources)
    }

    fn host(&self, kustomization: &Kustomization, directory: &TreePath) -> Result<Host, Report> {
        let mut ignore = Ignore::defaults(directory);
        ignore.add_files(&self.disk, directory)?;
        ignore.add(&self.ignored, directory);
        let post_build = kustomization.post_build.as_ref();
        let variables = post_build.map(|post_build| {
            let (objects, given) = (Objects::default(), Given::default());
            variables(kustomization, post_build, &objects, &given)
        });
        Ok(Host {
            adjustments: kustomization.adjustments.clone(),
            allow_empty: true,
            flux: Some(Flux {
                build_metadata: kustomization.build_metadata.clone(),
                variables: variables.transpose()?,
                strictness: self.strictness,
                ignore: Some(ignore),
            }),
            ..Host::default()
        })
    }
}

/// Where the files of a child are.
fn directory_of(
    child: &Kustomization,
    sources: &BTreeMap<Reference, TreePath>,
) -> Result<TreePath, Diagnostic> {
    let source = child.source.as_ref();
    let base = source.and_then(|source| sources.get(source));
    let Some(base) = base else {
        let named = source.map_or_else(
            || "its source".to_owned(),
            |s| format!("{}/{}/{}", s.kind, s.id.namespace, s.id.name),
        );
        let phrase = format!(
            "{} takes its files from {named}, which --local-sources does not name",
            child.shown()
        );
        return Err(Diagnostic::new(Code::FluxMissing, phrase)
            .at(child.place.clone())
            .help(format!("add --local-sources {named}=DIRECTORY")));
    };
    base.join(child.path.trim_start_matches('/'))
        .ok_or_else(|| {
            let phrase = format!("the path of {} leads out of the root", child.shown());
            Diagnostic::new(Code::OutsideRoot, phrase).at(child.path_place.clone())
        })
}

fn refuse_circle(child: &Kustomization, above: &[Id]) -> Result<(), Diagnostic> {
    if above.contains(&child.id) || above.len() >= MAX_DEPTH {
        let phrase = format!("{} is applied by itself, by way of others", child.shown());
        return Err(Diagnostic::new(Code::FluxCycle, phrase).at(child.place.clone()));
    }
    Ok(())
}
