//! A source of an Application, typed.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fields::{self, SOURCE};

/// A source, with all that is set on it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AppSource {
    /// The repository.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// The directory in it.
    pub path: String,
    /// The branch, tag or commit.
    pub target_revision: String,
    /// The chart of a Helm repository.
    pub chart: String,
    /// The name by which value files of other sources refer to this one.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Options of a chart.
    pub helm: Option<HelmOptions>,
    /// Options of a kustomization.
    pub kustomize: Option<KustomizeOptions>,
    /// Options of a plain directory.
    pub directory: Option<DirectoryOptions>,
    /// The plugin, and what it is given.
    pub plugin: Option<PluginOptions>,
}

/// The `plugin` of a source.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PluginOptions {
    /// Its name; empty to have one looked for.
    pub name: String,
    /// Variables; `None` is an entry that is null, at which the host fails.
    pub env: Option<Vec<Option<Variable>>>,
    /// Parameters; `None` where none are set.
    pub parameters: Option<Vec<Parameter>>,
}

/// A variable of `plugin.env`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Variable {
    /// Its name, which the plugin sees with `ARGOCD_ENV_` before it.
    pub name: String,
    /// Its value, in which `$NAME` and `${NAME}` stand for variables of the build.
    pub value: String,
}

/// A parameter, in any of its shapes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// A string.
    pub string: Option<String>,
    /// A list of strings.
    pub array: Option<Vec<String>>,
    /// A map of strings.
    pub map: Option<BTreeMap<String, String>>,
}

/// The `directory` of a source.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DirectoryOptions {
    /// Whether directories below are read, too.
    pub recurse: bool,
    /// A pattern of files that are left out.
    pub exclude: String,
    /// A pattern of the files that are read.
    pub include: String,
    /// Whether files of any ending are read.
    pub disable_extension_filter: bool,
}

/// The `kustomize` of a source.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct KustomizeOptions {
    /// Before every name.
    pub name_prefix: String,
    /// After every name.
    pub name_suffix: String,
    /// Images, as `kustomize edit set image` takes them; variables of the build are filled in.
    #[serde(deserialize_with = "or_empty")]
    pub images: Vec<String>,
    /// Labels; variables of the build are filled in.
    #[serde(deserialize_with = "or_empty")]
    pub common_labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(deserialize_with = "or_empty")]
    pub common_annotations: BTreeMap<String, String>,
    /// Whether labels that are there are replaced.
    pub force_common_labels: bool,
    /// Whether annotations that are there are replaced.
    pub force_common_annotations: bool,
    /// Whether variables of the build are filled into annotations.
    pub common_annotations_envsubst: bool,
    /// The namespace.
    pub namespace: String,
    /// Counts of replicas by name.
    #[serde(deserialize_with = "or_empty")]
    pub replicas: Vec<Replicas>,
    /// Patches, as a kustomization has them.
    #[serde(deserialize_with = "or_empty")]
    pub patches: Vec<Value>,
    /// Components.
    #[serde(deserialize_with = "or_empty")]
    pub components: Vec<String>,
    /// Whether components that are not there are left out.
    pub ignore_missing_components: bool,
    /// Whether labels stay out of selectors.
    pub label_without_selector: bool,
    /// Whether labels go into templates, without selectors.
    pub label_include_templates: bool,
    /// The version of the cluster, for charts.
    pub kube_version: String,
    /// The API versions of the cluster, for charts.
    #[serde(deserialize_with = "or_empty")]
    pub api_versions: Vec<String>,
}

/// A count of replicas.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Replicas {
    /// The name of the workload.
    pub name: String,
    /// A number, or a string that holds one.
    pub count: Value,
}

/// The `helm` of a source.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HelmOptions {
    /// Files of values: paths, patterns, `$ref/path`.
    #[serde(deserialize_with = "or_empty")]
    pub value_files: Vec<String>,
    /// Single values.
    #[serde(deserialize_with = "or_empty")]
    pub parameters: Vec<HelmParameter>,
    /// Files whose contents are values.
    #[serde(deserialize_with = "or_empty")]
    pub file_parameters: Vec<HelmFileParameter>,
    /// The name of the release.
    pub release_name: String,
    /// Values as a text of YAML.
    pub values: String,
    /// Values as an object; wins over `values`.
    pub values_object: Option<Value>,
    /// Whether files that are not there are left out.
    pub ignore_missing_value_files: bool,
    /// Whether the chart's own CRDs are left out.
    pub skip_crds: bool,
    /// Whether tests are left out.
    pub skip_tests: bool,
    /// Whether the chart's schema is not looked at.
    pub skip_schema_validation: bool,
    /// The namespace of the release.
    pub namespace: String,
    /// The version of the cluster.
    pub kube_version: String,
    /// The API versions of the cluster.
    #[serde(deserialize_with = "or_empty")]
    pub api_versions: Vec<String>,
}

/// A value of a chart.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HelmParameter {
    /// Its path.
    pub name: String,
    /// The value.
    pub value: String,
    /// Whether it is a string, whatever it looks like.
    pub force_string: bool,
}

/// A value of a chart that is the content of a file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct HelmFileParameter {
    /// Its path.
    pub name: String,
    /// The file.
    pub path: String,
}

/// What builds a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// Plain files.
    Directory,
    /// kustomize.
    Kustomize,
    /// helm.
    Helm,
    /// A config management plugin.
    Plugin,
}

impl SourceKind {
    /// The name that Argo CD has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Directory => "Directory",
            Self::Kustomize => "Kustomize",
            Self::Helm => "Helm",
            Self::Plugin => "Plugin",
        }
    }

    /// Reads Argo CD's name.
    pub fn of(name: &str) -> Option<Self> {
        let all = [Self::Directory, Self::Kustomize, Self::Helm, Self::Plugin];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

/// A field that is absent or null is empty.
fn or_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl AppSource {
    /// Reads a source as the host does. Fails with what is of another type.
    pub fn read(value: &Value) -> Result<Self, String> {
        let value = fields::decode(&SOURCE, value, None)?.unwrap_or_default();
        Ok(Self::of_decoded(&value))
    }

    /// A source whose fields are known to be of their types.
    pub(super) fn of_decoded(value: &Value) -> Self {
        Self::deserialize(value).unwrap_or_default()
    }

    /// What the source names; more than one is an error to the host.
    pub fn tools(&self) -> Vec<SourceKind> {
        let named = [
            (SourceKind::Kustomize, self.kustomize.is_some()),
            (SourceKind::Helm, self.helm.is_some()),
            (SourceKind::Directory, self.directory.is_some()),
            (SourceKind::Plugin, self.plugin.is_some()),
        ];
        let named = named.into_iter().filter(|(_, is_named)| *is_named);
        named.map(|(kind, _)| kind).collect()
    }

    /// The version of the cluster that the source sets.
    pub fn kube_version<'s>(&'s self, cluster: &'s str) -> &'s str {
        let helm = self.helm.as_ref().map(|helm| &*helm.kube_version);
        let kustomize = self.kustomize.as_ref().map(|k| &*k.kube_version);
        let own = [helm, kustomize].into_iter().flatten();
        own.into_iter().find(|v| !v.is_empty()).unwrap_or(cluster)
    }

    /// The API versions of the cluster that the source sets.
    pub fn api_versions<'s>(&'s self, cluster: &'s [String]) -> &'s [String] {
        let helm = self.helm.as_ref().map(|helm| &*helm.api_versions);
        let kustomize = self.kustomize.as_ref().map(|k| &*k.api_versions);
        let own = [helm, kustomize].into_iter().flatten();
        own.into_iter().find(|v| !v.is_empty()).unwrap_or(cluster)
    }
}
