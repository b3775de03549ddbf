//! Prints: standard output all at once or not at all, findings on standard error.

use std::io::{self, IsTerminal, Write};

use crate::diagnostic::{ExitStatus, Report, Severity};

use super::Outcome;

/// What a command that ran to its end leaves to print.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Standard output, complete.
    pub(crate) stdout: Vec<u8>,
    /// Warnings, and the findings of a check.
    pub(crate) report: Report,
    /// The exit status, unless an error of the report asks for a graver one.
    pub(crate) status: Option<ExitStatus>,
}

impl From<Vec<u8>> for Done {
    fn from(stdout: Vec<u8>) -> Self {
        Self {
            stdout,
            ..Self::default()
        }
    }
}

/// Prints an outcome and returns the exit status.
pub(super) fn finish(outcome: Outcome) -> ExitStatus {
    match outcome {
        Ok(done) => {
            tell(&done.report);
            let status = done
                .report
                .exit_status()
                .max(done.status.unwrap_or(ExitStatus::Success));
            match io::stdout()
                .lock()
                .write_all(&done.stdout)
                .and_then(|()| io::stdout().flush())
            {
                Ok(()) => status,
                // The reader went away: nobody is left to tell.
                Err(_) => status.max(ExitStatus::Input),
            }
        }
        Err(report) => {
            tell(&report);
            report.exit_status().max(ExitStatus::Input)
        }
    }
}

/// Prints what clap says: help on standard output, a wrong command line on standard error.
pub(super) fn usage(error: &clap::Error) -> ExitStatus {
    // Nobody is left to tell when this fails.
    let _ = error.print();
    error.kind().into()
}

fn tell(report: &Report) {
    let mut stderr = io::stderr().lock();
    let colour = stderr.is_terminal() && no_colour_is_unset();
    for finding in &report.findings {
        let text = finding.to_string();
        let head = text.find(':').unwrap_or(0);
        let (open, close) = match (colour, finding.severity()) {
            (false, _) => ("", ""),
            (true, Severity::Error) => ("\u{1b}[1;31m", "\u{1b}[0m"),
            (true, Severity::Warning) => ("\u{1b}[1;33m", "\u{1b}[0m"),
        };
        let _ = writeln!(stderr, "{open}{}{close}{}", &text[..head], &text[head..]);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a convention of terminals, read where colour is chosen"
)]
fn no_colour_is_unset() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}
