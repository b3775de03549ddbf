//! What inputs and parameters are for an overlay and a target.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;

use super::config::{Config, Located, Name, Override, read_annotation};
use super::convert::{to_node, to_value};
use super::definition::Definition;
use super::language::Language;
use super::library::{Library, Loaded};
use super::schema;
use super::target::OverlayTarget;
use super::{HostParameter, Policy, Request};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result, Source, nearest};
use crate::yaml::{self, Mapping, Node, ParseOptions, Tag, Value as Content};

/// The annotation by which an object sets its own parameters.
pub(super) const ANNOTATION: &str = "prerender.dev/overlays";

/// The value of every input that a definition declares.
///
/// What the administrator sets comes first, then what the project sets under `inputs`, then the values of the
/// cluster, then the default; where the administrator locks it, nothing of the project counts. Fails with [`Code::OverlayInput`] for a value that the input does not allow.
pub(super) fn inputs(
    definition: &Definition,
    request: &Request<'_>,
) -> Result<Vec<(String, Value)>> {
    let mut inputs = Vec::with_capacity(definition.inputs.len());
    let policy = request.host.policy;
    for (name, input) in &definition.inputs {
        let administrator = policy.and_then(|p| p.parameters.get(name));
        let is_open = administrator.is_none() && !policy.is_some_and(|p| p.locks(name));
        let own = request.config.inputs.get(name).filter(|_| is_open);
        let (node, source, place) = match administrator.or(own) {
            Some(set) => (set.node.clone(), Arc::clone(&set.source), Some(set.place())),
            None => match request
                .values
                .get_attr(name)
                .ok()
                .filter(|v| is_open && !v.is_undefined() && !v.is_none())
            {
                Some(value) => {
                    let node = as_condition(&value, &input.schema);
                    (node, Arc::clone(&definition.source), None)
                }
                None => {
                    inputs.push((name.clone(), to_value(&input.default)));
                    continue;
                }
            },
        };
        schema::check(&node, &input.schema, name, &source).map_err(|error| {
            let found = Diagnostic::new(Code::OverlayInput, format!("input {}", error.phrase()));
            match place {
                Some(place) => found.at(place),
                None => found.note("it is set among the values of the project"),
            }
            .help(format!(
                "{} reads it: {}",
                definition.name, input.description
            ))
        })?;
        inputs.push((name.clone(), to_value(&node)));
    }
    Ok(inputs)
}

/// A value of the project as an input takes it. Where that is true or false, the value counts as in a
/// condition of a template: derived values are often the last operand of an `and`. A text that only looks
/// like true or false is left to be refused.
fn as_condition(value: &Value, schema: &Node) -> Node {
    let is_flag = schema.get("type").and_then(Node::scalar_text) == Some("boolean");
    let looks_like_flag = value.as_str().is_some_and(|text| {
        let words = ["true", "false", "yes", "no", "on", "off"];
        words.contains(&text.to_ascii_lowercase().as_str())
    });
    if is_flag && !looks_like_flag {
        Node::bool(value.is_true())
    } else {
        to_node(value)
    }
}

/// What applies to one target: the entries of `for` that select it, and its annotation.
pub(super) struct Layers<'a> {
    request: &'a Request<'a>,
    overrides: Vec<&'a Override>,
    annotation: Option<Override>,
}

impl<'a> Layers<'a> {
    /// Finds what applies to a target. `used` learns which entries of `for` select something.
    pub(super) fn of(
        request: &'a Request<'a>,
        target: &OverlayTarget<'_>,
        used: &mut [bool],
    ) -> Result<Self> {
        let selected = target.selected();
        let mut overrides = Vec::new();
        for (entry, used) in request.config.overrides.iter().zip(used) {
            if entry.selector.selects(&selected) {
                *used = true;
                overrides.push(entry);
            }
        }
        Ok(Self {
            request,
            overrides,
            annotation: annotation(target)?,
        })
    }

    /// Every text of `skip` that applies.
    pub(super) fn skips(&self) -> impl Iterator<Item = &Name> {
        let entries = self.overrides.iter().copied().chain(&self.annotation);
        entries.flat_map(|entry| &entry.skip)
    }

    /// The namespace that an entry of `for` gives the target.
    pub(super) fn namespace(&self) -> Option<&'a str> {
        self.overrides
            .iter()
            .rev()
            .find_map(|entry| entry.namespace.as_deref())
    }

    /// What the project, the object, the host and its administrator set a parameter to, the last of them.
    fn setting(&self, overlay: &str, name: &str) -> Option<&Located> {
        let host = &self.request.host;
        let administrator = host.policy.and_then(|p| p.parameters.get(name));
        let is_locked = |p: &Policy| p.locks(name) || p.keeps(overlay, name);
        if administrator.is_some() || host.policy.is_some_and(is_locked) {
            return administrator;
        }
        self.given(overlay, name)
    }

    /// What the project, the object and the host set a parameter to, the last of them.
    fn given(&self, overlay: &str, name: &str) -> Option<&Located> {
        let host = &self.request.host;
        let parameter = host
            .parameters
            .iter()
            .rev()
            .find(|p| p.overlay == overlay && p.name == name);
        let annotated = || self.annotation.as_ref()?.parameters.get(name);
        let entries = || {
            self.overrides
                .iter()
                .rev()
                .find_map(|e| e.parameters.get(name))
        };
        parameter
            .map(|p| &p.value)
            .or_else(annotated)
            .or_else(entries)
            .or_else(|| self.request.config.parameters.get(name))
    }

    /// Tells which parameters of a mandatory overlay are set here and count for nothing.
    pub(super) fn tell_unheard(&self, definition: &Definition, report: &mut Report) {
        let Some(policy) = self.request.host.policy else {
            return;
        };
        let overlay = &definition.name;
        for name in definition.parameters.keys() {
            let is_told = policy.keeps(overlay, name) && !policy.locks(name);
            let Some(set) = self.given(overlay, name).filter(|_| is_told) else {
                continue;
            };
            let phrase = format!(
                "{overlay} is mandatory here, and its parameter {name} is the administrator's: what is set is not used"
            );
            report.push(
                Diagnostic::warning(Code::OverlayConfig, phrase)
                    .at(set.place())
                    .help(format!(
                        "an administrator of Argo CD can list {name} in the policy, under `overlays.free`"
                    )),
            );
        }
    }

    /// The value of every parameter of a definition. Fails with [`Code::OverlayParameter`] at a value
    /// that its schema refuses.
    pub(super) fn parameters(
        &self,
        definition: &Definition,
        language: &Language,
        context: &Value,
    ) -> Result<Node> {
        let mut parameters = Mapping::default();
        for (name, parameter) in &definition.parameters {
            let schema = &parameter.schema;
            let (mut node, source) = match self.setting(&definition.name, name) {
                Some(set) => (set.node.clone(), &set.source),
                None => {
                    let default = schema.get("default").cloned().unwrap_or_else(Node::null);
                    let place = super::read::place(&default, &definition.source);
                    let node = language.resolve(&default, &place, context)?;
                    if node.is_null() {
                        parameters.insert(name.as_str(), node);
                        continue;
                    }
                    (node, &definition.source)
                }
            };
            schema::read_text(&mut node, schema);
            schema::fill(&mut node, schema, &|default| {
                let place = super::read::place(default, &definition.source);
                language.resolve(default, &place, context)
            })?;
            schema::check(&node, schema, name, source).map_err(|e| {
                let about = if parameter.description.is_empty() {
                    &*definition.name
                } else {
                    &parameter.description
                };
                e.help(format!("{name} of {}: {about}", definition.name))
            })?;
            parameters.insert(name.as_str(), node);
        }
        Ok(Node::new(Content::Mapping(parameters), Tag::Map))
    }
}

fn annotation(target: &OverlayTarget<'_>) -> Result<Option<Override>> {
    let Some(node) = target.annotation(ANNOTATION) else {
        return Ok(None);
    };
    let place = target.resource.and_then(|r| r.place_of(node));
    let text = node.scalar_text().unwrap_or_default();
    let file = place
        .as_ref()
        .map_or_else(|| Arc::from(ANNOTATION), |p| Arc::clone(&p.file));
    let source = Arc::new(Source::committed(file));
    let wrong = |error: Diagnostic| {
        let phrase = format!("{}: {}", target.display(), error.phrase());
        let own = Diagnostic::new(error.code(), phrase).at(place.clone());
        error
            .remedies()
            .iter()
            .fold(own, |own, help| own.help(help.as_str()))
    };
    let documents = yaml::parse(text, ParseOptions::default()).map_err(|e| wrong(e.at(&source)))?;
    let Some(mut document) = documents.into_iter().next() else {
        return Ok(None);
    };
    if let Some(place) = &place {
        locate(&mut document, place);
    }
    read_annotation(&document, &source).map(Some).map_err(wrong)
}

/// Gives every node of an annotation's text the place of the annotation.
fn locate(node: &mut Node, place: &Place) {
    let mark = yaml::Mark {
        line: place.line,
        column: place.column,
    };
    let content = std::mem::replace(node, Node::null());
    let tag = content.tag();
    let value = match content.into_value() {
        Content::Sequence(mut items) => {
            items.iter_mut().for_each(|n| locate(n, place));
            Content::Sequence(items)
        }
        Content::Mapping(mut mapping) => {
            for entry in mapping.entries_mut() {
                locate(&mut entry.key, place);
                locate(&mut entry.value, place);
            }
            Content::Mapping(mapping)
        }
        scalar @ Content::Scalar(_) => scalar,
    };
    *node = Node::new(value, tag).with_mark(mark);
}

/// Refuses names of parameters, inputs and overlays that no overlay in use has.
pub(super) fn check_names(config: &Config, library: &Library) -> Result<()> {
    let definitions = || library.overlays.iter().map(|o: &Loaded| &*o.definition);
    let parameters: IndexMap<&str, ()> = definitions()
        .flat_map(|d| d.parameters.keys().map(|n| (n.as_str(), ())))
        .collect();
    let inputs: IndexMap<&str, ()> = definitions()
        .flat_map(|d| d.inputs.keys().map(|n| (n.as_str(), ())))
        .collect();
    let refuse = |what: &str, name: &str, place: Place, known: Vec<&str>| {
        let phrase = format!("no overlay in use has {what} {name}");
        let error = Diagnostic::new(Code::OverlayConfig, phrase).at(place);
        match nearest(name, known.iter().copied()) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help(format!("known are {}", known.join(", "))),
        }
    };
    let set = config.overrides.iter().flat_map(|entry| &entry.parameters);
    for (name, value) in config.parameters.iter().chain(set) {
        if !parameters.contains_key(name.as_str()) {
            return Err(refuse(
                "the parameter",
                name,
                value.place(),
                parameters.keys().copied().collect(),
            ));
        }
    }
    for (name, value) in &config.inputs {
        if !inputs.contains_key(name.as_str()) {
            return Err(refuse(
                "the input",
                name,
                value.place(),
                inputs.keys().copied().collect(),
            ));
        }
    }
    for name in config.overrides.iter().flat_map(|entry| &entry.skip) {
        let names: Vec<_> = definitions().map(|d| &*d.name).collect();
        if !names.contains(&name.text.as_str()) {
            return Err(refuse("the name", &name.text, name.place.clone(), names));
        }
    }
    Ok(())
}

/// Refuses parameters of the host that no overlay in use has.
pub(super) fn check_host(parameters: &[HostParameter], library: &Library) -> Result<()> {
    let definitions = library.overlays.iter().map(|o| &o.definition);
    let names = |d: &Definition| -> Vec<String> {
        let parameters = d.parameters.keys();
        parameters
            .map(|p| format!("overlays.{}.{p}", d.name))
            .collect()
    };
    let known: Vec<String> = definitions.flat_map(|d| names(d)).collect();
    for parameter in parameters {
        let name = format!("overlays.{}.{}", parameter.overlay, parameter.name);
        if known.contains(&name) {
            continue;
        }
        let phrase = format!("there is no parameter {name}");
        let error = Diagnostic::new(Code::ParameterInvalid, phrase).at(parameter.value.place());
        return Err(match nearest(&name, known.iter().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None if known.is_empty() => error.help("no overlay is in use here"),
            None => error.help("`plugin overlays show OVERLAY` lists the parameters of an overlay"),
        });
    }
    Ok(())
}
