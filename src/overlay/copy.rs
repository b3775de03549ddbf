//! A copy of what an overlay adds, in a form that the user keeps: template, manifest or component.

use std::fmt::Write as _;

use super::definition::Definition;
use super::library::Loaded;
use super::{Expansion, Instance, Set, splice};
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::files::Files as _;
use crate::files::TreePath;
use crate::yaml::{self, JsonStyle, Node};

/// The form of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Jinja templates with the overlay marks, which read the project's variables; parameters are written out,
    /// and so are patches.
    Template,
    /// The manifests as they are rendered.
    Manifest,
    /// The manifests, and a kustomize Component that lists them.
    Component,
}

/// Copies what an overlay adds to a root, as names and texts.
///
/// Fails with [`Code::OverlayUnknown`] where the overlay adds nothing there.
pub fn copy(
    sets: &[Set],
    expansion: &Expansion,
    directory: &TreePath,
    name: &str,
    form: Form,
) -> Result<Vec<(String, String)>> {
    let mut instances = expansion
        .instances
        .iter()
        .filter(|i| *i.overlay == *name && !i.files.is_empty())
        .peekable();
    if instances.peek().is_none() {
        let phrase = format!("{name} adds nothing to this root");
        let error = Diagnostic::new(Code::OverlayUnknown, phrase);
        let reasons = expansion.instances.iter().filter(|i| *i.overlay == *name);
        return Err(reasons.fold(error, |e, i| {
            e.note(format!("{}: {}, {}", i.target, i.state.name(), i.reason))
        }));
    }
    let mut files = Vec::new();
    let (mut resources, mut patches) = (Vec::new(), Vec::new());
    for instance in instances {
        for attached in &instance.files {
            match &attached.target {
                Some(_) => patches.push(attached.entry()),
                None => resources.push(attached.entry()),
            }
            files.push((
                attached.name.clone(),
                added(expansion, directory, &attached.name)?,
            ));
        }
        if form == Form::Template {
            let is_resource = |name: &str| {
                instance
                    .files
                    .iter()
                    .any(|f| f.name == name && f.target.is_none())
            };
            files.retain(|(name, _)| !is_resource(name));
            files.extend(templates(sets, instance)?);
        }
    }
    if form == Form::Component {
        let head = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";
        let source = Source::committed("kustomization.yaml");
        let text = splice::add_to_list(head, &source, "resources", &resources)?;
        let text = splice::add_to_list(&text, &source, "patches", &patches)?;
        files.insert(0, ("kustomization.yaml".to_owned(), text));
    }
    Ok(files)
}

/// The text of an added file.
fn added(expansion: &Expansion, directory: &TreePath, name: &str) -> Result<String> {
    let view = expansion
        .view
        .as_ref()
        .expect("an instance with files has a view");
    let path = directory
        .join(name)
        .expect("a file name stays in its directory");
    Ok(String::from_utf8_lossy(&view.read(&path)?.bytes).into_owned())
}

/// The overlay's own files, each made to stand alone: what it reads is set at its head.
fn templates(sets: &[Set], instance: &Instance) -> Result<Vec<(String, String)>> {
    let all = sets.iter().flat_map(|s| &s.overlays);
    let Some(overlay) = all
        .into_iter()
        .find(|o| o.definition.name == instance.overlay)
    else {
        let phrase = format!(
            "{} is an overlay of the project, and a template already",
            instance.overlay
        );
        return Err(Diagnostic::new(Code::OverlayUnknown, phrase));
    };
    let head = head(&overlay.definition, instance)?;
    let mut files = Vec::new();
    for rule in &overlay.definition.rules {
        let (open, close) = match &rule.when {
            Some(when) => (format!("#% if {} %#\n", when.text.trim()), "#% endif %#\n"),
            None => (String::new(), ""),
        };
        for addition in &rule.resources {
            let name = addition
                .name
                .text
                .replace("#{ target.name }#", &instance.names[0]);
            if instance
                .files
                .iter()
                .any(|f| f.name == name || f.name == format!("prerender-{name}"))
            {
                let body = body(overlay, &addition.file);
                files.push((format!("{name}.j2"), format!("{head}{open}{body}{close}")));
            }
        }
    }
    Ok(files)
}

fn body<'o>(overlay: &'o Loaded, file: &str) -> &'o str {
    overlay.file(file).map_or("", |(_, text)| text)
}

/// Sets what the file of an overlay reads: inputs by their defaults, the target, and the parameters.
fn head(definition: &Definition, instance: &Instance) -> Result<String> {
    let mut head = String::new();
    for (name, input) in &definition.inputs {
        let default = literal(&input.default)?;
        let _ = writeln!(head, "#% set {name} = {name} | default({default}) %#");
    }
    let [name, namespace, source] = &instance.names;
    let mut target = Node::mapping();
    let mut declared = Node::mapping();
    let fields = target.as_mapping_mut().expect("it was just made");
    declared
        .as_mapping_mut()
        .expect("it was just made")
        .insert("name", Node::string(source.as_str()));
    fields.insert("name", Node::string(name.as_str()));
    fields.insert("namespace", Node::string(namespace.as_str()));
    fields.insert("source", declared);
    let _ = writeln!(head, "#% set target = {} %#", literal(&target)?);
    let _ = writeln!(
        head,
        "#% set params = {} %#",
        literal(&instance.parameters)?
    );
    head.push_str("#% macro final_name(name) %##{ name }##% endmacro %#\n");
    head.push_str("#% macro text(text) %##{ text | string | tojson }##% endmacro %#\n");
    Ok(head)
}

/// A node as an expression of Jinja.
fn literal(node: &Node) -> Result<String> {
    if node.is_null() {
        return Ok("none".to_owned());
    }
    if let Some(items) = node.as_sequence() {
        let items: Vec<_> = items.iter().map(literal).collect::<Result<_>>()?;
        return Ok(format!("[{}]", items.join(", ")));
    }
    if let Some(mapping) = node.as_mapping() {
        let entry = |(key, value): (&str, &Node)| {
            Ok(format!(
                "{}: {}",
                literal(&Node::string(key))?,
                literal(value)?
            ))
        };
        let entries: Vec<_> = mapping.iter().map(entry).collect::<Result<_>>()?;
        return Ok(format!("{{{}}}", entries.join(", ")));
    }
    let mut out = Vec::new();
    yaml::write_json(&mut out, node, JsonStyle::Sorted).map_err(|_| {
        Diagnostic::new(
            Code::OverlayInvalid,
            "a parameter has a value that cannot be written",
        )
    })?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}
