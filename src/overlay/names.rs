//! Names: what the root calls an object, what the build will call it, and what a file is called.

use super::world::RootObjects;
use crate::kube::{Gvk, ResId, Resource, Scope};
use crate::yaml::{self, JsonStyle, Node, Schema, Tag};

impl RootObjects<'_, '_> {
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

/// Names that YAML 1.1, which kustomizations are read with, takes for something else.
const NO_TEXT: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// A text as YAML has it: in quotes where it would be read for something else.
pub(super) fn as_text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/');
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    let is_text = yaml::resolve(text, Schema::Go) == Tag::Str && !NO_TEXT.contains(&text);
    // `1:30` and `1_000` are numbers to YAML 1.1; nothing like them is plain here.
    if starts && is_text && text.chars().all(plain) && !text.contains('_') {
        return text.to_owned();
    }
    let mut quoted = Vec::new();
    match yaml::write_json(&mut quoted, &Node::string(text), JsonStyle::Sorted) {
        Ok(()) => String::from_utf8_lossy(&quoted).into_owned(),
        Err(_) => format!("'{}'", text.replace('\'', "''")),
    }
}

/// A name as the regular expression that a patch target takes, quoted where YAML needs it.
fn pattern(name: &str) -> String {
    let escaped = regex::escape(name).replace(r"\-", "-");
    if escaped.contains('\\') {
        return format!("'{escaped}'");
    }
    as_text(&escaped)
}

/// A file name with nothing in it that a shell, a URL or YAML would read otherwise.
pub(super) fn file_name(name: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().filter(fits).collect()
}
