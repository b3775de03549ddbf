//! Databases that archive to one place: the second never starts, or neither can be restored.

use std::collections::BTreeMap;

use super::{References, is_known, list, text};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::Resource;
use crate::yaml::Node;

/// The plugin that archives to an ObjectStore.
const PLUGIN: &str = "barman-cloud.cloudnative-pg.io";

/// Where WAL goes: endpoint, path and server.
type Place = (String, String, String);

pub(super) fn check(references: &References<'_>, report: &mut Report) {
    let mut owners: BTreeMap<Place, &Resource> = BTreeMap::new();
    for cluster in references.of_kind("postgresql.cnpg.io", "Cluster") {
        for place in places(references, cluster) {
            match owners.get(&place) {
                Some(first) => report.push(shared(first, cluster, &place)),
                None => drop(owners.insert(place, cluster)),
            }
        }
    }
}

fn places(references: &References<'_>, cluster: &Resource) -> Vec<Place> {
    let node = cluster.node();
    let mut found = Vec::new();
    if let Some(store) = node.lookup(&["spec", "backup", "barmanObjectStore"]) {
        found.extend(place(store, text(store, &["serverName"]), cluster));
    }
    for plugin in list(node, &["spec", "plugins"]) {
        let archives = plugin.get("isWALArchiver").and_then(Node::as_bool) == Some(true);
        if text(plugin, &["name"]) != Some(PLUGIN) || !archives {
            continue;
        }
        let name = text(plugin, &["parameters", "barmanObjectName"]);
        let mut stores = references.of_kind("barmancloud.cnpg.io", "ObjectStore");
        let store = stores
            .find(|s| Some(s.name()) == name && s.namespace() == cluster.namespace())
            .and_then(|store| store.node().lookup(&["spec", "configuration"]));
        let server = text(plugin, &["parameters", "serverName"]);
        found.extend(store.and_then(|store| place(store, server, cluster)));
    }
    found
}

fn place(store: &Node, server: Option<&str>, cluster: &Resource) -> Option<Place> {
    let endpoint = text(store, &["endpointURL"]).unwrap_or_default();
    let path = text(store, &["destinationPath"])?;
    let server = server.unwrap_or(cluster.name());
    let is_certain =
        is_known(path) && is_known(server) && (endpoint.is_empty() || is_known(endpoint));
    is_certain.then(|| {
        let trimmed = |text: &str| text.trim_end_matches('/').to_owned();
        (trimmed(endpoint), trimmed(path), server.to_owned())
    })
}

fn shared(first: &Resource, second: &Resource, (_, path, server): &Place) -> Diagnostic {
    let phrase = format!(
        "{} and {} archive to one place: {path}/{server}",
        first.id(),
        second.id()
    );
    Diagnostic::new(Code::ArchiveShared, phrase)
        .at(second.place())
        .via(first.place())
        .note("the second one waits for an empty archive, or the WAL of both mixes and neither can be restored")
        .help("give one of them another serverName, or a destinationPath of its own")
}
