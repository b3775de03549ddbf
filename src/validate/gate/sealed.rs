//! Nothing that sops sealed is left, but in files that were passed through on purpose.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::GateOptions;
use crate::diagnostic::{Code, Diagnostic, Origin, Report};
use crate::kube::Resource;
use crate::validate::walk::{self, Role, Step};
use crate::yaml::Node;

/// How sops begins a sealed value.
const SEALED: &str = "ENC[AES256_GCM,";

pub(super) fn check(resource: &Resource, options: &GateOptions<'_>, report: &mut Report) {
    if options.keep_sealed && may_be_sealed(resource) {
        return;
    }
    let found = metadata(resource).or_else(|| value(resource));
    report.findings.extend(found);
}

/// With sealed files passed through, only what a template or an overlay made cannot be one of them.
fn may_be_sealed(resource: &Resource) -> bool {
    let origin = resource.source().map(|s| &s.origin);
    !matches!(
        origin,
        Some(Origin::Rendered { .. } | Origin::Overlay { .. })
    )
}

/// The block that sops adds to a document.
fn metadata(resource: &Resource) -> Option<Diagnostic> {
    let entry = resource.node().as_mapping()?.entry("sops")?;
    ["mac", "lastmodified", "version", "age", "pgp"]
        .iter()
        .find(|key| entry.value.get(key).is_some())?;
    let phrase = format!("{} still has its `sops` block", resource.id());
    Some(finding(resource, phrase, &entry.key))
}

fn value(resource: &Resource) -> Option<Diagnostic> {
    let secret = resource.gvk().is("", "Secret");
    let mut found = None;
    walk::scalars(resource.node(), &mut |path, role, node| {
        if found.is_none() && role == Role::Value && is_sealed(node, secret, path) {
            let phrase = format!(
                "{} still has a sealed value in {}",
                resource.id(),
                walk::show(path)
            );
            found = Some(finding(resource, phrase, node));
        }
    });
    found
}

fn is_sealed(node: &Node, secret: bool, path: &[Step<'_>]) -> bool {
    let text = node.scalar_text().unwrap_or_default();
    if text.contains(SEALED) {
        return true;
    }
    // A Secret's data is base64, of a file that was taken for a plain one.
    secret
        && path.first() == Some(&Step::Key("data"))
        && BASE64_STANDARD
            .decode(text.trim())
            .is_ok_and(|bytes| find(&bytes))
}

fn find(bytes: &[u8]) -> bool {
    bytes.windows(SEALED.len()).any(|w| w == SEALED.as_bytes())
}

fn finding(resource: &Resource, phrase: String, node: &Node) -> Diagnostic {
    Diagnostic::new(Code::SealedLeftover, phrase)
        .at(resource.place_of(node))
        .note("the cluster would store the ciphertext as the value")
        .help("sops metadata must stand at the top of the file that it seals; `plugin doctor` lists the files nobody here can open")
}
