//! `vars`: values that stand for `$(NAME)`.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::fault::Fault;
use super::fieldspec::{self, FieldSpec, Missing};
use super::kustomization::Var;
use super::names::Names;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::kube::{Gvk, ResId, ResMap, Resource, Scope};
use crate::yaml::{self, Node, Tag, Value};

/// A var, and where it stands.
#[derive(Debug, Clone)]
struct Declared {
    field_path: CompactString,
    place: Place,
}

/// The vars of a build, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(BTreeMap<CompactString, Declared>);

impl Variables {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the vars of a kustomization, and marks the objects that they read from.
    pub(super) fn declare(
        &mut self,
        vars: &[Var],
        resources: &mut ResMap,
        source: &Source,
    ) -> Result<()> {
        let mut names = Names::default();
        for var in vars {
            let place = source.place(var.mark.line, var.mark.column);
            mark_target(var, resources, &mut names, &place)?;
        }
        for var in vars {
            let place = source.place(var.mark.line, var.mark.column);
            let field_path = match &*var.fieldref.field_path {
                "" => "metadata.name".into(),
                path => path.into(),
            };
            self.add(var.name.clone(), Declared { field_path, place })?;
        }
        Ok(())
    }

    /// Adds the vars of a build that this one includes.
    pub(super) fn absorb(&mut self, other: Self) -> Result<()> {
        other
            .0
            .into_iter()
            .try_for_each(|(name, var)| self.add(name, var))
    }

    fn add(&mut self, name: CompactString, var: Declared) -> Result<()> {
        if let Some(first) = self.0.get(&name) {
            let error = Diagnostic::new(Code::VarInvalid, format!("var {name} is declared twice"));
            return Err(error
                .at(var.place)
                .note(format!("it is first declared at {}", first.place)));
        }
        self.0.insert(name, var);
        Ok(())
    }

    /// Reads the values and puts them in place.
    pub(super) fn resolve(&self, resources: &mut ResMap, fields: &[FieldSpec]) -> Result<()> {
        let mut targets = BTreeMap::new();
        for resource in resources.iter() {
            for name in &resource.history().variables {
                targets.entry(&**name).or_insert(resource);
            }
        }
        let mut values = BTreeMap::new();
        for (name, var) in &self.0 {
            let target = targets.get(&**name).copied();
            values.insert(&**name, value_of(name, var, target)?);
        }
        for resource in resources.iter_mut() {
            fieldspec::apply(resource, fields, Missing::Skip, |node| {
                replace(node, &values)
            })?;
            if resource.history().links > 0 {
                resource.change(yaml::settle);
            }
        }
        Ok(())
    }
}

/// Marks the object that a var reads from; that there is none shows when the value is read.
fn mark_target(var: &Var, resources: &mut ResMap, names: &mut Names, place: &Place) -> Result<()> {
    let object = &var.objref;
    let mut gvk = Gvk {
        group: object.group.clone(),
        version: object.version.clone(),
        kind: object.kind.clone(),
    };
    if !object.api_version.is_empty() {
        let parts: Vec<&str> = object.api_version.split('/').collect();
        match parts[..] {
            [version] => gvk.version = version.into(),
            [group, version] => (gvk.group, gvk.version) = (group.into(), version.into()),
            _ => {}
        }
    }
    let id = ResId {
        scope: gvk.scope(),
        gvk,
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    };
    let found = if id.namespace.is_empty() {
        anywhere(&id, resources, names)
    } else {
        in_namespace(&id, resources)
    };
    match found[..] {
        [] => Ok(()),
        [one] => {
            resources.update(one, |r| r.history_mut().variables.push(var.name.clone()));
            Ok(())
        }
        [..] => {
            let phrase = format!(
                "{} objects are {id}, which var {} names",
                found.len(),
                var.name
            );
            Err(Diagnostic::new(Code::VarInvalid, phrase)
                .at(place.clone())
                .help("say objref.namespace"))
        }
    }
}

/// The objects of an id in any namespace, by its present or a previous name.
fn anywhere(id: &ResId, resources: &ResMap, names: &mut Names) -> Vec<usize> {
    let fits = |r: &Resource| {
        let now = r.name() == id.name && *r.gvk() == id.gvk;
        now || r
            .previous_ids()
            .any(|p| p.name == id.name && p.gvk == id.gvk)
    };
    let candidates = names.candidates(resources, &id.name);
    candidates
        .filter(|&at| resources.get(at).is_some_and(|r| !r.is_empty() && fits(r)))
        .collect()
}

/// The objects of an id. The id of a var is never known to be cluster-scoped in the reference, so that a
/// namespace that is given for such a kind finds nothing.
fn in_namespace(id: &ResId, resources: &mut ResMap) -> Vec<usize> {
    if id.scope == Scope::Cluster {
        return Vec::new();
    }
    resources.positions_of_any(id)
}

/// The value that a var stands for: the scalar's text with its type, or what is no scalar.
#[derive(Debug, Clone)]
enum VarValue {
    Scalar { text: CompactString, tag: Tag },
    Other,
}

fn value_of(name: &str, var: &Declared, target: Option<&Resource>) -> Result<VarValue> {
    let Some(target) = target else {
        let phrase = format!("var {name} names no object of this build");
        return Err(Diagnostic::new(Code::VarInvalid, phrase).at(var.place.clone()));
    };
    let node = path_parts(&var.field_path)
        .iter()
        .try_fold(target.node(), |node, part| step(node, part));
    let Some(node) = node else {
        let phrase = format!(
            "{} has no field {}, which var {name} reads",
            target.id(),
            var.field_path
        );
        return Err(Diagnostic::new(Code::VarInvalid, phrase)
            .at(var.place.clone())
            .note(match target.place() {
                Some(place) => format!("the object is at {place}"),
                None => "the object is a generated one".to_owned(),
            }));
    };
    match node.value() {
        Value::Scalar(text) => Ok(scalar(text, node.tag())),
        Value::Sequence(_) | Value::Mapping(_) => Ok(VarValue::Other),
    }
}

fn scalar(text: &str, tag: Tag) -> VarValue {
    let tag = match tag {
        Tag::Int | Tag::Float | Tag::Bool => tag,
        _ => Tag::Str,
    };
    VarValue::Scalar {
        text: text.into(),
        tag,
    }
}

fn step<'a>(node: &'a Node, part: &str) -> Option<&'a Node> {
    if let Some(items) = node.as_sequence() {
        return match part {
            "-" => items.last(),
            _ => match part.parse::<usize>() {
                Ok(index) => items.get(index),
                Err(_) => by_field(items, part),
            },
        };
    }
    node.get(part)
}

/// The item that `[key=value]` selects.
fn by_field<'a>(items: &'a [Node], part: &str) -> Option<&'a Node> {
    let (key, value) = part.strip_prefix('[')?.strip_suffix(']')?.split_once('=')?;
    items
        .iter()
        .find(|item| item.get(key).and_then(Node::scalar_text) == Some(value))
}

/// Splits a path at dots that are not escaped or in brackets, and `name[0]` into two parts.
fn path_parts(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    let mut characters = path.chars().peekable();
    let mut in_brackets = false;
    while let Some(c) = characters.next() {
        match c {
            '\\' if characters.peek() == Some(&'.') => {
                part.push('.');
                characters.next();
            }
            '[' if part.is_empty() => {
                in_brackets = true;
                part.push(c);
            }
            ']' if in_brackets => {
                in_brackets = false;
                part.push(c);
            }
            '.' if !in_brackets => parts.push(std::mem::take(&mut part)),
            _ => part.push(c),
        }
    }
    parts.push(part);
    parts.into_iter().flat_map(|p| with_index(&p)).collect()
}

fn with_index(part: &str) -> Vec<String> {
    let Some((name, index)) = part.strip_suffix(']').and_then(|p| p.rsplit_once('[')) else {
        return vec![part.to_owned()];
    };
    if !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()) {
        let name = Some(name.to_owned()).filter(|n| !n.is_empty());
        return name.into_iter().chain([index.to_owned()]).collect();
    }
    if name.is_empty() && !index.contains('=') {
        return vec![index.to_owned()];
    }
    vec![part.to_owned()]
}

type Values<'a> = BTreeMap<&'a str, VarValue>;

/// Replaces references in a scalar, in the values of a mapping, or in the items of a sequence.
fn replace(node: &mut Node, values: &Values<'_>) -> Result<(), Fault> {
    if node.is_null() {
        return Ok(());
    }
    if node.tag() == Tag::Str && node.scalar_text().is_some() {
        expand_scalar(node, values);
        return Ok(());
    }
    match node.value_mut() {
        Value::Scalar(_) => {}
        Value::Mapping(mapping) => {
            let entries = mapping.entries_mut().iter_mut();
            for entry in entries.filter(|e| e.value.as_str().is_some()) {
                expand_scalar(&mut entry.value, values);
            }
        }
        Value::Sequence(items) => {
            for item in items {
                if item.as_str().is_none() {
                    let phrase = "only texts may stand in a list in which vars are replaced";
                    return Err(Fault::new(Code::VarInvalid, item, phrase));
                }
                expand_scalar(item, values);
            }
        }
    }
    Ok(())
}

fn expand_scalar(node: &mut Node, values: &Values<'_>) {
    let Some(text) = node.as_str() else {
        return;
    };
    if !text.contains('$') {
        return;
    }
    let (text, tag) = expand(text, values);
    let link = node.link();
    *node = Node::scalar(tag, text).with_mark(node.mark());
    node.set_link(link);
    node.note_change();
}

/// Expands a text; one that is a single reference takes the type of the value.
fn expand(text: &str, values: &Values<'_>) -> (CompactString, Tag) {
    let whole = text.strip_prefix("$(").and_then(|t| t.strip_suffix(')'));
    if let Some(VarValue::Scalar { text, tag }) = whole.and_then(|name| values.get(name)) {
        return (text.clone(), *tag);
    }
    let mut result = CompactString::default();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        rest = expand_one(rest, &mut result, values);
    }
    result.push_str(rest);
    (result, Tag::Str)
}

/// Expands what follows a dollar sign and returns what is left.
fn expand_one<'a>(rest: &'a str, result: &mut CompactString, values: &Values<'_>) -> &'a str {
    let Some(first) = rest.chars().next() else {
        result.push('$');
        return rest;
    };
    match (first, rest.find(')')) {
        ('$', _) => {
            result.push('$');
            &rest[1..]
        }
        ('(', Some(end)) => {
            let name = &rest[1..end];
            match values.get(name) {
                Some(VarValue::Scalar { text, tag }) => result.push_str(&shown(text, *tag)),
                Some(VarValue::Other) | None => {
                    result.push_str("$(");
                    result.push_str(name);
                    result.push(')');
                }
            }
            &rest[end + 1..]
        }
        _ => {
            result.push('$');
            result.push(first);
            &rest[first.len_utf8()..]
        }
    }
}

/// A value in the middle of a text, as Go prints it.
fn shown(text: &str, tag: Tag) -> CompactString {
    match tag {
        Tag::Bool => text.to_ascii_lowercase().into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{VarValue, expand, path_parts};
    use crate::yaml::Tag;

    #[test]
    fn references_are_replaced_and_escapes_kept() {
        let mut values = BTreeMap::new();
        values.insert(
            "A",
            VarValue::Scalar {
                text: "x".into(),
                tag: Tag::Str,
            },
        );
        values.insert(
            "N",
            VarValue::Scalar {
                text: "3".into(),
                tag: Tag::Int,
            },
        );
        let cases = [
            ("a-$(A)-b", "a-x-b", Tag::Str),
            ("$(N)", "3", Tag::Int),
            ("$(N)$(N)", "33", Tag::Str),
            ("$$(A)", "$(A)", Tag::Str),
            ("$(B) $", "$(B) $", Tag::Str),
            ("$(A", "$(A", Tag::Str),
            ("$é", "$é", Tag::Str),
        ];
        for (text, wanted, tag) in cases {
            assert_eq!(expand(text, &values), (wanted.into(), tag), "{text}");
        }
    }

    #[test]
    fn paths_have_indices_and_brackets() {
        assert_eq!(
            path_parts("spec.ports[0].port"),
            ["spec", "ports", "0", "port"]
        );
        assert_eq!(
            path_parts("metadata.annotations.[a.b/c]"),
            ["metadata", "annotations", "a.b/c"]
        );
        assert_eq!(path_parts("a\\.b.c"), ["a.b", "c"]);
    }
}
