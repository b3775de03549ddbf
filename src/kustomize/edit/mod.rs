//! Changes the text of a `kustomization.yaml`: what `kustomize edit` does, and whatever else writes one.
//!
//! [`KustomizationText`] is a file that is read strictly, as a build reads it. A [`Change`] is applied to its fields, and
//! [`KustomizationText::write`] gives the new text: the *sparing* form changes the lines that the change concerns and
//! keeps every other byte; the form of the *reference* is that of kustomize v5.8.1, which writes every field anew.

mod change;
mod fields;
mod generator;
pub mod glob;
mod image;
mod label;
mod old;
mod place;
mod reference;
mod same;
mod sparing;
mod style;

pub use change::{Change, Side};
pub use fields::{ListField, MapField, PatchFields};
pub use generator::{GeneratorChange, GeneratorFiles, GeneratorKind};
pub use image::Images;
pub use label::{LabelReach, Pairs};

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::File;
use crate::yaml::Node;

use super::encode::Encode as _;
use super::kustomization::Kustomization;
use super::{Level, documents, read};

/// How a changed kustomization is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// What the change does not concern stays byte for byte.
    #[default]
    Sparing,
    /// The bytes of the reference.
    Reference,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The file is to be written, even where it says the same as before.
    Write,
    /// There was nothing to change: the file stays.
    Nothing,
}

/// A kustomization file that is being changed.
pub struct KustomizationText {
    file: Arc<File>,
    /// As it is written, keys in the case of letters that they have.
    written: Option<Node>,
    /// Its fields before any change.
    as_written: Node,
    /// The same, old names replaced by new ones.
    before: Node,
    kustomization: Kustomization,
    /// Whether the file lists what is missing in it at its top.
    completes: bool,
    form: Form,
}

impl KustomizationText {
    /// Reads a kustomization as strictly as a build does, but for one that says nothing.
    pub fn read(file: Arc<File>, level: Level, form: Form) -> Result<Self> {
        let (written, mut kustomization) = read::unmarshal(&file, level)?;
        let as_written = kustomization.node();
        read::complete(&mut kustomization);
        Ok(Self {
            before: kustomization.node(),
            file,
            written,
            as_written,
            kustomization,
            completes: false,
            form,
        })
    }

    /// Applies a change. What the user should know is added to the report.
    pub fn apply(&mut self, change: &Change, report: &mut Report) -> Result<Effect> {
        self.completes |= matches!(change, Change::Fix { .. });
        let keeps_order = self.form == Form::Sparing;
        change::apply(&mut self.kustomization, change, keeps_order, report)
    }

    /// The entries of `patchesStrategicMerge`: paths or texts.
    pub fn strategic_patches(&self) -> impl Iterator<Item = &str> {
        let entries = self.kustomization.patches_strategic_merge.iter().flatten();
        entries.map(|entry| &*entry.value)
    }

    /// The bytes of the changed file.
    pub fn write(&self) -> Result<Vec<u8>> {
        match self.form {
            Form::Reference => reference::write(&self.file, &self.kustomization),
            Form::Sparing => self.spare(),
        }
    }

    fn spare(&self) -> Result<Vec<u8>> {
        let text = sparing::Original {
            file: &self.file,
            written: self.written.as_ref(),
            fields: &self.before,
        };
        match sparing::rewrite(&text, &self.after()) {
            Some(bytes) => Ok(bytes),
            None => reference::write(&self.file, &self.kustomization),
        }
    }

    /// The fields that the file is to have: what the change leaves as it was stands under the name that it had.
    fn after(&self) -> Node {
        let mut after = self.kustomization.node();
        if self.completes {
            return after;
        }
        for field in ["apiVersion", "kind"] {
            let written = self.written.as_ref();
            // What a file leaves out of its head goes without saying.
            if written.is_none_or(|written| place::entry(written, field).is_none())
                && let Some(mapping) = after.as_mapping_mut()
            {
                mapping.remove(field);
            }
        }
        old::restore(&mut after, &self.before, &self.as_written);
        after
    }
}

/// Whether a file can be read as objects; one without any counts.
pub fn is_manifest(file: &File) -> bool {
    documents::read(file).is_ok()
}

/// The error of a change that cannot be made.
fn refused(phrase: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::EditRefused, phrase.into())
}

/// Notes something that is no error.
fn note(report: &mut Report, phrase: String) {
    report.push(Diagnostic::warning(Code::EditRefused, phrase).at(None::<Place>));
}

#[cfg(test)]
mod tests;
