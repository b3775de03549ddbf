//! What a bug prints: its place and no payload, which may hold a secret.

use std::io::Write;

use super::Outcome;
use crate::diagnostic::ExitStatus;

/// Replaces the panic message by a place and ends the process with [`ExitStatus::Bug`].
pub(super) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "error[internal]: this is a bug{place}");
        let _ = writeln!(
            stderr,
            "  help: report it with the command that you ran; nothing was printed on standard output"
        );
        end();
    }));
}

#[expect(
    clippy::exit,
    reason = "no destructor may run after a panic, and abort would lose the exit code"
)]
fn end() {
    std::process::exit(i32::from(ExitStatus::Bug as u8));
}

/// Panics, for the case that shows the hook.
#[expect(clippy::panic, reason = "the point of the hidden command")]
pub(super) fn on_purpose() -> Outcome {
    panic!("a payload that is never printed")
}
