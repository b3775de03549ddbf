//! Priority and runtime classes, leases. `pkg/apis/scheduling`, `node` and `coordination` `/validation`.

use serde_json::Value;

use super::super::look::Look;
use super::super::meta;
use super::one_of;
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

/// The highest priority that a user may give.
const HIGHEST: i64 = 1_000_000_000;

/// A PriorityClass.
pub(super) fn priority_class(object: &Value, causes: &mut Causes) {
    let name = object.at("metadata").text("name");
    let is_known = matches!(name, "system-cluster-critical" | "system-node-critical");
    if name.starts_with("system-") && !is_known {
        let metadata = Path::ROOT.field("metadata");
        causes.forbidden(
            &metadata.field("name"),
            "names that start with system- are reserved",
        );
    }
    if object.int("value").is_some_and(|value| value > HIGHEST) && !is_known {
        causes.forbidden(&Path::ROOT.field("value"), "1000000000 is the most");
    }
    one_of(
        object,
        "preemptionPolicy",
        &["PreemptLowerPriority", "Never"],
        &Path::ROOT,
        causes,
    );
}

/// A RuntimeClass.
pub(super) fn runtime_class(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("handler");
    meta::text(object.text("handler"), names::dns1123_label, &path, causes);
    let scheduling = Path::ROOT.field("scheduling");
    meta::labels(
        object.at("scheduling").at("nodeSelector"),
        &scheduling.field("nodeSelector"),
        causes,
    );
    let overhead = Path::ROOT.field("overhead");
    let fixed = overhead.field("podFixed");
    for (name, amount) in object.at("overhead").entries("podFixed") {
        if super::resources::quantity(amount).is_some_and(|q| q.sign().is_lt()) {
            causes.invalid(&fixed.key(name), "must be greater than or equal to 0");
        }
    }
}

/// A Lease.
pub(super) fn lease(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    if spec.int("leaseDurationSeconds").is_some_and(|s| s <= 0) {
        causes.invalid(
            &path.field("leaseDurationSeconds"),
            "must be greater than 0",
        );
    }
    super::not_negative(spec, "leaseTransitions", &path, causes);
}
