//! Keeps what came out of sealed files out of every message.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::diagnostic::{Diagnostic, Report};
use crate::go;

use super::look::looks_like_a_name;

/// Shorter values are words of any text: masking them would hide the message and protect nothing.
const MIN_CHARS: usize = 4;

/// What stands in a message where a secret stood.
const MARK: &str = "«secret»";

/// How many bytes of a needle the index holds: no needle is shorter.
const INDEXED: usize = 4;

/// The texts that no message may repeat: each decrypted value, each of its lines, and the forms that
/// manifests and URLs give them.
#[derive(Default)]
pub struct Mask {
    /// By their first bytes, so that a text is gone through once, however many there are.
    needles: BTreeMap<[u8; INDEXED], Vec<SecretString>>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mask").finish_non_exhaustive()
    }
}

impl Mask {
    /// Builds the mask of some decrypted values.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut mask = Self::default();
        for secret in secrets {
            let value = secret.expose_secret();
            forms(value, &mut |form| mask.add(form));
            // What stands below `data` of a sealed Secret is base64 of what is secret.
            if let Some(inner) = decoded(value) {
                forms(&inner, &mut |form| mask.add(form));
            }
        }
        for needles in mask.needles.values_mut() {
            needles.sort_unstable_by(|a, b| {
                let (a, b) = (a.expose_secret(), b.expose_secret());
                b.len().cmp(&a.len()).then_with(|| a.cmp(b))
            });
            needles.dedup_by(|a, b| a.expose_secret() == b.expose_secret());
        }
        mask
    }

    fn add(&mut self, text: Cow<'_, str>) {
        let Some(start) = text.as_bytes().first_chunk::<INDEXED>() else {
            return;
        };
        if text.chars().count() >= MIN_CHARS {
            let start = *start;
            let text = SecretString::from(text.into_owned());
            self.needles.entry(start).or_default().push(text);
        }
    }

    /// Masks a text.
    pub fn text(&self, text: &str) -> String {
        self.text_but(text, &[])
    }

    fn text_but(&self, text: &str, shown: &[&str]) -> String {
        let names = || {
            let mut names = places_of(shown, text);
            names.extend(objects_in(text));
            names
        };
        let covered = self.covered(text, names);
        replaced(text, covered, |_| MARK.to_owned())
    }

    /// Replaces each secret in a text by what a function makes of it.
    pub(crate) fn replaced(&self, text: &str, by: impl Fn(&str) -> String) -> String {
        replaced(text, self.covered(text, Vec::new), by)
    }

    /// Where secrets stand in a text, but for the ones within names.
    fn covered(&self, text: &str, names: impl Fn() -> Vec<Range<usize>>) -> Vec<Range<usize>> {
        let mut covered: Vec<Range<usize>> = Vec::new();
        let mut found_names = None;
        for (start, window) in text.as_bytes().windows(INDEXED).enumerate() {
            let window: [u8; INDEXED] = window.try_into().expect("a window has its length");
            let Some(needles) = self.needles.get(&window) else {
                continue;
            };
            let names = found_names.get_or_insert_with(&names);
            let mut ends = needles
                .iter()
                .map(ExposeSecret::expose_secret)
                .filter(|needle| text.as_bytes()[start..].starts_with(needle.as_bytes()))
                .map(|needle| start + needle.len());
            // A name that looks like a secret is one: a template took the wrong variable.
            let is_name = |end: usize| {
                let is_within = names.iter().any(|n| n.start <= start && end <= n.end);
                is_within && looks_like_a_name(&text[start..end])
            };
            match (ends.find(|end| !is_name(*end)), covered.last_mut()) {
                (None, _) => {}
                (Some(end), Some(last)) if start <= last.end => last.end = last.end.max(end),
                (Some(end), _) => covered.push(start..end),
            }
        }
        covered
    }

    /// Masks every text of a finding, but not what is part of the path or object that it is about.
    pub fn finding(&self, finding: Diagnostic) -> Diagnostic {
        if self.needles.is_empty() {
            return finding;
        }
        let places = finding.place().into_iter().chain(finding.trail());
        let places: Vec<_> = places.map(|place| place.file.clone()).collect();
        let shown: Vec<&str> = places.iter().flat_map(|file| file.split('/')).collect();
        finding.map_text(|text| self.text_but(text, &shown))
    }

    /// Masks every finding of a report.
    pub fn report(&self, report: Report) -> Report {
        Report {
            findings: report
                .findings
                .into_iter()
                .map(|f| self.finding(f))
                .collect(),
        }
    }
}

fn replaced(text: &str, covered: Vec<Range<usize>>, by: impl Fn(&str) -> String) -> String {
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for range in covered {
        result.push_str(&text[done..range.start]);
        result.push_str(&by(&text[range.clone()]));
        done = range.end;
    }
    result.push_str(&text[done..]);
    result
}

/// Where a text names objects: `Kind/name` and `Kind/namespace/name`, which the output names too.
fn objects_in(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '.');
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = next + text[next..].find(is_part)?;
        let end = text[start..]
            .find(|c| !is_part(c))
            .map_or(text.len(), |length| start + length);
        next = end;
        Some(start..end)
    })
    .filter(|at| {
        let (kind, name) = text[at.clone()].split_once('/').unwrap_or_default();
        kind.starts_with(|c: char| c.is_ascii_uppercase())
            && kind.bytes().all(|b| b.is_ascii_alphanumeric())
            && !name.is_empty()
            && !name.bytes().any(|b| b.is_ascii_uppercase())
            && name.matches('/').count() < 2
    })
}

/// Where each of some names stands in a text, as a word of its own.
fn places_of(names: &[&str], text: &str) -> Vec<Range<usize>> {
    let is_inner = |c: char| c.is_alphanumeric();
    let names = names.iter().filter(|name| !name.is_empty());
    let found = names.flat_map(|name| {
        text.match_indices(*name)
            .map(|(start, _)| start..start + name.len())
    });
    found
        .filter(|at| !text[..at.start].ends_with(is_inner) && !text[at.end..].starts_with(is_inner))
        .collect()
}

/// Gives a value, each of its lines, and the forms of both.
fn forms(value: &str, add: &mut impl FnMut(Cow<'_, str>)) {
    for piece in std::iter::once(value).chain(value.lines()).map(str::trim) {
        if piece.chars().count() < MIN_CHARS {
            continue;
        }
        add(piece.into());
        add(serde_json_text(piece).into());
        add(go_json_text(piece).into());
        add(yaml_text(piece).into());
        let debug = format!("{piece:?}");
        add(debug[1..debug.len() - 1].into());
        add(piece.replace('\'', "''").into());
        for style in [Percent::Upper, Percent::Lower, Percent::Form] {
            add(percent_encoded(piece, style).into());
        }
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            add(engine.encode(piece).into());
            embedded(piece, engine, add);
        }
    }
    // With the line break or the blanks that a file ends in.
    add(STANDARD.encode(value).into());
}

/// Base64 of a text that is part of a longer one: it depends on where it starts, and its first and last
/// letters on what stands beside it.
fn embedded(text: &str, engine: &GeneralPurpose, add: &mut impl FnMut(Cow<'_, str>)) {
    /// Shorter ones are parts of words.
    const MIN_LETTERS: usize = 8;
    for before in 0..3 {
        let mut bytes = Zeroizing::new(vec![0; before]);
        bytes.extend_from_slice(text.as_bytes());
        let letters = engine.encode(&bytes);
        let first = [0, 2, 3][before];
        let last = letters.len() - usize::from(bytes.len() % 3 != 0);
        if let Some(sure) = letters.get(first..last).filter(|l| l.len() >= MIN_LETTERS) {
            add(sure.into());
        }
    }
}

/// Text that a value is base64 of.
fn decoded(value: &str) -> Option<Zeroizing<String>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let packed: Zeroizing<String> = Zeroizing::new(value.split_ascii_whitespace().collect());
    let text = String::from_utf8(LENIENT.decode(packed.as_bytes()).ok()?).ok()?;
    let is_text = |c: char| !c.is_control() || c.is_ascii_whitespace();
    text.chars().all(is_text).then(|| Zeroizing::new(text))
}

fn serde_json_text(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// As Go writes it, which escapes the signs of HTML too.
fn go_json_text(text: &str) -> String {
    let mut json = Vec::new();
    go::json::write_string(&mut json, text);
    String::from_utf8_lossy(&json[1..json.len() - 1]).into_owned()
}

/// As YAML writes it in double quotes.
fn yaml_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{1b}' => escaped.push_str("\\e"),
            '\u{a0}' => escaped.push_str("\\_"),
            '\u{85}' => escaped.push_str("\\N"),
            c if c > '\u{ffff}' => escaped.push_str(&format!("\\U{:08X}", u32::from(c))),
            c if c.is_control() => escaped.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Percent {
    Upper,
    Lower,
    /// As browsers send forms: `+` for a blank.
    Form,
}

/// RFC 3986: every byte but the unreserved ones as `%XX`.
fn percent_encoded(text: &str, style: Percent) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else if byte == b' ' && style == Percent::Form {
            encoded.push('+');
        } else if style == Percent::Lower {
            encoded.push_str(&format!("%{byte:02x}"));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Place};

    fn mask(values: &[&str]) -> Mask {
        let secrets: Vec<SecretString> = values.iter().map(|v| SecretString::from(*v)).collect();
        Mask::new(&secrets)
    }

    #[test]
    fn every_form_is_masked() {
        let mask = mask(&["p@ss \"w\"ord\nsecond line"]);
        for shown in [
            "p@ss \"w\"ord",
            "second line",
            "p%40ss%20%22w%22ord",
            "p@ss \\\"w\\\"ord",
            "c2Vjb25kIGxpbmU",
            "p%40ss%20%22w%22ord%0asecond%20line",
            "p%40ss+%22w%22ord",
        ] {
            assert_eq!(
                mask.text(&format!("a {shown} b")),
                format!("a {MARK} b"),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_part_of_longer_base64_is_masked() {
        let mask = mask(&["correct horse battery"]);
        for before in ["", "x", "xy", "xyz"] {
            let inner = format!("{before}correct horse battery: on");
            let shown = mask.text(&STANDARD.encode(inner));
            assert!(shown.contains(MARK) && shown.len() < 32, "{shown}");
        }
    }

    #[test]
    fn what_sealed_base64_holds_is_masked() {
        let mask = mask(&["aHVudGVyMg=="]);
        assert_eq!(mask.text("not hunter2"), format!("not {MARK}"));
    }

    #[test]
    fn overlapping_values_leave_nothing() {
        let mask = mask(&["xabc", "abcdefgh"]);
        assert_eq!(mask.text("an xabcdefgh"), format!("an {MARK}"));
    }

    #[test]
    fn the_name_of_an_object_stands() {
        let mask = mask(&["orders"]);
        assert_eq!(
            mask.text("Cluster/orders-db has orders, and orders-db; Pod/shop/orders"),
            format!("Cluster/orders-db has {MARK}, and {MARK}-db; Pod/shop/orders")
        );
    }

    #[test]
    fn a_short_value_and_a_path_stay() {
        let finding = Diagnostic::new(
            Code::FileMissing,
            "apps/keycloak/db.yaml is missing, and so is orders",
        )
        .at(Place::file("apps/keycloak/kustomization.yaml"));
        let masked = mask(&["abc", "keycloak", "orders"]).finding(finding);
        assert_eq!(
            masked.phrase(),
            format!("apps/keycloak/db.yaml is missing, and so is {MARK}")
        );
    }
}
