//! Patches and replacements: the texts that a kustomization or a plugin's configuration names, read and
//! applied.

use std::borrow::Cow;
use std::sync::Arc;

use super::accumulate::{Build, Target};
use super::decode::record;
use super::documents::{self, text_of};
use super::kustomization::{Patch as Entry, ReplacementField, SelectorFields, Text};
use super::names::Names;
use super::patches::json::Operations;
use super::patches::{self, Application};
use super::plugins;
use super::selector::Selector;
use super::transformers::replacements::{self, Replacement};
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::files::File;
use crate::kube::{ResMap, Resource};
use crate::yaml::{DuplicateKeys, Node};

record! {
    /// The fields of a `PatchStrategicMergeTransformer`.
    pub(crate) struct StrategicFields {
        /// Files or texts.
        paths: Vec<Text> = "paths",
        /// A text.
        patches: Text = "patches",
    }
}

record! {
    /// The fields of a `PatchJson6902Transformer`.
    pub(crate) struct JsonFields {
        /// What it is applied to.
        target: Option<SelectorFields> = "target",
        /// The file.
        path: Text = "path",
        /// The text.
        json_op: Text = "jsonOp",
    }
}

record! {
    /// The fields of a `ReplacementTransformer`.
    pub(crate) struct ReplacementFields {
        /// The replacements.
        replacements: Vec<ReplacementField> = "replacements",
    }
}

/// A text, where it stands, and from which line.
struct PatchText<'t> {
    text: Cow<'t, str>,
    source: Arc<Source>,
    first_line: u32,
}

impl PatchText<'_> {
    fn as_text(&self) -> patches::Text<'_> {
        patches::Text {
            text: &self.text,
            source: &self.source,
            first_line: self.first_line,
        }
    }
}

impl Target<'_> {
    /// `patchesStrategicMerge`.
    pub(super) fn run_patches_strategic_merge(
        &self,
        resources: &mut ResMap,
        build: &Build,
    ) -> Result<()> {
        let entries = self.kustomization.patches_strategic_merge.as_deref();
        let Some(entries) = entries.filter(|entries| !entries.is_empty()) else {
            return Ok(());
        };
        let mut patches = self.strategic_patches(entries, &self.source)?;
        build.schema.tell_scopes(&mut patches);
        let place = self.place(&entries[0]);
        need_patches(&patches, &place)?;
        self.step(resources, "PatchStrategicMergeTransformer", |resources| {
            patches::run_strategic(resources, &patches, build.merge_keys())
        })
    }

    /// Reads strategic merge patches: each entry is a text, or else a file.
    fn strategic_patches(&self, entries: &[Text], source: &Arc<Source>) -> Result<Vec<Resource>> {
        let mut patches = Vec::new();
        for entry in entries {
            let is_text = entry.contains('\n');
            let first_line = entry.mark.line + u32::from(is_text);
            match documents::read_text(entry, source, first_line) {
                Ok(read) => patches.extend(read),
                Err(error) if is_text => return Err(error),
                Err(_) => {
                    let at = source.place(entry.mark.line, entry.mark.column);
                    let file = self.loader.read(entry);
                    let file = file.map_err(|error| error.or_at(at.clone()))?;
                    patches.extend(documents::read(&file).map_err(|error| error.via(at))?);
                }
            }
        }
        Ok(patches)
    }

    /// `patches`.
    pub(super) fn run_patches(&self, resources: &mut ResMap, build: &Build) -> Result<()> {
        let mut names = Names::default();
        for entry in &self.kustomization.patches {
            self.step(resources, "PatchTransformer", |resources| {
                self.run_patch(entry, &self.source, resources, build, &mut names)
            })?;
        }
        Ok(())
    }

    fn run_patch(
        &self,
        entry: &Entry,
        source: &Arc<Source>,
        resources: &mut ResMap,
        build: &Build,
        names: &mut Names,
    ) -> Result<()> {
        let place = source.place(entry.mark.line, entry.mark.column);
        let text = entry.patch.trim();
        let file;
        let text = match (text.is_empty(), entry.path.is_empty()) {
            (true, true) => return Err(invalid("a patch needs a path or a text", &place)),
            (false, false) => {
                return Err(invalid("a patch has both a path and a text", &place));
            }
            (false, true) => patches::Text::inline(&entry.patch, entry.patch.mark, source),
            (true, false) => {
                file = self.read_from(&entry.path, source)?;
                patches::Text {
                    text: text_of(&file)?,
                    source: &file.source,
                    first_line: 1,
                }
            }
        };
        let from_file = !entry.path.is_empty();
        let on_the_way = |error: Diagnostic| match from_file && error.place() != Some(&place) {
            true => error.via(place.clone()),
            false => error,
        };
        let mut patch =
            patches::read(&text, documents::read_text, self.level()).map_err(on_the_way)?;
        if let patches::Patch::Strategic(patches) = &mut patch {
            build.schema.tell_scopes(patches);
            build.note_merge();
        }
        let application = Application::new(entry, source, build.schema.merge_keys(), self.level())?;
        application.run(resources, &patch, names)
    }

    fn read_from(&self, path: &Text, source: &Source) -> Result<Arc<File>> {
        let at = source.place(path.mark.line, path.mark.column);
        self.loader.read(path).map_err(|error| error.or_at(at))
    }

    /// `patchesJson6902`.
    pub(super) fn run_patches_json6902(&self, resources: &mut ResMap) -> Result<()> {
        let mut names = Names::default();
        for entry in self.kustomization.patches_json6902.iter().flatten() {
            self.step(resources, "PatchJson6902Transformer", |resources| {
                self.run_json(
                    entry.target.as_ref(),
                    &entry.path,
                    &entry.patch,
                    &self.source,
                    resources,
                    &mut names,
                )
            })?;
        }
        Ok(())
    }

    fn run_json(
        &self,
        target: Option<&SelectorFields>,
        path: &Text,
        text: &Text,
        source: &Arc<Source>,
        resources: &mut ResMap,
        names: &mut Names,
    ) -> Result<()> {
        let mark = if path.is_empty() {
            text.mark
        } else {
            path.mark
        };
        let place = source.place(mark.line, mark.column);
        let named = target.filter(|target| !target.name.is_empty());
        let Some(target) = named else {
            return Err(invalid("a JSON patch needs a target with a name", &place));
        };
        let found = match (path.is_empty(), text.is_empty()) {
            (true, true) => return Err(invalid("a patch needs a path or a text", &place)),
            (false, false) => return Err(invalid("a patch has both a path and a text", &place)),
            (true, false) => PatchText {
                text: Cow::Borrowed(text),
                source: Arc::clone(source),
                first_line: text.mark.line + u32::from(text.contains('\n')),
            },
            (false, true) => {
                let file = self.read_from(path, source)?;
                PatchText {
                    text: Cow::Owned(text_of(&file)?.to_owned()),
                    source: Arc::clone(&file.source),
                    first_line: 1,
                }
            }
        };
        let operations = Operations::read(&found.as_text())?;
        if operations.is_empty() {
            return Err(invalid("the patch has no operation", &place));
        }
        let selector = Selector::new(target, source)?;
        patches::run_json(resources, &operations, &selector, names, false)
    }

    /// `replacements`.
    pub(super) fn run_replacements(&self, resources: &mut ResMap) -> Result<()> {
        let entries = &self.kustomization.replacements;
        if entries.is_empty() {
            return Ok(());
        }
        let all = self.replacements(entries, &self.source)?;
        self.step(resources, "ReplacementTransformer", |resources| {
            replacements::apply(resources, &all, self.level())
        })
    }

    fn replacements(
        &self,
        entries: &[ReplacementField],
        source: &Arc<Source>,
    ) -> Result<Vec<Replacement>> {
        let mut all = Vec::new();
        for entry in entries {
            if entry.path.is_empty() {
                all.push(Replacement::inline(entry.clone(), Arc::clone(source)));
                continue;
            }
            replacements::check_file_entry(entry, source)?;
            let file = self.read_from(&entry.path, source)?;
            let node = super::read::document(&file, DuplicateKeys::LastWins)?;
            let node = node.unwrap_or_else(Node::null);
            all.extend(Replacement::read(&node, &file.source)?);
        }
        Ok(all)
    }

    /// A `PatchTransformer`.
    pub(super) fn run_patch_plugin(
        &self,
        configuration: &Resource,
        resources: &mut ResMap,
        build: &Build,
    ) -> Result<()> {
        let entry: Entry = plugins::read(configuration)?;
        self.run_patch(
            &entry,
            &plugins::source_of(configuration),
            resources,
            build,
            &mut Names::default(),
        )
    }

    /// A `PatchStrategicMergeTransformer`.
    pub(super) fn run_patch_strategic_merge_plugin(
        &self,
        configuration: &Resource,
        resources: &mut ResMap,
        build: &Build,
    ) -> Result<()> {
        let fields: StrategicFields = plugins::read(configuration)?;
        let source = plugins::source_of(configuration);
        let mut patches = self.strategic_patches(&fields.paths, &source)?;
        if !fields.patches.is_empty() {
            let text = patches::Text::inline(&fields.patches, fields.patches.mark, &source);
            patches.extend(documents::read_text(text.text, &source, text.first_line)?);
        }
        build.schema.tell_scopes(&mut patches);
        need_patches(
            &patches,
            &source.place(fields.mark.line, fields.mark.column),
        )?;
        patches::run_strategic(resources, &patches, build.merge_keys())
    }

    /// A `PatchJson6902Transformer`.
    pub(super) fn run_patch_json6902_plugin(
        &self,
        configuration: &Resource,
        resources: &mut ResMap,
    ) -> Result<()> {
        let fields: JsonFields = plugins::read(configuration)?;
        let source = plugins::source_of(configuration);
        self.run_json(
            fields.target.as_ref(),
            &fields.path,
            &fields.json_op,
            &source,
            resources,
            &mut Names::default(),
        )
    }

    /// A `ReplacementTransformer`.
    pub(super) fn run_replacement_plugin(
        &self,
        configuration: &Resource,
        resources: &mut ResMap,
    ) -> Result<()> {
        let fields: ReplacementFields = plugins::read(configuration)?;
        let all = self.replacements(&fields.replacements, &plugins::source_of(configuration))?;
        replacements::apply(resources, &all, self.level())
    }
}

fn need_patches(patches: &[Resource], place: &Place) -> Result<()> {
    if patches.is_empty() {
        return Err(invalid("the patches are empty", place));
    }
    Ok(())
}

fn invalid(phrase: &str, place: &Place) -> Diagnostic {
    Diagnostic::new(Code::PatchInvalid, phrase).at(place.clone())
}
