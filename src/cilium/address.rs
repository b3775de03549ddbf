//! Addresses: which identity each one has.
//!
//! Upstream: `pkg/ipcache/metadata.go` (resolveLabels, mergeParentLabels). The longest network that anything names holds
//! the address; it inherits the labels of broader ones but of `/0`, the longest first, and one `cidr:` label in all. Nodes,
//! and what Cilium runs, have no labels of networks, groups and names, and all else is the world. Pinned by `cidr/*`,
//! `names/*` and `options/cidr-match-mode-*` of the recorded cases.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::cidr::Cidr;
use super::label::{CIDR_GROUP_NAME, Label, Source};
use super::names::Pattern;
use super::options::Options;
use super::read::{items, strings};
use crate::kube::Resource;
use crate::yaml::Node;

/// What is known of networks and addresses.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    known: BTreeMap<Cidr, Vec<Label>>,
    lengths: BTreeSet<u8>,
}

impl Addresses {
    fn add(&mut self, network: Cidr, labels: impl IntoIterator<Item = Label>) {
        self.lengths.insert(network.bits());
        let own = self.known.entry(network).or_default();
        for label in labels {
            if !own
                .iter()
                .any(|l| (&l.source, &l.key) == (&label.source, &label.key))
            {
                own.push(label);
            }
        }
    }

    /// Adds a network that a policy names.
    pub(super) fn network(&mut self, network: Cidr) {
        self.add(
            network,
            [Label::new(Source::Cidr, &network.to_string(), "")],
        );
    }

    /// Adds a CiliumCIDRGroup.
    pub(super) fn group(&mut self, resource: &Resource) {
        let name = Label::new(
            Source::CidrGroup,
            &format!("{CIDR_GROUP_NAME}/{}", resource.name()),
            "",
        );
        let own = strings(resource.node().lookup(&["metadata", "labels"]));
        let own: Vec<Label> = own
            .map(|(k, v)| Label::new(Source::CidrGroup, k, v))
            .chain([name])
            .collect();
        let spec = resource.node().get("spec");
        let networks = spec.map_or(&[][..], |s| items(s, "externalCIDRs"));
        let parse = |n: &Node| {
            let text = n.scalar_text()?;
            Cidr::parse(text).or_else(|| text.parse().ok().map(Cidr::host))
        };
        for network in networks.iter().filter_map(parse) {
            self.add(network, own.iter().cloned());
        }
    }

    /// Adds reserved labels of an address: those of a node or an API server.
    pub(super) fn reserved<'l>(&mut self, address: IpAddr, labels: impl Iterator<Item = &'l str>) {
        self.add(Cidr::host(address), labels.map(Label::reserved));
    }

    /// Adds an address that was learned for a name that selectors mean.
    pub(super) fn learned<'p>(
        &mut self,
        address: IpAddr,
        patterns: impl Iterator<Item = &'p Pattern>,
    ) {
        let labels: Vec<Label> = patterns
            .map(|p| Label::new(Source::Fqdn, p.as_str(), ""))
            .collect();
        if !labels.is_empty() {
            self.add(Cidr::host(address), labels);
        }
    }

    /// The first address that has a reserved label.
    pub(super) fn address_of(&self, reserved: &str) -> Option<&Cidr> {
        let label = Label::reserved(reserved);
        self.known
            .iter()
            .find(|(_, labels)| labels.contains(&label))
            .map(|(network, _)| network)
    }

    /// The labels of an address.
    pub(super) fn labels(&self, address: IpAddr, options: &Options) -> Vec<Label> {
        let own = Cidr::host(address);
        let mut labels: Vec<Label> = Vec::new();
        let lengths = self
            .lengths
            .iter()
            .rev()
            .filter(|bits| **bits <= own.bits());
        let covering = lengths.filter_map(|bits| {
            own.shortened(*bits)
                .and_then(|n| self.known.get_key_value(&n))
        });
        for (index, (network, found)) in covering.enumerate() {
            if index > 0 && network.bits() == 0 {
                break;
            }
            for label in found {
                let is_there = |l: &Label| match label.source {
                    Source::Cidr => l.source == Source::Cidr,
                    _ => (&l.source, &l.key) == (&label.source, &label.key),
                };
                if !labels.iter().any(is_there) {
                    labels.push(label.clone());
                }
            }
        }
        resolved(labels, address, options)
    }
}

/// What labels come to: nodes and what Cilium runs lose those of networks, and all else is the world.
fn resolved(mut labels: Vec<Label>, address: IpAddr, options: &Options) -> Vec<Label> {
    let has = |key: &str| labels.contains(&Label::reserved(key));
    let is_node = has("host") || has("remote-node");
    if is_node || has("health") || has("ingress") {
        if !(is_node && options.cidr_matches_nodes) {
            labels.retain(|l| !matches!(l.source, Source::Cidr | Source::CidrGroup | Source::Fqdn));
        }
    } else {
        labels.push(world(Some(address), options));
    }
    if !(is_node && options.node_selector_labels) {
        labels.retain(|l| l.source != Source::Node);
    }
    labels
}

/// The label of the world: one for each family, where there are two.
pub(super) fn world(address: Option<IpAddr>, options: &Options) -> Label {
    Label::reserved(match (options.ipv6, address) {
        (true, Some(IpAddr::V6(_))) => "world-ipv6",
        (true, Some(IpAddr::V4(_)) | None) => "world-ipv4",
        (false, _) => "world",
    })
}
