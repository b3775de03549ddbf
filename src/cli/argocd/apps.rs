//! `argocd apps` and `argocd build`: every Application of a tree, and what each renders to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use crate::argocd::applicationsets::tree::{Entry, Listed, Listing, Origin, Request, list};
use crate::argocd::applicationsets::{Repositories, Repository, Sources, Switches, entries};
use crate::argocd::simulate::{PluginConfig, Settings};
use crate::argocd::sources::HelmTool;
use crate::argocd::wire::tracking::{Method, Tracking};
use crate::cli::{Context, Done, Outcome, identities};
use crate::diagnostic::{Code, Diagnostic, ExitStatus, Place, Report, Result};
use crate::files::{Tree, TreePath, locate, remotes, resolved};
use crate::programs::Environment;

/// The path on which a container finds programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long the repo-server gives a request.
const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory whose Applications and ApplicationSets are taken
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// A file of objects that is applied, in the place of all in DIR; - is standard input; may be repeated
    #[arg(long, short, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Follow what Applications render to, as after a sync
    #[arg(long, short)]
    recursive: bool,
    /// Which directory a repository is: URL=DIRECTORY; may be repeated
    #[arg(long, value_name = "URL=DIR")]
    repo_map: Vec<String>,
    /// A file with cluster Secrets, AppProjects and ConfigMaps, and with what APIs answer; may be repeated
    #[arg(long, value_name = "FILE")]
    generator_values: Vec<PathBuf>,
    /// Let * of git generators stop at /, as Argo CD's switch of this name does
    #[arg(long)]
    enable_new_git_file_globbing: bool,
    /// Let git generators see hidden directories, as Argo CD's switch of this name does
    #[arg(long)]
    include_hidden_directories: bool,
    /// Render sources that are Helm charts, with the helm of PATH; they are skipped otherwise
    #[arg(long)]
    enable_helm: bool,
    /// The directory with the identities for sources that the plugin renders; PRERENDER_KEYS by default
    #[arg(long, value_name = "DIRECTORY")]
    keys: Option<PathBuf>,
    /// What to print
    #[arg(long, short, value_enum)]
    output: Option<Output>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BuildArguments {
    #[command(flatten)]
    apps: Arguments,
    /// Only the Application of this name
    #[arg(value_name = "NAME", requires = "directory")]
    name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// A table
    Table,
    /// NAMESPACE/NAME, one a line
    Name,
    /// Everything that is known
    Json,
    /// The Applications; with build the objects
    Yaml,
}

/// Lists the Applications.
pub(super) fn apps(context: &Context, arguments: &Arguments) -> Outcome {
    let listing = listed(context, arguments, arguments.recursive)?;
    let output = arguments.output.unwrap_or(Output::Table);
    let stdout = match output {
        Output::Table => table(&listing),
        Output::Name => listing
            .applications
            .keys()
            .map(|key| format!("{key}\n"))
            .collect(),
        Output::Json => as_json(&listing, false),
        Output::Yaml => documents(listing.applications.values().map(|listed| &listed.manifest)),
    };
    Ok(done(&listing, stdout.into_bytes()))
}

/// Prints what the Applications render to.
pub(super) fn build(context: &Context, arguments: &BuildArguments) -> Outcome {
    let mut listing = listed(context, &arguments.apps, true)?;
    if let Some(name) = &arguments.name {
        let is_named = |key: &str| key == name || key.rsplit('/').next() == Some(name);
        listing.applications.retain(|key, _| is_named(key));
        if listing.applications.is_empty() {
            let error = Diagnostic::new(Code::Usage, format!("there is no Application {name}"));
            return Err(error.into());
        }
    }
    let stdout = match arguments.apps.output.unwrap_or(Output::Yaml) {
        Output::Table => table(&listing),
        Output::Name => listing
            .applications
            .keys()
            .map(|key| format!("{key}\n"))
            .collect(),
        Output::Json => as_json(&listing, true),
        Output::Yaml => documents(
            listing
                .applications
                .values()
                .flat_map(|listed| &listed.objects),
        ),
    };
    Ok(done(&listing, stdout.into_bytes()))
}

fn done(listing: &Listing, stdout: Vec<u8>) -> Done {
    let mut report = Report::default();
    for (key, application) in &listing.applications {
        for condition in &application.conditions {
            report.push(Diagnostic::warning(
                Code::HostError,
                format!("Application {key} is not synced: {condition}"),
            ));
        }
        if let Some(error) = &application.error {
            report.push(Diagnostic::warning(
                Code::HostError,
                format!("Application {key} does not render: {error}"),
            ));
        }
        if let Some(skipped) = &application.skipped {
            report.push(Diagnostic::warning(
                Code::NotEnabled,
                format!("Application {key}: a source is skipped: {skipped}"),
            ));
        }
        for object in &application.not_permitted {
            report.push(Diagnostic::warning(
                Code::HostError,
                format!("Application {key}: its project does not permit {object}"),
            ));
        }
    }
    for set in listing.sets.iter() {
        if let Some(error) = &set.error {
            let phrase = format!("ApplicationSet {}/{}: {error}", set.namespace, set.name);
            report.push(Diagnostic::warning(Code::HostError, phrase));
        }
    }
    for refused in &listing.refused {
        let phrase = format!(
            "{} is refused: {}",
            refused.object,
            refused.errors.join("; ")
        );
        report.push(Diagnostic::warning(Code::HostError, phrase));
    }
    for warning in &listing.warnings {
        report.push(Diagnostic::warning(Code::HostError, warning.clone()));
    }
    Done {
        stdout,
        report,
        status: listing.has_errors().then_some(ExitStatus::Input),
    }
}

fn listed(context: &Context, arguments: &Arguments, renders: bool) -> Result<Listing, Report> {
    let mut repositories = Repositories::default();
    for mapped in &arguments.repo_map {
        let (url, directory) = mapped
            .rsplit_once('=')
            .ok_or_else(|| Diagnostic::new(Code::Usage, "--repo-map takes URL=DIRECTORY"))?;
        let directory = resolved(&context.working_directory.join(directory))?;
        repositories.add(
            &[url.to_owned()],
            Repository::open(Arc::new(Tree::open(&directory)?))?,
        );
    }
    let entries = match arguments.file.is_empty() {
        true => entries_of_tree(context, arguments, &mut repositories)?,
        false => entries_of_files(context, &arguments.file)?,
    };
    let mut values = Vec::new();
    for path in &arguments.generator_values {
        values.extend(read(context, path)?.into_iter().map(|entry| entry.object));
    }
    let config = PluginConfig::shipped()?;
    let sources = Sources {
        repositories: &repositories,
        config: &config,
        settings: settings(context, arguments),
    };
    Ok(list(Request {
        entries,
        values,
        repositories: &repositories,
        sources: (renders || arguments.recursive).then_some(&sources),
        is_recursive: arguments.recursive,
        switches: Switches {
            new_globbing: arguments.enable_new_git_file_globbing,
            hidden_directories: arguments.include_hidden_directories,
        },
    }))
}

/// The host around the sources: what Argo CD has by default.
fn settings(context: &Context, arguments: &Arguments) -> Settings {
    let keys = match &arguments.keys {
        Some(keys) => Some(context.working_directory.join(keys)),
        None => context.variable(identities::KEYS).map(PathBuf::from),
    };
    let mut environment = vec![("PATH".to_owned(), PATH.to_owned())];
    environment.extend(keys.map(|keys| (identities::KEYS.to_owned(), keys.display().to_string())));
    Settings {
        control_plane: "argocd".to_owned(),
        kube_version: "1.34.0".to_owned(),
        api_versions: Vec::new(),
        revision: String::new(),
        timeout: TIMEOUT,
        exclusions: vec![".git/*".to_owned()],
        uses_generate_paths: false,
        allows_leaving_links: true,
        disabled: Vec::new(),
        helm: arguments.enable_helm.then(|| HelmTool {
            command: "helm".into(),
            environment: Environment::of_the_invoker(),
            limit: Some(TIMEOUT),
        }),
        tracking: Tracking {
            is_shown: false,
            method: Method::of(""),
            label_key: String::new(),
            installation_id: String::new(),
        },
        cluster_scoped: BTreeSet::new(),
        environment,
        program: context.program(),
    }
}

fn entries_of_files(context: &Context, files: &[PathBuf]) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for path in files {
        entries.extend(read(context, path)?);
    }
    Ok(entries)
}

/// Reads the objects of a file that the invoker names.
fn read(context: &Context, path: &Path) -> Result<Vec<Entry>> {
    let bytes = match path.to_str() {
        Some("-") => context.trusted.read_stream(Path::new("/dev/stdin"))?,
        _ => context
            .trusted
            .read(&context.working_directory.join(path))?,
    };
    let shown = path.display().to_string();
    entries::parse(&bytes, &shown)
        .map_err(|words| Diagnostic::new(Code::YamlSyntax, words).at(Place::file(shown.as_str())))
}

/// The Applications, sets and projects that lie in a directory as plain files; its repository is known by its remotes.
fn entries_of_tree(
    context: &Context,
    arguments: &Arguments,
    repositories: &mut Repositories,
) -> Result<Vec<Entry>> {
    let directory = arguments
        .directory
        .clone()
        .unwrap_or_else(|| PathBuf::from("."));
    let located = locate(&directory, &context.working_directory, None)?;
    let urls = remotes(located.tree.root());
    let repository = Repository::open(located.tree)?;
    let mut found = Vec::new();
    for path in repository.paths() {
        if let Some(shown) = shown_below(path, located.directory.as_str(), &directory) {
            let Some(parsed) = TreePath::parse(path) else {
                continue;
            };
            found.extend(entries::of_file(&*repository.files, &parsed, &shown));
        }
    }
    repositories.add(&urls, repository);
    Ok(found)
}

/// The path of a file as the user would name it, where it is one of the directory's.
fn shown_below(path: &str, directory: &str, named: &Path) -> Option<String> {
    let is_manifest = entries::is_manifest(path);
    let rest = match directory {
        "" => path,
        directory => path.strip_prefix(directory)?.strip_prefix('/')?,
    };
    let named = named.to_string_lossy();
    is_manifest.then(|| match named.as_ref() {
        "." => rest.to_owned(),
        named => format!("{}/{rest}", named.trim_end_matches('/')),
    })
}

fn as_json(listing: &Listing, with_objects: bool) -> String {
    let applications: Vec<Json> = listing
        .applications
        .values()
        .map(|a| application(a, with_objects))
        .collect();
    let sets: Vec<Json> = (listing.sets.iter())
        .map(|set| {
            let mut fields = Map::new();
            fields.insert("namespace".to_owned(), set.namespace.as_str().into());
            fields.insert("name".to_owned(), set.name.as_str().into());
            if let Some(error) = &set.error {
                fields.insert("error".to_owned(), error.as_str().into());
            }
            Json::Object(fields)
        })
        .collect();
    let refused: Vec<Json> = (listing.refused.iter())
        .map(|refused| json!({"object": refused.object, "errors": refused.errors}))
        .collect();
    let whole = json!({"applications": applications, "applicationSets": sets, "refused": refused});
    format!("{whole:#}\n")
}

fn application(listed: &Listed, with_objects: bool) -> Json {
    let mut fields = Map::new();
    fields.insert("manifest".to_owned(), listed.manifest.clone());
    let origin = match &listed.origin {
        Origin::File(file, line) => {
            fields.insert("line".to_owned(), (*line).into());
            json!({"file": file})
        }
        Origin::Set(set, generator) => {
            fields.insert("generator".to_owned(), (*generator).into());
            json!({"applicationSet": set})
        }
        Origin::Application(application) => json!({"application": application}),
    };
    fields.insert("origin".to_owned(), origin);
    if !listed.conditions.is_empty() {
        fields.insert("conditions".to_owned(), listed.conditions.clone().into());
    }
    if let Some(error) = &listed.error {
        fields.insert("error".to_owned(), error.as_str().into());
    }
    if listed.is_elsewhere {
        fields.insert("elsewhere".to_owned(), true.into());
    }
    if let Some(skipped) = &listed.skipped {
        fields.insert("skipped".to_owned(), skipped.as_str().into());
    }
    if !listed.not_permitted.is_empty() {
        fields.insert(
            "notPermitted".to_owned(),
            listed.not_permitted.clone().into(),
        );
    }
    if with_objects {
        fields.insert("objects".to_owned(), listed.objects.clone().into());
    }
    Json::Object(fields)
}

fn documents<'a>(objects: impl Iterator<Item = &'a Json>) -> String {
    let texts: Vec<String> = objects
        .map(crate::argocd::applicationsets::to_yaml)
        .collect();
    texts.join("---\n")
}

fn table(listing: &Listing) -> String {
    let mut rows = vec![
        [
            "APPLICATION",
            "PROJECT",
            "DESTINATION",
            "SOURCE",
            "FROM",
            "STATE",
        ]
        .map(str::to_owned),
    ];
    for (key, listed) in &listing.applications {
        let text = |pointer: &str| {
            listed
                .manifest
                .pointer(pointer)
                .and_then(Json::as_str)
                .unwrap_or_default()
        };
        let server = match text("/spec/destination/name") {
            "" => text("/spec/destination/server"),
            name => name,
        };
        let from = match &listed.origin {
            Origin::File(file, line) => format!("{file}:{line}"),
            Origin::Set(set, generator) => {
                format!("ApplicationSet {set}, generator {}", generator + 1)
            }
            Origin::Application(application) => format!("Application {application}"),
        };
        rows.push([
            key.clone(),
            text("/spec/project").to_owned(),
            format!("{server}/{}", text("/spec/destination/namespace")),
            source(&listed.manifest),
            from,
            state(listed),
        ]);
    }
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..6).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn source(manifest: &Json) -> String {
    let several = manifest
        .pointer("/spec/sources")
        .and_then(Json::as_array)
        .filter(|s| !s.is_empty());
    match several {
        Some(several) => format!("{} sources", several.len()),
        None => {
            let text = |key: &str| {
                manifest
                    .pointer(key)
                    .and_then(Json::as_str)
                    .unwrap_or_default()
            };
            match text("/spec/source/chart") {
                "" => text("/spec/source/path").to_owned(),
                chart => format!("chart {chart}"),
            }
        }
    }
}

fn state(listed: &Listed) -> String {
    if !listed.conditions.is_empty() {
        return "not synced".to_owned();
    }
    if listed.skipped.is_some() && listed.error.is_none() {
        return "skipped".to_owned();
    }
    match (
        &listed.error,
        listed.is_elsewhere,
        listed.not_permitted.is_empty(),
    ) {
        (Some(_), ..) => "does not render".to_owned(),
        (None, true, _) => "elsewhere".to_owned(),
        (None, false, false) => "not permitted".to_owned(),
        (None, false, true) => "ok".to_owned(),
    }
}
