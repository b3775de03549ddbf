//! Monitors that cannot read the CA they trust, and monitors that ask a TLS port for plain HTTP.

use super::clusters;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::validate::flows::{Monitor, instances_of};
use crate::yaml::Node;

pub(super) fn check(resources: &ResMap, monitors: &[Monitor<'_>], report: &mut Report) {
    for cluster in clusters(resources) {
        let serves_tls = cluster
            .node()
            .lookup(&["spec", "monitoring", "tls", "enabled"])
            .and_then(Node::as_bool)
            == Some(true);
        let instances = instances_of(cluster);
        for monitor in monitors.iter().filter(|m| m.scrapes(&instances)) {
            for endpoint in monitor.endpoints() {
                report
                    .findings
                    .extend(judge(cluster, monitor.resource, endpoint, serves_tls));
            }
        }
    }
}

fn judge(
    cluster: &Resource,
    monitor: &Resource,
    endpoint: &Node,
    serves_tls: bool,
) -> Option<Diagnostic> {
    let scheme = endpoint
        .get("scheme")
        .and_then(Node::scalar_text)
        .unwrap_or("http");
    let is_https = scheme.eq_ignore_ascii_case("https");
    if is_https != serves_tls {
        let (asks, serves) = if is_https {
            ("https", "plain HTTP")
        } else {
            ("http", "TLS")
        };
        let phrase = format!(
            "{} asks {} for metrics by {asks}, which serves {serves}",
            monitor.id(),
            cluster.id()
        );
        return Some(
            Diagnostic::warning(Code::MonitorTls, phrase)
                .at(monitor.place_of(endpoint))
                .note("every scrape fails")
                .help("give clusters with TLS a PodMonitor of their own, and take them out of the shared one by a label"),
        );
    }
    let ca = endpoint.lookup(&["tlsConfig", "ca", "secret", "name"])?;
    if monitor.effective_namespace() == cluster.effective_namespace() {
        return None;
    }
    let phrase = format!(
        "{} reads the CA {} from {}, and {} has it in {}",
        monitor.id(),
        ca.scalar_text().unwrap_or_default(),
        monitor.effective_namespace(),
        cluster.id(),
        cluster.effective_namespace()
    );
    Some(
        Diagnostic::warning(Code::MonitorTls, phrase)
            .at(monitor.place_of(ca))
            .note("Prometheus' operator reads Secrets from the monitor's own namespace, so it drops the monitor")
            .help("put a PodMonitor into the Cluster's namespace"),
    )
}
