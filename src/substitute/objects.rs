//! The step that Flux takes with each object of a build.
//!
//! An object is printed as kustomize prints it, which has dropped the quotes that its author wrote; its
//! text is expanded; and the result is read as YAML 1.1, which is how a quoted reference becomes a number.

use super::expression::{self, Fault};
use super::{Strictness, Variables, evaluate, traps};
use crate::diagnostic::budget::Growth;
use crate::diagnostic::{Code, Diagnostic, Place, Report};
use crate::kube::{ResMap, Resource};
use crate::yaml::{
    self, DuplicateKeys, Mark, Node, ParseOptions, Style, Tag, Value, write_manifest,
};

/// The label or annotation by which an object is left alone when it says `disabled`.
pub const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Fills the variables of every object that does not opt out.
///
/// Objects that hold no `$` stay as they are; so does everything when there is no variable and the
/// strategy does not say otherwise. Returns the objects, and warnings about quotes that did not survive.
/// Fails with every [`Code::VariableMissing`] and [`Code::SubstitutionInvalid`] there is.
pub fn run(
    mut resources: ResMap,
    variables: &Variables,
    strictness: Strictness,
) -> Result<(ResMap, Report), Report> {
    let mut warnings = Report::default();
    let mut errors = Report::default();
    if !variables.apply() {
        return Ok((resources, warnings));
    }
    for resource in resources.iter_mut() {
        if is_disabled(resource) || !mentions_variables(resource.node()) {
            continue;
        }
        match fill(resource, variables, strictness) {
            Ok(filled) => {
                let expand = |text: &str| expanded(text, variables, strictness).ok();
                let traps = traps::check(resource, &filled, &expand);
                warnings.findings.extend(traps);
                resource.change(|node| *node = filled);
            }
            Err(found) => errors.findings.extend(found.findings),
        }
    }
    if errors.is_empty() {
        Ok((resources, warnings))
    } else {
        Err(errors)
    }
}

fn is_disabled(resource: &Resource) -> bool {
    ["labels", "annotations"].iter().any(|field| {
        let value = resource.node().lookup(&["metadata", field, SWITCH]);
        value.and_then(Node::as_str) == Some("disabled")
    })
}

/// Whether any scalar holds a `$`, without which a text is its own expansion.
fn mentions_variables(node: &Node) -> bool {
    match node.value() {
        Value::Scalar(text) => text.contains('$'),
        Value::Sequence(items) => items.iter().any(mentions_variables),
        Value::Mapping(mapping) => mapping
            .entries()
            .iter()
            .any(|e| mentions_variables(&e.key) || mentions_variables(&e.value)),
    }
}

fn fill(
    resource: &Resource,
    variables: &Variables,
    strictness: Strictness,
) -> Result<Node, Report> {
    let mut printed = Vec::new();
    write_manifest(&mut printed, resource.node())
        .map_err(|error| unprintable(resource, error.mark))?;
    let printed = String::from_utf8_lossy(&printed);
    let expand = |text: &str| expanded(text, variables, strictness);
    let expanded = expand(&printed).map_err(|fault| {
        let all = |text: &str| all_faults(text, variables, strictness);
        faults(resource, &fault, variables, &all)
    })?;
    let expanded = String::from_utf8(expanded).map_err(|_| cut_character(resource))?;
    let mut filled = read(&expanded).ok_or_else(|| unreadable(resource, variables))?;
    keep_places(&mut filled, resource.node());
    Ok(filled)
}

/// Everything that is wrong with a text: each variable that is not set, up to what cannot be expanded at all.
fn all_faults(text: &str, variables: &Variables, strictness: Strictness) -> Vec<Fault> {
    let (mut known, mut found) = (variables.clone(), Vec::new());
    while let Err(fault) = expanded(text, &known, strictness) {
        let name = match &fault {
            Fault::NotSet(name) => Some(name.clone()),
            _ => None,
        };
        found.push(fault);
        match name {
            Some(name) => known.insert_unchecked(&name, ""),
            None => break,
        }
    }
    found
}

fn expanded(text: &str, variables: &Variables, strictness: Strictness) -> Result<Vec<u8>, Fault> {
    let pieces = expression::parse(text).map_err(|(fault, _)| fault)?;
    let mut out = Vec::with_capacity(text.len());
    evaluate::write(&mut out, &pieces, variables, strictness)?;
    Ok(out)
}

/// Reads what was expanded, as sigs.k8s.io/yaml does: the last of repeated keys wins.
fn read(text: &str) -> Option<Node> {
    let options = ParseOptions {
        duplicate_keys: DuplicateKeys::LastWins,
        ..ParseOptions::default()
    };
    let mut node = yaml::parse_first(text, options).ok().flatten()?;
    node.as_mapping()?;
    read_as_yaml_1_1(&mut node);
    Some(node)
}

/// Plain `yes`, `on` and their kin are booleans, and a date is text; go-yaml v2 reads no other scalar
/// differently from v3.
fn read_as_yaml_1_1(node: &mut Node) {
    if node.tag() == Tag::Timestamp {
        node.set_tag(Tag::Str);
        node.set_style(Style::DoubleQuoted);
    }
    let is_plain = node.style() == Style::Plain && node.tag() == Tag::Str;
    let mut boolean = None;
    match node.value_mut() {
        Value::Scalar(text) if is_plain => {
            boolean = match text.as_str() {
                "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
                "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
                _ => None,
            };
        }
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter_mut().for_each(read_as_yaml_1_1),
        Value::Mapping(mapping) => {
            let entries = mapping.entries_mut().iter_mut();
            entries.for_each(|e| read_as_yaml_1_1(&mut e.value));
        }
    }
    if let Some(value) = boolean {
        *node = Node::bool(value).with_mark(node.mark());
    }
}

/// Gives each node the place of what it was before; a new one gets that of the collection it is in.
fn keep_places(node: &mut Node, before: &Node) {
    place(node, Some(before), before.mark());
}

fn place(node: &mut Node, before: Option<&Node>, around: Mark) {
    let mark = before.map_or(around, Node::mark);
    let taken = std::mem::replace(node, Node::null());
    *node = taken.with_mark(mark);
    match node.value_mut() {
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            let old = before.and_then(Node::as_sequence).unwrap_or_default();
            for (index, item) in items.iter_mut().enumerate() {
                place(item, old.get(index), mark);
            }
        }
        Value::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                let key = entry.key.scalar_text().unwrap_or_default();
                let old = before.and_then(Node::as_mapping).and_then(|m| m.entry(key));
                place(&mut entry.key, old.map(|e| &e.key), mark);
                place(&mut entry.value, old.map(|e| &e.value), mark);
            }
        }
    }
}

fn unprintable(resource: &Resource, mark: Mark) -> Report {
    let phrase = format!("{} cannot be printed to be filled", resource.id());
    let node = Node::null().with_mark(mark);
    Diagnostic::new(Code::SubstitutionInvalid, phrase)
        .at(resource.place_of(&node))
        .into()
}

/// One finding for each scalar that cannot be expanded on its own; the object as a whole otherwise.
fn faults(
    resource: &Resource,
    first: &Fault,
    variables: &Variables,
    faults_of: &dyn Fn(&str) -> Vec<Fault>,
) -> Report {
    let mut report = Report::default();
    each_scalar(resource.node(), &mut |node| {
        let text = node.scalar_text().unwrap_or_default();
        let found = text.contains("${").then(|| faults_of(text));
        for fault in found.unwrap_or_default() {
            let place = place_in(resource, node, &fault);
            report.push(explain(resource, &fault, variables).at(place));
        }
    });
    if report.is_empty() {
        report.push(explain(resource, first, variables).at(resource.place()));
    }
    report
}

/// Visits keys and values in order.
pub(super) fn each_scalar<'n>(node: &'n Node, visit: &mut dyn FnMut(&'n Node)) {
    match node.value() {
        Value::Scalar(_) => visit(node),
        Value::Sequence(items) => items.iter().for_each(|item| each_scalar(item, visit)),
        Value::Mapping(mapping) => {
            for entry in mapping.entries() {
                each_scalar(&entry.key, visit);
                each_scalar(&entry.value, visit);
            }
        }
    }
}

/// The place of a fault: within a block scalar, the line that it is on.
fn place_in(resource: &Resource, node: &Node, fault: &Fault) -> Option<Place> {
    let text = node.scalar_text().unwrap_or_default();
    let offset = match fault {
        Fault::NotSet(name) | Fault::NegativeLength(name) => text.find(&format!("{{{name}")),
        _ => expression::parse(text).err().map(|(_, offset)| offset),
    };
    let before = &text[..offset.unwrap_or(0)];
    if node.style() != Style::Literal || node.mark().line == 0 {
        return resource.place_of(node);
    }
    let lines = u32::try_from(before.matches('\n').count()).unwrap_or(0);
    let line = node.mark().line + 1 + lines;
    resource.place_of(&Node::null().with_mark(Mark { line, column: 0 }))
}

fn explain(resource: &Resource, fault: &Fault, variables: &Variables) -> Diagnostic {
    let invalid = |what: &str| {
        let phrase = format!("{what} in {}", resource.id());
        Diagnostic::new(Code::SubstitutionInvalid, phrase)
            .help("write `$$` for a `$` that is no reference")
            .help(format!("or annotate the object with {SWITCH}: disabled"))
    };
    match fault {
        Fault::NotSet(name) => missing(resource, name, variables),
        Fault::Spent => Growth::SubstitutedBytes.spent().at(resource.place()),
        Fault::BadSubstitution => invalid("a `${` reference has an operator that is not complete"),
        Fault::MissingClosingBrace => invalid("a `${` reference is not closed after its name"),
        Fault::NoName => invalid("`${` is not followed by a name"),
        Fault::NoArgument => invalid("an operator of a `${` reference lacks its argument"),
        Fault::TooDeep => invalid("`${` references are nested too deeply"),
        Fault::NegativeLength(name) => {
            invalid(&format!("`${{{name}:…}}` asks for a length below zero"))
                .note("Flux's controller crashes on it")
        }
    }
}

fn missing(resource: &Resource, name: &str, variables: &Variables) -> Diagnostic {
    let phrase = format!(
        "{} refers to ${{{name}}}, which is not defined",
        resource.id()
    );
    let mut finding = Diagnostic::new(Code::VariableMissing, phrase);
    if let Some(near) = crate::diagnostic::nearest(name, variables.names()) {
        finding = finding.note(format!("there is ${{{near}}}"));
    }
    finding = match variables.owner() {
        (Some(owner), Some(place)) => finding.help(format!(
            "define {name} in spec.postBuild of {owner} ({place}), or in what its substituteFrom names"
        )),
        (Some(owner), None) => finding.help(format!(
            "define {name} in spec.postBuild of {owner}, or in what its substituteFrom names"
        )),
        (None, _) => finding.help(format!("define {name} with --var {name}=… or --vars-from FILE")),
    };
    finding
        .help(format!("or give it a default: ${{{name}:=…}}"))
        .help(format!("or write $${{{name}}} if it is not meant for Flux"))
}

fn cut_character(resource: &Resource) -> Report {
    let phrase = format!("a substring cuts a character in two in {}", resource.id());
    Diagnostic::new(Code::SubstitutionInvalid, phrase)
        .at(resource.place())
        .note("offsets and lengths count bytes, as in Flux")
        .into()
}

fn unreadable(resource: &Resource, variables: &Variables) -> Report {
    let phrase = format!("{} is no YAML after substitution", resource.id());
    let mut used = Vec::new();
    each_scalar(resource.node(), &mut |node| {
        let text = node.scalar_text().unwrap_or_default();
        for name in variables.names() {
            if text.contains(&format!("${{{name}")) && !used.contains(&name) {
                used.push(name);
            }
        }
    });
    Diagnostic::new(Code::SubstitutionInvalid, phrase)
        .at(resource.place())
        .note(format!("it is filled with {}", used.join(", ")))
        .note("the object is printed without the quotes that are around a reference, and the value stands bare")
        .help("put quotes into the value of the variable, or write ${quote}${name}${quote} with quote: '\"'")
        .into()
}
