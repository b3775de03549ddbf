//! How two objects of the same purpose differ, told by what it means: which flows one of them lacks.

use indexmap::IndexMap;

use crate::yaml::{Mapping, Node};

/// What is told at most; the rest is counted.
const MAX_TOLD: usize = 8;

/// Whether two objects say the same. Labels and annotations may be more in `theirs`, which transformers
/// of the build may have added.
pub(super) fn is_same(ours: &Node, theirs: &Node) -> bool {
    let labelled = |key| {
        let theirs = theirs.lookup(&["metadata", key]);
        let ours = ours.lookup(&["metadata", key]).and_then(Node::as_mapping);
        let same = |(key, value): (&str, &Node)| {
            theirs.and_then(|t| t.get(key)).and_then(Node::scalar_text) == value.scalar_text()
        };
        ours.is_none_or(|labels| labels.iter().all(same))
    };
    has_same_content(ours, theirs) && labelled("labels") && labelled("annotations")
}

/// Whether everything but the metadata of two objects is the same.
pub(super) fn has_same_content(ours: &Node, theirs: &Node) -> bool {
    fn contents(node: &Node) -> Vec<(&str, &Node)> {
        let fields = node.as_mapping().into_iter().flat_map(Mapping::iter);
        let is_content = |key: &str| !matches!(key, "apiVersion" | "kind" | "metadata");
        let mut contents: Vec<_> = fields.filter(|(key, _)| is_content(key)).collect();
        contents.sort_by_key(|(key, _)| *key);
        contents
    }
    let (ours, theirs) = (contents(ours), contents(theirs));
    let same = |(a, b): (&(&str, &Node), &(&str, &Node))| a.0 == b.0 && is_equal(a.1, b.1);
    ours.len() == theirs.len() && ours.iter().zip(&theirs).all(same)
}

/// Equality that does not ask in which order the keys of a mapping stand.
fn is_equal(a: &Node, b: &Node) -> bool {
    match (
        a.as_mapping(),
        b.as_mapping(),
        a.as_sequence(),
        b.as_sequence(),
    ) {
        (Some(a), Some(b), ..) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| is_equal(value, other)))
        }
        (.., Some(a), Some(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b))
        }
        _ => a == b,
    }
}

/// What `ours` has and `theirs`, taken together, have not, as the rest of a sentence; `None` where they
/// have it all.
///
/// For network policies these are flows and flags; for other objects the fields that differ.
pub(super) fn lacks(ours: &Node, theirs: &[&Node]) -> Option<String> {
    let rules = |direction| ours.lookup(&["spec", direction]).is_some();
    let (verb, missing) = if rules("ingress") || rules("egress") {
        ("lacks", missing_flows(ours, theirs))
    } else {
        let mut fields = Vec::new();
        if let [theirs] = theirs {
            differing(ours, theirs, &mut String::new(), &mut fields);
        }
        ("has another", fields)
    };
    if missing.is_empty() {
        return None;
    }
    let more = missing.len().saturating_sub(MAX_TOLD);
    let mut told: Vec<_> = missing.into_iter().take(MAX_TOLD).collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    Some(format!("{verb} {}", told.join(", ")))
}

fn differing(ours: &Node, theirs: &Node, path: &mut String, into: &mut Vec<String>) {
    let Some(mapping) = ours.as_mapping() else {
        if !is_equal(ours, theirs) {
            into.push(path.clone());
        }
        return;
    };
    for (key, value) in mapping.iter() {
        if path.is_empty() && matches!(key, "apiVersion" | "kind")
            || path == "metadata" && matches!(key, "name" | "namespace")
        {
            continue;
        }
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(key);
        match theirs.get(key) {
            Some(other) => differing(value, other, path, into),
            None => into.push(path.clone()),
        }
        path.truncate(length);
    }
}

/// One allowed flow of a policy.
#[derive(Debug, PartialEq)]
struct Flow {
    direction: &'static str,
    /// Labels, entities, networks or names, sorted.
    peer: Vec<String>,
    /// `None` for every port.
    port: Option<String>,
}

fn missing_flows(ours: &Node, theirs: &[&Node]) -> Vec<String> {
    let present: Vec<_> = theirs.iter().flat_map(|t| flows(t)).collect();
    let mut told: IndexMap<String, Vec<String>> = IndexMap::new();
    for flow in flows(ours) {
        if !present.iter().any(|p| p.covers(&flow)) {
            let ports = told.entry(flow.to_text()).or_default();
            ports.extend(flow.port.map(|p| p.trim_end_matches("/TCP").to_owned()));
        }
    }
    let with_ports = |(peer, ports): (String, Vec<String>)| match ports.is_empty() {
        true => peer,
        false => format!("{peer}:{}", ports.join(",")),
    };
    let mut told: Vec<String> = told.into_iter().map(with_ports).collect();
    for direction in ["ingress", "egress"] {
        let flag = |node: &Node| {
            node.lookup(&["spec", "enableDefaultDeny", direction])
                .and_then(Node::as_bool)
        };
        let ours = flag(ours);
        if ours.is_some() && !theirs.iter().any(|t| flag(t) == ours) {
            told.push(format!(
                "enableDefaultDeny.{direction}: {}",
                ours.unwrap_or_default()
            ));
        }
    }
    told
}

impl Flow {
    /// Whether this one allows at least what another does, by what is written.
    fn covers(&self, other: &Self) -> bool {
        let everyone = self.peer.iter().any(|p| p == "all") || self.peer.is_empty();
        let peer = everyone || self.peer.iter().all(|part| other.peer.contains(part));
        let port = self.port.is_none() || self.port == other.port;
        self.direction == other.direction && peer && port
    }

    /// The direction and the peer, without the port.
    fn to_text(&self) -> String {
        if self.peer.is_empty() {
            format!("{} everyone", self.direction)
        } else {
            format!("{} {}", self.direction, self.peer.join(","))
        }
    }
}

fn flows(policy: &Node) -> Vec<Flow> {
    let mut flows = Vec::new();
    for direction in ["ingress", "egress"] {
        let rules = policy
            .lookup(&["spec", direction])
            .and_then(Node::as_sequence)
            .unwrap_or_default();
        for rule in rules {
            let ports = ports(rule);
            for peer in peers(rule) {
                for port in &ports {
                    flows.push(Flow {
                        direction,
                        peer: peer.clone(),
                        port: port.clone(),
                    });
                }
            }
        }
    }
    flows
}

/// The ports of a rule; a single `None` where it names none.
fn ports(rule: &Node) -> Vec<Option<String>> {
    let list = rule
        .get("toPorts")
        .and_then(Node::as_sequence)
        .unwrap_or_default();
    let rows = list
        .iter()
        .filter_map(|p| p.get("ports"))
        .filter_map(Node::as_sequence)
        .flatten();
    let named: Vec<_> = rows
        .map(|row| {
            let text = |key| row.get(key).and_then(Node::scalar_text);
            Some(format!(
                "{}/{}",
                text("port").unwrap_or_default(),
                text("protocol").unwrap_or("ANY")
            ))
        })
        .collect();
    if named.is_empty() { vec![None] } else { named }
}

fn peers(rule: &Node) -> Vec<Vec<String>> {
    let fields = rule.as_mapping().into_iter().flat_map(Mapping::iter);
    let lists = fields
        .filter(|(key, _)| *key != "toPorts" && (key.starts_with("from") || key.starts_with("to")));
    let mut peers: Vec<_> = lists
        .flat_map(|(_, list)| list.as_sequence().unwrap_or_default())
        .map(|peer| {
            let mut parts = Vec::new();
            describe(peer, &mut parts);
            parts.sort();
            parts
        })
        .collect();
    if peers.is_empty() && rule.as_mapping().is_some_and(|m| !m.is_empty()) {
        peers.push(Vec::new());
    }
    peers
}

/// The parts of a peer: `key=value` for labels, the text for anything else.
fn describe(peer: &Node, parts: &mut Vec<String>) {
    if let Some(text) = peer.scalar_text() {
        parts.push(text.to_owned());
        return;
    }
    for (key, value) in peer.as_mapping().into_iter().flat_map(Mapping::iter) {
        match key {
            "matchLabels" => {
                let labels = value.as_mapping().into_iter().flat_map(Mapping::iter);
                parts.extend(
                    labels.map(|(k, v)| {
                        format!("{}={}", plain(k), v.scalar_text().unwrap_or_default())
                    }),
                );
            }
            "matchExpressions" => {
                for row in value.as_sequence().unwrap_or_default() {
                    let text = |key| row.get(key).and_then(Node::scalar_text).unwrap_or_default();
                    let values = row
                        .get("values")
                        .and_then(Node::as_sequence)
                        .unwrap_or_default();
                    let values: Vec<_> = values.iter().filter_map(Node::scalar_text).collect();
                    parts.push(
                        format!(
                            "{} {} {}",
                            plain(text("key")),
                            text("operator"),
                            values.join("|")
                        )
                        .trim_end()
                        .to_owned(),
                    );
                }
            }
            _ => describe(value, parts),
        }
    }
    for item in peer.as_sequence().unwrap_or_default() {
        describe(item, parts);
    }
}

/// A label's key without the source that Cilium lets one write before it.
fn plain(key: &str) -> &str {
    key.strip_prefix("k8s:")
        .or_else(|| key.strip_prefix("any:"))
        .unwrap_or(key)
}
