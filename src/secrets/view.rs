//! The view in which a sealed file reads as its plaintext.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::diagnostic::{Code, Origin, Result, Source};
use crate::files::{File, Files, Kind, TreePath};
use crate::sops::{self, SealedFile};

use super::opener::Opener;

type Once = Arc<OnceLock<Result<Arc<File>>>>;

/// What leaves the plugin where a file is sealed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Secrets {
    /// The plaintext.
    #[default]
    Plain,
    /// The sealed file as it is, unopened.
    Keep,
    /// The plaintext where one of the identities fits, else the sealed file as it is.
    Openable,
    /// A token in the place of whatever depends on a sealed value, and of every value of a Secret.
    Redact,
}

impl Secrets {
    /// Whether sealed files may leave the plugin as they are.
    pub(crate) fn may_leave_sealed(self) -> bool {
        matches!(self, Self::Keep | Self::Openable)
    }
}

/// Files over the ones below; a file with SOPS metadata reads as its plaintext, its MAC checked.
///
/// A file without the metadata costs one scan of its bytes. A sealed file is opened once, however often
/// the build asks for it; the first one that is met has those that were announced with it opened in parallel.
pub struct Opened {
    below: Arc<dyn Files>,
    opener: Arc<Opener>,
    secrets: Secrets,
    opened: Mutex<BTreeMap<TreePath, Once>>,
    /// What will be asked for next.
    announced: Mutex<BTreeSet<TreePath>>,
    /// What was read before it was asked for.
    ahead: Mutex<BTreeMap<TreePath, Arc<File>>>,
    /// What came out of sealed values that are no files.
    others: Mutex<Vec<SecretString>>,
}

/// Below as many files a second thread costs more than it saves.
const MIN_AHEAD: usize = 3;

impl Opened {
    /// Builds the view.
    pub fn new(below: Arc<dyn Files>, opener: Arc<Opener>, secrets: Secrets) -> Self {
        Self {
            below,
            opener,
            secrets,
            opened: Mutex::default(),
            announced: Mutex::default(),
            ahead: Mutex::default(),
            others: Mutex::default(),
        }
    }

    /// The identities, looked for once.
    pub fn identities(&self) -> &sops::Identities {
        self.opener.identities()
    }

    /// The plaintext values of every file that was opened so far.
    pub(crate) fn plaintexts(&self) -> Vec<SecretString> {
        let opened = locked(&self.opened);
        let files = opened.values().filter_map(|once| once.get()?.as_ref().ok());
        files
            .flat_map(|file| file.source.secrets.iter().cloned())
            .chain(locked(&self.others).iter().cloned())
            .collect()
    }

    /// What leaves the plugin where a file is sealed.
    pub(crate) fn secrets(&self) -> Secrets {
        self.secrets
    }

    /// Opens sealed bytes that are no file of their own.
    pub(crate) fn open_bytes(
        &self,
        sealed: &SealedFile<'_>,
        output: sops::Format,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let decrypted = self.opener.decrypt(sealed, output)?;
        locked(&self.others).extend(decrypted.secrets);
        Ok(decrypted.bytes)
    }

    fn once(&self, path: &TreePath) -> Once {
        let mut opened = locked(&self.opened);
        Arc::clone(opened.entry(path.clone()).or_default())
    }

    fn read_below(&self, path: &TreePath) -> Result<Arc<File>> {
        locked(&self.announced).remove(path);
        match locked(&self.ahead).remove(path) {
            Some(file) => Ok(file),
            None => self.below.read(path),
        }
    }

    /// Opens a sealed file, once.
    fn open(&self, file: &File, format: sops::Format) -> Result<Arc<File>> {
        self.once(&file.path)
            .get_or_init(|| open(file, format, &self.opener))
            .clone()
    }

    /// Opens the sealed ones among the files that were announced. A failure is told when its file is asked for.
    fn work_ahead(&self) {
        let mut announced = std::mem::take(&mut *locked(&self.announced));
        announced.retain(|path| !locked(&self.opened).contains_key(path));
        if announced.len() < MIN_AHEAD {
            return;
        }
        // Looked for here, so that no thread waits for another.
        self.opener.identities();
        announced.par_iter().for_each(|path| {
            let Ok(file) = self.below.read(path) else {
                return;
            };
            if let Some(format) = sops::detect(&file.bytes, path.file_name()) {
                // Kept, failure or not.
                let _ = self.open(&file, format);
            }
            locked(&self.ahead).insert(path.clone(), file);
        });
    }
}

/// What a lock holds. Another thread that panicked left it whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens one sealed file.
fn open(file: &File, format: sops::Format, opener: &Opener) -> Result<Arc<File>> {
    let sealed = SealedFile {
        name: file.path.as_str(),
        bytes: &file.bytes,
        format,
    };
    let decrypted = opener.decrypt(&sealed, format)?;
    let source = Source {
        path: Arc::clone(&file.source.path),
        origin: Origin::Decrypted,
        secrets: decrypted.secrets.into(),
    };
    Ok(Arc::new(File {
        path: file.path.clone(),
        bytes: decrypted.bytes.as_slice().into(),
        source: Arc::new(source),
    }))
}

impl Files for Opened {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        let file = self.read_below(path)?;
        if self.secrets == Secrets::Keep {
            return Ok(file);
        }
        let Some(format) = sops::detect(&file.bytes, path.file_name()) else {
            return Ok(file);
        };
        self.work_ahead();
        match self.open(&file, format) {
            Err(error)
                if self.secrets == Secrets::Openable && error.code() == Code::SopsNoIdentity =>
            {
                Ok(file)
            }
            opened => opened,
        }
    }

    fn read_unopened(&self, path: &TreePath) -> Result<Arc<File>> {
        self.read_below(path)
    }

    fn announce(&self, paths: &[TreePath]) {
        locked(&self.announced).extend(paths.iter().cloned());
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        self.below.kind(path)
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        self.below.list(directory)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        self.below.real_path(path)
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.below.from_absolute(path)
    }
}
