//! Whether the finished build holds what overlays listed in its root.
//!
//! The root's own renames are read from its kustomization. What else may rename or drop an object, such as a
//! transformer that is a program, shows here: nothing that was added is lost without a word.

use super::draft::NewObject;
use super::{Expansion, Instance};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{Gvk, ResId, ResMap};
use crate::yaml::Node;

/// What the finished build must hold of an instance.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// An object of this kind and name.
    Added(Gvk, String),
    /// Another content of this object than without the overlays.
    Changed(ResId),
}

impl Expected {
    pub(super) fn added(object: &NewObject) -> Self {
        Self::Added(object.id.gvk.clone(), object.built_name.clone())
    }

    fn holds(&self, before: &ResMap, after: &ResMap) -> bool {
        match self {
            Self::Added(gvk, name) => after.iter().any(|r| r.gvk() == gvk && r.name() == name),
            Self::Changed(id) => content(before, id) != content(after, id),
        }
    }

    fn phrase(&self, instance: &Instance) -> String {
        let overlay = &instance.overlay;
        match self {
            Self::Added(gvk, name) => {
                format!(
                    "{overlay} adds {}/{name}, and the build has no such object",
                    gvk.kind
                )
            }
            Self::Changed(id) => {
                format!("{overlay} patches {id}, and the build does not change it")
            }
        }
    }
}

fn content<'r>(resources: &'r ResMap, id: &ResId) -> Option<&'r Node> {
    let found = resources.iter().find(|r| r.id().is_same(id));
    found.map(|r| r.node())
}

impl Instance {
    /// The objects that must not drop a flow which CloudNativePG needs.
    pub fn guarded(&self) -> &[ResId] {
        &self.guarded
    }
}

impl Expansion<'_> {
    /// Tells what the finished build lacks of the expansion: `before` is the build without overlays, `after`
    /// the one of [`Expansion::view`]. Fails with [`Code::OverlayRoot`].
    pub fn verify(&self, before: &ResMap, after: &ResMap) -> Report {
        let mut report = Report::default();
        for instance in &self.instances {
            let lost = instance.expected.iter().find(|e| !e.holds(before, after));
            if let Some(lost) = lost {
                let phrase = lost.phrase(instance);
                let finding = Diagnostic::new(Code::OverlayRoot, phrase)
                    .note("a transformer of the root renames, reverts or removes it in a way that overlays do not see")
                    .help(format!("skip {} for {}, or rename by namePrefix and nameSuffix", instance.overlay, instance.target));
                report.push(finding);
            }
        }
        report
    }
}
