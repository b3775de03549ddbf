//! Go's `json.Unmarshal` into the types of an Application's source, over what is there already.
//!
//! Follows encoding/json and pkg/apis/application/v1alpha1/types.go of Argo CD 3.6. Names of fields are found in
//! any case; what is not known is left out; `null` changes nothing but pointers, lists and maps, which it clears;
//! maps keep their old keys; lists are read **into the old entries by position**, so that a field which an
//! entry leaves out keeps what the entry at that place had. Cases: `merge-into-*`.

use serde_json::{Map, Value};

/// The type of a field.
#[derive(Debug)]
pub enum Shape {
    /// A string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A number, or a string that holds one.
    IntOrText,
    /// Anything, taken as it is.
    Any,
    /// A struct that is always there.
    Struct(&'static [Field]),
    /// A struct, string or other value that may be absent.
    Pointer(&'static Self),
    /// A list or map that is there, empty, where it is `null`: an embedded struct of one field holds it.
    Present(&'static Self),
    /// A list.
    List(&'static Self),
    /// A map of strings to something.
    MapOf(&'static Self),
}

/// A field of a struct.
#[derive(Debug)]
pub struct Field {
    name: &'static str,
    shape: Shape,
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape }
}

const TEXTS: Shape = Shape::List(&Shape::Text);
const TEXT_MAP: Shape = Shape::MapOf(&Shape::Text);

/// `spec.source` of an Application.
pub(super) const SOURCE: Shape = Shape::Struct(&[
    field("repoURL", Shape::Text),
    field("path", Shape::Text),
    field("targetRevision", Shape::Text),
    field("helm", Shape::Pointer(&HELM)),
    field("kustomize", Shape::Pointer(&KUSTOMIZE)),
    field("directory", Shape::Pointer(&DIRECTORY)),
    field("plugin", Shape::Pointer(&PLUGIN)),
    field("chart", Shape::Text),
    field("ref", Shape::Text),
    field("name", Shape::Text),
]);

const HELM: Shape = Shape::Struct(&[
    field("valueFiles", TEXTS),
    field(
        "parameters",
        Shape::List(&Shape::Struct(&[
            field("name", Shape::Text),
            field("value", Shape::Text),
            field("forceString", Shape::Flag),
        ])),
    ),
    field("releaseName", Shape::Text),
    field("values", Shape::Text),
    field(
        "fileParameters",
        Shape::List(&Shape::Struct(&[
            field("name", Shape::Text),
            field("path", Shape::Text),
        ])),
    ),
    field("version", Shape::Text),
    field("passCredentials", Shape::Flag),
    field("ignoreMissingValueFiles", Shape::Flag),
    field("skipCrds", Shape::Flag),
    field("valuesObject", Shape::Pointer(&Shape::Any)),
    field("namespace", Shape::Text),
    field("kubeVersion", Shape::Text),
    field("apiVersions", TEXTS),
    field("skipTests", Shape::Flag),
    field("skipSchemaValidation", Shape::Flag),
]);

const KUSTOMIZE: Shape = Shape::Struct(&[
    field("namePrefix", Shape::Text),
    field("nameSuffix", Shape::Text),
    field("images", TEXTS),
    field("commonLabels", TEXT_MAP),
    field("version", Shape::Text),
    field("commonAnnotations", TEXT_MAP),
    field("forceCommonLabels", Shape::Flag),
    field("forceCommonAnnotations", Shape::Flag),
    field("namespace", Shape::Text),
    field("commonAnnotationsEnvsubst", Shape::Flag),
    field(
        "replicas",
        Shape::List(&Shape::Struct(&[
            field("name", Shape::Text),
            field("count", Shape::IntOrText),
        ])),
    ),
    field("patches", Shape::List(&PATCH)),
    field("components", TEXTS),
    field("ignoreMissingComponents", Shape::Flag),
    field("labelWithoutSelector", Shape::Flag),
    field("kubeVersion", Shape::Text),
    field("apiVersions", TEXTS),
    field("labelIncludeTemplates", Shape::Flag),
]);

/// An entry of `patches`.
pub const PATCH: Shape = Shape::Struct(&[
    field("path", Shape::Text),
    field("patch", Shape::Text),
    field(
        "target",
        Shape::Pointer(&Shape::Struct(&[
            field("group", Shape::Text),
            field("version", Shape::Text),
            field("kind", Shape::Text),
            field("name", Shape::Text),
            field("namespace", Shape::Text),
            field("annotationSelector", Shape::Text),
            field("labelSelector", Shape::Text),
        ])),
    ),
    field("options", Shape::MapOf(&Shape::Flag)),
]);

const VARIABLE: Shape = Shape::Struct(&[
    field("name", Shape::Text),
    field("value", Shape::Text),
    field("code", Shape::Flag),
]);

const DIRECTORY: Shape = Shape::Struct(&[
    field("recurse", Shape::Flag),
    field(
        "jsonnet",
        Shape::Struct(&[
            field("extVars", Shape::List(&VARIABLE)),
            field("tlas", Shape::List(&VARIABLE)),
            field("libs", TEXTS),
        ]),
    ),
    field("exclude", Shape::Text),
    field("include", Shape::Text),
    field("disableExtensionFilter", Shape::Flag),
]);

const PLUGIN: Shape = Shape::Struct(&[
    field("name", Shape::Text),
    field(
        "env",
        Shape::List(&Shape::Pointer(&Shape::Struct(&[
            field("name", Shape::Text),
            field("value", Shape::Text),
        ]))),
    ),
    field(
        "parameters",
        Shape::List(&Shape::Struct(&[
            field("name", Shape::Text),
            field("string", Shape::Pointer(&Shape::Text)),
            field("map", Shape::Present(&TEXT_MAP)),
            field("array", Shape::Present(&TEXTS)),
        ])),
    ),
]);

/// The configuration of a plugin server.
pub const PLUGIN_FILE: Shape = Shape::Struct(&[
    field("apiVersion", Shape::Text),
    field("kind", Shape::Text),
    field("metadata", Shape::Struct(&[field("name", Shape::Text)])),
    field("spec", PLUGIN_SPEC),
]);

const PLUGIN_SPEC: Shape = Shape::Struct(&[
    field("version", Shape::Text),
    field("init", COMMAND),
    field("generate", COMMAND),
    field(
        "discover",
        Shape::Struct(&[
            field(
                "find",
                Shape::Struct(&[
                    field("command", TEXTS),
                    field("args", TEXTS),
                    field("glob", Shape::Text),
                ]),
            ),
            field("fileName", Shape::Text),
        ]),
    ),
    field(
        "parameters",
        Shape::Struct(&[field("static", ANNOUNCEMENTS), field("dynamic", COMMAND)]),
    ),
    field("preserveFileMode", Shape::Flag),
    field("provideGitCreds", Shape::Flag),
]);

const COMMAND: Shape = Shape::Struct(&[field("command", TEXTS), field("args", TEXTS)]);

/// What a plugin announces: a list of parameters, each of which may be `null`.
pub const ANNOUNCEMENTS: Shape = Shape::List(&Shape::Pointer(&Shape::Struct(&[
    field("name", Shape::Text),
    field("title", Shape::Text),
    field("tooltip", Shape::Text),
    field("required", Shape::Flag),
    field("itemType", Shape::Text),
    field("collectionType", Shape::Text),
    field("string", Shape::Text),
    field("array", TEXTS),
    field("map", TEXT_MAP),
])));

/// Reads a value of a shape over the one that was there. Fails with the path of the first value of another
/// type. Fields that are not set are absent from the result.
pub fn decode(shape: &Shape, new: &Value, old: Option<&Value>) -> Result<Option<Value>, String> {
    let mut path = String::new();
    Decoding { path: &mut path }
        .decode(shape, new, old)
        .map_err(|wanted| match path.is_empty() {
            true => format!("is not {wanted}"),
            false => format!("`{path}` is not {wanted}"),
        })
}

/// The paths of fields that no shape knows, and which the host leaves out without a word. Below `metadata` and
/// what is taken as it is nothing is looked at.
pub fn unknown(shape: &Shape, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    note_unknown(shape, value, "", &mut found);
    found
}

fn note_unknown(shape: &Shape, value: &Value, at: &str, found: &mut Vec<String>) {
    match (shape, value) {
        (Shape::Pointer(inner) | Shape::Present(inner), _) => note_unknown(inner, value, at, found),
        (Shape::List(inner), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                note_unknown(inner, item, &format!("{at}[{index}]"), found);
            }
        }
        (Shape::Struct(fields), Value::Object(map)) => {
            for (key, value) in map {
                let path = match at {
                    "" => key.clone(),
                    at => format!("{at}.{key}"),
                };
                match fields.iter().find(|field| is_folded(field.name, key)) {
                    Some(field) => note_unknown(&field.shape, value, &path, found),
                    None if at == "metadata" => {}
                    None => found.push(path),
                }
            }
        }
        _ => {}
    }
}

struct Decoding<'p> {
    /// Where the value is; after an error, where it was.
    path: &'p mut String,
}

type Decoded = Result<Option<Value>, &'static str>;

impl Decoding<'_> {
    fn decode(&mut self, shape: &Shape, new: &Value, old: Option<&Value>) -> Decoded {
        match (shape, new) {
            (Shape::Text | Shape::Flag | Shape::IntOrText | Shape::Struct(_), Value::Null) => {
                Ok(old.cloned())
            }
            (Shape::Present(inner), Value::Null) => Ok(Some(match inner {
                Shape::List(_) => Value::Array(Vec::new()),
                _ => Value::Object(Map::new()),
            })),
            (_, Value::Null) => Ok(None),
            (Shape::Text, Value::String(_))
            | (Shape::Flag, Value::Bool(_))
            | (Shape::IntOrText, Value::String(_) | Value::Number(_))
            | (Shape::Any, _) => Ok(Some(new.clone())),
            (Shape::Pointer(inner) | Shape::Present(inner), _) => self.decode(inner, new, old),
            (Shape::Struct(fields), Value::Object(map)) => self.fields(fields, map, old),
            (Shape::List(inner), Value::Array(items)) => self.items(inner, items, old),
            (Shape::MapOf(inner), Value::Object(map)) => self.entries(inner, map, old),
            (Shape::Text, _) => Err("a string"),
            (Shape::Flag, _) => Err("true or false"),
            (Shape::IntOrText, _) => Err("a number"),
            (Shape::List(_), _) => Err("a list"),
            (Shape::Struct(_) | Shape::MapOf(_), _) => Err("a mapping"),
        }
    }

    fn fields(
        &mut self,
        fields: &[Field],
        map: &Map<String, Value>,
        old: Option<&Value>,
    ) -> Decoded {
        let mut result = old.and_then(Value::as_object).cloned().unwrap_or_default();
        for (key, value) in map {
            let exact = fields.iter().find(|field| field.name == key);
            let folded = || fields.iter().find(|field| is_folded(field.name, key));
            let Some(field) = exact.or_else(folded) else {
                continue;
            };
            let before = result.get(field.name).cloned();
            let decoded = self.below(field.name, &field.shape, value, before.as_ref())?;
            match decoded {
                Some(value) => drop(result.insert(field.name.to_owned(), value)),
                None => drop(result.shift_remove(field.name)),
            }
        }
        Ok(Some(Value::Object(result)))
    }

    fn items(&mut self, inner: &Shape, items: &[Value], old: Option<&Value>) -> Decoded {
        let old = old.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let one = |(index, item): (usize, &Value)| {
            let part = format!("[{index}]");
            let decoded = self.below(&part, inner, item, old.get(index))?;
            Ok(decoded.unwrap_or_else(|| zero(inner)))
        };
        let items: Result<Vec<Value>, &'static str> = items.iter().enumerate().map(one).collect();
        Ok(Some(Value::Array(items?)))
    }

    fn entries(&mut self, inner: &Shape, map: &Map<String, Value>, old: Option<&Value>) -> Decoded {
        let mut result = old.and_then(Value::as_object).cloned().unwrap_or_default();
        for (key, value) in map {
            let decoded = self.below(key, inner, value, None)?;
            result.insert(key.clone(), decoded.unwrap_or_else(|| zero(inner)));
        }
        Ok(Some(Value::Object(result)))
    }

    fn below(&mut self, part: &str, shape: &Shape, new: &Value, old: Option<&Value>) -> Decoded {
        let length = self.path.len();
        if length > 0 && !part.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(part);
        let decoded = self.decode(shape, new, old);
        if decoded.is_ok() {
            self.path.truncate(length);
        }
        decoded
    }
}

/// What Go has where nothing was set.
fn zero(shape: &Shape) -> Value {
    match shape {
        Shape::Text => Value::from(""),
        Shape::Flag => Value::from(false),
        Shape::IntOrText => Value::from(0),
        Shape::Struct(_) => Value::Object(Map::new()),
        Shape::Any | Shape::Pointer(_) | Shape::Present(_) | Shape::List(_) | Shape::MapOf(_) => {
            Value::Null
        }
    }
}

/// Whether two names are one where case does not count.
fn is_folded(known: &str, written: &str) -> bool {
    known.len() == written.len() && known.eq_ignore_ascii_case(written)
        || known.to_lowercase() == written.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_read_into_the_old_entries() {
        let old = json!({"plugin": {"name": "p", "parameters": [{"name": "size", "string": "5"}, {"name": "b"}]}});
        let new = json!({"PLUGIN": {"parameters": [{"name": "x", "array": ["a"]}]}, "unknown": 1});
        let wanted = json!({"plugin": {"name": "p", "parameters": [{"name": "x", "string": "5", "array": ["a"]}]}});
        assert_eq!(decode(&SOURCE, &new, Some(&old)), Ok(Some(wanted)));
    }

    #[test]
    fn null_clears_pointers_and_keeps_strings() {
        let old = json!({"path": "a", "plugin": {"name": "p"}, "helm": {"releaseName": "r"}});
        let new = json!({"path": null, "plugin": null, "helm": {"releaseName": null, "valueFiles": null}});
        let wanted = json!({"path": "a", "helm": {"releaseName": "r"}});
        assert_eq!(decode(&SOURCE, &new, Some(&old)), Ok(Some(wanted)));
        let empty = json!({"plugin": {"parameters": [{"name": "a", "map": null}]}});
        let read = decode(&SOURCE, &empty, None).unwrap().unwrap();
        assert_eq!(read["plugin"]["parameters"][0]["map"], json!({}));
    }

    #[test]
    fn a_wrong_type_is_told_by_its_path() {
        let new = json!({"plugin": {"env": [{"name": "a", "value": 1}]}});
        let words = decode(&SOURCE, &new, None).unwrap_err();
        assert_eq!(words, "`plugin.env[0].value` is not a string");
    }
}
