//! The mark by which Argo CD knows its objects again.
//!
//! Follows `SetAppInstance` (util/argo/resource_tracking.go) and `SetAppInstanceLabel` (util/kube/kube.go) of
//! Argo CD 3.6: an annotation `NAME:GROUP/KIND:NAMESPACE/NAME`, a label, or both; a method that is not known is
//! the annotation. Definitions of resources are never marked by the repo-server. The label is cut to 63
//! characters where the annotation is there too; pod templates get it under the oldest key alone.

use serde_json::{Map, Value};

use super::object::{child, gvk, name, namespace, text};

/// The label by default.
pub const DEFAULT_LABEL: &str = "app.kubernetes.io/instance";

/// The one key that pod templates get, too.
const LEGACY_LABEL: &str = "applications.argoproj.io/app-name";

/// The most characters of a label's value.
const MAX_LABEL_CHARACTERS: usize = 63;

const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";

/// How an installation marks its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    /// `application.resourceTrackingMethod`.
    pub method: Method,
    /// `application.instanceLabelKey`; empty: the repo-server marks nothing.
    pub label_key: String,
    /// `installationID`.
    pub installation_id: String,
    /// Whether objects are printed with their marks; without, it is only tried whether they can be made.
    pub is_shown: bool,
}

/// What an object is marked with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// An annotation.
    #[default]
    Annotation,
    /// A label.
    Label,
    /// Both.
    AnnotationAndLabel,
}

impl Default for Tracking {
    fn default() -> Self {
        Self {
            method: Method::Annotation,
            label_key: DEFAULT_LABEL.to_owned(),
            installation_id: String::new(),
            is_shown: false,
        }
    }
}

impl Method {
    /// Reads a method; any other word is the annotation.
    pub fn of(word: &str) -> Self {
        match word {
            "label" => Self::Label,
            "annotation+label" => Self::AnnotationAndLabel,
            _ => Self::Annotation,
        }
    }
}

/// Whether an object defines a kind.
pub fn is_definition(object: &Value) -> bool {
    let (group, _, kind) = gvk(object);
    group == "apiextensions.k8s.io" && kind == "CustomResourceDefinition"
}

impl Tracking {
    /// Marks an object as one of `application`, whose objects go to `destination`. Fails, in the host's words,
    /// where annotations or labels are not a map of strings.
    pub fn mark(
        &self,
        object: &mut Value,
        application: &str,
        destination: &str,
    ) -> Result<(), String> {
        match self.is_shown {
            true => self.write(object, application, destination),
            false => self.write(&mut object.clone(), application, destination),
        }
    }

    fn write(
        &self,
        object: &mut Value,
        application: &str,
        destination: &str,
    ) -> Result<(), String> {
        if self.method != Method::Label {
            self.annotate(object, application, destination)?;
        }
        match self.method {
            Method::Annotation => Ok(()),
            Method::Label => self.label(object, application),
            Method::AnnotationAndLabel => self.label(object, &cut(application)?),
        }
        .map_err(|words| format!("failed to set app instance label: {words}"))
    }

    fn annotate(
        &self,
        object: &mut Value,
        application: &str,
        destination: &str,
    ) -> Result<(), String> {
        let id = {
            let (group, _, kind) = gvk(object);
            let namespace = match namespace(object) {
                "" => destination,
                own => own,
            };
            format!("{application}:{group}/{kind}:{namespace}/{}", name(object))
        };
        let installation = (!self.installation_id.is_empty()).then(|| self.installation_id.clone());
        set(object, "annotations", INSTALLATION_ID, installation)?;
        set(object, "annotations", TRACKING_ID, Some(id))
    }

    fn label(&self, object: &mut Value, value: &str) -> Result<(), String> {
        set(object, "labels", &self.label_key, Some(value.to_owned()))?;
        match self.label_key == LEGACY_LABEL {
            true => label_template(object, value),
            false => Ok(()),
        }
    }
}

/// Removes the marks of an annotation, as the hydrator does.
pub fn unmark(object: &mut Value) -> Result<(), String> {
    set(object, "annotations", TRACKING_ID, None)?;
    set(object, "annotations", INSTALLATION_ID, None)
}

/// A map of strings below `metadata`; `None` where there is none. Fails where something else is there.
fn strings(object: &Value, field: &str) -> Result<Option<Map<String, Value>>, String> {
    let wrong = |what: &str| {
        let (group, version, kind) = gvk(object);
        format!(
            "failed to get {field} for {group}/{version}, Kind={kind} {}/{}: .metadata.{field} accessor error: {what}",
            namespace(object),
            name(object)
        )
    };
    let metadata = match object.get("metadata") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(metadata)) => metadata,
        Some(_) => return Err(wrong("metadata is not a map")),
    };
    match metadata.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) if map.values().all(Value::is_string) => Ok(Some(map.clone())),
        Some(Value::Object(_)) => Err(wrong("contains a value that is not a string")),
        Some(_) => Err(wrong("it is not a map")),
    }
}

/// Sets or removes an entry; what is left empty by a removal goes.
fn set(object: &mut Value, field: &str, key: &str, value: Option<String>) -> Result<(), String> {
    let there = strings(object, field)?;
    let Some(value) = value else {
        let Some(mut map) = there.filter(|map| map.contains_key(key)) else {
            return Ok(());
        };
        map.shift_remove(key);
        if let Some(metadata) = child(object, "metadata") {
            match map.is_empty() {
                true => drop(metadata.shift_remove(field)),
                false => drop(metadata.insert(field.to_owned(), Value::Object(map))),
            }
        }
        return Ok(());
    };
    let mut map = there.unwrap_or_default();
    map.insert(key.to_owned(), value.into());
    if let Some(metadata) = child(object, "metadata") {
        metadata.insert(field.to_owned(), Value::Object(map));
    }
    Ok(())
}

/// A value that a label can hold: cut, and not ending in what is no letter or digit.
fn cut(value: &str) -> Result<String, String> {
    if value.len() <= MAX_LABEL_CHARACTERS {
        return Ok(value.to_owned());
    }
    let end = (0..=MAX_LABEL_CHARACTERS)
        .rev()
        .find(|at| value.is_char_boundary(*at));
    let cut = value[..end.unwrap_or(0)].trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    match cut.is_empty() {
        true => Err("unable to truncate label to not end with a special character".to_owned()),
        false => Ok(cut.to_owned()),
    }
}

/// Workloads of old versions take their selector from the template's labels, which must not hold the mark.
fn label_template(object: &mut Value, value: &str) -> Result<(), String> {
    let (group, version, kind) = gvk(object);
    let is_workload = matches!(group, "apps" | "extensions")
        && matches!(
            kind,
            "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet"
        );
    if !is_workload && (group, kind) != ("batch", "Job") {
        return Ok(());
    }
    let has_defaulted_selector = matches!((group, version), ("apps" | "extensions", "v1beta1"));
    let mut labels =
        nested(object, &["spec", "template", "metadata", "labels"])?.unwrap_or_default();
    labels.insert(LEGACY_LABEL.to_owned(), value.into());
    set_nested(
        object,
        &["spec", "template", "metadata", "labels"],
        labels.clone(),
    )?;
    if !is_workload || !has_defaulted_selector {
        return Ok(());
    }
    if nested(object, &["spec", "selector"])?.is_some_and(|selector| !selector.is_empty()) {
        return Ok(());
    }
    // What the API server would default must not hold the mark.
    labels.shift_remove(LEGACY_LABEL);
    set_nested(object, &["spec", "selector", "matchLabels"], labels)
}

fn nested(object: &Value, path: &[&str]) -> Result<Option<Map<String, Value>>, String> {
    let mut value = object;
    for key in path {
        value = match value {
            Value::Null => return Ok(None),
            Value::Object(map) => match map.get(*key) {
                Some(value) => value,
                None => return Ok(None),
            },
            _ => {
                return Err(format!(
                    ".{} accessor error: it is not a map",
                    path.join(".")
                ));
            }
        };
    }
    match value {
        Value::Object(map) => Ok(Some(map.clone())),
        _ => Err(format!(
            ".{} accessor error: it is not a map",
            path.join(".")
        )),
    }
}

fn set_nested(object: &mut Value, path: &[&str], map: Map<String, Value>) -> Result<(), String> {
    let (last, above) = path.split_last().expect("a path has parts");
    let mut value = object;
    for key in above {
        let wrong = || format!("value cannot be set because .{key} is not a map");
        let parent = value.as_object_mut().ok_or_else(wrong)?;
        value = parent
            .entry(*key)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    let parent = value
        .as_object_mut()
        .ok_or("value cannot be set below what is not a map")?;
    parent.insert((*last).to_owned(), Value::Object(map));
    Ok(())
}

/// The name that the mark of an object carries; empty where it has none.
pub fn owner(object: &Value) -> &str {
    let id = text(object, &["metadata", "annotations", TRACKING_ID]);
    id.split(':').next().unwrap_or_default()
}
