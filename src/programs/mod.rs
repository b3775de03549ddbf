//! Starts programs: the only door to processes, and absent without the invoker's flag.
//!
//! An engine sees [`Programs`]; `cli` makes [`Processes`] when a command or a flag allows it. What is
//! started sees a short list of variables, runs in a group of its own, and ends with us, whatever ends us.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to processes"
)]

mod attached;
mod chart;
mod ending;
mod environment;
mod helm;
mod hosted;
mod laid_out;
mod network;
mod process;
mod temporary;

use std::io::Read;
use std::process::{Command, Stdio};

pub use attached::{Attached, Left, PlainFile, Unstarted};
pub use chart::Chart;
pub use ending::{end_all, when_asked_to_end};
pub use environment::Environment;
pub use helm::{Helm, Pull};
pub use hosted::{Ended, Hosted, How};
pub use laid_out::LaidOut;
pub use network::{clone_repository, fetch};
pub use process::Process;
pub use temporary::{TemporaryDirectory, TemporaryFile, is_there};
use zeroize::Zeroizing;

/// The variables that hold keys as they are: no program that we start gets them.
const SECRET_VARIABLES: [&str; 1] = ["SOPS_AGE_KEY"];

/// The most that is read from a program.
const MAX_OUTPUT_BYTES: usize = 1 << 20;

/// Runs a program to its end.
pub trait Programs: Send + Sync {
    /// Runs a program, found on the path, with these arguments and further variables, and gives what it
    /// printed. Fails with a phrase that tells neither what it printed nor its arguments.
    fn output(
        &self,
        arguments: &[String],
        variables: &[(&str, &str)],
    ) -> Result<Zeroizing<Vec<u8>>, String>;
}

/// The processes of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Processes(());

impl Processes {
    /// Makes the door. For `cli`, when the invoker allowed it.
    pub fn by_the_invoker() -> Self {
        Self(())
    }
}

impl Programs for Processes {
    fn output(
        &self,
        arguments: &[String],
        variables: &[(&str, &str)],
    ) -> Result<Zeroizing<Vec<u8>>, String> {
        let [program, arguments @ ..] = arguments else {
            return Err("names no program".to_owned());
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        for name in SECRET_VARIABLES {
            command.env_remove(name);
        }
        let mut child = command
            .spawn()
            .map_err(|error| format!("cannot be started: {}", error.kind()))?;
        let mut printed = Zeroizing::new(Vec::with_capacity(4096));
        let output = child.stdout.take().expect("standard output is piped");
        let limit = MAX_OUTPUT_BYTES as u64 + 1;
        let read = output.take(limit).read_to_end(&mut printed);
        let status = child.wait();
        match (read, status) {
            (Ok(count), _) if count > MAX_OUTPUT_BYTES => {
                Err(format!("printed more than {MAX_OUTPUT_BYTES} bytes"))
            }
            (Ok(_), Ok(status)) if status.success() => Ok(printed),
            (Ok(_), Ok(status)) => Err(match status.code() {
                Some(code) => format!("failed with exit status {code}"),
                None => "was ended by a signal".to_owned(),
            }),
            _ => Err("failed".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Processes, Programs};

    fn run(words: &[&str]) -> Result<String, String> {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        let printed = Processes::by_the_invoker().output(&words, &[("WHO", "age1x")])?;
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    #[test]
    fn gives_what_was_printed_or_why_not() {
        assert_eq!(run(&["sh", "-c", "echo $WHO"]), Ok("age1x\n".to_owned()));
        assert_eq!(
            run(&["sh", "-c", "exit 3"]),
            Err("failed with exit status 3".to_owned())
        );
        assert!(run(&["no-such-program-anywhere"]).is_err());
        assert!(run(&[]).is_err());
    }
}
