//! `values`: the merged values of a project, who reads them, and sealing them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use zeroize::Zeroizing;

use super::identities::{self, KeyCommandArguments};
use super::{Context, Done, Outcome, encrypt, terminal};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::{Files, Kind, Located, TreePath, locate};
use crate::project::Project;
use crate::project::values::{self, Overrides, Setting, Shape, Templates, project_values};
use crate::secrets::Opener;

/// Prints the values of a project.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    show: Show,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Seal a file of values: cluster.yaml becomes cluster.sops.yaml, which can be committed
    Seal {
        /// The file of values
        file: PathBuf,
        /// The sealed file; FILE with .sops before its ending when absent
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Seal for these recipients, separated by commas, where .sops.yaml has no rule for the file
        #[arg(short, long, value_name = "RECIPIENTS")]
        age: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
struct Show {
    /// What is rendered; its project's values are printed
    #[arg(default_value = ".")]
    path: PathBuf,
    /// List which variable the templates of PATH read where, and where its value comes from
    #[arg(long)]
    used: bool,
    /// Print secrets as they are
    #[arg(long)]
    reveal: bool,
    /// How the values are printed
    #[arg(long, value_enum, default_value_t = Format::Yaml)]
    format: Format,
    /// Lay a file of values over those of the project
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Set a value: a.b=value
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The boundary that no file of the repository leads out of
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyCommandArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Yaml,
    Json,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Some(Command::Seal { file, output, age }) => {
            seal(context, file, output.as_deref(), age.as_deref())
        }
        None => show(context, &arguments.show),
    }
}

/// Fails with [`Code::FileMissing`] on a path that is neither on disk nor made by templates.
fn assert_there(located: &Located, templates: &Templates) -> Result<()> {
    let path = &located.directory;
    let is_made = templates.mounts.iter().any(|mount| {
        let from = path
            .is_within(&mount.to)
            .then(|| path.relative_to(&mount.to));
        let from = from.and_then(|below| mount.from.join(&below));
        from.is_some_and(|from| located.tree.kind(&from).is_ok_and(|kind| kind.is_some()))
    });
    if is_made || located.tree.kind(path)?.is_some() {
        return Ok(());
    }
    let phrase = format!("{path} does not exist");
    Err(Diagnostic::new(Code::FileMissing, phrase).at(Place::file(path.as_str())))
}

fn show(context: &Context, arguments: &Show) -> Outcome {
    let located = locate(
        &arguments.path,
        &context.working_directory,
        arguments.root.as_deref(),
    )?;
    let project = project(&located)?;
    let templates = Templates::of(&project, &located.tree)?;
    assert_there(&located, &templates)?;
    let overrides = overrides(context, &arguments.values, &arguments.set)?;
    let (invoker, keys, tree, paths) = (
        context.clone(),
        arguments.keys,
        Arc::clone(&located.tree),
        project.identities.clone(),
    );
    let opener = Opener::new(move || {
        let mut found = identities::of_the_user(&invoker, keys.commands());
        for path in &paths {
            let path = tree.root().join(path.as_str());
            identities::add_path(&mut found, &invoker, &path, &terminal::passphrases());
        }
        found
    });
    let mut report = Report::default();
    report
        .findings
        .extend(values::chosen_profile(&project, &templates));
    let merged = project_values(&project, &templates, &located.tree, &overrides, &opener)?;
    let shape = match arguments.format {
        Format::Yaml => Shape::Yaml,
        Format::Json => Shape::Json,
    };
    if !arguments.used {
        let stdout = match arguments.reveal {
            true => values::print(&merged, shape)?,
            false => {
                let others = opener.in_other_worlds(None);
                let load = |opener: &Opener| {
                    project_values(&project, &templates, &located.tree, &overrides, opener).ok()
                };
                let [first, second] = others.each_ref().map(|opener| load(opener));
                let others = first.zip(second).map(|(first, second)| [first, second]);
                values::print_masked(&merged, others, &opener, shape)?
            }
        };
        return Ok(Done {
            stdout,
            report,
            ..Done::default()
        });
    }
    let uses = values::uses(
        &templates,
        &(located.tree as Arc<dyn Files>),
        &located.directory,
    )?;
    let table = values::table(&uses, &merged);
    let stdout = match shape {
        Shape::Yaml => table.to_text(),
        Shape::Json => table.to_json()?,
    };
    Ok(Done {
        stdout,
        report,
        ..Done::default()
    })
}

/// The project of a path; a `makejinja.toml` above it counts as one.
fn project(located: &Located) -> Result<Project> {
    if let Some(project) = Project::find(&located.tree, &located.directory)? {
        return Ok(project);
    }
    let mut next = Some(located.directory.clone());
    while let Some(directory) = next {
        let config = directory
            .join("makejinja.toml")
            .unwrap_or_else(TreePath::root);
        if located.tree.kind(&config)? == Some(Kind::File) {
            return Ok(Project::of_makejinja(config));
        }
        next = directory.parent();
    }
    let phrase = format!("{} belongs to no project", located.directory);
    Err(Diagnostic::new(Code::FileMissing, phrase)
        .help("write a prerender.yaml that names its values, or run `plugin init`"))
}

/// What the command line lays over the values of the project.
pub(super) fn overrides(
    context: &Context,
    files: &[PathBuf],
    settings: &[String],
) -> Result<Overrides> {
    let mut overrides = Overrides::default();
    for path in files {
        let name = path.display().to_string();
        let bytes = context.trusted.read(&context.working_directory.join(path));
        let bytes = bytes.map_err(|e| e.at(Place::file(name.as_str())))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Diagnostic::new(Code::ValuesInvalid, "the values are not UTF-8")
                .at(Place::file(name.as_str()))
        })?;
        overrides.files.push((name, Zeroizing::new(text)));
    }
    for setting in settings {
        overrides.settings.push(Setting::parse(setting, "--set")?);
    }
    Ok(overrides)
}

fn seal(context: &Context, file: &Path, output: Option<&Path>, age: Option<&str>) -> Outcome {
    let output = match output {
        Some(output) => output.to_owned(),
        None => {
            let name = file
                .file_name()
                .and_then(|n| n.to_str())
                .unwrap_or_default();
            let sealed = match name.rsplit_once('.') {
                Some((stem, ending)) => format!("{stem}.sops.{ending}"),
                None => format!("{name}.sops"),
            };
            file.with_file_name(sealed)
        }
    };
    encrypt::seal(context, file, &output, age)
}
