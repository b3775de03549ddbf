//! The exit codes of sops, which scripts look at.
//!
//! Follows package `codes` of sops 3.13 (cmd/sops/codes). What it gives no code is 1.

use crate::diagnostic::{Code, Report, Severity};

/// What a command line lacks: a file, or an argument.
pub(super) const NO_FILE: u8 = 100;
/// A path or value of `set` or `unset` is wrong.
pub(super) const INVALID_SET: u8 = 7;
/// A path of `--extract` is wrong.
pub(super) const INVALID_PATH: u8 = 91;
/// Flags contradict each other.
pub(super) const CONFLICTING: u8 = 8;
/// The editor left the file as it was.
pub(super) const UNCHANGED: u8 = 200;
/// There is no editor, or it failed.
pub(super) const NO_EDITOR: u8 = 201;

const UNREADABLE: u8 = 2;
const UNWRITABLE: u8 = 3;
const NOT_DUMPED: u8 = 4;
const TREE_NOT_SEALED: u8 = 23;
const TREE_NOT_OPENED: u8 = 25;
const MAC: u8 = 51;
const NO_KEY: u8 = 128;
const SEALED: u8 = 203;

/// Whether a command opens a file or seals one: the same mistake has two codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// It opens a sealed file.
    Opens,
    /// It seals a plain one.
    Seals,
}

/// The exit code of a report; 0 where it has no error.
pub(super) fn of(report: &Report, work: Work) -> u8 {
    let mut errors = report
        .findings
        .iter()
        .filter(|d| d.severity() == Severity::Error);
    errors.next().map_or(0, |error| of_code(error.code(), work))
}

fn of_code(code: Code, work: Work) -> u8 {
    match (code, work) {
        (Code::FileMissing | Code::FileUnreadable | Code::FileTooLarge, _) => UNREADABLE,
        (Code::SopsForm | Code::YamlSyntax | Code::YamlDuplicateKey, Work::Seals) => UNREADABLE,
        (Code::WriteFailed, _) => UNWRITABLE,
        (Code::SopsOutput, _) => NOT_DUMPED,
        (Code::SopsValue, Work::Seals) => TREE_NOT_SEALED,
        (Code::SopsValue, Work::Opens) => TREE_NOT_OPENED,
        (Code::SopsMac, _) => MAC,
        (Code::SopsNoIdentity | Code::SopsUnsupportedKey | Code::SopsDataKey, _) => NO_KEY,
        (Code::SopsSealed, _) => SEALED,
        _ => 1,
    }
}
