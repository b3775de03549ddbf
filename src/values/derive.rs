//! Values that expressions make of other values.

use std::sync::Arc;

use minijinja::Value;

use super::held::{From, Held, Origin};
use super::load::Input;
use super::profile::Step;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::template::{Engine, Settings, Undefined, mapping};

/// An expression that sets a value, and where it is written.
#[derive(Debug, Clone)]
pub struct Derivation {
    /// The name that is set.
    pub name: String,
    /// The expression over the values so far.
    pub expression: String,
    /// Where it is written.
    pub place: Place,
}

/// Runs the profile's steps and then the project's expressions.
pub(super) fn derive(held: &mut Held, input: &Input<'_>) -> Result<()> {
    if input.profile.is_none() && input.derive.is_empty() {
        return Ok(());
    }
    // What is not set is false in a condition, and a derived name that would be unset stays unset.
    let settings = Settings {
        undefined: Undefined::Chainable,
        ..Settings::strict()
    };
    let engine = Engine::new(settings)?;
    let mut deriver = Deriver {
        engine: &engine,
        context: held.to_value(),
        held,
        place: Place::file(""),
    };
    if let Some(profile) = input.profile {
        deriver.place = Place::file(profile.place());
        deriver.steps(profile.steps())?;
    }
    for derivation in input.derive {
        deriver.place = derivation.place.clone();
        deriver.set(&derivation.name, &derivation.expression)?;
    }
    Ok(())
}

struct Deriver<'a> {
    engine: &'a Engine<'a>,
    /// The values so far, by name; `values` among them is the whole mapping.
    context: Value,
    held: &'a mut Held,
    place: Place,
}

impl Deriver<'_> {
    fn steps(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            match step {
                Step::Default(name, expression) => {
                    if self
                        .context
                        .get_attr(name)
                        .map_or(true, |v| v.is_undefined())
                    {
                        self.set(name, expression)?;
                    }
                }
                Step::Set(name, expression) => self.set(name, expression)?,
                Step::When(condition, then, otherwise) => {
                    let holds = self.evaluate(condition)?.is_true();
                    self.steps(if holds { then } else { otherwise })?;
                }
            }
        }
        Ok(())
    }

    fn evaluate(&self, expression: &str) -> Result<Value> {
        let whole = self.context.clone();
        let names = self.context.try_iter().into_iter().flatten();
        let pairs = names.map(|name| {
            (
                name.clone(),
                self.context.get_item(&name).unwrap_or_default(),
            )
        });
        let scope = mapping(pairs.chain([(Value::from("values"), whole)]));
        self.engine
            .evaluate(expression, &scope)
            .map_err(|e| self.placed(&e))
    }

    /// An error in an expression, told at the place where the expression is written.
    fn placed(&self, error: &Diagnostic) -> Diagnostic {
        let mut placed = Diagnostic::new(error.code(), error.phrase()).at(self.place.clone());
        for note in error.notes() {
            placed = placed.note(note.clone());
        }
        for help in error.remedies() {
            placed = placed.help(help.clone());
        }
        placed
    }

    fn set(&mut self, name: &str, expression: &str) -> Result<()> {
        let value = self.evaluate(expression)?;
        if value.is_undefined() {
            return Ok(());
        }
        let origin = Arc::new(Origin {
            from: From::Derived,
            place: self.place.clone(),
        });
        self.held.set(&[name], Held::of(value, &origin));
        self.context = self.held.to_value();
        Ok(())
    }
}
