//! A program as Argo CD's plugin server runs it: its own process group, an environment that is given whole,
//! no input, and no mercy at the deadline.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to processes"
)]

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long the group of a program has after its deadline: the program itself has no time at all.
const GRACE: Duration = Duration::from_secs(5);

/// A run of a program.
#[derive(Debug)]
pub struct Hosted<'a> {
    /// The program: a name that is found on the path of its environment, or a path.
    pub program: &'a OsStr,
    /// Its arguments.
    pub arguments: &'a [String],
    /// All of its environment.
    pub environment: &'a [(String, String)],
    /// Where it runs.
    pub directory: &'a Path,
    /// How long it may take.
    pub deadline: Duration,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// With an exit status.
    Exited(i32),
    /// By a signal.
    Signalled(i32),
    /// It was not started, and why.
    NotStarted(String),
}

/// A program that ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// How.
    pub how: How,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: Vec<u8>,
    /// How long it took, its descendants included.
    pub took: Duration,
}

impl Hosted<'_> {
    /// Runs it until it and all of its descendants have closed their output.
    ///
    /// At the deadline the program gets SIGKILL at once, and the rest of its group SIGTERM; what is left of the
    /// group gets SIGKILL five seconds later.
    pub fn run(&self) -> Ended {
        let start = Instant::now();
        let mut child = match self.start() {
            Ok(child) => child,
            Err(error) => return not_started(&error, start),
        };
        let group = Pid::from_child(&child);
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let stdout = std::thread::spawn(move || read(output));
        let stderr = std::thread::spawn(move || read(errors));
        let status = wait(child, group, self.deadline);
        let how = match status {
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => How::Exited(code),
                (None, signal) => How::Signalled(signal.unwrap_or_default()),
            },
            None => How::NotStarted("waiting for it failed".to_owned()),
        };
        let stdout = stdout.join().unwrap_or_default();
        let stderr = stderr.join().unwrap_or_default();
        Ended {
            how,
            stdout,
            stderr,
            took: start.elapsed(),
        }
    }

    fn start(&self) -> std::io::Result<Child> {
        Command::new(self.program)
            .args(self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
    }
}

fn not_started(error: &std::io::Error, start: Instant) -> Ended {
    Ended {
        how: How::NotStarted(reason(error)),
        stdout: Vec::new(),
        stderr: Vec::new(),
        took: start.elapsed(),
    }
}

/// The kernel's words, without the number that the standard library adds.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    words.to_lowercase()
}

/// Waits for the program, and ends it at the deadline.
fn wait(mut child: Child, group: Pid, deadline: Duration) -> Option<ExitStatus> {
    let (ended, status) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more when the receiver is gone.
        let _ = ended.send(child.wait());
    });
    if let Ok(status) = status.recv_timeout(deadline) {
        return status.ok();
    }
    // A group or program that is gone already needs no signal.
    let _ = kill_process(group, Signal::KILL);
    let _ = kill_process_group(group, Signal::TERM);
    std::thread::spawn(move || {
        std::thread::sleep(GRACE);
        let _ = kill_process_group(group, Signal::KILL);
    });
    status.recv().ok()?.ok()
}

fn read(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was read before an error is what there is.
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, deadline: Duration) -> Ended {
        Hosted {
            program: "sh".as_ref(),
            arguments: &["-c".to_owned(), script.to_owned()],
            environment: &[
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
                ("A".to_owned(), "b".to_owned()),
            ],
            directory: Path::new("/tmp"),
            deadline,
        }
        .run()
    }

    #[test]
    fn the_environment_is_given_whole() {
        let ended = run("echo $A ${HOME-none}; pwd", Duration::from_secs(20));
        assert_eq!(ended.stdout, b"b none\n/tmp\n");
        assert_eq!(ended.how, How::Exited(0));
        assert_eq!(run("exit 3", Duration::from_secs(20)).how, How::Exited(3));
    }

    #[test]
    fn the_program_has_no_time_at_the_deadline_and_its_group_has_some() {
        let script = "trap 'echo late >&2' TERM; (trap 'echo child >&2; exit' TERM; while :; do sleep 0.05; done) & while :; do sleep 0.05; done";
        let ended = run(script, Duration::from_millis(400));
        assert_eq!(ended.how, How::Signalled(9));
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(
            said.ends_with("child\n") && !said.contains("late"),
            "{said}"
        );
        assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    }

    #[test]
    fn what_cannot_be_started_says_why() {
        let nothing = Hosted {
            program: "/no/such/program".as_ref(),
            arguments: &[],
            environment: &[],
            directory: Path::new("/tmp"),
            deadline: Duration::from_secs(1),
        };
        let why = How::NotStarted("no such file or directory".to_owned());
        assert_eq!(nothing.run().how, why);
    }
}
