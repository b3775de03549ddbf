//! What Argo CD makes of what a plugin printed: documents, objects, their namespaces, repeated ones.

use indexmap::IndexMap;
use std::collections::BTreeSet;

use crate::kube::{Gvk, Scope};
use crate::yaml::{
    self, DuplicateKeys, Entry, JsonStyle, Mapping, Node, ParseOptions, Style, Tag, Value,
};

/// The most that the plugin server sends back: gRPC's limit.
const MAX_MESSAGE_BYTES: usize = 100 << 20;

/// What the user sees of an output.
#[derive(Debug, Clone, Default)]
pub(super) struct Received {
    /// The objects, in the order in which they were printed; of repeated ones the last.
    pub(super) objects: Vec<Node>,
    /// Resources that were printed more than once, and how often: `RepeatedResourceWarning` each.
    pub(super) repeated: Vec<(String, usize)>,
    /// Values whose type is another one for the host than for kustomize: object, path, what was written.
    pub(super) retyped: Vec<Retyped>,
    /// How many documents held nothing.
    pub(super) empty: usize,
}

/// A value that YAML 1.1 reads as something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Retyped {
    /// The object.
    pub(super) object: String,
    /// The path in it.
    pub(super) path: String,
    /// What the host makes of it.
    pub(super) becomes: &'static str,
}

/// An output that the host refuses, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// By the plugin's server.
    InTheSidecar(String),
    /// By the repo-server.
    InTheRepoServer(String),
}

/// Reads an output. `destination` is the namespace of objects that have none.
pub(super) fn receive(stdout: &[u8], destination: &str) -> Result<Received, Refusal> {
    let text = String::from_utf8_lossy(stdout);
    let mut received = Received::default();
    let mut documents = Vec::new();
    let mut size_bytes = 0;
    for document in documents_of(&text)? {
        let Some(mut node) = document else {
            received.empty += 1;
            continue;
        };
        let mut retyped = Vec::new();
        retype(&mut node, &mut String::new(), &mut retyped);
        size_bytes += json_of(&node).len();
        documents.push((node, retyped));
    }
    if size_bytes > MAX_MESSAGE_BYTES {
        let words = format!(
            "rpc error: code = ResourceExhausted desc = grpc: received message larger than max ({size_bytes} vs. {MAX_MESSAGE_BYTES})"
        );
        return Err(Refusal::InTheRepoServer(words));
    }
    let mut objects = Vec::new();
    for (node, retyped) in documents {
        check(&node)?;
        let object = shown(&node);
        let findings = retyped.into_iter().map(|(path, becomes)| Retyped {
            object: object.clone(),
            path,
            becomes,
        });
        received.retyped.extend(findings);
        objects.extend(flattened(node)?);
    }
    received.settle(objects, destination);
    Ok(received)
}

/// The documents of an output: `None` for one that holds nothing.
fn documents_of(text: &str) -> Result<Vec<Option<Node>>, Refusal> {
    if text.trim_start().starts_with('{') {
        return json_documents(text);
    }
    let refused = |line: u32, error: yaml::SyntaxError| {
        let line = line + error.mark.line.saturating_sub(1);
        Refusal::InTheSidecar(format!(
            "failed to unmarshal manifest: error converting YAML to JSON: yaml: line {line}: {}",
            error.message
        ))
    };
    let options = ParseOptions {
        duplicate_keys: DuplicateKeys::LastWins,
        ..ParseOptions::DEFAULT
    };
    let mut documents = Vec::new();
    for piece in pieces(text) {
        let node = yaml::parse_first(&piece, options).map_err(|error| refused(1, error))?;
        documents.push(node.filter(|node| !node.is_null()));
    }
    Ok(documents)
}

/// The text between lines of `---` and nothing else. A piece of which there is nothing is none.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for line in text.split_inclusive('\n') {
        let is_separator = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.trim().is_empty());
        if is_separator {
            pieces.push(std::mem::take(&mut piece));
        } else {
            piece.push_str(line);
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// A stream that begins with `{` is one of JSON values.
fn json_documents(text: &str) -> Result<Vec<Option<Node>>, Refusal> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    let mut documents = Vec::new();
    for value in values {
        let value = value.map_err(|error| {
            let words = format!(
                "failed to unmarshal manifest: json: offset at line {}, column {} is no JSON",
                error.line(),
                error.column()
            );
            Refusal::InTheSidecar(words)
        })?;
        // JSON is YAML, and what is quoted in it stays text.
        let node = yaml::parse_first(&value.to_string(), ParseOptions::DEFAULT);
        documents.push(node.ok().flatten().filter(|node| !node.is_null()));
    }
    Ok(documents)
}

/// Makes of plain words and keys what YAML 1.1 makes of them.
fn retype(node: &mut Node, path: &mut String, found: &mut Vec<(String, &'static str)>) {
    if let Some(becomes) = boolean(node) {
        found.push((path.clone(), becomes));
        *node = Node::bool(becomes == "true");
        return;
    }
    if node.tag() == Tag::Timestamp {
        // A date is text to the host.
        node.set_tag(Tag::Str);
        node.set_style(Style::DoubleQuoted);
    }
    let length = path.len();
    match node.value_mut() {
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push_str(&format!("[{index}]"));
                retype(item, path, found);
                path.truncate(length);
            }
        }
        Value::Mapping(mapping) => {
            for Entry { key, value } in mapping.entries_mut() {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key.scalar_text().unwrap_or_default());
                if let Some(becomes) = boolean(key) {
                    found.push((path.clone(), becomes));
                    *key = Node::string(becomes).with_style(Style::DoubleQuoted);
                }
                retype(value, path, found);
                path.truncate(length);
            }
        }
    }
}

/// What a plain word is to YAML 1.1 and not to kustomize.
fn boolean(node: &Node) -> Option<&'static str> {
    if node.tag() != Tag::Str || node.style() != Style::Plain {
        return None;
    }
    match node.scalar_text()? {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some("true"),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some("false"),
        _ => None,
    }
}

/// What the repo-server refuses of a document.
fn check(node: &Node) -> Result<(), Refusal> {
    let refuse = |words: &str| {
        let failed = "failed to convert CMP manifests to unstructured objects: failed to unmarshal manifest: error unmarshaling JSON: while decoding JSON";
        Err(Refusal::InTheRepoServer(format!("{failed}: {words}")))
    };
    if node.as_mapping().is_none() {
        return refuse("json: cannot unmarshal a value that is no object");
    }
    if node
        .get("kind")
        .and_then(Node::as_str)
        .is_none_or(str::is_empty)
    {
        return refuse(&format!("Object 'Kind' is missing in '{}'", json_of(node)));
    }
    Ok(())
}

fn json_of(node: &Node) -> String {
    let mut bytes = Vec::new();
    match yaml::write_json(&mut bytes, node, JsonStyle::Sorted) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => "{}".to_owned(),
    }
}

/// The items of anything that has a list of `items`, whatever its kind; nothing of one whose items are null.
fn flattened(node: Node) -> Result<Vec<Node>, Refusal> {
    match node.get("items") {
        Some(items) if items.as_sequence().is_some() => {
            let items = items.as_sequence().unwrap_or_default().to_vec();
            match items.iter().all(|item| item.as_mapping().is_some()) {
                true => Ok(items),
                false => {
                    let words = "items member should be an object".to_owned();
                    Err(Refusal::InTheRepoServer(words))
                }
            }
        }
        Some(items)
            if items.is_null() && node.get("spec").is_none() && node.get("status").is_none() =>
        {
            Ok(Vec::new())
        }
        _ => Ok(vec![node]),
    }
}

impl Received {
    /// Gives each object its namespace, and keeps the last of those that are the same.
    fn settle(&mut self, objects: Vec<Node>, destination: &str) {
        let scopes = Scopes::of(&objects);
        let mut last: IndexMap<String, (Node, usize)> = IndexMap::new();
        for (index, mut object) in objects.into_iter().enumerate() {
            scopes.settle(&mut object, destination);
            let key = key(&object, index);
            let count = last.get(&key).map_or(0, |(_, count)| *count);
            last.insert(key, (object, count + 1));
        }
        for (key, (object, count)) in last {
            if count > 1 {
                self.repeated.push((key, count));
            }
            self.objects.push(object);
        }
    }
}

/// Which kinds are outside of every namespace: the built-in ones, and those whose definition is printed too.
struct Scopes(BTreeSet<(String, String)>);

impl Scopes {
    fn of(objects: &[Node]) -> Self {
        let definitions = objects
            .iter()
            .filter(|o| text(o, &["kind"]) == "CustomResourceDefinition")
            .filter(|o| text(o, &["spec", "scope"]) == "Cluster");
        let kind = |object: &Node| {
            (
                text(object, &["spec", "group"]).to_owned(),
                text(object, &["spec", "names", "kind"]).to_owned(),
            )
        };
        Self(definitions.map(kind).collect())
    }

    fn is_cluster_wide(&self, object: &Node) -> bool {
        let gvk = gvk(object);
        gvk.scope() == Scope::Cluster
            || self
                .0
                .contains(&(gvk.group.to_string(), gvk.kind.to_string()))
    }

    fn settle(&self, object: &mut Node, destination: &str) {
        let is_cluster_wide = self.is_cluster_wide(object);
        let has_namespace = !text(object, &["metadata", "namespace"]).is_empty();
        let Some(mapping) = object.as_mapping_mut() else {
            return;
        };
        let metadata = mapping.get_or_insert_with("metadata", Node::mapping);
        let Some(metadata) = metadata.as_mapping_mut() else {
            return;
        };
        match (is_cluster_wide, has_namespace) {
            (true, _) => drop(metadata.remove("namespace")),
            (false, false) if !destination.is_empty() => set_namespace(metadata, destination),
            (false, _) => {}
        }
    }
}

fn set_namespace(metadata: &mut Mapping, namespace: &str) {
    metadata.insert("namespace", Node::string(namespace));
}

fn gvk(object: &Node) -> Gvk {
    Gvk::new(text(object, &["apiVersion"]), text(object, &["kind"]))
}

/// `group/kind/namespace/name`, as the host writes it.
fn key(object: &Node, index: usize) -> String {
    let gvk = gvk(object);
    let name = match text(object, &["metadata", "name"]) {
        "" => match text(object, &["metadata", "generateName"]) {
            "" => String::new(),
            prefix => format!("{prefix}{index}"),
        },
        name => name.to_owned(),
    };
    let namespace = text(object, &["metadata", "namespace"]);
    format!("{}/{}/{namespace}/{name}", gvk.group, gvk.kind)
}

fn shown(object: &Node) -> String {
    let kind = text(object, &["kind"]);
    format!("{kind}/{}", text(object, &["metadata", "name"]))
}

/// The text at a path; empty where there is none.
pub(super) fn text<'n>(node: &'n Node, keys: &[&str]) -> &'n str {
    node.lookup(keys).and_then(Node::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(text: &str) -> Received {
        receive(text.as_bytes(), "shop").unwrap()
    }

    fn refused(text: &str) -> String {
        match receive(text.as_bytes(), "shop").unwrap_err() {
            Refusal::InTheSidecar(words) | Refusal::InTheRepoServer(words) => words,
        }
    }

    fn json(text: &str) -> Vec<String> {
        received(text).objects.iter().map(json_of).collect()
    }

    /// Section 0.10; the values are those that kubectl 1.34 gives for this text.
    #[test]
    fn yaml_1_1_retypes() {
        let text = "kind: A\ndata: {a: y, b: yes, c: 0777, d: 1e3, e: 0o17, f: 1:30, g: 2024-01-01, h: on, i: N, yes: k, j: .5, k: 1_000, l: ~, n: 1.0, o: OFF, p: tRue, q: 0b11, r: +1, s: \"yes\"}\n";
        assert_eq!(
            json(text),
            [
                r#"{"data":{"a":true,"b":true,"c":511,"d":1000,"e":15,"f":"1:30","false":1,"g":"2024-01-01","h":true,"i":false,"j":0.5,"k":1000,"l":null,"o":false,"p":"tRue","q":3,"r":1,"s":"yes","true":"k"},"kind":"A","metadata":{"namespace":"shop"}}"#
            ]
        );
        let paths: Vec<String> = received(text).retyped.into_iter().map(|r| r.path).collect();
        let wanted = [
            "data.a", "data.b", "data.h", "data.i", "data.yes", "data.n", "data.o",
        ];
        assert_eq!(paths, wanted);
    }

    /// A.4: empty, comment-only and null documents are dropped; a line of `---` with more on it splits nothing.
    #[test]
    fn empty_documents_are_dropped() {
        let text =
            "---\nkind: A\n---\n\n---\n# nothing\n---\nnull\n---\n# c\n--- # more\nkind: B\n";
        let result = received(text);
        let kinds: Vec<&str> = result.objects.iter().map(text_of).collect();
        assert_eq!(kinds, ["A", "B"]);
        assert_eq!(result.empty, 3);
    }

    fn text_of(object: &Node) -> &str {
        text(object, &["kind"])
    }

    /// A.4: JSON streams work, where the stream begins with `{`.
    #[test]
    fn json_streams_are_read() {
        let text = "{\"kind\": \"A\", \"b\": \"yes\"}\n{\"kind\": \"B\"}";
        assert_eq!(json(text).len(), 2);
        assert!(received(text).retyped.is_empty());
        assert!(refused("{\"kind\": ").starts_with("failed to unmarshal manifest: json"));
    }

    /// A.4 and section 0.4: a document without kind puts all of it on the page.
    #[test]
    fn a_missing_kind_shows_the_whole_document() {
        let words = refused("kind: A\n---\napiVersion: v1\ndata: {password: x}\n");
        assert!(
            words.ends_with(
                r#"Object 'Kind' is missing in '{"apiVersion":"v1","data":{"password":"x"}}'"#
            ),
            "{words}"
        );
    }

    /// A.4: anything with a list of items is flattened; null items are nothing.
    #[test]
    fn lists_are_flattened() {
        let text =
            "kind: ConfigMapList\nitems: [{kind: A}, {kind: B}]\n---\nkind: List\nitems: null\n";
        assert_eq!(json(text).len(), 2);
    }

    /// A.4: cluster-scoped kinds lose their namespace, others get the destination's.
    #[test]
    fn namespaces_are_settled() {
        let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: other}\n---\napiVersion: x.example/v1\nkind: Wide\nmetadata: {name: a}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: wides.x.example}\nspec: {group: x.example, scope: Cluster, names: {kind: Wide}}\n";
        let namespaces: Vec<String> = received(text)
            .objects
            .iter()
            .map(|o| super::text(o, &["metadata", "namespace"]).to_owned())
            .collect();
        assert_eq!(namespaces, ["", "shop", "other", "", ""]);
    }

    /// A.4: of repeated resources the last counts, with a warning.
    #[test]
    fn repeated_resources_are_told() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: 1\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\nspec: 2\n";
        let result = received(text);
        assert_eq!(result.repeated, [("apps/Deployment/shop/a".to_owned(), 2)]);
        assert_eq!(result.objects.len(), 1);
        assert!(json_of(&result.objects[0]).contains(r#""spec":2"#));
    }

    /// A.4: what is no YAML is told by line.
    #[test]
    fn what_is_no_yaml_is_refused() {
        assert!(refused("kind: [\n").contains("error converting YAML to JSON: yaml: line"));
    }
}
