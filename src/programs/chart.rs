//! Charts as helm is given them: laid out in a directory of our own, and no schema in them that leads out.
//!
//! helm checks values by `values.schema.json`, of the chart and of every chart in it, and follows the references of
//! such a schema to files and addresses. A chart with a schema that refers to anything but itself, or with an archive
//! that we cannot look into, is inflated without that check.
#![expect(
    clippy::disallowed_methods,
    reason = "a chart is laid out on disk for helm to read"
)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::ending::Private;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Files, Kind, MAX_FILE_BYTES, TreePath};

/// The schema of a chart's values.
const SCHEMA: &str = "values.schema.json";

/// How deep archives lie in one another.
const MAX_NESTING: usize = 8;

/// Where the drafts of JSON Schema are: every validator has them at hand and asks nobody.
const DRAFTS: [&str; 4] = [
    "http://json-schema.org/",
    "https://json-schema.org/",
    "json-schema.org/",
    "#",
];

/// A chart on disk, in a directory that lasts as long as this; helm's own directories are beside it.
#[derive(Debug)]
pub struct Chart {
    directory: Private,
    name: String,
}

impl Chart {
    /// Lays out a chart of a repository. Its sealed files stay sealed, as kustomize leaves them to helm.
    pub fn copy(files: &dyn Files, chart: &TreePath, name: &str) -> Result<Self> {
        let laid_out = Self::empty(name)?;
        copy(files, chart, &laid_out.path())?;
        Ok(laid_out)
    }

    pub(super) fn empty(name: &str) -> Result<Self> {
        Ok(Self {
            directory: Private::new()?,
            name: name.to_owned(),
        })
    }

    /// The directory of the chart, of helm's own files and of its temporary ones.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("charts").join(&self.name)
    }

    /// The values that the chart comes with.
    pub fn values(&self) -> Result<Vec<u8>> {
        let path = self.path().join("values.yaml");
        fs::read(path).map_err(|error| {
            let phrase = format!(
                "the values of chart {} cannot be read: {}",
                self.name,
                error.kind()
            );
            Diagnostic::new(Code::FileMissing, phrase)
        })
    }

    /// Whether every schema in the chart can be followed without leaving it.
    pub(super) fn is_closed(&self) -> bool {
        is_closed(&self.path())
    }
}

pub(super) fn copy(files: &dyn Files, from: &TreePath, to: &Path) -> Result<()> {
    let unwritten = |error: std::io::Error| {
        let phrase = format!("the chart cannot be laid out for helm: {}", error.kind());
        Diagnostic::new(Code::WriteFailed, phrase)
    };
    fs::create_dir_all(to).map_err(unwritten)?;
    for name in files.list(from)? {
        let Some(path) = from.join(&name) else {
            continue;
        };
        match files.kind(&path)? {
            Some(Kind::Directory) => copy(files, &path, &to.join(&name))?,
            Some(Kind::File) => {
                let file = files.read_unopened(&path)?;
                fs::write(to.join(&name), &file.bytes).map_err(unwritten)?;
            }
            None => {}
        }
    }
    Ok(())
}

/// Looks at every schema and archive below a directory that we laid out.
fn is_closed(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else {
        return false;
    };
    entries.flatten().all(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => is_closed(&path),
            Ok(_) => match fs::read(&path) {
                Ok(bytes) => is_closed_file(&entry.file_name().to_string_lossy(), &bytes, 0),
                Err(_) => false,
            },
            Err(_) => false,
        }
    })
}

fn is_closed_file(name: &str, bytes: &[u8], nesting: usize) -> bool {
    if name == SCHEMA {
        return serde_json::from_slice(bytes).is_ok_and(|schema| refers_to_itself(&schema));
    }
    let is_archive = name.ends_with(".tgz") || bytes.starts_with(&[0x1f, 0x8b]);
    !is_archive || (nesting < MAX_NESTING && is_closed_archive(bytes, nesting))
}

fn is_closed_archive(bytes: &[u8], nesting: usize) -> bool {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes).take(MAX_FILE_BYTES));
    let Ok(entries) = archive.entries() else {
        return false;
    };
    for entry in entries {
        let Ok(mut entry) = entry else { return false };
        let Ok(path) = entry.path() else { return false };
        let name = path.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let mut inner = Vec::new();
        if entry.read_to_end(&mut inner).is_err() || !is_closed_file(&name, &inner, nesting + 1) {
            return false;
        }
    }
    true
}

/// Whether a schema names nothing outside of itself.
fn refers_to_itself(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .all(|(key, value)| match (key.as_str(), value) {
                ("$ref" | "$dynamicRef" | "$recursiveRef" | "$schema", Value::String(target)) => {
                    DRAFTS.iter().any(|start| target.starts_with(start))
                }
                (_, value) => refers_to_itself(value),
            }),
        Value::Array(items) => items.iter().all(refers_to_itself),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_closed(schema: &str) -> bool {
        is_closed_file(SCHEMA, schema.as_bytes(), 0)
    }

    #[test]
    fn a_schema_that_leads_elsewhere_is_open() {
        assert!(is_closed(
            r##"{"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://a.b/c",
                "properties": {"a": {"$ref": "#/definitions/a"}}}"##
        ));
        assert!(!is_closed(r#"{"allOf": [{"$ref": "file:///etc/passwd"}]}"#));
        assert!(!is_closed(r#"{"a": {"$ref": "other.json"}}"#));
        assert!(!is_closed(r#"{"$schema": "http://10.0.0.1/x"}"#));
        assert!(!is_closed("no json"));
    }

    #[test]
    fn archives_are_looked_into() {
        let packed = |name: &str, bytes: &[u8]| {
            let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let mut tar = tar::Builder::new(gz);
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            tar.append_data(&mut header, name, bytes).unwrap();
            tar.into_inner().unwrap().finish().unwrap()
        };
        let open = packed("a/values.schema.json", br#"{"$ref": "http://x/"}"#);
        let nested = packed("b/charts/a.tgz", &open);
        assert!(!is_closed_file("a.tgz", &open, 0));
        assert!(!is_closed_file("b.tgz", &nested, 0));
        assert!(is_closed_file(
            "c.tgz",
            &packed("c/values.yaml", b"a: 1"),
            0
        ));
        assert!(!is_closed_file("d.tgz", b"no archive", 0));
    }
}
