//! What `check` and `flows` judge: a root with its templates and overlays, sealed files left sealed.

pub use crate::validate::flows::{Analysis, Assumptions, PodReference, analyse, html, json, table};

use crate::diagnostic::{Report, Result, Severity};
use crate::files::Files;
use crate::kube::ResMap;
use crate::kustomize;
use crate::overlay::{self, Config};
use crate::validate::{self, CheckOptions, GateOptions, Severities};

use super::overlays::Asked;
use super::plain::{Options, Outside};
use super::project::{Checks, Level, Project};
use super::values::{Templates, Values, project_values};

/// The objects of a root, with what its overlays add.
#[derive(Debug, Default)]
pub struct Objects {
    /// The objects.
    pub resources: ResMap,
    /// What the build and the overlays warn of.
    pub warnings: Report,
    checks: Checks,
    delimiters: Vec<String>,
    has_project: bool,
}

/// Builds a root: its templates rendered, its overlays attached, nothing opened.
pub fn objects(asked: &Asked<'_>) -> Result<Objects> {
    let project = Project::find(asked.files, asked.directory)?;
    let mut config = project
        .as_ref()
        .map(|p| p.overlays.clone())
        .unwrap_or_default();
    config.merge(Config::of_names(asked.names.iter().map(String::as_str)));
    let Some(project) = &project else {
        return layered(asked, asked.files, &config, &Values::empty(), false);
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
    let mut objects = layered(asked, &view, &config, &values, is_whole)?;
    objects.checks = project.checks.clone();
    objects.has_project = true;
    if let Some(delimiters) = &project.templates.delimiters {
        let opening = [&delimiters.block, &delimiters.variable, &delimiters.comment];
        objects.delimiters = opening.map(|pair| pair[0].clone()).to_vec();
    }
    Ok(objects)
}

fn layered(
    asked: &Asked<'_>,
    files: &dyn Files,
    config: &Config,
    values: &Values,
    is_whole_project: bool,
) -> Result<Objects> {
    let build = |files: &dyn Files| {
        kustomize::build(
            files,
            asked.directory,
            &Options::default(),
            &Outside::default(),
        )
    };
    let built = build(files)?;
    let mut objects = Objects::default();
    if config.is_empty() {
        objects.resources = built.resources;
        objects.warnings = built.warnings;
        return Ok(objects);
    }
    let request = overlay::Request {
        files,
        directory: asked.directory,
        built: &built.resources,
        config,
        values: values.context(),
        host: overlay::Host {
            strict: asked.strict,
            is_whole_project,
            ..overlay::Host::default()
        },
    };
    let expansion = overlay::view(&request)?;
    objects.warnings = expansion.report.clone();
    let layered = expansion.view.as_ref().map(|v| build(v)).transpose()?;
    drop(expansion);
    let built = layered.unwrap_or(built);
    objects.resources = built.resources;
    objects
        .warnings
        .findings
        .splice(0..0, built.warnings.findings);
    Ok(objects)
}

/// Reports every finding on a root: the gate's, and those of every check that its project asks for.
pub fn findings(objects: &Objects, assumptions: &Assumptions) -> Report {
    let gate = GateOptions {
        severities: if objects.has_project {
            Severities::Strict
        } else {
            Severities::Lenient
        },
        delimiters: &objects.delimiters,
        plaintext_allowed: &objects.checks.plaintext_allow,
        keep_sealed: true,
        ..GateOptions::default()
    };
    let options = CheckOptions {
        schema: severity(objects.checks.schema),
        flows: severity(objects.checks.flows),
        deprecated: severity(objects.checks.deprecated),
        assumptions: assumptions.clone(),
    };
    let mut report = objects.warnings.clone();
    for found in [
        validate::gate(&objects.resources, &gate),
        validate::check(&objects.resources, &options),
    ] {
        report.findings.extend(found.findings);
    }
    report
}

fn severity(level: Level) -> Option<Severity> {
    match level {
        Level::Error => Some(Severity::Error),
        Level::Warning => Some(Severity::Warning),
        Level::Off => None,
    }
}
