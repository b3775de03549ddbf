//! Readable integers of JSON on which releases of sops differ.
//!
//! Since 3.13.2 an integer of JSON is one; before, it was a float, which is exact up to 2^53 only. The MAC of a file
//! with a larger one that is not sealed differs, and the older releases (KSOPS, Flux) refuse it.
//! Pinned by `encrypt-of-json-with-a-large-readable-integer-warns`.

use super::document::{Comment, Value};
use super::seal::PlainFile;
use super::walk::{Position, Visitor, walk};
use super::{CreationRule, Format, stores};
use crate::diagnostic::{Code, Diagnostic, Place};

/// The largest integer up to which every one is a float too.
const EXACT: u64 = 1 << 53;

/// A warning for each integer of a JSON file that stays readable and is beyond what older releases of sops hold.
pub fn inexact_numbers(file: &PlainFile<'_>, rule: &CreationRule) -> Vec<Diagnostic> {
    if file.output != Format::Json || rule.mac_only_encrypted {
        return Vec::new();
    }
    let Ok(mut branches) = stores::read_plain(file.bytes, file.format) else {
        return Vec::new();
    };
    let mut finder = Finder {
        name: file.name,
        found: Vec::new(),
    };
    // What cannot be walked was refused before.
    let _ = walk(&mut branches, &rule.rule, &mut finder);
    finder.found
}

struct Finder<'a> {
    name: &'a str,
    found: Vec<Diagnostic>,
}

impl Visitor for Finder<'_> {
    fn value(&mut self, value: &mut Value, sealed: bool, at: &Position) -> Result<(), Diagnostic> {
        let Value::Int(number) = value else {
            return Ok(());
        };
        if !sealed && number.unsigned_abs() > EXACT {
            let phrase = format!(
                "the number of `{}` stays readable and is beyond 2^53: sops before 3.13.2 refuses the file",
                at.to_shown()
            );
            let place = Place::new(self.name, at.line, 0);
            self.found.push(
                Diagnostic::warning(Code::SopsOutput, phrase)
                    .at(place)
                    .help("write it as a string, seal it, or use `mac_only_encrypted: true`"),
            );
        }
        Ok(())
    }

    fn comment(&mut self, _: &mut Comment, _: bool, _: &Position) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn refuse(&self, phrase: &str, _: &Position) -> Diagnostic {
        Diagnostic::new(Code::SopsForm, phrase)
    }
}
