//! `argocd hydrate`: the branch of rendered manifests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::simulate::Host;
use crate::argocd::hydrate::{Commit, hydrate};
use crate::cli::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{OutputFile, OutputTree, Stale};
use crate::programs::{Environment, Process};

/// How long git may take to print a commit.
const GIT_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    host: Host,
    /// The directory of the branch; files that are there and are not written stay
    #[arg(long, short, value_name = "DIRECTORY")]
    out: PathBuf,
    /// The commit that is rendered, as JSON with author, date and message; from git by default
    #[arg(long, value_name = "FILE")]
    commit: Option<PathBuf>,
    /// What the plugin of the image does with secrets
    #[arg(long, value_enum, default_value_t)]
    secrets: Leave,
}

/// How secrets leave the plugin.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Leave {
    /// Sealed files stay sealed
    #[default]
    Keep,
    /// A token in the place of each value
    Redact,
    /// Opened
    Plain,
}

/// Writes the branch of an Application.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let mut prepared = arguments.host.prepare(context)?;
    let word = match arguments.secrets {
        Leave::Keep => Some("keep"),
        Leave::Redact => Some("redact"),
        Leave::Plain => None,
    };
    // As plugin.env of the Application would say, which wins over it.
    let variable = |word: &str| ("ARGOCD_ENV_PRERENDER_SECRETS".to_owned(), word.to_owned());
    prepared.settings.environment.extend(word.map(variable));
    let commit = match &arguments.commit {
        Some(path) => given(context, path)?,
        None => of_git(prepared.repository(), &prepared.settings.revision)?,
    };
    let (branch, report) = hydrate(&prepared.simulation(), &commit)?;
    let out = context.working_directory.join(&arguments.out);
    let mut output = OutputTree::new(out, Stale::Keep);
    for (path, bytes) in branch {
        output.insert(path, OutputFile::new(bytes));
    }
    output.write()?;
    Ok(Done {
        report,
        ..Done::default()
    })
}

fn given(context: &Context, path: &Path) -> Result<Commit> {
    let bytes = context
        .trusted
        .read(&context.working_directory.join(path))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let phrase = format!(
            "the commit is not JSON with author, date and message: line {}, column {}",
            error.line(),
            error.column()
        );
        Diagnostic::new(Code::Usage, phrase).at(Place::file(path.display().to_string()))
    })
}

/// The commit as git has it: author with address, date, message.
fn of_git(repository: &Path, revision: &str) -> Result<Commit> {
    let words = [
        "log",
        "-1",
        "--format=%an <%ae>%x00%aI%x00%B",
        revision,
        "--",
    ];
    let printed = Process {
        program: "git".as_ref(),
        arguments: words.map(str::to_owned).to_vec(),
        environment: &Environment::of_the_invoker(),
        temporary: None,
        variables: Vec::new(),
        directory: Some(repository),
        input: b"",
        limit: Some(GIT_LIMIT),
    }
    .run();
    let printed =
        printed.map_err(|error| error.help("say what the commit is with --commit FILE"))?;
    let printed = String::from_utf8_lossy(&printed);
    let mut parts = printed.splitn(3, '\0').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    Ok(Commit {
        author: part(),
        date: part(),
        message: part(),
    })
}
