//! Security contexts of pods and containers. `pkg/apis/core/validation`: `ValidateSecurityContext`,
//! `validatePodSpecSecurityContext`, `validateHostUsers`, `validateWindows`, `validateLinux`.

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use super::{one_of, twice};
use crate::admission::names::Fault;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

/// The largest id of a user or group.
const MOST: i64 = i32::MAX as i64;

/// Fields of a security context that a pod of Windows may not have.
const NOT_WINDOWS: &[&str] = &[
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
];

const NOT_WINDOWS_CONTAINER: &[&str] = &[
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

/// Judges what a pod as a whole may do.
pub(super) fn pod(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let context = spec.at("securityContext");
    let place = path.field("securityContext");
    ids(
        context,
        &["runAsUser", "runAsGroup", "fsGroup"],
        &place,
        causes,
    );
    let groups = place.field("supplementalGroups");
    for (index, group) in context.items("supplementalGroups").iter().enumerate() {
        if group.as_i64().is_some_and(|id| !(0..=MOST).contains(&id)) {
            causes.invalid(
                &groups.index(index),
                "must be between 0 and 2147483647, inclusive",
            );
        }
    }
    one_of(
        context,
        "fsGroupChangePolicy",
        &["Always", "OnRootMismatch"],
        &place,
        causes,
    );
    one_of(
        context,
        "supplementalGroupsPolicy",
        &["Merge", "Strict"],
        &place,
        causes,
    );
    one_of(
        context,
        "seLinuxChangePolicy",
        &["Recursive", "MountOption"],
        &place,
        causes,
    );
    profiles(context, &place, causes);
    sysctls(context, &place.field("sysctls"), causes);
    if spec.flag("shareProcessNamespace") && spec.flag("hostPID") {
        causes.invalid(
            &place.field("shareProcessNamespace"),
            "may not be true beside hostPID",
        );
    }
    if spec.at("hostUsers").as_bool() == Some(false) {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            if spec.flag(field) {
                causes.forbidden(&path.field(field), "hostUsers is false");
            }
        }
    }
    system(spec, path, causes);
}

fn ids(context: &Value, fields: &[&str], path: &Path<'_>, causes: &mut Causes) {
    for field in fields {
        if context
            .int(field)
            .is_some_and(|id| !(0..=MOST).contains(&id))
        {
            causes.invalid(
                &path.field(field),
                "must be between 0 and 2147483647, inclusive",
            );
        }
    }
}

fn profiles(context: &Value, path: &Path<'_>, causes: &mut Causes) {
    for field in ["seccompProfile", "appArmorProfile"] {
        let profile = context.at(field);
        if profile.is_null() {
            continue;
        }
        let at = path.field(field);
        let place = at.field("localhostProfile");
        match (profile.text("type"), profile.text("localhostProfile")) {
            ("", _) => causes.required(&at.field("type"), ""),
            ("Localhost", "") => causes.required(&place, "type Localhost needs it"),
            ("Localhost", file) if field == "seccompProfile" => {
                super::container::descending(file, &place, causes);
            }
            ("Localhost", _) => {}
            ("RuntimeDefault" | "Unconfined", _) if profile.has("localhostProfile") => {
                causes.invalid(&place, "can only be set when type is Localhost");
            }
            _ => one_of(
                profile,
                "type",
                &["Localhost", "RuntimeDefault", "Unconfined"],
                &at,
                causes,
            ),
        }
    }
}

fn sysctl_name(text: &str) -> Fault {
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        let fits = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        bytes
            .first()
            .zip(bytes.last())
            .is_some_and(|(a, b)| fits(a) && fits(b))
            && bytes.iter().all(|b| fits(b) || matches!(b, b'-' | b'_'))
    };
    let is_fine = text.len() <= 253 && text.split(['.', '/']).all(is_part);
    (!is_fine).then_some("must be the name of a sysctl")
}

fn sysctls(context: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = context.items("sysctls");
    for (index, one) in list.iter().enumerate() {
        meta::required_text(
            one.text("name"),
            sysctl_name,
            &path.index(index).field("name"),
            causes,
        );
    }
    let named: Vec<String> = list
        .iter()
        .map(|one| one.text("name").replace('/', "."))
        .collect();
    for index in twice(named.iter().map(String::as_str)) {
        causes.duplicate(&path.index(index).field("name"));
    }
}

/// What one system cannot do.
fn system(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let name = spec.at("os").text("name");
    let context = spec.at("securityContext");
    let place = path.field("securityContext");
    match name {
        "windows" => {
            for field in NOT_WINDOWS.iter().filter(|f| context.has(f)) {
                causes.forbidden(&place.field(field), "cannot be set for a windows pod");
            }
            for field in ["hostPID", "hostIPC", "shareProcessNamespace"]
                .iter()
                .filter(|f| spec.flag(f))
            {
                causes.forbidden(&path.field(field), "cannot be set for a windows pod");
            }
            each(
                spec,
                NOT_WINDOWS_CONTAINER,
                "cannot be set for a windows pod",
                path,
                causes,
            );
        }
        "linux" => {
            if context.has("windowsOptions") {
                causes.forbidden(
                    &place.field("windowsOptions"),
                    "windows options cannot be set for a linux pod",
                );
            }
            each(
                spec,
                &["windowsOptions"],
                "windows options cannot be set for a linux pod",
                path,
                causes,
            );
        }
        _ => {}
    }
}

fn each(spec: &Value, fields: &[&str], message: &str, path: &Path<'_>, causes: &mut Causes) {
    for list in ["containers", "initContainers"] {
        let place = path.field(list);
        for (index, container) in spec.items(list).iter().enumerate() {
            let at = place.index(index);
            let context = at.field("securityContext");
            for field in fields
                .iter()
                .filter(|f| container.at("securityContext").has(f))
            {
                causes.forbidden(&context.field(field), message);
            }
        }
    }
}

/// Judges what a container may do.
pub(super) fn container(context: &Value, spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    ids(context, &["runAsUser", "runAsGroup"], path, causes);
    one_of(context, "procMount", &["Default", "Unmasked"], path, causes);
    let has_host_users = spec.at("hostUsers").as_bool() != Some(false);
    if context.text("procMount") == "Unmasked" && has_host_users {
        causes.invalid(
            &path.field("procMount"),
            "hostUsers must be false to use Unmasked",
        );
    }
    profiles(context, path, causes);
    if context.at("allowPrivilegeEscalation").as_bool() == Some(false) {
        let place = path.field("allowPrivilegeEscalation");
        if context.flag("privileged") {
            causes.invalid(
                &place,
                "cannot be false while privileged is true in a securityContext",
            );
        }
        if context
            .at("capabilities")
            .words("add")
            .contains(&"CAP_SYS_ADMIN")
        {
            causes.invalid(
                &place,
                "cannot be false while capabilities add CAP_SYS_ADMIN in a securityContext",
            );
        }
    }
    let user = context.at("windowsOptions").text("runAsUserName");
    if user.len() > 256 + 21 && !is_open(user) {
        causes.invalid(
            &path.field("windowsOptions").field("runAsUserName"),
            "is too long",
        );
    }
}
