//! Roles and their bindings. `pkg/apis/rbac/validation`.

use serde_json::Value;

use super::super::look::Look;
use super::super::meta;
use super::one_of;
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

const GROUP: &str = "rbac.authorization.k8s.io";

/// A Role.
pub(super) fn role(object: &Value, causes: &mut Causes) {
    rules(object, true, causes);
}

/// A ClusterRole.
pub(super) fn cluster_role(object: &Value, causes: &mut Causes) {
    rules(object, false, causes);
    if object.has("aggregationRule") {
        let path = Path::ROOT.field("aggregationRule");
        let place = path.field("clusterRoleSelectors");
        let selectors = object.at("aggregationRule").items("clusterRoleSelectors");
        if selectors.is_empty() {
            causes.required(&place, "at least one selector");
        }
        for (index, selector) in selectors.iter().enumerate() {
            meta::selector(selector, &place.index(index), causes);
        }
    }
}

fn rules(object: &Value, is_namespaced: bool, causes: &mut Causes) {
    let path = Path::ROOT.field("rules");
    for (index, rule) in object.items("rules").iter().enumerate() {
        let at = path.index(index);
        if rule.items("verbs").is_empty() {
            causes.required(&at.field("verbs"), "verbs must contain at least one value");
        }
        let has_urls = !rule.items("nonResourceURLs").is_empty();
        let urls = at.field("nonResourceURLs");
        if has_urls && is_namespaced {
            causes.invalid(&urls, "namespaced rules cannot apply to non-resource URLs");
        } else if has_urls {
            let others = ["apiGroups", "resources", "resourceNames"];
            if others.iter().any(|field| !rule.items(field).is_empty()) {
                causes.invalid(
                    &urls,
                    "rules cannot apply to both resources and non-resource URLs",
                );
            }
        } else {
            for field in ["apiGroups", "resources"] {
                if rule.items(field).is_empty() {
                    causes.required(&at.field(field), "a rule on resources needs at least one");
                }
            }
        }
    }
}

/// A RoleBinding.
pub(super) fn role_binding(object: &Value, causes: &mut Causes) {
    binding(object, &["Role", "ClusterRole"], true, causes);
}

/// A ClusterRoleBinding.
pub(super) fn cluster_role_binding(object: &Value, causes: &mut Causes) {
    binding(object, &["ClusterRole"], false, causes);
}

fn binding(object: &Value, roles: &[&str], is_namespaced: bool, causes: &mut Causes) {
    let path = Path::ROOT.field("roleRef");
    let reference = object.at("roleRef");
    if reference.text("apiGroup") != GROUP {
        causes.unsupported(&path.field("apiGroup"), &[GROUP]);
    }
    if !roles.contains(&reference.text("kind")) {
        causes.unsupported(&path.field("kind"), roles);
    }
    match reference.text("name") {
        "" => causes.required(&path.field("name"), ""),
        name => meta::text(name, names::path_segment, &path.field("name"), causes),
    }
    let list = Path::ROOT.field("subjects");
    for (index, one) in object.items("subjects").iter().enumerate() {
        subject(one, is_namespaced, &list.index(index), causes);
    }
}

fn subject(one: &Value, is_namespaced: bool, path: &Path<'_>, causes: &mut Causes) {
    if one.text("name").is_empty() {
        causes.required(&path.field("name"), "");
    }
    match one.text("kind") {
        "ServiceAccount" => {
            if !one.text("name").is_empty() {
                meta::text(
                    one.text("name"),
                    names::dns1123_subdomain,
                    &path.field("name"),
                    causes,
                );
            }
            if !one.text("apiGroup").is_empty() {
                causes.unsupported(&path.field("apiGroup"), &["\"\""]);
            }
            if !is_namespaced && one.text("namespace").is_empty() {
                causes.required(&path.field("namespace"), "");
            }
        }
        "User" | "Group" if one.text("apiGroup") != GROUP => {
            causes.unsupported(&path.field("apiGroup"), &[GROUP]);
        }
        "User" | "Group" => {}
        "" => causes.unsupported(&path.field("kind"), &["ServiceAccount", "User", "Group"]),
        _ => one_of(
            one,
            "kind",
            &["ServiceAccount", "User", "Group"],
            path,
            causes,
        ),
    }
}
