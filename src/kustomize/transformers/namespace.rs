//! Moves objects into a namespace.

use compact_str::CompactString;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::{Gvk, ResMap, Resource, Scope};
use crate::kustomize::decode::record;
use crate::kustomize::fault::Fault;
use crate::kustomize::fieldspec::{self, CREATE, FieldSpec, Missing, need_scalar, row};
use crate::kustomize::metadata::FROM_HELM;
use crate::kustomize::scalar;
use crate::yaml::{Node, Tag};

/// Which subjects of role bindings are moved too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Subjects {
    /// Those that are named `default`, of whatever kind.
    #[default]
    NamedDefault,
    /// Every ServiceAccount.
    ServiceAccounts,
    /// None.
    None,
}

/// What to move, and where.
#[derive(Debug, Clone)]
pub(crate) struct Namespace<'a> {
    /// The namespace.
    pub(crate) name: &'a str,
    /// The fields beside `metadata.namespace`.
    pub(crate) fields: &'a [FieldSpec],
    /// Whether a namespace that is set stays.
    pub(crate) unset_only: bool,
    /// Which subjects of role bindings are moved too.
    pub(crate) subjects: Subjects,
    /// Whether what helm made is moved too.
    pub(crate) moves_charts: bool,
}

record! {
    /// The options that only a `NamespaceTransformer` has.
    pub(crate) struct NamespaceOptions {
        /// Whether a namespace that is set stays.
        unset_only: bool = "unsetOnly",
        /// `defaultOnly`, `allServiceAccounts` or `none`.
        set_role_binding_subjects: CompactString = "setRoleBindingSubjects",
    }
}

static OF_THE_OBJECT: FieldSpec = row("", "", "", "metadata/namespace", CREATE);

impl Namespace<'_> {
    /// Moves every namespaced object. Fails with [`Code::ResourceDuplicate`] when two become the same.
    pub(crate) fn apply(&self, resources: &mut ResMap) -> Result<()> {
        if self.name.is_empty() {
            return Ok(());
        }
        for resource in resources.iter_mut().filter(|r| !r.is_empty()) {
            if !self.moves_charts && is_from_helm(resource) {
                continue;
            }
            resource.remember_id();
            self.set_in(resource)?;
        }
        self.refuse_duplicates(resources)
    }

    /// Moves one object, whatever else there is.
    pub(crate) fn set_in(&self, resource: &mut Resource) -> Result<()> {
        if resource.scope() == Scope::Namespaced {
            fieldspec::apply(
                resource,
                [&OF_THE_OBJECT],
                Missing::Scalar(Tag::Str),
                |node| self.set(node),
            )?;
        }
        let is_binding = matches!(resource.kind(), "RoleBinding" | "ClusterRoleBinding");
        if is_binding {
            let set = resource.change(|node| self.set_in_subjects(node));
            set.map_err(|fault| fault.of(resource))?;
        }
        let gvk = resource.gvk().clone();
        let fields = self
            .fields
            .iter()
            .filter(|f| !is_handled(f, &gvk, is_binding));
        fieldspec::apply(resource, fields, Missing::Scalar(Tag::Str), |node| {
            self.set(node)
        })
    }

    fn set(&self, node: &mut Node) -> Result<(), Fault> {
        need_scalar(node)?;
        let is_set = !scalar::is_null(node) && node.scalar_text().is_some_and(|t| !t.is_empty());
        if !(self.unset_only && is_set) {
            scalar::set(node, self.name, Tag::Str);
        }
        Ok(())
    }

    fn set_in_subjects(&self, node: &mut Node) -> Result<(), Fault> {
        let subjects = node.get_mut("subjects").and_then(Node::as_sequence_mut);
        for subject in subjects.into_iter().flatten() {
            if let (Subjects::NamedDefault, Some(name)) = (self.subjects, subject.get("name")) {
                need_scalar(name)?;
            }
            let is =
                |key: &str, text: &str| subject.get(key).and_then(Node::scalar_text) == Some(text);
            let selected = match self.subjects {
                Subjects::NamedDefault => is("name", "default"),
                Subjects::ServiceAccounts => is("kind", "ServiceAccount"),
                Subjects::None => false,
            };
            let Some(subject) = subject.as_mapping_mut().filter(|_| selected) else {
                continue;
            };
            self.set(subject.get_or_insert_with("namespace", || scalar::untagged("")))?;
        }
        Ok(())
    }

    fn refuse_duplicates(&self, resources: &mut ResMap) -> Result<()> {
        for position in 0..resources.len() {
            let Some(id) = resources.get(position).map(Resource::id) else {
                continue;
            };
            let same = resources.positions_of(&id);
            let [first, second, ..] = same[..] else {
                continue;
            };
            let phrase = format!("namespace {} makes two objects {id}", self.name);
            let places = [first, second].map(|p| resources.get(p).and_then(Resource::place));
            let [first, second] = places;
            let mut error = Diagnostic::new(Code::ResourceDuplicate, phrase).at(second);
            if let Some(first) = first {
                error = error.note(format!("the other is at {first}"));
            }
            return Err(error);
        }
        Ok(())
    }
}

/// Whether helm made an object, as its annotation says.
fn is_from_helm(resource: &Resource) -> bool {
    let path = ["metadata", "annotations", FROM_HELM];
    let value = resource.node().lookup(&path);
    value.and_then(Node::scalar_text) == Some("true")
}

/// Whether a row is left out: because the code above does its work, or because it renames what is no
/// Namespace of the core group.
fn is_handled(field: &FieldSpec, gvk: &Gvk, is_binding: bool) -> bool {
    let is_core_v1 = gvk.group.is_empty() && gvk.version == "v1";
    match &*field.path {
        "metadata/namespace" => true,
        "metadata/name" => !is_core_v1,
        "subjects/namespace" => {
            is_binding && matches!(&*field.kind, "RoleBinding" | "ClusterRoleBinding")
        }
        _ => false,
    }
}
