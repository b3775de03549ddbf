//! `flux build`: what the controller would apply.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Escape, SecretsArgument, artifacts, resource_set};
use crate::cli::identities::KeyCommandArguments;
use crate::cli::root::{identities, redaction_key};
use crate::cli::{Context, Done, Outcome, values};
use crate::diagnostic::{Code, Diagnostic, ExitStatus, Place, Report, Result, Source};
use crate::files::{File, Files, Located, OutputFile, OutputTree, Stale, TreePath, locate};
use crate::flux::kustomization::{Id, Kustomization, Reference};
use crate::flux::protect::{Protection, protect};
use crate::flux::sources::Sources;
use crate::flux::stages::{GroupKind, in_order_of_apply};
use crate::flux::variables::{Given, read_file};
use crate::flux::{
    Applied, Cluster, Flown, OwnerLabels, Renderer, SYSTEM, Scope, Settings, Strictness, Unknown,
    entries_of_file, entry_of_path,
};
use crate::generators::Outside;
use crate::kube::{ResMap, Resource, layout};
use crate::pipeline::Judged;
use crate::project::values::Overrides;
use crate::project::{MissingValues, Sessions};
use crate::secrets::{Leaves, Opener, Secrets, leave};

/// What `flux build` is asked for.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    made: Option<BuildSubject>,
    /// One Kustomization, as NAME or NAMESPACE/NAME; what leads to it is rendered to find it
    name: Option<String>,
    /// A file of Kustomizations to begin with
    #[arg(long = "kustomization-file", short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    /// Where the cluster begins; with -f, the directory in the place of spec.path
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Render every Kustomization that is applied, in the order of their dependencies
    #[arg(long, short)]
    recursive: bool,
    /// Print a table of the Kustomizations instead of their manifests
    #[arg(long, conflicts_with_all = ["output", "check"])]
    list: bool,
    /// A variable, over all that substitute and substituteFrom say: NAME=VALUE; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    var: Vec<String>,
    /// A file of variables, as if substituteFrom named it last: ConfigMaps, Secrets, a mapping, or lines of
    /// NAME=VALUE; may be sealed, may be repeated
    #[arg(long, value_name = "FILE")]
    vars_from: Vec<PathBuf>,
    /// Whether a variable that does not exist is an error, as since Flux 2.9; else it is empty
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = clap::ArgAction::Set
    )]
    strict_substitute: bool,
    /// The order of the objects of a Kustomization
    #[arg(long, value_enum, default_value = "build", value_name = "ORDER")]
    order: ObjectOrder,
    /// Kinds that are applied before the rest: GROUP/KIND, or KIND of the core group; may be repeated
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    custom_stage_kinds: Vec<String>,
    /// Add the labels that say whose an object is
    #[arg(long)]
    owner_labels: bool,
    /// A source whose files are here: KIND/NAMESPACE/NAME=DIRECTORY; may be repeated
    #[arg(long, value_name = "SOURCE=DIR", value_delimiter = ',')]
    local_sources: Vec<String>,
    /// Write to a file, or when it ends in / to a directory: one below it for each Kustomization
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write nothing; fail with 4 when -o would change something
    #[arg(long, requires = "output")]
    check: bool,
    /// What is done with `${…}` in what -o writes to a directory, which Flux would fill again
    #[arg(long, value_enum, default_value = "annotate", value_name = "HOW")]
    flux_escape: Escape,
    /// What leaves the plugin where a file is sealed
    #[arg(long, value_enum, default_value = "plain")]
    secrets: SecretsArgument,
    /// The directory that nothing may lead out of, and that spec.path counts from
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// A file of values over those of the project; may be repeated
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// A value over all others: key=value; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A set of overlays to use, such as cnpg@1; may be repeated
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    overlays: Vec<String>,
    /// Allow files and repositories to be fetched
    #[arg(long)]
    network: bool,
    #[command(flatten)]
    keys: KeyCommandArguments,
    /// Let a Kustomization have no objects, with which Flux deletes all that it applied
    #[arg(long)]
    allow_empty: bool,
}

/// What is built that is no Kustomization.
#[derive(Debug, clap::Subcommand)]
enum BuildSubject {
    /// Print the objects that flux-operator makes of a ResourceSet
    #[command(name = "resourceset")]
    ResourceSet(resource_set::Arguments),
    /// Write the files of the artifacts that an ArtifactGenerator makes
    Artifacts(artifacts::Arguments),
}

/// In which order the objects of a Kustomization are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ObjectOrder {
    /// As the build has them
    Build,
    /// As the controller applies them
    Apply,
}

/// Renders Kustomizations and prints what they apply.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.made {
        Some(BuildSubject::ResourceSet(arguments)) => return resource_set::run(context, arguments),
        Some(BuildSubject::Artifacts(arguments)) => return artifacts::run(context, arguments),
        None => {}
    }
    let begin = begin(context, arguments);
    let located = locate(
        &begin,
        &context.working_directory,
        arguments.root.as_deref(),
    )?;
    let opener = Opener::new(identities(context, &located, arguments.keys));
    let opener = Arc::new(match arguments.secrets {
        SecretsArgument::Redact => opener.with_redaction(redaction_key(context, None)?),
        SecretsArgument::Plain | SecretsArgument::Keep => opener,
    });
    let overrides = values::overrides(context, &arguments.values, &arguments.set)?;
    let outside = Outside {
        root: located.tree.root().to_owned(),
        network: arguments.network,
        ..Outside::default()
    };
    let rendered = leave(arguments.secrets.into(), &opener, |opener, secrets| {
        let request = Asked {
            context,
            arguments,
            located: &located,
            overrides: &overrides,
            outside: &outside,
        };
        request.render(opener, secrets)
    })?;
    finished(context, arguments, rendered.written, rendered.report)
}

/// What is rendered, with whatever opens sealed files.
struct Asked<'a> {
    context: &'a Context,
    arguments: &'a Arguments,
    located: &'a Located,
    overrides: &'a Overrides,
    outside: &'a Outside,
}

impl Asked<'_> {
    fn render(&self, opener: &Arc<Opener>, secrets: Secrets) -> Result<Rendered, Report> {
        let Self {
            context,
            arguments,
            located,
            overrides,
            outside,
        } = *self;
        let given = given(context, arguments, opener)?;
        let settings = Settings {
            directory: &located.directory,
            level: None,
            outside,
            opener: Arc::clone(opener),
            secrets,
            overrides,
            overlays: &arguments.overlays,
            given: &given,
            strictness: match arguments.strict_substitute {
                true => Strictness::Strict,
                false => Strictness::Lenient,
            },
            owner: match arguments.owner_labels {
                true => OwnerLabels::Add,
                false => OwnerLabels::Omit,
            },
            // One that applies nothing is no reason to stop the others.
            allow_empty: arguments.allow_empty || arguments.recursive,
            unknown: Unknown::Refuse,
        };
        let disk = Arc::clone(&located.tree) as Arc<dyn Files>;
        let missing = MissingValues::Refuse;
        let sessions = Sessions::new(disk, overrides.clone(), Arc::clone(opener), missing);
        let renderer = Renderer::new(&settings, &sessions)?;
        let mut cluster = Cluster::new(
            &renderer,
            Sources::new(local_sources(context, arguments, located)?),
            scope(arguments),
        );
        enter(context, arguments, located, &renderer, &mut cluster)?;
        let flown = cluster.render();
        let report = flown.findings();
        // Where a limit is hit, nothing is given: what is left out is not known.
        let is_spent = report.exit_status() == ExitStatus::Limit;
        if report.has_errors() && (!arguments.recursive || is_spent) {
            return Err(report);
        }
        Ok(Rendered {
            written: passed(flown),
            report,
        })
    }
}

/// What is written, and what the user should know.
struct Rendered {
    written: Vec<Written>,
    report: Report,
}

impl Leaves for Rendered {
    fn sets(&self) -> Vec<&ResMap> {
        self.written.iter().map(|one| &one.resources).collect()
    }

    fn sets_mut(&mut self) -> Vec<&mut ResMap> {
        let written = self.written.iter_mut();
        written.map(|one| &mut one.resources).collect()
    }

    fn may_be_plain(&self, _: &Resource) -> bool {
        false
    }

    fn sensitive(&self) -> Vec<String> {
        Vec::new()
    }

    fn warn(&mut self, finding: Diagnostic) {
        self.report.push(finding);
    }
}

/// Where the root is looked for: at the path, else at the file, else here.
fn begin(context: &Context, arguments: &Arguments) -> PathBuf {
    let file = arguments.file.as_ref().map(|file| {
        let path = context.working_directory.join(file);
        path.parent().map_or(PathBuf::from("."), Path::to_owned)
    });
    let path = arguments.path.clone().or(file);
    path.unwrap_or_else(|| PathBuf::from("."))
}

fn scope(arguments: &Arguments) -> Scope {
    match (&arguments.name, &arguments.file) {
        _ if arguments.recursive => Scope::All,
        (Some(name), None) => Scope::One(name.clone()),
        _ => Scope::Entries,
    }
}

/// Puts in where the cluster begins.
fn enter(
    context: &Context,
    arguments: &Arguments,
    located: &Located,
    renderer: &Renderer<'_>,
    cluster: &mut Cluster<'_>,
) -> Result<(), Report> {
    let Some(file) = &arguments.file else {
        if let Some(name) = arguments.name.as_ref().filter(|_| arguments.recursive) {
            let phrase = format!("-r renders all, and {name} names one");
            return Err(Diagnostic::new(Code::Usage, phrase).into());
        }
        let entry = entry_of_path(renderer, &located.directory)?;
        cluster.enter(entry, Some(located.directory.clone()));
        return Ok(());
    };
    let bytes = context
        .trusted
        .read(&context.working_directory.join(file))?;
    let mut entries = entries_of_file(
        &bytes,
        Source::committed(file.display().to_string()),
        SYSTEM,
    )?;
    if let Some(name) = &arguments.name {
        let named = |k: &Kustomization| k.id.name == *name || k.id.to_string() == *name;
        let names: Vec<String> = entries.iter().map(|k| k.id.to_string()).collect();
        entries.retain(named);
        if entries.is_empty() {
            let phrase = format!("the file holds no Kustomization {name}");
            return Err(Diagnostic::new(Code::FluxMissing, phrase)
                .at(Place::file(file.display().to_string()))
                .note(format!("it holds {}", names.join(", ")))
                .into());
        }
    }
    if arguments.path.is_some() && entries.len() > 1 {
        let phrase = format!(
            "--path is the directory of one Kustomization, and there are {}",
            entries.len()
        );
        return Err(Diagnostic::new(Code::Usage, phrase)
            .help("name one of them")
            .into());
    }
    for entry in entries {
        let directory = arguments.path.as_ref().map(|_| located.directory.clone());
        cluster.enter(entry, directory);
    }
    Ok(())
}

/// Variables of the command line; a sealed file is opened.
fn given(context: &Context, arguments: &Arguments, opener: &Opener) -> Result<Given> {
    let mut given = Given::default();
    for file in &arguments.vars_from {
        let shown = file.display().to_string();
        let bytes = context
            .trusted
            .read(&context.working_directory.join(file))?;
        let name = file.file_name().and_then(|n| n.to_str()).unwrap_or(&shown);
        let path = TreePath::parse(name).unwrap_or_else(TreePath::root);
        let opened = opener.open(&File::committed(path, bytes.as_slice()))?;
        let bytes = opened
            .as_ref()
            .map_or(bytes.as_slice(), |o| o.bytes.as_ref());
        given
            .from
            .extend(read_file(bytes, &Source::committed(shown))?);
    }
    for text in &arguments.var {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Diagnostic::new(Code::Usage, format!("--var {text} is not NAME=VALUE"))
        })?;
        given.set.push((name.to_owned(), value.into()));
    }
    Ok(given)
}

/// Sources that are directories here.
fn local_sources(
    context: &Context,
    arguments: &Arguments,
    located: &Located,
) -> Result<BTreeMap<Reference, TreePath>> {
    let texts = arguments.local_sources.iter();
    texts
        .map(|text| local_source(context, text, located))
        .collect()
}

/// Reads KIND/NAMESPACE/NAME=DIRECTORY.
pub(super) fn local_source(
    context: &Context,
    text: &str,
    located: &Located,
) -> Result<(Reference, TreePath)> {
    let wrong = || {
        Diagnostic::new(
            Code::Usage,
            format!("--local-sources {text} is not KIND/NAMESPACE/NAME=DIRECTORY"),
        )
    };
    let (source, directory) = text.split_once('=').ok_or_else(wrong)?;
    let [kind, namespace, name] = source.split('/').collect::<Vec<_>>()[..] else {
        return Err(wrong());
    };
    let root = Some(located.tree.root());
    let directory = locate(Path::new(directory), &context.working_directory, root)?.directory;
    let id = Id {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let kind = kind.to_owned();
    Ok((Reference { kind, id }, directory))
}

/// A Kustomization that was rendered, and may be written.
struct Written {
    kustomization: Kustomization,
    directory: TreePath,
    resources: ResMap,
}

/// What may be written of a cluster: one Kustomization that fails does not take the others with it.
fn passed(flown: Flown) -> Vec<Written> {
    let pass = |applied: Applied| {
        let manifests = applied.outcome.and_then(Judged::pass).ok()?;
        Some(Written {
            kustomization: applied.kustomization,
            directory: applied.directory,
            resources: manifests.resources,
        })
    };
    flown.applied.into_iter().filter_map(pass).collect()
}

/// Prints what was rendered, or writes it.
fn finished(
    context: &Context,
    arguments: &Arguments,
    mut applied: Vec<Written>,
    report: Report,
) -> Outcome {
    let mut done = Done {
        report,
        ..Done::default()
    };
    if arguments.order == ObjectOrder::Apply {
        let kinds = arguments.custom_stage_kinds.iter();
        let custom: Vec<GroupKind> = kinds.map(|kind| GroupKind::parse(kind)).collect();
        for one in &mut applied {
            in_order_of_apply(&mut one.resources, &custom);
        }
    }
    if arguments.list {
        done.stdout = table(&applied).into_bytes();
        return Ok(done);
    }
    let Some(output) = &arguments.output else {
        done.stdout = manifests(&applied)?;
        return Ok(done);
    };
    let output = context.working_directory.join(output);
    let ends_in_slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    let tree = if ends_in_slash || output.is_dir() {
        let protection: Protection = arguments.flux_escape.into();
        for one in &mut applied {
            let told = protect(&mut one.resources, protection);
            done.report.findings.extend(told.findings);
        }
        directories(&output, &applied)?
    } else {
        let mut objects = applied.iter().flat_map(|one| one.resources.iter());
        let holds_secrets = objects.any(|object| layout::holds_a_secret(object.node()));
        single(&output, manifests(&applied)?, holds_secrets)?
    };
    if arguments.check {
        done.report.findings.extend(tree.check().findings);
    } else {
        tree.write()?;
    }
    Ok(done)
}

fn manifests(applied: &[Written]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for one in applied.iter().filter(|a| !a.resources.is_empty()) {
        if !bytes.is_empty() {
            bytes.extend_from_slice(b"---\n");
        }
        one.resources.write(&mut bytes)?;
    }
    Ok(bytes)
}

/// A directory for each Kustomization: `NAMESPACE/NAME/`, and in it one file an object.
fn directories(output: &Path, applied: &[Written]) -> Result<OutputTree> {
    let mut tree = OutputTree::new(output, Stale::Remove);
    for one in applied {
        let id = &one.kustomization.id;
        for (name, file) in layout::files(&one.resources)? {
            let path = TreePath::parse(&format!("{}/{}/{name}", id.namespace, id.name))
                .expect("a layout stays in its directory");
            let output = OutputFile::new(file.bytes).for_owner(file.holds_secrets);
            tree.insert(path, output);
        }
    }
    Ok(tree)
}

fn single(output: &Path, bytes: Vec<u8>, holds_secrets: bool) -> Result<OutputTree> {
    let name = output.file_name().and_then(|n| n.to_str());
    let (Some(path), Some(directory)) = (name.and_then(TreePath::parse), output.parent()) else {
        return Err(Diagnostic::new(Code::Usage, "-o names no file"));
    };
    let mut tree = OutputTree::new(directory, Stale::Keep);
    tree.insert(path, OutputFile::new(bytes).for_owner(holds_secrets));
    Ok(tree)
}

/// A line for each Kustomization, in the order in which they can be applied.
fn table(applied: &[Written]) -> String {
    let mut rows = vec![["KUSTOMIZATION", "PATH", "OBJECTS", "AFTER"].map(str::to_owned)];
    for one in applied {
        let after: Vec<String> = one
            .kustomization
            .depends_on
            .iter()
            .map(|(id, _)| id.to_string())
            .collect();
        rows.push([
            one.kustomization.id.to_string(),
            one.directory.to_string(),
            one.resources.len().to_string(),
            after.join(","),
        ]);
    }
    let width = |column: usize| rows.iter().map(|r| r[column].len()).max().unwrap_or(0);
    let widths = [0, 1, 2].map(width);
    let mut text = String::new();
    for [name, path, objects, after] in &rows {
        let [a, b, c] = widths;
        let line = format!("{name:a$}  {path:b$}  {objects:c$}  {after}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
