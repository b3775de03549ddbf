//! What a server-side apply makes of an object that is there.
//!
//! `sigs.k8s.io/structured-merge-diff/v6/merge` is the reference, for one manager that applies by force: what it
//! applied before and applies no longer is removed, what it applies is set, and what others wrote or defaults set stays.
//! Lists are merged by their keys where the schema has some, else replaced. In a custom resource a mapping that loses
//! its last field and is written as `{}` becomes null, which is how the reference stores an empty set of fields.

use serde_json::{Map, Value};

use super::schemas::{Arena, Kind, List, Number, Type};

/// The object that is stored after an apply.
pub(super) struct Merge<'m> {
    pub(super) arena: &'m Arena,
    /// Whether the kind is built in, where an empty mapping stays one.
    pub(super) is_native: bool,
}

impl Merge<'_> {
    /// Merges what is applied into what is there. `before` is what was applied the last time.
    pub(super) fn merge(
        &self,
        number: Option<Number>,
        there: &Value,
        before: &Value,
        applied: &Value,
    ) -> Value {
        let kind = number.map(|n| self.arena.get(n));
        match applied {
            Value::Object(fields) if !is_atomic(kind) => self.mapping(kind, there, before, fields),
            Value::Array(items) => match kind.and_then(|k| k.list) {
                Some(List::Map) => self.list(kind, there, before, items),
                Some(List::Set) => set(there, before, items),
                Some(List::Atomic) | None => applied.clone(),
            },
            _ => applied.clone(),
        }
    }

    fn child(kind: Option<&Type>, name: &str) -> Option<Number> {
        kind.and_then(|k| k.properties.get(name).copied().or(k.values))
    }

    fn mapping(
        &self,
        kind: Option<&Type>,
        there: &Value,
        before: &Value,
        applied: &Map<String, Value>,
    ) -> Value {
        let mut result = there.as_object().cloned().unwrap_or_default();
        // What is applied no longer goes with all that it holds, defaults included.
        let dropped = before.as_object().into_iter().flatten();
        for (name, _) in dropped.filter(|(name, _)| !applied.contains_key(*name)) {
            result.shift_remove(name);
        }
        for (name, value) in applied {
            let of = |value: &Value| value.get(name).cloned().unwrap_or(Value::Null);
            let merged = self.merge(Self::child(kind, name), &of(there), &of(before), value);
            result.insert(name.clone(), merged);
        }
        let had_fields = before.as_object().is_some_and(|fields| !fields.is_empty());
        match result.is_empty() && applied.is_empty() && had_fields && !self.is_native {
            true => Value::Null,
            false => Value::Object(result),
        }
    }

    fn list(&self, kind: Option<&Type>, there: &Value, before: &Value, applied: &[Value]) -> Value {
        let keys: &[String] = kind.map_or(&[], |k| &k.keys);
        let items = kind.and_then(|k| k.items);
        // A key that is left out is its default.
        let default = |key: &str| {
            let number = items.and_then(|n| self.arena.get(n).properties.get(key).copied());
            number.and_then(|n| self.arena.get(n).default.as_ref())
        };
        let of = |item: &Value, key: &str| item.get(key).or_else(|| default(key)).cloned();
        let is_same = |a: &Value, b: &Value| keys.iter().all(|key| of(a, key) == of(b, key));
        let find = |list: &Value, item: &Value| {
            let found = list
                .as_array()
                .into_iter()
                .flatten()
                .find(|other| is_same(other, item));
            found.cloned()
        };
        let mut result: Vec<Value> = applied
            .iter()
            .map(|item| {
                let (there, before) = (find(there, item), find(before, item));
                self.merge(
                    items,
                    &there.unwrap_or(Value::Null),
                    &before.unwrap_or(Value::Null),
                    item,
                )
            })
            .collect();
        // Items of others stay.
        let others = there.as_array().into_iter().flatten();
        let is_other = |item: &&Value| {
            find(before, item).is_none() && !applied.iter().any(|a| is_same(a, item))
        };
        result.extend(others.filter(is_other).cloned());
        Value::Array(result)
    }
}

fn set(there: &Value, before: &Value, applied: &[Value]) -> Value {
    let before = before.as_array().map_or(&[][..], Vec::as_slice);
    let others = there.as_array().into_iter().flatten();
    let others = others.filter(|item| !before.contains(item) && !applied.contains(item));
    Value::Array(applied.iter().chain(others).cloned().collect())
}

fn is_atomic(kind: Option<&Type>) -> bool {
    kind.is_some_and(|k| {
        k.map.as_deref() == Some("atomic") || k.kind.is_some_and(|kind| kind != Kind::Object)
    })
}
