//! Labels with their source, which of them an identity has, and requirements on them.
//!
//! Upstream: `pkg/labels/labels.go` (sources), `pkg/labelsfilter/filter.go` (the default filter: patterns that must
//! match from the start of a key; what is included wins where its match is longer than the shortest that ignores),
//! `pkg/policy/types/requirement.go` (matching). Differs on purpose: an identity may have labels that nobody knows,
//! so that a requirement can be doubtful. Pinned by `labels/*` and `selectors/*` of the recorded cases.

use compact_str::CompactString;

use super::cidr::Cidr;
use super::ports::NamedPort;
use super::read::{items, text};
use crate::yaml::Node;

/// The label by which Cilium knows a pod's namespace.
pub(super) const NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// What the labels of a pod's namespace begin with.
pub(super) const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels";
/// The label that says of which cluster a pod is.
pub(super) const CLUSTER: &str = "io.cilium.k8s.policy.cluster";
/// The label by which Cilium knows a pod's service account.
pub(super) const SERVICE_ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";
/// The label of the CIDR groups that hold an address.
pub(super) const CIDR_GROUP_NAME: &str = "io.cilium.policy.cidrgroupname";
/// The label that two pods with other named ports differ by.
const NAMED_PORTS: &str = "io.cilium.k8s.named-ports";
/// What only Cilium may set on a pod.
const OWNED: &str = "io.cilium.k8s";
/// The label that every namespace has.
const NAME_OF_NAMESPACE: &str = "kubernetes.io/metadata.name";

/// Where a label comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// `k8s:`, from the pod or its namespace.
    Kubernetes,
    /// `reserved:`, what is not a pod.
    Reserved,
    /// `cidr:`, a network that holds the address.
    Cidr,
    /// `cidrgroup:`, from a CiliumCIDRGroup that holds the address.
    CidrGroup,
    /// `fqdn:`, a selector of names by which the address was learned.
    Fqdn,
    /// `node:`, a label of the Node.
    Node,
    /// `gen:`, what Cilium makes of a pod's ports.
    Generated,
    /// Any other prefix; no label that is known here has one.
    Other,
}

impl Source {
    /// Splits `source:key`; no source where any will do.
    pub(super) fn split(key: &str) -> (Option<Self>, &str) {
        if let Some(rest) = key.strip_prefix('$') {
            return (Some(Self::Reserved), rest);
        }
        let Some((source, rest)) = key.split_once(':') else {
            return (None, key);
        };
        let source = match source {
            "any" | "unspec" | "" => None,
            "k8s" => Some(Self::Kubernetes),
            "reserved" => Some(Self::Reserved),
            "cidr" => Some(Self::Cidr),
            "cidrgroup" => Some(Self::CidrGroup),
            "fqdn" => Some(Self::Fqdn),
            "node" => Some(Self::Node),
            "gen" => Some(Self::Generated),
            _ => Some(Self::Other),
        };
        (source, rest)
    }
}

/// A label of an identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label {
    pub(super) source: Source,
    pub(super) key: CompactString,
    pub(super) value: CompactString,
}

impl Label {
    pub(super) fn new(source: Source, key: &str, value: &str) -> Self {
        Self {
            source,
            key: key.into(),
            value: value.into(),
        }
    }

    pub(super) fn kubernetes(key: &str, value: &str) -> Self {
        Self::new(Source::Kubernetes, key, value)
    }

    pub(super) fn reserved(key: &str) -> Self {
        Self::new(Source::Reserved, key, "")
    }
}

/// What matches the start of a key: whether it ignores, and the text.
const FILTER: &[(bool, &str)] = &[
    (false, NAMESPACE),
    (false, NAMESPACE_LABELS),
    (false, "app.kubernetes.io"),
    (false, CLUSTER),
    (false, SERVICE_ACCOUNT),
    (true, "io.kubernetes"),
    (true, "kubernetes.io"),
    (true, "statefulset.kubernetes.io/pod-name"),
    (true, "apps.kubernetes.io/pod-index"),
    (true, "batch.kubernetes.io/job-completion-index"),
    (true, "batch.kubernetes.io/controller-uid"),
    (true, "topology.kubernetes.io"),
    (true, "k8s.io"),
    (true, "pod-template-generation"),
    (true, "pod-template-hash"),
    (true, "controller-revision-hash"),
    (true, "controller-uid"),
    (true, "etcd_node"),
];

/// Labels of a beta are ignored wherever the text is in the key.
const BETA: &str = "beta.kubernetes.io";

/// Whether a label of a pod is part of its identity.
pub(super) fn is_identity(key: &str) -> bool {
    let (mut included, mut ignored) = (0, usize::MAX);
    for (ignores, start) in FILTER.iter().filter(|(_, start)| key.starts_with(start)) {
        match ignores {
            true => ignored = ignored.min(start.len()),
            false => included = included.max(start.len()),
        }
    }
    if let Some(at) = key.rfind(BETA) {
        ignored = ignored.min(at + BETA.len());
    }
    if key.starts_with("annotation") {
        ignored = ignored.min(key.len());
    }
    ignored == usize::MAX || included > ignored
}

/// The labels of a pod's identity: its own but those that only Cilium may set, its namespace's, and what Cilium adds.
pub(super) fn of_pod<'l>(
    own: impl Iterator<Item = (&'l str, &'l str)>,
    namespace: &str,
    of_namespace: &[(String, String)],
    account: &str,
    cluster: &str,
    ports: &[NamedPort],
) -> Vec<Label> {
    let mut all: Vec<Label> = own
        .filter(|(key, _)| !key.starts_with(OWNED) && *key != NAMESPACE)
        .map(|(key, value)| Label::kubernetes(key, value))
        .collect();
    let mut add = |key: &str, value: &str| all.push(Label::kubernetes(key, value));
    add(
        &format!("{NAMESPACE_LABELS}.{NAME_OF_NAMESPACE}"),
        namespace,
    );
    for (key, value) in of_namespace.iter().filter(|(k, _)| k != NAME_OF_NAMESPACE) {
        add(&format!("{NAMESPACE_LABELS}.{key}"), value);
    }
    add(NAMESPACE, namespace);
    add(SERVICE_ACCOUNT, account);
    add(CLUSTER, cluster);
    all.retain(|label| is_identity(&label.key));
    if !ports.is_empty() {
        let one = |p: &NamedPort| format!("{}.{}.{}", p.name, p.protocol, p.number);
        let value = ports.iter().map(one).collect::<Vec<_>>().join("_");
        all.push(Label::new(Source::Generated, NAMED_PORTS, &value));
    }
    all.sort();
    all.dedup_by(|a, b| (&a.source, &a.key) == (&b.source, &b.key));
    all
}

/// What a requirement asks of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Test {
    In(Vec<CompactString>),
    NotIn(Vec<CompactString>),
    Exists,
    DoesNotExist,
}

/// One requirement; no source means any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Requirement {
    pub(super) source: Option<Source>,
    pub(super) key: CompactString,
    pub(super) test: Test,
}

impl Requirement {
    pub(super) fn new(source: Option<Source>, key: &str, test: Test) -> Self {
        Self {
            source,
            key: key.into(),
            test,
        }
    }

    /// Asks for one value of a label of Kubernetes.
    pub(super) fn is(key: &str, value: &str) -> Self {
        Self::new(Some(Source::Kubernetes), key, Test::In(vec![value.into()]))
    }

    /// Asks for a reserved label.
    pub(super) fn reserved(key: &str) -> Self {
        Self::new(Some(Source::Reserved), key, Test::Exists)
    }

    /// Whether labels meet it.
    pub(super) fn matches(&self, labels: &[Label]) -> bool {
        let found = labels.iter().find(|label| self.is_about(label));
        match (&self.test, found) {
            (Test::In(wanted), Some(label)) => wanted.contains(&label.value),
            (Test::In(_) | Test::Exists, None) | (Test::DoesNotExist, Some(_)) => false,
            (Test::NotIn(unwanted), Some(label)) => !unwanted.contains(&label.value),
            (Test::NotIn(_) | Test::DoesNotExist, None) | (Test::Exists, Some(_)) => true,
        }
    }

    fn is_about(&self, label: &Label) -> bool {
        label.key == self.key && self.source.as_ref().is_none_or(|s| *s == label.source)
    }

    /// Whether it is about the label of a key that pods have, from any source or Kubernetes.
    fn is_of_pods(&self) -> bool {
        matches!(self.source, None | Some(Source::Kubernetes))
    }

    /// Whether it is about the namespace itself.
    pub(super) fn names_namespace(&self) -> bool {
        self.is_of_pods() && self.key == NAMESPACE
    }

    /// Whether it is about a label of the namespace that not every namespace has.
    pub(super) fn names_namespace_label(&self) -> bool {
        self.is_of_pods()
            && self
                .key
                .strip_prefix(NAMESPACE_LABELS)
                .is_some_and(|rest| rest != ".kubernetes.io/metadata.name")
    }

    /// Whether it is about a label that the maker of a pod chose.
    pub(super) fn names_own_label(&self) -> bool {
        self.is_of_pods() && !self.key.starts_with(OWNED) && self.key != NAMESPACE
    }

    /// Whether it is about what tells a pod from others: its own labels, its namespace, or labels of that.
    pub(super) fn names_pod(&self) -> bool {
        let of_namespace = self.key.starts_with(NAMESPACE_LABELS) || self.key == NAMESPACE;
        self.names_own_label() || (self.is_of_pods() && of_namespace)
    }

    /// Whether it tells a node from the world.
    pub(super) fn names_place(&self) -> bool {
        self.key == "remote-node" || self.key.starts_with("world")
    }

    /// Whether it is about a label of a Node.
    pub(super) fn names_node_label(&self) -> bool {
        !matches!(self.source, Some(Source::Reserved)) && self.key != CLUSTER
    }
}

/// How the keys of a selector are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Each may carry a source, as in Cilium's own kinds.
    WithSource,
    /// Each is of Kubernetes.
    Kubernetes,
    /// Each is of CIDR groups.
    Groups,
}

/// The requirements of a `LabelSelector` over keys that `prefix` is put before.
pub(super) fn requirements(node: &Node, prefix: &str, keys: Keys) -> Vec<Requirement> {
    let make = |key: &str, test| {
        let (source, key) = match keys {
            Keys::WithSource => Source::split(key),
            Keys::Kubernetes => (Some(Source::Kubernetes), key),
            Keys::Groups => (Some(Source::CidrGroup), key),
        };
        let joined = match prefix {
            "" => key.into(),
            prefix => compact_str::format_compact!("{prefix}.{key}"),
        };
        Requirement {
            source,
            key: joined,
            test,
        }
    };
    let mut all: Vec<Requirement> = labels(node, keys)
        .map(|(key, value)| make(key, Test::In(vec![value.into()])))
        .collect();
    all.extend(items(node, "matchExpressions").iter().map(|expression| {
        make(
            text(expression, "key").unwrap_or_default(),
            test(expression),
        )
    }));
    all
}

/// The `matchLabels` of a selector. A null is pruned from Cilium's own kinds, and an empty value in those of Kubernetes.
fn labels(node: &Node, keys: Keys) -> impl Iterator<Item = (&str, &str)> {
    let labels = super::read::field(node, "matchLabels").and_then(Node::as_mapping);
    let all = labels.into_iter().flat_map(crate::yaml::Mapping::iter);
    all.filter(move |(_, value)| keys == Keys::Kubernetes || !value.is_null())
        .map(|(key, value)| {
            let text = value.scalar_text().filter(|_| !value.is_null());
            (key, text.unwrap_or_default())
        })
}

fn test(expression: &Node) -> Test {
    let values = || {
        let values = items(expression, "values").iter();
        values
            .map(|v| v.scalar_text().unwrap_or_default().into())
            .collect()
    };
    match text(expression, "operator") {
        Some("In") => Test::In(values()),
        Some("NotIn") => Test::NotIn(values()),
        Some("DoesNotExist") => Test::DoesNotExist,
        _ => Test::Exists,
    }
}

/// Whether a label is a network that lies within another one, or the world, which is all of them.
pub(super) fn lies_within(label: &Label, network: &Cidr, ipv6: bool) -> bool {
    let world = match (ipv6, network.is_v4()) {
        (false, true) => "world",
        (true, true) => "world-ipv4",
        (_, false) => "world-ipv6",
    };
    match label.source {
        Source::Cidr => Cidr::parse(&label.key).is_some_and(|own| network.contains(&own)),
        Source::Reserved => network.bits() == 0 && label.key == world,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_identity;

    #[test]
    fn the_filter_matches_from_the_start_of_a_key() {
        let cases = [
            ("app", true),
            ("app.kubernetes.io/name", true),
            ("kubernetes.io/hostname", false),
            ("foo.kubernetes.io/x", true),
            ("node-role.kubernetes.io/worker", true),
            ("x.k8s.io", true),
            ("k8s.io/x", false),
            ("topology.kubernetes.io/zone", false),
            ("failure-domain.beta.kubernetes.io/zone", false),
            ("pod-template-hash", false),
            ("annotation.x", false),
            ("io.kubernetes.pod.namespace", true),
            ("io.kubernetes.pod.name", false),
            ("batch.kubernetes.io/job-name", true),
            ("batch.kubernetes.io/controller-uid", false),
        ];
        for (key, expected) in cases {
            assert_eq!(is_identity(key), expected, "{key}");
        }
    }
}
