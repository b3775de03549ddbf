//! Selectors as in kustomize patch targets: group, version, kind, name, namespace, labels, annotations.

use regex::Regex;

use super::read::Reader;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::go::regexp;
use crate::yaml::Node;

/// Which objects an entry of `for` is about; an empty part selects everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
    /// The name as it is written, to tell a typing error.
    pub(super) written_name: String,
    /// The namespace as it is written.
    written_namespace: String,
}

/// What a selector looks at.
pub(super) struct Selected<'a> {
    pub(super) group: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    pub(super) labels: Option<&'a Node>,
    pub(super) annotations: Option<&'a Node>,
}

#[derive(Debug, Clone, PartialEq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// Reads a selector. Fails with [`Code::OverlayConfig`] for a name that is no regular expression or a
    /// label selector that is none.
    pub(super) fn read(node: &Node, source: &Source) -> Result<Self> {
        let known = [
            "group",
            "version",
            "kind",
            "name",
            "namespace",
            "labelSelector",
            "annotationSelector",
        ];
        let reader = Reader::new(node, source, "target", &known)?;
        let place = |key: &str| reader.node(key).map(|n| reader.place(n));
        let pattern = |key: &str| -> Result<Option<Regex>> {
            let Some(text) = reader.text(key)? else {
                return Ok(None);
            };
            let compiled = regexp::compile_anchored(text);
            compiled.map(Some).map_err(|_| {
                let phrase = format!("{key} is {text}, which is not a regular expression");
                Diagnostic::new(Code::OverlayConfig, phrase).at(place(key))
            })
        };
        let requirements = |key: &str| match reader.text(key)? {
            Some(text) => parse(text).ok_or_else(|| selector_error(key, text, place(key))),
            None => Ok(Vec::new()),
        };
        Ok(Self {
            group: pattern("group")?,
            version: pattern("version")?,
            kind: pattern("kind")?,
            name: pattern("name")?,
            namespace: pattern("namespace")?,
            labels: requirements("labelSelector")?,
            annotations: requirements("annotationSelector")?,
            written_namespace: reader.text("namespace")?.unwrap_or_default().to_owned(),
            written_name: reader.text("name")?.unwrap_or_default().to_owned(),
        })
    }

    /// Namespace and name as they are written.
    pub(super) fn written(&self) -> String {
        let parts = [self.written_namespace.as_str(), &self.written_name];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("/")
    }

    /// Whether an object is selected.
    pub(super) fn selects(&self, object: &Selected<'_>) -> bool {
        let fits =
            |pattern: &Option<Regex>, text| pattern.as_ref().is_none_or(|p| p.is_match(text));
        let holds = |rows: &[Requirement], node: Option<&Node>| rows.iter().all(|r| r.holds(node));
        fits(&self.group, object.group)
            && fits(&self.version, object.version)
            && fits(&self.kind, object.kind)
            && fits(&self.name, object.name)
            && fits(&self.namespace, object.namespace)
            && holds(&self.labels, object.labels)
            && holds(&self.annotations, object.annotations)
    }
}

fn selector_error(key: &str, text: &str, place: Option<Place>) -> Diagnostic {
    let phrase = format!("{key} is {text}, which is no selector");
    Diagnostic::new(Code::OverlayConfig, phrase)
        .at(place)
        .help("write requirements such as tier=dev,app!=web,zone in (a, b),!legacy")
}

impl Requirement {
    fn holds(&self, labels: Option<&Node>) -> bool {
        let value = |key: &str| labels?.get(key)?.scalar_text();
        let among = |key: &str, values: &[String]| {
            value(key).is_some_and(|v| values.iter().any(|wanted| wanted == v))
        };
        match self {
            Self::In(key, values) => among(key, values),
            Self::NotIn(key, values) => !among(key, values),
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
        }
    }
}

/// Reads a Kubernetes label selector; `None` when it is none.
fn parse(text: &str) -> Option<Vec<Requirement>> {
    split(text)
        .into_iter()
        .map(|part| requirement(part.trim()))
        .collect()
}

/// Splits at the commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn requirement(text: &str) -> Option<Requirement> {
    if let Some(key) = text.strip_prefix('!') {
        return Some(Requirement::Absent(key_of(key)?));
    }
    if let Some((key, list)) = text.split_once('(') {
        let list = list.strip_suffix(')')?;
        let values = list.split(',').map(|v| v.trim().to_owned()).collect();
        let (key, operator) = key.trim().rsplit_once(char::is_whitespace)?;
        return match operator {
            "in" => Some(Requirement::In(key_of(key)?, values)),
            "notin" => Some(Requirement::NotIn(key_of(key)?, values)),
            _ => None,
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Requirement::NotIn(
            key_of(key)?,
            vec![value.trim().to_owned()],
        ));
    }
    if let Some((key, value)) = text.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        return Some(Requirement::In(key_of(key)?, vec![value.trim().to_owned()]));
    }
    Some(Requirement::Exists(key_of(text)?))
}

fn key_of(text: &str) -> Option<String> {
    let key = text.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    (!key.is_empty() && key.chars().all(fits)).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Requirement, parse};

    #[test]
    fn requirements_are_read_as_kubernetes_reads_them() {
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            parse("tier=dev, app!=web,zone in (a, b),!legacy,x"),
            Some(vec![
                Requirement::In("tier".into(), owned(&["dev"])),
                Requirement::NotIn("app".into(), owned(&["web"])),
                Requirement::In("zone".into(), owned(&["a", "b"])),
                Requirement::Absent("legacy".into()),
                Requirement::Exists("x".into()),
            ])
        );
        assert_eq!(parse("a b"), None);
        assert_eq!(parse("zone in a"), None);
    }
}
