//! Objects and what is assumed beside them, joined: who is there, what holds for each, and what becomes of flows.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::address::{Addresses, world};
use super::endpoint::{EndpointPolicy, Members, RowPeers, Selected, Sets, build};
use super::entry::{Entry, Parser, Peers};
use super::identity::{Identity, Kind, Pod, Unknown};
use super::label::{Label, Source, of_pod};
use super::lookup::Lookup;
use super::names::Pattern;
use super::options::Options;
use super::pods;
use super::ports::Protocol;
use super::read::strings;
use super::repository::{Policy, Repository};
use super::selector::{Match, Selector};
use super::verdict::{Answer, Direction, End, Flow, FlowVerdict, State};
use crate::kube::Resource;

/// What is known beside the objects.
#[derive(Debug, Clone, Default)]
pub struct Assumed {
    /// The agent's options.
    pub options: Options,
    /// Pods that no object shows.
    pub pods: Vec<Pod>,
    /// The addresses of nodes, with their reserved labels. `None`: nobody knows them.
    pub nodes: Option<Vec<(IpAddr, Vec<String>)>>,
    /// The addresses of an API server outside of the cluster.
    pub api_server: Vec<IpAddr>,
    /// What the DNS proxy learned. `None`: nobody knows.
    pub dns: Option<Vec<(String, Vec<IpAddr>)>>,
    /// The pod that answers names, as a reference.
    pub resolver: Option<String>,
    /// Whether there may be Services that the objects do not show.
    pub may_be_other_services: bool,
    /// Whether the pods are these alone, and those of workloads are left out.
    pub all_pods: bool,
    /// Whether the cluster may be called otherwise than the options say.
    pub cluster_may_differ: bool,
    /// Whether policies that audit are taken to enforce, but those that select a whole namespace or cluster.
    pub enforce: bool,
}

impl Assumed {
    /// Where the API server is; `None` where nobody knows.
    fn addresses_of_api_server(&self) -> Option<Vec<IpAddr>> {
        let is_there = |labels: &[String]| labels.iter().any(|l| l == "kube-apiserver");
        let nodes = self.nodes.iter().flatten().filter(|(_, l)| is_there(l));
        let all = self
            .api_server
            .iter()
            .copied()
            .chain(nodes.map(|(a, _)| *a));
        let all: Vec<IpAddr> = all.collect();
        (self.nodes.is_some() || !all.is_empty()).then_some(all)
    }
}

/// The port of DNS.
const DNS: Flow = Flow {
    protocol: Protocol::Udp,
    port: 53,
};

/// What a pod's asking for a name comes to.
enum Asked {
    Learned,
    /// Why the DNS proxy never learns it.
    Never(String),
    /// What would have to be known.
    Unknown(String),
}

/// The identities of a name: as it is once it is learned, and as it is before, for each of its addresses.
#[derive(Debug, Default, Clone)]
struct NameIdentities {
    learned: Vec<usize>,
    unlearned: Vec<usize>,
}

/// A cluster as its policies see it.
#[derive(Debug)]
pub struct PolicyWorld {
    options: Options,
    policies: Vec<Policy>,
    entries: Vec<Entry>,
    identities: Vec<Identity>,
    references: BTreeMap<String, usize>,
    names: BTreeMap<String, NameIdentities>,
    resolver: Option<usize>,
    sets: Sets,
    endpoints: Vec<Option<Arc<EndpointPolicy>>>,
    selected: Vec<Selected>,
    hosts: Vec<u64>,
    portless: Vec<u64>,
    named: BTreeMap<(String, Protocol, u16), Vec<u64>>,
}

impl PolicyWorld {
    /// Builds the world of objects.
    ///
    /// `references` are the ends that will be asked for beside the pods: `entity:NAME`, `ip:ADDRESS`, `fqdn:NAME`.
    pub fn new<'r>(
        objects: impl Iterator<Item = &'r Resource> + Clone,
        assumed: &Assumed,
        references: &[&str],
    ) -> Self {
        let options = assumed.options.clone();
        let api_server = assumed.addresses_of_api_server();
        let repository =
            Repository::read(objects.clone(), &options, api_server.as_deref(), assumed);
        let mut people = People::new(&repository, assumed);
        people.add_pods(objects, assumed);
        for reference in references {
            people.add(reference);
        }
        let resolver = people.resolver(assumed);
        let People {
            identities,
            references,
            names,
            ..
        } = people;
        let mut world = Self {
            sets: Sets::new(identities.len()),
            endpoints: Vec::new(),
            selected: Vec::new(),
            hosts: Vec::new(),
            portless: Vec::new(),
            named: BTreeMap::new(),
            policies: repository.policies,
            entries: repository.entries,
            options,
            identities,
            references,
            names,
            resolver,
        };
        world.index();
        world.endpoints = world.endpoints();
        world
    }

    /// The policies of the objects.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Whether an end is there.
    pub fn has(&self, reference: &str) -> bool {
        self.references.contains_key(reference) || self.names.contains_key(reference)
    }

    /// Whether Cilium polices an end.
    pub fn is_endpoint(&self, reference: &str) -> bool {
        self.references
            .get(reference)
            .is_some_and(|i| self.endpoints[*i].is_some())
    }

    /// Decides on a flow; `None` where an end is not there.
    pub fn ask(&self, from: &str, to: &str, protocol: Protocol, port: u16) -> Option<Answer> {
        let flow = Flow { protocol, port };
        let from = *self.references.get(from)?;
        match self.names.get(to) {
            Some(name) => Some(self.ask_name(from, to, name, flow)),
            None => Some(self.between(from, *self.references.get(to)?, flow)),
        }
    }

    /// Whether what no rule allows is dropped at an end, in a direction; `None` where that cannot be known.
    pub fn denies_by_default(&self, reference: &str, direction: Direction) -> Option<bool> {
        let policy = self
            .references
            .get(reference)
            .and_then(|i| self.endpoints[*i].as_ref());
        match policy.map(|p| p.side(direction).default_deny) {
            Some(super::endpoint::Sure::Yes) => Some(true),
            None | Some(super::endpoint::Sure::No) => Some(false),
            Some(super::endpoint::Sure::Maybe) => None,
        }
    }

    /// The policies that select an end for sure, by their position.
    pub fn selecting(&self, reference: &str) -> Vec<usize> {
        let at = self.references.get(reference);
        let selected = at.map(|i| self.selected[*i].as_slice()).unwrap_or_default();
        let sure = selected.iter().filter(|(_, doubt)| doubt.is_none());
        let mut all: Vec<usize> = sure.map(|(entry, _)| self.entries[*entry].policy).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether any rule that selects an end names a port, whoever may use it.
    pub fn has_rule_for(
        &self,
        reference: &str,
        direction: Direction,
        protocol: Protocol,
        port: u16,
    ) -> bool {
        let policy = self
            .references
            .get(reference)
            .and_then(|i| self.endpoints[*i].as_ref());
        let names = |key: &super::ports::PortKey| {
            key.protocol == Some(protocol)
                && matches!(key.numbers, super::ports::Numbers::Between(first, last) if (first..=last).contains(&port))
        };
        policy.is_some_and(|p| p.side(direction).rows.iter().any(|r| names(&r.key)))
    }

    /// Whether a policy would select pods if they were in its namespace.
    pub fn would_select(&self, policy: usize, reference: &str) -> bool {
        let Some(at) = self.references.get(reference) else {
            return false;
        };
        let mut entries = self
            .entries
            .iter()
            .filter(|e| e.policy == policy && !e.on_nodes);
        entries.any(|entry| {
            let mut moved = self.identities[*at].clone();
            if let Some(namespace) = &entry.namespace {
                for label in moved
                    .labels
                    .iter_mut()
                    .filter(|l| l.key == super::label::NAMESPACE)
                {
                    label.value = namespace.as_str().into();
                }
            }
            entry.subject.matches(&moved, self.options.ipv6) == Match::Yes
        })
    }

    /// The ports on which a flow surely passes: the first and the last of each range, by protocol.
    pub fn open_ports(&self, from: &str, to: &str) -> Vec<(Protocol, u16, u16)> {
        let mut open: Vec<(Protocol, u16, u16)> = Vec::new();
        let starts = self.boundaries(from, to);
        for protocol in super::ports::ANY {
            for (index, first) in starts.iter().enumerate() {
                let last = starts.get(index + 1).map_or(u16::MAX, |next| next - 1);
                let passes = self
                    .ask(from, to, protocol, *first)
                    .is_some_and(|a| a.fate() == FlowVerdict::Allowed);
                match open
                    .last_mut()
                    .filter(|o| o.0 == protocol && o.2.checked_add(1) == Some(*first))
                {
                    Some(range) if passes => range.2 = last,
                    _ if passes => open.push((protocol, *first, last)),
                    _ => {}
                }
            }
        }
        open
    }

    /// The ports at which what the rules say may change.
    fn boundaries(&self, from: &str, to: &str) -> Vec<u16> {
        let policy = |r: &str| {
            self.references
                .get(r)
                .and_then(|i| self.endpoints[*i].as_ref())
        };
        let egress = policy(from).map(|p| &p.egress);
        let ingress = policy(to).map(|p| &p.ingress);
        let mut all = vec![0];
        for row in egress
            .into_iter()
            .chain(ingress)
            .flat_map(|side| &side.rows)
        {
            if let super::ports::Numbers::Between(first, last) = row.key.numbers {
                all.push(first);
                all.extend(last.checked_add(1));
            }
        }
        let named = self
            .references
            .get(to)
            .map(|i| self.identities[*i].ports.as_slice());
        for port in named.unwrap_or_default() {
            all.push(port.number);
            all.extend(port.number.checked_add(1));
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    fn lookup(&self) -> Lookup<'_> {
        Lookup {
            identities: &self.identities,
            sets: &self.sets,
            entries: &self.entries,
            policies: &self.policies,
            options: &self.options,
            hosts: &self.hosts,
            named: &self.named,
            portless: &self.portless,
        }
    }

    fn end(&self, direction: Direction, subject: usize, peer: usize, flow: Flow) -> End {
        match &self.endpoints[subject] {
            Some(policy) => self.lookup().end(policy, direction, flow, peer),
            None => End::plain(State::NoEndpoint),
        }
    }

    fn between(&self, from: usize, to: usize, flow: Flow) -> Answer {
        Answer {
            egress: self.end(Direction::Egress, from, to, flow),
            ingress: self.end(Direction::Ingress, to, from, flow),
            name: None,
            fate: None,
        }
    }

    /// Decides on a flow to a name: as it is before it is learned, and once it is, where it can be.
    fn ask_name(&self, from: usize, to: &str, name: &NameIdentities, flow: Flow) -> Answer {
        let unlearned = self.same(from, &name.unlearned, flow);
        let mut answer = self.same(from, &name.learned, flow);
        if answer.fate() == unlearned.fate() {
            return answer;
        }
        let plain = to.strip_prefix("fqdn:").unwrap_or(to);
        match self.asked(from, plain) {
            Asked::Learned => answer,
            Asked::Never(_) if unlearned.fate() == FlowVerdict::Unknown => unlearned,
            Asked::Never(why) => {
                answer.fate = Some(unlearned.fate());
                answer.name = Some(why);
                answer
            }
            Asked::Unknown(why) => {
                answer.fate = Some(FlowVerdict::Unknown);
                answer.name = Some(why);
                answer
            }
        }
    }

    /// The answer for several addresses, where it is the same for each.
    fn same(&self, from: usize, to: &[usize], flow: Flow) -> Answer {
        let mut answers = to.iter().map(|t| self.between(from, *t, flow));
        let Some(mut first) = answers.next() else {
            return self.between(from, from, flow);
        };
        if answers.any(|a| a.fate() != first.fate()) {
            first.fate = Some(FlowVerdict::Unknown);
            first.name = Some("which of the addresses of the name is taken".to_owned());
        }
        first
    }

    /// Whether a pod learns a name: its question must reach the resolver through the DNS proxy, which must let it.
    fn asked(&self, from: usize, name: &str) -> Asked {
        let Some(policy) = &self.endpoints[from] else {
            return Asked::Never("names are learned for pods only".to_owned());
        };
        let Some(resolver) = self.resolver else {
            return Asked::Unknown("which pods answer names".to_owned());
        };
        let lookup = self.lookup();
        let end = lookup.end(policy, Direction::Egress, DNS, resolver);
        let title = &self.identities[resolver].title;
        match end.state.fate() {
            FlowVerdict::Denied => {
                return Asked::Never(format!("it may not ask {title} for names"));
            }
            FlowVerdict::Unknown => {
                return Asked::Unknown(format!("whether it may ask {title} for names"));
            }
            FlowVerdict::Allowed => {}
        }
        let (_, rows) = lookup.deciding(policy, Direction::Egress, DNS, resolver);
        let proxied: Vec<_> = rows.iter().filter(|r| r.parser == Parser::Dns).collect();
        if proxied.is_empty() {
            return Asked::Never(
                "no rule with `rules: {dns: …}` sends its questions through the DNS proxy"
                    .to_owned(),
            );
        }
        let is_beside = |r: &&&super::endpoint::Row| proxied.iter().any(|p| p.key == r.key);
        let opens_all = policy.egress.default_deny == super::endpoint::Sure::No;
        let lets = |r: &&super::endpoint::Row| {
            let patterns = r.rule.map_or(&[][..], |rule| {
                &self.entries[r.entry].ports[rule].inspection.dns
            });
            patterns.is_empty() || patterns.iter().any(|p| p.matches(name))
        };
        match opens_all || rows.iter().filter(is_beside).any(lets) {
            true => Asked::Learned,
            false => Asked::Never("no DNS rule lets it ask for the name".to_owned()),
        }
    }

    fn index(&mut self) {
        let words = self.sets.words();
        let mut hosts = vec![0; words];
        let mut portless = vec![0; words];
        for (index, identity) in self.identities.iter().enumerate() {
            let bit = 1_u64 << (index % 64);
            if identity.is_reserved("host") {
                hosts[index / 64] |= bit;
            }
            if identity.unknown.contains(&Unknown::OwnLabels) {
                portless[index / 64] |= bit;
            }
            for port in &identity.ports {
                let key = (port.name.to_ascii_lowercase(), port.protocol, port.number);
                self.named.entry(key).or_insert_with(|| vec![0; words])[index / 64] |= bit;
            }
        }
        self.hosts = hosts;
        self.portless = portless;
    }

    /// The policy of each endpoint; one for all that the same entries select.
    fn endpoints(&mut self) -> Vec<Option<Arc<EndpointPolicy>>> {
        let mut by_namespace: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, identity) in self.identities.iter().enumerate() {
            if let Some(namespace) = &identity.namespace {
                by_namespace
                    .entry(namespace.clone())
                    .or_default()
                    .push(index);
            }
        }
        let members = Members {
            identities: &self.identities,
            by_namespace: &by_namespace,
            ipv6: self.options.ipv6,
        };
        let selected = selected(&self.entries, &members, &self.options, &mut self.sets);
        let mut known: BTreeMap<_, Arc<EndpointPolicy>> = BTreeMap::new();
        let mut peers: Vec<Option<RowPeers>> = vec![None; self.entries.len()];
        let mut all = Vec::with_capacity(self.identities.len());
        self.selected.clone_from(&selected);
        for (identity, selected) in self.identities.iter().zip(selected) {
            if !is_policed(identity, &self.options) {
                all.push(None);
                continue;
            }
            let key = (
                selected,
                identity.ports.clone(),
                identity.is_reserved("init"),
            );
            if let Some(policy) = known.get(&key) {
                all.push(Some(Arc::clone(policy)));
                continue;
            }
            let mut peers_of = |entry: usize| {
                *peers[entry].get_or_insert_with(|| {
                    row_peers(&self.entries[entry], &members, &mut self.sets)
                })
            };
            let policy = build(
                identity,
                &key.0,
                &self.entries,
                &self.options,
                &mut peers_of,
            );
            let policy = Arc::new(policy);
            known.insert(key, Arc::clone(&policy));
            all.push(Some(policy));
        }
        all
    }
}

fn is_policed(identity: &Identity, options: &Options) -> bool {
    match identity.kind {
        Kind::Pod | Kind::OfCilium => true,
        Kind::Host => options.host_firewall,
        Kind::Other => false,
    }
}

fn row_peers(entry: &Entry, members: &Members<'_>, sets: &mut Sets) -> RowPeers {
    match &entry.peers {
        Peers::Of(all) if all.iter().any(Selector::is_everything) => RowPeers::Everybody,
        Peers::Of(all) => RowPeers::Set(sets.union(all, members)),
        Peers::Nobody | Peers::Unknown => RowPeers::Unknown,
    }
}

/// The entries that select each identity.
fn selected(
    entries: &[Entry],
    members: &Members<'_>,
    options: &Options,
    sets: &mut Sets,
) -> Vec<Selected> {
    let mut all: Vec<Selected> = vec![Vec::new(); members.identities.len()];
    for (index, entry) in entries.iter().enumerate() {
        let set = sets.of(&entry.subject, members);
        let set = sets.get(set);
        for word in 0..set.possible.len() {
            let mut bits = set.possible[word];
            while bits != 0 {
                let bit = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let at = word * 64 + bit;
                let identity = &members.identities[at];
                let in_namespace =
                    entry.namespace.is_none() || entry.namespace == identity.namespace;
                let is_node = identity.kind == Kind::Host;
                if !in_namespace || is_node != entry.on_nodes || !is_policed(identity, options) {
                    continue;
                }
                let doubt = match set.sure[word] >> bit & 1 {
                    1 => None,
                    _ => match entry.subject.matches(identity, members.ipv6) {
                        Match::Maybe(unknown) => Some(unknown),
                        _ => Some(Unknown::OwnLabels),
                    },
                };
                all[at].push((index, doubt));
            }
        }
    }
    all
}

/// Who is there, while it is found out.
struct People<'a> {
    assumed: &'a Assumed,
    addresses: Addresses,
    patterns: Vec<Pattern>,
    identities: Vec<Identity>,
    references: BTreeMap<String, usize>,
    names: BTreeMap<String, NameIdentities>,
}

impl<'a> People<'a> {
    fn new(repository: &Repository<'_>, assumed: &'a Assumed) -> Self {
        let mut addresses = Addresses::default();
        let mut patterns: Vec<Pattern> = Vec::new();
        for entry in &repository.entries {
            let Peers::Of(selectors) = &entry.peers else {
                continue;
            };
            for selector in selectors {
                selector.networks().for_each(|n| addresses.network(n));
                if let Selector::Names(pattern) = selector {
                    patterns.push(pattern.clone());
                }
            }
        }
        patterns.sort();
        patterns.dedup();
        for group in &repository.groups {
            addresses.group(group);
        }
        for (address, labels) in assumed.nodes.iter().flatten() {
            addresses.reserved(*address, labels.iter().map(String::as_str));
        }
        for address in &assumed.api_server {
            addresses.reserved(*address, std::iter::once("kube-apiserver"));
        }
        Self {
            assumed,
            addresses,
            patterns,
            identities: Vec::new(),
            references: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    fn push(&mut self, identity: Identity) -> usize {
        self.identities.push(identity);
        self.identities.len() - 1
    }

    fn add_pods<'r>(
        &mut self,
        objects: impl Iterator<Item = &'r Resource> + Clone,
        assumed: &Assumed,
    ) {
        let mut namespaces: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
        for object in objects
            .clone()
            .filter(|o| o.kind() == "Namespace" && o.gvk().group.is_empty())
        {
            let labels = strings(object.node().lookup(&["metadata", "labels"]));
            let labels = labels.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
            namespaces.insert(object.name(), labels);
        }
        let of_objects = objects.filter(|_| !assumed.all_pods).filter_map(pods::of);
        for pod in of_objects.chain(assumed.pods.iter().cloned()) {
            let identity = self.pod(&pod, namespaces.get(&*pod.namespace).map(Vec::as_slice));
            let index = self.push(identity);
            self.references.entry(pod.reference).or_insert(index);
        }
    }

    fn pod(&self, pod: &Pod, of_namespace: Option<&[(String, String)]>) -> Identity {
        if pod.host_network {
            let title = &pod.reference;
            return Identity::reserved(title, Kind::Other, vec![Label::reserved("remote-node")]);
        }
        let cluster = pod
            .cluster
            .as_deref()
            .unwrap_or(&self.assumed.options.cluster_name);
        let is_here = cluster == self.assumed.options.cluster_name;
        let own = pod.labels.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let account = pod
            .service_account
            .as_deref()
            .filter(|a| !a.is_empty())
            .unwrap_or("default");
        let mut ports = pod.ports.clone();
        ports.sort();
        let doubts = [
            (of_namespace.is_none(), Unknown::NamespaceLabels),
            (pod.has_guessed_labels, Unknown::OwnLabels),
            (pod.is_guess, Unknown::Place),
            (self.assumed.cluster_may_differ, Unknown::Cluster),
            (!pod.varying.is_empty(), Unknown::Which),
        ];
        Identity {
            title: pod
                .reference
                .strip_prefix("pod:")
                .unwrap_or(&pod.reference)
                .to_owned(),
            kind: if is_here { Kind::Pod } else { Kind::Other },
            namespace: Some(pod.namespace.clone()),
            labels: of_pod(
                own,
                &pod.namespace,
                of_namespace.unwrap_or_default(),
                account,
                cluster,
                &ports,
            ),
            ports,
            varying: pod.varying.clone(),
            unknown: doubts
                .iter()
                .filter(|(holds, _)| *holds)
                .map(|(_, u)| *u)
                .collect(),
        }
    }

    /// Adds an end by its reference, where it is not there yet.
    fn add(&mut self, reference: &str) {
        if self.references.contains_key(reference) || self.names.contains_key(reference) {
            return;
        }
        match reference.split_once(':') {
            Some(("entity", name)) => {
                let identity = self.entity(name);
                let index = self.push(identity);
                self.references.insert(reference.to_owned(), index);
            }
            Some(("ip", text)) => {
                if let Ok(address) = text.parse() {
                    let identity = self.address(text, address, &self.addresses_but(None));
                    let index = self.push(identity);
                    self.references.insert(reference.to_owned(), index);
                }
            }
            Some(("fqdn", name)) => {
                let found = self.name(name);
                self.names.insert(reference.to_owned(), found);
            }
            _ => {}
        }
    }

    fn entity(&self, name: &str) -> Identity {
        let reserved = |labels: &[&str]| {
            labels
                .iter()
                .map(|l| Label::reserved(l))
                .collect::<Vec<_>>()
        };
        let (kind, labels) = match name {
            "host" => {
                let known = self
                    .addresses
                    .address_of("host")
                    .map(super::cidr::Cidr::address);
                let labels = known.map(|a| self.addresses.labels(a, &self.assumed.options));
                (Kind::Host, labels.unwrap_or_else(|| reserved(&["host"])))
            }
            "kube-apiserver" if self.assumed.addresses_of_api_server().is_none() => {
                (Kind::Other, reserved(&["kube-apiserver"]))
            }
            "kube-apiserver" => (Kind::Other, reserved(&["kube-apiserver", "remote-node"])),
            "health" | "ingress" | "init" => (Kind::OfCilium, reserved(&[name])),
            "world" => (Kind::Other, reserved(&["world"])),
            other => (Kind::Other, reserved(&[other])),
        };
        let is_node = matches!(name, "host" | "remote-node" | "kube-apiserver");
        let mut unknown = if is_node { self.of_nodes() } else { Vec::new() };
        if name == "kube-apiserver" && self.assumed.addresses_of_api_server().is_none() {
            unknown.push(Unknown::ApiServer);
        }
        Identity {
            unknown,
            ..Identity::reserved(name, kind, labels)
        }
    }

    /// What is not known of nodes.
    fn of_nodes(&self) -> Vec<Unknown> {
        match &self.assumed.nodes {
            Some(_) => Vec::new(),
            None => vec![Unknown::NodeLabels],
        }
    }

    /// What is known of addresses, with what was learned for all names but one.
    fn addresses_but(&self, name: Option<&str>) -> Addresses {
        let mut addresses = self.addresses.clone();
        for (other, found) in self
            .assumed
            .dns
            .iter()
            .flatten()
            .filter(|(n, _)| Some(n.as_str()) != name)
        {
            for address in found {
                addresses.learned(*address, self.patterns.iter().filter(|p| p.matches(other)));
            }
        }
        addresses
    }

    fn address(&self, title: &str, address: IpAddr, known: &Addresses) -> Identity {
        let labels = known.labels(address, &self.assumed.options);
        let kind = match labels.contains(&Label::reserved("host")) {
            true => Kind::Host,
            false => Kind::Other,
        };
        Identity::reserved(title, kind, labels)
    }

    fn name(&mut self, name: &str) -> NameIdentities {
        let of_name = |(n, _): &&(String, Vec<IpAddr>)| {
            n.trim_end_matches('.')
                .eq_ignore_ascii_case(name.trim_end_matches('.'))
        };
        let found = self.assumed.dns.iter().flatten().find(of_name);
        let Some((_, addresses)) = found.filter(|(_, a)| !a.is_empty()) else {
            return self.name_without_address(name);
        };
        let before = self.addresses_but(Some(name));
        let mut once = before.clone();
        for address in addresses {
            once.learned(*address, self.patterns.iter().filter(|p| p.matches(name)));
        }
        let mut identities = NameIdentities::default();
        for address in addresses {
            let learned = self.address(name, *address, &once);
            let unlearned = self.address(name, *address, &before);
            identities.learned.push(self.push(learned));
            identities.unlearned.push(self.push(unlearned));
        }
        identities
    }

    fn name_without_address(&mut self, name: &str) -> NameIdentities {
        let unlearned = Identity {
            unknown: vec![Unknown::Address],
            ..Identity::reserved(name, Kind::Other, vec![world(None, &self.assumed.options)])
        };
        let mut learned = unlearned.clone();
        for pattern in self.patterns.iter().filter(|p| p.matches(name)) {
            learned
                .labels
                .push(Label::new(Source::Fqdn, pattern.as_str(), ""));
        }
        NameIdentities {
            learned: vec![self.push(learned)],
            unlearned: vec![self.push(unlearned)],
        }
    }

    /// The pod that answers names: the one that is assumed, or the one with the label that all DNS of clusters has.
    fn resolver(&self, assumed: &Assumed) -> Option<usize> {
        if let Some(reference) = &assumed.resolver {
            return self.references.get(reference).copied();
        }
        let label = Label::kubernetes("k8s-app", "kube-dns");
        self.identities
            .iter()
            .position(|i| i.labels.contains(&label))
    }
}
