//! Looks once at what a repository renders, and writes what it sees as an explicit project file.
//!
//! What to look for is data: `survey.yaml` of the set.

use std::fmt::Write as _;

use indexmap::IndexMap;
use minijinja::Value;

use super::convert::{to_node, to_value};
use super::definition::{Expression, GroupKind, expression, group_kind};
use super::finder::{Finder, FinderMatch, Where, read_finders};
use super::language::Language;
use super::read::Reader;
use crate::diagnostic::{Place, Result, Source};
use crate::files::TreePath;
use crate::kube::{ResMap, Resource};
use crate::yaml::{self, JsonStyle, Mapping, Node, Schema};

/// The variable by which policies audit or enforce.
const MODE: &str = "network_policies_mode";

/// A root of the repository, and what it builds to.
#[derive(Debug)]
pub struct Surveyed<'a> {
    /// Its directory.
    pub directory: &'a TreePath,
    /// Its objects.
    pub built: &'a ResMap,
    /// The namespace that a host sets for all of them, which a plain build does not know.
    pub namespace: Option<&'a str>,
}

/// What a set looks for.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    inputs: Vec<(String, Vec<Finder>)>,
    parameters: Vec<Fact>,
    /// What else overlays apply to, and must know the namespace of.
    placed: Vec<Finder>,
    target: GroupKind,
    target_parameters: Vec<(String, Vec<(String, Expression)>)>,
    services: Vec<String>,
    /// Objects whose Services lead to a target, and how they name it.
    relays: Vec<(GroupKind, Expression)>,
    secrets: Vec<String>,
    carriers: Vec<GroupKind>,
    clients: Vec<(GroupKind, Expression)>,
}

/// A parameter whose value is seen in an object.
#[derive(Debug, Clone)]
struct Fact {
    parameter: String,
    by: Vec<Finder>,
    value: Node,
    place: Place,
}

impl Survey {
    /// Reads the section of a set.
    pub(super) fn read(
        node: &Node,
        source: &Source,
        finders: &IndexMap<String, Vec<Finder>>,
    ) -> Result<Self> {
        let known = ["inputs", "parameters", "placed", "targets"];
        let reader = Reader::new(node, source, "survey", &known)?;
        let by = |reader: &Reader<'_>| -> Result<Vec<Finder>> {
            let node = reader.need("by")?;
            match node.as_str().and_then(|name| finders.get(name)) {
                Some(finders) => Ok(finders.clone()),
                None => read_finders(node, source, "by"),
            }
        };
        let mut inputs = Vec::new();
        for node in reader.list("inputs")? {
            let entry = Reader::new(node, source, "an entry of inputs", &["input", "by"])?;
            inputs.push((entry.need_text("input")?.to_owned(), by(&entry)?));
        }
        let mut parameters = Vec::new();
        for node in reader.list("parameters")? {
            let entry = Reader::new(
                node,
                source,
                "an entry of parameters",
                &["parameter", "by", "value"],
            )?;
            parameters.push(Fact {
                parameter: entry.need_text("parameter")?.to_owned(),
                by: by(&entry)?,
                value: entry.need("value")?.clone(),
                place: entry.place(node),
            });
        }
        let placed = reader.texts("placed")?.into_iter();
        let placed = placed.filter_map(|name| finders.get(name)).flatten();
        let known = ["each", "parameters", "mentions", "carriers", "clients"];
        let targets = Reader::new(reader.need("targets")?, source, "targets", &known)?;
        let mentions = Reader::new(
            targets.need("mentions")?,
            source,
            "mentions",
            &["services", "relays", "secrets"],
        )?;
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
        Ok(Self {
            inputs,
            parameters,
            placed: placed.cloned().collect(),
            target: group_kind(targets.need("each")?, source, "each")?,
            target_parameters: target_parameters(&targets, source)?,
            services: owned(mentions.texts("services")?),
            relays: kinds_with(&mentions, source, "relays", "target")?,
            secrets: owned(mentions.texts("secrets")?),
            carriers: targets
                .list("carriers")?
                .iter()
                .map(|n| group_kind(n, source, "an entry of carriers"))
                .collect::<Result<_>>()?,
            clients: kinds_with(&targets, source, "clients", "labels")?,
        })
    }
}

/// A list of kinds, each with an expression over its objects.
fn kinds_with(
    reader: &Reader<'_>,
    source: &Source,
    list: &str,
    field: &'static str,
) -> Result<Vec<(GroupKind, Expression)>> {
    let what = format!("an entry of {list}");
    let mut kinds = Vec::new();
    for node in reader.list(list)? {
        let entry = Reader::new(node, source, &what, &["group", "kind", field])?;
        let kind = GroupKind {
            group: entry.text("group")?.unwrap_or_default().to_owned(),
            kind: entry.need_text("kind")?.to_owned(),
        };
        kinds.extend(expression(&entry, field)?.map(|found| (kind, found)));
    }
    Ok(kinds)
}

type Named = (String, Vec<(String, Expression)>);

fn target_parameters(targets: &Reader<'_>, source: &Source) -> Result<Vec<Named>> {
    let mut parameters = Vec::new();
    for node in targets.list("parameters")? {
        let entry = Reader::new(
            node,
            source,
            "an entry of parameters",
            &["parameter", "with"],
        )?;
        let with = entry.need("with")?;
        let names: Vec<_> = with
            .as_mapping()
            .into_iter()
            .flat_map(Mapping::iter)
            .map(|(n, _)| n)
            .collect();
        let below = Reader::new(with, source, "with", &names)?;
        let mut steps = Vec::new();
        for name in names {
            steps.extend(expression(&below, name)?.map(|e| (name.to_owned(), e)));
        }
        parameters.push((entry.need_text("parameter")?.to_owned(), steps));
    }
    Ok(parameters)
}

/// An object, and the root that holds it.
#[derive(Clone, Copy)]
struct ObjectInRoot<'a> {
    resource: &'a Resource,
    root: &'a TreePath,
    moved_to: Option<&'a str>,
}

impl ObjectInRoot<'_> {
    /// The `target` that selects it in every build: without the namespace where only the host sets that.
    fn target(&self) -> String {
        let (kind, name) = (self.resource.kind(), self.resource.name());
        match self.moved_to {
            Some(_) => format!("- target: {{kind: {kind}, name: {name}}}"),
            None if self.resource.namespace().is_empty() => {
                format!("- target: {{kind: {kind}, name: {name}}}")
            }
            None => format!(
                "- target: {{namespace: {}, name: {name}}}",
                self.resource.namespace()
            ),
        }
    }

    /// Writes the namespace of its entry, where only the host sets it.
    fn write_namespace(&self, out: &mut String) {
        if let Some(namespace) = self.moved_to {
            let line = format!("namespace: {namespace}");
            entry(
                out,
                6,
                &line,
                "the targetNamespace of its Flux Kustomization",
            );
        }
    }

    /// What it is and where, for a comment.
    fn place(&self) -> String {
        let id = self.resource.id();
        match self.resource.place() {
            Some(place) if place.column > 0 => format!("{id}, {}:{}", place.file, place.line),
            Some(place) => format!("{id}, {place}"),
            None => format!("{id}, built in {}", self.root),
        }
    }
}

/// Everything that the roots build to.
struct Repository<'a> {
    objects: Vec<ObjectInRoot<'a>>,
    language: Language,
}

impl<'a> Repository<'a> {
    fn of(&self, kind: &GroupKind) -> impl Iterator<Item = ObjectInRoot<'a>> {
        let kind = kind.clone();
        let objects = self.objects.iter().copied();
        objects.filter(move |s| s.resource.gvk().is(&kind.group, &kind.kind))
    }

    /// What a finder says of an object.
    fn find(&self, finder: &Finder, resource: &Resource) -> Result<Option<FinderMatch>> {
        let others = |kind: &GroupKind| -> Vec<Value> {
            self.of(kind).map(|s| to_value(s.resource.node())).collect()
        };
        finder.find(&self.language, &to_value(resource.node()), &others)
    }

    /// The first object that one of the finders fits, and its name and namespace.
    fn first(&self, finders: &[Finder]) -> Result<Option<(ObjectInRoot<'a>, Value)>> {
        for finder in finders {
            let Where::Objects(kind) = &finder.place else {
                continue;
            };
            for seen in self.of(kind) {
                if let Some(found) = self.find(finder, seen.resource)? {
                    let name = found
                        .name
                        .unwrap_or_else(|| seen.resource.name().to_owned());
                    let namespace = found
                        .namespace
                        .unwrap_or_else(|| seen.resource.namespace().to_owned());
                    let found = [
                        ("name", Value::from(name)),
                        ("namespace", Value::from(namespace)),
                    ];
                    return Ok(Some((seen, Value::from_pairs(found))));
                }
            }
        }
        Ok(None)
    }

    /// The function by which expressions read other objects.
    fn reader(&self) -> Value {
        let mut objects: IndexMap<(String, String), Vec<Value>> = IndexMap::new();
        let kinds = [
            ("", "Service"),
            ("barmancloud.cnpg.io", "ObjectStore"),
            ("helm.toolkit.fluxcd.io", "HelmRelease"),
        ];
        for kind in kinds {
            let kind = GroupKind {
                group: kind.0.to_owned(),
                kind: kind.1.to_owned(),
            };
            let values = self
                .of(&kind)
                .map(|s| to_value(s.resource.node()))
                .collect();
            objects.insert((kind.group, kind.kind), values);
        }
        Value::from_function(move |group: String, kind: String| {
            objects.get(&(group, kind)).cloned().unwrap_or_default()
        })
    }
}

/// Writes the section `overlays` of a project file for a repository, with each fact explicit, and a comment
/// on where it was seen.
///
/// `set_by_values` tells, as the end of a sentence, where the project's values set a variable: it is not set
/// again.
pub fn survey(
    set: &super::Set,
    roots: &[Surveyed<'_>],
    set_by_values: &dyn Fn(&str) -> Option<String>,
) -> Result<String> {
    let mut out = String::from("overlays:\n");
    let _ = writeln!(out, "  use: [{}@{}]", set.name, set.version.major);
    let survey = &set.survey()?;
    let objects = roots.iter().flat_map(|root| {
        let named = root.built.iter().filter(|object| is_named(object));
        named.map(|resource| ObjectInRoot {
            resource,
            root: root.directory,
            moved_to: root.namespace,
        })
    });
    let repository = Repository {
        objects: objects.collect(),
        language: Language::new()?,
    };
    write_inputs(&mut out, survey, &repository, set_by_values)?;
    write_parameters(&mut out, survey, &repository)?;
    write_targets(&mut out, survey, &repository)?;
    Ok(out)
}

/// Whether the name of an object is known: not one that a variable makes whose value is not here.
fn is_named(object: &Resource) -> bool {
    let texts = [object.name(), object.namespace()];
    let is_known = |text: &&str| !text.contains("${") && !text.contains(PLACEHOLDER);
    texts.iter().all(is_known)
}

/// How a text starts that stands for the value of a variable which is not known here.
const PLACEHOLDER: &str = "placeholder-of-";

fn write_inputs(
    out: &mut String,
    survey: &Survey,
    repository: &Repository<'_>,
    set_by_values: &dyn Fn(&str) -> Option<String>,
) -> Result<()> {
    let (mut lines, mut by_values) = (String::new(), String::new());
    let mut add = |input: &str, value: &str, comment: &str| match set_by_values(input) {
        Some(place) => {
            let _ = writeln!(by_values, "  # {input} {place}");
        }
        None => entry(&mut lines, 4, &format!("{input}: {value}"), comment),
    };
    for (input, by) in &survey.inputs {
        match repository.first(by)? {
            Some((seen, _)) => add(input, "true", &seen.place()),
            None => add(input, "false", "nothing of the kind was seen"),
        }
    }
    let comment = "allows and denies nothing; enforce in `for`, one database at a time";
    add(MODE, "audit", comment);
    out.push_str(&by_values);
    if !lines.is_empty() {
        let _ = write!(out, "  inputs:\n{lines}");
    }
    Ok(())
}

fn write_parameters(out: &mut String, survey: &Survey, repository: &Repository<'_>) -> Result<()> {
    let mut lines = String::new();
    for fact in &survey.parameters {
        if let Some((seen, found)) = repository.first(&fact.by)? {
            let context = Value::from_pairs([("found", found)]);
            let value = repository
                .language
                .resolve(&fact.value, &fact.place, &context)?;
            entry(
                &mut lines,
                4,
                &format!("{}: {}", fact.parameter, flow(&value)),
                &seen.place(),
            );
        }
    }
    if !lines.is_empty() {
        let _ = write!(out, "  parameters:\n{lines}");
    }
    Ok(())
}

/// The namespaces of what overlays apply to, where only the host sets them.
fn write_placed(text: &mut String, survey: &Survey, repository: &Repository<'_>) -> Result<()> {
    let mut told: Vec<String> = Vec::new();
    for finder in &survey.placed {
        let Where::Objects(kind) = &finder.place else {
            continue;
        };
        for seen in repository.of(kind).filter(|s| s.moved_to.is_some()) {
            let target = seen.target();
            let found = repository.find(finder, seen.resource)?;
            let is_placed = found.is_some_and(|f| f.namespace.is_none());
            if is_placed && !told.contains(&target) {
                entry(text, 4, &target, &seen.place());
                seen.write_namespace(text);
                told.push(target);
            }
        }
    }
    Ok(())
}

fn write_targets(out: &mut String, survey: &Survey, repository: &Repository<'_>) -> Result<()> {
    let mut text = String::new();
    write_placed(&mut text, survey, repository)?;
    let mut written: IndexMap<String, String> = IndexMap::new();
    for seen in repository.of(&survey.target) {
        let lines = parameter_lines(survey, repository, seen.resource)?;
        // Several roots may hold the same target, as the environments of one base do.
        let comment = match written.get(&seen.target()) {
            Some(before) if *before == lines => continue,
            Some(_) => format!(
                "{}; not as above: give this root a prerender.yaml of its own",
                seen.place()
            ),
            None => seen.place(),
        };
        if !lines.is_empty() {
            entry(&mut text, 4, &seen.target(), &comment);
            seen.write_namespace(&mut text);
            let _ = write!(text, "      parameters:\n{lines}");
        }
        written.insert(seen.target(), lines);
    }
    if !text.is_empty() {
        let _ = write!(out, "  for:\n{text}");
    }
    Ok(())
}

/// What is seen of one target, parameter by parameter.
fn parameter_lines(
    survey: &Survey,
    repository: &Repository<'_>,
    target: &Resource,
) -> Result<String> {
    let mut lines = String::new();
    write_clients(&mut lines, survey, repository, target)?;
    for (parameter, steps) in &survey.target_parameters {
        if let Some((value, comment)) = computed(repository, steps, target)? {
            let line = format!("{parameter}: {}", flow(&value));
            entry(&mut lines, 8, &line, &comment);
        }
    }
    Ok(lines)
}

fn computed(
    repository: &Repository<'_>,
    steps: &[(String, Expression)],
    resource: &Resource,
) -> Result<Option<(Node, String)>> {
    let mut names = vec![
        ("object".to_owned(), to_value(resource.node())),
        ("objects".to_owned(), repository.reader()),
    ];
    for (name, step) in steps {
        let context = Value::from_pairs(names.iter().map(|(n, v)| (n.as_str(), v.clone())));
        names.push((name.clone(), repository.language.evaluate(step, &context)?));
    }
    let comment = names.iter().find(|(name, _)| name == "comment");
    let comment = comment.and_then(|(_, v)| v.as_str()).unwrap_or_default();
    let comment = comment.to_owned();
    let value = names.pop().map(|(_, v)| to_node(&v));
    let value = value.map(without_nulls);
    let is_known = |v: &Node| !v.is_null() && !is_placeholder(v);
    Ok(value.filter(is_known).map(|v| (v, comment)))
}

/// A mapping without the keys whose value is not known.
fn without_nulls(node: Node) -> Node {
    let Some(mapping) = node.as_mapping() else {
        return node;
    };
    let mut kept = Mapping::default();
    for (key, value) in mapping.iter().filter(|(_, value)| !value.is_null()) {
        kept.insert(key, value.clone());
    }
    Node::new(yaml::Value::Mapping(kept), node.tag())
}

/// Whether a variable whose value is not here is part of a value.
fn is_placeholder(node: &Node) -> bool {
    let text = flow(node);
    text.contains("${") || text.contains(PLACEHOLDER)
}

fn write_clients(
    lines: &mut String,
    survey: &Survey,
    repository: &Repository<'_>,
    target: &Resource,
) -> Result<()> {
    let fill = |texts: &[String]| {
        texts
            .iter()
            .map(|t| t.replace("#{ name }#", target.name()))
            .collect::<Vec<_>>()
    };
    let mut services = fill(&survey.services);
    services.extend(relays(survey, repository, target)?);
    let mut words = [services.clone(), fill(&survey.secrets)].concat();
    let is_near = |s: &ObjectInRoot<'_>| s.resource.namespace() == target.namespace();
    for carrier in survey
        .carriers
        .iter()
        .flat_map(|kind| repository.of(kind))
        .filter(is_near)
    {
        if words.iter().any(|w| mentions(carrier.resource.node(), w))
            && !words.iter().any(|w| w == carrier.resource.name())
        {
            words.push(carrier.resource.name().to_owned());
        }
    }
    let mut rows: IndexMap<String, String> = IndexMap::new();
    for (kind, labels) in &survey.clients {
        for seen in repository.of(kind) {
            let node = seen.resource.node();
            let near = is_near(&seen);
            let word = if near {
                words.iter().find(|w| mentions(node, w)).cloned()
            } else {
                let far = services
                    .iter()
                    .map(|s| format!("{s}.{}", target.namespace()));
                far.into_iter().find(|w| mentions(node, w))
            };
            let Some(word) = word else { continue };
            let context = Value::from_pairs([("object", to_value(node))]);
            let labels = to_node(&repository.language.evaluate(labels, &context)?);
            let mut client = Node::mapping();
            let fields = client.as_mapping_mut().expect("it was just made");
            if !near {
                fields.insert("namespace", Node::string(seen.resource.namespace()));
            }
            if labels.as_mapping().is_some_and(|m| !m.is_empty()) {
                fields.insert("podLabels", labels);
            }
            rows.entry(flow(&client))
                .or_insert_with(|| format!("{} mentions {word}", seen.place()));
        }
    }
    if rows.is_empty() {
        entry(
            lines,
            8,
            "clients: [{}]",
            "every pod of the namespace: nobody was seen to mention it",
        );
        return Ok(());
    }
    lines.push_str("        clients:\n");
    for (client, comment) in rows {
        entry(lines, 10, &format!("- {client}"), &comment);
    }
    Ok(())
}

/// The Services of other objects that lead to a target, such as those of its poolers.
fn relays(survey: &Survey, repository: &Repository<'_>, target: &Resource) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (kind, meant) in &survey.relays {
        let near = |s: &ObjectInRoot<'_>| s.resource.namespace() == target.namespace();
        for seen in repository.of(kind).filter(near) {
            let context = Value::from_pairs([("object", to_value(seen.resource.node()))]);
            let meant = repository.language.evaluate(meant, &context)?;
            if meant.as_str() == Some(target.name()) {
                names.push(seen.resource.name().to_owned());
            }
        }
    }
    Ok(names)
}

/// Whether any text of a document has a word, not as a part of a longer name.
fn mentions(node: &Node, word: &str) -> bool {
    if let Some(text) = node.scalar_text() {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        return text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !before.is_some_and(is_name) && !after.is_some_and(is_name)
        });
    }
    let items = node.as_sequence().into_iter().flatten();
    let values = node
        .as_mapping()
        .into_iter()
        .flat_map(|m| m.iter().map(|(_, v)| v));
    items.chain(values).any(|n| mentions(n, word))
}

fn entry(out: &mut String, indent: usize, text: &str, comment: &str) {
    let _ = writeln!(out, "{}{text}  # {comment}", " ".repeat(indent));
}

/// A value on one line, quoted only where it must be.
fn flow(node: &Node) -> String {
    if let Some(items) = node.as_sequence() {
        return format!(
            "[{}]",
            items.iter().map(flow).collect::<Vec<_>>().join(", ")
        );
    }
    if let Some(mapping) = node.as_mapping() {
        let entries = mapping
            .iter()
            .map(|(key, value)| format!("{}: {}", flow(&Node::string(key)), flow(value)));
        return format!("{{{}}}", entries.collect::<Vec<_>>().join(", "));
    }
    let text = node.scalar_text().unwrap_or_default();
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let same_type = yaml::resolve(text, Schema::Go) == node.tag();
    if starts && text.chars().all(safe) && same_type {
        return text.to_owned();
    }
    let mut out = Vec::new();
    match yaml::write_json(&mut out, node, JsonStyle::Sorted) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => format!("\"{text}\""),
    }
}
