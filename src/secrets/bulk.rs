//! All sealed files of a repository at once: `secrets updatekeys` and `secrets rotate`.
//!
//! Every new file is made in memory before the first is written, and opened by its key again: a step that fails for one file
//! changes none, and one that would lock its user out is refused.

use rayon::prelude::*;

use super::repository::Entry;
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::sops::{
    Ciphertext, Identities, KeyChanges, MacCheck, RuleOverride, SealedFile, SealedKeys, Sealer,
    Threshold, Unsealed, can_open,
};

/// What becomes of one file.
#[derive(Debug)]
pub struct Step<'a> {
    /// The file.
    pub entry: &'a Entry,
    /// What changes about its keys; nothing for a rotation.
    pub changes: KeyChanges,
    /// Its new bytes.
    pub bytes: Vec<u8>,
}

/// Whether a step may leave a file that the user cannot open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockOut {
    /// It may not.
    Refused,
    /// The user said so.
    Allowed,
}

/// Makes a sealer for each file: they are sealed in parallel.
pub type MakeSealer<'a> = &'a (dyn Fn(&mut dyn FnMut(&mut Sealer<'_>)) + Sync);

/// Seals the data key of each file for whom its rule names. Files without a rule, or that differ in nothing, are left out.
///
/// Fails with what is wrong with any of them; then nothing is to be written.
pub fn update_keys<'a>(
    entries: &'a [Entry],
    identities: &Identities,
    lock_out: LockOut,
    make_sealer: MakeSealer<'_>,
) -> Result<Vec<Step<'a>>, Report> {
    each(entries, |entry, sealed| {
        let Some(rule) = &entry.rule else {
            return Ok(None);
        };
        let rule = rule.as_ref().map_err(Clone::clone)?;
        let keys = SealedKeys::load(&sealed)?;
        let changes = keys.compare(rule, Threshold::OfTheRule);
        if changes.is_empty() {
            return Ok(None);
        }
        let bytes = with_sealer(make_sealer, |sealer| {
            let how = (&entry.indents, sealer);
            SealedKeys::load(&sealed)?.update(rule, Threshold::OfTheRule, identities, how)
        })?;
        opens(&sealed, &bytes, identities, lock_out)?;
        Ok(Some(Step {
            entry,
            changes,
            bytes,
        }))
    })
}

/// Makes the data key of each file anew, for the keys that it has.
///
/// Fails as [`update_keys`] does.
pub fn rotate<'a>(
    entries: &'a [Entry],
    identities: &Identities,
    lock_out: LockOut,
    make_sealer: MakeSealer<'_>,
) -> Result<Vec<Step<'a>>, Report> {
    let nobody = RuleOverride::default();
    each(entries, |entry, sealed| {
        let bytes = with_sealer(make_sealer, |sealer| {
            let fresh = Ciphertext::Fresh;
            let mut document = Unsealed::open(&sealed, identities, MacCheck::Verify, fresh)?;
            document.rotate(&nobody, &nobody, sealer)?;
            document.seal(sealed.format, &entry.indents, sealer)
        })?;
        opens(&sealed, &bytes, identities, lock_out)?;
        Ok(Some(Step {
            entry,
            changes: KeyChanges::default(),
            bytes,
        }))
    })
}

fn each<'a>(
    entries: &'a [Entry],
    work: impl Fn(&'a Entry, SealedFile<'a>) -> Result<Option<Step<'a>>> + Sync,
) -> Result<Vec<Step<'a>>, Report> {
    let sealed: Vec<_> = entries
        .iter()
        .filter_map(|entry| Some((entry, entry.sealed_file()?)))
        .collect();
    let done: Vec<_> = sealed
        .into_par_iter()
        .map(|(entry, sealed)| {
            work(entry, sealed).map_err(|error| error.or_at(Place::file(sealed.name)))
        })
        .collect();
    let (mut steps, mut report) = (Vec::new(), Report::default());
    for result in done {
        match result {
            Ok(step) => steps.extend(step),
            Err(error) => report.findings.push(error),
        }
    }
    if report.is_empty() {
        Ok(steps)
    } else {
        Err(report)
    }
}

fn with_sealer(
    make_sealer: MakeSealer<'_>,
    work: impl FnOnce(&mut Sealer<'_>) -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    let (mut work, mut made) = (Some(work), None);
    make_sealer(&mut |sealer| made = work.take().map(|work| work(sealer)));
    made.expect("a sealer is made once")
}

/// Whether what was made opens again for the user.
fn opens(
    before: &SealedFile<'_>,
    bytes: &[u8],
    identities: &Identities,
    lock_out: LockOut,
) -> Result<()> {
    let after = SealedFile { bytes, ..*before };
    if lock_out == LockOut::Allowed || can_open(&after, identities)? {
        return Ok(());
    }
    let phrase = "none of your identities would open the file any more";
    Err(Diagnostic::new(Code::SopsRecipient, phrase)
        .at(Place::file(before.name))
        .help("add your recipient to the rule, or say --lock-out"))
}
