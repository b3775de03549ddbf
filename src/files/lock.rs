//! A lock on a file that is about to be replaced: one writer at a time.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::Trusted;
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the lock is asked for.
const POLL: Duration = Duration::from_millis(20);

/// Held as long as a file is changed; let go when it is dropped, or when the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: Option<fs::File>,
}

impl Trusted {
    /// Keeps other writers of this program from a file, which need not be there. Where the file system knows no locks
    /// there is none.
    ///
    /// A file is replaced, and not written over: so a lock counts only when the path still leads to what it is on.
    /// Fails with [`Code::WriteFailed`] when another process does not let go of it.
    pub fn lock(self, path: &Path) -> Result<Lock> {
        let start = Instant::now();
        loop {
            let Ok(file) = fs::File::open(path) else {
                return Ok(Lock { _file: None });
            };
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if is_at(&file, path) => return Ok(Lock { _file: Some(file) }),
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) if start.elapsed() < PATIENCE => {
                    std::thread::sleep(POLL);
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let shown = path.display().to_string();
                    let phrase = format!("{shown} is being changed by another process");
                    return Err(Diagnostic::new(Code::WriteFailed, phrase)
                        .at(Place::file(shown))
                        .help("wait until its editor has ended"));
                }
                Err(_) => return Ok(Lock { _file: Some(file) }),
            }
        }
    }
}

fn is_at(file: &fs::File, path: &Path) -> bool {
    let identity = |m: fs::Metadata| (m.dev(), m.ino());
    let ours = file.metadata().map(identity).ok();
    ours.is_some() && ours == fs::metadata(path).map(identity).ok()
}

#[cfg(test)]
mod tests {
    use super::Trusted;

    #[test]
    fn a_second_writer_waits_and_sees_what_the_first_one_wrote() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a");
        std::fs::write(&path, "1").expect("it can be written");
        let trusted = Trusted::by_the_invoker();
        let first = trusted.lock(&path).expect("nobody has it");
        let second = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let lock = trusted.lock(&path);
                (lock.is_ok(), trusted.read(&path).ok())
            });
            std::thread::sleep(std::time::Duration::from_millis(60));
            trusted
                .replace(&path, b"2", super::super::Audience::All)
                .expect("it can be written");
            drop(first);
            waiting.join().expect("it does not panic")
        });
        assert_eq!(second, (true, Some(b"2".to_vec())));
    }
}
