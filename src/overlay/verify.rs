//! Whether the finished build holds what overlays listed in its root.
//!
//! The root's own renames are read from its kustomization. What else may rename or drop an object, such as a
//! transformer that is a program, shows here: nothing that was added is lost without a word.

use super::draft::NewObject;
use super::meaning::has_same_content;
use super::{Expansion, Instance};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{Gvk, ResId, ResMap};
use crate::yaml::Node;

/// What the finished build must hold of an instance.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// An object of this kind and name.
    Added(Gvk, String),
    /// The same, with this content: nobody may change what an administrator asks for.
    Intact(Gvk, String, Node),
    /// Another content of this object than without the overlays.
    Changed(ResId),
}

impl Expected {
    pub(super) fn added(object: &NewObject, is_mandatory: bool) -> Self {
        let (gvk, name) = (object.id.gvk.clone(), object.built_name.clone());
        if is_mandatory {
            Self::Intact(gvk, name, object.node.clone())
        } else {
            Self::Added(gvk, name)
        }
    }

    fn holds(&self, before: &ResMap, after: &ResMap) -> bool {
        match self {
            Self::Added(gvk, name) => after.iter().any(|r| r.gvk() == gvk && r.name() == name),
            Self::Intact(gvk, name, node) => after
                .iter()
                .any(|r| r.gvk() == gvk && r.name() == name && has_same_content(node, r.node())),
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
            Self::Intact(gvk, name, _) => {
                format!(
                    "{overlay} is mandatory here, and the build changes its {}/{name}",
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

impl Expansion {
    /// Tells what the finished build lacks of the expansion: `before` is the build without overlays, `after`
    /// the one of [`Expansion::view`]. Fails with [`Code::OverlayRoot`].
    pub fn verify(&self, before: &ResMap, after: &ResMap) -> Report {
        let mut report = Report::default();
        for instance in &self.instances {
            let lost = instance.expected.iter().find(|e| !e.holds(before, after));
            if let Some(lost) = lost {
                let finding = Diagnostic::new(Code::OverlayRoot, lost.phrase(instance));
                let finding = match lost {
                    Expected::Intact(..) => finding.help("take what changes it out of the root's patches and transformers"),
                    Expected::Added(..) | Expected::Changed(_) => finding
                        .note("a transformer of the root renames, reverts or removes it in a way that overlays do not see")
                        .help(format!("skip {} for {}, or rename by namePrefix and nameSuffix", instance.overlay, instance.target)),
                };
                report.push(finding);
            }
        }
        report
    }
}
