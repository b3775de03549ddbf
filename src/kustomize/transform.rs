//! Runs the transformers and validators of a kustomization, in the fixed order of the reference.

use super::accumulate::{Accumulated, Build, Target};
use super::fieldspecs::FieldSpecs;
use super::plugins;
use super::transformers::affix::{self, Side};
use super::transformers::namespace::{Namespace, Subjects};
use super::transformers::{annotations, images, labels, replicas};
use super::{Feature, metadata, origin};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::{BuildOrigin, ResMap};

/// The label that a validator may set; it is taken away.
const VALIDATED_BY: &str = "validated-by";

impl Target<'_> {
    /// Changes everything that was accumulated so far.
    pub(super) fn run_transformers(&self, to: &mut Accumulated, build: &mut Build) -> Result<()> {
        let fields = to.fields().into_owned();
        let resources = &mut to.resources;
        self.run_patches_strategic_merge(resources, build)?;
        self.run_patches(resources, build)?;
        self.run_namespace_and_names(resources, &fields)?;
        self.run_labels(resources, &fields)?;
        self.run_patches_json6902(resources)?;
        self.run_counts_and_images(resources, &fields)?;
        self.run_replacements(resources)?;
        let plugins = self.plugin_configurations(&self.kustomization.transformers, build)?;
        for configuration in plugins.iter() {
            let note = self
                .origin
                .as_ref()
                .and_then(|_| origin::of_plugin(configuration));
            self.step_noted(resources, note.as_ref(), |resources| {
                plugins::transform(configuration, self, resources, build)
            })?;
        }
        Ok(())
    }

    /// Runs one transformer, and notes it when the build was asked to tell.
    pub(super) fn step(
        &self,
        resources: &mut ResMap,
        kind: &str,
        run: impl FnOnce(&mut ResMap) -> Result<()>,
    ) -> Result<()> {
        self.step_noted(resources, self.builtin_origin(kind).as_ref(), run)
    }

    fn step_noted(
        &self,
        resources: &mut ResMap,
        note: Option<&BuildOrigin>,
        run: impl FnOnce(&mut ResMap) -> Result<()>,
    ) -> Result<()> {
        run(resources)?;
        if let Some(note) = note {
            origin::note_transformation(resources, note);
        }
        Ok(())
    }

    fn run_namespace_and_names(&self, resources: &mut ResMap, fields: &FieldSpecs) -> Result<()> {
        let kustomization = &self.kustomization;
        resources.drop_empties();
        if !kustomization.namespace.is_empty() {
            let namespace = Namespace {
                name: &kustomization.namespace,
                fields: &fields.namespace,
                unset_only: false,
                subjects: Subjects::NamedDefault,
                moves_charts: !self.has(Feature::HelmNamespace),
            };
            self.step(resources, "NamespaceTransformer", |r| namespace.apply(r))?;
        }
        for (text, side, rows, kind) in [
            (
                &kustomization.name_prefix,
                Side::Before,
                &fields.name_prefix,
                "PrefixTransformer",
            ),
            (
                &kustomization.name_suffix,
                Side::After,
                &fields.name_suffix,
                "SuffixTransformer",
            ),
        ] {
            if !text.is_empty() {
                self.step(resources, kind, |r| affix::apply(r, text, side, rows))?;
            }
        }
        Ok(())
    }

    fn run_labels(&self, resources: &mut ResMap, fields: &FieldSpecs) -> Result<()> {
        let kustomization = &self.kustomization;
        for label in &kustomization.labels {
            let rows = labels::rows_of(label, fields).map_err(|error| {
                error.or_at(self.source.place(label.mark.line, label.mark.column))
            })?;
            self.step(resources, "LabelTransformer", |r| {
                labels::apply(r, &label.pairs, &rows)
            })?;
        }
        let common = kustomization.common_labels.clone().unwrap_or_default();
        if !kustomization.labels.is_empty() || !common.is_empty() {
            self.step(resources, "LabelTransformer", |r| {
                labels::apply(r, &common, &fields.common_labels)
            })?;
        }
        if !kustomization.common_annotations.is_empty() {
            self.step(resources, "AnnotationsTransformer", |r| {
                annotations::apply(
                    r,
                    &kustomization.common_annotations,
                    &fields.common_annotations,
                )
            })?;
        }
        Ok(())
    }

    fn run_counts_and_images(&self, resources: &mut ResMap, fields: &FieldSpecs) -> Result<()> {
        let kustomization = &self.kustomization;
        if self.origin.is_none() {
            replicas::apply(
                resources,
                &kustomization.replicas,
                &fields.replicas,
                &self.source,
            )?;
            return images::apply(
                resources,
                &kustomization.images,
                &fields.images,
                &self.source,
            );
        }
        // Each entry is noted by itself.
        for replica in &kustomization.replicas {
            let one = std::slice::from_ref(replica);
            self.step(resources, "ReplicaCountTransformer", |r| {
                replicas::apply(r, one, &fields.replicas, &self.source)
            })?;
        }
        for image in &kustomization.images {
            let one = std::slice::from_ref(image);
            self.step(resources, "ImageTagTransformer", |r| {
                images::apply(r, one, &fields.images, &self.source)
            })?;
        }
        Ok(())
    }

    /// Runs validators on a copy each: they may refuse, and may not change anything.
    pub(super) fn run_validators(&self, to: &mut Accumulated, build: &mut Build) -> Result<()> {
        let validators = self.plugin_configurations(&self.kustomization.validators, build)?;
        for configuration in validators.iter() {
            let mut copy = to.resources.clone();
            plugins::transform(configuration, self, &mut copy, build)?;
            for resource in copy.iter_mut() {
                let mut pairs = metadata::map_of(resource.node(), "labels");
                if pairs.remove(VALIDATED_BY).is_some() {
                    resource.change(|node| metadata::replace_map(node, "labels", &pairs));
                }
            }
            let is_same = copy.len() == to.resources.len()
                && copy
                    .iter()
                    .zip(&to.resources)
                    .all(|(a, b)| a.node() == b.node());
            if !is_same {
                let phrase = format!("the validator {} changes objects", configuration.id());
                return Err(Diagnostic::new(Code::ValidatorFailed, phrase)
                    .at(configuration.place())
                    .help("list it in transformers if it is meant to"));
            }
        }
        Ok(())
    }
}
