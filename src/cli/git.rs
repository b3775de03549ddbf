//! `git`: sealed files in diffs and merges of Git.
//!
//! `install` writes the configuration of one clone; Git then calls `textconv` for a diff and `merge` for a file that both sides
//! changed. No plaintext is written: a diff shows tokens in the place of values unless it was installed with --reveal, and a merge
//! happens in memory.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::decrypt::{configuration, indents};
use super::encrypt::{now, randomness};
use super::identities::{self, KeyCommands};
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, ExitStatus, Place, Report, Result};
use crate::files::{Audience, locate};
use crate::programs::{Environment, Process};
use crate::secrets::repository::survey;
use crate::secrets::sealing::{Format, Identities, SealedFile, Sealer, detect};
use crate::secrets::versions;

/// What Git knows the drivers by.
const DRIVER: &str = "prerender";

/// Names that sealed files usually have.
const USUAL: [&str; 8] = [
    "*.sops.yaml",
    "*.sops.yml",
    "*.sops.json",
    "*.sops.env",
    "*.sops.ini",
    "*.enc.yaml",
    "*.enc.json",
    "*.enc.env",
];

/// The lines around what `install` writes, so that a second run replaces it.
const BEGIN: &str = "# prerender: sealed files, begin";
const END: &str = "# prerender: sealed files, end";

/// Sets up how Git shows and merges sealed files.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Have Git show which values of sealed files changed, and merge them by their keys, in this clone
    Install {
        /// A directory of the clone
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Have diffs show the values themselves, where a key is at hand
        #[arg(long)]
        reveal: bool,
        /// Write the patterns into .gitattributes, for everyone, instead of into this clone alone
        #[arg(long)]
        share: bool,
    },
    /// What Git calls for a diff
    Textconv {
        /// Show the values themselves
        #[arg(long)]
        reveal: bool,
        /// The file
        file: PathBuf,
    },
    /// What Git calls for a merge: OURS becomes the merged file
    Merge {
        /// The common version
        base: PathBuf,
        /// Our version, which is replaced
        ours: PathBuf,
        /// Their version
        theirs: PathBuf,
        /// Where the file is in the repository
        path: PathBuf,
    },
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Install {
            path,
            reveal,
            share,
        } => install(context, path, *reveal, *share),
        Command::Textconv { reveal, file } => textconv(context, file, *reveal),
        Command::Merge {
            base,
            ours,
            theirs,
            path,
        } => merge(context, [base, ours, theirs], path),
    }
}

fn git(directory: &Path, arguments: &[&str]) -> Result<String> {
    let printed = Process {
        program: OsStr::new("git"),
        arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        environment: &Environment::of_the_invoker(),
        variables: Vec::new(),
        temporary: None,
        directory: Some(directory),
        input: b"",
        limit: None,
    }
    .run()?;
    Ok(String::from_utf8_lossy(&printed).trim_end().to_owned())
}

fn install(context: &Context, path: &Path, reveal: bool, share: bool) -> Outcome {
    let located = locate(path, &context.working_directory, None)?;
    let root = located.tree.root();
    let program = context.program();
    let program = shlex::try_quote(&program.to_string_lossy())
        .map_or_else(|_| "plugin".to_owned(), |quoted| quoted.into_owned());
    let revealing = if reveal { " --reveal" } else { "" };
    let settings = [
        (
            format!("diff.{DRIVER}.textconv"),
            format!("{program} git textconv{revealing}"),
        ),
        (format!("diff.{DRIVER}.cachetextconv"), "false".to_owned()),
        (
            format!("merge.{DRIVER}.name"),
            "sealed files, by their keys".to_owned(),
        ),
        (
            format!("merge.{DRIVER}.driver"),
            format!("{program} git merge %O %A %B %P"),
        ),
    ];
    for (name, value) in &settings {
        git(root, &["config", "--local", name, value])?;
    }
    let attributes = match share {
        true => root.join(".gitattributes"),
        false => root.join(git(root, &["rev-parse", "--git-path", "info/attributes"])?),
    };
    let patterns = patterns(&located)?;
    let before = match context.trusted.read(&attributes) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.code() == Code::FileMissing => String::new(),
        Err(error) => return Err(error.into()),
    };
    let text = with_block(&before, &patterns);
    context
        .trusted
        .replace(&attributes, text.as_bytes(), Audience::All)?;
    let stdout = format!(
        "{} patterns in {}\ndiffs show {}; `git config --local --remove-section diff.{DRIVER}` and `merge.{DRIVER}` take it back\n",
        patterns.len(),
        attributes.display(),
        if reveal {
            "values"
        } else {
            "which values changed"
        },
    );
    Ok(Done::from(stdout.into_bytes()))
}

/// The usual names, and the sealed files that have others.
fn patterns(located: &crate::files::Located) -> Result<BTreeSet<String>> {
    let mut patterns: BTreeSet<String> = USUAL.iter().map(|name| (*name).to_owned()).collect();
    let endings = USUAL.map(|name| name.trim_start_matches('*'));
    for entry in survey(&*located.tree, &crate::files::TreePath::root())? {
        let path = entry.file.path.as_str();
        let is_usual = endings.iter().any(|ending| path.ends_with(ending));
        if entry.sealed.is_some() && !is_usual && !path.contains(char::is_whitespace) {
            patterns.insert(format!("/{path}"));
        }
    }
    Ok(patterns)
}

fn with_block(before: &str, patterns: &BTreeSet<String>) -> String {
    let (mut text, mut inside) = (String::new(), false);
    for line in before.lines() {
        inside |= line == BEGIN;
        if !inside {
            text.push_str(line);
            text.push('\n');
        }
        inside &= line != END;
    }
    text.push_str(&format!("{BEGIN}\n"));
    for pattern in patterns {
        text.push_str(&format!("{pattern} diff={DRIVER} merge={DRIVER}\n"));
    }
    text.push_str(&format!("{END}\n"));
    text
}

fn textconv(context: &Context, file: &Path, reveal: bool) -> Outcome {
    let bytes = context.trusted.read(file)?;
    let name = file.display().to_string();
    let Some(format) = detect(&bytes, &name) else {
        return Ok(Done::from(bytes));
    };
    let sealed = SealedFile {
        name: &name,
        bytes: &bytes,
        format,
    };
    let identities = identities::of_the_user(context, KeyCommands::Ignore);
    Ok(Done::from(versions::to_diff(&sealed, &identities, reveal)))
}

fn merge(context: &Context, [base, ours, theirs]: [&PathBuf; 3], path: &Path) -> Outcome {
    let name = path.display().to_string();
    let format = Format::of_path(&name);
    let read = |file: &Path| context.trusted.read(file);
    let (base_bytes, our_bytes, their_bytes) = (read(base)?, read(ours)?, read(theirs)?);
    fn sealed<'a>(name: &'a str, bytes: &'a [u8], format: Format) -> Result<SealedFile<'a>> {
        if detect(bytes, name).is_some() {
            return Ok(SealedFile {
                name,
                bytes,
                format,
            });
        }
        let phrase = "a version of the file is not sealed, and ours is kept";
        Err(Diagnostic::new(Code::SopsNotSealed, phrase).at(Place::file(name)))
    }
    let base = match base_bytes.is_empty() {
        true => None,
        false => Some(sealed(&name, &base_bytes, format)?),
    };
    let sides = (
        sealed(&name, &our_bytes, format)?,
        sealed(&name, &their_bytes, format)?,
    );
    let identities: Identities = identities::of_the_user(context, KeyCommands::Run);
    let config = configuration(context, None)?;
    let indents = indents(config.as_ref(), None);
    let mut sealer = Sealer {
        now: now(),
        random: &mut randomness,
    };
    let how = (&indents, &mut sealer);
    let merged = versions::merge(base.as_ref(), (&sides.0, &sides.1), &identities, how).map_err(
        |error| error.note("ours is kept as it is: the merge of this file is yours to finish"),
    )?;
    context
        .trusted
        .replace(ours, &merged.bytes, Audience::All)?;
    let mut report = Report::default();
    for conflict in &merged.conflicts {
        let phrase = format!("both sides changed `{conflict}`");
        report.push(
            Diagnostic::warning(Code::SopsConflict, phrase)
                .at(Place::file(name.as_str()))
                .help("both are below its key, sealed: take one in `plugin sops edit`, then `git add`"),
        );
    }
    Ok(Done {
        // Git takes any other status than 0 for a conflict.
        status: (!merged.conflicts.is_empty()).then_some(ExitStatus::Input),
        report,
        ..Done::default()
    })
}
