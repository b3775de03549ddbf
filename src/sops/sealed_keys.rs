//! The keys that a sealed file is sealed for, compared with a rule and changed; its values are not opened.
//!
//! Follows `updatekeys`, `groups add` and `groups delete` of sops 3.13 (cmd/sops/subcommand), with what
//! `DiffKeyGroups` prints. On purpose what is wrapped for a key that stays is kept.

use super::document::Branches;
use super::keys::{Identities, MasterKey, unwrap_data_key};
use super::metadata::{self, Metadata};
use super::open::{self, SealedFile};
use super::seal::{self, Sealer};
use super::stores::Indents;
use super::unsealed::keys_of;
use super::wrap::rewrap;
use super::{CreationRule, Format, RuleOverride};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// A sealed file of which the keys are looked at.
pub struct SealedKeys {
    name: String,
    format: Format,
    branches: Branches,
    metadata: Metadata,
}

impl std::fmt::Debug for SealedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedKeys")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What a rule changes about the keys of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyChanges {
    /// Group by group, of whichever has more.
    pub groups: Vec<GroupChange>,
    /// How many groups are needed: before and then; 0 where nothing says it.
    pub threshold: (usize, usize),
}

/// What a rule changes about the keys of a group, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupChange {
    /// Those that stay.
    pub common: Vec<String>,
    /// Those that come.
    pub added: Vec<String>,
    /// Those that go.
    pub removed: Vec<String>,
}

impl KeyChanges {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        let same = |group: &GroupChange| group.added.is_empty() && group.removed.is_empty();
        self.threshold.0 == self.threshold.1 && self.groups.iter().all(same)
    }
}

/// Which threshold a change of keys leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// That of the file, as `sops updatekeys` does; no more than there are groups.
    OfTheFile,
    /// That of the rule.
    OfTheRule,
}

impl SealedKeys {
    /// Reads a file without opening it. Fails with [`Code::SopsNotSealed`], `SopsForm` and `SopsMetadata`.
    pub fn load(file: &SealedFile<'_>) -> Result<Self> {
        let (branches, metadata) =
            open::load(file).map_err(|error| error.or_at(Place::file(file.name)))?;
        Ok(Self {
            name: file.name.to_owned(),
            format: file.format,
            branches,
            metadata,
        })
    }

    /// When it was sealed last, in RFC 3339.
    pub fn modified(&self) -> &str {
        self.metadata.last_modified.as_str()
    }

    /// Whether it has a MAC, without which it is not sealed.
    pub fn has_mac(&self) -> bool {
        !self.metadata.mac.is_empty()
    }

    /// Says what a rule changes.
    pub fn compare(&self, rule: &CreationRule, threshold: Threshold) -> KeyChanges {
        let (ours, theirs) = (&self.metadata.groups, &rule.groups);
        let names = |index: usize| -> (Vec<&str>, Vec<&str>) {
            let ours = ours.get(index).map(|group| group.names().collect());
            let theirs = theirs
                .get(index)
                .map(|g| g.iter().map(MasterKey::name).collect());
            (ours.unwrap_or_default(), theirs.unwrap_or_default())
        };
        let groups = (0..ours.len().max(theirs.len())).map(|index| {
            let (ours, theirs) = names(index);
            let with = |list: &[&str], other: &[&str], wanted: bool| {
                let chosen = list.iter().filter(|name| other.contains(name) == wanted);
                chosen.map(|name| (*name).to_owned()).collect()
            };
            GroupChange {
                common: with(&theirs, &ours, true),
                added: with(&theirs, &ours, false),
                removed: with(&ours, &theirs, false),
            }
        });
        KeyChanges {
            groups: groups.collect(),
            threshold: (self.metadata.threshold, self.threshold_of(rule, threshold)),
        }
    }

    fn threshold_of(&self, rule: &CreationRule, threshold: Threshold) -> usize {
        match threshold {
            Threshold::OfTheFile => self.metadata.threshold.min(rule.groups.len()),
            Threshold::OfTheRule => rule.threshold,
        }
    }

    /// Seals the data key for the keys of a rule; the values stay as they are.
    ///
    /// Fails with [`Code::SopsNoIdentity`] where no identity opens the file, and [`Code::SopsRecipient`] for a key that
    /// only its service can wrap for.
    pub fn update(
        self,
        rule: &CreationRule,
        threshold: Threshold,
        identities: &Identities,
        (indents, sealer): (&Indents, &mut Sealer<'_>),
    ) -> Result<Vec<u8>> {
        let threshold = self.threshold_of(rule, threshold);
        self.regroup(&rule.groups, threshold, identities, (indents, sealer))
    }

    /// Adds a key group. Fails as [`Self::update`] does, and where no key is given.
    pub fn add_group(
        self,
        given: &RuleOverride,
        identities: &Identities,
        (indents, sealer): (&Indents, &mut Sealer<'_>),
    ) -> Result<Vec<u8>> {
        let group = MasterKey::of_flags(given.age.as_deref(), &given.services)
            .and_then(|keys| keys.ok_or_else(|| "the group has no key".to_owned()))
            .map_err(|phrase| Diagnostic::new(Code::SopsRecipient, phrase))?;
        let mut groups = keys_of(&self.metadata.groups)?;
        groups.push(group);
        let threshold = given.threshold.unwrap_or(self.metadata.threshold);
        self.regroup(&groups, threshold, identities, (indents, sealer))
    }

    /// Takes a key group away, counted from 0. Fails as [`Self::update`] does, and where too few are left.
    pub fn delete_group(
        self,
        index: usize,
        threshold: Option<usize>,
        identities: &Identities,
        (indents, sealer): (&Indents, &mut Sealer<'_>),
    ) -> Result<Vec<u8>> {
        let mut groups = keys_of(&self.metadata.groups)?;
        let usage = |phrase: String| Diagnostic::new(Code::Usage, phrase);
        if index >= groups.len() {
            let phrase = format!("there is no key group {index}: there are {}", groups.len());
            return Err(usage(phrase).note("key groups are counted from 0"));
        }
        groups.remove(index);
        let threshold = threshold.unwrap_or(self.metadata.threshold);
        if groups.is_empty() || groups.len() < threshold {
            let phrase = format!(
                "{} key groups would be left, and {} are needed",
                groups.len(),
                threshold.max(1)
            );
            return Err(usage(phrase).help("lower --shamir-secret-sharing-threshold"));
        }
        self.regroup(&groups, threshold, identities, (indents, sealer))
    }

    fn regroup(
        self,
        groups: &[Vec<MasterKey>],
        threshold: usize,
        identities: &Identities,
        (indents, sealer): (&Indents, &mut Sealer<'_>),
    ) -> Result<Vec<u8>> {
        let at = |error: Diagnostic| error.or_at(Place::file(self.name.as_str()));
        let key = unwrap_data_key(&self.metadata, identities).map_err(at)?;
        let threshold = match (groups.len(), threshold) {
            (count @ 2.., 0) => count,
            (2.., 1) => {
                let phrase = "one of several key groups would be enough; two are the least";
                return Err(at(Diagnostic::new(Code::Usage, phrase)));
            }
            (count, threshold) if threshold > count => {
                let phrase =
                    format!("{threshold} key groups would be needed, and there are {count}");
                return Err(at(Diagnostic::new(Code::Usage, phrase)));
            }
            (_, threshold) => threshold,
        };
        let before = (&*self.metadata.groups, self.metadata.threshold);
        let wrapped = rewrap(&key, groups, threshold, before, sealer).map_err(at)?;
        let mut raw = self.metadata.raw;
        metadata::set_keys(&mut raw, &wrapped, threshold);
        seal::write(&self.name, self.branches, raw, (self.format, indents))
    }
}
