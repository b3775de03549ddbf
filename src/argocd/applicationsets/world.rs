//! What an Argo CD knows: its clusters, projects, ConfigMaps and Secrets, and what the APIs of others answer.
//!
//! Destinations follow `GetDestinationServer` and `GetCluster` of Argo CD (util/argo, util/db): the cluster that Argo CD
//! runs in is known as `in-cluster` without a Secret. Cases: `dest-*`, `clusters-*`.

use serde_json::{Map, Value, json};

use super::Failure;
use crate::argocd::wire::object::{name, namespace, text};

/// The namespace of Argo CD.
pub(super) const NAMESPACE: &str = "argocd";

/// How the cluster is called that Argo CD runs in.
pub(super) const IN_CLUSTER: &str = "in-cluster";

/// Its address.
pub(super) const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";

const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";

/// A cluster that a Secret registers.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// Its name, as it is written.
    pub(super) name: String,
    /// Its address.
    pub(super) server: String,
    /// The project that it belongs to, where the Secret says one.
    pub(super) project: Option<String>,
    /// The Secret.
    pub(super) secret: Value,
}

/// Objects of the cluster, and answers.
#[derive(Debug)]
pub(super) struct ClusterState {
    objects: Vec<Value>,
    /// The clusters, in the order of their Secrets' names.
    pub(super) clusters: Vec<Cluster>,
    answers: Map<String, Value>,
}

impl ClusterState {
    /// A world with the project that permits everything, and no cluster but the one Argo CD runs in.
    pub(super) fn new() -> Self {
        let mut world = Self {
            objects: Vec::new(),
            clusters: Vec::new(),
            answers: Map::new(),
        };
        world.add(json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": "default", "namespace": NAMESPACE},
            "spec": {
                "sourceRepos": ["*"],
                "destinations": [{"server": "*", "namespace": "*"}],
                "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
            },
        }));
        world
    }

    /// Adds an object, or takes the place of the one of its kind, namespace and name.
    pub(super) fn add(&mut self, mut object: Value) {
        if namespace(&object).is_empty()
            && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.insert("namespace".to_owned(), NAMESPACE.into());
        }
        let is_same = |other: &Value| {
            text(other, &["kind"]) == text(&object, &["kind"])
                && namespace(other) == namespace(&object)
                && name(other) == name(&object)
        };
        match self.objects.iter_mut().find(|other| is_same(other)) {
            Some(slot) => *slot = object,
            None => self.objects.push(object),
        }
        self.clusters = self.registered();
    }

    /// Adds a document without a kind: lists of what APIs answer.
    pub(super) fn add_answers(&mut self, document: &Map<String, Value>) {
        for (key, value) in document {
            let slot = self.answers.entry(key.clone()).or_insert_with(|| json!([]));
            if let (Some(known), Some(more)) = (slot.as_array_mut(), value.as_array()) {
                known.extend(more.iter().cloned());
            }
        }
    }

    /// The answers of one kind of API.
    pub(super) fn answers(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.answers
            .get(kind)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    /// Whether anything says what that kind of API answers.
    pub(super) fn has_answers(&self, kind: &str) -> bool {
        self.answers.contains_key(kind)
    }

    /// The object of a kind and name in Argo CD's namespace.
    pub(super) fn find(&self, kind: &str, wanted: &str) -> Option<&Value> {
        self.objects.iter().find(|object| {
            text(object, &["kind"]) == kind
                && name(object) == wanted
                && namespace(object) == NAMESPACE
        })
    }

    /// Every object.
    pub(super) fn objects(&self) -> &[Value] {
        &self.objects
    }

    /// The project of a name.
    pub(super) fn project(&self, name: &str) -> Option<&Value> {
        self.find("AppProject", name)
    }

    fn registered(&self) -> Vec<Cluster> {
        let is_cluster = |object: &&Value| {
            text(object, &["kind"]) == "Secret"
                && namespace(object) == NAMESPACE
                && text(object, &["metadata", "labels", SECRET_TYPE]) == "cluster"
        };
        let mut secrets: Vec<&Value> = self.objects.iter().filter(is_cluster).collect();
        secrets.sort_by_key(|secret| name(secret).to_owned());
        let cluster = |secret: &&Value| Cluster {
            name: secret_text(secret, "name").unwrap_or_default(),
            server: secret_text(secret, "server").unwrap_or_default(),
            project: secret_text(secret, "project"),
            secret: (*secret).clone(),
        };
        secrets.iter().map(cluster).collect()
    }

    /// The name and address of a destination's cluster. Fails where there is none, or several of that name.
    pub(super) fn destination(&self, destination: &Value) -> Result<(String, String), Failure> {
        let (name, server) = (text(destination, &["name"]), text(destination, &["server"]));
        match (name, server) {
            ("", "") => Err(Failure::new(
                "the destination names neither a server nor a cluster",
            )),
            ("", server) => self.by_server(server),
            (name, "") => self.by_name(name),
            _ => Err(Failure::new(
                "the destination names both a server and a cluster",
            )),
        }
    }

    fn by_server(&self, server: &str) -> Result<(String, String), Failure> {
        let wanted = server.trim_end_matches('/');
        let same = |cluster: &&Cluster| cluster.server.trim_end_matches('/') == wanted;
        if let Some(cluster) = self.clusters.iter().find(same) {
            return Ok((cluster.name.clone(), cluster.server.clone()));
        }
        if wanted == IN_CLUSTER_SERVER {
            return Ok((IN_CLUSTER.to_owned(), IN_CLUSTER_SERVER.to_owned()));
        }
        Err(Failure::new(format!(
            "no cluster has the server {server:?}"
        )))
    }

    fn by_name(&self, name: &str) -> Result<(String, String), Failure> {
        let named: Vec<&Cluster> = self.clusters.iter().filter(|c| c.name == name).collect();
        match named[..] {
            [one] => Ok((one.name.clone(), one.server.clone())),
            [] if name == IN_CLUSTER => self.by_server(IN_CLUSTER_SERVER),
            [] => Err(Failure::new(format!("no cluster has the name {name:?}"))),
            _ => Err(Failure::new(format!(
                "several clusters have the name {name:?}"
            ))),
        }
    }
}

/// A value of a Secret, from `stringData` or `data`.
pub(super) fn secret_text(secret: &Value, key: &str) -> Option<String> {
    use base64::Engine as _;
    if let Some(text) = secret
        .get("stringData")
        .and_then(|d| d.get(key))
        .and_then(Value::as_str)
    {
        return Some(text.to_owned());
    }
    let encoded = secret.get("data")?.get(key)?.as_str()?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded.trim())
        .ok()?;
    String::from_utf8(bytes).ok()
}
