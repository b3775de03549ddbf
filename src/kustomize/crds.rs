//! `crds`: OpenAPI definitions of custom resources that tell which fields hold names, labels and
//! annotations.

use std::borrow::Cow;

use super::documents::text_of;
use super::fieldspec::{FieldSpec, KEEP, NameReference};
use super::fieldspecs::{FieldSpecs, merge_row};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::File;
use crate::yaml::{self, Node, ParseOptions};

/// References within definitions that are followed; a longer way is a circle.
const MAX_DEPTH: usize = 64;

const ANNOTATION: &str = "x-kubernetes-annotation";
const LABEL_SELECTOR: &str = "x-kubernetes-label-selector";
const IDENTITY: &str = "x-kubernetes-identity";
const VERSION: &str = "x-kubernetes-object-ref-api-version";
const KIND: &str = "x-kubernetes-object-ref-kind";
const NAME_KEY: &str = "x-kubernetes-object-ref-name-key";

/// Reads the field specs that a file of definitions adds.
pub(super) fn field_specs(file: &File) -> Result<FieldSpecs> {
    let document = yaml::parse_first(text_of(file)?, ParseOptions::default())
        .map_err(|error| error.at(&file.source))?
        .unwrap_or_else(Node::null);
    let mut specs = FieldSpecs::default();
    let Some(definitions) = document.as_mapping() else {
        return Ok(specs);
    };
    for (name, definition) in definitions.iter() {
        if definition.as_mapping().is_none() && !definition.is_null() {
            return Err(not_definitions(file, definition));
        }
        if !is_object(definition) {
            continue;
        }
        let mut reader = Reader {
            document: &document,
            kind: name.rsplit('.').next().unwrap_or(name),
            specs: &mut specs,
            path: Vec::new(),
        };
        reader.read(name)?;
    }
    Ok(specs)
}

fn not_definitions(file: &File, node: &Node) -> Diagnostic {
    let mark = node.mark();
    let phrase = "a file of crds must map names to OpenAPI definitions";
    Diagnostic::new(Code::FieldType, phrase)
        .at(file.source.place(mark.line, mark.column))
        .help("list a CustomResourceDefinition in resources")
}

fn properties(definition: &Node) -> Option<&yaml::Mapping> {
    let schema = definition
        .get("Schema")
        .or_else(|| definition.get("schema"))?;
    schema.get("properties")?.as_mapping()
}

fn is_object(definition: &Node) -> bool {
    let fields = ["kind", "apiVersion", "metadata"];
    properties(definition).is_some_and(|p| fields.iter().all(|f| p.contains(f)))
}

struct Reader<'a> {
    document: &'a Node,
    kind: &'a str,
    specs: &'a mut FieldSpecs,
    path: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, name: &str) -> Result<()> {
        let Some(properties) = self.document.get(name).and_then(properties) else {
            return Ok(());
        };
        for (field, property) in properties.iter() {
            self.path.push(field);
            self.read_property(property)?;
            self.path.pop();
        }
        Ok(())
    }

    fn read_property(&mut self, property: &'a Node) -> Result<()> {
        let text = |key: &str| property.get(key).and_then(Node::as_str);
        if text(ANNOTATION).is_some() {
            let row = self.row(None);
            merge_row(self.specs.common_annotations.to_mut(), row)?;
        }
        if text(LABEL_SELECTOR).is_some() {
            let row = self.row(None);
            merge_row(self.specs.common_labels.to_mut(), row)?;
        }
        if text(IDENTITY).is_some() {
            let row = self.row(None);
            merge_row(self.specs.name_prefix.to_mut(), row)?;
        }
        if let (Some(version), Some(kind)) = (text(VERSION), text(KIND)) {
            self.add_reference(version, kind, text(NAME_KEY).unwrap_or("name"))?;
        }
        match text("$ref") {
            Some(target) if self.path.len() < MAX_DEPTH => self.read(target),
            _ => Ok(()),
        }
    }

    fn add_reference(&mut self, version: &str, kind: &str, name_key: &'a str) -> Result<()> {
        let row = self.row(Some(name_key));
        let reference = NameReference {
            group: Cow::Borrowed(""),
            version: version.to_owned().into(),
            kind: kind.to_owned().into(),
            referrers: Cow::Owned(vec![row]),
        };
        self.specs.merge(FieldSpecs {
            name_references: Cow::Owned(vec![reference]),
            ..FieldSpecs::default()
        })
    }

    fn row(&self, last: Option<&'a str>) -> FieldSpec {
        let parts: Vec<&str> = self.path.iter().copied().chain(last).collect();
        FieldSpec {
            group: Cow::Borrowed(""),
            version: Cow::Borrowed(""),
            kind: self.kind.to_owned().into(),
            path: parts.join("/").into(),
            create: KEEP,
        }
    }
}
