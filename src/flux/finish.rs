//! What the controller does with what was built, before it applies it.

use super::kustomization::{GROUP, Kustomization};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::yaml::{Mapping, Node};

/// Whether objects are labelled with the Kustomization that they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerLabels {
    /// As the controller does when it applies them.
    Add,
    /// As the build gives them.
    Omit,
}

/// Drops what is no object of a cluster, and sets owner labels and `commonMetadata`.
///
/// Fails with [`Code::SealedLeftover`] for each sealed object, where the Kustomization does not decrypt.
pub(super) fn finish(
    kustomization: &Kustomization,
    resources: &mut ResMap,
    owner: OwnerLabels,
) -> Result<(), Report> {
    let sealed = sealed(kustomization, resources);
    if !sealed.is_empty() {
        return Err(sealed);
    }
    label(kustomization, resources, owner);
    Ok(())
}

/// Drops what is not an object of a cluster, and sets owner labels and `commonMetadata`.
pub(super) fn label(kustomization: &Kustomization, resources: &mut ResMap, owner: OwnerLabels) {
    resources.retain(|r| {
        let is_kustomization =
            r.gvk().group == "kustomize.config.k8s.io" && r.kind() == "Kustomization";
        !is_kustomization && !r.name().is_empty()
    });
    let mut labels = Vec::new();
    if owner == OwnerLabels::Add {
        labels.push((format!("{GROUP}/name"), kustomization.id.name.clone()));
        labels.push((
            format!("{GROUP}/namespace"),
            kustomization.id.namespace.clone(),
        ));
    }
    labels.extend(kustomization.labels.iter().cloned());
    let annotations = &kustomization.annotations;
    if labels.is_empty() && annotations.is_empty() {
        return;
    }
    for resource in resources.iter_mut() {
        resource.change(|node| {
            set(node, "labels", &labels);
            set(node, "annotations", annotations);
        });
    }
}

fn set(node: &mut Node, field: &str, pairs: &[(String, String)]) {
    let metadata = node.get_mut("metadata").and_then(Node::as_mapping_mut);
    let Some(metadata) = metadata.filter(|_| !pairs.is_empty()) else {
        return;
    };
    let entry = metadata.get_or_insert_with(field, Node::mapping);
    // As `GetLabels` does: where one value is not a string, it returns none of them.
    let is_kept = |mapping: &Mapping| mapping.iter().all(|(_, value)| value.as_str().is_some());
    if !entry.as_mapping().is_some_and(is_kept) {
        *entry = Node::mapping();
    }
    if let Some(mapping) = entry.as_mapping_mut() {
        for (name, value) in pairs {
            mapping.insert(name.as_str(), Node::string(value.as_str()));
        }
    }
}

/// Sealed objects that the controller would refuse to apply.
fn sealed(kustomization: &Kustomization, resources: &ResMap) -> Report {
    let mut report = Report::default();
    if kustomization.decrypts {
        return report;
    }
    for resource in resources.iter().filter(|r| is_sealed(r)) {
        let phrase = format!(
            "{} is sealed, and {} does not decrypt",
            resource.id(),
            kustomization.shown()
        );
        let place = kustomization.place.as_ref().map(|p| format!(" ({p})"));
        report.push(
            Diagnostic::new(Code::SealedLeftover, phrase)
                .at(resource.place())
                .note("the controller refuses to apply it")
                .help(format!(
                    "set spec.decryption.provider: sops and its secretRef on {}{}",
                    kustomization.shown(),
                    place.unwrap_or_default()
                )),
        );
    }
    report
}

fn is_sealed(resource: &Resource) -> bool {
    let switch = format!("{GROUP}/decrypt");
    let metadata = ["metadata", "annotations", switch.as_str()];
    let is_off = resource.node().lookup(&metadata).and_then(Node::as_str) == Some("disabled");
    !is_off && resource.node().lookup(&["sops", "mac"]).is_some()
}
