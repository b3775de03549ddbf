//! Who uses which Cluster, and where a Cluster's backups and bootstrap come from and go.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{items, list};
use crate::kube::{ResMap, Resource};
use crate::validate::flows::endpoint::{Endpoint, Role};
use crate::validate::walk::{self, Role as Part};
use crate::yaml::Node;

/// The API group of CloudNativePG.
const CNPG: &str = "postgresql.cnpg.io";

/// The plugin that backs up to an `ObjectStore`.
const BARMAN_PLUGIN: &str = "barman-cloud.cloudnative-pg.io";

/// What one endpoint is to a Cluster beside its own role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::validate::flows) struct Link {
    /// Namespace and name of the Cluster.
    pub(in crate::validate::flows) cluster: (String, String),
    /// The endpoint, by its position.
    pub(in crate::validate::flows) endpoint: usize,
    /// [`Role::Client`], [`Role::ObjectStore`] or [`Role::ExternalDatabase`].
    pub(in crate::validate::flows) role: Role,
    /// The port on that endpoint, where it is the one that is connected to.
    pub(in crate::validate::flows) port: u16,
    /// Whether a client goes through a pooler, by its name.
    pub(in crate::validate::flows) pooler: Option<String>,
}

/// Finds the links, and adds what lies beyond the render and is linked to.
///
/// `owners` are the objects that the first endpoints come from.
pub(super) fn find(
    endpoints: &mut Vec<Endpoint>,
    owners: &[&Resource],
    resources: &ResMap,
) -> Vec<Link> {
    let mut links = clients(endpoints, owners);
    for cluster in resources.iter().filter(|r| r.gvk().is(CNPG, "Cluster")) {
        let key = (
            cluster.effective_namespace().to_owned(),
            cluster.name().to_owned(),
        );
        let first = links.len();
        for address in object_stores(cluster, resources) {
            if let Some((host, port)) = host_and_port(&address) {
                let endpoint = endpoint_behind(endpoints, host, &key.0, Role::ObjectStore);
                let port = target_port(resources, &endpoints[endpoint], host, port);
                let store = link(&key, endpoint, Role::ObjectStore, port);
                // The same store may be archived to and recovered from.
                if !links[first..].contains(&store) {
                    links.push(store);
                }
            }
        }
        for (host, port) in external_databases(cluster) {
            let endpoint = endpoint_behind(endpoints, host, &key.0, Role::ExternalDatabase);
            links.push(link(&key, endpoint, Role::ExternalDatabase, port));
        }
    }
    links
}

fn link(cluster: &(String, String), endpoint: usize, role: Role, port: u16) -> Link {
    Link {
        cluster: cluster.clone(),
        endpoint,
        role,
        port,
        pooler: None,
    }
}

/// A name by which a Cluster is used, and the Cluster and pooler it leads to.
struct Name {
    text: String,
    cluster: (String, String),
    pooler: Option<String>,
    is_host: bool,
}

fn names(endpoints: &[Endpoint]) -> Vec<Name> {
    let mut names = Vec::new();
    for endpoint in endpoints.iter().filter(|e| !e.assumed) {
        let Some(cluster) = &endpoint.cluster else {
            continue;
        };
        let mut add = |text: String, pooler: Option<String>, is_host| {
            names.push(Name {
                text,
                cluster: cluster.clone(),
                pooler,
                is_host,
            });
        };
        match endpoint.role {
            Role::Instance => {
                for suffix in ["rw", "ro", "r"] {
                    add(format!("{}-{suffix}", cluster.1), None, true);
                }
                add(format!("{}-app", cluster.1), None, false);
            }
            Role::Pooler => add(endpoint.name.clone(), Some(endpoint.name.clone()), true),
            _ => {}
        }
    }
    names
}

/// Workloads whose object names the Service or the Secret of a Cluster. `owners` are the objects that the
/// first endpoints come from.
fn clients(endpoints: &[Endpoint], owners: &[&Resource]) -> Vec<Link> {
    let names = names(endpoints);
    let mut by_text: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
    for name in &names {
        by_text.entry(&name.text).or_default().push(name);
    }
    let mut links: Vec<Link> = Vec::new();
    if names.is_empty() {
        return links;
    }
    for (index, (endpoint, owner)) in endpoints.iter().zip(owners).enumerate() {
        if endpoint.role != Role::Workload || owner.gvk().group == CNPG {
            continue;
        }
        let own = links.len();
        for name in mentioned(owner, &endpoint.namespace, &by_text) {
            let is_linked = |l: &Link| l.cluster == name.cluster && l.pooler == name.pooler;
            if !links[own..].iter().any(is_linked) {
                let mut found = link(&name.cluster, index, Role::Client, 0);
                found.pooler.clone_from(&name.pooler);
                links.push(found);
            }
        }
    }
    links
}

/// The names that an object mentions, beside its own.
fn mentioned<'n>(
    resource: &Resource,
    namespace: &str,
    names: &BTreeMap<&str, Vec<&'n Name>>,
) -> Vec<&'n Name> {
    let mut found = Vec::new();
    walk::scalars(resource.node(), &mut |path, part, node| {
        let is_own_name = path.len() <= 2;
        if part != Part::Value || is_own_name {
            return;
        }
        let text = node.scalar_text().unwrap_or_default();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.') {
            let (first, rest) = word
                .split_once('.')
                .map_or((word, None), |(f, r)| (f, Some(r)));
            let meant = names.get(first).into_iter().flatten();
            found.extend(meant.filter(|name| leads_to(rest, namespace, name)));
        }
    });
    found
}

/// `db-rw` in the Cluster's namespace; `db-rw.identity`, `db-rw.identity.svc…` anywhere.
fn leads_to(rest: Option<&str>, namespace: &str, name: &Name) -> bool {
    match rest.and_then(|rest| rest.split('.').next()) {
        None => namespace == name.cluster.0,
        Some(label) => name.is_host && label == name.cluster.0,
    }
}

/// The addresses of the object stores of a Cluster, for backups and for its bootstrap.
fn object_stores<'r>(cluster: &'r Resource, resources: &'r ResMap) -> Vec<Cow<'r, str>> {
    let mut addresses = Vec::new();
    let mut add = |store: Option<&'r Node>| {
        if let Some(store) = store {
            addresses.push(address_of(store, resources));
        }
    };
    add(cluster
        .node()
        .lookup(&["spec", "backup", "barmanObjectStore"]));
    let plugins = list(cluster, &["spec", "plugins"]).iter();
    let external = list(cluster, &["spec", "externalClusters"]);
    for node in external {
        add(node.get("barmanObjectStore"));
    }
    let plugins = plugins.chain(external.iter().filter_map(|e| e.get("plugin")));
    for plugin in plugins.filter(|p| scalar(p, &["name"]) == Some(BARMAN_PLUGIN)) {
        let name = scalar(plugin, &["parameters", "barmanObjectName"]);
        let store = resources.iter().find(|r| {
            r.gvk().is("barmancloud.cnpg.io", "ObjectStore")
                && r.effective_namespace() == cluster.effective_namespace()
                && Some(r.name()) == name
        });
        add(store.and_then(|s| s.node().lookup(&["spec", "configuration"])));
    }
    addresses
}

/// The address of a store; without one it is the cloud's own, by the kind of the credentials.
///
/// A bucket of AWS has a host of its own (botocore, virtual-hosted addressing), with the region in it where the client
/// knows it from its environment: the region that a policy of the render names is taken for that one. An account of
/// Azure is in the path.
fn address_of<'r>(store: &'r Node, resources: &ResMap) -> Cow<'r, str> {
    if let Some(address) = scalar(store, &["endpointURL"]) {
        return Cow::Borrowed(address);
    }
    let path = scalar(store, &["destinationPath"]).unwrap_or_default();
    if store.get("azureCredentials").is_some() {
        let is_address = path.starts_with("https://") || path.starts_with("http://");
        return Cow::Borrowed(match is_address {
            true => path,
            false => "https://blob.core.windows.net",
        });
    }
    if store.get("googleCredentials").is_some() {
        return Cow::Borrowed("https://storage.googleapis.com");
    }
    let bucket = path.strip_prefix("s3://").unwrap_or_default();
    match bucket.split('/').next().filter(|name| !name.is_empty()) {
        None => Cow::Borrowed("https://s3.amazonaws.com"),
        Some(bucket) => {
            let region = region_of_policies(bucket, resources);
            let region = region.map_or_else(String::new, |region| format!(".{region}"));
            Cow::Owned(format!("https://{bucket}.s3{region}.amazonaws.com"))
        }
    }
}

/// The region of AWS in the names that policies let the bucket be reached by.
fn region_of_policies(bucket: &str, resources: &ResMap) -> Option<String> {
    const END: &str = ".amazonaws.com";
    let mut found = None;
    let policies = resources.iter().filter(|r| r.gvk().group == "cilium.io");
    for policy in policies {
        walk::scalars(policy.node(), &mut |_, _, node| {
            let name = node.scalar_text().unwrap_or_default();
            let region = name.strip_suffix(END).and_then(|name| {
                let (before, region) = name.split_once(".s3.")?;
                let is_ours = before == bucket || before == "*" || before == "**";
                (is_ours && !region.contains('*')).then(|| region.to_owned())
            });
            if found.is_none() {
                found = region;
            }
        });
    }
    found
}

/// The databases beyond the render from which a Cluster starts or which it follows.
fn external_databases(cluster: &Resource) -> Vec<(&str, u16)> {
    list(cluster, &["spec", "externalClusters"])
        .iter()
        .filter_map(|node| {
            let host = scalar(node, &["connectionParameters", "host"])?;
            let port = scalar(node, &["connectionParameters", "port"]);
            Some((host, port.and_then(|p| p.parse().ok()).unwrap_or(5432)))
        })
        .collect()
}

fn scalar<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.lookup(path).and_then(Node::scalar_text)
}

/// `https://host:port/path` → host and port.
fn host_and_port(address: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split('/').next()?;
    let usual = if scheme == "http" { 80 } else { 443 };
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => Some((host, port.parse().ok()?)),
        _ => Some((authority, usual)),
    }
}

/// The Service that a host name means: its namespace and name.
fn service_of<'h>(host: &'h str, namespace: &'h str) -> Option<(&'h str, &'h str)> {
    if host.parse::<IpAddr>().is_ok() {
        return None;
    }
    let labels: Vec<&str> = host.split('.').collect();
    match labels[..] {
        [name] => Some((namespace, name)),
        [name, namespace] | [name, namespace, "svc", ..] => Some((namespace, name)),
        _ => None,
    }
}

/// The endpoint behind a host name, which is added when the render has none.
fn endpoint_behind(
    endpoints: &mut Vec<Endpoint>,
    host: &str,
    namespace: &str,
    role: Role,
) -> usize {
    let service = service_of(host, namespace);
    let found = endpoints.iter().position(|e| {
        let is_behind = |(ns, name)| {
            e.services
                .iter()
                .any(|s| (s.0.as_str(), s.1.as_str()) == (ns, name))
        };
        service.is_some_and(is_behind) || (!e.is_pod() && e.name == host)
    });
    found.unwrap_or_else(|| {
        endpoints.push(match service {
            Some((namespace, name)) => behind_service(namespace, name, role),
            None => Endpoint::world(host, role),
        });
        endpoints.len() - 1
    })
}

/// Pods behind a Service that the render does not hold. Their name is taken for that of the Service.
fn behind_service(namespace: &str, name: &str, role: Role) -> Endpoint {
    let own = [("app.kubernetes.io/name".to_owned(), name.to_owned())];
    let mut endpoint = Endpoint::pod(name, namespace, role, own);
    endpoint.assumed = true;
    endpoint.has_guessed_labels = true;
    endpoint
        .services
        .push((namespace.to_owned(), name.to_owned()));
    endpoint
}

/// The port of the pods behind a Service's port: policies see the packet after the translation.
fn target_port(resources: &ResMap, pods: &Endpoint, host: &str, port: u16) -> u16 {
    let Some((namespace, name)) = service_of(host, "") else {
        return port;
    };
    let service = resources.iter().find(|r| {
        r.gvk().is("", "Service")
            && r.name() == name
            && (namespace.is_empty() || r.effective_namespace() == namespace)
    });
    let ports = service.map_or(&[][..], |s| items(s.node().lookup(&["spec", "ports"])));
    let entry = ports
        .iter()
        .find(|p| scalar(p, &["port"]).and_then(|t| t.parse().ok()) == Some(port));
    let Some(target) = entry.and_then(|e| scalar(e, &["targetPort"])) else {
        return port;
    };
    let named = || pods.ports.iter().find(|p| p.name == target);
    let number = target.parse().ok();
    number.or_else(|| named().map(|p| p.number)).unwrap_or(port)
}

/// Whether an object is a Cluster that is backed up through the Barman Cloud plugin.
pub(in crate::validate::flows) fn uses_plugin(resource: &Resource) -> bool {
    resource.gvk().is(CNPG, "Cluster")
        && list(resource, &["spec", "plugins"])
            .iter()
            .any(|plugin| scalar(plugin, &["name"]) == Some(BARMAN_PLUGIN))
}
