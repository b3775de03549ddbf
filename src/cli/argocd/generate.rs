//! `argocd generate` and `argocd parameters`: what the host calls.

use std::io::Write;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};

use rayon::ThreadPoolBuilder;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::argocd::announce::announce;
use crate::argocd::environment::{self, Call};
use crate::argocd::generate::{Generation, generate};
use crate::argocd::policy::{self, Grant};
use crate::cli::identities;
use crate::cli::{Context, Done, Outcome};
use crate::diagnostic::{Diagnostic, ExitStatus, Place, Result, Source};
use crate::files::locate;
use crate::pipeline::Progress;
use crate::programs::{self, Environment};
use crate::secrets::Opener;
use crate::secrets::sealing::{Ask, Identities};

/// Threads of one render. A sidecar runs many at once, and the stack of each thread counts as memory.
const MAX_THREADS: usize = 8;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The administrator's policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// Prints what an Application can set.
pub(super) fn parameters(context: &Context) -> Outcome {
    let (root, directory) = environment::places(&context.environment, &context.working_directory);
    let located = locate(&directory, &context.working_directory, Some(&root))?;
    let (announcements, report) = announce(&located.tree, &located.directory);
    Ok(Done {
        stdout: announcements.to_string().into_bytes(),
        report,
        ..Done::default()
    })
}

/// Prints the manifests.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let policy = arguments.policy.as_deref();
    let call = environment::read(&context.environment, &context.working_directory)?;
    let grant = grant(context, &call, policy)?;
    bound_threads();
    if let Some(bytes) = grant.memory_bytes {
        bound_memory(bytes);
    }
    let progress = Progress::default();
    let (finished, watch) = mpsc::channel::<()>();
    let watched = progress.clone();
    let deadline = grant.deadline;
    let asked = progress.clone();
    programs::when_asked_to_end(move || end(&asked.when_asked_to_end()));
    std::thread::spawn(move || {
        if watch.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout) {
            programs::end_all();
            end(&watched.at_deadline(deadline));
        }
    });
    let located = locate(
        &call.directory,
        &context.working_directory,
        Some(&call.root),
    )?;
    let opener = Opener::new(identities(context, &grant));
    let rendered = generate(&Generation {
        call: &call,
        grant: &grant,
        files: located.tree,
        directory: &located.directory,
        opener: Arc::new(opener),
        progress: &progress,
    })?;
    let stdout = rendered.to_yaml()?;
    drop(finished);
    Ok(Done {
        stdout,
        report: rendered.warnings,
        ..Done::default()
    })
}

/// What the policy grants; without one, what a sidecar of a single tenant needs.
fn grant(context: &Context, call: &Call, policy: Option<&std::path::Path>) -> Result<Grant> {
    let Some(path) = policy else {
        let keys = context.variable(identities::KEYS).map(PathBuf::from);
        return Ok(Grant {
            identities: keys.into_iter().collect(),
            paths: Vec::new(),
            enable: Vec::new(),
            environment: Environment::default(),
            deadline: policy::DEFAULT_DEADLINE,
            memory_bytes: None,
            secrets: policy::Secrets::Plain,
            overlays: policy::OverlaysSection::default(),
        });
    };
    let bytes = context.trusted.read(path)?;
    let source = Source::committed(path.display().to_string());
    policy::decide(&bytes, &source, &call.asking)
}

fn identities(context: &Context, grant: &Grant) -> impl Fn() -> Identities + Send + Sync + 'static {
    let (context, paths) = (context.clone(), grant.identities.clone());
    move || identities_of(&context, &paths)
}

fn identities_of(context: &Context, paths: &[PathBuf]) -> Identities {
    let mut found = Identities::new();
    let nobody: Ask = Arc::new(|_| Err("there is no terminal on a host".to_owned()));
    for path in paths {
        identities::add_path(&mut found, context, path, &nobody);
    }
    found
}

/// Has a render on a large machine take a few of its processors.
fn bound_threads() {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = ThreadPoolBuilder::new().num_threads(processors.min(MAX_THREADS));
    // It fails where there are threads already, and none were asked for yet.
    let _ = threads.build_global();
}

/// Has the process end where it asks for more: one render must not take the memory of the others, which the
/// kernel would end with the container. Mapped files and what is only reserved do not count.
fn bound_memory(bytes: u64) {
    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    // A limit that is lower already is bound enough.
    let _ = setrlimit(Resource::Data, limit);
}

/// Says where the time went and ends the process: the host would kill it without a word.
#[expect(clippy::exit, reason = "the render cannot be stopped from outside")]
fn end(error: &Diagnostic) {
    let error = error.clone().or_at(Place::file("."));
    let _ = writeln!(std::io::stderr().lock(), "{error}");
    std::process::exit(i32::from(ExitStatus::Limit as u8));
}
