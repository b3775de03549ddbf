//! Writes a kustomization as the reference does: every field anew, comments and blank lines before their field.
//!
//! `kustomize/commands/internal/kustfile/kustomizationfile.go` v5.8.1. A field is found by a line that begins with its
//! name, in any case of letters, and a colon; comments within a field go before it; fields that no line begins with come
//! last. What follows the last field, comments at the end of a line and a last line without a line break are lost.
//! Cases `form-*` and `style-*` of the suite for the program.

use crate::diagnostic::Result;
use crate::files::File;
use crate::kustomize::encode::{Encode as _, record_node};
use crate::kustomize::kustomization::Kustomization;
use crate::yaml;

/// The fields in the order in which those that the file lacks are written.
const ORDER: [&str; 33] = [
    "apiVersion",
    "kind",
    "metadata",
    "sortOptions",
    "resources",
    "bases",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "crds",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "configMapGenerator",
    "secretGenerator",
    "helmCharts",
    "helmChartInflationGenerator",
    "helmGlobals",
    "generatorOptions",
    "vars",
    "images",
    "replacements",
    "replicas",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "components",
    "openapi",
    "buildMetadata",
];

/// Writes the fields of a kustomization in the place of those of a file.
pub(super) fn write(file: &File, kustomization: &Kustomization) -> Result<Vec<u8>> {
    let found = fields_of(&file.bytes);
    let node = kustomization.node();
    let write = |out: &mut Vec<u8>, field: &str| -> Result<()> {
        let Some(value) = node.get(field) else {
            return Ok(());
        };
        let alone = record_node([(field, value.clone())]);
        yaml::write_manifest(out, &alone).map_err(|error| error.at(&file.source))
    };
    let mut out = Vec::with_capacity(file.bytes.len());
    for FieldWithComments { field, before } in &found {
        out.extend_from_slice(before);
        write(&mut out, field)?;
    }
    for field in ORDER {
        if !found.iter().any(|f| f.field == field) {
            write(&mut out, field)?;
        }
    }
    Ok(out)
}

/// A field of a file, and the comments and blank lines that go before it.
struct FieldWithComments {
    field: &'static str,
    before: Vec<u8>,
}

fn fields_of(text: &[u8]) -> Vec<FieldWithComments> {
    let mut found: Vec<FieldWithComments> = Vec::new();
    let mut waiting = Vec::new();
    for line in text.split_inclusive(|b| *b == b'\n') {
        if !line.ends_with(b"\n") {
            break;
        }
        if is_comment_or_blank(line) {
            waiting.extend_from_slice(line);
        } else if let Some(field) = field_at(line) {
            let before = std::mem::take(&mut waiting);
            found.push(FieldWithComments { field, before });
        } else if let Some(last) = found.last_mut() {
            last.before.append(&mut waiting);
        }
    }
    found
}

fn is_comment_or_blank(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let first = line.iter().find(|b| **b != b' ');
    first.is_none_or(|b| *b == b'#')
}

/// The field that a line begins with.
fn field_at(line: &[u8]) -> Option<&'static str> {
    ORDER.into_iter().find(|field| {
        let name = line.get(..field.len());
        name.is_some_and(|name| name.eq_ignore_ascii_case(field.as_bytes()))
            && line.get(field.len()) == Some(&b':')
    })
}
