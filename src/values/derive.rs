//! Values that expressions make of other values.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::load::Input;
use super::merged::{From, MergedValue, Origin};
use super::profile::Step;
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::TreePath;
use crate::template::{Engine, Settings, Undefined, insert};

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
pub(super) fn derive(held: &mut MergedValue, input: &Input<'_>) -> Result<()> {
    if input.profile.is_none() && input.derive.is_empty() {
        return Ok(());
    }
    // What is not set is false in a condition, and a derived name that would be unset stays unset.
    let settings = Settings {
        undefined: Undefined::Chainable,
        ..Settings::strict()
    };
    let engine = Engine::new(settings)?
        .with_family(TreePath::root())
        .with_checks();
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
        let value = deriver.evaluate(&derivation.expression)?;
        if !value.is_undefined() {
            deriver.set(&derivation.name, value);
        }
    }
    Ok(())
}

struct Deriver<'a> {
    engine: &'a Engine,
    /// The values so far, by name.
    context: Value,
    held: &'a mut MergedValue,
    place: Place,
}

impl Deriver<'_> {
    fn steps(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            match step {
                Step::Default(name, expression) if self.is_set(name) => {
                    let _ = expression;
                }
                Step::Default(name, expression) | Step::Set(name, expression) => {
                    let value = self.evaluate(expression)?;
                    self.set(name, or_none(value));
                }
                Step::When(condition, then, otherwise) => {
                    let holds = self.evaluate(condition)?.is_true();
                    self.steps(if holds { then } else { otherwise })?;
                }
                Step::Each(list, defaults) => self.each(list, defaults)?,
                Step::Check(expression, message) => {
                    if !self.evaluate(expression)?.is_true() {
                        return Err(Diagnostic::new(Code::ValuesInvalid, message.clone())
                            .note(format!("the profile asks for it: {}", self.place)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a dotted name is set, to none or anything else.
    fn is_set(&self, name: &str) -> bool {
        let mut value = self.context.clone();
        for part in name.split('.') {
            match value.get_attr(part) {
                Ok(inner) if !inner.is_undefined() => value = inner,
                _ => return false,
            }
        }
        true
    }

    /// Gives the items of a list what they do not have.
    fn each(&mut self, list: &str, defaults: &[(String, String)]) -> Result<()> {
        let mut values = Vec::with_capacity(defaults.len());
        for (name, expression) in defaults {
            values.push((name, or_none(self.evaluate(expression)?)));
        }
        let Ok(items) = self.context.get_attr(list).and_then(|l| l.try_iter()) else {
            return Ok(());
        };
        for (index, item) in items.enumerate() {
            for (name, value) in &values {
                let unset = item.get_attr(name).is_ok_and(|v| v.is_undefined());
                if unset && item.kind() == ValueKind::Map {
                    self.held.set(
                        &[list, &index.to_string(), name],
                        self.derived(value.clone()),
                    );
                }
            }
        }
        self.refresh(list);
        Ok(())
    }

    fn evaluate(&self, expression: &str) -> Result<Value> {
        self.engine
            .evaluate(expression, &self.context)
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

    fn derived(&self, value: Value) -> MergedValue {
        let origin = Arc::new(Origin {
            from: From::Derived,
            place: self.place.clone(),
        });
        MergedValue::of(value, &origin)
    }

    fn set(&mut self, name: &str, value: Value) {
        let path: Vec<&str> = name.split('.').collect();
        self.held.set(&path, self.derived(value));
        self.refresh(path[0]);
    }

    /// Renews one name of the context.
    fn refresh(&mut self, name: &str) {
        let value = self.held.entries().and_then(|e| e.get(&Value::from(name)));
        if let Some(value) = value {
            insert(&self.context, Value::from(name), value.to_value());
        }
    }
}

fn or_none(value: Value) -> Value {
    if value.is_undefined() {
        Value::from(())
    } else {
        value
    }
}
