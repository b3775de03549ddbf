//! Options of the agent that change verdicts, with the defaults of Cilium's Helm chart.
//!
//! Upstream: `pkg/option/config.go`, `pkg/policy/config.go`, and the chart's `values.yaml`, whose names are kept.

use crate::yaml::Node;

/// When policies are enforced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// Where a policy selects the endpoint.
    #[default]
    Default,
    /// On every endpoint.
    Always,
    /// Nowhere: denials do not count either.
    Never,
}

/// What the agent was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `policyEnforcementMode`, in queries `enablePolicy`.
    pub enforcement: Enforcement,
    /// Whether a node reaches its own pods, whatever allows it: `allowLocalhost`.
    pub allow_localhost: bool,
    /// `hostFirewall.enabled`: policies on nodes count.
    pub host_firewall: bool,
    /// `enable-node-selector-labels`: `fromNodes` and `toNodes` are taken.
    pub node_selector_labels: bool,
    /// `ipv6.enabled`: the world is two, one for each family.
    pub ipv6: bool,
    /// `enable-k8s-cluster-network-policy`: ClusterNetworkPolicies are read.
    pub cluster_network_policy: bool,
    /// `l7Proxy`.
    pub l7_proxy: bool,
    /// `enable-icmp-rules`.
    pub icmp_rules: bool,
    /// `enable-extended-ip-protocols`.
    pub extended_ip_protocols: bool,
    /// `enable-non-default-deny-policies`.
    pub non_default_deny: bool,
    /// `policyCIDRMatchMode` holds `nodes`: a CIDR may be that of nodes.
    pub cidr_matches_nodes: bool,
    /// `policy-default-local-cluster`: selectors are about this cluster where they name none.
    pub default_local_cluster: bool,
    /// `cluster.name`.
    pub cluster_name: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            enforcement: Enforcement::Default,
            allow_localhost: true,
            host_firewall: false,
            node_selector_labels: false,
            ipv6: false,
            cluster_network_policy: false,
            l7_proxy: true,
            icmp_rules: true,
            extended_ip_protocols: false,
            non_default_deny: true,
            cidr_matches_nodes: false,
            default_local_cluster: true,
            cluster_name: "default".to_owned(),
        }
    }
}

type Switch = fn(&mut Options) -> &mut bool;

/// The options that are a switch, by the name that queries and `flows.assume` use.
const SWITCHES: &[(&str, Switch)] = &[
    ("enableHostFirewall", |o| &mut o.host_firewall),
    ("enableNodeSelectorLabels", |o| &mut o.node_selector_labels),
    ("enableIPv6", |o| &mut o.ipv6),
    ("enableK8sClusterNetworkPolicy", |o| {
        &mut o.cluster_network_policy
    }),
    ("enableL7Proxy", |o| &mut o.l7_proxy),
    ("enableICMPRules", |o| &mut o.icmp_rules),
    ("enableExtendedIPProtocols", |o| {
        &mut o.extended_ip_protocols
    }),
    ("enableNonDefaultDenyPolicies", |o| &mut o.non_default_deny),
    ("policyDefaultLocalCluster", |o| {
        &mut o.default_local_cluster
    }),
];

impl Options {
    /// The names that [`Options::set`] takes.
    pub fn names() -> Vec<&'static str> {
        let others = [
            "enablePolicy",
            "allowLocalhost",
            "policyCIDRMatchMode",
            "clusterName",
        ];
        SWITCHES.iter().map(|(n, _)| *n).chain(others).collect()
    }

    /// Sets an option by its name. Fails with what is wrong.
    pub fn set(&mut self, name: &str, value: &Node) -> Result<(), String> {
        if let Some((_, switch)) = SWITCHES.iter().find(|(n, _)| *n == name) {
            *switch(self) = value
                .as_bool()
                .ok_or_else(|| format!("{name} is true or false"))?;
            return Ok(());
        }
        let text = value.scalar_text();
        match (name, text) {
            ("enablePolicy", Some("default")) => self.enforcement = Enforcement::Default,
            ("enablePolicy", Some("always")) => self.enforcement = Enforcement::Always,
            ("enablePolicy", Some("never")) => self.enforcement = Enforcement::Never,
            ("enablePolicy", _) => return Err(format!("{name} is default, always or never")),
            ("allowLocalhost", Some("auto" | "always")) => self.allow_localhost = true,
            ("allowLocalhost", Some("policy")) => self.allow_localhost = false,
            ("allowLocalhost", _) => return Err(format!("{name} is auto, always or policy")),
            ("policyCIDRMatchMode", _) => {
                let modes = value.as_sequence().unwrap_or(std::slice::from_ref(value));
                self.cidr_matches_nodes = modes.iter().any(|m| m.scalar_text() == Some("nodes"));
            }
            ("clusterName", Some(text)) => text.clone_into(&mut self.cluster_name),
            _ => return Err(format!("`{name}` is not an option that changes verdicts")),
        }
        Ok(())
    }

    /// The cluster that selectors are about where they name none.
    pub(super) fn local_cluster(&self) -> Option<&str> {
        self.default_local_cluster.then_some(&*self.cluster_name)
    }
}
