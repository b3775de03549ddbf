//! One sealed file in, one plain file out, and the other way: what `decrypt` and `encrypt` do.

use std::path::{Component, Path, PathBuf};

pub use crate::sops::{
    Ask, Ciphertext, Config, CreationRule, Fetch, Format, Found, GroupChange, Identities,
    IdentityText, Indents, KeyChanges, KeyPath, MacCheck, NewValue, PlainFile, RuleOverride,
    SealedFile, SealedKeys, Sealer, Threshold, Unsealed, detect,
};

use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::sops::{self, Losses, Options, Values};
use zeroize::Zeroizing;

/// How one sealed file is opened.
#[derive(Debug)]
pub struct DecryptRequest<'a> {
    /// The file.
    pub file: SealedFile<'a>,
    /// The format of the result.
    pub output: Format,
    /// How the result is indented.
    pub indents: Indents,
    /// Whether the MAC decides.
    pub mac: MacCheck,
    /// The only part that is wanted.
    pub extract: Option<KeyPath>,
}

/// Opens one sealed file as `sops decrypt` does, and tells what sops loses in printing it. Fails as
/// [`sops::decrypt`] does.
pub fn decrypt(
    request: &DecryptRequest<'_>,
    identities: &Identities,
) -> Result<(Zeroizing<Vec<u8>>, Report)> {
    let options = Options {
        output: request.output,
        indents: request.indents,
        mac: request.mac,
        values: Values::Plain,
        losses: Losses::Repeat,
        extract: request.extract.as_ref(),
    };
    let opened = sops::decrypt(&request.file, identities, &options)?;
    let warnings = Report {
        findings: opened.warnings,
    };
    Ok((opened.bytes, warnings))
}

/// How one plain file is sealed.
#[derive(Debug)]
pub struct EncryptRequest<'a> {
    /// The file.
    pub file: PlainFile<'a>,
    /// The real path of the file, for `path_regex`.
    pub path: &'a Path,
    /// The configuration, and the directory it is in.
    pub config: Option<(&'a Config, &'a Path)>,
    /// What the command line says instead.
    pub given: RuleOverride,
    /// How the result is indented.
    pub indents: Indents,
    /// The sealed file that the result replaces.
    pub previous: Option<SealedFile<'a>>,
}

/// Seals one plain file as `sops encrypt` does, and keeps what an earlier sealed version already says.
///
/// Fails with [`Code::SopsNoRule`] without a rule or recipient, and as [`sops::encrypt`] does.
pub fn encrypt(
    request: &EncryptRequest<'_>,
    identities: &Identities,
    sealer: &mut Sealer<'_>,
) -> Result<(Vec<u8>, Report)> {
    let rule = rule_of(request.path, request.config, &request.given, identities)?;
    let previous = request.previous.as_ref().map(|file| (file, identities));
    let indents = &request.indents;
    let sealed = sops::encrypt(&request.file, previous, &rule, indents, sealer)?;
    let findings = sops::inexact_numbers(&request.file, &rule);
    Ok((sealed, Report { findings }))
}

/// The creation rule of a file: that of a configuration in a directory, and what the command line says instead.
///
/// Fails with [`Code::SopsNoRule`] where there is neither, and says which rule is missing.
pub fn rule_of(
    path: &Path,
    config: Option<(&Config, &Path)>,
    given: &RuleOverride,
    identities: &Identities,
) -> Result<CreationRule> {
    let is_named = given.age.is_some() || !given.services.is_empty();
    let written = match config.filter(|(config, _)| config.has_rules()) {
        Some((config, directory)) => match config.rule_for(&below(path, directory)) {
            Ok(rule) => Some(rule),
            // The recipients of the command line need no rule.
            Err(error) if error.code() == Code::SopsNoRule && is_named => None,
            Err(error) if error.code() == Code::SopsNoRule => {
                return Err(without_rule(error, config, path, identities));
            }
            Err(error) => return Err(error),
        },
        None => None,
    };
    CreationRule::with(written, given)?.ok_or_else(|| {
        let phrase = "nothing says whom this file is to be sealed for";
        let rule = lacking_rule(path, identities, None);
        Diagnostic::new(Code::SopsNoRule, phrase).help(format!(
            "write this into .sops.yaml, or give --age:\ncreation_rules:\n{rule}"
        ))
    })
}

/// A path as `path_regex` is compared with it: below the directory of the configuration where it is.
pub fn below(path: &Path, directory: &Path) -> String {
    let path = cleaned(path);
    let path = path.strip_prefix(directory).unwrap_or(&path);
    path.to_string_lossy().into_owned()
}

/// Proposes a rule for a file that none fits; never one that is weaker than those that are there.
fn without_rule(
    error: Diagnostic,
    config: &Config,
    path: &Path,
    identities: &Identities,
) -> Diagnostic {
    let error = match config.first_recipients() {
        Some(known) => {
            let rule = lacking_rule(path, identities, Some(known));
            error.help(format!("add this to `creation_rules`:\n{rule}"))
        }
        None => error.help(
            "add a rule with a `path_regex` for it, and the `key_groups` and `shamir_threshold` of a rule that is there",
        ),
    };
    error.help("or name the recipients with --age, which needs no rule")
}

/// A path without `.` and `..`, as sops compares it with `path_regex`.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            // There is nothing above `/`, where this does nothing.
            Component::ParentDir => drop(clean.pop()),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => clean.push(part),
        }
    }
    clean
}

/// The creation rule that a file lacks, for the recipients of other rules or the first identity at hand.
fn lacking_rule(path: &Path, identities: &Identities, known: Option<String>) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut pattern = String::new();
    for c in name.chars() {
        if ".+*?()|[]{}^$\\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    let own = || identities.public_keys().next().map(str::to_owned);
    let recipient = known.or_else(own).unwrap_or_else(|| "age1…".to_owned());
    format!("  - path_regex: (^|/){pattern}$\n    age: {recipient}")
}

/// Whether a file is sealed, told by its name and its bytes.
pub fn is_sealed(bytes: &[u8], path: &Path) -> bool {
    detect(bytes, &path.to_string_lossy()).is_some()
}
