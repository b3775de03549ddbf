//! A program that reads a text and prints one.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to processes"
)]

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Environment;
use super::ending::{self, Group, Private};
use crate::diagnostic::{Code, Diagnostic, Result};

/// The most that is read from a program: as much as the largest file.
const MAX_OUTPUT_BYTES: u64 = crate::files::MAX_FILE_BYTES;

/// What is kept of what a program says on standard error.
const MAX_ERROR_BYTES: u64 = 4096;

/// How often a program with a deadline is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A run of a program.
#[derive(Debug)]
pub struct Process<'a> {
    /// The program: a name that is found on the path, or a path.
    pub program: &'a OsStr,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What it sees of our environment.
    pub environment: &'a Environment,
    /// Variables besides.
    pub variables: Vec<(String, String)>,
    /// Where it writes temporary files; a directory of its own, which is removed after it, when there is none.
    pub temporary: Option<&'a Path>,
    /// Where it runs; this process's own directory when there is none.
    pub directory: Option<&'a Path>,
    /// What it reads on standard input.
    pub input: &'a [u8],
    /// How long it may take.
    pub limit: Option<Duration>,
}

impl Process<'_> {
    /// Runs it to its end and gives what it printed.
    ///
    /// Fails with [`Code::ProgramFailed`] when it cannot be started, fails, or prints or takes too much.
    ///
    /// It runs in a group of its own, and whatever it started ends with it.
    pub fn run(&self) -> Result<Vec<u8>> {
        let own = self.temporary.is_none().then(Private::new).transpose()?;
        let temporary = self.temporary.or(own.as_ref().map(Private::path));
        let mut child = self.start(temporary.unwrap_or(Path::new("/nonexistent")))?;
        let group = Group::of(&child);
        let mut input = child.stdin.take();
        let output = child.stdout.take();
        let errors = child.stderr.take();
        let (printed, said, status) = std::thread::scope(|scope| {
            scope.spawn(move || {
                // A program need not read all of its input.
                input.as_mut().map(|pipe| pipe.write_all(self.input))
            });
            let said = scope.spawn(move || read(errors, MAX_ERROR_BYTES));
            let printed = scope.spawn(move || read(output, MAX_OUTPUT_BYTES + 1));
            let status = self.wait(&mut child, group);
            let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<u8>>| thread.join();
            (
                join(printed).unwrap_or_default(),
                join(said).unwrap_or_default(),
                status,
            )
        });
        if printed.len() as u64 > MAX_OUTPUT_BYTES {
            return Err(self.failed("printed too much"));
        }
        match status {
            Some(status) if status.success() => Ok(printed),
            Some(status) => {
                let how = match status.code() {
                    Some(code) => format!("failed with exit status {code}"),
                    None => "was ended by a signal".to_owned(),
                };
                let said = String::from_utf8_lossy(&said);
                let error = self.failed(&how);
                Err(match said.trim() {
                    "" => error,
                    said => error.note(said.to_owned()),
                })
            }
            None => Err(self.failed("took too long")),
        }
    }

    fn start(&self, temporary: &Path) -> Result<Child> {
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .process_group(0)
            .env_clear()
            .envs(self.environment.variables())
            .env("TMPDIR", temporary)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(directory) = self.directory {
            command.current_dir(directory);
        }
        command.spawn().map_err(|error| {
            let why = format!("cannot be started: {}", error.kind());
            self.failed(&why)
        })
    }

    /// Waits for the end; ends it when its time is up. What it left running is ended with it.
    fn wait(&self, child: &mut Child, group: Group) -> Option<std::process::ExitStatus> {
        let start = Instant::now();
        let is_in_time = match self.limit {
            None => group.has_ended(child, true),
            Some(limit) => loop {
                if group.has_ended(child, false) {
                    break true;
                }
                if start.elapsed() >= limit {
                    break false;
                }
                std::thread::sleep(POLL);
            },
        };
        ending::hold();
        drop(group);
        let status = child.wait().ok();
        status.filter(|_| is_in_time)
    }

    fn failed(&self, how: &str) -> Diagnostic {
        let program = Path::new(self.program);
        let name = program
            .file_name()
            .unwrap_or(self.program)
            .to_string_lossy();
        Diagnostic::new(Code::ProgramFailed, format!("{name} {how}"))
    }
}

fn read(pipe: Option<impl Read>, limit_bytes: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let mut limited = pipe.take(limit_bytes);
        // What was read before an error counts.
        let _ = limited.read_to_end(&mut bytes);
        // The rest is read and dropped, so that the program can end.
        let _ = std::io::copy(&mut limited.into_inner(), &mut std::io::sink());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, input: &[u8], limit: Option<Duration>) -> Result<Vec<u8>> {
        Process {
            program: OsStr::new("sh"),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: &Environment::default(),
            variables: Vec::new(),
            temporary: None,
            directory: None,
            input,
            limit,
        }
        .run()
    }

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let large = vec![b'x'; 1 << 20];
        assert_eq!(run("cat", &large, None).expect("cat works"), large);
        assert_eq!(run("true", &large, None).expect("it need not read"), b"");
    }

    #[test]
    fn tells_why_it_failed() {
        let error = run("echo no >&2; exit 3", b"", None).expect_err("it fails");
        assert_eq!(error.phrase(), "sh failed with exit status 3");
        assert_eq!(error.notes(), ["no"]);
        let limit = Some(Duration::from_millis(50));
        let error = run("exec sleep 5", b"", limit).expect_err("it takes too long");
        assert_eq!(error.phrase(), "sh took too long");
    }

    #[test]
    fn what_a_program_leaves_running_ends_with_it() {
        let script = "sleep 300 & echo $!; echo $TMPDIR";
        let printed = run(script, b"", None).expect("it does not wait for the sleep");
        let printed = String::from_utf8(printed).expect("a number and a path");
        let (pid, temporary) = printed.trim().split_once('\n').expect("two lines");
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        assert!(state.is_err() || state.is_ok_and(|s| s.contains(") Z ")));
        assert!(!Path::new(temporary).exists());
    }
}
