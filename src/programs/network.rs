//! Files and repositories that are fetched.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Environment;
use super::Process;
use super::ending::Private;
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::files::{File, Files, Kind, MAX_FILE_BYTES, Tree, TreePath};

/// How long a server may take for a file.
const FETCH_LIMIT: Duration = Duration::from_secs(30);

/// How many redirects of a server are followed.
const MAX_REDIRECTS: u8 = 10;

/// Fetches a file by http with curl. Fails with [`Code::FetchFailed`].
///
/// A program rather than a library: TLS is a third of the build, and only `--network` needs it.
pub fn fetch(address: &str, environment: &Environment) -> Result<Arc<File>> {
    let words = [
        // No configuration file of the user: it could write files or send headers.
        "--disable --silent --show-error --fail --location --proto =http,https --proto-redir =http,https",
        &format!("--max-redirs {MAX_REDIRECTS} --max-filesize {MAX_FILE_BYTES}"),
        &format!("--max-time {} --", FETCH_LIMIT.as_secs()),
    ];
    let options = words.iter().flat_map(|line| line.split(' '));
    let arguments = options.chain([address]).map(str::to_owned).collect();
    let bytes = Process {
        program: OsStr::new("curl"),
        arguments,
        environment,
        temporary: None,
        variables: Vec::new(),
        directory: None,
        input: b"",
        limit: Some(FETCH_LIMIT),
    }
    .run()
    .map_err(|error| {
        let phrase = format!("{address} cannot be fetched: {}", error.phrase());
        let failed = Diagnostic::new(Code::FetchFailed, phrase);
        error.notes().iter().cloned().fold(failed, Diagnostic::note)
    })?;
    Ok(Arc::new(File {
        path: TreePath::root(),
        bytes: bytes.into(),
        source: Arc::new(Source::committed(address)),
    }))
}

/// A commit of a repository, in a directory that lasts as long as this.
struct Checkout {
    tree: Tree,
    _directory: Private,
}

/// Fetches one commit of a repository with git, and its submodules if they are wanted.
///
/// Fails with [`Code::ProgramFailed`] and [`Code::WriteFailed`].
pub fn clone_repository(
    repository: &str,
    reference: &str,
    limit: Duration,
    submodules: bool,
    environment: &Environment,
) -> Result<Arc<dyn Files>> {
    let directory = Private::new()?;
    let reference = if reference.is_empty() {
        "HEAD"
    } else {
        reference
    };
    let git = |arguments: &[&str]| git(directory.path(), arguments, limit, environment);
    git(&["init", "--quiet"])?;
    git(&["fetch", "--quiet", "--depth=1", "--", repository, reference])
        .map_err(|error| error.note(format!("fetching {reference} of {repository}")))?;
    git(&["checkout", "--quiet", "FETCH_HEAD"])?;
    if submodules {
        git(&["submodule", "--quiet", "update", "--init", "--recursive"])?;
    }
    Ok(Arc::new(Checkout {
        tree: Tree::open(directory.path())?,
        _directory: directory,
    }))
}

fn git(
    directory: &Path,
    arguments: &[&str],
    limit: Duration,
    environment: &Environment,
) -> Result<()> {
    Process {
        program: OsStr::new("git"),
        arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
        environment,
        temporary: None,
        variables: vec![("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned())],
        directory: Some(directory),
        input: b"",
        limit: Some(limit),
    }
    .run()
    .map(|_| ())
}

impl Files for Checkout {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        self.tree.read(path)
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        self.tree.kind(path)
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        self.tree.list(directory)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        self.tree.real_path(path)
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.tree.from_absolute(path)
    }
}
