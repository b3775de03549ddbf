//! What is running and what was written for it, so that every end of this process ends and removes it: the usual
//! one, a deadline, a signal.
#![expect(
    clippy::disallowed_methods,
    reason = "what was laid out for a program is removed"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::diagnostic::{Code, Diagnostic, Result};

/// What is to end with this process.
#[derive(Debug)]
struct Alive {
    groups: BTreeSet<i32>,
    directories: BTreeSet<PathBuf>,
}

static ALIVE: Mutex<Alive> = Mutex::new(Alive {
    groups: BTreeSet::new(),
    directories: BTreeSet::new(),
});

/// Whether the process is ending: who waits for a program that was killed for it says nothing any more.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Whether somebody waits for signals.
static IS_WATCHED: OnceLock<()> = OnceLock::new();

fn alive() -> MutexGuard<'static, Alive> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills every program that runs, with its descendants, and removes what was written for it.
pub fn end_all() {
    IS_ENDING.store(true, Ordering::SeqCst);
    let mut alive = alive();
    for group in std::mem::take(&mut alive.groups) {
        kill(group);
    }
    for directory in std::mem::take(&mut alive.directories) {
        // What cannot be removed stays; there is nobody left to hear of it.
        let _ = std::fs::remove_dir_all(directory);
    }
}

fn kill(group: i32) {
    if let Some(group) = Pid::from_raw(group) {
        // A group that is gone needs no signal.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Has a function run where the process is asked to end, after everything that runs was ended.
///
/// The first call counts; the function ends the process.
pub fn when_asked_to_end(then: impl FnOnce() + Send + 'static) {
    if IS_WATCHED.set(()).is_err() {
        return;
    }
    // Where signals cannot be waited for, they end the process as they always did.
    let Ok(mut signals) = Signals::new([SIGTERM, SIGINT, SIGHUP]) else {
        return;
    };
    std::thread::spawn(move || {
        let signal = signals.forever().next();
        end_all();
        then();
        if let Some(signal) = signal {
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
}

/// A program that runs in a group of its own.
pub(super) struct Group(i32);

impl Group {
    /// Notes a child that was started as the leader of a group.
    pub(super) fn of(child: &Child) -> Self {
        when_asked_to_end(|| {});
        let group = Pid::from_child(child).as_raw_nonzero().get();
        alive().groups.insert(group);
        Self(group)
    }

    /// Whether the child has ended; it is not collected, so that its number stays its own.
    pub(super) fn has_ended(&self, child: &Child, wait: bool) -> bool {
        let mut options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        if !wait {
            options |= WaitIdOptions::NOHANG;
        }
        loop {
            match waitid(WaitId::Pid(Pid::from_child(child)), options) {
                Err(rustix::io::Errno::INTR) => {}
                ended => return !matches!(ended, Ok(None)),
            }
        }
    }
}

/// Waits for the end of the process, where that is near.
pub(super) fn hold() {
    while IS_ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

impl Drop for Group {
    /// Ends what the child left running. Before the child is collected, while its number is still its own.
    fn drop(&mut self) {
        alive().groups.remove(&self.0);
        kill(self.0);
    }
}

/// A directory of our own, only for us, that goes when it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Private(tempfile::TempDir);

impl Private {
    /// Makes one. Fails with [`Code::WriteFailed`].
    pub(super) fn new() -> Result<Self> {
        Self::new_in(&std::env::temp_dir())
    }

    /// Makes one in a directory. Fails with [`Code::WriteFailed`].
    pub(super) fn new_in(parent: &Path) -> Result<Self> {
        let made = tempfile::Builder::new()
            .prefix("prerender-")
            .tempdir_in(parent);
        let directory = made.map_err(|error| {
            let phrase = format!(
                "nothing can be written for a program to read: {}",
                error.kind()
            );
            Diagnostic::new(Code::WriteFailed, phrase)
        })?;
        alive().directories.insert(directory.path().to_owned());
        Ok(Self(directory))
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        alive().directories.remove(self.0.path());
    }
}
