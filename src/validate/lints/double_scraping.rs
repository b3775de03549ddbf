//! Instances and poolers that two monitors scrape, and monitors that take poolers for instances.

use super::clusters;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::validate::flows::{Monitor, instances_of, pooler_of};
use crate::yaml::Node;

pub(super) fn check(resources: &ResMap, monitors: &[Monitor<'_>], report: &mut Report) {
    for cluster in clusters(resources) {
        by_flag(cluster, monitors, report);
    }
    for pooler in resources
        .iter()
        .filter(|r| r.gvk().is("postgresql.cnpg.io", "Pooler"))
    {
        by_flag(pooler, monitors, report);
        by_instances(pooler, monitors, report);
    }
}

/// `enablePodMonitor` makes the operator add a monitor of its own.
fn by_flag(resource: &Resource, monitors: &[Monitor<'_>], report: &mut Report) {
    let Some(flag) = resource
        .node()
        .lookup(&["spec", "monitoring", "enablePodMonitor"])
    else {
        return;
    };
    let endpoint = if resource.kind() == "Pooler" {
        pooler_of(resource)
    } else {
        instances_of(resource)
    };
    let monitor = monitors.iter().find(|m| m.scrapes(&endpoint));
    if let (Some(true), Some(monitor)) = (flag.as_bool(), monitor) {
        let phrase = format!(
            "{} is scraped twice: by {} and by enablePodMonitor",
            resource.id(),
            monitor.resource.id()
        );
        report.push(
            Diagnostic::warning(Code::ScrapedTwice, phrase)
                .at(resource.place_of(flag))
                .note("the field is deprecated since CNPG 1.25.4, 1.26.2 and 1.27.1")
                .help("set it to false, or leave it out"),
        );
    }
}

/// `cnpg.io/cluster` alone selects poolers too, whose port has the same name.
fn by_instances(pooler: &Resource, monitors: &[Monitor<'_>], report: &mut Report) {
    let endpoint = pooler_of(pooler);
    for monitor in monitors.iter().filter(|m| m.scrapes(&endpoint)) {
        let selector = monitor.resource.node().lookup(&["spec", "selector"]);
        let names_role =
            |node: &Node| node.get("key").and_then(Node::scalar_text) == Some("cnpg.io/podRole");
        let by_label = selector
            .and_then(|s| s.lookup(&["matchLabels", "cnpg.io/podRole"]))
            .is_some();
        let by_name = selector
            .and_then(|s| s.lookup(&["matchLabels", "cnpg.io/poolerName"]))
            .is_some();
        let expressions = selector
            .map(|s| super::list(s, &["matchExpressions"]))
            .unwrap_or_default();
        if by_label || by_name || expressions.iter().any(names_role) {
            continue;
        }
        let phrase = format!(
            "{} takes {} for an instance",
            monitor.resource.id(),
            pooler.id()
        );
        report.push(
            Diagnostic::warning(Code::ScrapedTwice, phrase)
                .at(selector.and_then(|s| monitor.resource.place_of(s)))
                .note("pods of poolers have cnpg.io/cluster and a port named metrics too")
                .help(
                    "add cnpg.io/podRole: instance to the selector, and a PodMonitor for poolers",
                ),
        );
    }
}
