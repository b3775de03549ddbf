//! Objects in `generators:`, `transformers:` and `validators:`: the built-in kinds, configured by an
//! object of their own, and what runs outside.

use std::sync::Arc;

use compact_str::CompactString;

use super::accumulate::{Build, Target};
use super::decode::{Decode, Decoder, record};
use super::fieldspec::FieldSpec;
use super::fieldspecs::rows;
use super::generators::{self, Kind, chart};
use super::kustomization::{
    FieldSpecFields, GeneratorArguments, HelmChart, HelmGlobals, Image, Metadata, Pairs, Replica,
};
use super::transformers::affix::{self, Side};
use super::transformers::namespace::{Namespace, NamespaceOptions, Subjects};
use super::transformers::{annotations, images, labels, replicas};
use super::{Feature, external, hash, policy, value_add};
use crate::diagnostic::{Code, Diagnostic, Result, Source, nearest};
use crate::kube::{ResMap, Resource};

const GENERATORS: [&str; 4] = [
    "ConfigMapGenerator",
    "HelmChartInflationGenerator",
    "IAMPolicyGenerator",
    "SecretGenerator",
];

const TRANSFORMERS: [&str; 14] = [
    "AnnotationsTransformer",
    "HashTransformer",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "SuffixTransformer",
    "ValueAddTransformer",
];

record! {
    /// What the configurations of the simple transformers may hold.
    pub(crate) struct Fields {
        /// Name and namespace.
        metadata: Metadata = "metadata",
        /// The fields to touch.
        field_specs: Option<Vec<FieldSpecFields>> = "fieldSpecs",
        /// Labels.
        labels: Pairs = "labels",
        /// Annotations.
        annotations: Pairs = "annotations",
        /// A prefix.
        prefix: CompactString = "prefix",
        /// A suffix.
        suffix: CompactString = "suffix",
        /// An image.
        image_tag: Image = "imageTag",
        /// A replica count.
        replica: Replica = "replica",
    }
}

fn is_built_in(configuration: &Resource) -> bool {
    let gvk = configuration.gvk();
    gvk.group.is_empty() && gvk.version == "builtin"
}

/// Reads the fields of a configuration; those it does not know are left out, as in the reference.
pub(super) fn read<T: Decode>(configuration: &Resource) -> Result<T> {
    Decoder {
        source: &source_of(configuration),
        strict: false,
    }
    .read(configuration.node())
}

/// The text of a configuration.
pub(super) fn source_of(configuration: &Resource) -> Arc<Source> {
    let none = || Arc::new(Source::committed("(generated)"));
    configuration.source().cloned().unwrap_or_else(none)
}

/// Makes what a generator makes.
pub(super) fn generate(configuration: &Resource, target: &Target<'_>) -> Result<Vec<Resource>> {
    if !is_built_in(configuration) {
        return external::generate(configuration, target);
    }
    let source = source_of(configuration);
    match configuration.kind() {
        "ConfigMapGenerator" => map(Kind::ConfigMap, configuration, target),
        "SecretGenerator" => map(Kind::Secret, configuration, target),
        "HelmChartInflationGenerator" => {
            let globals: HelmGlobals = read(configuration)?;
            let chart: HelmChart = read(configuration)?;
            chart::inflate(&chart, &globals, &target.loader, &source)
        }
        "IAMPolicyGenerator" => policy::generate(configuration),
        kind if TRANSFORMERS.contains(&kind) => {
            Err(misplaced(configuration, "a transformer", "transformers"))
        }
        _ => Err(unknown(configuration)),
    }
}

/// Makes a ConfigMap or Secret; name and namespace may stand in `metadata`.
fn map(kind: Kind, configuration: &Resource, target: &Target<'_>) -> Result<Vec<Resource>> {
    let fields: Fields = read(configuration)?;
    let mut arguments: GeneratorArguments = read(configuration)?;
    // Only a kustomization's own generators know the old name of `envs`.
    arguments.env = super::kustomization::Text::default();
    if arguments.name.is_empty() {
        arguments.name = fields.metadata.name;
    }
    if arguments.namespace.is_empty() {
        arguments.namespace = fields.metadata.namespace;
    }
    let source = source_of(configuration);
    Ok(vec![generators::generate(
        kind,
        &arguments,
        None,
        &target.loader,
        &source,
    )?])
}

/// Runs a transformer or validator.
pub(super) fn transform(
    configuration: &Resource,
    target: &Target<'_>,
    resources: &mut ResMap,
    build: &Build,
) -> Result<()> {
    if !is_built_in(configuration) {
        return external::transform(configuration, target, resources);
    }
    let source = source_of(configuration);
    let fields: Fields = read(configuration)?;
    let specs = rows(fields.field_specs.as_deref().unwrap_or_default());
    match configuration.kind() {
        "AnnotationsTransformer" => annotations::apply(resources, &fields.annotations, &specs),
        "HashTransformer" => hash::append_to_names(resources),
        "ImageTagTransformer" => images::apply(resources, &[fields.image_tag], &specs, &source),
        "LabelTransformer" => labels::apply(resources, &fields.labels, &specs),
        "NamespaceTransformer" => {
            let moves_charts = !target.has(Feature::HelmNamespace);
            namespace(configuration, &fields, &specs, moves_charts, resources)
        }
        "PatchJson6902Transformer" => target.run_patch_json6902_plugin(configuration, resources),
        "PatchStrategicMergeTransformer" => {
            target.run_patch_strategic_merge_plugin(configuration, resources, build)
        }
        "PatchTransformer" => target.run_patch_plugin(configuration, resources, build),
        "PrefixSuffixTransformer" => {
            need_field_specs(configuration, &fields)?;
            affix::apply(resources, &fields.prefix, Side::Before, &specs)?;
            affix::apply(resources, &fields.suffix, Side::After, &specs)
        }
        "PrefixTransformer" => {
            need_field_specs(configuration, &fields)?;
            affix::apply(resources, &fields.prefix, Side::Before, &specs)
        }
        "SuffixTransformer" => {
            need_field_specs(configuration, &fields)?;
            affix::apply(resources, &fields.suffix, Side::After, &specs)
        }
        "ReplacementTransformer" => target.run_replacement_plugin(configuration, resources),
        "ReplicaCountTransformer" => replicas::apply(resources, &[fields.replica], &specs, &source),
        "ValueAddTransformer" => value_add::apply(configuration, target, resources),
        kind if GENERATORS.contains(&kind) => {
            Err(misplaced(configuration, "a generator", "generators"))
        }
        _ => Err(unknown(configuration)),
    }
}

fn need_field_specs(configuration: &Resource, fields: &Fields) -> Result<()> {
    if fields.field_specs.is_some() {
        return Ok(());
    }
    let phrase = format!("{} has no fieldSpecs", configuration.id());
    Err(Diagnostic::new(Code::PluginInvalid, phrase)
        .at(configuration.place())
        .help("list the fields to touch; for names: fieldSpecs: [{path: metadata/name}]"))
}

fn namespace(
    configuration: &Resource,
    fields: &Fields,
    specs: &[FieldSpec],
    moves_charts: bool,
    resources: &mut ResMap,
) -> Result<()> {
    let options: NamespaceOptions = read(configuration)?;
    let subjects = match &*options.set_role_binding_subjects {
        "" | "defaultOnly" => Subjects::NamedDefault,
        "allServiceAccounts" => Subjects::ServiceAccounts,
        "none" => Subjects::None,
        other => {
            let phrase = format!("setRoleBindingSubjects cannot be {other}");
            return Err(Diagnostic::new(Code::PluginInvalid, phrase)
                .at(configuration.place())
                .help("it is defaultOnly, allServiceAccounts or none"));
        }
    };
    let namespace = Namespace {
        name: &fields.metadata.namespace,
        fields: specs,
        unset_only: options.unset_only,
        subjects,
        moves_charts,
    };
    namespace.apply(resources)
}

fn misplaced(configuration: &Resource, what: &str, list: &str) -> Diagnostic {
    Diagnostic::new(
        Code::PluginInvalid,
        format!("{} is {what}", configuration.id()),
    )
    .at(configuration.place())
    .help(format!("list it in {list}"))
}

fn unknown(configuration: &Resource) -> Diagnostic {
    let kind = configuration.kind();
    let error = Diagnostic::new(Code::PluginInvalid, format!("there is no built-in {kind}"))
        .at(configuration.place());
    match nearest(kind, GENERATORS.into_iter().chain(TRANSFORMERS)) {
        Some(near) => error.help(format!("did you mean {near}?")),
        None => error,
    }
}
