//! An Application, as Argo CD's API server holds it: what counts of it for a render.
//!
//! [`source`] is one of its sources, typed; [`merge`] what the repository sets on it; [`build`] the variables of
//! its build.

pub mod build;
mod fields;
pub mod merge;
pub mod source;

use serde_json::{Map, Value, json};

pub use build::{Facts, Variables};
pub use fields::{ANNOUNCEMENTS, PATCH, PLUGIN_FILE, decode, unknown};
pub use source::{AppSource, SourceKind};

use super::wire::object::text;
use super::wire::stream;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::files::TreePath;

/// The annotation by which the host sends a part of the repository only.
const GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";

/// What counts of an Application for a render.
#[derive(Debug, Clone, Default)]
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
    /// Its sources, as they are written; the dry one where a hydrator is set.
    pub sources: Vec<Value>,
    /// Whether they are those of `sources`, of which one without path and chart gives nothing.
    pub has_several: bool,
    /// Where a hydrator writes, in the repository; `None` where none is set.
    pub hydrates_to: Option<String>,
}

impl Application {
    /// Reads the Application of a file, which may hold other objects and Lists too: the one of that name where
    /// there are several. Fails with [`Code::FieldMissing`] and the like.
    pub fn read(bytes: &[u8], source: &Source, name: Option<&str>) -> Result<Self> {
        let place = || Place::file(source.place(1, 1).file);
        let wrong = |code, phrase: &str| Diagnostic::new(code, phrase.to_owned()).at(place());
        let utf8 = std::str::from_utf8(bytes)
            .map_err(|_| wrong(Code::YamlSyntax, "the file is not UTF-8"))?;
        let stream = stream::read(utf8).map_err(|broken| wrong(Code::YamlSyntax, &broken.words))?;
        let objects = stream.documents.into_iter().flat_map(|d| unlisted(d.value));
        let is_wanted = |object: &Value| {
            let is_named = name.is_none_or(|n| text(object, &["metadata", "name"]) == n);
            text(object, &["kind"]) == "Application" && is_named
        };
        let found: Vec<Value> = objects.filter(is_wanted).collect();
        match &found[..] {
            [one] => Self::of_object(one).map_err(|words| wrong(Code::FieldMissing, &words)),
            [] => Err(wrong(
                Code::FieldMissing,
                "there is no Application to simulate in this file",
            )),
            _ => {
                let error = wrong(Code::Usage, "the file holds several Applications");
                let names: Vec<&str> = found
                    .iter()
                    .map(|a| text(a, &["metadata", "name"]))
                    .collect();
                Err(error.help(format!("choose one with --name: {}", names.join(", "))))
            }
        }
    }

    /// Takes what counts of an object. Fails where it has no spec.
    pub fn of_object(object: &Value) -> std::result::Result<Self, String> {
        let spec = object.get("spec").filter(|spec| spec.is_object());
        let spec = spec.ok_or("the Application has no spec")?;
        let annotations = object.get("metadata").and_then(|m| m.get("annotations"));
        let dry = spec.get("sourceHydrator").filter(|h| h.is_object());
        Ok(Self {
            name: text(object, &["metadata", "name"]).to_owned(),
            namespace: text(object, &["metadata", "namespace"]).to_owned(),
            project: project_of(spec),
            destination: text(spec, &["destination", "namespace"]).to_owned(),
            generate_paths: annotations
                .and_then(|a| a.get(GENERATE_PATHS))
                .and_then(Value::as_str)
                .map(str::to_owned),
            has_several: dry.is_none() && has_several(spec),
            sources: sources_of(spec),
            hydrates_to: dry.map(|h| text(h, &["syncSource", "path"]).to_owned()),
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
            project: "default".to_owned(),
            sources: vec![json!({
                "repoURL": "", "path": path.as_str(), "targetRevision": "HEAD", "plugin": {"name": plugin},
            })],
            ..Self::default()
        }
    }

    /// The name that builds see: with the namespace where it is not the control plane's.
    pub fn instance_name(&self, control_plane: &str) -> String {
        if self.namespace.is_empty() || self.namespace == control_plane {
            self.name.clone()
        } else {
            format!("{}_{}", self.namespace, self.name)
        }
    }
}

/// The items of a List, as `kubectl get -o yaml` prints one, or the object.
fn unlisted(object: Value) -> Vec<Value> {
    match object.get("items").and_then(Value::as_array) {
        Some(items) => items.clone(),
        None => vec![object],
    }
}

fn project_of(spec: &Value) -> String {
    match text(spec, &["project"]) {
        "" => "default",
        project => project,
    }
    .to_owned()
}

fn has_several(spec: &Value) -> bool {
    let several = spec.get("sources").and_then(Value::as_array);
    several.is_some_and(|list| !list.is_empty())
}

/// The sources that are rendered: the hydrator's dry one, else `sources` where there are any, else `source`.
fn sources_of(spec: &Value) -> Vec<Value> {
    let dry = spec.get("sourceHydrator").filter(|h| h.is_object());
    if let Some(dry) = dry {
        let fields = [
            "repoURL",
            "targetRevision",
            "path",
            "helm",
            "kustomize",
            "directory",
            "plugin",
        ];
        let dry = dry.get("drySource").and_then(Value::as_object);
        let known = dry
            .into_iter()
            .flatten()
            .filter(|(key, _)| fields.contains(&key.as_str()));
        let known = known
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect::<Map<_, _>>();
        return vec![Value::Object(known)];
    }
    match spec.get("sources").and_then(Value::as_array) {
        Some(several) if !several.is_empty() => several.clone(),
        _ => spec
            .get("source")
            .filter(|s| s.is_object())
            .cloned()
            .into_iter()
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, name: Option<&str>) -> Result<Application> {
        Application::read(text.as_bytes(), &Source::committed("app.yaml"), name)
    }

    #[test]
    fn the_instance_name_has_a_foreign_namespace() {
        let text = "
kind: AppProject
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: teams, annotations: {argocd.argoproj.io/manifest-generate-paths: .}}
spec:
  destination: {namespace: shop}
  sources: []
  source: {repoURL: r, path: apps/shop, plugin: {name: prerender}}
";
        let application = read(text, Some("shop")).unwrap();
        assert_eq!(application.instance_name("argocd"), "teams_shop");
        assert_eq!(application.instance_name("teams"), "shop");
        assert_eq!(application.generate_paths.as_deref(), Some("."));
        assert_eq!(
            (&*application.project, application.sources.len()),
            ("default", 1)
        );
    }

    #[test]
    fn lists_of_applications_and_dry_sources_are_read() {
        let text = "
kind: List
items:
- {kind: Application, metadata: {name: a}, spec: {source: {path: a}}}
- kind: Application
  metadata: {name: b}
  spec: {source: {path: a}, sourceHydrator: {drySource: {path: dry, ref: x}, syncSource: {path: wet}}}
";
        let application = read(text, Some("b")).unwrap();
        assert_eq!(application.sources, [json!({"path": "dry"})]);
        assert_eq!(application.hydrates_to.as_deref(), Some("wet"));
        let error = read(text, None).unwrap_err();
        assert_eq!(error.remedies(), ["choose one with --name: a, b"]);
    }
}
