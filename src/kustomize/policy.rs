//! `IAMPolicyGenerator`: a ServiceAccount that is bound to one of Google's cloud.

use compact_str::CompactString;

use super::decode::record;
use super::plugins::{read, source_of};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::Resource;
use crate::yaml::Node;

record! {
    /// The fields of its configuration.
    pub(crate) struct Arguments {
        /// The cloud; only `gke`.
        cloud: CompactString = "cloud",
        /// The ServiceAccount that is made.
        kubernetes_service: Account = "kubernetesService",
        /// The account that it is bound to.
        service_account: Account = "serviceAccount",
    }
}

record! {
    /// An account.
    pub(crate) struct Account {
        /// Its name.
        name: CompactString = "name",
        /// Its namespace.
        namespace: CompactString = "namespace",
        /// Its project.
        project_id: CompactString = "projectId",
    }
}

/// Makes the ServiceAccount.
pub(super) fn generate(configuration: &Resource) -> Result<Vec<Resource>> {
    let arguments: Arguments = read(configuration)?;
    if arguments.cloud != "gke" {
        let phrase = format!("the cloud {:?} is not supported, gke is", arguments.cloud);
        return Err(Diagnostic::new(Code::PluginInvalid, phrase).at(configuration.place()));
    }
    let account = &arguments.service_account;
    let bound = format!(
        "{}@{}.iam.gserviceaccount.com",
        account.name, account.project_id
    );
    let service = &arguments.kubernetes_service;
    let mut metadata = Node::mapping();
    set(
        &mut metadata,
        "annotations",
        pair("iam.gke.io/gcp-service-account", &bound),
    );
    set(&mut metadata, "name", Node::string(service.name.clone()));
    if !service.namespace.is_empty() {
        set(
            &mut metadata,
            "namespace",
            Node::string(service.namespace.clone()),
        );
    }
    let mut node = Node::mapping();
    set(&mut node, "apiVersion", Node::string("v1"));
    set(&mut node, "kind", Node::string("ServiceAccount"));
    set(&mut node, "metadata", metadata);
    let node = node.with_mark(configuration.node().mark());
    Ok(vec![Resource::new(node, Some(source_of(configuration)))])
}

fn pair(key: &str, value: &str) -> Node {
    let mut node = Node::mapping();
    set(&mut node, key, Node::string(value));
    node
}

fn set(node: &mut Node, key: &str, value: Node) {
    node.as_mapping_mut()
        .expect("made as a mapping")
        .insert(key, value);
}
