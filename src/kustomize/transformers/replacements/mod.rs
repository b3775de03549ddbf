//! `replacements`: values that are copied from field to field.
//!
//! A source is selected by exact texts and must be one object. Targets keep the type of a scalar they have,
//! and take its text from the source; what is no scalar, or is made, takes the whole value.

mod path;
mod select;
mod structured;

use std::sync::Arc;

use self::path::{Missing, split};
use self::select::{IdSelector, Target, TargetPath};
use crate::diagnostic::budget;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::kube::{ResMap, Resource};
use crate::kustomize::Level;
use crate::kustomize::decode::Decoder;
use crate::kustomize::fault::Fault;
use crate::kustomize::kustomization::{FieldOptions, ReplacementField, ReplacementSource};
use crate::kustomize::names::Names;
use crate::kustomize::scalar;
use crate::yaml::{self, Node, Value};

/// The field that is meant where none is named.
const DEFAULT_FIELD: &str = "metadata.name";

/// A replacement and the file it stands in.
#[derive(Debug, Clone)]
pub(crate) struct Replacement {
    fields: ReplacementField,
    source: Arc<Source>,
    is_from_file: bool,
}

impl Replacement {
    /// Takes an entry of `replacements:` that is not in a file of its own.
    pub(crate) fn inline(fields: ReplacementField, source: Arc<Source>) -> Self {
        Self {
            fields,
            source,
            is_from_file: false,
        }
    }

    /// Reads the one or many replacements of a file. Fails with [`Code::ReplacementInvalid`] when it holds
    /// neither.
    pub(crate) fn read(node: &Node, source: &Arc<Source>) -> Result<Vec<Self>> {
        let decoder = Decoder {
            source,
            strict: false,
        };
        let fields: Vec<ReplacementField> = match node.value() {
            Value::Sequence(_) => decoder.read(node)?,
            Value::Mapping(_) => vec![decoder.read(node)?],
            Value::Scalar(_) => {
                let phrase = "a file of replacements holds a list of them, or one";
                return Err(
                    Diagnostic::new(Code::ReplacementInvalid, phrase).at(decoder.place(node))
                );
            }
        };
        let replacement = |fields| Self {
            fields,
            source: Arc::clone(source),
            is_from_file: true,
        };
        Ok(fields.into_iter().map(replacement).collect())
    }

    fn place(&self) -> Place {
        let mark = self.fields.mark;
        self.source.place(mark.line, mark.column)
    }

    fn wrong(&self, phrase: &str) -> Diagnostic {
        Diagnostic::new(Code::ReplacementInvalid, phrase).at(self.place())
    }
}

/// Checks an entry of `replacements:` that names a file. Fails with [`Code::ReplacementInvalid`].
pub(crate) fn check_file_entry(entry: &ReplacementField, source: &Source) -> Result<()> {
    let has_targets = entry.targets.as_ref().is_some_and(|t| !t.is_empty());
    if entry.source.is_none() && !has_targets {
        return Ok(());
    }
    let phrase = "a replacement has both a path and fields of its own";
    let place = source.place(entry.mark.line, entry.mark.column);
    Err(Diagnostic::new(Code::ReplacementInvalid, phrase).at(place))
}

/// Applies replacements in order.
///
/// Fails with [`Code::ReplacementInvalid`] on one that is incomplete, [`Code::ReplacementMissing`] when a
/// source or field does not exist, and [`Code::SelectorInvalid`].
pub(crate) fn apply(
    resources: &mut ResMap,
    replacements: &[Replacement],
    level: Level,
) -> Result<()> {
    let mut names = Names::default();
    for replacement in replacements {
        let targets = replacement
            .fields
            .targets
            .as_deref()
            .filter(|t| replacement.is_from_file || !t.is_empty());
        let has_source =
            replacement.fields.source.is_some() || replacement.fields.source_value.is_some();
        let Some(targets) = targets.filter(|_| has_source) else {
            return Err(replacement.wrong("a replacement needs a source and at least one target"));
        };
        let mut value = Copied::find(replacement, resources, &mut names)?;
        for target in targets {
            let Some(target) = target.as_ref().filter(|t| t.select.is_some()) else {
                return Err(replacement.wrong("a target of a replacement needs select"));
            };
            let target = Target::new(target, &replacement.source, level)?;
            target.apply(&mut value, resources, &mut names)?;
        }
    }
    Ok(())
}

/// The value that is copied, and where it is read from.
struct Copied<'r> {
    node: Node,
    /// The object and the field, when it is the field as a whole: a target may change it on the way.
    live: Option<(usize, Vec<String>)>,
    may_reread: bool,
    replacement: &'r Replacement,
}

impl<'r> Copied<'r> {
    fn find(replacement: &'r Replacement, resources: &ResMap, names: &mut Names) -> Result<Self> {
        let fields = &replacement.fields;
        if fields.source.is_some() && fields.source_value.is_some() {
            return Err(replacement.wrong("a replacement has either source or sourceValue"));
        }
        let Some(source) = &fields.source else {
            let node = scalar::untagged(fields.source_value.clone().unwrap_or_default());
            return Ok(Self {
                node,
                live: None,
                may_reread: false,
                replacement,
            });
        };
        Self::read(source, replacement, resources, names)
    }

    fn read(
        source: &ReplacementSource,
        replacement: &'r Replacement,
        resources: &ResMap,
        names: &mut Names,
    ) -> Result<Self> {
        let place = replacement
            .source
            .place(source.mark.line, source.mark.column);
        let at = find_source(source, resources, names).map_err(|error| error.at(place.clone()))?;
        let object = resources.get(at).expect("the position was just found");
        let text = if source.field_path.is_empty() {
            DEFAULT_FIELD
        } else {
            &source.field_path
        };
        let parts = split(text);
        let missing = |error: Diagnostic| error.at(place.clone());
        let node = path::look_up(object.node(), &parts)
            .map_err(|fault| fault.at(place.clone()))?
            .filter(|node| !scalar::is_empty(node))
            .ok_or_else(|| missing(no_field(object, text, "is missing or empty", &parts)))?;
        let piece = source.options.as_ref().filter(|o| !o.delimiter.is_empty());
        let refined = match piece {
            Some(options) => {
                Some(piece_of(node, options).map_err(|fault| fault.at(place.clone()))?)
            }
            None => None,
        };
        let is_whole = refined.is_none();
        let mut node = refined.unwrap_or_else(|| node.clone());
        node.unlink();
        Ok(Self {
            live: is_whole.then_some((at, parts)),
            may_reread: object.history().may_reread,
            node,
            replacement,
        })
    }

    /// Reads the value again after an object was changed, when it is its own source.
    fn refresh(&mut self, at: usize, object: &Resource) {
        if let Some((from, parts)) = &self.live
            && *from == at
            && let Ok(Some(node)) = path::look_up(object.node(), parts)
        {
            self.node = node.clone();
            self.node.unlink();
        }
    }
}

fn find_source(source: &ReplacementSource, resources: &ResMap, names: &mut Names) -> Result<usize> {
    let id = IdSelector::of_source(source);
    let found: Vec<usize> = names
        .candidates(resources, &source.name)
        .filter(|&at| resources.get(at).is_some_and(|object| id.fits(object)))
        .collect();
    match found[..] {
        [at] => Ok(at),
        [] => {
            let phrase = format!("the source of a replacement selects nothing: there is no {id}");
            let error = Diagnostic::new(Code::ReplacementMissing, phrase);
            Err(match select::candidates(resources, &id) {
                Some(help) => error.help(help),
                None => error,
            })
        }
        _ => {
            let shown: Vec<String> = found
                .iter()
                .filter_map(|&at| resources.get(at))
                .map(|object| object.id().to_string())
                .collect();
            let phrase = format!(
                "the source of a replacement is not unique: {id} selects {}",
                shown.join(", ")
            );
            Err(Diagnostic::new(Code::ReplacementInvalid, phrase)
                .help("add group, version, kind, name or namespace until one object is left"))
        }
    }
}

fn no_field(object: &Resource, path: &str, what: &str, parts: &[String]) -> Diagnostic {
    let phrase = format!("field {path} of {} {what}", object.id());
    let error = Diagnostic::new(Code::ReplacementMissing, phrase);
    match path::nearest_part(object.node(), parts) {
        Some(help) => error.help(help),
        None => error,
    }
}

/// The piece of a scalar that the options of a source mean.
fn piece_of(node: &Node, options: &FieldOptions) -> Result<Node, Fault> {
    let Some(text) = node.scalar_text() else {
        return Err(no_delimiter(node));
    };
    let text = if scalar::is_null(node) { "" } else { text };
    let index = usize::try_from(options.index).ok();
    let Some(piece) = index.and_then(|index| text.split(&*options.delimiter).nth(index)) else {
        let pieces = text.split(&*options.delimiter).count();
        let phrase = format!(
            "options.index {} is out of bounds: the field has {pieces} pieces between {:?}",
            options.index, options.delimiter
        );
        return Err(Fault::new(Code::ReplacementMissing, node, phrase));
    };
    let mut refined = node.clone();
    scalar::set_text(&mut refined, piece);
    Ok(refined)
}

fn no_delimiter(node: &Node) -> Fault {
    let phrase = "options.delimiter is for fields with a single value";
    Fault::new(Code::ReplacementInvalid, node, phrase)
}

impl Target<'_> {
    fn apply(
        &self,
        value: &mut Copied<'_>,
        resources: &mut ResMap,
        names: &mut Names,
    ) -> Result<()> {
        let candidates: Vec<usize> = self.candidates(resources, names).collect();
        for at in candidates {
            let Some(object) = resources.get(at) else {
                continue;
            };
            if !self.selects(object)? {
                continue;
            }
            resources.update(at, |object| self.copy_into(object, at, value))?;
            let object = resources.get(at).expect("it was just changed");
            names.note(at, object);
            value.refresh(at, object);
        }
        Ok(())
    }

    fn copy_into(&self, object: &mut Resource, at: usize, value: &mut Copied<'_>) -> Result<()> {
        let made = self.makes().then(|| value.node.clone());
        let missing = || made.as_ref().map_or(Missing::Skip, Missing::Make);
        object.history_mut().may_reread |= value.may_reread;
        for field in &self.paths {
            let place = field.place.clone();
            budget::charge_copy(value.node.size()).map_err(|error| error.at(place.clone()))?;
            let set = |node: &mut Node| structured::set(node, &field.parts, &value.node, missing());
            if self.enters_strings && object.change(set) {
                value.refresh(at, object);
                continue;
            }
            if let Some(made) = made.as_ref().filter(|made| made.scalar_text().is_none()) {
                // What is made within the value that is copied is copied too.
                self.make(object, field, made);
                value.refresh(at, object);
            }
            let mut found = 0;
            let mut has_changed = false;
            let node = &value.node;
            let done = object.change(|target| {
                field.path.visit(target, missing(), &mut |field| {
                    found += 1;
                    has_changed |= field.link().is_some();
                    self.set(field, node)
                })?;
                if has_changed {
                    yaml::settle(target);
                }
                Ok(())
            });
            let note = || format!("the replacement is at {}", value.replacement.place());
            done.map_err(|fault: Fault| fault.at(place.clone()).note(note()))?;
            if found == 0 {
                let what = if made.is_some() {
                    "cannot be found or made"
                } else {
                    "does not exist"
                };
                let error = no_field(object, &field.text, what, &field.parts).at(place);
                let help = "set options.create to true to make it";
                return Err(if made.is_some() {
                    error
                } else {
                    error.help(help)
                });
            }
            value.refresh(at, object);
        }
        Ok(())
    }

    /// Makes a field without a value. That it cannot be made shows when the value is set.
    fn make(&self, object: &mut Resource, field: &TargetPath, made: &Node) {
        if !field.parts.iter().any(|part| part == "-") {
            let _ = object.change(|target| {
                field
                    .path
                    .visit(target, Missing::Make(made), &mut |_| Ok(()))
            });
        }
    }

    fn set(&self, field: &mut Node, value: &Node) -> Result<(), Fault> {
        let text = match self.options.filter(|o| !o.delimiter.is_empty()) {
            None => value.scalar_text().map(str::to_owned),
            Some(options) => {
                let old = field.scalar_text().ok_or_else(|| no_delimiter(field))?;
                let new = if scalar::is_null(value) {
                    ""
                } else {
                    value.scalar_text().unwrap_or_default()
                };
                Some(joined(old, new, options))
            }
        };
        if field.scalar_text().is_some() {
            // A list or mapping has no text: its target is emptied, as in the reference.
            scalar::set_text(field, text.unwrap_or_default());
        } else {
            *field = value.clone();
        }
        Ok(())
    }
}

/// Puts a text before, after or in the place of a piece of another.
fn joined(old: &str, new: &str, options: &FieldOptions) -> String {
    let mut pieces: Vec<&str> = old.split(&*options.delimiter).collect();
    match usize::try_from(options.index) {
        Err(_) => pieces.insert(0, new),
        Ok(index) if index >= pieces.len() => pieces.push(new),
        Ok(index) => pieces[index] = new,
    }
    pieces.join(&options.delimiter)
}
