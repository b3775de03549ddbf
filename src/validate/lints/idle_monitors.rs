//! ServiceMonitors for the operator: its Service has no port for metrics.

use super::list;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::yaml::Node;

pub(super) fn check(resources: &ResMap, report: &mut Report) {
    for resource in resources
        .iter()
        .filter(|r| r.gvk().is("monitoring.coreos.com", "ServiceMonitor"))
    {
        report.findings.extend(judge(resource, resources));
    }
}

fn judge(resource: &Resource, resources: &ResMap) -> Option<Diagnostic> {
    let name = resource
        .node()
        .lookup(&["spec", "selector", "matchLabels", "app.kubernetes.io/name"])
        .and_then(Node::scalar_text);
    let port = list(resource.node(), &["spec", "endpoints"])
        .iter()
        .find_map(|e| e.get("port"))?;
    // A Service of the user's own may have the port.
    let has_own = resources
        .iter()
        .filter(|r| r.gvk().is("", "Service"))
        .any(|service| {
            list(service.node(), &["spec", "ports"])
                .iter()
                .any(|p| p.get("name").and_then(Node::scalar_text) == port.scalar_text())
        });
    if name != Some("cloudnative-pg") || port.scalar_text() == Some("webhook-server") || has_own {
        return None;
    }
    let phrase = format!(
        "{} finds nothing: the operator's Service has no such port",
        resource.id()
    );
    Some(
        Diagnostic::warning(Code::MonitorIdle, phrase)
            .at(resource.place_of(port))
            .note("the chart's only Service is that of the webhooks")
            .help("use a PodMonitor with port metrics, as the overlay cnpg-podmonitor does"),
    )
}
