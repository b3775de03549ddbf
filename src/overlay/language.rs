//! The expressions and texts of overlays: always the `#` marks, never the project's.

use minijinja::Value;

use super::convert::to_node;
use super::definition::Expression;
use crate::diagnostic::{Place, Result};
use crate::template::{Engine, Settings, Undefined};
use crate::yaml::{Mapping, Node, Value as Content};

/// Evaluates expressions and renders texts.
///
/// A field that an object lacks is undefined, and so is a field of that: objects lack most of their fields.
/// Names are checked when an overlay is loaded, so that a typing error in one is not silent.
pub(super) struct Language {
    engine: Engine,
}

impl Language {
    pub(super) fn new() -> Result<Self> {
        let settings = Settings {
            undefined: Undefined::Chainable,
            ..Settings::strict()
        };
        Ok(Self {
            engine: Engine::new(settings)?,
        })
    }

    /// The engine, to learn which names a text reads.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The value of an expression.
    pub(super) fn evaluate(&self, expression: &Expression, context: &Value) -> Result<Value> {
        let value = self.engine.evaluate(&expression.text, context);
        value.map_err(|e| e.at(expression.place.clone()))
    }

    /// A text with its expressions filled in.
    pub(super) fn fill(&self, text: &str, place: &Place, context: &Value) -> Result<String> {
        if !text.contains("#{") {
            return Ok(text.to_owned());
        }
        let rendered = self.engine.render(&place.file, text, context);
        Ok(rendered.map_err(|e| e.at(place.clone()))?.text)
    }

    /// A whole file with its expressions filled in.
    pub(super) fn render(&self, name: &str, text: &str, context: &Value) -> Result<String> {
        Ok(self.engine.render(name, text, context)?.text)
    }

    /// A node with the expressions of its texts filled in; a text that is one expression gets its type.
    pub(super) fn resolve(&self, node: &Node, place: &Place, context: &Value) -> Result<Node> {
        let resolved = match node.value() {
            Content::Scalar(_) => return self.resolve_scalar(node, place, context),
            Content::Sequence(items) => {
                let items = items.iter().map(|n| self.resolve(n, place, context));
                Node::sequence(items.collect::<Result<_>>()?)
            }
            Content::Mapping(entries) => {
                let mut mapping = Mapping::default();
                for (key, value) in entries.iter() {
                    mapping.insert(key, self.resolve(value, place, context)?);
                }
                Node::new(Content::Mapping(mapping), node.tag())
            }
        };
        Ok(resolved.with_mark(node.mark()))
    }

    fn resolve_scalar(&self, node: &Node, place: &Place, context: &Value) -> Result<Node> {
        let Some(text) = node.as_str().filter(|t| t.contains("#{")) else {
            return Ok(node.clone());
        };
        let resolved = match only_expression(text) {
            Some(expression) => {
                let value = self.engine.evaluate(expression, context);
                to_node(&value.map_err(|e| e.at(place.clone()))?)
            }
            None => Node::string(self.fill(text, place, context)?),
        };
        Ok(resolved.with_mark(node.mark()))
    }
}

/// The expression of a text that is nothing else.
pub(super) fn only_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("#{")?.strip_suffix("}#")?;
    (!inner.contains("#{") && !inner.contains("}#")).then(|| inner.trim())
}
