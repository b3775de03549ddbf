//! A document as the programs around Kubernetes read it: YAML 1.1, made JSON.
//!
//! Follows `yaml.YAMLToJSON` of sigs.k8s.io/yaml over its fork of go-yaml v2: `yes`, `y`, `on` and their kin are
//! booleans also as keys; `0o17` and `017` are octal; a number that JSON has no place for is text or an error;
//! of duplicate keys the last counts, and so does a merge key that stands after the key; a date is text.
//! What differs on purpose: words of errors are ours. Cases: `stream-*` of the recordings.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Number, Value};

use crate::go::float;
use crate::yaml::{
    self, DuplicateKeys, MergeKeys, Node, Number as Scalar, ParseOptions, Style, Tag,
};

/// Why a document cannot be read: the host's kind of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError(pub String);

/// A value that is another one for the host than for kustomize, which reads YAML 1.2 words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retyped {
    /// The path in the document.
    pub path: String,
    /// What the host makes of it.
    pub becomes: &'static str,
}

/// Reads the first document of a text; null where there is none.
pub fn read(text: &str) -> Result<Value, ReadError> {
    read_noting(text, &mut Vec::new())
}

/// As [`read`], and notes what was retyped.
pub fn read_noting(text: &str, retyped: &mut Vec<Retyped>) -> Result<Value, ReadError> {
    let options = ParseOptions {
        duplicate_keys: DuplicateKeys::Keep,
        merge_keys: MergeKeys::Keep,
        ..ParseOptions::DEFAULT
    };
    let node = yaml::parse_first(text, options).map_err(|error| {
        let words = format!("yaml: line {}: {}", error.mark.line, error.message);
        ReadError(format!("error converting YAML to JSON: {words}"))
    })?;
    let mut reading = Reading {
        path: String::new(),
        retyped,
    };
    node.map_or(Ok(Value::Null), |node| reading.value(&node))
}

struct Reading<'r> {
    path: String,
    retyped: &'r mut Vec<Retyped>,
}

impl Reading<'_> {
    fn value(&mut self, node: &Node) -> Result<Value, ReadError> {
        match node.value() {
            yaml::Value::Scalar(text) => self.scalar(node, text),
            yaml::Value::Sequence(items) => {
                let one = |(index, item)| self.below(&format!("[{index}]"), item);
                items.iter().enumerate().map(one).collect()
            }
            yaml::Value::Mapping(mapping) => {
                let mut object = Map::new();
                self.fill(&mut object, mapping)?;
                Ok(Value::Object(object))
            }
        }
    }

    fn below(&mut self, part: &str, node: &Node) -> Result<Value, ReadError> {
        let length = self.path.len();
        if length > 0 && !part.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(part);
        let value = self.value(node);
        self.path.truncate(length);
        value
    }

    fn fill(
        &mut self,
        object: &mut Map<String, Value>,
        from: &yaml::Mapping,
    ) -> Result<(), ReadError> {
        for entry in from.entries() {
            if entry.key.tag() == Tag::Merge {
                self.merge(object, &entry.value)?;
                continue;
            }
            let key = self.key(&entry.key)?;
            let written = entry.key.scalar_text().unwrap_or_default();
            let value = self.below(written, &entry.value)?;
            object.insert(key, value);
        }
        Ok(())
    }

    /// Fills in what a merge key names: over what is there already, and of a list the first last.
    fn merge(&mut self, object: &mut Map<String, Value>, from: &Node) -> Result<(), ReadError> {
        let wrong = || {
            ReadError("yaml: map merge requires map or sequence of maps as the value".to_owned())
        };
        match from.value() {
            yaml::Value::Mapping(mapping) => self.fill(object, mapping),
            yaml::Value::Sequence(items) => items
                .iter()
                .rev()
                .try_for_each(|item| self.fill(object, item.as_mapping().ok_or_else(wrong)?)),
            yaml::Value::Scalar(_) => Err(wrong()),
        }
    }

    fn key(&mut self, node: &Node) -> Result<String, ReadError> {
        let written = node.scalar_text().unwrap_or_default().to_owned();
        match &self.below(&written, node)? {
            Value::String(text) => Ok(text.clone()),
            Value::Bool(truth) => Ok(truth.to_string()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(ReadError(
                "error converting YAML to JSON: unsupported map key".to_owned(),
            )),
        }
    }

    fn scalar(&mut self, node: &Node, text: &str) -> Result<Value, ReadError> {
        Ok(match node.tag() {
            Tag::Null => Value::Null,
            Tag::Bool => Value::Bool(node.as_bool().unwrap_or_default()),
            Tag::Int | Tag::Float => match Scalar::parse(text) {
                Some(number) => number_of(number)?,
                None => Value::from(text),
            },
            Tag::Binary => match unpacked(text) {
                Some(text) => Value::from(text),
                None => {
                    let words = "error converting YAML to JSON: yaml: !!binary value contains invalid base64 data";
                    return Err(ReadError(words.to_owned()));
                }
            },
            _ => match boolean(node) {
                Some(becomes) => {
                    let path = self.path.clone();
                    self.retyped.push(Retyped { path, becomes });
                    Value::Bool(becomes == "true")
                }
                None => Value::from(text),
            },
        })
    }
}

/// A number as JSON carries it: integers of 64 bits stay, all else is a float, and a float without a fraction
/// that is written without an exponent is an integer again.
fn number_of(number: Scalar) -> Result<Value, ReadError> {
    if let Scalar::Int(int) = number {
        return Ok(Value::from(int));
    }
    let value = number.as_f64();
    let mut written = Vec::new();
    if !float::write_json(&mut written, value) {
        let words = "error converting YAML to JSON: json: unsupported value";
        return Err(ReadError(words.to_owned()));
    }
    let written = String::from_utf8_lossy(&written);
    Ok(match written.parse::<i64>() {
        Ok(int) => Value::from(int),
        Err(_) => Number::from_f64(value).map_or(Value::Null, Value::Number),
    })
}

/// What `!!binary` holds, as text.
fn unpacked(text: &str) -> Option<String> {
    let packed: String = text.split_ascii_whitespace().collect();
    let bytes = BASE64_STANDARD.decode(packed).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those that kubectl 1.34 gives for this text.
    #[test]
    fn yaml_1_1_retypes() {
        let text = "{a: y, b: yes, c: 0777, d: 1e3, e: 0o17, f: 1:30, g: 2024-01-01, h: on, i: N, yes: k, j: .5, k: 1_000, l: ~, n: 1.0, o: OFF, p: tRue, q: 0b11, r: +1, s: \"yes\"}";
        let mut retyped = Vec::new();
        let read = read_noting(text, &mut retyped).unwrap();
        let wanted = serde_json::json!({
            "a": true, "b": true, "c": 511, "d": 1000, "e": 15, "f": "1:30", "g": "2024-01-01", "h": true, "i": false,
            "true": "k", "j": 0.5, "k": 1000, "l": null, "false": 1, "o": false, "p": "tRue", "q": 3, "r": 1, "s": "yes",
        });
        assert_eq!(read, wanted);
        let paths: Vec<&str> = retyped.iter().map(|r| &*r.path).collect();
        assert_eq!(paths.len(), 7, "{paths:?}");
    }

    #[test]
    fn the_last_of_two_keys_counts_and_so_does_a_merge_after_the_key() {
        let text = "x: &x {k: 1}\na: {k: 0, <<: *x}\nb: {<<: *x, k: 0}\nc: {true: 1, yes: 2}\n";
        let wanted =
            serde_json::json!({"x": {"k": 1}, "a": {"k": 1}, "b": {"k": 0}, "c": {"true": 2}});
        assert_eq!(read(text).unwrap(), wanted);
        assert!(read("a: .inf").is_err());
        assert_eq!(read("a: 1e400").unwrap()["a"], "1e400");
        assert_eq!(read("# nothing").unwrap(), Value::Null);
    }
}
