//! What an overlay's folder says: `overlay.yaml`, typed and with places.

use std::sync::Arc;

use indexmap::IndexMap;
use semver::Version;

use super::finder::{Finder, read_finders};
use super::read::Reader;
use super::schema;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source, nearest};
use crate::yaml::Node;

/// What `apiVersion` must say.
pub(super) const API_VERSION: &str = "prerender.dev/v1alpha1";

/// An expression or a text with expressions in it, and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    pub(super) text: String,
    pub(super) place: Place,
}

/// A group and a kind, in any version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct GroupKind {
    pub(super) group: String,
    pub(super) kind: String,
}

/// A variable that expressions and files read.
#[derive(Debug, Clone)]
pub struct Input {
    /// What it must be: a schema with `type` or `enum`.
    pub(super) schema: Node,
    /// What it is where nothing sets it; null where that is told apart.
    pub(super) default: Node,
    /// What it is for.
    pub description: String,
}

/// What can be set for each target.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its JSON Schema.
    pub schema: Node,
    /// What it is for.
    pub description: String,
}

/// How often a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Once {
    Object,
    Namespace,
    Root,
}

/// Which objects a rule applies to.
#[derive(Debug, Clone)]
pub(super) enum Find {
    /// Every object of a kind.
    Each(GroupKind),
    /// The root, where it holds one of a list of objects; the first hit wins.
    Contains(Vec<Finder>),
}

/// A file that a rule adds.
#[derive(Debug, Clone)]
pub(super) struct Addition {
    pub(super) file: String,
    /// The name it gets, as a text with expressions.
    pub(super) name: Expression,
    pub(super) when: Option<Expression>,
    /// Whether a patch is applied although an object of its instance is kept.
    pub(super) independent: bool,
}

/// One rule: for which objects, when, and what is added.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) find: Find,
    pub(super) when: Option<Expression>,
    pub(super) once: Once,
    pub(super) resources: Vec<Addition>,
    pub(super) patches: Vec<Addition>,
}

/// How an object is recognised that does the same under another name.
#[derive(Debug, Clone)]
pub(super) struct Covers {
    pub(super) kind: GroupKind,
    /// The field that holds the selector, as keys.
    pub(super) at: Vec<String>,
    /// What the field must be, with expressions in it.
    pub(super) selects: Node,
    pub(super) place: Place,
}

/// What must hold for an instance.
#[derive(Debug, Clone)]
pub(super) struct Assertion {
    pub(super) that: Expression,
    pub(super) message: Expression,
    pub(super) help: Option<Expression>,
}

/// Where an overlay differs from the enhancement document, and why.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The section of the document.
    pub document: String,
    /// What the document has.
    pub says: String,
    /// What the overlay has.
    pub does: String,
    /// Why.
    pub because: String,
}

/// A prepared component: what it reads, what it applies to, and what it adds.
#[derive(Debug)]
pub struct Definition {
    /// Its name.
    pub name: Arc<str>,
    /// Its version.
    pub version: Version,
    /// What it adds, in one line.
    pub summary: String,
    /// Whether it is used only where it is named itself.
    pub opt_in: bool,
    /// Whether a render is refused in which what it adds drops a flow that CloudNativePG needs.
    pub(super) keeps_needed_flows: bool,
    /// The overlays that must be applied in the same root.
    pub(super) needs: Vec<String>,
    /// The variables that it reads.
    pub inputs: IndexMap<String, Input>,
    /// What can be set for each target.
    pub parameters: IndexMap<String, Parameter>,
    pub(super) reads: Vec<GroupKind>,
    /// What it asks the root for by name: the lists of objects that the set defines.
    pub(super) finds: IndexMap<String, Vec<Finder>>,
    pub(super) rules: Vec<Rule>,
    pub(super) covers: Option<Covers>,
    pub(super) assertions: Vec<Assertion>,
    /// How it differs from the enhancement document.
    pub differences: Vec<Difference>,
    pub(super) source: Arc<Source>,
}

impl Definition {
    /// Reads `overlay.yaml`. Fails with [`Code::OverlayInvalid`] and the `Field…` codes, at the field.
    pub(super) fn read(
        node: &Node,
        source: &Arc<Source>,
        finders: &IndexMap<String, Vec<Finder>>,
    ) -> Result<Self> {
        let (metadata, spec) = head(node, source, "Overlay")?;
        let spec = Reader::new(
            spec,
            source,
            "spec",
            &[
                "summary",
                "optIn",
                "keepsNeededFlows",
                "needs",
                "inputs",
                "parameters",
                "reads",
                "finds",
                "targets",
                "covers",
                "assert",
                "differs",
            ],
        )?;
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        Ok(Self {
            name: metadata.0.into(),
            version: metadata.1,
            summary: spec.need_text("summary")?.to_owned(),
            opt_in: spec.flag("optIn")?,
            keeps_needed_flows: spec.flag("keepsNeededFlows")?,
            needs: owned(spec.texts("needs")?),
            inputs: inputs(&spec)?,
            parameters: parameters(&spec)?,
            reads: spec
                .list("reads")?
                .iter()
                .map(|n| group_kind(n, source, "an entry of reads"))
                .collect::<Result<_>>()?,
            finds: finds(&spec, source, finders)?,
            rules: spec
                .list("targets")?
                .iter()
                .map(|n| rule(n, source, finders))
                .collect::<Result<_>>()?,
            covers: spec.node("covers").map(|n| covers(n, source)).transpose()?,
            assertions: spec
                .list("assert")?
                .iter()
                .map(|n| assertion(n, source))
                .collect::<Result<_>>()?,
            differences: spec
                .list("differs")?
                .iter()
                .map(|n| difference(n, source))
                .collect::<Result<_>>()?,
            source: Arc::clone(source),
        })
    }

    /// Every expression of the folder's `overlay.yaml`, without those in texts.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let rules = self.rules.iter().flat_map(|rule| {
            let files = rule.resources.iter().chain(&rule.patches);
            rule.when
                .iter()
                .chain(files.filter_map(|f| f.when.as_ref()))
        });
        rules.chain(self.assertions.iter().map(|a| &a.that))
    }

    /// Every text of the folder's `overlay.yaml` that may hold expressions.
    pub(super) fn texts(&self) -> impl Iterator<Item = Expression> {
        let names = self
            .rules
            .iter()
            .flat_map(|rule| rule.resources.iter().chain(&rule.patches))
            .map(|addition| addition.name.clone());
        let messages = self
            .assertions
            .iter()
            .flat_map(|a| std::iter::once(&a.message).chain(&a.help))
            .cloned();
        let mut nodes: Vec<&Node> = Vec::new();
        for parameter in self.parameters.values() {
            collect_texts(&parameter.schema, &mut nodes);
        }
        if let Some(covers) = &self.covers {
            collect_texts(&covers.selects, &mut nodes);
        }
        let source = Arc::clone(&self.source);
        let nodes: Vec<_> = nodes
            .into_iter()
            .map(|n| Expression {
                text: n.as_str().unwrap_or_default().to_owned(),
                place: super::read::place(n, &source),
            })
            .collect();
        names.chain(messages).chain(nodes)
    }

    /// Every finder of its rules.
    pub(super) fn finders(&self) -> impl Iterator<Item = &Finder> {
        let contained = self.rules.iter().flat_map(|rule| match &rule.find {
            Find::Contains(finders) => finders.as_slice(),
            Find::Each(_) => &[],
        });
        contained.chain(self.finds.values().flatten())
    }

    /// The files that it adds.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter();
        rules.flat_map(|r| {
            r.resources
                .iter()
                .chain(&r.patches)
                .map(|a| a.file.as_str())
        })
    }
}

fn collect_texts<'a>(node: &'a Node, into: &mut Vec<&'a Node>) {
    if let Some(items) = node.as_sequence() {
        items.iter().for_each(|n| collect_texts(n, into));
    } else if let Some(mapping) = node.as_mapping() {
        mapping.iter().for_each(|(_, n)| collect_texts(n, into));
    } else if node.as_str().is_some_and(|t| t.contains("#{")) {
        into.push(node);
    }
}

/// Reads what every file of the format starts with: name and version, and the spec.
pub(super) fn head<'a>(
    node: &'a Node,
    source: &'a Source,
    kind: &'a str,
) -> Result<((String, Version), &'a Node)> {
    let reader = Reader::new(
        node,
        source,
        kind,
        &["apiVersion", "kind", "metadata", "spec"],
    )?;
    for (field, wanted) in [("apiVersion", API_VERSION), ("kind", kind)] {
        let text = reader.need_text(field)?;
        if text != wanted {
            let phrase = format!("{field} is {text}, and must be {wanted}");
            return Err(
                Diagnostic::new(Code::OverlayInvalid, phrase).at(reader.place(reader.need(field)?))
            );
        }
    }
    let metadata = Reader::new(
        reader.need("metadata")?,
        source,
        "metadata",
        &["name", "version"],
    )?;
    let name = metadata.need_text("name")?.to_owned();
    let text = metadata.need_text("version")?;
    let version = Version::parse(text).map_err(|_| {
        let phrase = format!("version is {text}, which is no version");
        Diagnostic::new(Code::OverlayInvalid, phrase)
            .at(metadata.node("version").map(|n| metadata.place(n)))
            .help("write three numbers, such as 1.0.0")
    })?;
    Ok(((name, version), reader.need("spec")?))
}

/// Reads an expression.
pub(super) fn expression(reader: &Reader<'_>, key: &str) -> Result<Option<Expression>> {
    let text = reader.text(key)?;
    Ok(text.zip(reader.node(key)).map(|(text, node)| Expression {
        text: text.to_owned(),
        place: reader.place(node),
    }))
}

fn need_expression(reader: &Reader<'_>, key: &str) -> Result<Expression> {
    reader.need(key)?;
    Ok(expression(reader, key)?.expect("the line above found it"))
}

/// Reads a group and a kind.
pub(super) fn group_kind(node: &Node, source: &Source, what: &str) -> Result<GroupKind> {
    let reader = Reader::new(node, source, what, &["group", "kind", "version"])?;
    Ok(GroupKind {
        group: reader.text("group")?.unwrap_or_default().to_owned(),
        kind: reader.need_text("kind")?.to_owned(),
    })
}

fn inputs(spec: &Reader<'_>) -> Result<IndexMap<String, Input>> {
    let mut inputs = IndexMap::new();
    for (name, node) in spec.mapping("inputs")?.into_iter().flat_map(|m| m.iter()) {
        let reader = Reader::new(
            node,
            spec.source,
            name,
            &["type", "enum", "default", "description"],
        )?;
        schema::check_schema(node, spec.source)?;
        let input = Input {
            schema: node.clone(),
            default: reader.node("default").cloned().unwrap_or_else(Node::null),
            description: reader.text("description")?.unwrap_or_default().to_owned(),
        };
        inputs.insert(name.to_owned(), input);
    }
    Ok(inputs)
}

fn parameters(spec: &Reader<'_>) -> Result<IndexMap<String, Parameter>> {
    let mut parameters = IndexMap::new();
    for (name, node) in spec
        .mapping("parameters")?
        .into_iter()
        .flat_map(|m| m.iter())
    {
        schema::check_schema(node, spec.source)?;
        let description = node.get("description").and_then(Node::as_str);
        let parameter = Parameter {
            schema: node.clone(),
            description: description.unwrap_or_default().to_owned(),
        };
        parameters.insert(name.to_owned(), parameter);
    }
    Ok(parameters)
}

fn rule(node: &Node, source: &Source, finders: &IndexMap<String, Vec<Finder>>) -> Result<Rule> {
    let known = ["each", "contains", "when", "once", "resources", "patches"];
    let reader = Reader::new(node, source, "an entry of targets", &known)?;
    let find = match (reader.node("each"), reader.node("contains")) {
        (Some(each), None) => Find::Each(group_kind(each, source, "each")?),
        (None, Some(contains)) => Find::Contains(contained(contains, source, finders)?),
        _ => {
            return Err(Diagnostic::new(
                Code::OverlayInvalid,
                "an entry of targets has either each or contains",
            )
            .at(reader.place(node)));
        }
    };
    let once = reader.word(
        "once",
        &[
            ("object", Once::Object),
            ("namespace", Once::Namespace),
            ("root", Once::Root),
        ],
    )?;
    let default = match find {
        Find::Each(_) => Once::Object,
        Find::Contains(_) => Once::Root,
    };
    let additions = |key| {
        let list = reader.list(key)?.iter();
        list.map(|n| addition(n, source)).collect::<Result<_>>()
    };
    Ok(Rule {
        find,
        when: expression(&reader, "when")?,
        once: once.unwrap_or(default),
        resources: additions("resources")?,
        patches: additions("patches")?,
    })
}

/// The lists that `finds` names.
fn finds(
    spec: &Reader<'_>,
    source: &Source,
    finders: &IndexMap<String, Vec<Finder>>,
) -> Result<IndexMap<String, Vec<Finder>>> {
    let names = spec.list("finds")?.iter();
    names
        .map(|node| {
            let name = node.scalar_text().unwrap_or_default().to_owned();
            Ok((name, contained(node, source, finders)?))
        })
        .collect()
}

fn contained(
    node: &Node,
    source: &Source,
    finders: &IndexMap<String, Vec<Finder>>,
) -> Result<Vec<Finder>> {
    let Some(name) = node.as_str() else {
        return read_finders(node, source, "contains");
    };
    finders.get(name).cloned().ok_or_else(|| {
        let phrase = format!("{name} is no list of objects that the set defines");
        let error =
            Diagnostic::new(Code::OverlayInvalid, phrase).at(super::read::place(node, source));
        match nearest(name, finders.keys().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help("list the objects here, or name one of `finders` in set.yaml"),
        }
    })
}

fn addition(node: &Node, source: &Source) -> Result<Addition> {
    let known = ["file", "as", "when", "independent"];
    let reader = Reader::new(node, source, "an added file", &known)?;
    let file = reader.need_text("file")?.to_owned();
    if file.contains('/') || file.starts_with('.') {
        let phrase = format!("{file} is not a name in the overlay's folder");
        return Err(Diagnostic::new(Code::OverlayInvalid, phrase)
            .at(reader.node("file").map(|n| reader.place(n))));
    }
    let name = match expression(&reader, "as")? {
        Some(name) => name,
        None => Expression {
            text: file.trim_end_matches(".j2").to_owned(),
            place: reader.place(node),
        },
    };
    Ok(Addition {
        file,
        name,
        when: expression(&reader, "when")?,
        independent: reader.flag("independent")?,
    })
}

fn covers(node: &Node, source: &Source) -> Result<Covers> {
    let reader = Reader::new(node, source, "covers", &["group", "kind", "at", "selects"])?;
    let at = reader
        .text("at")?
        .unwrap_or("spec.endpointSelector.matchLabels");
    Ok(Covers {
        kind: GroupKind {
            group: reader.text("group")?.unwrap_or("cilium.io").to_owned(),
            kind: reader.need_text("kind")?.to_owned(),
        },
        at: at.split('.').map(str::to_owned).collect(),
        selects: reader.need("selects")?.clone(),
        place: reader.place(node),
    })
}

fn assertion(node: &Node, source: &Source) -> Result<Assertion> {
    let known = ["that", "message", "help"];
    let reader = Reader::new(node, source, "an entry of assert", &known)?;
    Ok(Assertion {
        that: need_expression(&reader, "that")?,
        message: need_expression(&reader, "message")?,
        help: expression(&reader, "help")?,
    })
}

fn difference(node: &Node, source: &Source) -> Result<Difference> {
    let known = ["document", "verdict", "says", "does", "because"];
    let reader = Reader::new(node, source, "an entry of differs", &known)?;
    Ok(Difference {
        document: reader.need_text("document")?.to_owned(),
        says: reader.need_text("says")?.to_owned(),
        does: reader.need_text("does")?.to_owned(),
        because: reader.need_text("because")?.to_owned(),
    })
}
