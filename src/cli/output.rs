//! Prints: standard output all at once or not at all, findings on standard error.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use crate::diagnostic::{Code, Diagnostic, ExitStatus, Report, Severity};

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
            match print(&done.stdout) {
                Ok(()) => status,
                Err(error) => {
                    // Where the reader went away, nobody is left to hear of it.
                    if error.kind() != io::ErrorKind::BrokenPipe {
                        let phrase = format!("standard output cannot be written: {}", error.kind());
                        tell(&Diagnostic::new(Code::WriteFailed, phrase).into());
                    }
                    status.max(ExitStatus::Input)
                }
            }
        }
        Err(report) => {
            tell(&report);
            report.exit_status().max(ExitStatus::Input)
        }
    }
}

/// Writes standard output, past the buffer of lines: an error of the last byte is one.
fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Prints what clap says: help on standard output, a wrong command line on standard error.
pub(super) fn usage(error: &clap::Error) -> ExitStatus {
    let text = error.to_string();
    // Nobody is left to tell when this fails.
    let _ = match without_identities(&text) {
        Cow::Borrowed(_) => error.print(),
        Cow::Owned(text) => io::stderr().lock().write_all(text.as_bytes()),
    };
    error.kind().into()
}

/// Says one thing while a command still runs.
pub(super) fn say(text: &str) {
    // Nobody is left to tell when this fails.
    let _ = writeln!(io::stderr().lock(), "{}", without_identities(text));
}

/// Prints a part of standard output before a question is asked.
pub(super) fn show(text: &str) {
    // Nobody is left to tell when this fails.
    let _ = print(text.as_bytes());
}

/// Prints findings while a command still runs.
pub(super) fn tell(report: &Report) {
    let mut stderr = io::stderr().lock();
    let colour = stderr.is_terminal() && no_colour_is_unset();
    for finding in &report.findings {
        let text = finding.to_string();
        let text = without_identities(&text);
        let head = text.find(':').unwrap_or(0);
        let (open, close) = match (colour, finding.severity()) {
            (false, _) => ("", ""),
            (true, Severity::Error) => ("\u{1b}[1;31m", "\u{1b}[0m"),
            (true, Severity::Warning) => ("\u{1b}[1;33m", "\u{1b}[0m"),
        };
        let _ = writeln!(stderr, "{open}{}{close}{}", &text[..head], &text[head..]);
    }
}

/// A text without the age identities in it. No message is made with one; what a user wrote in the wrong place, and
/// a program repeats, is caught here.
fn without_identities(text: &str) -> Cow<'_, str> {
    const START: &str = "AGE-SECRET-KEY-";
    /// Fewer characters are part of a sentence on identities.
    const MIN_CHARS: usize = 16;
    let upper = text.to_ascii_uppercase();
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let (mut shown, mut done) = (String::new(), 0);
    for (start, _) in upper.match_indices(START) {
        let rest = &text[start + START.len()..];
        let length = rest.find(|c| !is_inner(c)).unwrap_or(rest.len());
        if length >= MIN_CHARS && start >= done {
            shown.push_str(&text[done..start]);
            shown.push_str("«secret»");
            done = start + START.len() + length;
        }
    }
    match done {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(shown + &text[done..]),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a convention of terminals, read where colour is chosen"
)]
fn no_colour_is_unset() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::without_identities;

    #[test]
    fn an_identity_is_never_shown() {
        let identity = format!("AGE-SECRET-KEY-1{}", "Q".repeat(58));
        let text = format!("no file {identity}, or {}.", identity.to_lowercase());
        assert_eq!(without_identities(&text), "no file «secret», or «secret».");
        let sentence = "an identity starts with AGE-SECRET-KEY-PQ-1 and a key";
        assert_eq!(without_identities(sentence), sentence);
    }
}
