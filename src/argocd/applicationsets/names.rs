//! Names, labels and annotations, as the API server judges them.
//!
//! Follows `ValidateObjectMeta`, `IsQualifiedName`, `IsValidLabelValue`, `IsDNS1123Subdomain` and `IsDNS1123Label` of
//! k8s.io/apimachinery 0.36. Cases: `name-*`, `select-bad-key`.

use serde_json::Value;

/// Everything that is wrong with an object's metadata.
pub(super) fn check_metadata(object: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    let Some(metadata) = object.get("metadata") else {
        return vec!["metadata: it is required".to_owned()];
    };
    let text = |key: &str| {
        metadata
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if text("name").is_empty() && text("generateName").is_empty() {
        errors.push("metadata.name: it is required".to_owned());
    } else if !text("name").is_empty() && !is_subdomain(text("name")) {
        errors.push("metadata.name: it is not a DNS name in lower case".to_owned());
    }
    if !text("namespace").is_empty() && !is_dns_label(text("namespace")) {
        errors.push("metadata.namespace: it is not a DNS label".to_owned());
    }
    for (key, value) in entries(metadata, "labels", &mut errors) {
        if !is_qualified_name(&key) {
            errors.push(format!(
                "metadata.labels: the key {key:?} is not a qualified name"
            ));
        }
        if !is_label_value(&value) {
            errors.push(format!(
                "metadata.labels: the value of {key:?} is not a label"
            ));
        }
    }
    for (key, _) in entries(metadata, "annotations", &mut errors) {
        if !is_qualified_name(&key.to_lowercase()) {
            errors.push(format!(
                "metadata.annotations: the key {key:?} is not a qualified name"
            ));
        }
    }
    for finalizer in metadata
        .get("finalizers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if !finalizer.as_str().is_some_and(is_qualified_name) {
            errors.push("metadata.finalizers: one is not a qualified name".to_owned());
        }
    }
    errors
}

fn entries(metadata: &Value, field: &str, errors: &mut Vec<String>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (key, value) in metadata
        .get(field)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        match value.as_str() {
            Some(value) => found.push((key.clone(), value.to_owned())),
            None => errors.push(format!(
                "metadata.{field}: the value of {key:?} is not a string"
            )),
        }
    }
    found
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// Letters, digits and what `inner` allows between them.
fn is_word(text: &str, longest: usize, inner: &[u8]) -> bool {
    let bytes = text.as_bytes();
    let ends = |b: Option<&u8>| b.is_some_and(|b| is_alphanumeric(*b));
    bytes.len() <= longest
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes
            .iter()
            .all(|b| is_alphanumeric(*b) || inner.contains(b))
}

/// A DNS label: 63 characters in lower case.
pub(super) fn is_dns_label(text: &str) -> bool {
    is_word(text, 63, b"-") && !text.bytes().any(|b| b.is_ascii_uppercase())
}

/// A DNS name: labels with dots, 253 characters in lower case.
pub(super) fn is_subdomain(text: &str) -> bool {
    let is_part = |part: &str| is_word(part, 253, b"-");
    text.len() <= 253
        && !text.bytes().any(|b| b.is_ascii_uppercase())
        && text.split('.').all(is_part)
}

/// A key of a label: a name, with a DNS name and a slash before it or not.
pub(super) fn is_qualified_name(text: &str) -> bool {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    prefix.is_none_or(is_subdomain) && is_word(name, 63, b"-_.")
}

/// A value of a label.
pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_word(text, 63, b"-_.")
}

/// `SanitizeName`: a DNS name made of any text, as the function `normalize` and the parameters `…Normalized` have it.
pub(super) fn normalized(text: &str) -> String {
    const LONGEST: usize = 253;
    let lower = text.to_lowercase();
    let mut out: String = (lower.chars())
        .map(|c| match c {
            'a'..='z' | '0'..='9' | '-' | '.' => c,
            _ => '-',
        })
        .collect();
    out.truncate(LONGEST);
    out.trim_matches(['-', '.']).to_owned()
}
