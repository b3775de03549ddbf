//! Identities: what Cilium knows of each end of a flow.
//!
//! Upstream: `pkg/identity/reserved.go`, `pkg/k8s/labels.go` and `pkg/k8s/utils` (SanitizePodLabels). Differs on purpose:
//! an identity says what is not known of it.

use super::label::Label;
use super::ports::NamedPort;
use crate::diagnostic::Place;

/// What the objects do not say of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unknown {
    /// The labels of the pod: what makes it is not in the objects.
    OwnLabels,
    /// The labels of its namespace, whose object is not there.
    NamespaceLabels,
    /// The labels of the Node.
    NodeLabels,
    /// Its address.
    Address,
    /// Who is in a group of a cloud.
    Groups,
    /// Where the API server is.
    ApiServer,
    /// Where the pods are: that they are here is a guess.
    Place,
    /// What the cluster is called.
    Cluster,
    /// Which of several pods it is, whose labels differ.
    Which,
    /// Whether Cilium has repaired a fault of 1.20.
    Fault,
}

impl Unknown {
    /// What would have to be known.
    pub(super) fn reason(self, title: &str) -> String {
        match self {
            Self::OwnLabels => {
                format!("the labels of {title}: what makes its pods is not in the objects")
            }
            Self::NamespaceLabels => {
                format!("the labels of the namespace of {title}, whose object is not there")
            }
            Self::NodeLabels => format!("the labels of the node behind {title}"),
            Self::Address => format!("the address of {title}"),
            Self::Place => format!("where {title} is: nothing in the objects shows it"),
            Self::Cluster => "what the cluster is called (cluster.name of Cilium)".to_owned(),
            Self::Which => format!("which pod of {title} it is: their labels differ"),
            Self::ApiServer => {
                "where the API server is: an address outside of the cluster, or a node".to_owned()
            }
            Self::Fault => {
                "whether the fault of Cilium 1.20 is repaired by which such a selector also selects pods and nodes".to_owned()
            }
            Self::Groups => {
                "who is in the groups of the cloud, or behind Services that are not in the objects"
                    .to_owned()
            }
        }
    }
}

/// What an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A pod of this cluster, which policies can be about.
    Pod,
    /// An endpoint that Cilium makes for itself: health, ingress, init.
    OfCilium,
    /// The node itself.
    Host,
    /// Anything that policies cannot be about.
    Other,
}

/// One end of a flow.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// What it is called in answers.
    pub(super) title: String,
    pub(super) kind: Kind,
    pub(super) namespace: Option<String>,
    pub(super) labels: Vec<Label>,
    pub(super) ports: Vec<NamedPort>,
    pub(super) unknown: Vec<Unknown>,
    /// The keys of labels in which its pods differ.
    pub(super) varying: Vec<String>,
}

impl Identity {
    /// What is known by reserved labels.
    pub(super) fn reserved(title: &str, kind: Kind, labels: Vec<Label>) -> Self {
        Self {
            title: title.to_owned(),
            kind,
            namespace: None,
            labels,
            ports: Vec::new(),
            unknown: Vec::new(),
            varying: Vec::new(),
        }
    }

    /// Whether it has a reserved label.
    pub(super) fn is_reserved(&self, key: &str) -> bool {
        self.labels.contains(&Label::reserved(key))
    }
}

/// A kind of pods, as a template or an assumption tells of it.
#[derive(Debug, Clone, Default)]
pub struct Pod {
    /// What it is asked for as: `pod:NAMESPACE/NAME`.
    pub reference: String,
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: Vec<(String, String)>,
    /// Its service account; `default` where none is named.
    pub service_account: Option<String>,
    /// The ports that its containers name.
    pub ports: Vec<NamedPort>,
    /// Whether it has the network of its node.
    pub host_network: bool,
    /// The cluster that it is in, where that is another one.
    pub cluster: Option<String>,
    /// Whether its labels are a guess.
    pub has_guessed_labels: bool,
    /// Whether it is a guess that there are such pods at all.
    pub is_guess: bool,
    /// The keys of labels in which its pods differ.
    pub varying: Vec<String>,
    /// The object that it comes from.
    pub place: Option<Place>,
}
