//! The file formats that SOPS knows, and how a sealed file is recognised, mostly without parsing it.

use crate::yaml::{self, ParseOptions};

/// The format of a document: which store reads and writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// YAML, one or more documents.
    Yaml,
    /// JSON, an object.
    Json,
    /// `NAME=value` lines.
    Dotenv,
    /// Sections of `name = value` lines.
    Ini,
    /// Any bytes, sealed as one value in a JSON envelope.
    Binary,
}

impl Format {
    /// Every format, with the name that sops gives it.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::Yaml, "yaml"),
        (Self::Json, "json"),
        (Self::Dotenv, "dotenv"),
        (Self::Ini, "ini"),
        (Self::Binary, "binary"),
    ];

    /// The name that sops gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv => "dotenv",
            Self::Ini => "ini",
            Self::Binary => "binary",
        }
    }

    /// The format of a name that sops gives.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, n)| *n == name)
            .map(|(format, _)| *format)
    }

    /// The format that sops takes a file for, by its name alone; binary when nothing else fits.
    pub fn of_path(path: &str) -> Self {
        const SUFFIXES: [(&str, Format); 5] = [
            (".yaml", Format::Yaml),
            (".yml", Format::Yaml),
            (".json", Format::Json),
            (".env", Format::Dotenv),
            (".ini", Format::Ini),
        ];
        let known = SUFFIXES.iter().find(|(suffix, _)| path.ends_with(suffix));
        known.map_or(Self::Binary, |(_, format)| *format)
    }
}

/// Tells whether a file is sealed, and how; `None` for every file that is not.
///
/// One scan for the start of a sealed value decides for nearly all files. The name is asked first; the
/// shape decides where the name says nothing, as with `kustomize` generator files of any name.
pub fn detect(bytes: &[u8], name: &str) -> Option<Format> {
    if !contains(bytes, b"ENC[AES256_GCM,") {
        return None;
    }
    let by_name = match name.rsplit('/').next().unwrap_or(name) {
        ".dockerconfigjson" => Format::Json,
        name => Format::of_path(name),
    };
    match by_name {
        Format::Binary => by_shape(bytes),
        format if has_metadata(bytes, format) => Some(format),
        // A sealed file under another name than it had: `sops -d` needs to be told, we look.
        _ => by_shape(bytes),
    }
}

/// The format that the metadata stand in, whatever the file is called.
fn by_shape(bytes: &[u8]) -> Option<Format> {
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    if first == Some(&b'{') && has_metadata(bytes, Format::Json) {
        return Some(if is_binary_envelope(bytes) {
            Format::Binary
        } else {
            Format::Json
        });
    }
    [Format::Dotenv, Format::Ini, Format::Yaml]
        .into_iter()
        .find(|format| has_metadata(bytes, *format))
        .filter(|format| *format != Format::Yaml || is_document(bytes))
}

/// Whether YAML metadata stand in a document, and not in one that a text about sealed files shows.
fn is_document(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let document = yaml::parse_first(&text, ParseOptions::default());
    document.is_ok_and(|node| node.is_some_and(|node| node.get("sops").is_some()))
}

/// Whether the first key of the object is `data` and the second one `sops`: the envelope of a binary file.
fn is_binary_envelope(bytes: &[u8]) -> bool {
    let Some(rest) = after(bytes, b"{").and_then(|b| after(b, b"\"data\"")) else {
        return false;
    };
    let rest = after(rest, b":").and_then(|b| after(b, b"\"ENC[AES256_GCM,"));
    let Some(rest) = rest else { return false };
    let Some(end) = rest.iter().position(|b| *b == b'"') else {
        return false;
    };
    after(&rest[end + 1..], b",").is_some_and(|b| after(b, b"\"sops\"").is_some())
}

/// What follows `prefix`, blanks before it skipped.
fn after<'a>(bytes: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    bytes.trim_ascii_start().strip_prefix(prefix)
}

/// Whether the line that begins the metadata of a format is there.
fn has_metadata(bytes: &[u8], format: Format) -> bool {
    match format {
        Format::Yaml => {
            line_starts(bytes, b"sops:")
                || line_starts(bytes, b"\"sops\":")
                || line_starts(bytes, b"'sops':")
                || has_metadata(bytes, Format::Json)
                || (begins_with_brace(bytes) && contains(bytes, b"sops:"))
        }
        Format::Json | Format::Binary => contains(bytes, b"\"sops\""),
        Format::Dotenv => line_starts(bytes, b"sops_"),
        Format::Ini => line_starts(bytes, b"[sops]"),
    }
}

/// Whether the first document is written with braces, as KYAML is.
fn begins_with_brace(bytes: &[u8]) -> bool {
    let lines = bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let mut lines = lines.filter(|l| !(l.is_empty() || l.starts_with(b"#") || *l == b"---"));
    lines.next().is_some_and(|line| line.starts_with(b"{"))
}

fn line_starts(bytes: &[u8], prefix: &[u8]) -> bool {
    bytes.split(|b| *b == b'\n').any(|l| l.starts_with(prefix))
}

/// Whether `needle` stands anywhere, found by its first byte.
fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|b| *b == needle[0]) {
        rest = &rest[at..];
        if rest.starts_with(needle) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Format, detect};

    const ENC: &str = "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]";

    #[test]
    fn knows_a_sealed_file_by_name_or_shape() {
        let yaml = format!("a: {ENC}\nsops:\n    mac: {ENC}\n");
        assert_eq!(detect(yaml.as_bytes(), "a.yaml"), Some(Format::Yaml));
        assert_eq!(detect(yaml.as_bytes(), "a"), Some(Format::Yaml));
        let braces = format!("# yes\n---\n{{\n  a: \"{ENC}\",\n  sops: {{mac: \"{ENC}\"}},\n}}\n");
        assert_eq!(detect(braces.as_bytes(), "a.yaml"), Some(Format::Yaml));
        let binary = format!("{{\n\t\"data\": \"{ENC}\",\n\t\"sops\": {{}}\n}}");
        assert_eq!(detect(binary.as_bytes(), "logo.png"), Some(Format::Binary));
        assert_eq!(detect(binary.as_bytes(), "data.json"), Some(Format::Json));
        let dotenv = format!("A={ENC}\nsops_mac={ENC}\n");
        assert_eq!(detect(dotenv.as_bytes(), "app.env"), Some(Format::Dotenv));
        assert_eq!(detect(dotenv.as_bytes(), "app"), Some(Format::Dotenv));
    }

    #[test]
    fn a_file_that_only_talks_of_sops_is_not_sealed() {
        assert_eq!(detect(b"sops:\n  - how to\n", "a.yaml"), None);
        assert_eq!(detect(format!("text: {ENC}\n").as_bytes(), "a.yaml"), None);
        let shown = format!("> A sealed file:\n\n```yaml\na: {ENC}\nsops:\n    mac: {ENC}\n```\n");
        assert_eq!(detect(shown.as_bytes(), "README.md"), None);
    }
}
