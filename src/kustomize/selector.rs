//! Selects objects: patch targets by regular expressions, and labels by Kubernetes' selector syntax.

use regex::Regex;

use super::kustomization::SelectorFields;
use super::label_selector::LabelSelector;
use super::names::Names;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::go::regexp;
use crate::kube::{ResMap, Resource};
use crate::yaml::Node;

/// Selects the objects that fit all of its parts.
///
/// Each pattern must match the whole of a text. Name and namespace may be the original or the present ones,
/// an empty namespace being `default`.
#[derive(Debug)]
pub(crate) struct Selector {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: LazySelector,
    annotations: LazySelector,
}

impl Selector {
    /// Compiles a selector. Fails with [`Code::SelectorInvalid`] on a pattern that is no regular expression.
    pub(crate) fn new(fields: &SelectorFields, source: &Source) -> Result<Self> {
        let place = source.place(fields.mark.line, fields.mark.column);
        let pattern = |what, text| Pattern::new(what, text, &place);
        Ok(Self {
            group: pattern("group", &fields.group)?,
            version: pattern("version", &fields.version)?,
            kind: pattern("kind", &fields.kind)?,
            name: pattern("name", &fields.name)?,
            namespace: pattern("namespace", &fields.namespace)?,
            labels: LazySelector::new(&fields.label_selector, &place),
            annotations: LazySelector::new(&fields.annotation_selector, &place),
        })
    }

    /// Whether it selects an object.
    ///
    /// Fails with [`Code::SelectorInvalid`] when all else fits and a label or annotation selector is
    /// malformed: the reference does not look at those before.
    pub(crate) fn selects(&self, resource: &Resource) -> Result<bool> {
        let gvk = resource.gvk();
        let fits = (self.name.fits(resource.original_name()) || self.name.fits(resource.name()))
            && self.kind.fits(&gvk.kind)
            && self.group.fits(&gvk.group)
            && self.version.fits(&gvk.version)
            && (self.namespace.fits(resource.original_namespace())
                || self.namespace.fits(resource.effective_namespace()));
        Ok(fits
            && self.labels.selects(resource, "labels")?
            && self.annotations.selects(resource, "annotations")?)
    }

    /// The positions, in order, of the objects whose name may fit.
    pub(crate) fn candidates(
        &self,
        resources: &ResMap,
        names: &mut Names,
    ) -> Box<dyn Iterator<Item = usize>> {
        self.name.candidates(resources, names)
    }
}

/// A regular expression for a whole text.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// No pattern: everything fits.
    Any,
    /// A text without anything that is special in an expression.
    Text(String),
    /// A pattern, and what all that fits starts with.
    Expression(Regex, String),
}

impl Pattern {
    /// Compiles an expression; an empty one fits everything. Fails with [`Code::SelectorInvalid`].
    pub(crate) fn new(what: &str, text: &str, place: &Place) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::Any);
        }
        if regexp::is_literal(text) {
            return Ok(Self::Text(text.to_owned()));
        }
        let compiled = regexp::compile_anchored(text);
        let start = regexp::literal_start(text).to_owned();
        compiled
            .map(|regex| Self::Expression(regex, start))
            .map_err(|error| {
                let phrase = format!("{what} {text} is no regular expression");
                Diagnostic::new(Code::SelectorInvalid, phrase)
                    .at(place.clone())
                    .note(error.to_string())
            })
    }

    /// The positions, in order, of the objects whose name may fit.
    pub(crate) fn candidates(
        &self,
        resources: &ResMap,
        names: &mut Names,
    ) -> Box<dyn Iterator<Item = usize>> {
        match self {
            Self::Any => names.candidates(resources, ""),
            Self::Text(name) => names.candidates(resources, name),
            Self::Expression(_, start) => names.starting_with(resources, start),
        }
    }

    /// Whether it fits the whole of a text.
    pub(crate) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(wanted) => wanted == text,
            Self::Expression(expression, start) => {
                text.starts_with(&**start) && expression.is_match(text)
            }
        }
    }
}

/// A label or annotation selector that complains when it is first asked.
#[derive(Debug)]
pub(crate) struct LazySelector(Result<LabelSelector>);

impl LazySelector {
    /// Parses a selector; an empty one selects everything.
    pub(crate) fn new(text: &str, place: &Place) -> Self {
        Self(LabelSelector::parse(text).map_err(|wrong| {
            Diagnostic::new(
                Code::SelectorInvalid,
                format!("selector {text} is malformed"),
            )
            .at(place.clone())
            .note(wrong)
        }))
    }

    /// Whether it says anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_ok_and(LabelSelector::is_empty)
    }

    /// Whether an object's `labels` or `annotations` fit.
    pub(crate) fn selects(&self, resource: &Resource, field: &str) -> Result<bool> {
        let selector = self.0.as_ref().map_err(Clone::clone)?;
        let map = resource
            .node()
            .lookup(&["metadata", field])
            .and_then(Node::as_mapping);
        Ok(selector.matches(|key| {
            let value = map?.get(key)?;
            Some(value.scalar_text().unwrap_or_default())
        }))
    }
}
