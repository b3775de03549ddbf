//! The fields of `kustomization.yaml`, and how the file is found, read and mended.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::decode::{Located, Raw, written_record};

/// A text and its place.
pub(crate) type Text = Located<CompactString>;

/// Names and values, in the order of the names.
pub(crate) type Pairs = BTreeMap<CompactString, CompactString>;

written_record! {
    /// A `Kustomization` or `Component`, as it is written.
    pub(crate) struct Kustomization {
        /// The kind; empty counts as `Kustomization`.
        kind: Text = "kind",
        /// The version.
        api_version: Text = "apiVersion",
        /// Name, labels and annotations; without an effect.
        metadata: Option<Metadata> = "metadata",
        /// The schema that merges are made by.
        openapi: BTreeMap<CompactString, Text> = "openapi",
        /// Goes before every name.
        name_prefix: CompactString = "namePrefix",
        /// Goes after every name.
        name_suffix: CompactString = "nameSuffix",
        /// Where every namespaced object goes.
        namespace: CompactString = "namespace",
        /// Labels of objects and selectors.
        common_labels: Option<Pairs> = "commonLabels",
        /// Labels, and where they go.
        labels: Vec<Label> = "labels",
        /// Annotations of objects and templates.
        common_annotations: Pairs = "commonAnnotations",
        /// Strategic merge patches: paths or texts.
        patches_strategic_merge: Option<Vec<Text>> = "patchesStrategicMerge",
        /// JSON patches.
        patches_json6902: Option<Vec<Patch>> = "patchesJson6902",
        /// Patches of both types.
        patches: Vec<Patch> = "patches",
        /// New names, tags and digests of images.
        images: Vec<Image> = "images",
        /// The old name of `images`.
        image_tags: Option<Vec<Image>> = "imageTags",
        /// Values that are copied from field to field.
        replacements: Vec<ReplacementField> = "replacements",
        /// Replica counts.
        replicas: Vec<Replica> = "replicas",
        /// Values for `$(NAME)`.
        vars: Option<Vec<Var>> = "vars",
        /// The order of the output.
        sort_options: Option<SortOptions> = "sortOptions",
        /// Files, directories and URLs.
        resources: Vec<Text> = "resources",
        /// Directories with a `Component`.
        components: Vec<Text> = "components",
        /// OpenAPI definitions of custom resources.
        crds: Vec<Text> = "crds",
        /// The old name of directories in `resources`.
        bases: Option<Vec<Text>> = "bases",
        /// ConfigMaps to make.
        config_map_generator: Vec<GeneratorArguments> = "configMapGenerator",
        /// Secrets to make.
        secret_generator: Vec<GeneratorArguments> = "secretGenerator",
        /// What all charts share.
        helm_globals: Option<HelmGlobals> = "helmGlobals",
        /// Charts to inflate.
        helm_charts: Vec<HelmChart> = "helmCharts",
        /// The old name of `helmCharts`.
        helm_chart_inflation_generator: Vec<OldHelmChart> = "helmChartInflationGenerator",
        /// What all generators share.
        generator_options: Option<GeneratorOptions> = "generatorOptions",
        /// Files that say which fields transformers touch.
        configurations: Vec<Text> = "configurations",
        /// Configurations of generators: files or texts.
        generators: Vec<Text> = "generators",
        /// Configurations of transformers: files or texts.
        transformers: Vec<Text> = "transformers",
        /// Configurations of validators: files or texts.
        validators: Vec<Text> = "validators",
        /// What the output tells of how it was built.
        build_metadata: Vec<Text> = "buildMetadata",
    }
}

written_record! {
    /// `metadata` of a kustomization or of a plugin's configuration.
    pub(crate) struct Metadata {
        /// The name.
        name: CompactString = "name",
        /// The namespace.
        namespace: CompactString = "namespace",
        /// The labels.
        labels: Pairs = "labels",
        /// The annotations.
        annotations: Pairs = "annotations",
    }
}

written_record! {
    /// An entry of `labels`.
    pub(crate) struct Label {
        /// The labels.
        pairs: Pairs = "pairs",
        /// Whether selectors and templates get them too.
        include_selectors: bool = "includeSelectors",
        /// Whether templates get them too.
        include_templates: bool = "includeTemplates",
        /// Where else they go.
        fields: Vec<FieldSpecFields> = "fields",
    }
}

written_record! {
    /// A selector as it is written: `target`, `select` and `reject`.
    pub(crate) struct SelectorFields {
        /// The group.
        group: CompactString = "group",
        /// The version.
        version: CompactString = "version",
        /// The kind.
        kind: CompactString = "kind",
        /// The name.
        name: CompactString = "name",
        /// The namespace.
        namespace: CompactString = "namespace",
        /// A selector of labels.
        label_selector: CompactString = "labelSelector",
        /// A selector of annotations.
        annotation_selector: CompactString = "annotationSelector",
    }
}

written_record! {
    /// A field spec as it is written.
    pub(crate) struct FieldSpecFields {
        /// The group; empty for any.
        group: CompactString = "group",
        /// The version; empty for any.
        version: CompactString = "version",
        /// The kind; empty for any.
        kind: CompactString = "kind",
        /// The path, its parts separated by `/`.
        path: CompactString = "path",
        /// Whether a missing field is made.
        create: bool = "create",
    }
}

written_record! {
    /// An entry of `patches` or `patchesJson6902`.
    pub(crate) struct Patch {
        /// The file.
        path: Text = "path",
        /// The text.
        patch: Text = "patch",
        /// What it is applied to.
        target: Option<SelectorFields> = "target",
        /// `allowNameChange` and `allowKindChange`.
        options: BTreeMap<CompactString, bool> = "options",
    }
}

written_record! {
    /// An entry of `images`.
    pub(crate) struct Image {
        /// The name to look for, a regular expression.
        name: CompactString = "name",
        /// The new name.
        new_name: CompactString = "newName",
        /// What is appended to the tag.
        tag_suffix: CompactString = "tagSuffix",
        /// The new tag.
        new_tag: CompactString = "newTag",
        /// The new digest.
        digest: CompactString = "digest",
    }
}

written_record! {
    /// An entry of `replicas`.
    pub(crate) struct Replica {
        /// The object's name.
        name: CompactString = "name",
        /// The count.
        count: i64 = "count" always,
    }
}

written_record! {
    /// An entry of `replacements`: in place, or in a file.
    pub(crate) struct ReplacementField {
        /// Where the value comes from.
        source: Option<ReplacementSource> = "source",
        /// Where it goes.
        targets: Option<Vec<Option<ReplacementTarget>>> = "targets",
        /// A value as such.
        source_value: Option<CompactString> = "sourceValue",
        /// A file with one or more replacements.
        path: Text = "path",
    }
}

written_record! {
    /// Where a replacement's value comes from.
    pub(crate) struct ReplacementSource {
        /// The group.
        group: CompactString = "group",
        /// The version.
        version: CompactString = "version",
        /// The kind.
        kind: CompactString = "kind",
        /// The name.
        name: CompactString = "name",
        /// The namespace.
        namespace: CompactString = "namespace",
        /// The field; `metadata.name` when empty.
        field_path: CompactString = "fieldPath",
        /// Which piece of it.
        options: Option<FieldOptions> = "options",
    }
}

written_record! {
    /// Where a replacement's value goes.
    pub(crate) struct ReplacementTarget {
        /// The objects.
        select: Option<SelectorFields> = "select" always,
        /// Objects that are left out.
        reject: Vec<Option<SelectorFields>> = "reject",
        /// The fields.
        field_paths: Vec<Text> = "fieldPaths",
        /// Which piece of them, and whether they are made.
        options: Option<FieldOptions> = "options",
    }
}

written_record! {
    /// Which piece of a field a replacement means.
    pub(crate) struct FieldOptions {
        /// What pieces are separated by.
        delimiter: CompactString = "delimiter",
        /// The piece, from 0.
        index: i64 = "index",
        /// Without an effect, as in the reference.
        encoding: CompactString = "encoding",
        /// Whether a missing field is made.
        create: bool = "create",
    }
}

written_record! {
    /// An entry of `vars`.
    pub(crate) struct Var {
        /// The name.
        name: CompactString = "name" always,
        /// The object.
        objref: VarObject = "objref" always,
        /// The field.
        fieldref: VarField = "fieldref" always,
    }
}

written_record! {
    /// The object of a var.
    pub(crate) struct VarObject {
        /// Group and version in one.
        api_version: CompactString = "apiVersion",
        /// The group.
        group: CompactString = "group",
        /// The version.
        version: CompactString = "version",
        /// The kind.
        kind: CompactString = "kind",
        /// The name.
        name: CompactString = "name" always,
        /// The namespace.
        namespace: CompactString = "namespace",
    }
}

written_record! {
    /// The field of a var.
    pub(crate) struct VarField {
        /// The path; `metadata.name` when empty.
        field_path: CompactString = "fieldPath",
    }
}

written_record! {
    /// The order of the output.
    pub(crate) struct SortOptions {
        /// `legacy` or `fifo`.
        order: Text = "order",
        /// Other lists of kinds for `legacy`.
        legacy_sort_options: Option<LegacySortOptions> = "legacySortOptions",
    }
}

written_record! {
    /// The kinds that come first and last.
    pub(crate) struct LegacySortOptions {
        /// First.
        order_first: Vec<CompactString> = "orderFirst" always,
        /// Last.
        order_last: Vec<CompactString> = "orderLast" always,
    }
}

written_record! {
    /// An entry of `configMapGenerator` or `secretGenerator`.
    pub(crate) struct GeneratorArguments {
        /// The name.
        name: CompactString = "name",
        /// The namespace.
        namespace: CompactString = "namespace",
        /// `create`, `replace` or `merge`.
        behavior: CompactString = "behavior",
        /// `key=value` texts.
        literals: Vec<Text> = "literals",
        /// `[key=]path` texts.
        files: Vec<Text> = "files",
        /// Files with a `key=value` text in each line.
        envs: Vec<Text> = "envs",
        /// The old name of `envs`.
        env: Text = "env",
        /// Options of this one.
        options: Option<GeneratorOptions> = "options",
        /// The type of a Secret.
        secret_type: CompactString = "type",
    }
}

written_record! {
    /// `generatorOptions`.
    pub(crate) struct GeneratorOptions {
        /// Labels of what is made.
        labels: Pairs = "labels",
        /// Annotations of what is made.
        annotations: Pairs = "annotations",
        /// Whether names get no hash.
        disable_name_suffix_hash: bool = "disableNameSuffixHash",
        /// Whether what is made is immutable.
        immutable: bool = "immutable",
    }
}

written_record! {
    /// What all charts share.
    pub(crate) struct HelmGlobals {
        /// The directory of charts.
        chart_home: CompactString = "chartHome",
        /// helm's configuration directory.
        config_home: CompactString = "configHome",
    }
}

written_record! {
    /// An entry of `helmCharts`.
    pub(crate) struct HelmChart {
        /// The chart's name.
        name: CompactString = "name",
        /// The chart's version.
        version: CompactString = "version",
        /// The repository.
        repo: CompactString = "repo",
        /// The release's name.
        release_name: CompactString = "releaseName",
        /// The release's namespace.
        namespace: CompactString = "namespace",
        /// More files with values.
        additional_values_files: Vec<Text> = "additionalValuesFiles",
        /// A file with values instead of the chart's own.
        values_file: Text = "valuesFile",
        /// Values in place.
        values_inline: Option<Raw> = "valuesInline",
        /// How `valuesInline` meets the file: `override`, `merge` or `replace`.
        values_merge: CompactString = "valuesMerge",
        /// Whether CustomResourceDefinitions are made.
        include_crds: bool = "includeCRDs",
        /// Whether hooks are left out.
        skip_hooks: bool = "skipHooks",
        /// API versions that the chart shall believe in.
        api_versions: Vec<CompactString> = "apiVersions",
        /// The Kubernetes version that the chart shall believe in.
        kube_version: CompactString = "kubeVersion",
        /// A template of the release's name.
        name_template: CompactString = "nameTemplate",
        /// Whether tests are left out.
        skip_tests: bool = "skipTests",
        /// helm's `--debug`.
        debug: bool = "debug",
        /// helm's `--devel`.
        devel: bool = "devel",
    }
}

written_record! {
    /// An entry of `helmChartInflationGenerator`.
    pub(crate) struct OldHelmChart {
        /// The chart's name.
        chart_name: CompactString = "chartName",
        /// The chart's version.
        chart_version: CompactString = "chartVersion",
        /// The repository.
        chart_repo_url: CompactString = "chartRepoUrl",
        /// The directory of charts.
        chart_home: CompactString = "chartHome",
        /// Without an effect.
        chart_repo_name: CompactString = "chartRepoName",
        /// Without an effect.
        helm_bin: CompactString = "helmBin",
        /// helm's configuration directory.
        helm_home: CompactString = "helmHome",
        /// A file with values.
        values: Text = "values",
        /// Values in place.
        values_local: Option<Raw> = "valuesLocal",
        /// How they meet.
        values_merge: CompactString = "valuesMerge",
        /// The release's name.
        release_name: CompactString = "releaseName",
        /// Without an effect.
        release_namespace: CompactString = "releaseNamespace",
        /// Without an effect.
        extra_args: Vec<CompactString> = "extraArgs",
    }
}
