//! Routes and Ingresses to ports that a Service does not have.

use super::{References, list, text};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::Resource;
use crate::yaml::Node;

/// The routes of the Gateway API.
const ROUTES: [&str; 5] = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"];

pub(super) fn check(references: &References<'_>, report: &mut Report) {
    for kind in ROUTES {
        for route in references.of_kind("gateway.networking.k8s.io", kind) {
            for rule in list(route.node(), &["spec", "rules"]) {
                for backend in list(rule, &["backendRefs"]) {
                    report
                        .findings
                        .extend(of_backend(references, route, backend));
                }
            }
        }
    }
    for ingress in references.of_kind("networking.k8s.io", "Ingress") {
        let default = ingress.node().lookup(&["spec", "defaultBackend"]);
        let rules = list(ingress.node(), &["spec", "rules"]).iter();
        let paths = rules.flat_map(|rule| list(rule, &["http", "paths"]));
        let backends = paths.filter_map(|path| path.get("backend"));
        for service in backends
            .chain(default)
            .filter_map(|backend| backend.get("service"))
        {
            report
                .findings
                .extend(of_service(references, ingress, service));
        }
    }
}

fn of_backend(references: &References<'_>, route: &Resource, backend: &Node) -> Option<Diagnostic> {
    let is_service = text(backend, &["kind"]).is_none_or(|kind| kind == "Service")
        && text(backend, &["group"]).is_none_or(str::is_empty);
    let namespace = text(backend, &["namespace"]).unwrap_or(route.namespace());
    let (name, port) = (text(backend, &["name"])?, backend.get("port")?);
    let service = service(references, namespace, name).filter(|_| is_service)?;
    lacking(route, service, port)
}

fn of_service(references: &References<'_>, ingress: &Resource, named: &Node) -> Option<Diagnostic> {
    let service = service(references, ingress.namespace(), text(named, &["name"])?)?;
    let port = named.get("port")?;
    lacking(ingress, service, port.get("number").or(port.get("name"))?)
}

fn service<'a>(references: &References<'a>, namespace: &str, name: &str) -> Option<&'a Resource> {
    let mut services = references.of_kind("", "Service");
    let is_it = |s: &&Resource| s.name() == name && s.namespace() == namespace;
    let has_ports = |s: &&Resource| text(s.node(), &["spec", "type"]) != Some("ExternalName");
    services.find(is_it).filter(has_ports)
}

fn lacking(by: &Resource, service: &Resource, port: &Node) -> Option<Diagnostic> {
    let wanted = port.scalar_text()?;
    let ports = list(service.node(), &["spec", "ports"]);
    let field = |port: &Node, name: &str| {
        port.get(name)
            .and_then(Node::scalar_text)
            .map(str::to_owned)
    };
    let has = |entry: &Node| {
        ["port", "name"]
            .iter()
            .any(|name| field(entry, name).as_deref() == Some(wanted))
    };
    if ports.iter().any(has) || !super::is_known(wanted) {
        return None;
    }
    let there: Vec<String> = ports
        .iter()
        .filter_map(|entry| field(entry, "port"))
        .collect();
    let phrase = format!(
        "{} leads to port {wanted} of {}, which has no such port",
        by.id(),
        service.id()
    );
    Some(
        Diagnostic::new(Code::ReferenceMissing, phrase)
            .at(by.place_of(port))
            .note(format!("its ports are {}", there.join(", ")))
            .help("name the port of the Service, not that of the pods behind it"),
    )
}
