//! A Helm chart in a repository, as Argo CD renders it: which values reach `helm template`, and in which order.
//!
//! Follows `helmTemplate`, `getResolvedValueFiles` (reposerver/repository/repository.go) and `Template`
//! (util/helm/cmd.go) of Argo CD 3.6. Files of values first, in their order, patterns expanded in the order of
//! names without those that are named elsewhere, each file once; then `valuesObject`, or `values` where there is
//! none; then parameters, of two with one name the later. `/x` counts from the root of the repository, `$name/x`
//! from that of the source with that `ref`; nothing leads out. Cases: `helm-*`.

mod value_files;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use serde_json::Value;

use super::{SourceOrder, said};
use crate::argocd::application::Variables;
use crate::argocd::application::build::{go_json, normalized_version};
use crate::argocd::application::source::HelmOptions;
use crate::argocd::wire::{stream, yaml};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, TreePath};
use crate::programs::{Environment, LaidOut, Process};
use value_files::Resolver;

/// The helm that the invoker allows.
#[derive(Debug, Clone)]
pub struct HelmTool {
    /// The program.
    pub command: OsString,
    /// What it sees of our environment.
    pub environment: Environment,
    /// How long one call may take.
    pub limit: Option<Duration>,
}

/// What helm says where a chart that `Chart.yaml` names is not there.
const MISSING_DEPENDENCY: &str = "missing in charts/ directory";

/// The objects that helm gives.
pub(super) fn objects(order: &SourceOrder<'_>) -> Result<Vec<Value>, Report> {
    let Some(helm) = order.tools.helm() else {
        let phrase = "the source is a Helm chart, and running helm is not allowed";
        Err(Diagnostic::new(Code::NotEnabled, phrase).help("pass --enable-helm"))?
    };
    let options = order.source.helm.clone().unwrap_or_default();
    let variables = Variables::of_build(order.facts, order.source);
    let dependencies = dependencies(order.files, order.directory)?;
    let laid_out = LaidOut::new()?;
    laid_out.copy(order.files, order.directory)?;
    for below in &dependencies {
        laid_out.copy(order.files, below)?;
    }
    let call = Call {
        order,
        options: &options,
        variables: &variables,
        laid_out: &laid_out,
    };
    let printed = helm.render(&call.arguments()?, &laid_out, order.directory)?;
    let stream = stream::read(&String::from_utf8_lossy(&printed));
    let stream = stream.map_err(|broken| said(&broken.words))?;
    Ok(stream.documents.into_iter().map(|d| d.value).collect())
}

/// The directories of the repository that a chart depends on by `file://`.
fn dependencies(files: &dyn Files, chart: &TreePath) -> Result<Vec<TreePath>> {
    let path = super::paths::below(chart, "Chart.yaml");
    let file = files.read(&path).map_err(|_| {
        said("error getting helm repos: error retrieving helm dependency repos: error reading helm chart")
    })?;
    let read = yaml::read(&String::from_utf8_lossy(&file.bytes));
    let read = read.map_err(|error| said(&format!("error getting helm repos: {}", error.0)))?;
    let listed = read.get("dependencies").and_then(Value::as_array);
    let path_of = |dependency: &Value| {
        let repository = dependency.get("repository")?.as_str()?;
        chart.join(repository.strip_prefix("file://")?)
    };
    Ok(listed.into_iter().flatten().filter_map(path_of).collect())
}

impl HelmTool {
    /// Runs `helm template` in the chart; once more after `helm dependency build`, where a dependency is missing.
    fn render(
        &self,
        arguments: &[String],
        laid_out: &LaidOut,
        chart: &TreePath,
    ) -> Result<Vec<u8>> {
        let first = self.run(arguments, laid_out, chart);
        let is_missing = |error: &Diagnostic| {
            error.phrase().contains(MISSING_DEPENDENCY)
                || error
                    .notes()
                    .iter()
                    .any(|note| note.contains(MISSING_DEPENDENCY))
        };
        match first {
            Err(error) if is_missing(&error) => {
                let build = ["dependency", "build"].map(str::to_owned);
                self.run(&build, laid_out, chart)?;
                self.run(arguments, laid_out, chart)
            }
            other => other,
        }
    }

    fn run(&self, arguments: &[String], laid_out: &LaidOut, chart: &TreePath) -> Result<Vec<u8>> {
        Process {
            program: &self.command,
            environment: &self.environment,
            temporary: Some(laid_out.path()),
            arguments: arguments.to_vec(),
            variables: laid_out.helm_variables(),
            directory: Some(&laid_out.place(chart)),
            input: b"",
            limit: self.limit,
        }
        .run()
    }
}

struct Call<'a> {
    order: &'a SourceOrder<'a>,
    options: &'a HelmOptions,
    variables: &'a Variables,
    laid_out: &'a LaidOut,
}

impl Call<'_> {
    fn arguments(&self) -> Result<Vec<String>> {
        let Self { order, options, .. } = self;
        let facts = order.facts;
        let mut arguments: Vec<String> = ["template", "."].map(str::to_owned).to_vec();
        let mut pair = |flag: &str, value: &str| {
            arguments.extend([flag.to_owned(), value.to_owned()]);
        };
        let own_name = facts
            .instance
            .split_once('_')
            .map_or(&*facts.instance, |(_, name)| name);
        let release = [&*options.release_name, own_name]
            .into_iter()
            .find(|n| !n.is_empty());
        pair("--name-template", release.unwrap_or_default());
        let namespace = [&*options.namespace, &facts.destination]
            .into_iter()
            .find(|n| !n.is_empty());
        if let Some(namespace) = namespace {
            pair("--namespace", namespace);
        }
        let version = order.source.kube_version(&facts.kube_version);
        let version = normalized_version(version).map_err(|words| said(&words))?;
        if !version.is_empty() {
            pair("--kube-version", &version);
        }
        for (flag, name, value) in self.sets()? {
            pair(flag, &format!("{name}={value}"));
        }
        for file in self.values()? {
            pair("--values", &file);
        }
        for version in order.source.api_versions(&facts.api_versions) {
            pair("--api-versions", version);
        }
        arguments.extend(self.switches());
        Ok(arguments)
    }

    fn switches(&self) -> Vec<String> {
        let options = self.options;
        let mut switches = Vec::new();
        for (flag, is_set) in [
            ("--include-crds", !options.skip_crds),
            ("--skip-schema-validation", options.skip_schema_validation),
            ("--skip-tests", options.skip_tests),
        ] {
            if is_set {
                switches.push(flag.to_owned());
            }
        }
        switches
    }

    /// Single values: the flag, the path, the value.
    fn sets(&self) -> Result<Vec<(&'static str, String, String)>> {
        let mut sets: BTreeMap<(&'static str, String), String> = BTreeMap::new();
        for parameter in &self.options.parameters {
            let flag = if parameter.force_string {
                "--set-string"
            } else {
                "--set"
            };
            let value = escaped(&self.variables.fill(&parameter.value));
            sets.insert((flag, parameter.name.clone()), value);
        }
        for parameter in &self.options.file_parameters {
            let file = self.resolver().single(&parameter.path)?;
            let path = self.laid_out.write(&file.bytes)?;
            sets.insert(("--set-file", parameter.name.clone()), escaped(&path));
        }
        Ok(sets
            .into_iter()
            .map(|((flag, name), value)| (flag, name, value))
            .collect())
    }

    fn resolver(&self) -> Resolver<'_> {
        Resolver {
            order: self.order,
            variables: self.variables,
            ignores_missing: self.options.ignore_missing_value_files,
        }
    }

    /// The files of values, on disk, in order.
    fn values(&self) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        for file in self.resolver().all(&self.options.value_files)? {
            paths.push(self.laid_out.write(&file.bytes)?);
        }
        if let Some(object) = &self.options.values_object {
            // JSON is YAML. An object without entries counts, too: `values` is not read then.
            paths.push(self.laid_out.write(go_json(object).as_bytes())?);
        } else if !self.options.values.is_empty() {
            paths.push(self.laid_out.write(self.options.values.as_bytes())?);
        }
        Ok(paths)
    }
}

/// A value with commas that helm takes as its own; those within `{…}` part a list.
fn escaped(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut escaped = String::with_capacity(value.len());
    let mut before = '\0';
    for c in value.chars() {
        if c == ',' && before != '\\' {
            escaped.push('\\');
        }
        escaped.push(c);
        before = c;
    }
    escaped
}
