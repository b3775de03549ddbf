//! What a project says of overlays: the `overlays:` section of `prerender.yaml`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::read::Reader;
use super::select::Selector;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::files::TreePath;
use crate::yaml::Node;

/// What is done with an object that the root already has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// It stays as it is.
    #[default]
    Keep,
    /// Its content is replaced by a patch.
    Replace,
    /// The render fails.
    Fail,
}

/// A node of a configuration file, and the file.
#[derive(Debug, Clone)]
pub(super) struct Located {
    pub(super) node: Node,
    pub(super) source: Arc<Source>,
}

impl Located {
    pub(super) fn place(&self) -> Place {
        super::read::place(&self.node, &self.source)
    }
}

/// A text of a configuration file, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: Place,
}

/// An entry of `for`: what is different for some targets.
#[derive(Debug, Clone)]
pub(super) struct Override {
    pub(super) selector: Selector,
    pub(super) parameters: IndexMap<String, Located>,
    /// The namespace of targets for which the build says none.
    pub(super) namespace: Option<String>,
    pub(super) skip: Vec<Name>,
    pub(super) place: Place,
}

/// An entry of `clusters`: an object that a chart makes.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) namespace: String,
    /// The directory whose build holds the chart.
    pub(super) root: TreePath,
    pub(super) place: Place,
}

/// Pods, by where they run and how they are labelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pods {
    /// Their namespace, where it is said.
    pub namespace: Option<String>,
    /// Their labels, where they are said.
    pub labels: Option<Vec<(String, String)>>,
}

/// The overlays of a project, and what is set for them.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub(super) used: Vec<Name>,
    pub(super) paths: Vec<(TreePath, Place)>,
    pub(super) inputs: IndexMap<String, Located>,
    pub(super) parameters: IndexMap<String, Located>,
    pub(super) overrides: Vec<Override>,
    pub(super) declared: Vec<Declared>,
    pub(super) on_conflict: Option<OnConflict>,
    pub(super) replace: Vec<Name>,
}

impl Config {
    /// Uses sets and overlays by name, with nothing set: what `--overlays cnpg@1` asks for.
    pub fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let used = names.into_iter().map(|text| Name {
            text: text.to_owned(),
            place: Place::file("--overlays"),
        });
        Self {
            used: used.collect(),
            ..Self::default()
        }
    }

    /// The directories of the project's own overlays.
    pub fn folders(&self) -> impl Iterator<Item = &TreePath> {
        self.paths.iter().map(|(path, _)| path)
    }

    /// Where the project says that pods run: what it sets for every target as `namespace` and `podLabels` of a
    /// parameter such as `operator`.
    pub fn pods(&self, parameter: &str) -> Pods {
        let node = self.parameters.get(parameter).map(|p| &p.node);
        let field = |key| node.and_then(|n| n.get(key));
        let label = |(key, value): (&str, &Node)| {
            let value = value.scalar_text().unwrap_or_default();
            (key.to_owned(), value.to_owned())
        };
        let namespace = field("namespace").and_then(Node::scalar_text);
        let labels = field("podLabels").and_then(Node::as_mapping);
        Pods {
            namespace: namespace.map(str::to_owned),
            labels: labels.map(|l| l.iter().map(label).collect()),
        }
    }

    /// The text that the project gives an input.
    pub fn input(&self, name: &str) -> Option<&str> {
        self.inputs.get(name)?.node.scalar_text()
    }

    /// The objects that charts make in one root, as `clusters` declares them: namespace and name.
    pub fn declared(&self, root: &TreePath) -> impl Iterator<Item = (&str, &str)> {
        let here = self.declared.iter().filter(move |d| d.root == *root);
        here.map(|d| (d.namespace.as_str(), d.name.as_str()))
    }

    /// Whether no overlay is used.
    pub fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// Reads the section; paths in it are taken from `directory`. Fails with the `Field…` codes,
    /// [`Code::OverlayConfig`] and [`Code::OutsideRoot`], at the field that is wrong.
    pub fn read(node: &Node, source: &Arc<Source>, directory: &TreePath) -> Result<Self> {
        let known = [
            "use",
            "paths",
            "inputs",
            "parameters",
            "for",
            "clusters",
            "onConflict",
            "replace",
        ];
        let reader = Reader::new(node, source, "overlays", &known)?;
        let mut paths = Vec::new();
        for name in names(&reader, "paths")? {
            paths.push((below(directory, &name)?, name.place));
        }
        Ok(Self {
            used: names(&reader, "use")?,
            paths,
            inputs: located(&reader, "inputs", source)?,
            parameters: located(&reader, "parameters", source)?,
            overrides: reader
                .list("for")?
                .iter()
                .map(|n| Override::read(n, source))
                .collect::<Result<_>>()?,
            declared: reader
                .list("clusters")?
                .iter()
                .map(|n| declared(n, source, directory))
                .collect::<Result<_>>()?,
            on_conflict: reader.word(
                "onConflict",
                &[
                    ("keep", OnConflict::Keep),
                    ("replace", OnConflict::Replace),
                    ("fail", OnConflict::Fail),
                ],
            )?,
            replace: names(&reader, "replace")?,
        })
    }

    /// Lays a nearer project file's section over this one: lists append, names replace.
    pub fn merge(&mut self, nearer: Self) {
        self.used.extend(nearer.used);
        self.paths.extend(nearer.paths);
        self.inputs.extend(nearer.inputs);
        self.parameters.extend(nearer.parameters);
        self.overrides.extend(nearer.overrides);
        self.declared.extend(nearer.declared);
        self.on_conflict = nearer.on_conflict.or(self.on_conflict);
        self.replace.extend(nearer.replace);
    }
}

impl Override {
    fn read(node: &Node, source: &Arc<Source>) -> Result<Self> {
        let known = ["target", "parameters", "namespace", "skip"];
        let reader = Reader::new(node, source, "an entry of for", &known)?;
        Ok(Self {
            selector: Selector::read(reader.need("target")?, source)?,
            parameters: located(&reader, "parameters", source)?,
            namespace: reader.text("namespace")?.map(str::to_owned),
            skip: names(&reader, "skip")?,
            place: reader.place(node),
        })
    }
}

/// What the annotation of an object says: the same as an entry of `for`, without its target.
pub(super) fn read_annotation(node: &Node, source: &Arc<Source>) -> Result<Override> {
    let place = super::read::place(node, source);
    let known = ["parameters", "skip"];
    let reader = Reader::new(
        node,
        source,
        "the annotation prerender.dev/overlays",
        &known,
    )?;
    Ok(Override {
        selector: Selector::default(),
        parameters: located(&reader, "parameters", source)?,
        namespace: None,
        skip: names(&reader, "skip")?,
        place,
    })
}

fn names(reader: &Reader<'_>, key: &str) -> Result<Vec<Name>> {
    let texts = reader.texts(key)?;
    let places = reader.list(key)?.iter().map(|n| reader.place(n));
    let pairs = texts.into_iter().zip(places);
    Ok(pairs
        .map(|(text, place)| Name {
            text: text.to_owned(),
            place,
        })
        .collect())
}

fn located(
    reader: &Reader<'_>,
    key: &str,
    source: &Arc<Source>,
) -> Result<IndexMap<String, Located>> {
    let entries = reader.mapping(key)?.into_iter().flat_map(|m| m.iter());
    let owned = entries.map(|(name, node)| {
        let located = Located {
            node: node.clone(),
            source: Arc::clone(source),
        };
        (name.to_owned(), located)
    });
    Ok(owned.collect())
}

fn declared(node: &Node, source: &Source, directory: &TreePath) -> Result<Declared> {
    let known = ["name", "namespace", "root"];
    let reader = Reader::new(node, source, "an entry of clusters", &known)?;
    let root = Name {
        text: reader.need_text("root")?.to_owned(),
        place: reader.place(reader.need("root")?),
    };
    Ok(Declared {
        name: reader.need_text("name")?.to_owned(),
        namespace: reader.need_text("namespace")?.to_owned(),
        root: below(directory, &root)?,
        place: reader.place(node),
    })
}

fn below(directory: &TreePath, name: &Name) -> Result<TreePath> {
    let path = (!name.text.starts_with('/'))
        .then(|| directory.join(&name.text))
        .flatten();
    path.ok_or_else(|| {
        let phrase = format!("{} is not beneath the root", name.text);
        Diagnostic::new(Code::OutsideRoot, phrase).at(name.place.clone())
    })
}
