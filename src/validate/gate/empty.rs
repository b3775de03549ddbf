//! In host commands there is at least one object.

use super::GateOptions;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::ResMap;

pub(super) fn check(resources: &ResMap, options: &GateOptions<'_>, report: &mut Report) {
    if options.must_have_objects && resources.is_empty() {
        let finding = Diagnostic::new(Code::RenderEmpty, "the render has no objects")
            .note("the host would delete everything that it applied before")
            .help("where that is wanted, pass --allow-empty");
        report.push(finding);
    }
}
