//! Labels with their source, and selectors over them, as Cilium matches them.

use crate::yaml::Node;

/// The label by which Cilium knows a pod's namespace.
pub(super) const NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// What the labels of a pod's namespace begin with.
pub(super) const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels";
/// The label that every pod of the cluster has.
pub(super) const CLUSTER: &str = "io.cilium.k8s.policy.cluster";

/// The label by which Cilium knows a pod's service account.
pub(super) const SERVICE_ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";

/// Where a label comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// `k8s:`, from the pod or its namespace.
    Kubernetes,
    /// `reserved:`, what is no pod.
    Reserved,
    /// Any other prefix; no label that is known here has one.
    Other,
}

/// A label of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label {
    source: Source,
    pub(super) key: String,
    pub(super) value: String,
}

impl Label {
    pub(super) fn kubernetes(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            source: Source::Kubernetes,
            key: key.into(),
            value: value.into(),
        }
    }

    pub(super) fn reserved(key: &str) -> Self {
        Self {
            source: Source::Reserved,
            key: key.to_owned(),
            value: String::new(),
        }
    }

    /// Whether it is a pod's own: neither reserved nor one that Cilium adds.
    pub(super) fn is_own(&self) -> bool {
        self.source == Source::Kubernetes
            && self.key != NAMESPACE
            && self.key != CLUSTER
            && self.key != SERVICE_ACCOUNT
            && !self.key.starts_with(NAMESPACE_LABELS)
    }
}

/// What a requirement asks of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

/// One requirement; no source means any.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    source: Option<Source>,
    key: String,
    test: Test,
}

impl Requirement {
    fn matches(&self, labels: &[Label]) -> bool {
        let mut values = labels
            .iter()
            .filter(|l| l.key == self.key && self.source.as_ref().is_none_or(|s| *s == l.source))
            .map(|l| &l.value);
        match &self.test {
            Test::In(wanted) => values.any(|v| wanted.contains(v)),
            Test::NotIn(unwanted) => values.all(|v| !unwanted.contains(v)),
            Test::Exists => values.next().is_some(),
            Test::DoesNotExist => values.next().is_none(),
        }
    }
}

/// Requirements that must all be met. None at all match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selector(Vec<Requirement>);

impl Selector {
    /// Matches everything.
    pub(super) fn everything() -> Self {
        Self::default()
    }

    /// Matches what has a reserved label.
    pub(super) fn reserved(key: &str) -> Self {
        Self(vec![Requirement {
            source: Some(Source::Reserved),
            key: key.to_owned(),
            test: Test::Exists,
        }])
    }

    /// Matches every pod of the cluster.
    pub(super) fn pods() -> Self {
        Self::everything().with_key(CLUSTER)
    }

    /// Reads a `LabelSelector` of Cilium, whose keys may carry a source. Fails with what is wrong.
    pub(super) fn of_cilium(node: &Node) -> Result<Self, String> {
        Self::read(node, "", true)
    }

    /// Reads a `LabelSelector` of Kubernetes over keys that `prefix` is put before.
    pub(super) fn of_kubernetes(node: &Node, prefix: &str) -> Result<Self, String> {
        Self::read(node, prefix, false)
    }

    fn read(node: &Node, prefix: &str, sources: bool) -> Result<Self, String> {
        let mut requirements = Vec::new();
        let mut add = |key: &str, test| {
            let (source, key) = if sources {
                split_source(key)
            } else {
                (Some(Source::Kubernetes), key)
            };
            let key = if prefix.is_empty() {
                key.to_owned()
            } else {
                format!("{prefix}.{key}")
            };
            requirements.push(Requirement { source, key, test });
        };
        if let Some(labels) = node.get("matchLabels").and_then(Node::as_mapping) {
            for (key, value) in labels.iter() {
                let value = if value.is_null() {
                    ""
                } else {
                    value.scalar_text().unwrap_or_default()
                };
                add(key, Test::In(vec![value.to_owned()]));
            }
        }
        for expression in items(node.get("matchExpressions")) {
            let key = expression
                .get("key")
                .and_then(Node::scalar_text)
                .ok_or("an expression has no key")?;
            add(key, test(expression)?);
        }
        Ok(Self(requirements))
    }

    /// Adds that a pod is in a namespace.
    pub(super) fn in_namespace(mut self, namespace: &str) -> Self {
        self.0.push(Requirement {
            source: Some(Source::Kubernetes),
            key: NAMESPACE.to_owned(),
            test: Test::In(vec![namespace.to_owned()]),
        });
        self
    }

    /// Adds that a pod has a label, whatever its value.
    pub(super) fn with_key(mut self, key: &str) -> Self {
        self.0.push(Requirement {
            source: Some(Source::Kubernetes),
            key: key.to_owned(),
            test: Test::Exists,
        });
        self
    }

    /// Adds the requirements of another selector.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(super) fn matches(&self, labels: &[Label]) -> bool {
        self.0.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether it may match an endpoint whose own labels are not known: what it asks of the namespace and of the
    /// kind of endpoint is met.
    pub(super) fn may_match(&self, labels: &[Label]) -> bool {
        let is_known = |r: &&Requirement| {
            r.source == Some(Source::Reserved)
                || r.key == NAMESPACE
                || r.key == CLUSTER
                || r.key.starts_with(NAMESPACE_LABELS)
        };
        let mut known = self.0.iter().filter(is_known);
        known.all(|requirement| requirement.matches(labels))
    }

    /// Whether there is no requirement.
    pub(super) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a requirement names a key of `reserved:`.
    pub(super) fn is_reserved(&self) -> bool {
        self.0.iter().any(|r| r.source == Some(Source::Reserved))
    }

    /// Whether a requirement is on the namespace.
    pub(super) fn names_namespace(&self) -> bool {
        self.0
            .iter()
            .any(|r| r.source != Some(Source::Reserved) && r.key == NAMESPACE)
    }

    /// Whether a requirement is on a label of the namespace.
    pub(super) fn names_namespace_labels(&self) -> bool {
        self.0
            .iter()
            .any(|r| r.source != Some(Source::Reserved) && r.key.starts_with(NAMESPACE_LABELS))
    }
}

/// The items of a list; none when there is no list.
pub(super) fn items(node: Option<&Node>) -> &[Node] {
    node.and_then(Node::as_sequence).unwrap_or_default()
}

/// `k8s:key` → Kubernetes, `any:key` and `key` → any source.
fn split_source(key: &str) -> (Option<Source>, &str) {
    match key.split_once(':') {
        None => (None, key),
        Some(("any", key)) => (None, key),
        Some(("k8s", key)) => (Some(Source::Kubernetes), key),
        Some(("reserved", key)) => (Some(Source::Reserved), key),
        Some((_, key)) => (Some(Source::Other), key),
    }
}

fn test(expression: &Node) -> Result<Test, String> {
    let values = items(expression.get("values"))
        .iter()
        .map(|v| v.scalar_text().unwrap_or_default().to_owned())
        .collect();
    match expression
        .get("operator")
        .and_then(Node::scalar_text)
        .unwrap_or_default()
    {
        "In" => Ok(Test::In(values)),
        "NotIn" => Ok(Test::NotIn(values)),
        "Exists" => Ok(Test::Exists),
        "DoesNotExist" => Ok(Test::DoesNotExist),
        other => Err(format!("`{other}` is no operator of an expression")),
    }
}
