//! Pods that charts and other operators make, which no object of the render shows.

use super::{list, made, text};
use crate::kube::{ResMap, Resource};
use crate::validate::flows::endpoint::{Endpoint, Role};
use crate::yaml::Node;

/// What a chart's pods are, and the label by which they are known.
const CHARTS: &[(&str, Role, &str, &str)] = &[
    (
        "cloudnative-pg",
        Role::Operator,
        "app.kubernetes.io/name",
        "cloudnative-pg",
    ),
    (
        "plugin-barman-cloud",
        Role::BackupPlugin,
        "app.kubernetes.io/name",
        "plugin-barman-cloud",
    ),
    (
        "kube-prometheus-stack",
        Role::Prometheus,
        "app.kubernetes.io/name",
        "prometheus",
    ),
    (
        "prometheus",
        Role::Prometheus,
        "app.kubernetes.io/name",
        "prometheus",
    ),
    ("coredns", Role::Dns, "k8s-app", "kube-dns"),
];

/// The pods that an object makes another controller make.
pub(super) fn of(resource: &Resource, resources: &ResMap) -> Option<Endpoint> {
    if made::is_cluster_chart(resource, resources) {
        // Its Cluster counts instead.
        return None;
    }
    let mut endpoint = match (resource.gvk().group.as_str(), resource.kind()) {
        ("helm.toolkit.fluxcd.io", "HelmRelease") => helm_release(resource, resources)?,
        ("argoproj.io", "Application") => application(resource)?,
        ("monitoring.coreos.com", "Prometheus") => prometheus(resource),
        ("k8s.keycloak.org", "Keycloak") => keycloak(resource),
        _ => return None,
    };
    endpoint.place = resource.place();
    Some(endpoint)
}

/// The pods of a release. Of a chart that is not known, the labels that charts usually set are taken.
fn release(chart: &str, release: &str, namespace: &str) -> Endpoint {
    let instance = ("app.kubernetes.io/instance".to_owned(), release.to_owned());
    match CHARTS.iter().find(|(name, ..)| *name == chart) {
        Some((_, role, key, value)) => {
            let own = [((*key).to_owned(), (*value).to_owned()), instance];
            let mut endpoint = Endpoint::pod(release, namespace, *role, own);
            endpoint.ports = super::usual_ports(*role);
            endpoint
        }
        None => {
            let name = ("app.kubernetes.io/name".to_owned(), chart.to_owned());
            let mut endpoint = Endpoint::pod(
                format!("{release} (chart {chart})"),
                namespace,
                Role::Workload,
                [name, instance],
            );
            endpoint.assumed = true;
            endpoint.has_guessed_labels = true;
            endpoint
        }
    }
}

fn helm_release(resource: &Resource, resources: &ResMap) -> Option<Endpoint> {
    let target = text(resource, &["spec", "targetNamespace"]);
    let chart = chart_of(resource, resources)?;
    Some(release(
        last_part(chart),
        &release_name(resource),
        target.unwrap_or(resource.effective_namespace()),
    ))
}

/// The chart of a HelmRelease, or the address of it.
pub(super) fn chart_of<'r>(resource: &'r Resource, resources: &'r ResMap) -> Option<&'r str> {
    text(resource, &["spec", "chart", "spec", "chart"])
        .or_else(|| chart_of_reference(resource, resources))
}

/// The name that Flux gives a release.
pub(super) fn release_name(resource: &Resource) -> String {
    let target = text(resource, &["spec", "targetNamespace"]);
    match (text(resource, &["spec", "releaseName"]), target) {
        (Some(name), _) => name.to_owned(),
        (None, Some(target)) => format!("{target}-{}", resource.name()),
        (None, None) => resource.name().to_owned(),
    }
}

/// The chart that `chartRef` leads to: by the address of the repository, else by its name.
fn chart_of_reference<'r>(resource: &'r Resource, resources: &'r ResMap) -> Option<&'r str> {
    let name = text(resource, &["spec", "chartRef", "name"])?;
    let kind = text(resource, &["spec", "chartRef", "kind"])?;
    let source = resources.iter().find(|r| {
        r.kind() == kind && r.name() == name && r.gvk().group == "source.toolkit.fluxcd.io"
    });
    let address = source.and_then(|s| text(s, &["spec", "url"]).or(text(s, &["spec", "chart"])));
    Some(address.unwrap_or(name))
}

fn last_part(address: &str) -> &str {
    address
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(address)
}

fn application(resource: &Resource) -> Option<Endpoint> {
    let single = text(resource, &["spec", "source", "chart"]);
    let chart = single.or_else(|| {
        list(resource, &["spec", "sources"])
            .iter()
            .find_map(|s| s.get("chart").and_then(Node::scalar_text))
    })?;
    let namespace = text(resource, &["spec", "destination", "namespace"]).unwrap_or("default");
    let name =
        text(resource, &["spec", "source", "helm", "releaseName"]).unwrap_or(resource.name());
    Some(release(last_part(chart), name, namespace))
}

fn prometheus(resource: &Resource) -> Endpoint {
    let name = resource.name().to_owned();
    let own = [
        ("app.kubernetes.io/name".to_owned(), "prometheus".to_owned()),
        ("app.kubernetes.io/instance".to_owned(), name.clone()),
        (
            "app.kubernetes.io/managed-by".to_owned(),
            "prometheus-operator".to_owned(),
        ),
        ("prometheus".to_owned(), name.clone()),
    ];
    Endpoint::pod(name, resource.effective_namespace(), Role::Prometheus, own)
}

/// The Keycloak operator labels pods by itself and the instance, not by a name.
fn keycloak(resource: &Resource) -> Endpoint {
    let own = [
        ("app".to_owned(), "keycloak".to_owned()),
        (
            "app.kubernetes.io/managed-by".to_owned(),
            "keycloak-operator".to_owned(),
        ),
        (
            "app.kubernetes.io/instance".to_owned(),
            resource.name().to_owned(),
        ),
        (
            "app.kubernetes.io/component".to_owned(),
            "server".to_owned(),
        ),
    ];
    Endpoint::pod(
        resource.name(),
        resource.effective_namespace(),
        Role::Workload,
        own,
    )
}
