//! Asks the person at the terminal, whatever standard input and output are.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::sync::{Arc, Mutex};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::secrets::sealing::Ask;

/// The longest passphrase.
const MAX_PASSPHRASE_BYTES: u64 = 4096;

/// Builds what asks for a passphrase; without a terminal it fails at once.
pub(super) fn passphrases() -> Ask {
    let one_at_a_time = Mutex::new(());
    Arc::new(move |question| {
        let _turn = one_at_a_time
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        ask(question).ok_or_else(|| {
            "is protected by a passphrase, and there is no terminal to ask for it".to_owned()
        })
    })
}

fn ask(question: &str) -> Option<SecretString> {
    let mut terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()?;
    let usual = tcgetattr(&terminal).ok()?;
    let mut silent = usual.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    terminal.write_all(question.as_bytes()).ok()?;
    tcsetattr(&terminal, OptionalActions::Flush, &silent).ok()?;
    let mut line = Zeroizing::new(String::with_capacity(256));
    let read =
        BufReader::new(std::io::Read::take(&terminal, MAX_PASSPHRASE_BYTES)).read_line(&mut line);
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &usual);
    terminal.write_all(b"\n").ok()?;
    read.ok().zip(restored.ok())?;
    Some(SecretString::from(line.trim_end_matches(['\r', '\n'])))
}
