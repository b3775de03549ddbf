//! What the controller makes of the objects of an Application: namespaces, and one of those that are the same.
//!
//! Follows `NormalizeTargetObjects` (controller/state.go) of Argo CD 3.6. A kind that is not known counts as
//! namespaced, also where the same render defines it: the cluster is asked, not the render. The version is not
//! a part of the key; an object with a `generateName` has its position in it, and can meet a real name.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::Value;

use super::object::{gvk, name, namespace, set_namespace, text};
use super::tracking::Tracking;
use crate::kube::{Gvk, Scope};

/// What the controller has then.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// The objects; of repeated ones the last.
    pub objects: Vec<Value>,
    /// Keys of resources that were there more than once, and how often.
    pub repeated: Vec<(String, usize)>,
}

/// What the controller knows.
#[derive(Debug, Clone)]
pub struct ControllerState<'a> {
    /// The Application's name, as the host marks objects with it.
    pub application: &'a str,
    /// The namespace of objects that have none.
    pub destination: &'a str,
    /// How objects are marked.
    pub tracking: &'a Tracking,
    /// Kinds that are outside of every namespace besides the built-in ones: group and kind.
    pub cluster_scoped: &'a BTreeSet<(String, String)>,
}

impl ControllerState<'_> {
    /// Settles objects. Fails, in the host's words, where one cannot be marked.
    pub fn settle(&self, objects: Vec<Value>) -> Result<Targets, String> {
        let mut last: IndexMap<String, (Value, usize)> = IndexMap::new();
        for (index, mut object) in objects.into_iter().enumerate() {
            self.settle_namespace(&mut object)?;
            let key = key(&object, index);
            let count = last.get(&key).map_or(0, |(_, count)| *count);
            last.insert(key, (object, count + 1));
        }
        let mut targets = Targets::default();
        for (key, (object, count)) in last {
            if count > 1 {
                targets.repeated.push((key, count));
            }
            targets.objects.push(object);
        }
        Ok(targets)
    }

    fn settle_namespace(&self, object: &mut Value) -> Result<(), String> {
        let has_one = !namespace(object).is_empty();
        match (self.is_cluster_scoped(object), has_one) {
            (true, true) => set_namespace(object, ""),
            (false, false) => set_namespace(object, self.destination),
            _ => return Ok(()),
        }
        self.tracking
            .mark(object, self.application, self.destination)
            .map_err(|words| {
                let shown = format!("{}/{}", gvk(object).2, name(object));
                format!("failed to set app instance label on resource {shown}: {words}")
            })
    }

    fn is_cluster_scoped(&self, object: &Value) -> bool {
        let (group, _, kind) = gvk(object);
        let known = Gvk::new(text(object, &["apiVersion"]), kind).scope();
        known == Scope::Cluster
            || self
                .cluster_scoped
                .contains(&(group.to_owned(), kind.to_owned()))
    }
}

/// `group/kind/namespace/name`, as the host writes it.
fn key(object: &Value, index: usize) -> String {
    let (group, _, kind) = gvk(object);
    let name = match (name(object), text(object, &["metadata", "generateName"])) {
        ("", "") => String::new(),
        ("", prefix) => format!("{prefix}{index}"),
        (name, _) => name.to_owned(),
    };
    format!("{group}/{kind}/{}/{name}", namespace(object))
}
