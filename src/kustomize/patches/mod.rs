//! Patches: strategic merges and JSON patches, and how a text is told to be one or the other.
//!
//! Start with [`read`], then [`Patch::apply`].

pub(crate) mod comments;
mod irregular;
pub(crate) mod json;
mod lists;
mod strategic;
pub(super) mod through_json;

use std::sync::Arc;

use compact_str::CompactString;

use super::fault::Fault;
use super::kustomization::Patch as Entry;
use super::names::Names;
use super::scalar;
use super::selector::Selector;
use super::{Feature, Level};
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::kube::merge_keys::Schema;
use crate::kube::{Gvk, ResId, ResMap, Resource};
use crate::yaml::{Mapping, Mark, Node, Style, Tag, Value};

/// A text with patches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    /// The text.
    pub(crate) text: &'a str,
    /// The file it stands in.
    pub(crate) source: &'a Arc<Source>,
    /// The line of the file on which it starts.
    pub(crate) first_line: u32,
}

impl<'a> Text<'a> {
    /// A text that stands in a field of a kustomization; white space around it does not count.
    pub(crate) fn inline(text: &'a str, mark: Mark, source: &'a Arc<Source>) -> Self {
        let start = text.len() - text.trim_start().len();
        let before = text[..start].matches('\n').count();
        // A text of several lines starts below the `|` that its place is.
        let indicator = usize::from(text.contains('\n'));
        let skipped = u32::try_from(before + indicator).unwrap_or(0);
        Self {
            text: text.trim(),
            source,
            first_line: mark.line + skipped,
        }
    }
}

/// Reads the objects of a text that starts at a line of a file.
pub(crate) type ReadObjects = fn(&str, &Arc<Source>, u32) -> Result<Vec<Resource>>;

/// What a text of `patches:` holds.
#[derive(Debug)]
pub(crate) enum Patch {
    /// Strategic merge patches, each with the name of its target.
    Strategic(Vec<Resource>),
    /// A JSON patch.
    Json(json::Operations),
    /// No document at all.
    Nothing,
}

/// What `options` of an entry of `patches:` may hold.
pub(crate) const PATCH_OPTIONS: [&str; 2] = ["allowNameChange", "allowKindChange"];

/// Tells what a text holds.
///
/// Fails with [`Code::PatchInvalid`] when it is neither, or as its reader does.
pub(crate) fn read(text: &Text<'_>, objects: ReadObjects, level: Level) -> Result<Patch> {
    let strategic = objects(text.text, text.source, text.first_line);
    let json = json::Operations::read(text);
    match (strategic, json) {
        (Ok(objects), Ok(json)) if !objects.is_empty() && !json.is_empty() => {
            let phrase = "this is a strategic merge patch and a JSON patch at once";
            Err(Diagnostic::new(Code::PatchInvalid, phrase).at(json.place()))
        }
        (Ok(objects), _) if objects.is_empty() && level.has(Feature::EmptyPatches) => {
            Ok(Patch::Nothing)
        }
        (Ok(objects), Ok(json)) if objects.is_empty() => Ok(Patch::Json(json)),
        (Ok(objects), _) if !objects.is_empty() => Ok(Patch::Strategic(objects)),
        (_, Ok(json)) => Ok(Patch::Json(json)),
        (Ok(_), Err(error)) => Err(error),
        (Err(strategic), Err(json)) => Err(unreadable(text, strategic, json)),
    }
}

/// A list was meant as a JSON patch, everything else as a strategic merge patch.
fn unreadable(text: &Text<'_>, strategic: Diagnostic, json: Diagnostic) -> Diagnostic {
    let is_list = text.text.lines().find(|line| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#') && !line.starts_with("---")
    });
    match is_list.map(str::trim_start) {
        Some(line) if line.starts_with(['-', '[']) => json,
        _ => strategic,
    }
    .note("it can be read neither as a strategic merge patch nor as a JSON patch")
}

/// What an entry of `patches:` says beside its text.
pub(crate) struct Application<'a> {
    /// What it is applied to; the object of its own name when there is none.
    pub(crate) target: Option<Selector>,
    /// Whether a strategic merge may change the name.
    pub(crate) may_rename: bool,
    /// Whether a strategic merge may change the kind.
    pub(crate) may_change_kind: bool,
    /// The place of the entry.
    pub(crate) place: Place,
    /// The merge keys of this build.
    pub(crate) schema: Schema<'a>,
}

impl<'a> Application<'a> {
    /// Takes it from an entry of `patches:`. Fails with [`Code::SelectorInvalid`].
    pub(crate) fn new(
        entry: &Entry,
        source: &Source,
        schema: Schema<'a>,
        level: Level,
    ) -> Result<Self> {
        let target = entry.target.as_ref().map(|t| Selector::new(t, source));
        let in_any_case = level.has(Feature::PatchArguments);
        let is_name = |given: &str, name: &str| {
            given == name || (in_any_case && given.eq_ignore_ascii_case(name))
        };
        let is_on = |name: &str| {
            entry
                .options
                .iter()
                .any(|(given, on)| *on && is_name(given, name))
        };
        Ok(Self {
            target: target.transpose()?,
            may_rename: is_on(PATCH_OPTIONS[0]),
            may_change_kind: is_on(PATCH_OPTIONS[1]),
            place: source.place(entry.mark.line, entry.mark.column),
            schema,
        })
    }

    /// Applies a patch to every object that it is meant for.
    ///
    /// Objects that it deletes stay as empty ones, to be dropped. Fails with [`Code::PatchTargetMissing`]
    /// when a patch without a target finds no object of its name, [`Code::PatchInvalid`] when a target is
    /// missing or one too many, and [`Code::PatchFailed`].
    pub(crate) fn run(
        &self,
        resources: &mut ResMap,
        patch: &Patch,
        names: &mut Names,
    ) -> Result<()> {
        match (patch, &self.target) {
            (Patch::Strategic(patches), None) => patches
                .iter()
                .try_for_each(|patch| self.merge_by_name(resources, patch, names)),
            (Patch::Strategic(patches), Some(target)) => match &patches[..] {
                [patch] => self.merge_into_selected(resources, patch, target, names),
                _ => Err(self
                    .wrong("an entry with a target can hold one strategic merge patch only")
                    .help("give each patch an entry of its own, or leave the target out")),
            },
            (Patch::Json(operations), Some(target)) => {
                run_json(resources, operations, target, names, true)
            }
            (Patch::Nothing, _) => Ok(()),
            (Patch::Json(_), None) => Err(self
                .wrong("a JSON patch needs a target")
                .help("add target: with the kind and name of the object")),
        }
    }

    fn wrong(&self, phrase: &str) -> Diagnostic {
        Diagnostic::new(Code::PatchInvalid, phrase).at(self.place.clone())
    }

    fn merge_by_name(
        &self,
        resources: &mut ResMap,
        patch: &Resource,
        names: &mut Names,
    ) -> Result<()> {
        let at = find(resources, patch).map_err(|error| error.via(self.place.clone()))?;
        let mut node = patch.node().clone();
        if self.may_rename || self.may_change_kind {
            stringify(&mut node, "annotations");
        }
        resources.update(at, |object| {
            self.merge(object, node, patch)?;
            names.note(at, object);
            Ok(())
        })
    }

    fn merge_into_selected(
        &self,
        resources: &mut ResMap,
        patch: &Resource,
        target: &Selector,
        names: &mut Names,
    ) -> Result<()> {
        for at in selected(resources, target, names)? {
            let node = addressed(patch, resources.get(at).map(Resource::gvk));
            resources.update(at, |object| {
                self.merge(object, node, patch)?;
                names.note(at, object);
                Ok(())
            })?;
            if self.may_rename || self.may_change_kind {
                check_unique(resources, at)?;
            }
        }
        Ok(())
    }

    /// Merges into an object; name, kind and namespace stay unless they may change.
    fn merge(&self, object: &mut Resource, node: Node, patch: &Resource) -> Result<()> {
        if self.may_rename || self.may_change_kind {
            object.remember_id();
        }
        object.history_mut().may_reread |= patch.history().may_reread;
        let kept = Kept::of(object);
        if takes_annotations(&node) {
            object.history_mut().forget_notes();
        }
        let merged = object.change(|target| {
            let is_left = strategic::merge(target, node, self.schema)?;
            if is_left {
                kept.restore(target, self);
            } else {
                *target = Node::null();
            }
            Ok(())
        });
        merged.map_err(|fault: Fault| {
            fault
                .of(patch)
                .note(format!("the patch is applied to {}", object.id()))
        })
    }
}

/// Applies the patches of `patchesStrategicMerge:` to the objects of their names.
pub(crate) fn run_strategic(
    resources: &mut ResMap,
    patches: &[Resource],
    schema: Schema<'_>,
) -> Result<()> {
    for patch in patches {
        let at = find(resources, patch)?;
        let application = Application {
            target: None,
            may_rename: false,
            may_change_kind: false,
            place: patch.place().unwrap_or_else(|| Place::file("")),
            schema,
        };
        let node = addressed(patch, resources.get(at).map(Resource::gvk));
        resources.update(at, |object| application.merge(object, node, patch))?;
    }
    Ok(())
}

/// Applies a JSON patch to every object that is selected.
///
/// `remembers_id` says whether the objects keep the name they had, which those of `patches:` do.
pub(crate) fn run_json(
    resources: &mut ResMap,
    operations: &json::Operations,
    target: &Selector,
    names: &mut Names,
    remembers_id: bool,
) -> Result<()> {
    for at in selected(resources, target, names)? {
        resources.update(at, |object| -> Result<()> {
            if remembers_id {
                object.remember_id();
            }
            let id = object.id();
            let is_annotated = object.history().is_annotated();
            object
                .change(|node| {
                    if is_annotated {
                        // The reference keeps its notes there, so that they can be added to.
                        need_annotations(node);
                    }
                    operations.apply(node)?;
                    settle_annotations(node);
                    Ok(())
                })
                .map_err(|error: Diagnostic| error.note(format!("the patch is applied to {id}")))?;
            names.note(at, object);
            Ok(())
        })?;
    }
    Ok(())
}

/// Whether a strategic merge takes away all annotations of an object. The reference keeps its notes of the object
/// there: which names it had, whether a hash is appended (case `merge-that-takes-all-annotations-takes-the-hash`).
fn takes_annotations(patch: &Node) -> bool {
    let is_taken = |node: &Node| {
        let directive = node.get(strategic::DIRECTIVE).and_then(Node::scalar_text);
        node.is_null() || matches!(directive, Some("delete" | "replace"))
    };
    let metadata = patch.get("metadata");
    metadata.is_some_and(|m| is_taken(m) || m.get("annotations").is_some_and(is_taken))
}

/// The objects that a target selects, but for those that a patch has emptied.
fn selected(resources: &ResMap, target: &Selector, names: &mut Names) -> Result<Vec<usize>> {
    let mut positions = Vec::new();
    for at in target.candidates(resources, names) {
        let object = resources.get(at).filter(|object| !object.is_empty());
        if let Some(object) = object
            && target.selects(object)?
        {
            positions.push(at);
        }
    }
    Ok(positions)
}

/// Finds the one object that has, or had, the identity of a patch.
fn find(resources: &mut ResMap, patch: &Resource) -> Result<usize> {
    let id = patch.id();
    let positions = resources.positions_of_any(&id);
    let (code, phrase) = match positions[..] {
        [at] => return Ok(at),
        [] => (
            Code::PatchTargetMissing,
            format!(
                "patch selects no resource: there is no {}",
                shown(resources, &id)
            ),
        ),
        _ => (
            Code::PatchTargetMissing,
            format!("patch selects more than one resource: {id} is not unique"),
        ),
    };
    let error = Diagnostic::new(code, phrase).at(patch.place());
    Err(match candidates(resources, &id.gvk, &id.name) {
        Some(help) if positions.is_empty() => error.help(help),
        _ => error,
    })
}

/// An identity, with its API version where that is all that differs from an object that is there.
fn shown(resources: &ResMap, id: &ResId) -> String {
    let is_near = |r: &Resource| {
        let near = r.original_id();
        near.gvk.kind == id.gvk.kind && near.name == id.name && near.gvk != id.gvk
    };
    if resources.iter().any(is_near) {
        format!("{} {id}", id.gvk.api_version())
    } else {
        id.to_string()
    }
}

/// How many objects a message names at most.
const MAX_NAMED: usize = 8;

fn candidates(resources: &ResMap, gvk: &Gvk, name: &str) -> Option<String> {
    let same_kind = resources
        .iter()
        .filter(|r| !r.is_empty() && r.kind() == gvk.kind);
    let same_name = resources
        .iter()
        .filter(|r| !r.is_empty() && r.original_name() == name);
    let describe = |r: &Resource| format!("{} {}", r.gvk().api_version(), r.original_id());
    let mut named: Vec<String> = same_name.chain(same_kind).map(describe).collect();
    named.dedup();
    if named.is_empty() {
        return None;
    }
    let more = named.len().saturating_sub(MAX_NAMED);
    named.truncate(MAX_NAMED);
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Some(format!("this build has {}{rest}", named.join(", ")))
}

fn check_unique(resources: &mut ResMap, at: usize) -> Result<()> {
    let Some(id) = resources
        .get(at)
        .filter(|r| !r.is_empty())
        .map(Resource::id)
    else {
        return Ok(());
    };
    if resources.positions_of(&id).len() < 2 {
        return Ok(());
    }
    let phrase = format!("the patch gives two objects the identity {id}");
    Err(Diagnostic::new(Code::ResourceDuplicate, phrase)
        .at(resources.get(at).and_then(Resource::place)))
}

/// The document of a patch as the reference prepares it for a target: of the target's version, and labels
/// and annotations as texts, so that a null in them does not delete.
fn addressed(patch: &Resource, target: Option<&Gvk>) -> Node {
    let mut node = patch.node().clone();
    stringify(&mut node, "labels");
    stringify(&mut node, "annotations");
    if let (Some(mapping), Some(gvk)) = (node.as_mapping_mut(), target) {
        scalar::insert_untagged(mapping, "apiVersion", &gvk.api_version());
    }
    node
}

/// Makes texts of all values of `metadata.labels` or `metadata.annotations`; an empty mapping goes.
fn stringify(node: &mut Node, field: &str) {
    let Some(metadata) = node.get_mut("metadata").and_then(Node::as_mapping_mut) else {
        return;
    };
    let Some(map) = metadata.get_mut(field) else {
        return;
    };
    let Some(entries) = map.as_mapping_mut().filter(|m| !m.is_empty()) else {
        metadata.remove(field);
        return;
    };
    for entry in entries.entries_mut() {
        entry.key = scalar::untagged(entry.key.scalar_text().unwrap_or_default());
        let text: CompactString = entry.value.scalar_text().unwrap_or_default().into();
        entry.value = Node::scalar(Tag::Str, text)
            .with_style(Style::DoubleQuoted)
            .with_mark(entry.value.mark());
    }
}

/// Makes `metadata.annotations` where an object has none.
fn need_annotations(node: &mut Node) {
    let Some(metadata) = node.get_mut("metadata").and_then(Node::as_mapping_mut) else {
        return;
    };
    let annotations = metadata.get_or_insert_with("annotations", Node::mapping);
    if annotations.is_null() {
        *annotations = Node::mapping();
    }
}

/// After a JSON patch annotations are texts, and an object always has metadata.
fn settle_annotations(node: &mut Node) {
    let Some(object) = node.as_mapping_mut() else {
        return;
    };
    object.get_or_insert_with("metadata", Node::mapping);
    pair_annotations(node);
    stringify(node, "annotations");
}

/// Takes a list of annotations for keys and values in turn, as the reference does.
fn pair_annotations(node: &mut Node) {
    let annotations = node
        .get_mut("metadata")
        .and_then(|m| m.get_mut("annotations"));
    let Some(annotations) = annotations else {
        return;
    };
    let Some(items) = annotations.as_sequence() else {
        return;
    };
    let mut pairs = Mapping::default();
    for pair in items.chunks_exact(2) {
        pairs.insert(pair[0].scalar_text().unwrap_or_default(), pair[1].clone());
    }
    *annotations = Node::new(Value::Mapping(pairs), Tag::Map);
}

/// What a strategic merge does not change.
struct Kept {
    name: CompactString,
    namespace: CompactString,
    kind: CompactString,
}

impl Kept {
    fn of(object: &Resource) -> Self {
        Self {
            name: object.name().into(),
            namespace: object.namespace().into(),
            kind: object.kind().into(),
        }
    }

    fn restore(&self, node: &mut Node, application: &Application<'_>) {
        let Some(object) = node.as_mapping_mut() else {
            return;
        };
        if !application.may_change_kind {
            put(object, "kind", &self.kind);
        }
        let metadata = object.get_or_insert_with("metadata", Node::mapping);
        let Some(metadata) = metadata.as_mapping_mut() else {
            return;
        };
        if !application.may_rename {
            put(metadata, "name", &self.name);
        }
        if self.namespace.is_empty() {
            metadata.remove("namespace");
        } else {
            put(metadata, "namespace", &self.namespace);
        }
    }
}

/// Sets an entry, which loses its type unless it has the text already.
fn put(mapping: &mut Mapping, key: &str, text: &str) {
    scalar::insert_untagged(mapping, key, text);
}
