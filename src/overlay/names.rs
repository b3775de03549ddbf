//! Names: what the root calls an object, what the build will call it, and what a file is called.

use super::world::World;
use crate::kube::{Gvk, ResId, Resource, Scope};

impl World<'_, '_> {
    /// A text with the host's variables filled in.
    pub(super) fn filled(&self, text: &str) -> String {
        self.request
            .host
            .substitute
            .map_or_else(|| text.to_owned(), |fill| fill(text))
    }

    /// The identity that an object gets which the root lists.
    pub(super) fn final_id(&self, resource: &Resource) -> ResId {
        let scoped = resource.gvk().scope() == Scope::Namespaced;
        let namespace = match (&self.root.namespace, scoped) {
            (Some(namespace), true) => namespace.as_str(),
            _ => resource.namespace(),
        };
        ResId {
            scope: resource.scope(),
            gvk: resource.gvk().clone(),
            namespace: self.filled(namespace).into(),
            name: self
                .filled(&self.root.name_after(resource.gvk(), resource.name()))
                .into(),
        }
    }

    /// The `target` of a patch on a built object, as the root knows it when its patches apply.
    pub(super) fn patch_target(&self, resource: &Resource) -> String {
        let Gvk {
            group,
            version,
            kind,
        } = resource.gvk();
        let name = self
            .root
            .name_at_patches(resource.gvk(), resource.name())
            .unwrap_or_else(|| resource.original_name());
        let mut parts = Vec::new();
        if !group.is_empty() {
            parts.push(format!("group: {group}"));
        }
        parts.push(format!("version: {version}"));
        parts.push(format!("kind: {kind}"));
        parts.push(format!("name: {}", pattern(name)));
        let namespace =
            Some(resource.namespace()).filter(|n| !n.is_empty() && self.root.namespace.is_none());
        parts.extend(namespace.map(|n| format!("namespace: {}", pattern(n))));
        format!("{{{}}}", parts.join(", "))
    }
}

/// A name as the regular expression that a patch target takes, quoted where YAML needs it.
fn pattern(name: &str) -> String {
    let escaped = regex::escape(name).replace(r"\-", "-");
    let plain = escaped
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '\\'));
    let starts = escaped.starts_with(|c: char| c.is_ascii_alphabetic());
    if plain && starts && !escaped.contains('\\') {
        escaped
    } else {
        format!("'{escaped}'")
    }
}

/// A file name with nothing in it that a shell, a URL or YAML would read otherwise.
pub(super) fn file_name(name: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().filter(fits).collect()
}
