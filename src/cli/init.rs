//! `init`: looks once at what a repository renders, and writes the facts as a project file.

use std::path::PathBuf;
use std::sync::Arc;

use super::identities::{self, KeyCommandArguments};
use super::root::identities_of;
use super::{Context, Done, Outcome, terminal};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::files::{Files, Kind, OutputFile, OutputTree, Stale, TreePath, locate};
use crate::generators::Outside;
use crate::init::{IDENTITIES, init};
use crate::kustomize::Options;
use crate::pipeline::Request;
use crate::secrets::{Opener, Secrets};
use crate::values::Overrides;

/// The name of the project file.
const NAME: &str = "prerender.yaml";

/// The arguments of `init`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory whose roots are looked at; prerender.yaml is written there
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Print the project file instead of writing it
    #[arg(long)]
    print: bool,
    /// The boundary that no file of the repository leads out of
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyCommandArguments,
}

/// Runs the command.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let located = locate(
        &arguments.path,
        &context.working_directory,
        arguments.root.as_deref(),
    )?;
    let name = TreePath::parse(NAME).expect("a plain name");
    let path = located
        .directory
        .join(NAME)
        .expect("a name stays in its directory");
    if !arguments.print && located.tree.kind(&path)?.is_some() {
        return Err(
            Diagnostic::new(Code::WriteFailed, format!("{path} is there already"))
                .at(Place::file(path.as_str()))
                .help("--print shows what would be written")
                .into(),
        );
    }
    let (invoker, place, keys) = (context.clone(), located.clone(), arguments.keys);
    let opener = Opener::new(move || {
        let mut found = identities_of(&invoker, &place, keys);
        for path in IDENTITIES.iter().filter_map(|n| place.directory.join(n)) {
            if matches!(place.tree.kind(&path), Ok(Some(Kind::File))) {
                let path = place.tree.root().join(path.as_str());
                identities::add_path(&mut found, &invoker, &path, &terminal::passphrases());
            }
        }
        found
    });
    let files = Arc::clone(&located.tree) as Arc<dyn Files>;
    let outside = Outside::default();
    let overrides = Overrides::default();
    let request = Request {
        directory: &located.directory,
        build: Options::default(),
        outside: &outside,
        opener: Arc::new(opener),
        secrets: Secrets::Openable,
        overrides: &overrides,
        overlays: &[],
        strict: false,
        host: None,
    };
    let (text, report) = init(&request, &files)?;
    if arguments.print {
        return Ok(Done {
            stdout: text.into_bytes(),
            report,
            status: None,
        });
    }
    let directory = located.tree.root().join(located.directory.as_str());
    let mut tree = OutputTree::new(directory, Stale::Keep);
    tree.insert(name, OutputFile::new(text.into_bytes()));
    tree.write()?;
    Ok(Done {
        stdout: Vec::new(),
        report,
        status: None,
    })
}
