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

/// `slug.Make` for text that is mostly ASCII: words joined by `-`, cut at a word where asked.
///
/// Follows github.com/gosimple/slug: letters with marks lose them, signs between words become one `-`.
pub(super) fn slug(text: &str, longest: i64, cuts_at_words: bool) -> String {
    let mut out = String::new();
    for c in text.trim().chars() {
        match c.to_lowercase().next().unwrap_or(c) {
            c @ ('a'..='z' | '0'..='9' | '_' | '-') => out.push(c),
            '&' => out.push_str("and"),
            '@' => out.push_str("at"),
            '\'' | '\u{2019}' | '"' => {}
            c => match transliterated(c) {
                Some(letters) => out.push_str(letters),
                None => out.push('-'),
            },
        }
    }
    let parts: Vec<&str> = out.split('-').filter(|part| !part.is_empty()).collect();
    let joined = parts.join("-");
    let joined = joined.trim_matches(['-', '_']);
    cut(joined, longest, cuts_at_words)
}

/// The commonest letters with marks.
fn transliterated(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' | 'ä' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' | 'ö' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' => "s",
        'ß' => "ss",
        'ť' => "t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ü' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ž' | 'ż' => "z",
        'æ' => "ae",
        'œ' => "oe",
        _ => return None,
    })
}

fn cut(text: &str, longest: i64, at_words: bool) -> String {
    let Ok(longest) = usize::try_from(longest) else {
        return text.to_owned();
    };
    if longest == 0 || text.len() <= longest {
        return text.to_owned();
    }
    if !at_words {
        return text
            .chars()
            .take(longest)
            .collect::<String>()
            .trim_matches(['-', '_'])
            .to_owned();
    }
    let mut out = String::new();
    for word in text.split('-') {
        let needed = out.len() + usize::from(!out.is_empty()) + word.len();
        if needed > longest {
            break;
        }
        if !out.is_empty() {
            out.push('-');
        }
        out.push_str(word);
    }
    if out.is_empty() {
        out = text.chars().take(longest).collect();
    }
    out
}
