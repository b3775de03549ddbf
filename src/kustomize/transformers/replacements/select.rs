//! Which objects a replacement means: by exact texts, of now or of before, and by labels.

use std::fmt;

use super::DEFAULT_FIELD;
use super::path::{Path, Strings, split};
use crate::diagnostic::{Place, Result, Source};
use crate::kube::{ResMap, Resource};
use crate::kustomize::kustomization::{
    FieldOptions, ReplacementSource, ReplacementTarget, SelectorFields,
};
use crate::kustomize::names::Names;
use crate::kustomize::selector::{LazySelector, Pattern};
use crate::kustomize::{Feature, Level};

/// Selects an object by what it is, or was, called; an empty part fits everything.
pub(super) struct IdSelector<'f> {
    group: &'f str,
    version: &'f str,
    kind: &'f str,
    name: &'f str,
    namespace: &'f str,
}

impl<'f> IdSelector<'f> {
    pub(super) fn of_source(source: &'f ReplacementSource) -> Self {
        Self {
            group: &source.group,
            version: &source.version,
            kind: &source.kind,
            name: &source.name,
            namespace: &source.namespace,
        }
    }

    fn of_fields(fields: &'f SelectorFields) -> Self {
        Self {
            group: &fields.group,
            version: &fields.version,
            kind: &fields.kind,
            name: &fields.name,
            namespace: &fields.namespace,
        }
    }

    fn is_empty(&self) -> bool {
        [
            self.group,
            self.version,
            self.kind,
            self.name,
            self.namespace,
        ]
        .iter()
        .all(|part| part.is_empty())
    }

    /// Whether an object has, or had, such an identity. Its group and version are those of now.
    pub(super) fn fits(&self, object: &Resource) -> bool {
        let gvk = object.gvk();
        let is = |kind: &str, name: &str, namespace: &str| {
            fits(self.name, name)
                && fits(self.kind, kind)
                // Here the reference does not ask whether a kind has namespaces at all.
                && (self.namespace.is_empty() || effective(self.namespace) == effective(namespace))
        };
        let previous = &object.history().previous;
        fits(self.group, &gvk.group)
            && fits(self.version, &gvk.version)
            && (is(object.kind(), object.name(), object.namespace())
                || previous.iter().any(|p| is(&p.kind, &p.name, &p.namespace)))
    }
}

fn fits(wanted: &str, is: &str) -> bool {
    wanted.is_empty() || wanted == is
}

fn effective(namespace: &str) -> &str {
    if namespace.is_empty() {
        "default"
    } else {
        namespace
    }
}

impl fmt::Display for IdSelector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text, other| if str::is_empty(text) { other } else { text };
        f.write_str(or(self.kind, "object"))?;
        if !self.namespace.is_empty() {
            write!(f, "/{}", self.namespace)?;
        }
        write!(f, "/{}", or(self.name, "*"))?;
        match (self.group, self.version) {
            ("", "") => Ok(()),
            ("", version) => write!(f, " of {version}"),
            (group, "") => write!(f, " of {group}"),
            (group, version) => write!(f, " of {group}/{version}"),
        }
    }
}

/// Which objects a target means: by texts, or from v5.8 on by regular expressions.
enum Which<'f> {
    Texts(IdSelector<'f>),
    Expressions(Box<Expressions>),
}

/// An expression for each part of an identity; each must fit the whole of it.
struct Expressions {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
}

impl<'f> Which<'f> {
    fn new(fields: &'f SelectorFields, source: &Source, level: Level) -> Result<Self> {
        if !level.has(Feature::SelectorExpressions) {
            return Ok(Self::Texts(IdSelector::of_fields(fields)));
        }
        let place = source.place(fields.mark.line, fields.mark.column);
        let pattern = |what, text| Pattern::new(what, text, &place);
        Ok(Self::Expressions(Box::new(Expressions {
            group: pattern("group", &fields.group)?,
            version: pattern("version", &fields.version)?,
            kind: pattern("kind", &fields.kind)?,
            name: pattern("name", &fields.name)?,
            namespace: pattern("namespace", &fields.namespace)?,
        })))
    }

    fn fits(&self, object: &Resource) -> bool {
        match self {
            Self::Texts(id) => id.fits(object),
            Self::Expressions(expressions) => expressions.fit(object),
        }
    }

    /// The positions, in order, of the objects whose name may fit.
    fn candidates(&self, resources: &ResMap, names: &mut Names) -> Box<dyn Iterator<Item = usize>> {
        match self {
            Self::Texts(id) => names.candidates(resources, id.name),
            Self::Expressions(expressions) => expressions.name.candidates(resources, names),
        }
    }
}

impl Expressions {
    fn fit(&self, object: &Resource) -> bool {
        let gvk = object.gvk();
        let is = |kind: &str, name: &str, namespace: &str| {
            self.name.fits(name) && self.kind.fits(kind) && self.namespace.fits(namespace)
        };
        let previous = &object.history().previous;
        self.group.fits(&gvk.group)
            && self.version.fits(&gvk.version)
            && (is(object.kind(), object.name(), object.namespace())
                || previous.iter().any(|p| is(&p.kind, &p.name, &p.namespace)))
    }
}

/// Names the objects that may have been meant, for a message.
pub(super) fn candidates(resources: &ResMap, id: &IdSelector<'_>) -> Option<String> {
    const MAX_NAMED: usize = 8;
    let is_near = |object: &&Resource| {
        (!id.name.is_empty() && object.original_name() == id.name)
            || (!id.kind.is_empty() && object.kind() == id.kind)
    };
    let mut named = resources.iter().filter(is_near).map(|object| {
        let id = object.original_id();
        format!("{} {id}", object.gvk().api_version())
    });
    let shown: Vec<String> = named.by_ref().take(MAX_NAMED).collect();
    if shown.is_empty() {
        return None;
    }
    let rest = match named.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!("this build has {}{rest}", shown.join(", ")))
}

/// A target, its paths and selectors read.
pub(super) struct Target<'f> {
    which: Which<'f>,
    labels: Labels,
    rejected: Vec<Which<'f>>,
    rejected_labels: Vec<Labels>,
    pub(super) paths: Vec<TargetPath>,
    pub(super) options: Option<&'f FieldOptions>,
    /// Whether its paths go on below strings.
    pub(super) enters_strings: bool,
}

/// A field of a target.
pub(super) struct TargetPath {
    pub(super) path: Path,
    pub(super) parts: Vec<String>,
    pub(super) text: String,
    pub(super) place: Place,
}

struct Labels {
    labels: LazySelector,
    annotations: LazySelector,
}

impl Labels {
    fn new(fields: &SelectorFields, place: &Place) -> Self {
        Self {
            labels: LazySelector::new(&fields.label_selector, place),
            annotations: LazySelector::new(&fields.annotation_selector, place),
        }
    }

    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }

    fn select(&self, object: &Resource) -> Result<bool> {
        let annotations = self.annotations.selects(object, "annotations")?;
        Ok(self.labels.selects(object, "labels")? && annotations)
    }
}

impl<'f> Target<'f> {
    /// Reads a target that has `select`.
    pub(super) fn new(
        fields: &'f ReplacementTarget,
        source: &Source,
        level: Level,
    ) -> Result<Self> {
        static EVERYTHING: std::sync::LazyLock<SelectorFields> =
            std::sync::LazyLock::new(SelectorFields::default);
        let place = |mark: crate::yaml::Mark| source.place(mark.line, mark.column);
        let select = fields.select.as_ref().unwrap_or(&EVERYTHING);
        let enters_strings = level.has(Feature::StructuredStrings);
        let strings = match enters_strings {
            true => Strings::SetInVain,
            false => Strings::Refuse,
        };
        let rejects = || fields.reject.iter().flatten();
        let labels = |fields: &SelectorFields| Labels::new(fields, &place(fields.mark));
        let mut paths: Vec<TargetPath> = fields
            .field_paths
            .iter()
            .map(|text| TargetPath::new(text, strings, place(text.mark)))
            .collect();
        if paths.is_empty() {
            paths.push(TargetPath::new(DEFAULT_FIELD, strings, place(fields.mark)));
        }
        Ok(Self {
            which: Which::new(select, source, level)?,
            labels: labels(select),
            rejected: rejects()
                .filter(|fields| !IdSelector::of_fields(fields).is_empty())
                .map(|fields| Which::new(fields, source, level))
                .collect::<Result<_>>()?,
            rejected_labels: rejects().map(labels).filter(|l| !l.is_empty()).collect(),
            paths,
            options: fields.options.as_ref(),
            enters_strings,
        })
    }

    /// The positions, in order, of the objects whose name may fit.
    pub(super) fn candidates(
        &self,
        resources: &ResMap,
        names: &mut Names,
    ) -> Box<dyn Iterator<Item = usize>> {
        self.which.candidates(resources, names)
    }

    /// Whether missing fields are made.
    pub(super) fn makes(&self) -> bool {
        self.options.is_some_and(|options| options.create)
    }

    /// Whether an object is selected and not rejected.
    pub(super) fn selects(&self, object: &Resource) -> Result<bool> {
        if !self.labels.select(object)? {
            return Ok(false);
        }
        for rejected in &self.rejected_labels {
            if rejected.select(object)? {
                return Ok(false);
            }
        }
        Ok(self.which.fits(object) && !self.rejected.iter().any(|which| which.fits(object)))
    }
}

impl TargetPath {
    fn new(text: &str, strings: Strings, place: Place) -> Self {
        let parts = split(text);
        Self {
            path: Path::new(&parts, strings),
            parts,
            text: text.to_owned(),
            place,
        }
    }
}
