//! Reads what a kustomization names: below its own directory, unless the invoker lifts the restriction.

use std::sync::Arc;

use super::kustomization::Text;
use super::{Generators, LoadRestriction, Options, RepositoryAddress, remote};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{File, Files, Kind, TreePath};

/// The names that a kustomization may have, in the order of the reference.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Kustomizations within each other. The deepest trees of real repositories have about ten; each takes its
/// share of the stack.
const MAX_NESTING: usize = 100;

/// What all loaders of a build share.
pub(super) struct BuildContext<'a> {
    /// What the build was asked for.
    pub(super) options: &'a Options,
    /// What it may ask of the world beyond its files.
    pub(super) generators: &'a dyn Generators,
}

/// What a path in `resources:` leads to.
pub(super) enum Target<'a> {
    /// A file, read.
    File(Arc<File>),
    /// A directory with a kustomization.
    Directory(Loader<'a>),
}

/// Reads below one kustomization's directory.
#[derive(Clone)]
pub(super) struct Loader<'a> {
    world: &'a BuildContext<'a>,
    files: Arc<dyn Files + 'a>,
    directory: TreePath,
    restriction: LoadRestriction,
    /// The loaders that led here, innermost last, this one included: to find cycles.
    trail: Vec<Visited>,
}

/// A directory on the way to a loader.
#[derive(Clone)]
struct Visited {
    directory: TreePath,
    /// The repository it is the clone of.
    repository: Option<Arc<RepositoryAddress>>,
    /// How many clones lie on the way; directories of different clones are never the same.
    clones: usize,
}

impl<'a> Loader<'a> {
    /// Opens the directory that is built.
    pub(super) fn open(
        world: &'a BuildContext<'a>,
        files: Arc<dyn Files + 'a>,
        directory: &TreePath,
    ) -> Result<Self> {
        match files.kind(directory)? {
            Some(Kind::Directory) => {}
            Some(Kind::File) => return Err(not_a_directory(directory.as_str(), None)),
            None => return Err(missing(directory, None)),
        }
        let directory = files.real_path(directory)?;
        let visited = Visited {
            directory: directory.clone(),
            repository: None,
            clones: 0,
        };
        Ok(Self {
            restriction: world.options.load_restriction,
            world,
            files,
            directory,
            trail: vec![visited],
        })
    }

    /// The directory, links resolved.
    pub(super) fn directory(&self) -> &TreePath {
        &self.directory
    }

    /// What all loaders of the build share.
    pub(super) fn world(&self) -> &'a BuildContext<'a> {
        self.world
    }

    /// The files that this loader reads from.
    pub(super) fn files(&self) -> &(dyn Files + 'a) {
        &*self.files
    }

    /// The directory at a path, where there is one.
    pub(super) fn directory_at(&self, path: &str) -> Option<TreePath> {
        let path = self.resolve(path).ok()?;
        let kind = self.files.kind(&path).ok()?;
        (kind == Some(Kind::Directory)).then_some(path)
    }

    /// Reads a file that a kustomization names: by a relative or absolute path, or an address.
    pub(super) fn read(&self, path: &str) -> Result<Arc<File>> {
        if remote::is_file_address(path) {
            return self.world.generators.fetch(path);
        }
        let below_root = self.resolve(path)?;
        match self.files.kind(&below_root)? {
            Some(Kind::File) => self.read_file(path, &below_root),
            Some(Kind::Directory) => Err(Diagnostic::new(
                Code::FileUnreadable,
                format!("{path} is a directory, and a file is needed"),
            )),
            None => Err(self.nothing_there(path, &below_root)),
        }
    }

    fn read_file(&self, path: &str, below_root: &TreePath) -> Result<Arc<File>> {
        if self.restriction == LoadRestriction::RootOnly {
            let real = self.files.real_path(below_root)?;
            let lies_in = real.parent().unwrap_or_else(TreePath::root);
            if !lies_in.is_within(&self.directory) {
                return Err(self.restricted(path, &real));
            }
        }
        self.files.read(below_root)
    }

    /// Tells the files below which entries will be followed next.
    pub(super) fn announce(&self, paths: &[Text]) {
        let local = paths.iter().filter(|path| !remote::is_file_address(path));
        let below_root: Vec<TreePath> = local.filter_map(|p| self.resolve(p).ok()).collect();
        self.files.announce(&below_root);
    }

    /// Reads a file of the kustomization's own directory if it is there and may be read.
    pub(super) fn read_if_there(&self, name: &str) -> Result<Option<Arc<File>>> {
        let Some(path) = self.directory.join(name) else {
            return Ok(None);
        };
        if self.files.kind(&path)? != Some(Kind::File) {
            return Ok(None);
        }
        match self.read_file(name, &path) {
            Ok(file) => Ok(Some(file)),
            // The reference takes a file that it may not read for one that is not there.
            Err(error) if matches!(error.code(), Code::LoadRestricted | Code::FileMissing) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Follows an entry of `resources:`: to a file, else to a directory or repository.
    pub(super) fn follow(&self, path: &str) -> Result<Target<'a>> {
        if remote::is_file_address(path) {
            return self.follow_address(path);
        }
        let below_root = self.resolve(path)?;
        match self.files.kind(&below_root)? {
            Some(Kind::File) => self.read_file(path, &below_root).map(Target::File),
            _ => self.enter(path).map(Target::Directory),
        }
    }

    /// Fetches a file; clones the repository where there is no file at its address.
    fn follow_address(&self, path: &str) -> Result<Target<'a>> {
        match self.world.generators.fetch(path) {
            Ok(file) => Ok(Target::File(file)),
            Err(error) if error.code() == Code::NotEnabled => Err(error),
            Err(error) => match remote::parse(path) {
                Some(_) => self.enter(path).map(Target::Directory),
                None => Err(error),
            },
        }
    }

    /// Enters a directory or repository with a kustomization of its own.
    pub(super) fn enter(&self, path: &str) -> Result<Self> {
        if path.is_empty() {
            return Err(Diagnostic::new(Code::FieldMissing, "the entry is empty"));
        }
        if let Some(address) = remote::parse(path) {
            return self.clone_repository(address);
        }
        if path.starts_with('/') {
            return Err(not_relative(path));
        }
        let below_root = self.resolve(path)?;
        match self.files.kind(&below_root)? {
            Some(Kind::Directory) => {}
            Some(Kind::File) => return Err(not_a_directory(path, Some(&self.directory))),
            None => return Err(self.nothing_there(path, &below_root)),
        }
        let directory = self.files.real_path(&below_root)?;
        self.refuse_cycle(path, &directory)?;
        self.refuse_depth(path)?;
        let mut loader = self.clone();
        let clones = self.clones();
        loader.trail.push(Visited {
            directory: directory.clone(),
            repository: None,
            clones,
        });
        loader.directory = directory;
        Ok(loader)
    }

    fn clones(&self) -> usize {
        self.trail.last().map_or(0, |v| v.clones)
    }

    fn refuse_depth(&self, path: &str) -> Result<()> {
        if self.trail.len() < MAX_NESTING {
            return Ok(());
        }
        let phrase = format!("{path} is the {MAX_NESTING}th kustomization within another");
        Err(Diagnostic::new(Code::KustomizationLimit, phrase)
            .help("list the directories in one kustomization rather than each in the one before"))
    }

    fn refuse_cycle(&self, path: &str, directory: &TreePath) -> Result<()> {
        let clones = self.clones();
        let mut visited = self.trail.iter().rev().filter(|v| v.clones == clones);
        match visited.find(|v| v.directory.is_within(directory)) {
            None => Ok(()),
            Some(around) => Err(Diagnostic::new(
                Code::KustomizationCycle,
                format!(
                    "{path} leads back to {directory}, which holds {}",
                    around.directory
                ),
            )
            .help("move what both need into a directory beside them")),
        }
    }

    fn clone_repository(&self, address: RepositoryAddress) -> Result<Self> {
        let visited = self.trail.iter().filter_map(|v| v.repository.as_deref());
        if visited.clone().any(|v| v.text.starts_with(&address.text)) {
            return Err(Diagnostic::new(
                Code::KustomizationCycle,
                format!("{} leads back to itself", address.text),
            ));
        }
        self.refuse_depth(&address.text)?;
        let checkout = self.world.generators.clone_repository(&address)?;
        let below_root = TreePath::parse(&address.directory)
            .ok_or_else(|| not_a_directory(&address.text, None))?;
        match checkout.kind(&below_root)? {
            Some(Kind::Directory) => {}
            _ => return Err(not_a_directory(&address.text, None)),
        }
        let directory = checkout.real_path(&below_root)?;
        let mut trail = self.trail.clone();
        trail.push(Visited {
            directory: directory.clone(),
            repository: Some(Arc::new(address)),
            clones: self.clones() + 1,
        });
        Ok(Self {
            world: self.world,
            files: checkout,
            directory,
            // The files of a clone are never those around it.
            restriction: LoadRestriction::RootOnly,
            trail,
        })
    }

    fn resolve(&self, path: &str) -> Result<TreePath> {
        if path.starts_with('/') {
            let below_root = self.files.from_absolute(path);
            return below_root.ok_or_else(|| outside(path, &self.directory));
        }
        self.directory
            .join(path)
            .ok_or_else(|| outside(path, &self.directory))
    }

    fn nothing_there(&self, path: &str, below_root: &TreePath) -> Diagnostic {
        let error = missing(below_root, Some(path));
        let Some(parent) = below_root.parent() else {
            return error;
        };
        let names = self.files.list(&parent).unwrap_or_default();
        let name = below_root.file_name();
        match crate::diagnostic::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean {}?", replace_last(path, near))),
            None => error,
        }
    }

    fn restricted(&self, path: &str, real: &TreePath) -> Diagnostic {
        Diagnostic::new(
            Code::LoadRestricted,
            format!("{path} is not in or below {}", self.directory),
        )
        .note(format!("it is {real}"))
        .help("move it below, give it a kustomization of its own and name that, or pass --load-restrictor LoadRestrictionsNone")
    }
}

fn replace_last(path: &str, name: &str) -> String {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{name}"),
        None => name.to_owned(),
    }
}

fn missing(below_root: &TreePath, path: Option<&str>) -> Diagnostic {
    let shown = path.unwrap_or(below_root.as_str());
    let shown = if shown.is_empty() { "." } else { shown };
    let error = Diagnostic::new(Code::FileMissing, format!("{shown} does not exist"));
    if path.is_some_and(|p| p != below_root.as_str()) {
        error.note(format!("it would be {below_root}"))
    } else {
        error
    }
}

fn not_a_directory(path: &str, from: Option<&TreePath>) -> Diagnostic {
    let error = Diagnostic::new(
        Code::FileUnreadable,
        format!("{path} is a file, and a directory is needed"),
    );
    match from {
        Some(_) => error,
        None => error.at(Place::file(path)),
    }
}

fn not_relative(path: &str) -> Diagnostic {
    Diagnostic::new(
        Code::FileUnreadable,
        format!("{path} is absolute, and a directory is named by a relative path"),
    )
}

fn outside(path: &str, directory: &TreePath) -> Diagnostic {
    Diagnostic::new(
        Code::OutsideRoot,
        format!("{path} leads out of the root from {directory}"),
    )
    .help("move it below the root, or name a wider root with --root")
}
