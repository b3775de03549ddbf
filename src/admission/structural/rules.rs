//! CEL rules of a schema, also those that compare with the object before.

use serde_json::Value;

use crate::admission::cel::{Budget, Cel, Scope, Typed, evaluate};
use crate::admission::path::Path;
use crate::admission::schemas::{Arena, Number, Rule, Type};
use crate::admission::verdict::{Causes, Reason};
use std::rc::Rc;

/// Runs the rules of a schema on an object, and on the one that it replaces.
pub(in crate::admission) fn check(
    arena: &Arena,
    root: Number,
    object: &Value,
    old: Option<&Value>,
    causes: &mut Causes,
) {
    let mut runner = Runner { arena, causes };
    runner.value(root, object, old, &Path::ROOT);
}

struct Runner<'r> {
    arena: &'r Arena,
    causes: &'r mut Causes,
}

impl Runner<'_> {
    fn value(&mut self, number: Number, value: &Value, old: Option<&Value>, path: &Path<'_>) {
        let kind = self.arena.get(number);
        if value.is_null() {
            return;
        }
        for rule in &kind.rules {
            self.rule(number, rule, value, old, path);
        }
        for part in &kind.all_of {
            if !self.arena.get(*part).rules.is_empty() {
                self.nested(number, *part, value, old, path);
            }
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if let Some(number) = kind.properties.get(name).copied().or(kind.values) {
                        let before = old.and_then(|old| old.get(name));
                        self.value(number, value, before, &path.field(name));
                    }
                }
            }
            Value::Array(items) => {
                let Some(number) = kind.items else { return };
                for (index, item) in items.iter().enumerate() {
                    let before = old.and_then(|old| correlated(kind, item, old));
                    self.value(number, item, before, &path.index(index));
                }
            }
            _ => {}
        }
    }

    /// The rules of a part of `allOf`, which see the value by the schema around it.
    fn nested(
        &mut self,
        number: Number,
        part: Number,
        value: &Value,
        old: Option<&Value>,
        path: &Path<'_>,
    ) {
        for rule in &self.arena.get(part).rules {
            self.rule(number, rule, value, old, path);
        }
    }

    fn rule(
        &mut self,
        number: Number,
        rule: &Rule,
        value: &Value,
        old: Option<&Value>,
        path: &Path<'_>,
    ) {
        let Ok(program) = rule.program() else {
            self.causes.invalid(
                path,
                format!("is under a rule that does not compile: {}", rule.rule),
            );
            return;
        };
        if rule.is_transition() && old.is_none() && !rule.optional_old_self {
            return;
        }
        let mut scope = self.scope(number, value, old, rule.optional_old_self);
        let broken = match evaluate(program, &mut scope, &mut Budget::default()) {
            Ok(Cel::Bool(true)) => return,
            Ok(_) => None,
            Err(error) => Some(error),
        };
        // As the API server, which lets a value stay that broke a rule before and did not change.
        if !rule.is_transition() && old == Some(value) {
            return;
        }
        let message = broken.map_or_else(
            || self.message(rule, &mut scope),
            |error| format!("{error}, in its rule {}", rule.rule),
        );
        let steps: Vec<&str> = rule
            .field_path
            .split('.')
            .filter(|s| !s.is_empty())
            .collect();
        self.tell(path, &steps, reason_of(rule), message);
    }

    fn tell(&mut self, path: &Path<'_>, steps: &[&str], reason: Reason, message: String) {
        match steps.split_first() {
            Some((first, rest)) => self.tell(&path.field(first), rest, reason, message),
            None => self.causes.add(path, reason, message),
        }
    }

    fn scope<'v>(
        &'v self,
        number: Number,
        value: &'v Value,
        old: Option<&'v Value>,
        is_optional: bool,
    ) -> Scope<'v> {
        let typed = |value: &'v Value| {
            Cel::from(Typed {
                value,
                schema: Some((self.arena, number)),
            })
        };
        let mut scope = Scope::default();
        scope.set("self", typed(value));
        match (old, is_optional) {
            (old, true) => scope.set("oldSelf", Cel::Optional(old.map(|old| Rc::new(typed(old))))),
            (Some(old), false) => scope.set("oldSelf", typed(old)),
            (None, false) => {}
        }
        scope
    }

    fn message(&self, rule: &Rule, _scope: &mut Scope<'_>) -> String {
        // A message expression may print values, which may be secret.
        match rule.message.trim() {
            "" => format!("breaks its rule: {}", rule.rule.trim()),
            message => format!("breaks a rule: {message}"),
        }
    }
}

fn reason_of(rule: &Rule) -> Reason {
    match &*rule.reason {
        "FieldValueForbidden" => Reason::Forbidden,
        "FieldValueRequired" => Reason::Required,
        "FieldValueDuplicate" => Reason::Duplicate,
        _ => Reason::Invalid,
    }
}

/// The item of the list before that is this one; only list maps tell.
fn correlated<'v>(kind: &Type, item: &Value, old: &'v Value) -> Option<&'v Value> {
    if !kind.is_list_map() {
        return None;
    }
    let is_it = |other: &&Value| kind.keys.iter().all(|key| other.get(key) == item.get(key));
    old.as_array()?.iter().find(is_it)
}
