//! A program that the invoker named and that works at the terminal of this one: an editor, the command of `exec-env`.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to processes"
)]

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::ending::{Private, when_asked_to_end};
use crate::diagnostic::{Code, Diagnostic, Result};

/// A program, its arguments and its environment.
#[derive(Debug)]
pub struct Attached {
    /// The program: a name that is found on the path, or a path.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// By itself, with an exit status.
    Exited(u8),
    /// By a signal.
    Killed,
}

/// Why a program did not run.
#[derive(Debug)]
pub enum Unstarted {
    /// There is no such program.
    Missing,
    /// Something else.
    Failed(Diagnostic),
}

impl Attached {
    /// Runs it to its end, in the terminal and with the standard input and output of this process.
    pub fn run(&self) -> Result<Left, Unstarted> {
        let mut child = self.start()?;
        let ended = child.wait().map_err(|error| self.unstarted(&error))?;
        Ok(match ended.code().map(u8::try_from) {
            Some(Ok(code)) => Left::Exited(code),
            Some(Err(_)) => Left::Exited(1),
            None => Left::Killed,
        })
    }

    /// Starts it and does not wait.
    pub fn leave(&self) -> Result<(), Unstarted> {
        self.start().map(drop)
    }

    /// Becomes it: returns where that fails alone.
    pub fn take_over(&self) -> Unstarted {
        let error = self.command().exec();
        self.unstarted(&error)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn start(&self) -> Result<Child, Unstarted> {
        self.command()
            .spawn()
            .map_err(|error| self.unstarted(&error))
    }

    fn unstarted(&self, error: &std::io::Error) -> Unstarted {
        if error.kind() == std::io::ErrorKind::NotFound {
            return Unstarted::Missing;
        }
        let name = Path::new(&self.program)
            .file_name()
            .unwrap_or(&self.program);
        let phrase = format!(
            "{} cannot be started: {}",
            name.to_string_lossy(),
            error.kind()
        );
        Unstarted::Failed(Diagnostic::new(Code::ProgramFailed, phrase))
    }
}

/// Plaintext for a program that reads files: in memory where the machine has such a directory, readable by us alone,
/// and gone when this is dropped or a signal ends the process.
#[derive(Debug)]
pub struct PlainFile {
    // Removed with all that is in it.
    _directory: Private,
    path: PathBuf,
    in_memory: bool,
}

/// Directories that are memory, if they are there.
const IN_MEMORY: [&str; 1] = ["/dev/shm"];

impl PlainFile {
    /// Lays a file out under a name. Fails with [`Code::WriteFailed`].
    pub fn regular(name: &OsStr, bytes: &[u8]) -> Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let plain = Self::place(name)?;
        let mut options = std::fs::OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&plain.path);
        file.and_then(|mut file| file.write_all(bytes))
            .map_err(|error| unwritten(&error))?;
        Ok(plain)
    }

    /// Lays a pipe out under a name: what is written goes to the first that reads it, and nowhere else.
    pub fn pipe(name: &OsStr, bytes: zeroize::Zeroizing<Vec<u8>>) -> Result<Self> {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let plain = Self::place(name)?;
        mknodat(CWD, &plain.path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
            .map_err(|error| unwritten(&error.into()))?;
        let path = plain.path.clone();
        std::thread::spawn(move || {
            // Opening waits for a reader; where none comes, this thread ends with the process.
            let file = std::fs::OpenOptions::new().write(true).open(path);
            file.and_then(|mut file| file.write_all(&bytes))
        });
        Ok(plain)
    }

    fn place(name: &OsStr) -> Result<Self> {
        when_asked_to_end(|| {});
        let memory = IN_MEMORY.iter().map(Path::new).find(|path| is_memory(path));
        let directory = match memory.map(Private::new_in) {
            Some(Ok(directory)) => (directory, true),
            _ => (Private::new()?, false),
        };
        Ok(Self {
            path: directory.0.path().join(name),
            _directory: directory.0,
            in_memory: directory.1,
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is in memory, and not on a disk.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// What it holds now. Fails with [`Code::WriteFailed`].
    pub fn read(&self) -> Result<zeroize::Zeroizing<Vec<u8>>> {
        std::fs::read(&self.path)
            .map(zeroize::Zeroizing::new)
            .map_err(|error| {
                let phrase = format!("what was edited cannot be read: {}", error.kind());
                Diagnostic::new(Code::WriteFailed, phrase)
            })
    }
}

#[cfg(target_os = "linux")]
fn is_memory(path: &Path) -> bool {
    /// Of Linux, `TMPFS_MAGIC`.
    const TMPFS: u32 = 0x0102_1994;
    // The width of the field differs from machine to machine.
    rustix::fs::statfs(path).is_ok_and(|found| u32::try_from(found.f_type) == Ok(TMPFS))
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_path: &Path) -> bool {
    false
}

fn unwritten(error: &std::io::Error) -> Diagnostic {
    let phrase = format!(
        "nothing can be written for a program to read: {}",
        error.kind()
    );
    Diagnostic::new(Code::WriteFailed, phrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Attached {
        Attached {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("WORD".into(), "7".into())],
        }
    }

    #[test]
    fn its_exit_status_and_environment_are_its_own() {
        assert!(matches!(shell("exit $WORD").run(), Ok(Left::Exited(7))));
        assert!(matches!(shell("kill -9 $$").run(), Ok(Left::Killed)));
        let missing = Attached {
            program: "no-such-program-anywhere".into(),
            ..shell("")
        };
        assert!(matches!(missing.run(), Err(Unstarted::Missing)));
    }

    #[test]
    fn a_plain_file_is_ours_alone_and_goes() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = PlainFile::regular(OsStr::new("a.yaml"), b"a: b\n").expect("it can be written");
        let path = file.path().to_owned();
        let mode = std::fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(
            (mode & 0o777, &*file.read().expect("it is there")),
            (0o600, &b"a: b\n".to_vec())
        );
        drop(file);
        assert!(!path.exists());
    }
}
