//! An Application, and what Argo CD merges into its source from the repository.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::files::{Files, Kind, TreePath};
use crate::yaml::{self, Node, ParseOptions};

/// The annotation by which the host sends a part of the repository only.
const GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";

/// What counts of an Application for a render.
#[derive(Debug, Clone)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Its namespace; empty for the control plane's.
    pub namespace: String,
    /// Its project.
    pub project: String,
    /// The namespace that its objects go to.
    pub destination: String,
    /// The annotation with the paths that the host sends.
    pub generate_paths: Option<String>,
    /// Its sources, as they are written.
    pub sources: Vec<Value>,
}

/// A source, with what the repository sets on it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AppSource {
    /// The repository.
    #[serde(rename = "repoURL")]
    pub(super) repo_url: String,
    /// The directory in it.
    pub(super) path: String,
    /// The branch, tag or commit.
    pub(super) target_revision: String,
    chart: Option<String>,
    kustomize: Option<Value>,
    helm: Option<Value>,
    directory: Option<Value>,
    /// The plugin, and what it is given.
    pub(super) plugin: Option<Plugin>,
}

/// The `plugin` of a source.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Plugin {
    /// Its name; empty to have one looked for.
    pub(super) name: String,
    /// Variables.
    pub(super) env: Vec<Variable>,
    /// Parameters.
    pub(super) parameters: Vec<Parameter>,
}

/// A variable of `plugin.env`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Variable {
    /// Its name, which the plugin sees with `ARGOCD_ENV_` before it.
    pub(super) name: String,
    /// Its value, in which `$NAME` and `${NAME}` stand for variables of the build.
    pub(super) value: String,
}

/// A parameter, in any of its shapes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: String,
    /// A text.
    pub(super) string: Option<String>,
    /// A list of texts.
    pub(super) array: Option<Vec<String>>,
    /// A map of texts.
    pub(super) map: Option<BTreeMap<String, String>>,
}

impl Application {
    /// Reads the Application of a file, which may hold other objects too: the one of that name where there
    /// are several. Fails with [`Code::FieldMissing`] and the like.
    pub fn read(bytes: &[u8], source: &Source, name: Option<&str>) -> Result<Self> {
        let place = || Place::file(source.place(1, 1).file);
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Diagnostic::new(Code::YamlSyntax, "the file is not UTF-8").at(place()))?;
        let documents = yaml::parse(text, ParseOptions::default()).map_err(|e| e.at(source))?;
        let is_wanted = |node: &&Node| {
            let is_named = name.is_none_or(|n| text_at(node, &["metadata", "name"]) == n);
            text_at(node, &["kind"]) == "Application" && is_named
        };
        let found: Vec<&Node> = documents.iter().filter(is_wanted).collect();
        match found[..] {
            [one] => Self::of_node(one, source),
            [] => Err(Diagnostic::new(
                Code::FieldMissing,
                "there is no Application to simulate in this file",
            )
            .at(place())),
            _ => Err(
                Diagnostic::new(Code::Usage, "the file holds several Applications")
                    .at(place())
                    .help("choose one with --name"),
            ),
        }
    }

    fn of_node(node: &Node, source: &Source) -> Result<Self> {
        let spec = node.get("spec").ok_or_else(|| {
            let mark = node.mark();
            Diagnostic::new(Code::FieldMissing, "the Application has no spec")
                .at(source.place(mark.line, mark.column))
        })?;
        let annotations = node.lookup(&["metadata", "annotations"]);
        let sources = match (spec.get("sources"), spec.get("source")) {
            (Some(list), _) => yaml::from_node(list, source)?,
            (None, Some(one)) => vec![yaml::from_node(one, source)?],
            (None, None) => Vec::new(),
        };
        Ok(Self {
            name: text_at(node, &["metadata", "name"]).to_owned(),
            namespace: text_at(node, &["metadata", "namespace"]).to_owned(),
            project: text_at(spec, &["project"]).to_owned(),
            destination: text_at(spec, &["destination", "namespace"]).to_owned(),
            generate_paths: annotations
                .and_then(|a| a.get(GENERATE_PATHS))
                .and_then(Node::as_str)
                .map(str::to_owned),
            sources,
        })
    }

    /// An Application for a directory that has none: it names the plugin and sets nothing.
    pub fn of_directory(path: &TreePath, plugin: &str) -> Self {
        let name = match path.file_name() {
            "" => "app",
            name => name,
        };
        Self {
            name: name.to_owned(),
            namespace: String::new(),
            project: "default".to_owned(),
            destination: String::new(),
            generate_paths: None,
            sources: vec![json!({
                "repoURL": "", "path": path.as_str(), "targetRevision": "HEAD", "plugin": {"name": plugin},
            })],
        }
    }

    /// The name that the plugin sees: with the namespace where it is not the control plane's.
    pub fn instance_name(&self, control_plane: &str) -> String {
        if self.namespace.is_empty() || self.namespace == control_plane {
            self.name.clone()
        } else {
            format!("{}_{}", self.namespace, self.name)
        }
    }
}

fn text_at<'n>(node: &'n Node, keys: &[&str]) -> &'n str {
    node.lookup(keys).and_then(Node::as_str).unwrap_or_default()
}

/// The path of a source, before anything is merged.
pub(super) fn path_of(source: &Value) -> &str {
    source
        .get("path")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A source with `.argocd-source.yaml` and `.argocd-source-NAME.yaml` of its directory merged in.
///
/// Repository, path and revision stay as the Application has them. Gives the names of the files that were
/// merged too. Fails as reading and parsing them does.
pub(super) fn merged(
    written: &Value,
    files: &dyn Files,
    directory: &TreePath,
    instance: &str,
) -> Result<(AppSource, Vec<String>)> {
    let mut value = written.clone();
    let mut names = Vec::new();
    for name in [
        ".argocd-source.yaml".to_owned(),
        format!(".argocd-source-{instance}.yaml"),
    ] {
        let Some(path) = directory.join(&name) else {
            continue;
        };
        if files.kind(&path)? != Some(Kind::File) {
            continue;
        }
        let file = files.read(&path)?;
        let node = yaml::parse_config(&file.bytes, &file.source)?;
        merge_patch(&mut value, yaml::from_node(&node, &file.source)?);
        names.push(name);
    }
    let source = AppSource::deserialize(&value).map_err(|_| {
        let phrase = "the source of the Application has a field of another type than it must have";
        Diagnostic::new(Code::FieldType, phrase)
    })?;
    let text = |key: &str| match written.get(key) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let source = AppSource {
        repo_url: text("repoURL"),
        path: text("path"),
        target_revision: text("targetRevision"),
        ..source
    };
    Ok((source, names))
}

/// RFC 7386.
fn merge_patch(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            merge_patch(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

impl AppSource {
    /// The tools that the source names, as Argo CD lists them; more than one is an error to it.
    pub(super) fn tools(&self) -> Vec<&'static str> {
        let named = [
            ("Kustomize", self.kustomize.is_some()),
            ("Helm", self.helm.is_some()),
            ("Directory", self.directory.is_some()),
            ("Plugin", self.plugin.is_some()),
        ];
        let names = named.into_iter().filter(|(_, is_named)| *is_named);
        names.map(|(name, _)| name).collect()
    }

    /// Whether it is a chart of a Helm repository: no plugin ever sees it.
    pub(super) fn is_chart(&self) -> bool {
        self.chart.as_deref().is_some_and(|c| !c.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    const APPLICATION: &str = "
kind: AppProject
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: teams, annotations: {argocd.argoproj.io/manifest-generate-paths: .}}
spec:
  project: team-a
  destination: {namespace: shop}
  source: {repoURL: r, path: apps/shop, targetRevision: main, plugin: {name: prerender, env: [{name: A, value: b}]}}
";

    fn application() -> Application {
        Application::read(
            APPLICATION.as_bytes(),
            &Source::committed("app.yaml"),
            Some("shop"),
        )
        .unwrap()
    }

    #[test]
    fn the_instance_name_has_a_foreign_namespace() {
        assert_eq!(application().instance_name("argocd"), "teams_shop");
        assert_eq!(application().instance_name("teams"), "shop");
        assert_eq!(application().generate_paths.as_deref(), Some("."));
    }

    /// A.3: files of the repository are merged into the source, but not into where it comes from.
    #[test]
    fn files_of_the_repository_are_merged_into_the_source() {
        let disk = Memory::from_texts([
            (
                "apps/shop/.argocd-source.yaml",
                "path: elsewhere\nplugin: {env: [{name: A, value: c}], name: other}\n",
            ),
            (
                "apps/shop/.argocd-source-teams_shop.yaml",
                "plugin: {name: null}\n",
            ),
        ]);
        let directory = TreePath::parse("apps/shop").unwrap();
        let (source, names) =
            merged(&application().sources[0], &disk, &directory, "teams_shop").unwrap();
        assert_eq!(names.len(), 2);
        assert_eq!(source.path, "apps/shop");
        let plugin = source.plugin.unwrap();
        assert_eq!(
            (plugin.name.as_str(), plugin.env[0].value.as_str()),
            ("", "c")
        );
    }

    /// A.2: a plugin beside kustomize, helm or directory is an error.
    #[test]
    fn tools_are_counted() {
        let source = json!({"plugin": {}, "kustomize": {"namePrefix": "a-"}});
        let source = AppSource::deserialize(source).unwrap();
        assert_eq!(source.tools(), ["Kustomize", "Plugin"]);
    }
}
