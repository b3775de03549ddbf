//! Questions about flows, as files and command lines ask them, and the answers as JSON.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::identity::Pod;
use super::ports::{NamedPort, Protocol};
use super::read::{field, items, strings, text};
use super::verdict::{Answer, End};
use super::world::{Assumed, PolicyWorld};
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::kube::Resource;
use crate::yaml::{Node, parse_config};

/// How many flows one query may ask for.
const MAX_FLOWS: usize = 10_000_000;

/// A port that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// As it is written: `5432/TCP`, `8/ICMP`.
    pub text: String,
    number: u16,
    protocol: Protocol,
}

impl Port {
    /// Reads `NUMBER/PROTOCOL`; TCP where no protocol is written.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "TCP"));
        Some(Self {
            text: text.to_owned(),
            number: number.parse().ok()?,
            protocol: Protocol::parse(protocol)?,
        })
    }
}

/// Which flows are asked for, and what is assumed.
#[derive(Debug, Default)]
pub struct Query {
    /// What is known beside the objects.
    pub assumed: Assumed,
    /// The ends that connect.
    pub from: Vec<String>,
    /// The ends that are connected to.
    pub to: Vec<String>,
    /// The ports.
    pub ports: Vec<Port>,
}

/// Reads values out of a document, and says where one is wrong.
struct Reader<'s> {
    source: &'s Source,
}

impl Query {
    /// Reads a query. Fails with the value that is wrong.
    pub fn parse(bytes: &[u8], source: &Source) -> Result<Self> {
        Self::read(&parse_config(bytes, source)?, source)
    }

    fn read(node: &Node, source: &Source) -> Result<Self> {
        let reader = Reader { source };
        reader.only(node, &["assume", "from", "to", "ports"])?;
        let mut assumed = match field(node, "assume") {
            Some(assume) => reader.assumed(assume)?,
            None => Assumed::default(),
        };
        // A query says all that is known: what it leaves out is not there.
        assumed.dns.get_or_insert_default();
        assumed.nodes.get_or_insert_default();
        let query = Self {
            assumed,
            from: reader.references(node, "from")?,
            to: reader.references(node, "to")?,
            ports: reader.ports(node)?,
        };
        let flows = [query.from.len(), query.to.len(), query.ports.len()];
        let count = flows.iter().try_fold(1_usize, |all, n| all.checked_mul(*n));
        match count.is_some_and(|c| c <= MAX_FLOWS) {
            true => Ok(query),
            false => Err(reader.wrong(node, format!("it asks for more than {MAX_FLOWS} flows"))),
        }
    }

    /// Answers every flow with an end that Cilium polices.
    pub fn answer<'r>(&self, objects: impl Iterator<Item = &'r Resource> + Clone) -> Value {
        let references: Vec<&str> = self
            .from
            .iter()
            .chain(&self.to)
            .map(String::as_str)
            .collect();
        let world = PolicyWorld::new(objects, &self.assumed, &references);
        let mut flows = Vec::new();
        for from in &self.from {
            for to in self
                .to
                .iter()
                .filter(|to| world.is_endpoint(from) || world.is_endpoint(to))
            {
                for port in &self.ports {
                    let answer = world.ask(from, to, port.protocol, port.number);
                    flows.extend(answer.map(|answer| flow(from, to, port, &answer)));
                }
            }
        }
        json!({"policies": policies(&world), "flows": flows})
    }

    /// The ends that nothing is known of: a pod that is neither in the objects nor assumed.
    pub fn strangers<'r>(&self, objects: impl Iterator<Item = &'r Resource> + Clone) -> Vec<&str> {
        let references: Vec<&str> = self
            .from
            .iter()
            .chain(&self.to)
            .map(String::as_str)
            .collect();
        let world = PolicyWorld::new(objects, &self.assumed, &references);
        references.into_iter().filter(|r| !world.has(r)).collect()
    }
}

fn policies(world: &PolicyWorld) -> Vec<Value> {
    let one = |policy: &super::Policy| match &policy.refusal {
        None => json!({"id": policy.id, "accepted": true}),
        Some(refusal) => json!({
            "id": policy.id,
            "accepted": false,
            "refusedBy": refusal.by.to_string(),
            "reason": refusal.reason,
            "place": refusal.place.as_ref().map(ToString::to_string),
        }),
    };
    world.policies().iter().map(one).collect()
}

fn flow(from: &str, to: &str, port: &Port, answer: &Answer) -> Value {
    json!({
        "from": from,
        "to": to,
        "port": port.text,
        "verdict": answer.fate().as_str(),
        "why": answer.why(),
        "egress": end(&answer.egress),
        "ingress": end(&answer.ingress),
    })
}

fn end(end: &End) -> Value {
    json!({
        "state": end.state.as_str(),
        "by": end.by,
        "rule": end.rule,
        "place": end.place.as_ref().map(ToString::to_string),
    })
}

impl Reader<'_> {
    fn wrong(&self, node: &Node, phrase: impl Into<String>) -> Diagnostic {
        let mark = node.mark();
        Diagnostic::new(Code::FieldType, phrase).at(self.source.place(mark.line, mark.column))
    }

    fn only(&self, node: &Node, names: &[&str]) -> Result<()> {
        let Some(mapping) = node.as_mapping() else {
            return Err(self.wrong(node, "this must be an object"));
        };
        match mapping.iter().find(|(key, _)| !names.contains(key)) {
            Some((key, value)) => {
                let phrase = format!(
                    "`{key}` is not a field here; it may have {}",
                    names.join(", ")
                );
                Err(self.wrong(value, phrase))
            }
            None => Ok(()),
        }
    }

    fn list<'n>(&self, node: &'n Node, name: &str) -> Result<&'n [Node]> {
        match field(node, name) {
            Some(found) => found
                .as_sequence()
                .ok_or_else(|| self.wrong(found, format!("{name} must be a list"))),
            None => Ok(&[]),
        }
    }

    fn references(&self, node: &Node, name: &str) -> Result<Vec<String>> {
        let read = |item: &Node| {
            let text = item.scalar_text().unwrap_or_default();
            reference(text).map_err(|phrase| self.wrong(item, phrase))
        };
        self.list(node, name)?.iter().map(read).collect()
    }

    fn ports(&self, node: &Node) -> Result<Vec<Port>> {
        let read = |item: &Node| {
            let port = item.scalar_text().and_then(Port::parse);
            port.ok_or_else(|| {
                self.wrong(
                    item,
                    "a port is NUMBER/PROTOCOL, such as 5432/TCP or 8/ICMP",
                )
            })
        };
        self.list(node, "ports")?.iter().map(read).collect()
    }

    fn address(&self, node: &Node) -> Result<IpAddr> {
        let address = node.scalar_text().and_then(|t| t.parse().ok());
        address.ok_or_else(|| self.wrong(node, "this must be an IP address"))
    }

    fn assumed(&self, node: &Node) -> Result<Assumed> {
        self.only(
            node,
            &["cilium", "pods", "nodes", "apiServer", "dns", "resolver"],
        )?;
        let mut assumed = Assumed::default();
        for (name, value) in field(node, "cilium")
            .and_then(Node::as_mapping)
            .into_iter()
            .flat_map(|m| m.iter())
        {
            assumed
                .options
                .set(name, value)
                .map_err(|phrase| self.wrong(value, phrase))?;
        }
        for pod in self.list(node, "pods")? {
            assumed.pods.push(self.pod(pod)?);
        }
        if let Some(nodes) = field(node, "nodes") {
            assumed.nodes = Some(self.nodes(nodes)?);
        }
        for address in self.list(node, "apiServer")? {
            assumed.api_server.push(self.address(address)?);
        }
        if let Some(names) = field(node, "dns") {
            assumed.dns = Some(self.names(names)?);
        }
        assumed.resolver = text(node, "resolver").map(str::to_owned);
        Ok(assumed)
    }

    fn nodes(&self, node: &Node) -> Result<Vec<(IpAddr, Vec<String>)>> {
        let read = |(address, labels): (&str, &Node)| {
            let address = address
                .parse()
                .map_err(|_| self.wrong(labels, format!("`{address}` is not an IP address")))?;
            let labels = labels.as_sequence().unwrap_or_default().iter();
            Ok((
                address,
                labels
                    .filter_map(Node::scalar_text)
                    .map(str::to_owned)
                    .collect(),
            ))
        };
        node.as_mapping()
            .into_iter()
            .flat_map(|m| m.iter())
            .map(read)
            .collect()
    }

    fn names(&self, node: &Node) -> Result<Vec<(String, Vec<IpAddr>)>> {
        let read = |(name, addresses): (&str, &Node)| {
            let addresses = addresses.as_sequence().unwrap_or_default().iter();
            Ok((
                name.to_owned(),
                addresses.map(|a| self.address(a)).collect::<Result<_>>()?,
            ))
        };
        node.as_mapping()
            .into_iter()
            .flat_map(|m| m.iter())
            .map(read)
            .collect()
    }

    fn pod(&self, node: &Node) -> Result<Pod> {
        self.only(
            node,
            &[
                "ref",
                "namespace",
                "labels",
                "ports",
                "serviceAccount",
                "cluster",
                "hostNetwork",
            ],
        )?;
        let reference = text(node, "ref").unwrap_or_default().to_owned();
        let ports = items(node, "ports")
            .iter()
            .map(|port| self.named_port(port))
            .collect::<Result<_>>()?;
        Ok(Pod {
            namespace: text(node, "namespace").unwrap_or_default().to_owned(),
            labels: strings(field(node, "labels"))
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect(),
            service_account: text(node, "serviceAccount").map(str::to_owned),
            cluster: text(node, "cluster").map(str::to_owned),
            host_network: field(node, "hostNetwork").and_then(Node::as_bool) == Some(true),
            reference,
            ports,
            ..Pod::default()
        })
    }

    fn named_port(&self, node: &Node) -> Result<NamedPort> {
        let number = text(node, "containerPort").or_else(|| text(node, "port"));
        let number = number.and_then(|t| t.parse().ok());
        let protocol = text(node, "protocol").map_or(Some(Protocol::Tcp), Protocol::parse);
        match (number, protocol) {
            (Some(number), Some(protocol)) => Ok(NamedPort {
                name: text(node, "name").unwrap_or_default().to_owned(),
                number,
                protocol,
            }),
            _ => Err(self.wrong(node, "a port has a name, a port and perhaps a protocol")),
        }
    }
}

/// Reads the reference of an end. Fails with what is wrong.
pub fn reference(text: &str) -> std::result::Result<String, String> {
    let is_right = match text.split_once(':') {
        Some(("pod", rest)) => rest
            .split_once('/')
            .is_some_and(|(ns, name)| !ns.is_empty() && !name.is_empty()),
        Some(("entity", name)) => is_entity(name),
        Some(("ip", address)) => address.parse::<IpAddr>().is_ok(),
        Some(("fqdn", name)) => !name.is_empty(),
        _ => false,
    };
    match is_right {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not an end of a flow: pod:NAMESPACE/NAME, entity:NAME, ip:ADDRESS or fqdn:NAME"
        )),
    }
}

/// The entities that can be an end of a flow.
fn is_entity(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "world",
        "world-ipv4",
        "world-ipv6",
        "host",
        "remote-node",
        "kube-apiserver",
        "health",
        "ingress",
        "init",
        "unmanaged",
    ];
    NAMES.contains(&name)
}
