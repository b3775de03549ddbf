//! The variables of a Kustomization: `substituteFrom`, what the invoker gives, `substitute`.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::kustomization::{Id, Kustomization, PostBuild, Reference};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result, Source};
use crate::kube::Resource;
use crate::substitute::{Strategy, Variables};
use crate::yaml::{self, Node, ParseOptions};

/// Names and values, in order.
pub type Data = Vec<(String, SecretString)>;

/// What the invoker gives.
#[derive(Debug, Default)]
pub struct Given {
    /// As if it came from the last `substituteFrom`; what the Kustomization says itself wins.
    pub from: Data,
    /// Wins over everything.
    pub set: Data,
}

impl Given {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.from.is_empty() && self.set.is_empty()
    }
}

/// The ConfigMaps and Secrets that are known.
#[derive(Debug, Default)]
pub struct Objects(BTreeMap<Reference, VariableSource>);

/// The data of an object, and the file that it is written in.
#[derive(Debug, Default)]
struct VariableSource {
    data: Data,
    file: Option<Arc<str>>,
}

impl Objects {
    /// Notes an object, when it is one that variables can come from, and tells which it is.
    pub fn note(&mut self, resource: &Resource, namespace: &str) -> Option<Reference> {
        let data = data_of(resource.node())?;
        let own = resource.namespace();
        let id = Id {
            namespace: if own.is_empty() { namespace } else { own }.to_owned(),
            name: resource.name().to_owned(),
        };
        let kind = resource.kind().to_owned();
        let object = Reference { kind, id };
        let file = resource.source().map(|source| Arc::clone(&source.path));
        self.0.insert(object.clone(), VariableSource { data, file });
        Some(object)
    }

    /// Notes the data of an object, which is written in a file.
    pub fn insert(&mut self, object: Reference, data: Data, file: Arc<str>) {
        let file = Some(file);
        self.0.insert(object, VariableSource { data, file });
    }

    /// The file that an object is written in.
    pub(super) fn file(&self, object: &Reference) -> Option<&str> {
        self.0.get(object)?.file.as_deref()
    }

    /// Whether an object is known.
    pub fn contains(&self, object: &Reference) -> bool {
        self.0.contains_key(object)
    }
}

/// The data of a ConfigMap or Secret; `None` for every other object.
///
/// A value that is still sealed stands for its own reference, so that what is rendered without the key says
/// which variable the cluster will fill in.
pub fn data_of(node: &Node) -> Option<Data> {
    if node.get("apiVersion").and_then(Node::as_str) != Some("v1") {
        return None;
    }
    let is_secret = match node.get("kind").and_then(Node::as_str)? {
        "ConfigMap" => false,
        "Secret" => true,
        _ => return None,
    };
    let is_sealed = node.get("sops").is_some();
    let mut data = Data::new();
    for field in ["data", "stringData"] {
        if field == "stringData" && !is_secret {
            continue;
        }
        let mapping = node.get(field).and_then(Node::as_mapping);
        for (name, value) in mapping.into_iter().flat_map(|m| m.iter()) {
            let text = value.scalar_text().unwrap_or_default();
            let value = if is_sealed && text.starts_with("ENC[") {
                format!("${{{name}}}")
            } else if is_secret && field == "data" {
                decoded(text)
            } else {
                text.to_owned()
            };
            data.retain(|(known, _)| known != name);
            data.push((name.to_owned(), SecretString::from(value)));
        }
    }
    Some(data)
}

fn decoded(text: &str) -> String {
    let bare: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(bare).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The variables of one Kustomization. Fails with [`Code::VariableName`] for each name that Flux refuses.
pub fn variables(
    kustomization: &Kustomization,
    post_build: &PostBuild,
    objects: &Objects,
    given: &Given,
) -> Result<Variables, Report> {
    let place = post_build.place.clone().or(kustomization.place.clone());
    let strategy = match post_build.always {
        true => Strategy::Always,
        false => Strategy::WithVariables,
    };
    let mut variables = Variables::of(kustomization.shown(), place).with_strategy(strategy);
    let mut refused = Report::default();
    let mut insert = |name: &str, value: &str, place: Option<Place>| {
        if let Err(error) = variables.insert(name, value, place) {
            refused.push(error);
        }
    };
    for source in &post_build.from {
        let known = objects.0.get(&source.object);
        for (name, value) in known.into_iter().flat_map(|known| &known.data) {
            insert(name, value.expose_secret(), source.place.clone());
        }
    }
    for (name, value) in &given.from {
        insert(name, value.expose_secret(), None);
    }
    for (name, value, place) in &post_build.inline {
        insert(name, value, place.clone());
    }
    for (name, value) in &given.set {
        insert(name, value.expose_secret(), None);
    }
    match refused.is_empty() {
        true => Ok(variables),
        false => Err(refused),
    }
}

/// Reads a file of variables: ConfigMaps and Secrets, a mapping, or lines of `NAME=value`.
///
/// Fails with [`Code::ValuesInvalid`] for anything else; no message holds a value.
pub fn read_file(bytes: &[u8], source: &Source) -> Result<Data> {
    let place = Place::file(&*source.path);
    let invalid = |what: &str, place: Place| {
        Diagnostic::new(Code::ValuesInvalid, what).at(place).help(
            "give a ConfigMap, a Secret, a mapping of names and values, or lines of NAME=value",
        )
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|_| invalid("the file of variables is not UTF-8", place.clone()))?;
    if let Some(data) = lines(text) {
        return Ok(data);
    }
    let documents = yaml::parse(text, ParseOptions::default()).map_err(|e| e.at(source))?;
    let mut data = Data::new();
    for node in documents.iter().filter(|n| !n.is_null()) {
        let at = source.place(node.mark().line, node.mark().column);
        if let Some(found) = data_of(node) {
            data.extend(found);
            continue;
        }
        let mapping = node
            .as_mapping()
            .filter(|m| !m.contains("kind"))
            .ok_or_else(|| invalid("a file of variables holds something else", at))?;
        for (name, value) in mapping.iter() {
            let at = source.place(value.mark().line, value.mark().column);
            let text = value
                .scalar_text()
                .ok_or_else(|| invalid(&format!("the variable {name} is no text"), at))?;
            data.push((name.to_owned(), SecretString::from(text)));
        }
    }
    Ok(data)
}

/// Lines of `NAME=value`, where that is what a text holds.
fn lines(text: &str) -> Option<Data> {
    let mut data = Data::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .strip_prefix("export ")
            .unwrap_or(line)
            .split_once('=')?;
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if name.is_empty() || !is_name {
            return None;
        }
        let quoted = |q: char| value.strip_prefix(q).and_then(|v| v.strip_suffix(q));
        let value = quoted('"').or(quoted('\'')).unwrap_or(value);
        data.push((name.to_owned(), SecretString::from(value)));
    }
    Some(data).filter(|d| !d.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let data = read_file(text.as_bytes(), &Source::committed("vars")).unwrap();
        data.iter()
            .map(|(n, v)| (n.clone(), v.expose_secret().to_owned()))
            .collect()
    }

    #[test]
    fn files_of_variables_have_three_forms() {
        let wanted = [
            ("A".to_owned(), "1".to_owned()),
            ("B".to_owned(), "x y".to_owned()),
        ];
        assert_eq!(read("# c\nA=1\nexport B='x y'\n"), wanted);
        assert_eq!(read("A: 1\nB: x y\n"), wanted);
        assert_eq!(
            read("apiVersion: v1\nkind: Secret\nstringData: {B: x y}\ndata: {A: MQ==}\n"),
            wanted
        );
    }

    #[test]
    fn sealed_values_stand_for_their_reference() {
        let text =
            "apiVersion: v1\nkind: Secret\nstringData: {A: 'ENC[x]', B: b}\nsops: {mac: x}\n";
        let wanted = [
            ("A".to_owned(), "${A}".to_owned()),
            ("B".to_owned(), "b".to_owned()),
        ];
        assert_eq!(read(text), wanted);
    }
}
