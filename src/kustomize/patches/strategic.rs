//! Strategic merges as kustomize does them, which is not quite how the Kubernetes API does.
//!
//! A field of the patch replaces that of the target, `null` removes it, mappings are merged field by field,
//! and lists with merge keys item by item. `$patch: delete`, `replace` and `merge` are directives. The target
//! is walked as a whole: a field without any value (`a:`) goes, also where the patch says nothing.

use std::cell::Cell;

use super::comments::Comments;
use super::lists::{self, Patch};
use crate::diagnostic::Code;
use crate::kube::merge_keys::{FieldShape, Schema, Shape};
use crate::kustomize::fault::{Fault, sort_of};
use crate::kustomize::scalar;
use crate::yaml::{self, Entry, Mapping, Mark, Node, Text, Value};

/// The key of a directive.
pub(super) const DIRECTIVE: &str = "$patch";

/// What becomes of a field or item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatchOutcome {
    Keep,
    Remove,
}

/// What a mapping or list of a patch asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

/// Merges a patch into an object. Returns false when the patch deletes the object.
///
/// Fails with [`Code::PatchFailed`] where a mapping meets a list or a value, and on an unknown directive.
/// `$patch: replace` at the top changes nothing, as in the reference.
pub(super) fn merge(target: &mut Node, mut patch: Node, schema: Schema<'_>) -> Result<bool, Fault> {
    let comments = Comments::default();
    let merge = Merge {
        schema,
        comments: &comments,
        has_changed_linked: Cell::new(false),
    };
    let shape = merge.identify(Shape::Unknown, [&*target, &patch]);
    if patch.as_mapping().is_none() || target.as_mapping().is_none() {
        return Err(clash(target, &patch));
    }
    match take_directive(&mut patch)? {
        Directive::Delete => return Ok(false),
        Directive::Replace => {}
        Directive::Merge => merge.fields(target, patch, shape)?,
    }
    if merge.has_changed_linked.get() {
        yaml::settle(target);
    }
    Ok(true)
}

pub(super) struct Merge<'s> {
    schema: Schema<'s>,
    comments: &'s Comments,
    /// Whether a scalar was changed that stands in other places too.
    has_changed_linked: Cell<bool>,
}

impl<'s> Merge<'s> {
    /// What is known of an entry of either side: what a comment says, else the schema.
    fn field<'n>(
        &self,
        shape: Shape<'s>,
        key: &str,
        sides: impl IntoIterator<Item = &'n Entry, IntoIter: Clone>,
    ) -> FieldShape<'s> {
        let collections = sides
            .into_iter()
            .filter(|e| e.value.scalar_text().is_none());
        let values = collections.clone().map(|entry| &entry.value);
        let keys = collections.map(|entry| &entry.key);
        let told = self.comments.of(values.chain(keys), self.schema);
        told.unwrap_or_else(|| shape.field(key))
    }

    /// The shape of a value that no schema speaks of: that of the first side that names a known kind.
    pub(super) fn identify<'n>(
        &self,
        shape: Shape<'s>,
        sides: impl IntoIterator<Item = &'n Node, IntoIter: Clone>,
    ) -> Shape<'s> {
        let sides = sides.into_iter();
        if let Some(told) = self.comments.of(sides.clone(), self.schema) {
            return told.value;
        }
        if !matches!(shape, Shape::Unknown) {
            return shape;
        }
        let known = sides.map(|side| {
            let text = |key| {
                side.get(key)
                    .and_then(Node::scalar_text)
                    .unwrap_or_default()
            };
            match (text("apiVersion"), text("kind")) {
                ("", _) | (_, "") => Shape::Unknown,
                (api_version, kind) => self.schema.object(api_version, kind),
            }
        });
        let mut known = known.filter(|shape| !matches!(shape, Shape::Unknown));
        known.next().unwrap_or(Shape::Unknown)
    }

    /// Merges a value of the patch into that of the target.
    fn values(
        &self,
        target: &mut Node,
        mut patch: Node,
        field: FieldShape<'s>,
    ) -> Result<PatchOutcome, Fault> {
        if scalar::is_null(&patch) {
            return Ok(PatchOutcome::Remove);
        }
        if scalar::is_null(target) {
            if patch.scalar_text().is_some() {
                overwrite(target, &patch);
                return Ok(PatchOutcome::Keep);
            }
            *target = patch;
            return self.add(target, field);
        }
        let mark = patch.mark();
        match (target.value_mut(), patch.value_mut()) {
            (Value::Mapping(_), Value::Mapping(_)) => self.mappings(target, patch, field.value),
            (Value::Sequence(items), Value::Sequence(new)) => {
                self.lists(items, std::mem::take(new), mark, field)
            }
            (Value::Scalar(_), Value::Scalar(_)) => {
                if overwrite(target, &patch) {
                    self.has_changed_linked.set(true);
                }
                Ok(PatchOutcome::Keep)
            }
            _ => Err(clash(target, &patch)),
        }
    }

    fn lists(
        &self,
        target: &mut Vec<Node>,
        mut patch: Vec<Node>,
        mark: Mark,
        field: FieldShape<'s>,
    ) -> Result<PatchOutcome, Fault> {
        let Some(keys) = field.merge else {
            *target = patch;
            return Ok(PatchOutcome::Keep);
        };
        match lists::take_directive(&mut patch, mark)? {
            Directive::Delete => return Ok(PatchOutcome::Remove),
            Directive::Replace => {
                *target = patch;
                lists::merge(self, target, Patch::Itself, keys, field.value)?;
            }
            Directive::Merge => {
                lists::merge(self, target, Patch::Items(patch), keys, field.value)?;
            }
        }
        Ok(PatchOutcome::Keep)
    }

    fn mappings(
        &self,
        target: &mut Node,
        mut patch: Node,
        shape: Shape<'s>,
    ) -> Result<PatchOutcome, Fault> {
        let shape = self.identify(shape, [&*target, &patch]);
        match take_directive(&mut patch)? {
            Directive::Delete => return Ok(PatchOutcome::Remove),
            Directive::Replace => {
                *target = patch;
                self.add_fields(target, shape)?;
            }
            Directive::Merge => self.fields(target, patch, shape)?,
        }
        Ok(PatchOutcome::Keep)
    }

    /// Merges the fields of two mappings.
    pub(super) fn fields(
        &self,
        target: &mut Node,
        patch: Node,
        shape: Shape<'s>,
    ) -> Result<(), Fault> {
        let Value::Mapping(patch) = patch.into_value() else {
            return Ok(());
        };
        let Some(target) = target.as_mapping_mut() else {
            return Ok(());
        };
        let mut new = Entries::new(patch);
        retain(target, |key, entry| match new.take(key) {
            Some(patch) => {
                let field = self.field(shape, key, [&*entry, &patch]);
                self.values(&mut entry.value, patch.value, field)
            }
            None => {
                let field = self.field(shape, key, [&*entry]);
                scalar::quote(&mut entry.value);
                self.keep(&mut entry.value, field)
            }
        })?;
        for mut entry in new.rest() {
            let key = entry.key.scalar_text().unwrap_or_default();
            let field = self.field(shape, key, [&entry]);
            scalar::quote(&mut entry.value);
            if self.add(&mut entry.value, field)? == PatchOutcome::Keep {
                target.entries_mut().push(entry);
            }
        }
        Ok(())
    }

    /// Settles a value that only the target has.
    pub(super) fn keep(
        &self,
        target: &mut Node,
        field: FieldShape<'s>,
    ) -> Result<PatchOutcome, Fault> {
        let shape = self.identify(field.value, [&*target]);
        let is_left_out = scalar::is_null(target) && target.scalar_text() == Some("");
        match target.value_mut() {
            Value::Scalar(_) if is_left_out => return Ok(PatchOutcome::Remove),
            Value::Scalar(_) => {}
            Value::Mapping(mapping) => {
                retain(mapping, |key, entry| {
                    let field = self.field(shape, key, [&*entry]);
                    scalar::quote(&mut entry.value);
                    self.keep(&mut entry.value, field)
                })?;
            }
            Value::Sequence(items) => {
                if let Some(keys) = field.merge {
                    lists::merge(self, items, Patch::Nothing, keys, field.value)?;
                }
            }
        }
        Ok(PatchOutcome::Keep)
    }

    /// Settles a value that only the patch has: the top of what it adds.
    pub(super) fn add(
        &self,
        patch: &mut Node,
        field: FieldShape<'s>,
    ) -> Result<PatchOutcome, Fault> {
        if scalar::is_null(patch) {
            return Ok(PatchOutcome::Remove);
        }
        let shape = self.identify(field.value, [&*patch]);
        match patch.value_mut() {
            Value::Scalar(_) => {}
            // An unknown directive is an error everywhere but here.
            Value::Mapping(_) => match take_directive(patch) {
                Ok(Directive::Delete) => return Ok(PatchOutcome::Remove),
                Ok(Directive::Merge | Directive::Replace) | Err(_) => {
                    self.add_fields(patch, shape)?;
                }
            },
            Value::Sequence(items) => {
                if let Some(keys) = field.merge {
                    lists::merge(self, items, Patch::Itself, keys, field.value)?;
                }
            }
        }
        Ok(PatchOutcome::Keep)
    }

    fn add_fields(&self, patch: &mut Node, shape: Shape<'s>) -> Result<(), Fault> {
        let Some(mapping) = patch.as_mapping_mut() else {
            return Ok(());
        };
        retain(mapping, |key, entry| {
            let field = self.field(shape, key, [&*entry]);
            scalar::quote(&mut entry.value);
            self.add_within(&mut entry.value, field)
        })
    }

    /// Settles a value within what a patch adds.
    pub(super) fn add_within(
        &self,
        patch: &mut Node,
        field: FieldShape<'s>,
    ) -> Result<PatchOutcome, Fault> {
        if scalar::is_null(patch) {
            return Ok(PatchOutcome::Remove);
        }
        let shape = self.identify(field.value, [&*patch]);
        let mark = patch.mark();
        match patch.value_mut() {
            Value::Scalar(_) => {}
            Value::Mapping(_) => {
                if take_directive(patch)? == Directive::Delete {
                    return Ok(PatchOutcome::Remove);
                }
                self.add_fields(patch, shape)?;
            }
            Value::Sequence(items) => {
                if let Some(keys) = field.merge {
                    if lists::take_directive(items, mark)? == Directive::Delete {
                        return Ok(PatchOutcome::Remove);
                    }
                    lists::merge(self, items, Patch::Itself, keys, field.value)?;
                }
            }
        }
        Ok(PatchOutcome::Keep)
    }
}

/// Takes text and type of the patch, and keeps the style of the target. Returns whether the target stands in
/// other places too.
fn overwrite(target: &mut Node, patch: &Node) -> bool {
    let (tag, is_untagged) = (patch.tag(), patch.is_untagged());
    let text = patch.scalar_text().unwrap_or_default().to_owned();
    let custom = patch.custom_tag().map(str::to_owned);
    *target = patch_mark(target, patch);
    if is_untagged {
        scalar::set_untagged(target, text);
        return target.link().is_some();
    }
    scalar::set(target, text, tag);
    if let Some(custom) = custom {
        target.set_custom_tag(custom);
    }
    target.link().is_some()
}

/// An empty scalar in the style of the target at the place of the patch.
fn patch_mark(target: &Node, patch: &Node) -> Node {
    let mut node = Node::string("")
        .with_style(target.style())
        .with_mark(patch.mark());
    node.set_link(target.link());
    node
}

/// Visits every entry and drops those that are to go; the order of the others stays.
fn retain(
    mapping: &mut Mapping,
    mut visit: impl FnMut(&str, &mut Entry) -> Result<PatchOutcome, Fault>,
) -> Result<(), Fault> {
    let mut fault = None;
    mapping.entries_mut().retain_mut(|entry| {
        if fault.is_some() {
            return true;
        }
        let key = Text::from(entry.key.scalar_text().unwrap_or_default());
        match visit(&key, entry) {
            Ok(fate) => fate == PatchOutcome::Keep,
            Err(error) => {
                fault = Some(error);
                true
            }
        }
    });
    fault.map_or(Ok(()), Err)
}

/// The entries of a patch, each to be taken once.
struct Entries {
    entries: Vec<Option<Entry>>,
    /// Positions by key, where there are many.
    index: Option<std::collections::BTreeMap<String, usize>>,
}

impl Entries {
    /// From how many entries on a look-up is worth its cost.
    const MANY: usize = 16;

    fn new(mapping: Mapping) -> Self {
        let entries: Vec<_> = mapping.into_entries().into_iter().map(Some).collect();
        let index = (entries.len() >= Self::MANY).then(|| {
            let keys = entries.iter().enumerate().rev();
            keys.filter_map(|(at, e)| Some((e.as_ref()?.key.scalar_text()?.to_owned(), at)))
                .collect()
        });
        Self { entries, index }
    }

    fn take(&mut self, key: &str) -> Option<Entry> {
        let at = match &self.index {
            Some(index) => *index.get(key)?,
            None => self
                .entries
                .iter()
                .position(|e| e.as_ref().is_some_and(|e| e.key.scalar_text() == Some(key)))?,
        };
        self.entries[at].take()
    }

    fn rest(self) -> impl Iterator<Item = Entry> {
        self.entries.into_iter().flatten()
    }
}

/// Takes the directive out of a mapping.
pub(super) fn take_directive(patch: &mut Node) -> Result<Directive, Fault> {
    let Some(mapping) = patch.as_mapping_mut() else {
        return Ok(Directive::Merge);
    };
    let Some(value) = mapping.get(DIRECTIVE) else {
        return Ok(Directive::Merge);
    };
    let directive = parse_directive(value)?;
    mapping.remove(DIRECTIVE);
    Ok(directive)
}

/// Reads the value of a directive.
pub(super) fn parse_directive(value: &Node) -> Result<Directive, Fault> {
    match value.scalar_text().unwrap_or_default() {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        other => {
            let phrase = format!("unknown patch directive {other:?}");
            Err(Fault::new(Code::PatchFailed, value, phrase).help("it is merge, replace or delete"))
        }
    }
}

pub(super) fn clash(target: &Node, patch: &Node) -> Fault {
    let phrase = format!(
        "the patch has {} where the object has {}",
        sort_of(patch),
        sort_of(target)
    );
    Fault::new(Code::PatchFailed, patch, phrase)
}

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::kube::merge_keys::Schema;
    use crate::yaml::{self, Node, ParseOptions};

    fn parse(text: &str) -> Node {
        let mut documents = yaml::parse(text, ParseOptions::default()).expect("a valid document");
        documents.remove(0)
    }

    /// Merges the specs of two pods; `None` when the patch fails.
    fn merged(target: &str, patch: &str) -> Option<String> {
        let pod = |spec: &str| {
            parse(&format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {spec}}}"
            ))
        };
        let mut object = pod(target);
        merge(&mut object, pod(patch), Schema::BuiltIn).ok()?;
        let mut out = Vec::new();
        let spec = object.get("spec").cloned().unwrap_or_else(Node::null);
        yaml::write_json(&mut out, &spec, yaml::JsonStyle::Sorted).ok()?;
        String::from_utf8(out).ok()
    }

    #[test]
    fn merges_as_the_reference_does() {
        let ports = |ports: &str| format!("{{containers: [{{name: a, ports: {ports}}}]}}");
        let cases: [(&str, &str, &str, &str); 13] = [
            ("a null deletes", "{a: 1, b: 2}", "{a: null}", r#"{"b":2}"#),
            (
                "mappings are merged",
                "{m: {a: 1}}",
                "{m: {b: 2}}",
                r#"{"m":{"a":1,"b":2}}"#,
            ),
            (
                "nulls of an addition go",
                "{}",
                "{m: {a: null, b: 1}}",
                r#"{"m":{"b":1}}"#,
            ),
            (
                "an explicit null of the target stays",
                "{a: null}",
                "{}",
                r#"{"a":null}"#,
            ),
            (
                "plain lists are replaced",
                "{tolerations: [{key: a}]}",
                "{tolerations: [{key: b}]}",
                r#"{"tolerations":[{"key":"b"}]}"#,
            ),
            (
                "the patch orders items",
                "{containers: [{name: a}, {name: b}]}",
                "{containers: [{name: c}, {name: b, image: i}]}",
                r#"{"containers":[{"name":"c"},{"image":"i","name":"b"},{"name":"a"}]}"#,
            ),
            (
                "an empty list changes nothing",
                "{containers: [{name: a}]}",
                "{containers: []}",
                r#"{"containers":[{"name":"a"}]}"#,
            ),
            (
                "an item is deleted",
                "{containers: [{name: a}, {name: b}]}",
                "{containers: [{name: a, $patch: delete}]}",
                r#"{"containers":[{"name":"b"}]}"#,
            ),
            (
                "an item is not replaced",
                "{containers: [{name: a, image: i}]}",
                "{containers: [{name: a, $patch: replace}]}",
                r#"{"containers":[{"image":"i","name":"a"}]}"#,
            ),
            (
                "a list is replaced",
                "{containers: [{name: a}]}",
                "{containers: [{name: b}, {$patch: replace}]}",
                r#"{"containers":[{"name":"b"}]}"#,
            ),
            (
                "a mapping is replaced",
                "{m: {a: 1}}",
                "{m: {b: 1, $patch: replace}}",
                r#"{"m":{"b":1}}"#,
            ),
            (
                "a mapping is deleted",
                "{m: {a: 1}}",
                "{m: {$patch: delete}}",
                "{}",
            ),
            (
                "an item without a key takes all with it",
                "{containers: [{name: a, image: i}, {name: b}]}",
                "{containers: [{image: q}, {name: a, image: z}]}",
                r#"{"containers":[{"image":"z","name":"a"}]}"#,
            ),
        ];
        for (what, target, patch, wanted) in cases {
            assert_eq!(merged(target, patch).as_deref(), Some(wanted), "{what}");
        }
        let there =
            ports("[{containerPort: 80, protocol: TCP}, {containerPort: 80, protocol: UDP}]");
        let patch = ports("[{containerPort: 80, protocol: UDP, name: u}, {containerPort: 81}]");
        assert_eq!(
            merged(&there, &patch).as_deref(),
            Some(
                r#"{"containers":[{"name":"a","ports":[{"containerPort":81},{"containerPort":80,"protocol":"TCP"},{"containerPort":80,"name":"u","protocol":"UDP"}]}]}"#
            )
        );
    }

    #[test]
    fn refuses_sorts_that_clash_and_unknown_directives() {
        assert_eq!(merged("{m: {a: 1}}", "{m: x}"), None);
        assert_eq!(merged("{m: [1]}", "{m: {a: 1}}"), None);
        assert_eq!(merged("{m: {a: 1}}", "{m: {$patch: bogus}}"), None);
    }
}
