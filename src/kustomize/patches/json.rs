//! JSON patches (RFC 6902), with the habits of the library that kustomize uses.
//!
//! A `replace` of a key that a mapping lacks adds it, a `copy` from there gives null, negative indexes count
//! from the end, and what stands before the first `/` of a path is ignored. The object goes through JSON:
//! its numbers become floating-point ones, its dates texts.

use std::borrow::Cow;
use std::sync::Arc;

use super::Text;
use super::through_json::{self, ReadFrom};
use crate::diagnostic::budget;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source, nearest};
use crate::kustomize::decode::resolve_as_yaml_1_1;
use crate::yaml::{self, DuplicateKeys, Mark, Node, ParseOptions, Tag, Value};

/// The operations of a patch, in order.
#[derive(Debug, Clone)]
pub(crate) struct Operations {
    operations: Vec<Node>,
    source: Arc<Source>,
    first_line: u32,
}

impl Operations {
    /// Reads a patch: strict JSON when the text starts with `[`, else YAML.
    ///
    /// Fails with [`Code::PatchInvalid`] when it is not a list of mappings, and as a parse does.
    pub(crate) fn read(text: &Text<'_>) -> Result<Self> {
        let root = if text.text.starts_with('[') {
            json_document(text)?
        } else {
            yaml_document(text)?
        };
        let place = |node: &Node| text.source.place(node.mark().line, node.mark().column);
        let wrong =
            |node: &Node, phrase| Err(Diagnostic::new(Code::PatchInvalid, phrase).at(place(node)));
        let operations = match root.value() {
            Value::Scalar(_) if root.is_null() => Vec::new(),
            Value::Sequence(items) => items.clone(),
            Value::Scalar(_) | Value::Mapping(_) => {
                return wrong(&root, "a JSON patch is a list of operations");
            }
        };
        if let Some(odd) = operations
            .iter()
            .find(|o| o.as_mapping().is_none() && !o.is_null())
        {
            return wrong(odd, "an operation of a JSON patch is a mapping");
        }
        Ok(Self {
            operations,
            source: Arc::clone(text.source),
            first_line: text.first_line,
        })
    }

    /// Whether there is no operation.
    pub(crate) fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The place of the patch.
    pub(crate) fn place(&self) -> Place {
        let mark = self.operations.first().map(Node::mark).unwrap_or_default();
        self.source
            .place(mark.line.max(self.first_line), mark.column)
    }

    /// Applies the operations to an object.
    ///
    /// Fails with [`Code::PatchFailed`] at the first that does not apply, and with [`Code::YamlValue`] when
    /// the object has no form in JSON.
    pub(crate) fn apply(&self, object: &mut Node) -> Result<()> {
        yaml::reread(object);
        through_json::types(object, ReadFrom::Yaml).map_err(|fault| fault.at(self.place()))?;
        for node in &self.operations {
            let operation = Operation { node };
            if let Some(copied) = operation.copied(object) {
                budget::charge_copy(copied.size()).map_err(|e| e.at(self.place()))?;
            }
            operation.apply(object).map_err(|failure| {
                let mark = if node.mark() == Mark::default() {
                    self.operations[0].mark()
                } else {
                    node.mark()
                };
                let place = self
                    .source
                    .place(mark.line.max(self.first_line), mark.column);
                failure.tell(&operation).at(place)
            })?;
        }
        if object.as_mapping().is_none() {
            let phrase = "the patch leaves something that is no object";
            return Err(Diagnostic::new(Code::PatchFailed, phrase).at(self.place()));
        }
        through_json::rewrite(object);
        // What the operations add keeps its form until the object is printed, but for annotations: those are strings
        // of what JSON has, large numbers with an exponent.
        let metadata = object.get_mut("metadata");
        if let Some(added) = metadata.and_then(|metadata| metadata.get_mut("annotations")) {
            through_json::types(added, ReadFrom::Yaml).map_err(|fault| fault.at(self.place()))?;
            through_json::rewrite(added);
        }
        Ok(())
    }
}

fn json_document(text: &Text<'_>) -> Result<Node> {
    let wrong = |error: serde_json::Error| {
        let line = u32::try_from(error.line()).unwrap_or(0) + text.first_line.saturating_sub(1);
        let column = u32::try_from(error.column()).unwrap_or(0);
        Diagnostic::new(
            Code::PatchInvalid,
            "a patch that starts with [ must be JSON, and this is not",
        )
        .at(text.source.place(line, column))
        .help("write the list in block style, each operation after a -")
    };
    let value: serde_json::Value = serde_json::from_str(text.text).map_err(wrong)?;
    // JSON is YAML but for rare escapes: where it can be read as such, its places are known.
    let parsed = yaml_document(text).ok();
    let mut node = node_of(value);
    if let (Some(parsed), Value::Sequence(items)) = (parsed, node.value_mut()) {
        let places = parsed
            .as_sequence()
            .unwrap_or_default()
            .iter()
            .map(Node::mark);
        for (item, mark) in items.iter_mut().zip(places) {
            *item = std::mem::replace(item, Node::null()).with_mark(mark);
        }
    }
    Ok(node)
}

fn node_of(value: serde_json::Value) -> Node {
    match value {
        serde_json::Value::Null => Node::null(),
        serde_json::Value::Bool(value) => Node::bool(value),
        serde_json::Value::Number(number) => {
            let text = number.to_string();
            let tag = if number.is_f64() {
                Tag::Float
            } else {
                Tag::Int
            };
            Node::scalar(tag, text)
        }
        serde_json::Value::String(text) => Node::string(text),
        serde_json::Value::Array(items) => Node::sequence(items.into_iter().map(node_of).collect()),
        serde_json::Value::Object(entries) => {
            let mut node = Node::mapping();
            if let Value::Mapping(mapping) = node.value_mut() {
                for (key, value) in entries {
                    mapping.insert(key, node_of(value));
                }
            }
            node
        }
    }
}

fn yaml_document(text: &Text<'_>) -> Result<Node> {
    let options = ParseOptions {
        duplicate_keys: DuplicateKeys::LastWins,
        first_line: text.first_line,
        ..ParseOptions::default()
    };
    let node = yaml::parse_first(text.text, options).map_err(|error| error.at(text.source))?;
    let mut node = node.unwrap_or_else(Node::null);
    resolve_as_yaml_1_1(&mut node);
    through_json::dates_as_written(&mut node);
    Ok(node)
}

/// Why an operation does not apply.
enum Failure {
    Missing {
        what: &'static str,
        help: Option<String>,
    },
    Index,
    Test,
    Malformed(Cow<'static, str>),
}

impl Failure {
    fn tell(self, operation: &Operation<'_>) -> Diagnostic {
        let kind = operation.text("op").unwrap_or("?");
        let path = operation.text("path").unwrap_or_default();
        let from = operation.text("from").unwrap_or_default();
        let (phrase, help) = match self {
            Self::Missing { what: "from", help } => {
                (format!("{kind} from {from}: there is no such field"), help)
            }
            Self::Missing { help, .. } => {
                (format!("{kind} at {path}: there is no such field"), help)
            }
            Self::Index => {
                let help = "indexes count from 0; - means the end of a list, for add alone";
                (
                    format!("{kind} at {path}: there is no such item"),
                    Some(help.to_owned()),
                )
            }
            Self::Test => (
                format!("test at {path}: the object has another value"),
                None,
            ),
            Self::Malformed(phrase) => (phrase.into_owned(), None),
        };
        let error = Diagnostic::new(Code::PatchFailed, phrase);
        help.into_iter().fold(error, Diagnostic::help)
    }
}

struct Operation<'n> {
    node: &'n Node,
}

impl<'n> Operation<'n> {
    fn text(&self, key: &str) -> Option<&'n str> {
        self.node.get(key)?.as_str()
    }

    fn need(&self, key: &'static str) -> Result<&'n str, Failure> {
        let wrong = || {
            Failure::Malformed(format!("an operation of a JSON patch needs a text as {key}").into())
        };
        self.text(key).ok_or_else(wrong)
    }

    /// The value; null when there is none, as in the reference.
    fn value(&self) -> Node {
        self.node.get("value").cloned().unwrap_or_else(Node::null)
    }

    fn apply(&self, object: &mut Node) -> Result<(), Failure> {
        match self.text("op") {
            Some("add") => add(object, self.need("path")?, self.value()),
            Some("remove") => remove(object, self.need("path")?, "path"),
            Some("replace") => self.replace(object),
            Some("move") => {
                let from = self.need("from")?;
                let moved = get(object, from, "from")?.cloned();
                remove(object, from, "from")?;
                add(object, self.need("path")?, moved.unwrap_or_else(Node::null))
            }
            Some("copy") => {
                let copied = get(object, self.need("from")?, "from")?.cloned();
                add(
                    object,
                    self.need("path")?,
                    copied.unwrap_or_else(Node::null),
                )
            }
            Some("test") => self.test(object),
            other => {
                let given = other.map_or_else(|| "none".to_owned(), |op| format!("{op:?}"));
                let known = ["add", "remove", "replace", "move", "copy", "test"];
                let near = other.and_then(|op| nearest(op, known));
                let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                let phrase = format!("unknown op of a JSON patch: {given}{hint}");
                Err(Failure::Malformed(phrase.into()))
            }
        }
    }

    /// What an operation copies.
    fn copied<'o>(&self, object: &'o mut Node) -> Option<&'o Node> {
        let from = self
            .text("from")
            .filter(|_| self.text("op") == Some("copy"))?;
        get(object, from, "from").ok().flatten()
    }

    fn replace(&self, object: &mut Node) -> Result<(), Failure> {
        let path = self.need("path")?;
        let value = self.value();
        if path.is_empty() {
            if value.scalar_text().is_some() {
                return Err(Failure::Malformed(
                    "the whole object can only be replaced by an object".into(),
                ));
            }
            *object = value;
            return Ok(());
        }
        let (container, key) = container(object, path, "path")?;
        match container.value_mut() {
            Value::Mapping(mapping) => {
                mapping.insert(&*key, value);
            }
            Value::Sequence(items) => {
                let at = index(&key, items.len()).ok_or(Failure::Index)?;
                items[at] = value;
            }
            Value::Scalar(_) => {
                return Err(Failure::Missing {
                    what: "path",
                    help: None,
                });
            }
        }
        Ok(())
    }

    fn test(&self, object: &mut Node) -> Result<(), Failure> {
        let path = self.need("path")?;
        let nothing = Node::null();
        let wanted = match self.node.get("value") {
            Some(wanted) => wanted,
            None if path.is_empty() => {
                let phrase = "a test of the whole object needs a value";
                return Err(Failure::Malformed(phrase.into()));
            }
            None => &nothing,
        };
        let is_equal = if path.is_empty() {
            through_json::is_equal(object, wanted)
        } else {
            match get(object, path, "path")? {
                None => wanted.is_null(),
                Some(value) => !wanted.is_null() && through_json::is_equal(value, wanted),
            }
        };
        if is_equal { Ok(()) } else { Err(Failure::Test) }
    }
}

fn add(object: &mut Node, path: &str, value: Node) -> Result<(), Failure> {
    let (container, key) = container(object, path, "path")?;
    match container.value_mut() {
        Value::Mapping(mapping) => {
            mapping.insert(&*key, value);
        }
        Value::Sequence(items) if key == "-" => items.push(value),
        Value::Sequence(items) => {
            let at = index(&key, items.len() + 1).ok_or(Failure::Index)?;
            items.insert(at, value);
        }
        Value::Scalar(_) => {
            return Err(Failure::Missing {
                what: "path",
                help: None,
            });
        }
    }
    Ok(())
}

fn remove(object: &mut Node, path: &str, what: &'static str) -> Result<(), Failure> {
    let (container, key) = container(object, path, what)?;
    match container.value_mut() {
        Value::Mapping(mapping) => {
            let help = near_key(mapping, &key);
            mapping
                .remove(&key)
                .ok_or(Failure::Missing { what, help })?;
        }
        Value::Sequence(items) => {
            let at = index(&key, items.len()).ok_or(Failure::Index)?;
            items.remove(at);
        }
        Value::Scalar(_) => return Err(Failure::Missing { what, help: None }),
    }
    Ok(())
}

/// The value at a path; `None` for null and for what a mapping lacks.
fn get<'n>(
    object: &'n mut Node,
    path: &str,
    what: &'static str,
) -> Result<Option<&'n Node>, Failure> {
    let (container, key) = container(object, path, what)?;
    let value = match container.value() {
        Value::Mapping(mapping) => mapping.get(&key),
        Value::Sequence(items) => {
            let at = index(&key, items.len()).ok_or(Failure::Index)?;
            items.get(at)
        }
        Value::Scalar(_) => return Err(Failure::Missing { what, help: None }),
    };
    Ok(value.filter(|value| !value.is_null()))
}

/// Follows a path up to its last part. Returns the mapping or list there, and that part.
fn container<'n, 'p>(
    object: &'n mut Node,
    path: &'p str,
    what: &'static str,
) -> Result<(&'n mut Node, Cow<'p, str>), Failure> {
    let Some((_, path)) = path.split_once('/') else {
        let help = Some("a path starts with /".to_owned());
        return Err(Failure::Missing { what, help });
    };
    let (parents, key) = path
        .rsplit_once('/')
        .map_or((None, path), |(p, key)| (Some(p), key));
    let mut node = object;
    for part in parents.into_iter().flat_map(|p| p.split('/')) {
        node = step(node, &unescape(part)).map_err(|help| Failure::Missing { what, help })?;
    }
    Ok((node, unescape(key)))
}

/// The collection at a part of a path, or the nearest key where there is none.
fn step<'n>(node: &'n mut Node, part: &str) -> Result<&'n mut Node, Option<String>> {
    let next = match node.value_mut() {
        Value::Mapping(mapping) => match mapping.position(part) {
            Some(at) => &mut mapping.entries_mut()[at].value,
            None => return Err(near_key(mapping, part)),
        },
        Value::Sequence(items) => {
            let at = index(part, items.len()).ok_or(None)?;
            &mut items[at]
        }
        Value::Scalar(_) => return Err(None),
    };
    if next.scalar_text().is_some() {
        return Err(None);
    }
    Ok(next)
}

fn near_key(mapping: &yaml::Mapping, key: &str) -> Option<String> {
    let near = nearest(key, mapping.iter().map(|(key, _)| key))?;
    Some(format!("did you mean {near} instead of {key}?"))
}

/// The position that an index means in a list of a length; negative ones count from the end.
fn index(text: &str, length: usize) -> Option<usize> {
    let index: i64 = text.parse().ok()?;
    let length = i64::try_from(length).ok()?;
    let index = if index < 0 { index + length } else { index };
    usize::try_from(index).ok().filter(|_| index < length)
}

fn unescape(part: &str) -> Cow<'_, str> {
    if !part.contains('~') {
        return Cow::Borrowed(part);
    }
    let mut result = String::with_capacity(part.len());
    let mut rest = part;
    while let Some(at) = rest.find('~') {
        result.push_str(&rest[..at]);
        let (text, length) = match rest.as_bytes().get(at + 1) {
            Some(b'0') => ("~", 2),
            Some(b'1') => ("/", 2),
            _ => ("~", 1),
        };
        result.push_str(text);
        rest = &rest[at + length..];
    }
    result.push_str(rest);
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Operations, Text, index, unescape};
    use crate::diagnostic::Source;
    use crate::yaml::{self, ParseOptions};

    fn patched(object: &str, patch: &str) -> Option<String> {
        let source = Arc::new(Source::committed("p.yaml"));
        let text = Text {
            text: patch,
            source: &source,
            first_line: 1,
        };
        let mut object = yaml::parse(object, ParseOptions::default()).ok()?.remove(0);
        Operations::read(&text).ok()?.apply(&mut object).ok()?;
        let mut out = Vec::new();
        yaml::write_json(&mut out, &object, yaml::JsonStyle::Sorted).ok()?;
        String::from_utf8(out).ok()
    }

    #[test]
    fn applies_as_the_library_does() {
        let cases = [
            ("{a: 1}", "[{op: add, path: /b, value: 2}]", None),
            (
                "{a: 1}",
                "- {op: replace, path: /nothere, value: yes}",
                Some(r#"{"a":1,"nothere":true}"#),
            ),
            (
                "{a: 1}",
                "- {op: copy, from: /nope, path: /c}",
                Some(r#"{"a":1,"c":null}"#),
            ),
            (
                "{a: [1, 2]}",
                "- {op: add, path: /a/-, value: 3}",
                Some(r#"{"a":[1,2,3]}"#),
            ),
            (
                "{a: [1, 2]}",
                "- {op: add, path: /a/-1, value: 3}",
                Some(r#"{"a":[1,2,3]}"#),
            ),
            (
                "{a: [1, 2]}",
                "- {op: remove, path: /a/-1}",
                Some(r#"{"a":[1]}"#),
            ),
            (
                "{a/b: 1}",
                "- {op: move, from: /a~1b, path: /c}",
                Some(r#"{"c":1}"#),
            ),
            (
                "{a: 1}",
                "- {op: add, path: ignored/b, value: 1}",
                Some(r#"{"a":1,"b":1}"#),
            ),
            (
                "{a: 1}",
                "- {op: test, path: /a, value: 1}",
                Some(r#"{"a":1}"#),
            ),
            (
                "{a: 1}",
                "- {op: test, path: /b, value: null}",
                Some(r#"{"a":1}"#),
            ),
            (
                "{a: 2024-01-01}",
                "[]",
                Some(r#"{"a":"2024-01-01T00:00:00Z"}"#),
            ),
            ("{a: 1}", "- {op: test, path: /a, value: '1'}", None),
            ("{a: 1}", "- {op: remove, path: /b}", None),
            ("{a: [1]}", "- {op: replace, path: /a/1, value: 2}", None),
            ("{a: 1}", "- {op: add, path: /b/c, value: 2}", None),
            ("{a: 1}", "- {op: ad, path: /b, value: 2}", None),
            ("{a: 1}", "op: add", None),
        ];
        for (object, patch, wanted) in cases {
            assert_eq!(
                patched(object, patch).as_deref(),
                wanted,
                "{patch} on {object}"
            );
        }
        let json = r#"[{"op": "add", "path": "\/b", "value": 2}]"#;
        assert_eq!(patched("{a: 1}", json).as_deref(), Some(r#"{"a":1,"b":2}"#));
    }

    #[test]
    fn indexes_and_escapes() {
        assert_eq!(index("-1", 3), Some(2));
        assert_eq!(index("3", 3), None);
        assert_eq!(index("-4", 3), None);
        assert_eq!(unescape("a~1b~0c~2"), "a/b~c~2");
        assert_eq!(unescape("~01"), "~1");
    }
}
