//! `ValueAddTransformer`: puts one value into fields of objects, whole or as a part of a path.

use compact_str::CompactString;

use super::accumulate::Target;
use super::decode::{Decoder, record};
use super::fault::Fault;
use super::fieldspec::{self, Missing, need_scalar, row};
use super::kustomization::{SelectorFields, Text};
use super::plugins::{read, source_of};
use super::scalar;
use super::selector::Selector;
use super::transformers::namespace::{Namespace, Subjects};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::{ResMap, Resource};
use crate::yaml::{Node, Tag};

record! {
    /// The fields of its configuration.
    pub(crate) struct Arguments {
        /// The value; the name of the kustomization's directory when empty.
        value: CompactString = "value",
        /// Where it goes.
        targets: Vec<Goal> = "targets",
        /// A file with more targets.
        target_file_path: Text = "targetFilePath",
    }
}

record! {
    /// Where the value goes.
    pub(crate) struct Goal {
        /// The objects; all when there is none.
        selector: Option<SelectorFields> = "selector",
        /// The field.
        field_path: CompactString = "fieldPath",
        /// The part of a path to insert it as, from 1; 0 to replace the whole.
        file_path_position: i64 = "filePathPosition",
    }
}

/// Puts the value into every field that is selected.
pub(super) fn apply(
    configuration: &Resource,
    target: &Target<'_>,
    resources: &mut ResMap,
) -> Result<()> {
    let mut arguments: Arguments = read(configuration)?;
    if !arguments.target_file_path.is_empty() {
        let file = target.loader.read(&arguments.target_file_path)?;
        let node = super::read::document(&file, crate::yaml::DuplicateKeys::LastWins)?;
        let decoder = Decoder {
            source: &file.source,
            strict: false,
        };
        let more: Arguments = decoder.read(&node.unwrap_or_else(Node::null))?;
        arguments.targets.extend(more.targets);
    }
    check(&arguments, configuration)?;
    let value = match arguments.value.trim() {
        "" => target.loader.directory().file_name(),
        value => value,
    };
    for goal in &arguments.targets {
        put(value, goal, configuration, resources)?;
    }
    Ok(())
}

fn check(arguments: &Arguments, configuration: &Resource) -> Result<()> {
    let wrong =
        |phrase: &str| Err(Diagnostic::new(Code::PluginInvalid, phrase).at(configuration.place()));
    if arguments.targets.is_empty() {
        return wrong("the ValueAddTransformer has no targets");
    }
    if arguments.targets.iter().any(|g| g.field_path.is_empty()) {
        return wrong("a target of the ValueAddTransformer has no fieldPath");
    }
    if arguments.targets.iter().any(|g| g.file_path_position < 0) {
        return wrong("filePathPosition cannot be negative");
    }
    Ok(())
}

fn put(value: &str, goal: &Goal, configuration: &Resource, resources: &mut ResMap) -> Result<()> {
    let source = source_of(configuration);
    let selector = match &goal.selector {
        Some(fields) => Some(Selector::new(fields, &source)?),
        None => None,
    };
    let path = FieldOf(&goal.field_path).spec();
    for resource in resources.iter_mut() {
        if let Some(selector) = &selector
            && !selector.selects(resource)?
        {
            continue;
        }
        if goal.field_path == "metadata/namespace" {
            let namespace = Namespace {
                name: value,
                fields: &[],
                unset_only: false,
                subjects: Subjects::NamedDefault,
                moves_charts: true,
            };
            namespace.set_in(resource)?;
            continue;
        }
        fieldspec::apply(resource, [&path], Missing::Scalar(Tag::Str), |node| {
            set(node, value, goal.file_path_position)
        })?;
    }
    Ok(())
}

/// A path of the configuration, as a field spec.
struct FieldOf<'a>(&'a str);

impl FieldOf<'_> {
    fn spec(&self) -> fieldspec::FieldSpec {
        fieldspec::FieldSpec {
            path: self.0.to_owned().into(),
            ..row("", "", "", "", fieldspec::CREATE)
        }
    }
}

fn set(node: &mut Node, value: &str, position: i64) -> Result<(), Fault> {
    need_scalar(node)?;
    let new = match usize::try_from(position) {
        Ok(position @ 1..) => inserted(node.scalar_text().unwrap_or_default(), position, value),
        _ => value.to_owned(),
    };
    scalar::set_untagged(node, new);
    Ok(())
}

/// Inserts a part into a path, from 1; a leading `/` stays where it is.
fn inserted(path: &str, position: usize, part: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    parts.insert((position - 1).min(parts.len()), part);
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::inserted;

    #[test]
    fn parts_are_inserted() {
        let cases = [
            ("", 1, "PEACH"),
            ("/", 1, "/PEACH"),
            ("pie", 1, "PEACH/pie"),
            ("/pie", 1, "/PEACH/pie"),
            ("raw", 9, "raw/PEACH"),
            ("a/nice/warm/pie", 4, "a/nice/warm/PEACH/pie"),
        ];
        for (path, position, wanted) in cases {
            assert_eq!(inserted(path, position, "PEACH"), wanted);
        }
    }
}
