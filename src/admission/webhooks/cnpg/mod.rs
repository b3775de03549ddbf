//! CloudNativePG's own webhooks, of the operator's versions 1.28 to 1.30.
//!
//! The mutating part follows `api/v1/cluster_defaults.go`, and writes the whole Go type back, by which a required
//! field that is left out is empty and not missing (case cluster-plugin-no-name). The validating part
//! (`internal/webhook/v1`) then reports by its own, sometimes odd, field paths. The annotation
//! `cnpg.io/validation: disabled` turns the validating part off. Pinned by the recorded cases of the group `admission`.

mod cluster;
mod defaults;
mod others;
mod schedule;
mod settings;

use serde_json::Value;

use super::super::{Causes, Reason, Webhook};
use crate::admission::native::Look;
use crate::admission::path::Path;
use crate::kube::Gvk;

const GROUP: &str = "postgresql.cnpg.io";

/// The webhooks of one version of the operator.
#[derive(Debug)]
pub(crate) struct Cnpg {
    /// Whether the cluster has the kind VolumeSnapshot.
    pub(crate) has_snapshots: bool,
    /// Whether an extension needs an image of its own beside a catalog of images.
    pub(crate) needs_extension_images: bool,
}

impl Webhook for Cnpg {
    fn selects(&self, gvk: &Gvk) -> bool {
        gvk.group == GROUP
    }

    fn writes_back(&self, gvk: &Gvk) -> bool {
        ["Backup", "Cluster", "Database", "ScheduledBackup"].contains(&gvk.kind.as_str())
    }

    fn mutate(&self, gvk: &Gvk, object: &mut Value) {
        if gvk.kind == "Cluster" {
            defaults::set(object);
        }
    }

    fn validate(
        &self,
        gvk: &Gvk,
        object: &Value,
        old: Option<&Value>,
        errors: &mut Causes,
        warnings: &mut Causes,
    ) {
        let validation = ["metadata", "annotations", "cnpg.io/validation"];
        let found = match object.down(&validation).as_str() {
            None | Some("enabled") => true,
            Some(word) => {
                warn(
                    warnings,
                    &["cnpg.io/validation"],
                    "should be left out: a disabled validation lets mistakes through, and any other word is ignored",
                );
                word != "disabled"
            }
        };
        if !found {
            return;
        }
        let mut judging = Judging { errors, warnings };
        match &*gvk.kind {
            "Cluster" => cluster::check(self, object, old, &mut judging),
            "Pooler" => others::pooler(object, &mut judging),
            "ScheduledBackup" => others::scheduled_backup(self, object, &mut judging),
            "Backup" => others::backup(self, object, &mut judging),
            "Database" => others::database(object, &mut judging),
            _ => {}
        }
    }
}

/// What is found of one object.
struct Judging<'j> {
    errors: &'j mut Causes,
    warnings: &'j mut Causes,
}

impl Judging<'_> {
    fn invalid(&mut self, steps: &[&str], message: &str) {
        self.add(steps, Reason::Invalid, message);
    }

    fn add(&mut self, steps: &[&str], reason: Reason, message: &str) {
        add(self.errors, &Path::ROOT, steps, reason, message);
    }

    fn warn(&mut self, steps: &[&str], message: &str) {
        warn(self.warnings, steps, message);
    }
}

fn warn(warnings: &mut Causes, steps: &[&str], message: &str) {
    add(warnings, &Path::ROOT, steps, Reason::Invalid, message);
}

/// Adds a cause at the end of steps: names of fields, and `[0]` for items.
fn add(causes: &mut Causes, path: &Path<'_>, steps: &[&str], reason: Reason, message: &str) {
    let Some((step, rest)) = steps.split_first() else {
        return causes.add(path, reason, message);
    };
    let index = step.strip_prefix('[').and_then(|s| s.strip_suffix(']'));
    match index.and_then(|index| index.parse().ok()) {
        Some(index) => add(causes, &path.index(index), rest, reason, message),
        None => add(causes, &path.field(step), rest, reason, message),
    }
}
