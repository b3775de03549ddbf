//! The inputs of a ResourceSet: its own, those of a file, and those of Static providers.
//!
//! Follows internal/inputs of flux-operator: `Flatten` puts one set after the other, `Permute` makes every
//! combination, each below the provider's name in lower case. Providers are sorted by name, the set comes first.
//! The provider's `id` is an Adler-32 sum, since its UID is not known.

use serde_json::{Map, Value as Json, json};

use super::objects::text;
use super::wrong;
use crate::diagnostic::Result;
use crate::go::template::{IntType, Value, adler32};

/// The most combinations that flux-operator makes.
const MAX_PERMUTATIONS: usize = 10_000;

/// What is given beside the set.
#[derive(Debug, Default)]
pub struct Given {
    /// Inputs that take the place of the set's own: `--inputs-from`.
    pub inputs: Option<Json>,
    /// Objects among which the providers are: `--inputs-from-provider`.
    pub providers: Option<Vec<Json>>,
}

/// The set with the namespace that it is in. Fails where it has no name.
pub(super) fn named(set: &Json) -> Result<Json> {
    if !set.is_object() || text(set, "/metadata/name").is_empty() {
        return Err(wrong("the ResourceSet has no name"));
    }
    let mut set = set.clone();
    if text(&set, "/metadata/namespace").is_empty() {
        set["metadata"]["namespace"] = "flux-system".into();
    }
    Ok(set)
}

/// One provider: its reference, and its sets of inputs.
struct Provider {
    kind: &'static str,
    name: String,
    namespace: String,
    inputs: Vec<Map<String, Json>>,
}

/// Every set of inputs, ready for templates.
pub(super) fn combined(set: &Json, given: &Given) -> Result<Vec<Value>> {
    let sources = set
        .pointer("/spec/inputsFrom")
        .and_then(Json::as_array)
        .cloned()
        .unwrap_or_default();
    if !sources.is_empty() && given.inputs.is_none() && given.providers.is_none() {
        return Err(
            wrong("the ResourceSet takes inputs from providers, which are not given")
                .help("give them with --inputs-from or --inputs-from-provider"),
        );
    }
    let own = given
        .inputs
        .as_ref()
        .or_else(|| set.pointer("/spec/inputs"));
    let namespace = text(set, "/metadata/namespace").to_owned();
    let mut providers = vec![Provider {
        kind: "ResourceSet",
        name: text(set, "/metadata/name").to_owned(),
        namespace: namespace.clone(),
        inputs: maps(own)?,
    }];
    if let Some(objects) = &given.providers {
        providers.extend(chosen(&sources, static_providers(objects, &namespace)?)?);
    }
    match text(set, "/spec/inputStrategy/name") {
        "" | "Flatten" => flattened(&providers),
        "Permute" => {
            let keeps_empty = set.pointer("/spec/inputStrategy/includeEmptyProviders");
            permuted(
                &providers,
                keeps_empty.and_then(Json::as_bool).unwrap_or_default(),
            )
        }
        other => Err(wrong(format!("{other:?} is not an input strategy"))),
    }
}

fn maps(inputs: Option<&Json>) -> Result<Vec<Map<String, Json>>> {
    let items = match inputs {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(_) => return Err(wrong("the inputs are not a list")),
    };
    items
        .iter()
        .map(|item| match item {
            Json::Null => Ok(Map::new()),
            Json::Object(fields) => match fields.iter().find(|(_, value)| value.is_null()) {
                Some((key, _)) => Err(wrong(format!(
                    "the input `{key}` is null, at which the operator crashes"
                ))),
                None => Ok(fields.clone()),
            },
            _ => Err(wrong("a set of inputs is not a mapping")),
        })
        .collect()
}

fn static_providers(objects: &[Json], namespace: &str) -> Result<Vec<(Json, Provider)>> {
    let mut found = Vec::new();
    for object in objects {
        let own = text(object, "/metadata/namespace");
        if !own.is_empty() && own != namespace {
            continue;
        }
        let name = text(object, "/metadata/name");
        if name.is_empty() {
            return Err(wrong("a provider of inputs has no name"));
        }
        let kind = text(object, "/spec/type");
        if kind != "Static" {
            return Err(wrong(format!(
                "the provider {name:?} is of type {kind:?}: only Static ones are known without a cluster"
            )));
        }
        let mut values = maps(Some(&json!([object
            .pointer("/spec/defaultValues")
            .cloned()
            .unwrap_or(json!({}))])))?;
        for inputs in &mut values {
            inputs.insert("id".to_owned(), adler32(name.as_bytes()).to_string().into());
        }
        let provider = Provider {
            kind: "ResourceSetInputProvider",
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            inputs: values,
        };
        found.push((object.clone(), provider));
    }
    Ok(found)
}

/// The providers that `inputsFrom` names or selects, sorted by name.
fn chosen(sources: &[Json], mut known: Vec<(Json, Provider)>) -> Result<Vec<Provider>> {
    known.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    known.dedup_by(|(_, later), (_, earlier)| {
        let is_same = later.name == earlier.name;
        if is_same {
            std::mem::swap(later, earlier);
        }
        is_same
    });
    for source in sources {
        if text(source, "/name").is_empty() && source.get("selector").is_none_or(Json::is_null) {
            return Err(wrong(
                "an entry of inputsFrom has neither a name nor a selector",
            ));
        }
    }
    let mut chosen = Vec::new();
    for (object, provider) in known {
        let mut is_chosen = false;
        for source in sources {
            is_chosen |= match text(source, "/name") {
                "" => selects(&source["selector"], &object)?,
                name => name == provider.name,
            };
        }
        if is_chosen {
            chosen.push(provider);
        }
    }
    Ok(chosen)
}

/// Whether a label selector takes an object.
fn selects(selector: &Json, object: &Json) -> Result<bool> {
    let label = |key: &str| {
        object
            .pointer("/metadata/labels")
            .and_then(|l| l.get(key))
            .and_then(Json::as_str)
    };
    let labels = selector.get("matchLabels").and_then(Json::as_object);
    if labels.is_some_and(|labels| {
        labels
            .iter()
            .any(|(key, value)| label(key) != value.as_str())
    }) {
        return Ok(false);
    }
    let expressions = selector.get("matchExpressions").and_then(Json::as_array);
    for expression in expressions.into_iter().flatten() {
        let value = label(text(expression, "/key"));
        let values = expression
            .get("values")
            .and_then(Json::as_array)
            .cloned()
            .unwrap_or_default();
        let is_in = value.is_some_and(|value| values.iter().any(|v| v.as_str() == Some(value)));
        let takes_values = matches!(text(expression, "/operator"), "In" | "NotIn");
        if takes_values == values.is_empty() {
            return Err(wrong("the values of a selector do not fit its operator"));
        }
        let fits = match text(expression, "/operator") {
            "In" => is_in,
            "NotIn" => !is_in,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            other => return Err(wrong(format!("{other:?} is not an operator of a selector"))),
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

fn with_reference(provider: &Provider, inputs: &Map<String, Json>) -> Json {
    let mut inputs = inputs.clone();
    inputs.insert(
        "provider".to_owned(),
        json!({
            "apiVersion": "fluxcd.controlplane.io/v1",
            "kind": provider.kind,
            "name": provider.name,
            "namespace": provider.namespace,
        }),
    );
    Json::Object(inputs)
}

fn flattened(providers: &[Provider]) -> Result<Vec<Value>> {
    let sets = providers
        .iter()
        .flat_map(|p| p.inputs.iter().map(move |inputs| with_reference(p, inputs)));
    Ok(sets.map(|inputs| value(&inputs)).collect())
}

fn permuted(providers: &[Provider], keeps_empty: bool) -> Result<Vec<Value>> {
    let mut all: Vec<(Map<String, Json>, Vec<String>)> = vec![(Map::new(), Vec::new())];
    let mut has_any = false;
    for provider in providers
        .iter()
        .filter(|p| keeps_empty || !p.inputs.is_empty())
    {
        has_any = true;
        let key = key_of(&provider.name);
        if all.len().saturating_mul(provider.inputs.len()) > MAX_PERMUTATIONS {
            return Err(wrong(format!(
                "the inputs have more than {MAX_PERMUTATIONS} combinations"
            )));
        }
        if key.is_empty() {
            return Err(wrong(format!(
                "nothing is left of the provider's name {:?} as a key",
                provider.name
            )));
        }
        let mut next = Vec::new();
        for (inputs, ids) in &all {
            for (index, own) in provider.inputs.iter().enumerate() {
                let (mut inputs, mut ids) = (inputs.clone(), ids.clone());
                inputs.insert(key.clone(), with_reference(provider, own));
                ids.push(format!("{key}={index}"));
                next.push((inputs, ids));
            }
        }
        all = next;
    }
    if !has_any {
        return Ok(Vec::new());
    }
    Ok(all
        .into_iter()
        .map(|(mut inputs, ids)| {
            inputs.insert(
                "id".to_owned(),
                adler32(ids.join("/").as_bytes()).to_string().into(),
            );
            value(&Json::Object(inputs))
        })
        .collect())
}

/// A provider's name as a key: lower case, words joined by `_`.
fn key_of(name: &str) -> String {
    let mapped: String = (name.to_lowercase().chars())
        .filter_map(|c| match c {
            'a'..='z' | '0'..='9' => Some(c),
            c if c.is_whitespace() || c.is_ascii_punctuation() => Some('_'),
            _ => None,
        })
        .collect();
    let words: Vec<&str> = mapped.split('_').filter(|word| !word.is_empty()).collect();
    words.join("_")
}

/// A value as apimachinery reads JSON: whole numbers are int64, others float64.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Value::Int(int, IntType::Int64),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::string(text),
        Json::Array(items) => Value::list(items.iter().map(value).collect()),
        Json::Object(fields) => Value::map(
            fields
                .iter()
                .map(|(key, inner)| (key.as_str().into(), value(inner))),
        ),
    }
}
