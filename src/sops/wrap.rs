//! Wraps a data key, or its shares, for the keys of every group.
//!
//! Follows `Metadata.UpdateMasterKeysWithKeyServices` of sops 3.13 (sops.go): one group holds the whole data key, several
//! hold shares of it. On purpose what is wrapped already is kept, and a key whose service would be needed is named.

use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::cipher::DataKey;
use super::keys::MasterKey;
use super::metadata::{AgeKey, Group, OtherKey};
use super::seal::Sealer;
use super::shamir;
use crate::diagnostic::{Code, Diagnostic, Result};

/// Wraps a new data key for the keys of a rule.
pub(super) fn wrap(
    key: &DataKey,
    groups: &[Vec<MasterKey>],
    threshold: usize,
    sealer: &mut Sealer<'_>,
) -> Result<Vec<Group>> {
    wrap_anew(key, groups, threshold, &[], sealer)
}

/// Wraps the data key of a file for other keys; those that are there keep what was wrapped for them, where their
/// share stays the same. `before` are the groups of the file and their threshold.
pub(super) fn rewrap(
    key: &DataKey,
    groups: &[Vec<MasterKey>],
    threshold: usize,
    (before, threshold_before): (&[Group], usize),
    sealer: &mut Sealer<'_>,
) -> Result<Vec<Group>> {
    let is_known = |(new, old): (&Vec<MasterKey>, &Group)| {
        new.iter()
            .all(|key| old.names().any(|name| name == key.name()))
    };
    let same_split = groups.len() == before.len()
        && (groups.len() == 1
            || threshold == threshold_before && groups.iter().zip(before).all(is_known));
    let before = if same_split { before } else { &[] };
    wrap_anew(key, groups, threshold, before, sealer)
}

fn wrap_anew(
    key: &DataKey,
    groups: &[Vec<MasterKey>],
    threshold: usize,
    before: &[Group],
    sealer: &mut Sealer<'_>,
) -> Result<Vec<Group>> {
    let whole = Zeroizing::new(key.expose_secret().to_vec());
    let shares = if groups.len() > 1 {
        let count = u8::try_from(groups.len()).map_err(|_| too_many())?;
        let threshold = u8::try_from(threshold).map_err(|_| too_many())?;
        shamir::split(&whole, count, threshold, &mut *sealer.random)
    } else {
        vec![whole]
    };
    let none = Group::default();
    let groups = groups.iter().zip(&shares).enumerate();
    groups
        .map(|(index, (group, share))| wrap_group(group, share, before.get(index).unwrap_or(&none)))
        .collect()
}

fn too_many() -> Diagnostic {
    Diagnostic::new(Code::SopsRecipient, "there are more than 255 key groups")
}

fn wrap_group(keys: &[MasterKey], share: &[u8], before: &Group) -> Result<Group> {
    let mut group = Group::default();
    for key in keys {
        let known_age = before.age.iter().find(|old| old.recipient == key.name());
        let known_other = before.others.iter().find(|old| old.key.name == key.name());
        match (key, known_age, known_other) {
            (MasterKey::Age(_), Some(known), _) => group.age.push(known.clone()),
            (MasterKey::Age(recipient), None, _) => {
                let wrapped = recipient
                    .wrap(share)
                    .map_err(|phrase| Diagnostic::new(Code::SopsRecipient, phrase))?;
                group.age.push(AgeKey::new(recipient.as_str(), wrapped));
            }
            (MasterKey::Service(_), _, Some(known)) => group.others.push(OtherKey::clone(known)),
            (MasterKey::Service(key), _, None) => return Err(needs_service(&key.shown())),
        }
    }
    Ok(group)
}

/// The error for a key that only its service can wrap for.
pub(super) fn needs_service(shown: &str) -> Diagnostic {
    let phrase = format!(
        "a data key would have to be wrapped by {shown}, and key services are not supported"
    );
    Diagnostic::new(Code::SopsRecipient, phrase)
        .note("a file that is sealed for such a key already can be edited here, as long as its data key stays")
        .help("use `sops` for this step, or name age recipients alone")
}
